//! A place between two records, from which the journal can be read without what lies before it.

use bytemuck::{Pod, Zeroable};

use crate::record::{Chain, Header};
use crate::storage::SegmentFile;

/// Where a reader stands, and what the chain of records says there. A snapshot keeps it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Pod, Zeroable)]
#[repr(C)]
pub struct Mark {
    /// Number of the next input.
    pub next_sequence: u64,
    /// Time of the last input; 0 for none.
    pub time_ns: u64,
    /// Which life wrote the last record; 0 for none.
    pub epoch: u64,
    /// What the last record knew to be durable.
    pub durable: u64,
    /// The byte behind the last record.
    pub offset: u64,
    /// The byte where it begins.
    pub last: u64,
    /// The segment it stands in; 0 when nothing was read.
    pub segment: u32,
    /// Its checksum.
    pub previous: u32,
}

impl Mark {
    /// Before the very first record.
    pub const START: Self = Self {
        next_sequence: 1,
        time_ns: 0,
        epoch: 0,
        durable: 0,
        offset: 0,
        last: 0,
        segment: 0,
        previous: 0,
    };

    /// Whether nothing lies before it.
    #[must_use]
    pub const fn is_start(&self) -> bool {
        self.segment == 0
    }

    pub(crate) const fn chain(&self) -> Chain {
        Chain {
            next_sequence: self.next_sequence,
            time_ns: self.time_ns,
            epoch: self.epoch,
            previous: self.previous,
            durable: self.durable,
        }
    }

    /// Moves on behind a record.
    pub(crate) fn follow(&mut self, header: &Header, at: SegmentFile, offset: u64) {
        *self = Self {
            next_sequence: header.next_sequence(),
            time_ns: header.time_ns,
            epoch: header.epoch,
            durable: header.durable,
            offset: offset + u64::from(header.bytes),
            last: offset,
            segment: at.number,
            previous: header.checksum,
        };
    }
}
