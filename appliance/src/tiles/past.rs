//! What a tile asks of the one who reads streams for it: a tile never waits for a disk.

use journal::stream::Name;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};

/// Answers that a tile waits for at most; further ones are asked for when these came.
const UNDER_WAY_MAX: usize = 64;

/// Messages of a stream.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Wanted {
    pub name: Name,
    /// Number of the first.
    pub from: u64,
    /// Number behind the last.
    pub before: u64,
    /// Bytes of all of them at most.
    pub bytes_max: usize,
}

/// What was found of them: the first ones, or none when they cannot be read.
#[derive(Debug, Default)]
pub(crate) struct Found {
    pub count: u16,
    /// In the form in which the tile sends them.
    pub bytes: Vec<u8>,
}

/// A tile's end; a ticket goes with what is wanted and comes back with what was found.
pub(crate) struct Asking<T> {
    wanted: SyncSender<(Wanted, T)>,
    found: Receiver<(Found, T)>,
    under_way: usize,
}

/// The reader's end.
pub(crate) struct Answering<T> {
    pub wanted: Receiver<(Wanted, T)>,
    /// Has room for all that is under way.
    pub found: SyncSender<(Found, T)>,
}

/// Both ends.
pub(crate) fn line<T>() -> (Asking<T>, Answering<T>) {
    let (wanted_in, wanted) = sync_channel(UNDER_WAY_MAX);
    let (found, found_out) = sync_channel(UNDER_WAY_MAX);
    let asking = Asking {
        wanted: wanted_in,
        found: found_out,
        under_way: 0,
    };
    (asking, Answering { wanted, found })
}

impl<T> Asking<T> {
    /// Whether something more may be asked for.
    pub const fn has_room(&self) -> bool {
        self.under_way < UNDER_WAY_MAX
    }

    /// Asks; `false` when there is no room, or nobody reads any more.
    pub fn ask(&mut self, wanted: Wanted, ticket: T) -> bool {
        let asked = self.has_room() && self.wanted.try_send((wanted, ticket)).is_ok();
        self.under_way += usize::from(asked);
        asked
    }

    /// The next answer, if there is one.
    pub fn found(&mut self) -> Option<(Found, T)> {
        if self.under_way == 0 {
            return None;
        }
        let found = self.found.try_recv().ok()?;
        self.under_way -= 1;
        Some(found)
    }
}
