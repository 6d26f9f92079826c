//! Writing a snapshot.

use super::{DRAFT, Entry, Footer, Header, MAGIC, SECTIONS_MAX, VERSION, file_name, footer_sum};
use crate::files::Files;
use crate::storage::StorageError;

/// Bytes that gather before they are written.
const PIECE_BYTES: usize = 1 << 20;

/// Sections begin at its multiples.
const ALIGNED_BYTES: u64 = 8;

/// Hands the bytes of a section, piece by piece, to what it is given.
pub type Fill<'a> = &'a mut dyn FnMut(&mut dyn FnMut(&[u8]));

/// A snapshot that is being written.
pub struct Draft<'f> {
    files: &'f mut dyn Files,
    header: Header,
    entries: Vec<Entry>,
    /// Bytes that were not handed to the disk.
    piece: Vec<u8>,
    /// Bytes that were.
    written: u64,
    failed: Result<(), StorageError>,
}

impl<'f> Draft<'f> {
    /// Begins the snapshot behind input `sequence`.
    ///
    /// # Errors
    /// The disk failed.
    pub fn begin(
        files: &'f mut dyn Files,
        sequence: u64,
        time_ns: u64,
    ) -> Result<Self, StorageError> {
        files.remove(DRAFT)?;
        let header = Header {
            magic: MAGIC,
            version: VERSION,
            reserved: 0,
            sequence,
            time_ns,
        };
        let mut piece = Vec::with_capacity(2 * PIECE_BYTES);
        piece.extend_from_slice(bytemuck::bytes_of(&header));
        Ok(Self {
            files,
            header,
            entries: Vec::new(),
            piece,
            written: 0,
            failed: Ok(()),
        })
    }

    /// Adds a section, whose bytes `fill` hands over piece by piece.
    ///
    /// # Errors
    /// The disk is full or failed.
    ///
    /// # Panics
    /// There are more than [`SECTIONS_MAX`].
    pub fn section(&mut self, tag: u32, fill: Fill<'_>) -> Result<(), StorageError> {
        assert!(self.entries.len() < SECTIONS_MAX, "too many sections");
        let offset = self.at();
        let mut checksum = 0;
        fill(&mut |bytes| {
            checksum = crc32c::crc32c_append(checksum, bytes);
            self.put(bytes);
        });
        let bytes = self.at() - offset;
        self.entries.push(Entry {
            tag,
            checksum,
            offset,
            bytes,
        });
        let rest = self.at().next_multiple_of(ALIGNED_BYTES) - self.at();
        self.put(&[0; ALIGNED_BYTES as usize][..rest as usize]);
        self.failed.clone()
    }

    /// Ends the snapshot, flushes it, and gives it its name.
    ///
    /// # Errors
    /// The disk is full or failed: there is no snapshot of that name.
    pub fn finish(mut self) -> Result<(), StorageError> {
        let table = self.at();
        let entries = std::mem::take(&mut self.entries);
        let entry_bytes: &[u8] = bytemuck::cast_slice(&entries);
        self.put(entry_bytes);
        let mut footer = Footer {
            magic: MAGIC,
            table,
            bytes: self.at() + size_of::<Footer>() as u64,
            sections: entries.len() as u32,
            checksum: 0,
        };
        footer.checksum = footer_sum(&self.header, entry_bytes, &footer);
        self.put(bytemuck::bytes_of(&footer));
        self.spill();
        self.failed?;
        self.files.flush(DRAFT)?;
        self.files.rename(DRAFT, &file_name(self.header.sequence))
    }

    const fn at(&self) -> u64 {
        self.written + self.piece.len() as u64
    }

    fn put(&mut self, bytes: &[u8]) {
        self.piece.extend_from_slice(bytes);
        if self.piece.len() >= PIECE_BYTES {
            self.spill();
        }
    }

    fn spill(&mut self) {
        if self.failed.is_ok() {
            self.failed = self.files.write(DRAFT, self.written, &self.piece);
        }
        self.written += self.piece.len() as u64;
        self.piece.clear();
    }
}
