//! What can go wrong above the disk, as values.

use std::fmt;
use std::mem::offset_of;

use crate::record::Header;
use crate::storage::StorageError;

/// Why [`Writer::append`](crate::Writer::append) did not take a group. Nothing of it was taken:
/// the caller keeps the inputs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AppendError {
    /// The buffer is full or the segment changes: poll, then offer the same group again.
    Busy,
    /// The next segment is not there yet; `for want of space` when the disk said so. Poll, then
    /// offer the same group again: it is taken when there is room.
    NoRoom {
        /// The disk refused to create the segment because it is full.
        disk_full: bool,
    },
    /// The group does not continue the journal: `expected` is the next sequence number. Also for an
    /// empty group, one of more than [`GROUP_INPUTS_MAX`](crate::GROUP_INPUTS_MAX), and for time
    /// that goes back.
    OutOfOrder {
        /// The sequence number that the first input must have.
        expected: u64,
    },
    /// The journal was closed.
    Closed,
    /// The disk failed, now or before. Nothing will be acknowledged any more.
    Failed(StorageError),
}

impl AppendError {
    /// Whether the same group may be offered again.
    #[must_use]
    pub const fn is_temporary(&self) -> bool {
        matches!(self, Self::Busy | Self::NoRoom { .. })
    }
}

impl fmt::Display for AppendError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Busy => write!(f, "the journal's buffer is full: poll and try again"),
            Self::NoRoom { disk_full: true } => write!(f, "the disk is full: free some space"),
            Self::NoRoom { disk_full: false } => write!(f, "the next segment is being prepared"),
            Self::OutOfOrder { expected } => {
                write!(
                    f,
                    "the group does not continue the journal at input {expected}"
                )
            }
            Self::Closed => write!(f, "the journal is closed"),
            Self::Failed(error) => write!(f, "the journal failed: {error}"),
        }
    }
}

impl std::error::Error for AppendError {}

/// Why a writer cannot begin.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum WriterError {
    /// The segment size is not a multiple of the block size, or out of bounds.
    SegmentBytes(u64),
    /// The disk failed while the end of the journal was made durable.
    Storage(StorageError),
}

impl fmt::Display for WriterError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::SegmentBytes(bytes) => write!(
                f,
                "segment_bytes is {bytes}: make it a multiple of {} between {} and {}",
                crate::BLOCK_BYTES,
                crate::SEGMENT_BYTES_MIN,
                crate::SEGMENT_BYTES_MAX
            ),
            Self::Storage(error) => write!(f, "the end of the journal is not durable: {error}"),
        }
    }
}

impl std::error::Error for WriterError {}

/// What of a record, or of a segment, is not as it must be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Field {
    /// The first four bytes of a record.
    Magic,
    /// The kind of the record is unknown, or not one for this place.
    Kind,
    /// The version of the format.
    Version,
    /// Bytes of the record.
    Length,
    /// Inputs of a group, blocks of a segment.
    Count,
    /// The epoch went back.
    Epoch,
    /// The sequence has a gap, or goes back.
    Sequence,
    /// The time is not that of the last input, or goes back.
    Time,
    /// The durable sequence is beyond the record's own.
    Durable,
    /// The number of the segment inside the record.
    Segment,
    /// The place of the record inside the segment.
    Offset,
    /// The checksum of the record before.
    Previous,
    /// The checksum of the record.
    Checksum,
    /// A file is missing.
    File,
    /// A file has not the length it was made with.
    FileLength,
    /// Which of several streams a page belongs to.
    Number,
}

impl Field {
    /// Where the field stands in a record; `None` for what is about a whole file.
    #[must_use]
    pub const fn offset(self) -> Option<u64> {
        let offset = match self {
            Self::Magic => offset_of!(Header, magic),
            Self::Kind => offset_of!(Header, kind),
            Self::Version => offset_of!(Header, version),
            Self::Length => offset_of!(Header, bytes),
            Self::Count => offset_of!(Header, count),
            Self::Epoch => offset_of!(Header, epoch),
            Self::Sequence => offset_of!(Header, first_sequence),
            Self::Time => offset_of!(Header, time_ns),
            Self::Durable => offset_of!(Header, durable),
            Self::Segment => offset_of!(Header, segment),
            Self::Offset => offset_of!(Header, line),
            Self::Previous => offset_of!(Header, previous),
            Self::Checksum => offset_of!(Header, checksum),
            Self::File | Self::FileLength | Self::Number => return None,
        };
        Some(offset as u64)
    }
}

/// Damage, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Corrupt {
    /// The file.
    pub file: String,
    /// First byte of the record, page or section.
    pub offset: u64,
    /// What is wrong.
    pub field: Field,
    /// What stands there.
    pub found: u64,
    /// What should.
    pub expected: u64,
}

impl fmt::Display for Corrupt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} at byte {}: {:?} is {:#x} where {:#x} is due",
            self.file, self.offset, self.field, self.found, self.expected
        )
    }
}

/// Why the journal cannot be read to its end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RecoveryError {
    /// The disk failed.
    Storage(StorageError),
    /// The journal is damaged before its tail: restore the file from a copy. Going on would forget
    /// what was acknowledged.
    Corrupt(Corrupt),
    /// A newer program wrote a record, whole, of a format that this one does not know.
    Newer {
        /// The segment's file.
        file: String,
        /// The record's first byte.
        offset: u64,
        /// The version of its format.
        version: u8,
    },
    /// The last segment is compressed: the day was over, and another one had begun.
    Over {
        /// The segment's file.
        file: String,
    },
}

impl From<StorageError> for RecoveryError {
    fn from(error: StorageError) -> Self {
        Self::Storage(error)
    }
}

impl fmt::Display for RecoveryError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Storage(error) => write!(f, "the journal cannot be read: {error}"),
            Self::Corrupt(corrupt) => write!(
                f,
                "the journal is damaged: {corrupt}; restore that file from a copy, going on would \
                 forget acknowledged orders"
            ),
            Self::Newer {
                file,
                offset,
                version,
            } => write!(
                f,
                "{file} at byte {offset}: a newer program wrote this, in version {version} of the \
                 format; this one reads up to version {}: start the newer one",
                crate::record::VERSION
            ),
            Self::Over { file } => write!(
                f,
                "{file}: this day was over when the next one began, and its end is compressed; to \
                 go on with it all the same, unpack that file (zstd -d --rm FILE); if there was a \
                 segment behind it, restore that one from a copy instead"
            ),
        }
    }
}

impl std::error::Error for RecoveryError {}

/// Why a stream or a snapshot cannot be used. Neither holds anything that the journal does not: a
/// start goes on without it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DataError {
    /// The disk failed.
    Storage(StorageError),
    /// Something is not as it was written.
    Corrupt(Corrupt),
    /// It is whole, and of a later version of the format.
    Newer {
        /// The file.
        file: String,
        /// Its version.
        version: u32,
        /// The last version that this program reads.
        known: u32,
    },
}

impl From<StorageError> for DataError {
    fn from(error: StorageError) -> Self {
        Self::Storage(error)
    }
}

impl fmt::Display for DataError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Storage(error) => error.fmt(f),
            Self::Corrupt(corrupt) => write!(f, "damaged: {corrupt}"),
            Self::Newer {
                file,
                version,
                known,
            } => write!(
                f,
                "{file} has version {version} of its format, and this program reads {known}: use \
                 the newer program"
            ),
        }
    }
}

impl std::error::Error for DataError {}
