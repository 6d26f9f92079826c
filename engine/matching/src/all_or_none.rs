//! All-or-none orders: they trade whole or wait, and nobody can trade with them.
//!
//! They are parked. Only units that come to the book, or fewer units of their own, can help one:
//! while neither happens none is tried again. To try one is to look at the other side up to its
//! limit, so it is their number that bounds what an order which helps none of them costs.

use wire::ring::Reason;

use crate::after::{LOOKS_A_PIECE_MAX, Piece};
use crate::limits::WHOLE_MAX;
use crate::minimum::{Judged, Look};
use crate::refs::Found;
use crate::slab::NONE;
use crate::trade::Taker;
use crate::watch::List;
use crate::{Engine, Events};

impl Engine<'_> {
    /// Whether one more can wait in its symbol, should it come to that; one that replaces another
    /// surely can.
    pub(crate) fn check_room_whole(
        &self,
        taker: &Taker,
        found: Option<Found>,
    ) -> Result<(), Reason> {
        if !taker.wait.is_whole || self.whole_count(taker.who.symbol()) < WHOLE_MAX {
            return Ok(());
        }
        let old = found.and_then(|found| self.slab.part_of(found.order));
        if old.is_some_and(|old| old.wait().is_whole) {
            return Ok(());
        }
        Err(Reason::PoolFull)
    }

    /// How many wait in a symbol: counted, as no more than [`WHOLE_MAX`] do.
    pub(crate) fn whole_count(&self, symbol: u16) -> u32 {
        let mut part = self.watches[usize::from(symbol)].list(List::AllOrNone).head;
        let mut count = 0;
        while part != NONE && count <= WHOLE_MAX {
            part = self.slab.parts.all[part as usize].next;
            count += 1;
        }
        count
    }

    /// Goes on trying a symbol's all-or-none orders; nothing if none is left to be tried.
    pub(crate) fn try_whole(&mut self, symbol: u16, events: &mut Events) -> Option<Piece> {
        let watch = &mut self.watches[usize::from(symbol)];
        if watch.is_due != 0 {
            watch.is_due = 0;
            self.after.trial = watch.list(List::AllOrNone).head;
            self.after.judged = None;
        }
        let part = self.after.trial;
        if part == NONE {
            return None;
        }
        let mut judged = match self.after.judged.take() {
            Some(judged) => judged,
            None => self.trial(part),
        };
        match self.look_for_units(&mut judged, LOOKS_A_PIECE_MAX) {
            Look::Unfinished => self.after.judged = Some(judged),
            Look::TooFew => self.after.trial = self.slab.parts.all[part as usize].next,
            Look::Enough => {
                self.after.trial = self.slab.parts.all[part as usize].next;
                return Some(self.enliven(part, events));
            }
        }
        Some(Piece::Done)
    }

    fn trial(&self, part: u32) -> Judged {
        let mut taker = self.taker_of(self.slab.parts.all[part as usize].order);
        self.bound_reach(&mut taker);
        self.judged(&taker, taker.open, None)
    }
}
