//! What a tile is doing at this moment, in one word that another process may look at: samples of it
//! say where time goes where the system does not count for us.
//!
//! The word is written some times in a turn and never read here; a turn of a tile that finds
//! nothing to do writes it, too.

use crate::topology::Tile;
use queue::{Counter, CounterSet, Error};

/// A part of a turn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u64)]
pub enum Part {
    /// The thread rests, or is with another tile.
    Elsewhere,
    /// Gate: bytes of members become commands.
    Receive,
    /// Gate and publish: events become replies or messages.
    Events,
    /// Gate and publish: bytes leave.
    Transmit,
    /// Publish: requests for messages are answered.
    Requests,
    /// Engine: commands are taken and applied, up to a batch.
    Steps,
    /// Engine: what came of them is shown to the others.
    Show,
    /// Journal: inputs become a record.
    Append,
    /// Journal: the disk's work is moved on.
    Disk,
    /// Counters are told, and the end of the venue is looked after.
    Figures,
}

/// Names of the parts, by their numbers.
pub const PARTS: [&str; 10] = [
    "elsewhere",
    "receive",
    "events",
    "transmit",
    "requests",
    "steps",
    "show",
    "append",
    "disk",
    "figures",
];

const _: () = assert!(PARTS.len() == Part::Figures as usize + 1);

/// The name of a tile's word.
#[must_use]
pub fn word_of(tile: Tile) -> String {
    format!("{}.doing", tile.name())
}

/// One tile's word.
pub(super) struct Doing(Counter);

impl Doing {
    /// The word of a tile.
    ///
    /// # Errors
    /// It is missing or taken.
    pub(super) fn new(set: &mut CounterSet, tile: Tile) -> Result<Self, Error> {
        set.counter(&word_of(tile)).map(Self)
    }

    /// Says what comes now.
    #[inline]
    pub(super) fn now(&mut self, part: Part) {
        self.0.set(part as u64);
    }
}
