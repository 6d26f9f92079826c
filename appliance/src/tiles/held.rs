//! What came from members faster than the protocol takes it.
//!
//! A connection whose bytes wait is paused, so each costs at most what was under way to it, and no
//! member feels what another one sends.

use std::collections::{BTreeMap, BTreeSet};

/// Bytes by connection that the protocol had no room for.
#[derive(Default)]
pub(super) struct Held {
    waiting: BTreeMap<u32, Vec<u8>>,
    /// Connections that the port was told to pause.
    paused: BTreeSet<u32>,
}

impl Held {
    /// How many bytes there are.
    pub(super) fn bytes(&self) -> usize {
        self.waiting.values().map(Vec::len).sum()
    }

    /// Whether bytes of this connection wait: further ones must wait behind them.
    pub(super) fn has(&self, conn: u32) -> bool {
        self.waiting.contains_key(&conn)
    }

    /// Keeps bytes behind all others of this connection.
    pub(super) fn push(&mut self, conn: u32, bytes: &[u8]) {
        self.waiting.entry(conn).or_default().extend(bytes);
    }

    /// The connection ended: its bytes are no use any more.
    pub(super) fn forget(&mut self, conn: u32) {
        self.waiting.remove(&conn);
        self.paused.remove(&conn);
    }

    /// Nobody will take what waits.
    pub(super) fn clear(&mut self) {
        self.waiting.clear();
    }

    /// Offers everything again; says how many bytes were taken.
    pub(super) fn offer(&mut self, mut take: impl FnMut(u32, &[u8]) -> usize) -> usize {
        let mut taken_all = 0;
        self.waiting.retain(|conn, bytes| {
            let taken = take(*conn, bytes);
            bytes.drain(..taken);
            taken_all += taken;
            !bytes.is_empty()
        });
        taken_all
    }

    /// Tells whom to pause and whom to let go on since the last call.
    pub(super) fn settle(&mut self, mut pause: impl FnMut(u32, bool)) {
        let Self { waiting, paused } = self;
        paused.retain(|conn| {
            let stays = waiting.contains_key(conn);
            if !stays {
                pause(*conn, false);
            }
            stays
        });
        for conn in waiting.keys() {
            if paused.insert(*conn) {
                pause(*conn, true);
            }
        }
    }
}
