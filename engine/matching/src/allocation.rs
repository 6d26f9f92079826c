//! Allocation: an arriving order is shared out among all orders of a level instead of meeting them
//! one after the other.
//!
//! A level is gone through up to four times: own orders leave, tips are added up, what rounding
//! leaves is found, and the parts are traded. Each is cut into steps.

use wire::ring::{Command, Event, EventKind, Reason};

use crate::answers::{about, refused};
use crate::books::{Book, rank};
use crate::engine::Pending;
use crate::self_trade::Prevention;
use crate::slab::NONE;
use crate::trade::{FILL_EVENTS_MAX, Taker};
use crate::{Engine, Events, Step};

/// Orders that one step looks at.
const LOOKS_A_STEP_MAX: usize = 256;

const PERCENT_MAX: u8 = 100;

/// How a symbol's arriving orders are shared out: what `SetAllocation` says. Between these two is
/// pro-rata: as split, with nothing for the top order.
const TIME: u8 = 0;
const SPLIT: u8 = 2;

impl Book {
    /// The greatest way of sharing out.
    pub(crate) const ALLOCATION_MAX: u8 = SPLIT;

    /// The greatest share of the top order.
    pub(crate) fn top_percent_max(allocation: u8) -> u8 {
        if allocation == SPLIT { PERCENT_MAX } else { 0 }
    }

