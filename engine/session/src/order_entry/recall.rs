//! Replies that the stores do not hold any more: who lacks them, and where they come back in.
//!
//! They are kept in streams on a disk, for which no turn waits: a connection says what it lacks,
//! and goes on when that was read. Where a stream does not hold it yet the connection waits for
//! that, and where there is none it is closed: nobody else notices.

use super::repeats::Wanted;
use super::{Cause, OrderEntry};
use crate::store;

/// A connection lacks replies of a store, counted as in [`OrderEntry::begin_behind`], from this
/// number on; or that one alone, which is to be sent again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Recall {
    /// The connection.
    pub conn: u32,
    /// Whose replies.
    pub store: usize,
    /// The first of them.
    pub from: u64,
    /// There need be no more of them.
    pub is_one: bool,
}

/// Appends a reply as [`OrderEntry::recalled`] takes it.
pub fn pack(message: &[u8], out: &mut Vec<u8>) {
    store::pack(message, out);
}

impl OrderEntry {
    /// The first `count` replies of a store are kept elsewhere: in memory they may give way to
    /// others, and those that are still to come are counted and not made.
    pub fn cover(&mut self, index: usize, count: u64) {
        if let Some(session) = self.sessions.get_mut(index) {
            session.store.cover(count);
        }
    }

    /// How many replies of a store, the first ones, are kept elsewhere.
    #[must_use]
    pub fn covered(&self, index: usize) -> u64 {
        let session = self.sessions.get(index);
        session.map_or(0, |session| session.store.covered())
    }

    /// Whether all replies will be kept elsewhere sooner or later, as [`cover`](Self::cover) tells;
    /// until this is said nobody waits for those that gave way and are not.
    pub const fn keep(&mut self, are_kept: bool) {
        self.are_kept = are_kept;
    }

    /// The next connection that lacks replies which are kept elsewhere; it is told once, and waits.
    pub fn recall(&mut self) -> Option<Recall> {
        let mut all = self.lacking().chain(self.wanting());
        let found = all.find(|(_, recall)| self.is_covered(recall));
        drop(all);
        let (slot, recall) = found?;
        let connection = self.connections[slot].as_mut()?;
        if let Some(wanted) = connection.wanted.as_mut().filter(|_| recall.is_one) {
            wanted.is_asked = true;
            self.lists.wanting.remove(slot);
        } else {
            connection.is_asked = true;
            self.lists.lacking.remove(slot);
        }
        Some(recall)
    }

    /// Connections that lack replies, and nobody was told.
    fn lacking(&self) -> impl Iterator<Item = (usize, Recall)> {
        let first = self.lists.lacking.from(0);
        let slots = std::iter::successors(first, |slot| self.lists.lacking.from(slot + 1));
        slots.filter_map(|slot| {
            let connection = self.connections[slot].as_ref()?;
            let recall = Recall {
                conn: connection.id,
                store: connection.session?,
                from: connection.lacks()?,
                is_one: false,
            };
            Some((slot, recall))
        })
    }

    /// Connections that are to get a reply again, and nobody was told.
    fn wanting(&self) -> impl Iterator<Item = (usize, Recall)> {
        let first = self.lists.wanting.from(0);
        let slots = std::iter::successors(first, |slot| self.lists.wanting.from(slot + 1));
        slots.filter_map(|slot| {
            let connection = self.connections[slot].as_ref()?;
            let recall = Recall {
                conn: connection.id,
                store: connection.session?,
                from: connection.wants()?,
                is_one: true,
            };
            Some((slot, recall))
        })
    }

    fn is_covered(&self, recall: &Recall) -> bool {
        recall.from <= self.covered(recall.store)
    }

    /// A connection that lacks what is not to be had, now or later.
    fn stranded(&self) -> Option<usize> {
        let mut lacking = self.lacking().filter(|_| !self.are_kept);
        let found = lacking.find(|(_, recall)| !self.is_covered(recall));
        found.map(|(slot, _)| slot)
    }

    /// Closes those connections.
    pub(super) fn strand(&mut self, now_ns: u64) {
        while let Some(slot) = self.stranded() {
            if let Some(mut connection) = self.connections[slot].take() {
                self.shut(&mut connection, slot, Cause::Unreadable, now_ns);
                self.connections[slot] = Some(connection);
            }
            self.settle(slot, now_ns);
        }
    }

    /// What a connection lacked, each reply by [`pack`]: some of them at least, from the first one
    /// on, or nothing when they cannot be had. Then the connection is closed, unless the reply was
    /// to be sent again: the engine is asked instead. One that is gone meanwhile, or went
    /// elsewhere, needs nothing.
    pub fn recalled(&mut self, recall: &Recall, packets: Vec<u8>, now_ns: u64) {
        let Some(slot) = self.slot(recall.conn) else {
            return;
        };
        let Some(mut connection) = self.connections[slot].take() else {
            return;
        };
        let waits = connection.is_asked && connection.cause.is_none();
        let place = (connection.session, connection.lacks());
        if recall.is_one {
            let is_it = |wanted: &&mut Wanted| wanted.is_asked && wanted.reply == recall.from;
            if let Some(wanted) = connection.wanted.as_mut().filter(is_it) {
                wanted.found = Some(packets);
            }
        } else if waits && place == (Some(recall.store), Some(recall.from)) {
            if packets.is_empty() {
                self.shut(&mut connection, slot, Cause::Unreadable, now_ns);
            } else {
                connection.provide(packets, now_ns);
            }
        }
        self.connections[slot] = Some(connection);
        self.settle(slot, now_ns);
    }
}
