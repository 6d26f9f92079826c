//! Minimum quantity: whether enough units stand on the other side for an order that will not do
//! with fewer.
//!
//! Levels know their units, so this looks at levels; at orders only where those of the same account
//! do not count. A book may have as many levels as it has orders: the look is cut into steps like
//! everything else.

use wire::ring::Reason;

use crate::books::Walk;
use crate::engine::Pending;
use crate::self_trade::Prevention;
use crate::slab::{Identity, NONE};
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
    /// The order that it replaces, if it does and did not say so yet.
    old: Option<Identity>,
}

/// What a look for units found.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Look {
    Enough,
    TooFew,
    /// It is not finished.
    Unfinished,
}

impl Engine<'_> {
    /// An order that trades only if there are so many units for it.
    pub(crate) fn judged(&self, taker: &Taker, minimum: u32, old: Option<Identity>) -> Judged {
        Judged {
            taker: *taker,
            missing: u64::from(minimum),
            walk: self.book_of(taker).walk(taker.who.side().opposite()),
            order: NONE,
            old,
        }
    }

    /// Goes on looking for the units of an order that arrives, then lets it trade; else it leaves,
    /// or is parked if it trades whole or not at all.
    pub(crate) fn judge_on(&mut self, mut judged: Judged, events: &mut Events) -> Step {
        let look = self.look_for_units(&mut judged, LOOKS_A_STEP_MAX);
        let Judged { mut taker, old, .. } = judged;
        match look {
            Look::Unfinished => {
                self.pending = Pending::Judge(judged);
                Step::More
            }
            Look::Enough => {
                if taker.wait.is_whole {
                    events.push_words(taker.taken(old.as_ref(), 0));
                }
                self.trade(&mut taker, events)
            }
            Look::TooFew if taker.wait.is_whole => self.park_new(&taker, old.as_ref(), events),
            Look::TooFew => {
                events.push_words(taker.left(Reason::MinimumQuantity));
                Step::Done
            }
        }
    }

    /// Looks on at so many levels or orders.
    pub(crate) fn look_for_units(&self, judged: &mut Judged, looks: usize) -> Look {
        for _ in 0..looks {
            match self.units_next(judged) {
                None => return Look::TooFew,
                Some(units) if units >= judged.missing => return Look::Enough,
                Some(units) => judged.missing -= units,
            }
        }
        Look::Unfinished
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