    /// Whether arriving orders are shared out.
    #[inline]
    pub(crate) fn is_shared(&self) -> bool {
        self.allocation != TIME
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Pass {
    /// Orders of the arriving one's account are met.
    Own,
    /// Tips are added up.
    Sum,
    /// What rounding leaves is found.
    Round,
    /// Parts are traded.
    Give,
    /// All tips are traded.
    GiveAll,
}

/// An order that is being shared out at a level.
#[derive(Clone, Copy)]
pub(crate) struct Sharing {
    taker: Taker,
    level: u32,
    pass: Pass,
    /// The next order of this pass.
    order: u32,
    /// Orders that are shared among, and how many of them this pass looked at.
    count: u32,
    looked: u32,
    /// Their tips, without what the top order gets ahead.
    tips: u64,
    /// What the top order gets ahead of the others.
    top: u32,
    /// What is shared out then, and what rounding leaves of that.
    open: u64,
    left: u64,
}

impl Engine<'_> {
    /// Sets how a symbol's arriving orders are shared out.
    pub(crate) fn set_allocation(&mut self, command: &Command) -> Event {
        let book = self.books.books.get_mut(usize::from(command.symbol));
        let Some(book) = book.filter(|book| book.is_defined()) else {
            return refused(command, Reason::UnknownSymbol);
        };
        let percent_max = Book::top_percent_max(command.flags);
        if command.flags > Book::ALLOCATION_MAX || command.quantity > u32::from(percent_max) {
            return refused(command, Reason::InvalidField);
        }
        book.allocation = command.flags;
        book.top_percent = command.quantity as u8;
        about(command, EventKind::Configured, Reason::None)
    }

    /// As [`Engine::trade`], in a symbol that shares out.
    #[cold]
    pub(crate) fn share(&mut self, taker: &Taker, events: &mut Events) -> Step {
        self.share_on(Sharing::none(taker), events)
    }

    /// Goes on sharing out.
    pub(crate) fn share_on(&mut self, mut sharing: Sharing, events: &mut Events) -> Step {
        for _ in 0..LOOKS_A_STEP_MAX {
            if sharing.order == NONE && !self.meet_level(&mut sharing) {
                return self.end(&mut sharing.taker, events);
            }
            // One more is kept for the fate of the rest.
            if events.room() < FILL_EVENTS_MAX + 1 {
                break;
            }
            self.look(&mut sharing, events);
            if sharing.taker.open == 0 {
                return self.end(&mut sharing.taker, events);
            }
        }
        self.pending = Pending::Share(sharing);
        Step::More
    }

    /// Begins with the next level that an order meets, if there is one.
    fn meet_level(&self, sharing: &mut Sharing) -> bool {
        let side = sharing.taker.who.side().opposite();
        let best = self.book_of(&sharing.taker).best(side);
        let best = best.filter(|(_, price)| sharing.taker.meets(rank(side, *price)));
        let Some((level, _)) = best else {
            return false;
        };
        *sharing = Sharing {
            level,
            order: self.books.levels[level as usize].head,
            pass: if self.prevention(&sharing.taker) == Prevention::None {
                Pass::Sum
            } else {
                Pass::Own
            },
            ..Sharing::none(&sharing.taker)
        };
        true
    }

    /// Looks at the next order of a pass.
    fn look(&mut self, sharing: &mut Sharing, events: &mut Events) {
        let handle = sharing.order;
        sharing.order = self.slab.orders[handle as usize].next;
        sharing.looked += 1;
        match sharing.pass {
            Pass::Own => {
                if self.is_own(&sharing.taker, handle) {
                    let prevention = self.prevention(&sharing.taker);
                    self.prevent(&mut sharing.taker, handle, prevention, events);
                }
                self.next_pass(sharing, sharing.order == NONE);
            }
            Pass::Sum => {
                sharing.tips += u64::from(self.tip(handle));
                sharing.count = sharing.looked;
                self.next_pass(sharing, sharing.order == NONE);
            }
            Pass::Round => {
                sharing.left -= sharing.part(self.tip(handle));
                self.next_pass(sharing, sharing.looked == sharing.count);
            }
            Pass::Give | Pass::GiveAll => {
                let quantity = sharing.give(self.tip(handle));
                if quantity > 0 {
                    self.fill_special(&mut sharing.taker, handle, quantity, events);
                }
                self.next_pass(sharing, sharing.looked == sharing.count);
            }
        }
    }

    /// Begins the next pass over the level if the present one is over.
    fn next_pass(&self, sharing: &mut Sharing, is_over: bool) {
        if !is_over {
            return;
        }
        sharing.looked = 0;
        sharing.order = self.books.levels[sharing.level as usize].head;
        sharing.pass = match sharing.pass {
            Pass::Own => Pass::Sum,
            Pass::Sum if sharing.is_enough() => Pass::GiveAll,
            Pass::Sum => {
                let tip = self.tip(sharing.order);
                sharing.split(tip, self.book_of(&sharing.taker).top_percent);
                Pass::Round
            }
            Pass::Round => Pass::Give,
            Pass::Give | Pass::GiveAll => {
                // What was refreshed is met again with the level.
                sharing.order = NONE;
                sharing.pass
            }
        };
    }
}

impl Sharing {
    /// An order ahead of its first level.
    fn none(taker: &Taker) -> Self {
        Self {
            taker: *taker,
            level: NONE,
            pass: Pass::Sum,
            order: NONE,
            count: 0,
            looked: 0,
            tips: 0,
            top: 0,
            open: 0,
            left: 0,
        }
    }

    /// Whether each order gives its whole tip.
    fn is_enough(&self) -> bool {
        u64::from(self.taker.open) >= self.tips
    }

    /// Sets what the top order gets ahead, and what is left to be shared out.
    fn split(&mut self, tip: u32, percent: u8) {
        let open = u64::from(self.taker.open);
        let top = open * u64::from(percent) / u64::from(PERCENT_MAX);
        let top = top.min(u64::from(tip));
        self.top = top as u32;
        self.tips -= top;
        self.open = open - top;
        self.left = self.open;
    }

    /// What of a tip is shared out.
    fn rest_of(&self, tip: u32) -> u64 {
        // The first order looked at is the top one.
        let top = if self.looked == 1 { self.top } else { 0 };
        u64::from(tip - top)
    }

    /// An order's part of what is shared out, cut to a whole number.
    fn part(&self, tip: u32) -> u64 {
        self.open * self.rest_of(tip) / self.tips
    }

    /// Units that the order looked at gives.
    fn give(&mut self, tip: u32) -> u32 {
        if self.pass == Pass::GiveAll {
            return tip;
        }
        let (part, rest) = (self.part(tip), self.rest_of(tip));
        let more = self.left.min(rest - part);
        self.left -= more;
        let top = u64::from(tip) - rest;
        (top + part + more) as u32
    }
}
