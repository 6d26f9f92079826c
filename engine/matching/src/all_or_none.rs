//! All-or-none orders: they trade whole or wait, and nobody can trade with them.
//!
//! They are parked. Only units that come to the book, or fewer units of their own, can help one:
//! while neither happens none is tried again.

use crate::after::{LOOKS_A_PIECE_MAX, Piece};
use crate::minimum::{Judged, Look};
use crate::slab::NONE;
use crate::watch::List;
use crate::{Engine, Events};

impl Engine<'_> {
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
