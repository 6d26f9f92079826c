//! Minimum quantity: whether enough units stand on the other side for an order that will not do
//! with fewer.
//!
//! Levels know their units, so this looks at levels; at orders only where those of the same account
//! do not count. A book may have as many levels as it has orders: the look is cut into steps like
//! everything else.

use wire::ring::{Event, EventKind, Reason};

use crate::answers::{code, of_order};
use crate::books::Walk;
use crate::engine::Pending;
use crate::events::pair;
use crate::self_trade::Prevention;
use crate::slab::NONE;
use crate::trade::Taker;
use crate::{Engine, Events, Step};

/// Levels or orders that one step looks at.
const LOOKS_A_STEP_MAX: usize = 256;

/// An order that was taken and may not trade yet.
#[derive(Clone, Copy)]
pub(crate) struct Judged {
    taker: Taker,
    /// Units that must be found yet.
    missing: u64,
    walk: Walk,
    /// The next order of a level that is being looked at order by order.
    order: u32,
}

impl Engine<'_> {
    /// Trades an order if there are `minimum` units for it, else takes it out.
    pub(crate) fn judge(&mut self, taker: &Taker, minimum: u32, events: &mut Events) -> Step {
        let judged = Judged {
            taker: *taker,
            missing: u64::from(minimum),
            walk: self.book_of(taker).walk(taker.who.side().opposite()),
            order: NONE,
        };
        self.judge_on(judged, events)
    }

    /// Goes on looking.
    pub(crate) fn judge_on(&mut self, mut judged: Judged, events: &mut Events) -> Step {
        for _ in 0..LOOKS_A_STEP_MAX {
            let Some(units) = self.units_next(&mut judged) else {
                return minimum_missed(&judged.taker, events);
            };
            if units >= judged.missing {
                return self.trade(&mut judged.taker, events);
            }
            judged.missing -= units;
        }
        self.pending = Pending::Judge(judged);
        Step::More
    }

    /// The units of the next level or order that the order may trade with.
    fn units_next(&self, judged: &mut Judged) -> Option<u64> {
        let taker = &judged.taker;
        let by_order = self.prevention(taker) != Prevention::None;
        if judged.order == NONE {
            let next = self.books.walk_on(self.book_of(taker), &mut judged.walk);
            let (level, _) = next.filter(|(_, rank)| taker.meets(*rank))?;
            let level = &self.books.levels[level as usize];
            if !by_order {
                return Some(level.quantity);
            }
            judged.order = level.head;
        }
        let order = &self.slab.orders[judged.order as usize];
        let is_own = self.is_own(taker, judged.order);
        judged.order = order.next;
        Some(if is_own { 0 } else { order.open().into() })
    }
}

fn minimum_missed(taker: &Taker, events: &mut Events) -> Step {
    let why = code(EventKind::Canceled, Reason::MinimumQuantity, Event::LAST);
    events.push_words(of_order(&taker.who, why, pair(taker.open, 0), taker.price));
    Step::Done
}
