//! Units that stand at a level and are not shown: hidden orders, and what icebergs hold back.
//!
//! Their sum lies beside the levels, where no plain order touches it; what a level shows is the
//! difference. Whoever changes an order that is not plain takes its dark units out and puts them
//! back in.

use crate::Engine;
use crate::books::Books;

impl Books<'_> {
    /// Units that a level shows. O(1).
    #[inline]
    pub(crate) fn shown(&self, level: u32) -> u64 {
        self.levels[level as usize].quantity - self.dark[level as usize]
    }
}

impl Engine<'_> {
    /// Open units of an order that are not shown.
    pub(crate) fn dark_of(&self, handle: u32) -> u64 {
        let order = &self.slab.orders[handle as usize];
        let units = if order.is_parked() {
            0
        } else if order.is_hidden() {
            order.open()
        } else {
            order.open() - self.tip(handle)
        };
        u64::from(units)
    }

    /// Counts the units of an order that rests, or that changed.
    #[cold]
    pub(crate) fn darken(&mut self, handle: u32) {
        let level = self.slab.orders[handle as usize].level;
        self.books.dark[level as usize] += self.dark_of(handle);
    }

    /// Counts them no more, ahead of a change or of its leaving.
    #[cold]
    pub(crate) fn lighten(&mut self, handle: u32) {
        let level = self.slab.orders[handle as usize].level;
        self.books.dark[level as usize] -= self.dark_of(handle);
    }
}
