//! From the harness's order ids to the engine's names and back: two flat tables.
//!
//! Ids come in any order out of a dense range; the engine's user references grow. One table goes
//! from the id to the reference of the live order, the other from the reference to what a report
//! and a modify need.

use bytemuck::{Pod, Zeroable};
use queue::Pages;

/// What is known of an order under one reference.
#[derive(Clone, Copy, Default, Pod, Zeroable)]
#[repr(C)]
pub(crate) struct Entry {
    pub(crate) id: u32,
    /// Ticks.
    pub(crate) price: u32,
    pub(crate) open: u32,
    /// Units that traded, also under the references before: the engine counts totals.
    pub(crate) executed: u32,
}

const _: () = assert!(size_of::<Entry>() == 16);

/// Both tables, at full size from the start.
pub(crate) struct Orders {
    /// By id: the reference of the live order, 0 without one.
    refs: Pages<u32>,
    /// By reference.
    entries: Pages<Entry>,
    /// The last reference that was taken.
    last: u32,
}

impl Orders {
    /// Tables at full size, every page present; none when there is no memory for them.
    pub(crate) fn new(ids: u32, entries: u32) -> Option<Self> {
        Some(Self {
            refs: Pages::zeroed(ids as usize)?,
            entries: Pages::zeroed(entries as usize + 1)?,
            last: 0,
        })
    }

    pub(crate) fn knows(&self, id: u64) -> bool {
        id < self.refs.len() as u64
    }

    /// The live order's reference.
    #[inline]
    pub(crate) fn find(&self, id: u64) -> Option<u32> {
        let place = usize::try_from(id).ok()?;
        self.refs
            .get(place)
            .copied()
            .filter(|user_ref| *user_ref != 0)
    }

    #[inline]
    pub(crate) fn entry(&mut self, user_ref: u32) -> &mut Entry {
        &mut self.entries[user_ref as usize]
    }

    /// Whether there is another reference.
    #[inline]
    pub(crate) fn has_next(&self) -> bool {
        (self.last as usize) < self.entries.len() - 1
    }

    /// The reference that the next accepted order will have, should there be one.
    #[inline]
    pub(crate) fn next(&self) -> u32 {
        self.last + 1
    }

    /// Takes the next reference for a live order.
    #[inline]
    pub(crate) fn take(&mut self, entry: Entry) {
        self.last += 1;
        self.entries[self.last as usize] = entry;
        self.refs[entry.id as usize] = self.last;
    }

    /// The order left the book.
    #[inline]
    pub(crate) fn forget(&mut self, id: u32) {
        self.refs[id as usize] = 0;
    }
}
