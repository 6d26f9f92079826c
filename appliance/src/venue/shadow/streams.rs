//! Where the shadow's outputs go: one writer a stream.

use crate::topology::Topology;
use crate::venue::kept::{names, store_of};
use crate::venue::replay::Overflow;
use journal::stream::{Name, Position, Writer};
use journal::{DataError, Files, StorageError};
use session::feed::{DepthPublisher, Publisher};
use session::order_entry::OrderEntry;

/// Bytes that wait at most before they are written.
const UNWRITTEN_BYTES_MAX: usize = 4 << 20;

/// All streams of a venue.
pub(in crate::venue) struct Streams {
    writers: Vec<Writer>,
    /// Those that have something that no snapshot flushed.
    are_changed: Vec<bool>,
    /// Places of the stores' writers, in the order of the stores.
    stores: Vec<usize>,
    depth: Option<usize>,
}

impl Streams {
    /// Opens every stream where `known` says, and others at their beginning.
    pub(in crate::venue) fn open(
        topology: &Topology,
        files: &mut dyn Files,
        known: &[(Name, Position)],
    ) -> Result<Self, DataError> {
        let names = names(topology);
        let mut writers = Vec::with_capacity(names.len());
        for name in &names {
            let found = known.iter().find(|(known, _)| known == name);
            let position = found.map_or(Position::default(), |(_, position)| *position);
            writers.push(Writer::open(files, *name, &position)?);
        }
        let is_store = |place: &usize| store_of(topology, names[*place]).is_some();
        Ok(Self {
            stores: (0..names.len()).filter(is_store).collect(),
            depth: names.iter().position(|name| *name == Name::DEPTH),
            // What an earlier life wrote may not be flushed.
            are_changed: vec![true; writers.len()],
            writers,
        })
    }

    fn push(&mut self, place: usize, message: &[u8]) {
        let is_pushed = self.writers[place].push(message);
        assert!(is_pushed, "no message is longer than a stream's may be");
        self.are_changed[place] = true;
    }

    /// Messages in all of them.
    pub(super) fn messages(&self) -> u64 {
        self.writers.iter().map(|writer| writer.next() - 1).sum()
    }

    /// Whether more waits than should.
    pub(in crate::venue) fn are_full(&self) -> bool {
        let waiting: usize = self.writers.iter().map(Writer::unwritten).sum();
        waiting >= UNWRITTEN_BYTES_MAX
    }

    /// Writes all that waits. Nothing is flushed.
    pub(in crate::venue) fn write(&mut self, files: &mut dyn Files) -> Result<(), StorageError> {
        self.writers
            .iter_mut()
            .try_for_each(|writer| writer.write(files))
    }

    /// Where each stream stands: what is before is never written again.
    pub(in crate::venue) fn ends(&mut self) -> Vec<(Name, Position)> {
        let end = |writer: &mut Writer| (writer.name(), writer.seal());
        self.writers.iter_mut().map(end).collect()
    }

    /// Flushes all that there is; gives where each stream stands.
    pub(super) fn flush(
        &mut self,
        files: &mut dyn Files,
    ) -> Result<Vec<(Name, Position)>, StorageError> {
        let positions = self.ends();
        self.write(files)?;
        for (writer, is_changed) in self.writers.iter().zip(&mut self.are_changed) {
            if *is_changed {
                files.flush(&writer.name().file())?;
                *is_changed = false;
            }
        }
        Ok(positions)
    }
}

/// The places are those of [`names`]: the feed of orders comes first.
impl Overflow for Streams {
    fn replies(&mut self, entry: &mut OrderEntry) {
        entry.drain(&mut |store, message| {
            let place = self.stores[store];
            self.push(place, message);
        });
    }

    fn feed(&mut self, publisher: &mut Publisher) {
        publisher.drain(&mut |message| self.push(0, message));
    }

    fn depth(&mut self, depth: &mut DepthPublisher) {
        if let Some(place) = self.depth {
            depth.drain(&mut |message| self.push(place, message));
        }
    }
}
