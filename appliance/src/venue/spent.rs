//! Where each tile's time goes, for `wirecross profile`.

use crate::tiles::Progress;
use crate::topology::Tile;
use queue::{Counter, CounterSet, Error};

/// The time of one tile's turns, by what came of them, in counters that others may read.
///
/// The times are those that tiles are told anyway: a busy turn costs no reading of the clock more.
pub(super) struct Spent {
    busy: Counter,
    waiting: Counter,
    idle: Counter,
    /// What came of the last turn.
    last: Progress,
}

impl Spent {
    /// The counters of one tile.
    ///
    /// # Errors
    /// A counter is missing or taken.
    pub(super) fn new(set: &mut CounterSet, tile: Tile) -> Result<Self, Error> {
        let mut counter = |what: &str| set.counter(&format!("{}.{what}_ns", tile.name()));
        Ok(Self {
            busy: counter("busy")?,
            waiting: counter("waiting")?,
            idle: counter("idle")?,
            last: Progress::Idle,
        })
    }

    /// Those of all tiles.
    ///
    /// # Errors
    /// As [`Spent::new`].
    pub(super) fn all(set: &mut CounterSet) -> Result<Vec<Self>, Error> {
        Tile::ALL
            .map(|tile| Self::new(set, tile))
            .into_iter()
            .collect()
    }

    /// A turn took so long.
    pub(super) fn turn(&mut self, progress: Progress, ns: u64) {
        let counter = match progress {
            Progress::Busy => &mut self.busy,
            Progress::Waiting => &mut self.waiting,
            Progress::Idle => &mut self.idle,
        };
        counter.add(ns);
        self.last = progress;
    }

    /// The thread rested so long after turns in which no tile could do anything.
    pub(super) fn rest(&mut self, ns: u64) {
        self.turn(self.last, ns);
    }
}
