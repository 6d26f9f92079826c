//! Minimum quantity: whether enough units stand on the other side for an order that will not do
//! with fewer.
//!
//! Levels know their units, so this looks at levels and not at orders. A book may have as many
//! levels as it has orders: the look is cut into steps like everything else.

use wire::ring::{Event, EventKind, Reason};

use crate::answers::{code, of_order};
use crate::books::Walk;
use crate::engine::Pending;
use crate::events::pair;
use crate::trade::Taker;
use crate::{Engine, Events, Step};

/// Levels that one step looks at.
const LEVELS_A_STEP_MAX: usize = 256;

/// An order that was taken and may not trade yet.
#[derive(Clone, Copy)]
pub(crate) struct Judged {
    taker: Taker,
    /// Units that must be found yet.
    missing: u64,
    walk: Walk,
}

impl Engine<'_> {
    /// Trades an order if there are `minimum` units for it, else takes it out.
    pub(crate) fn judge(&mut self, taker: &Taker, minimum: u32, events: &mut Events) -> Step {
        let judged = Judged {
            taker: *taker,
            missing: u64::from(minimum),
            walk: self.book_of(taker).walk(taker.who.side().opposite()),
        };
        self.judge_on(judged, events)
    }

    /// Goes on looking.
    pub(crate) fn judge_on(&mut self, mut judged: Judged, events: &mut Events) -> Step {
        let book = *self.book_of(&judged.taker);
        for _ in 0..LEVELS_A_STEP_MAX {
            let next = self.books.walk_on(&book, &mut judged.walk);
            let Some((level, _)) = next.filter(|(_, rank)| judged.taker.meets(*rank)) else {
                return minimum_missed(&judged.taker, events);
            };
            let units = self.books.levels[level as usize].quantity;
            if units >= judged.missing {
                return self.trade(&mut judged.taker, events);
            }
            judged.missing -= units;
        }
        self.pending = Pending::Judge(judged);
        Step::More
    }
}

fn minimum_missed(taker: &Taker, events: &mut Events) -> Step {
    let why = code(EventKind::Canceled, Reason::MinimumQuantity, Event::LAST);
    events.push_words(of_order(&taker.who, why, pair(taker.open, 0), taker.price));
    Step::Done
}
