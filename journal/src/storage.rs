//! What the journal asks of a disk: the trait and the values that cross it.
//!
//! Preparing a segment and writing are begun by one call and reported by [`Storage::poll`], so that
//! the thread that writes the journal never waits. A write is reported once and only when it is
//! flushed: there is no separate flush that one could forget.

use std::fmt;
use std::io;

use bytemuck::{Pod, Zeroable};

use crate::BLOCK_BYTES;

/// A segment that exists, complete in length.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SegmentFile {
    /// Its number, from 1.
    pub number: u32,
    /// Its length, however long its file is.
    pub bytes: u64,
    /// It is compressed: nothing can be written to it.
    pub is_archived: bool,
}

impl SegmentFile {
    /// None.
    pub(crate) const NONE: Self = Self {
        number: 0,
        bytes: 0,
        is_archived: false,
    };
}

/// The file name of segment `number`.
#[must_use]
pub fn segment_name(number: u32) -> String {
    format!("journal-{number:010}")
}

/// The name of its file when it is compressed.
#[must_use]
pub fn archive_name(number: u32) -> String {
    format!("journal-{number:010}.zst")
}

/// Reads the number from a compressed segment's file name; `None` when it is none.
#[must_use]
pub fn archive_number(name: &str) -> Option<u32> {
    name.strip_suffix(".zst").and_then(segment_number)
}

/// Reads the number from a segment's file name; `None` when it is no segment.
#[must_use]
pub fn segment_number(name: &str) -> Option<u32> {
    let digits = name.strip_prefix("journal-")?;
    let plain = digits.len() == 10 && digits.bytes().all(|byte| byte.is_ascii_digit());
    plain.then(|| digits.parse().ok()).flatten()
}

/// Segments as a reader sees them, who may look on while another one writes.
pub trait Segments {
    /// Lists the segments in the order of their numbers.
    ///
    /// # Errors
    /// When the disk cannot be read.
    fn list(&mut self) -> Result<Vec<SegmentFile>, StorageError>;

    /// Fills `into` from byte `offset` of a segment. Waits: never for a thread that matches.
    ///
    /// # Errors
    /// When the segment is shorter than that or cannot be read.
    fn read(&mut self, segment: u32, offset: u64, into: &mut [u8]) -> Result<(), StorageError>;

    /// The full name of a segment, for messages.
    fn file(&self, segment: u32) -> String;
}

impl<S: Segments> Segments for &mut S {
    fn list(&mut self) -> Result<Vec<SegmentFile>, StorageError> {
        (**self).list()
    }

    fn read(&mut self, segment: u32, offset: u64, into: &mut [u8]) -> Result<(), StorageError> {
        (**self).read(segment, offset, into)
    }

    fn file(&self, segment: u32) -> String {
        (**self).file(segment)
    }
}

impl<S: Segments + ?Sized> Segments for Box<S> {
    fn list(&mut self) -> Result<Vec<SegmentFile>, StorageError> {
        (**self).list()
    }

    fn read(&mut self, segment: u32, offset: u64, into: &mut [u8]) -> Result<(), StorageError> {
        (**self).read(segment, offset, into)
    }

    fn file(&self, segment: u32) -> String {
        (**self).file(segment)
    }
}

/// Where segments live, for the one who writes them.
///
/// At most one write and one preparation are in flight; beginning a second is a fault of the
/// caller that an implementation may answer with an error completion.
pub trait Storage: Segments {
    /// Begins to create a zero-filled segment of `bytes`: complete, flushed and listed after a
    /// power cut when reported as [`Completion::Prepared`] without error; absent before.
    fn prepare(&mut self, segment: u32, bytes: u64);

    /// Begins to write the whole buffer at `offset` of a segment and to flush it. `offset` is a
    /// multiple of [`BLOCK_BYTES`]. Reported as [`Completion::Written`], which gives the buffer
    /// back.
    fn write(&mut self, segment: u32, offset: u64, buffer: Buffer);

    /// Takes the next report, if there is one. Never waits.
    fn poll(&mut self) -> Option<Completion>;
}

