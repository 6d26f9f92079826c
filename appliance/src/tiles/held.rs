//! What came from members faster than the protocol takes it.
//!
//! A connection whose bytes wait is paused, so each costs at most what was under way to it, and no
//! member feels what another one sends. Bytes stay where they are until the last of their
//! connection is taken, and the port hears only of what changes: where nothing waits, nothing of
//! this costs anything.

use std::collections::BTreeMap;

/// Bytes of one connection, of which the first `taken` are gone.
#[derive(Default)]
struct Waiting {
    bytes: Vec<u8>,
    taken: usize,
}

/// Bytes by connection that the protocol had no room for.
#[derive(Default)]
pub(super) struct Held {
    waiting: BTreeMap<u32, Waiting>,
    /// Bytes of all of them that are still to be taken.
    bytes: usize,
    /// Whom the port is still to pause (or let go on), in this order.
    news: Vec<(u32, bool)>,
}

impl Held {
    /// How many bytes there are.
    pub(super) const fn bytes(&self) -> usize {
        self.bytes
    }

    /// Whether bytes of this connection wait: further ones must wait behind them.
    pub(super) fn has(&self, conn: u32) -> bool {
        self.waiting.contains_key(&conn)
    }

    /// Keeps bytes behind all others of this connection.
    pub(super) fn push(&mut self, conn: u32, bytes: &[u8]) {
        let waiting = self.waiting.entry(conn).or_insert_with(|| {
            self.news.push((conn, true));
            Waiting::default()
        });
        waiting.bytes.extend(bytes);
        self.bytes += bytes.len();
    }

    /// The connection ended: its bytes are no use any more.
    pub(super) fn forget(&mut self, conn: u32) {
        if let Some(waiting) = self.waiting.remove(&conn) {
            self.bytes -= waiting.bytes.len() - waiting.taken;
        }
        self.news.retain(|(other, _)| *other != conn);
    }

    /// Nobody will take what waits.
    pub(super) fn clear(&mut self) {
        let told = std::mem::take(&mut self.waiting).into_keys();
        self.news.extend(told.map(|conn| (conn, false)));
        self.bytes = 0;
    }

    /// Offers everything again; says how many bytes were taken.
    pub(super) fn offer(&mut self, mut take: impl FnMut(u32, &[u8]) -> usize) -> usize {
        if self.waiting.is_empty() {
            return 0;
        }
        let mut taken_all = 0;
        self.waiting.retain(|conn, Waiting { bytes, taken }| {
            let now = take(*conn, &bytes[*taken..]);
            *taken += now;
            taken_all += now;
            let is_left = *taken < bytes.len();
            if !is_left {
                self.news.push((*conn, false));
            }
            is_left
        });
        self.bytes -= taken_all;
        taken_all
    }

    /// Tells whom to pause and whom to let go on since the last call.
    pub(super) fn settle(&mut self, mut pause: impl FnMut(u32, bool)) {
        for (conn, is_paused) in self.news.drain(..) {
            pause(conn, is_paused);
        }
    }
}
