//! A piece of a segment in memory: recovery looks at the disk through it.

use crate::BLOCK_BYTES;
use crate::record::Header;
use crate::storage::{Buffer, SegmentFile, Segments, StorageError};
use crate::{GROUP_INPUTS_MAX, LINE_BYTES};

/// Bytes that are read at once.
const WINDOW_BYTES: usize = 256 << 10;

const _: () = assert!(WINDOW_BYTES >= BLOCK_BYTES + Header::bytes_with(GROUP_INPUTS_MAX));

/// The window: at most one piece of one segment.
pub(crate) struct Window<S: Segments> {
    storage: S,
    buffer: Buffer,
    /// Which segment, from which byte, how many bytes.
    held: (u32, u64, usize),
}

impl<S: Segments> Window<S> {
    pub fn new(storage: S) -> Self {
        Self {
            storage,
            buffer: Buffer::new(WINDOW_BYTES),
            held: (0, 0, 0),
        }
    }

    /// All segments.
    pub fn list(&mut self) -> Result<Vec<SegmentFile>, StorageError> {
        self.storage.list()
    }

    /// Forgets what it holds: the disk may have changed.
    pub fn forget(&mut self) {
        self.held = (0, 0, 0);
    }

    /// The name of a segment, for messages.
    pub fn file(&self, segment: u32) -> String {
        self.storage.file(segment)
    }

    /// Shows the bytes from `offset`, a multiple of the line, as far as they are at hand: at least
    /// `bytes`, which the segment has and which are no more than a record.
    pub fn show(
        &mut self,
        at: SegmentFile,
        offset: u64,
        bytes: usize,
    ) -> Result<&[u8], StorageError> {
        let (segment, from, held) = self.held;
        let covered =
            segment == at.number && offset >= from && offset + bytes as u64 <= from + held as u64;
        if !covered {
            self.load(at, offset)?;
        }
        let (_, from, held) = self.held;
        let start = (offset - from) as usize;
        Ok(&self.buffer.memory()[start..held])
    }

    fn load(&mut self, at: SegmentFile, offset: u64) -> Result<(), StorageError> {
        let from = offset - offset % BLOCK_BYTES as u64;
        let held = (at.bytes - from).min(WINDOW_BYTES as u64) as usize;
        self.held = (0, 0, 0);
        self.storage
            .read(at.number, from, &mut self.buffer.memory()[..held])?;
        self.held = (at.number, from, held);
        Ok(())
    }

    /// Copies the part of `offset`'s block that lies before it.
    pub fn block_before(&mut self, at: SegmentFile, offset: u64) -> Result<Vec<u8>, StorageError> {
        let inside = (offset % BLOCK_BYTES as u64) as usize;
        if inside == 0 {
            return Ok(Vec::new());
        }
        let bytes = self.show(at, offset - inside as u64, inside)?;
        Ok(bytes[..inside].to_vec())
    }

    /// Shows one line.
    pub fn line(&mut self, at: SegmentFile, offset: u64) -> Result<&[u8], StorageError> {
        Ok(&self.show(at, offset, LINE_BYTES)?[..LINE_BYTES])
    }
}
