//! What several lines take and give.

use wire::mold::HEADER_BYTES;

use super::super::receiver::ReceiverConfig;
use crate::SECOND_NS;

/// The most lines.
pub const LINES_MAX: usize = 2;

/// Which way a packet came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    /// By this line, from 0.
    Line(usize),
    /// As the answer to a request.
    Answer,
}

impl Way {
    pub(super) const fn index(self) -> usize {
        match self {
            Self::Line(line) => line % LINES_MAX,
            Self::Answer => LINES_MAX,
        }
    }
}

/// Sizes and times of [`Lines`](super::Lines).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LinesConfig {
    /// What is shared by all lines.
    pub receiver: ReceiverConfig,
    /// How many lines there are, 1 or 2.
    pub lines: usize,
    /// Whether a snapshot can be had.
    pub has_snapshots: bool,
    /// Time without news, or with something missing, after which the books are stale.
    pub stale_ns: u64,
    /// Time after which an answer is not waited for any longer.
    pub patience_ns: u64,
    /// More missing messages than these are not asked for where there are snapshots.
    pub gap_messages_max: u64,
    /// Messages in a row with which a line that was shut out proves itself.
    pub agree_messages: u64,
}

impl Default for LinesConfig {
    fn default() -> Self {
        Self {
            receiver: ReceiverConfig {
                held_packets: 4_096,
                retry_ns: SECOND_NS / 20,
                ..ReceiverConfig::default()
            },
            lines: LINES_MAX,
            has_snapshots: false,
            stale_ns: SECOND_NS * 9 / 10,
            patience_ns: SECOND_NS / 2,
            gap_messages_max: 100_000,
            agree_messages: 1_000,
        }
    }
}

/// What the receiver wants its owner to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Want {
    /// Nothing.
    Nothing,
    /// Send these bytes to the re-request server.
    Request([u8; HEADER_BYTES]),
    /// Take a snapshot, then call [`splice`](super::Lines::splice), or
    /// [`splice_not`](super::Lines::splice_not).
    Snapshot,
}

/// What is handed on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fed<'a> {
    /// A session begins: what was known of the one before is over.
    Begin([u8; 10]),
    /// A message with its number: each once, in their order.
    Message(u64, &'a [u8]),
}
