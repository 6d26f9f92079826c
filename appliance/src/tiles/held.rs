//! What came from members faster than the protocol takes it.

use std::collections::{BTreeSet, VecDeque};

/// Bytes in the order they came, by connection, that the protocol had no room for.
#[derive(Default)]
pub(super) struct Held {
    pieces: VecDeque<(u32, Vec<u8>)>,
    bytes: usize,
}

impl Held {
    /// How many bytes there are.
    pub(super) fn bytes(&self) -> usize {
        self.bytes
    }

    /// Whether bytes of this connection wait: further ones must wait behind them.
    pub(super) fn has(&self, conn: u32) -> bool {
        self.pieces.iter().any(|(held, _)| *held == conn)
    }

    /// Keeps bytes behind all others.
    pub(super) fn push(&mut self, conn: u32, bytes: &[u8]) {
        self.bytes += bytes.len();
        self.pieces.push_back((conn, bytes.to_vec()));
    }

    /// The connection ended: its bytes are no use any more.
    pub(super) fn forget(&mut self, conn: u32) {
        self.pieces.retain(|(held, _)| *held != conn);
        self.bytes = self.pieces.iter().map(|(_, bytes)| bytes.len()).sum();
    }

    /// Offers every piece again, in order; says how many bytes were taken.
    pub(super) fn offer(&mut self, mut take: impl FnMut(u32, &[u8]) -> usize) -> usize {
        let mut stuck = BTreeSet::new();
        let mut taken_all = 0;
        for (conn, bytes) in &mut self.pieces {
            if !stuck.contains(conn) {
                let taken = take(*conn, bytes);
                bytes.drain(..taken);
                taken_all += taken;
                if !bytes.is_empty() {
                    stuck.insert(*conn);
                }
            }
        }
        self.pieces.retain(|(_, bytes)| !bytes.is_empty());
        self.bytes -= taken_all;
        taken_all
    }
}
