//! Appending to a stream.

use bytemuck::{Pod, Zeroable};

use super::page::Page;
use super::{Name, PAGE_BYTES, STREAM_MESSAGE_BYTES_MAX};
use crate::error::{Corrupt, DataError, Field};
use crate::files::Files;
use crate::storage::StorageError;

/// The end of a stream at some time: a snapshot keeps it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Pod, Zeroable)]
#[repr(C)]
pub struct Position {
    /// Messages before it.
    pub messages: u64,
    /// Pages before it.
    pub pages: u32,
    /// Checksum of the last of them, 0 for none: it hangs on every byte before.
    pub checksum: u32,
}

/// The end of a stream: pages gather in memory until [`Writer::write`].
pub struct Writer {
    name: Name,
    /// The page that is being filled.
    page: Page,
    /// Full pages before it that were not written.
    full: Vec<u8>,
    is_changed: bool,
}

impl Writer {
    /// Goes on at a position, and cuts what is behind it: that comes again.
    ///
    /// # Errors
    /// The disk fails, or the stream does not hold what it held there.
    pub fn open(files: &mut dyn Files, name: Name, position: &Position) -> Result<Self, DataError> {
        check(files, name, position)?;
        files.cut(&name.file(), u64::from(position.pages) * PAGE_BYTES as u64)?;
        let (pages, checksum) = (position.pages, position.checksum);
        Ok(Self {
            page: Page::new(name, pages, position.messages + 1, checksum),
            name,
            full: Vec::new(),
            is_changed: false,
        })
    }

    /// Which stream it is.
    #[must_use]
    pub const fn name(&self) -> Name {
        self.name
    }

    /// Number of the message behind the last one.
    #[must_use]
    pub const fn next(&self) -> u64 {
        self.page.next()
    }

    /// Bytes that were appended and not written: about how much memory it holds.
    #[must_use]
    pub const fn unwritten(&self) -> usize {
        self.full.len()
    }

    /// Appends a message; `false` when it is longer than [`STREAM_MESSAGE_BYTES_MAX`].
    #[must_use]
    pub fn push(&mut self, message: &[u8]) -> bool {
        if message.len() > STREAM_MESSAGE_BYTES_MAX {
            return false;
        }
        if !self.page.push(message) {
            self.turn();
            let is_pushed = self.page.push(message);
            debug_assert!(is_pushed, "an empty page has room for the longest message");
        }
        self.is_changed = true;
        true
    }

    /// Ends the page, so that no byte before this place is ever written again; gives the place.
    /// A page that is written anew may be torn by a power cut, and what was flushed with it.
    pub fn seal(&mut self) -> Position {
        if self.page.header.count > 0 {
            self.turn();
        }
        let header = &self.page.header;
        Position {
            messages: header.first - 1,
            pages: header.page,
            checksum: header.previous,
        }
    }

    /// Begins the next page.
    fn turn(&mut self) {
        self.page.seal();
        self.full.extend_from_slice(bytemuck::bytes_of(&self.page));
        let header = &self.page.header;
        let (page, next) = (header.page + 1, self.page.next());
        self.page = Page::new(self.name, page, next, header.checksum);
    }

    /// Writes what was appended. Nothing is flushed.
    ///
    /// # Errors
    /// The disk is full or failed; nothing is forgotten, and it may be tried again.
    pub fn write(&mut self, files: &mut dyn Files) -> Result<(), StorageError> {
        if !self.is_changed {
            return Ok(());
        }
        let whole = self.full.len();
        let before = (whole / PAGE_BYTES) as u64;
        let offset = (u64::from(self.page.header.page) - before) * PAGE_BYTES as u64;
        if self.page.header.count > 0 {
            self.page.seal();
            self.full.extend_from_slice(bytemuck::bytes_of(&self.page));
        }
        let written = files.write(&self.name.file(), offset, &self.full);
        match written {
            Ok(()) => {
                self.full.clear();
                self.is_changed = false;
            }
            Err(_) => self.full.truncate(whole),
        }
        written
    }
}

/// Looks whether a stream still holds what it held at a position: its last page before it, whose
/// checksum hangs on those before.
///
/// # Errors
/// The disk fails, or the stream is damaged or another one.
pub fn check(files: &mut dyn Files, name: Name, position: &Position) -> Result<(), DataError> {
    let Some(last) = position.pages.checked_sub(1) else {
        return Ok(());
    };
    let (file, offset) = (name.file(), u64::from(last) * PAGE_BYTES as u64);
    let path = files.path(&file);
    let (length, due) = (files.length(&file)?, offset + PAGE_BYTES as u64);
    let mut page = Page::zeroed();
    if length >= due {
        files.read(&file, offset, bytemuck::bytes_of_mut(&mut page))?;
        page.check(name, last, &path)?;
    }
    let (messages, checksum) = (page.next().saturating_sub(1), page.header.checksum);
    let (field, found, expected) = if length < due {
        (Field::FileLength, length, due)
    } else if messages != position.messages {
        (Field::Sequence, messages, position.messages)
    } else if checksum != position.checksum {
        (Field::Checksum, checksum.into(), position.checksum.into())
    } else {
        return Ok(());
    };
    Err(DataError::Corrupt(Corrupt {
        file: path,
        offset,
        field,
        found,
        expected,
    }))
}