/// What [`Storage::poll`] reports.
#[derive(Debug)]
pub enum Completion {
    /// A segment is prepared, or could not be.
    Prepared {
        /// Its number.
        segment: u32,
        /// An error that [is for want of space](StorageError::is_no_space) may be tried again.
        result: Result<(), StorageError>,
    },
    /// A write is on the disk, or nobody knows what is.
    Written {
        /// The buffer that was handed in.
        buffer: Buffer,
        /// After an error the bytes of the write may be old, new or lost: never write them again
        /// and call them safe.
        result: Result<(), StorageError>,
    },
}

/// What was being done when it failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Act {
    /// Listing the directory.
    List,
    /// Locking the directory.
    Lock,
    /// Creating or zero-filling a segment.
    Prepare,
    /// Reading.
    Read,
    /// Writing.
    Write,
    /// Flushing what was written.
    Flush,
    /// Shortening a file.
    Cut,
    /// Giving a file its name.
    Rename,
    /// Removing a file.
    Remove,
}

/// A disk that said no, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StorageError {
    /// What was being done.
    pub act: Act,
    /// The file or directory.
    pub file: String,
    /// The first byte it was about.
    pub offset: u64,
    /// The system's error number.
    pub errno: i32,
}

impl StorageError {
    /// Makes an error value from the system's.
    #[must_use]
    pub fn new(act: Act, file: String, offset: u64, error: &io::Error) -> Self {
        let errno = error.raw_os_error().unwrap_or(match error.kind() {
            io::ErrorKind::UnexpectedEof => libc::ENODATA,
            io::ErrorKind::WriteZero => libc::ENOSPC,
            _ => libc::EIO,
        });
        Self {
            act,
            file,
            offset,
            errno,
        }
    }

    /// Whether the disk, or the quota, is full: it may have room later.
    #[must_use]
    pub const fn is_no_space(&self) -> bool {
        matches!(self.errno, libc::ENOSPC | libc::EDQUOT)
    }
}

impl fmt::Display for StorageError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let act = match self.act {
            Act::List => "list",
            Act::Lock => "lock",
            Act::Prepare => "prepare",
            Act::Read => "read",
            Act::Write => "write",
            Act::Flush => "flush",
            Act::Cut => "shorten",
            Act::Rename => "rename",
            Act::Remove => "remove",
        };
        let why = io::Error::from_raw_os_error(self.errno);
        write!(
            f,
            "cannot {act} {} at byte {}: {why}",
            self.file, self.offset
        )
    }
}

impl std::error::Error for StorageError {}

/// One block, aligned as O_DIRECT wants it.
#[derive(Clone, Copy, Pod, Zeroable)]
#[repr(C, align(4096))]
struct Block([u8; BLOCK_BYTES]);

const _: () = assert!(size_of::<Block>() == BLOCK_BYTES && align_of::<Block>() == BLOCK_BYTES);

/// Whole blocks on their way to the disk: memory that is aligned and does not move.
pub struct Buffer {
    blocks: Vec<Block>,
    /// Blocks that a write takes.
    used: usize,
}

impl Buffer {
    /// Takes memory for `bytes`, rounded up to whole blocks; all zero, nothing used.
    #[must_use]
    pub fn new(bytes: usize) -> Self {
        Self {
            blocks: vec![Block::zeroed(); bytes.div_ceil(BLOCK_BYTES)],
            used: 0,
        }
    }

    /// Bytes that it can hold.
    #[must_use]
    pub fn capacity(&self) -> usize {
        self.blocks.len() * BLOCK_BYTES
    }

    /// The bytes to be written: whole blocks.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        &bytemuck::cast_slice(&self.blocks)[..self.used * BLOCK_BYTES]
    }

    /// All memory, to be filled.
    pub fn memory(&mut self) -> &mut [u8] {
        bytemuck::cast_slice_mut(&mut self.blocks)
    }

    /// Says that a write takes the first `bytes`, rounded up to whole blocks and at most all.
    pub fn set_used(&mut self, bytes: usize) {
        self.used = bytes.div_ceil(BLOCK_BYTES).min(self.blocks.len());
    }
}

impl fmt::Debug for Buffer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "Buffer({} of {} bytes)",
            self.bytes().len(),
            self.capacity()
        )
    }
}
