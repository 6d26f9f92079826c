//! What one side of a ring knows of the other one: whose it is, and whether that one lives.
//!
//! Each side has an epoch, which rises when somebody opens it, and a heartbeat, by the caller's
//! clock: one that both processes share, such as the monotonic one. A ring loses nothing by a
//! death; what it owes the survivor is to say so.

use crate::error::Replaced;
use crate::ring::{Reader, Writer};
use crate::shared_ring::{SharedRing, WORD_READER, WORD_WRITER};
use bytemuck::Pod;
use std::fmt;
use std::sync::atomic::Ordering;

/// The other side of a ring, as it looks from this one. Owners are counted from 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Peer {
    /// Nobody has opened that side yet.
    Absent,
    /// It was opened; its owner has not said anything yet.
    Opened {
        /// Which owner it is.
        owner: u64,
    },
    /// Its owner said lately that it is alive.
    Alive {
        /// Which owner it is.
        owner: u64,
    },
    /// Its owner says nothing any more.
    Silent {
        /// Which owner it is.
        owner: u64,
        /// For how long.
        silent_ns: u64,
    },
}

impl fmt::Display for Peer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Absent => f.write_str("nobody has opened the other side of the ring"),
            Self::Opened { owner } => {
                write!(
                    f,
                    "owner {owner} of the ring's other side has said nothing yet"
                )
            }
            Self::Alive { owner } => write!(f, "owner {owner} of the ring's other side is alive"),
            Self::Silent { owner, silent_ns } => write!(
                f,
                "owner {owner} of the ring's other side has been silent for {} ms: it died or \
                 hangs; what it published stays: end it, then start another one in its place",
                silent_ns / 1_000_000
            ),
        }
    }
}

impl<B: Pod> SharedRing<B> {
    /// Says "alive at `now_ns`" for one side.
    fn beat(&self, side: usize, now_ns: u64) -> Result<(), Replaced> {
        let words = self.region.words();
        if words[side].load(Ordering::Relaxed) != self.epoch {
            return Err(Replaced);
        }
        words[side + 1].store(now_ns, Ordering::Relaxed);
        Ok(())
    }

    fn beat_ns(&self, side: usize) -> u64 {
        self.region.words()[side + 1].load(Ordering::Relaxed)
    }

    fn peer(&self, side: usize, now_ns: u64, patience_ns: u64) -> Peer {
        let owner = self.region.words()[side].load(Ordering::Relaxed);
        let beat_ns = self.beat_ns(side);
        // A heartbeat from the future is one: the peer read its clock after us.
        let silent_ns = now_ns.saturating_sub(beat_ns);
        match (owner, beat_ns) {
            (0, _) => Peer::Absent,
            (_, 0) => Peer::Opened { owner },
            _ if silent_ns > patience_ns => Peer::Silent { owner, silent_ns },
            _ => Peer::Alive { owner },
        }
    }
}

impl<B: Pod> Writer<B> {
    /// Says that this side is alive; `now_ns` is the caller's clock.
    ///
    /// # Errors
    /// [`Replaced`] when another handle took this side over.
    pub fn beat(&self, now_ns: u64) -> Result<(), Replaced> {
        self.memory.beat(WORD_WRITER, now_ns)
    }

    /// When the reader last said that it is alive; 0 for never.
    #[must_use]
    pub fn reader_beat_ns(&self) -> u64 {
        self.memory.beat_ns(WORD_READER)
    }

    /// How the reader looks at `now_ns` to one that bears silence for `patience_ns`.
    #[must_use]
    pub fn reader(&self, now_ns: u64, patience_ns: u64) -> Peer {
        self.memory.peer(WORD_READER, now_ns, patience_ns)
    }

    /// The memory of the ring.
    #[must_use]
    pub const fn shared(&self) -> &SharedRing<B> {
        &self.memory
    }
}

impl<B: Pod> Reader<B> {
    /// Says that this side is alive; `now_ns` is the caller's clock.
    ///
    /// # Errors
    /// [`Replaced`] when another handle took this side over.
    pub fn beat(&self, now_ns: u64) -> Result<(), Replaced> {
        self.memory.beat(WORD_READER, now_ns)
    }

    /// When the writer last said that it is alive; 0 for never.
    #[must_use]
    pub fn writer_beat_ns(&self) -> u64 {
        self.memory.beat_ns(WORD_WRITER)
    }

    /// How the writer looks at `now_ns` to one that bears silence for `patience_ns`.
    #[must_use]
    pub fn writer(&self, now_ns: u64, patience_ns: u64) -> Peer {
        self.memory.peer(WORD_WRITER, now_ns, patience_ns)
    }

    /// The memory of the ring.
    #[must_use]
    pub const fn shared(&self) -> &SharedRing<B> {
        &self.memory
    }
}
