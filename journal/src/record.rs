//! The bytes of a record: a header of one line and, in a group, one line for each input.
//!
//! Every record carries the checksum of the record before it, also across segments, and the
//! checksum of itself. The first makes the journal a chain in which nothing can be lost, doubled or
//! moved unseen; the second tells by itself whether these bytes were written as they stand.

use bytemuck::{Pod, Zeroable};
use wire::ring::Input;

use crate::{GROUP_INPUTS_MAX, LINE_BYTES};

/// First bytes of every record: `WXJR`.
pub const MAGIC: u32 = u32::from_le_bytes(*b"WXJR");

/// Version of the format that this code writes and reads.
pub const VERSION: u8 = 1;

/// Opens a segment: its first record, and nowhere else. `count` is the segment's length in blocks.
pub const KIND_SEGMENT: u8 = 1;

/// `count` inputs, the first with `first_sequence`.
pub const KIND_GROUP: u8 = 2;

/// A clean stop: everything before is durable.
pub const KIND_CLOSE: u8 = 3;

/// Bytes of a header that its checksum covers; the checksum itself is the rest.
pub const SUMMED_BYTES: usize = LINE_BYTES - size_of::<u32>();

/// The first line of a record. All numbers are little-endian.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Pod, Zeroable)]
#[repr(C)]
pub struct Header {
    /// [`MAGIC`].
    pub magic: u32,
    /// [`KIND_SEGMENT`], [`KIND_GROUP`] or [`KIND_CLOSE`].
    pub kind: u8,
    /// [`VERSION`].
    pub version: u8,
    /// Lines from the first new one of the write that this record was part of to this record: what
    /// stands before that line was durable.
    pub back: u16,
    /// Bytes of the record, this header included.
    pub bytes: u32,
    /// See the kinds.
    pub count: u32,
    /// Which life of the appliance wrote it: grows by one with each start, from 1.
    pub epoch: u64,
    /// Sequence number of the first input in it, or of the next one to come.
    pub first_sequence: u64,
    /// Time of the last input in it, or of the last one before.
    pub time_ns: u64,
    /// The greatest input known durable when this was written.
    pub durable: u64,
    /// Number of the segment that it stands in.
    pub segment: u32,
    /// Where it stands there, in lines of 64 bytes.
    pub line: u32,
    /// Checksum of the record before; 0 in the very first.
    pub previous: u32,
    /// CRC32C of the header's first 60 bytes and all inputs.
    pub checksum: u32,
}

const _: () = assert!(size_of::<Header>() == LINE_BYTES);

impl Header {
    /// The checksum that this header and these inputs must carry.
    #[must_use]
    pub fn sum(&self, inputs: &[u8]) -> u32 {
        let header = crc32c::crc32c(&bytemuck::bytes_of(self)[..SUMMED_BYTES]);
        crc32c::crc32c_append(header, inputs)
    }

    /// Bytes of a record that holds `inputs` inputs.
    #[must_use]
    pub const fn bytes_with(inputs: usize) -> usize {
        (1 + inputs) * LINE_BYTES
    }

    /// How many inputs follow the header, by its kind; `None` when kind and count make no sense.
    #[must_use]
    pub const fn inputs(&self) -> Option<usize> {
        match self.kind {
            KIND_GROUP if self.count >= 1 && self.count as usize <= GROUP_INPUTS_MAX => {
                Some(self.count as usize)
            }
            KIND_SEGMENT => Some(0),
            KIND_CLOSE if self.count == 0 => Some(0),
            _ => None,
        }
    }

    /// Whether this code knows the kind.
    #[must_use]
    pub const fn is_kind_known(&self) -> bool {
        matches!(self.kind, KIND_SEGMENT | KIND_GROUP | KIND_CLOSE)
    }

    /// The sequence number after this record.
    #[must_use]
    pub const fn next_sequence(&self) -> u64 {
        let inputs = if self.kind == KIND_GROUP {
            self.count as u64
        } else {
            0
        };
        self.first_sequence.saturating_add(inputs)
    }
}

/// Where the chain of records stands: what the next one must continue.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Chain {
    /// Sequence number of the next input.
    pub next_sequence: u64,
    /// Time of the last input.
    pub time_ns: u64,
    /// Epoch of the last record.
    pub epoch: u64,
    /// Checksum of the last record.
    pub previous: u32,
    /// What the last record knew to be durable.
    pub durable: u64,
}

impl Chain {
    /// Whether the inputs can be the next group.
    pub fn is_continued_by(&self, inputs: &[Input]) -> bool {
        if inputs.is_empty() || inputs.len() > GROUP_INPUTS_MAX {
            return false;
        }
        let mut time_ns = self.time_ns;
        inputs
            .iter()
            .zip(self.next_sequence..)
            .all(|(input, sequence)| {
                let follows = input.sequence == sequence && input.time_ns >= time_ns;
                time_ns = input.time_ns;
                follows
            })
    }

    /// Moves on behind a record.
    pub fn follow(&mut self, header: &Header) {
        self.next_sequence = header.next_sequence();
        self.time_ns = header.time_ns;
        self.epoch = header.epoch;
        self.previous = header.checksum;
        self.durable = header.durable;
    }
}
