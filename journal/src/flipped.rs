//! Which single bit of a record, turned around, makes its checksum right.
//!
//! A checksum is linear: what one bit changes of it does not depend on the others, and CRC32C tells
//! any two bits of a record apart, because it finds every three wrong ones. So the difference
//! between the checksum that stands there and the one that is due names the bit, if there is one.

use crate::error::{Corrupt, Field};
use crate::record::{Header, SUMMED_BYTES};
use crate::storage::{SegmentFile, Segments, StorageError};
use crate::{GROUP_INPUTS_MAX, LINE_BYTES};

/// A byte of which one bit is wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Flipped {
    /// Where it stands in the segment.
    pub offset: u64,
    /// What stands there.
    pub found: u8,
    /// What makes the record right.
    pub expected: u8,
}

/// Looks for the one wrong bit of a record whose checksum does not fit; `None` when more than one
/// bit is wrong, or the damage is none of the checksum's.
///
/// # Errors
/// The record cannot be read.
pub fn flipped<S: Segments>(
    segments: &mut S,
    at: SegmentFile,
    corrupt: &Corrupt,
) -> Result<Option<Flipped>, StorageError> {
    if corrupt.field != Field::Checksum {
        return Ok(None);
    }
    let mut line = [0; LINE_BYTES];
    segments.read(at.number, corrupt.offset, &mut line)?;
    let header: Header = bytemuck::pod_read_unaligned(&line);
    let bytes = (header.bytes as usize).clamp(LINE_BYTES, Header::bytes_with(GROUP_INPUTS_MAX));
    let mut record = vec![0; bytes];
    segments.read(at.number, corrupt.offset, &mut record)?;
    let difference = header.checksum ^ header.sum(&record[LINE_BYTES..]);
    Ok(bit(difference, bytes).map(|(index, bit)| Flipped {
        offset: corrupt.offset + index as u64,
        found: record[index],
        expected: record[index] ^ bit,
    }))
}

/// The byte of a record of so many bytes, and its bit, that change its checksum by `difference`.
fn bit(difference: u32, bytes: usize) -> Option<(usize, u8)> {
    if difference.is_power_of_two() {
        let index = difference.trailing_zeros() as usize;
        return Some((SUMMED_BYTES + index / 8, 1 << (index % 8)));
    }
    // What the bits of the last byte change; then of the one before, which one more byte follows.
    let mut changes: [u32; 8] = std::array::from_fn(|bit| raw(0, 1 << bit));
    let summed = (0..SUMMED_BYTES).chain(LINE_BYTES..bytes);
    for index in summed.rev() {
        if let Some(bit) = changes.iter().position(|change| *change == difference) {
            return Some((index, 1 << bit));
        }
        changes = changes.map(|change| raw(change, 0));
    }
    None
}

/// A byte added to a checksum without the turning around at its beginning and end.
fn raw(sum: u32, byte: u8) -> u32 {
    !crc32c::crc32c_append(!sum, &[byte])
}
