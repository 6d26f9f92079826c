//! Reading a stream from any message on, also while it is written.

use bytemuck::Zeroable;

use super::page::Page;
use super::{Name, PAGE_BYTES};
use crate::error::{Corrupt, DataError, Field};
use crate::files::Files;

/// How often a page is read again that is not whole: its writer may be writing it just now.
const ATTEMPTS: u32 = 8;

/// Hands out messages from number `from` on, each with its number, until `on` says that it has
/// enough or there are no more; gives the number of the next one.
///
/// # Errors
/// The disk fails, or a page is damaged: the messages before it were handed out.
pub fn read(
    files: &mut dyn Files,
    name: Name,
    from: u64,
    on: &mut dyn FnMut(u64, &[u8]) -> bool,
) -> Result<u64, DataError> {
    let mut reader = Reader {
        file: name.file(),
        files,
        name,
    };
    let pages = reader.files.length(&reader.file)? / PAGE_BYTES as u64;
    let pages = u32::try_from(pages).unwrap_or(u32::MAX);
    let from = from.max(1);
    let begin = reader.page_of(from, pages)?;
    let mut before: Option<Page> = None;
    let mut next = from;
    for number in begin..pages {
        let page = reader.page(number)?;
        if let Some(before) = &before {
            reader.check_follows(before, &page)?;
        }
        for (message, at) in page.messages().zip(page.header.first..) {
            if at >= from {
                next = at + 1;
                if !on(at, message) {
                    return Ok(next);
                }
            }
        }
        before = Some(page);
    }
    Ok(next)
}

pub(super) struct Reader<'f> {
    pub files: &'f mut dyn Files,
    pub name: Name,
    pub file: String,
}

impl Reader<'_> {
    /// The last page that begins at message `from` or before it.
    fn page_of(&mut self, from: u64, pages: u32) -> Result<u32, DataError> {
        let (mut low, mut high) = (0, pages);
        while high - low > 1 {
            let middle = low + (high - low) / 2;
            match self.page(middle) {
                Ok(page) if page.header.first <= from => low = middle,
                // What is before a damaged page is still to be had.
                Ok(_) | Err(DataError::Corrupt(_)) => high = middle,
                Err(error) => return Err(error),
            }
        }
        Ok(low)
    }

    pub fn page(&mut self, number: u32) -> Result<Page, DataError> {
        let offset = u64::from(number) * PAGE_BYTES as u64;
        let mut page = Page::zeroed();
        let mut attempts = 0;
        loop {
            let bytes = bytemuck::bytes_of_mut(&mut page);
            self.files.read(&self.file, offset, bytes)?;
            attempts += 1;
            let checked = page.check(self.name, number, &self.files.path(&self.file));
            if checked.is_ok() || attempts == ATTEMPTS {
                return checked.map(|()| page);
            }
            std::thread::yield_now();
        }
    }

    fn check_follows(&self, before: &Page, page: &Page) -> Result<(), DataError> {
        self.check_place(page, before.next(), before.header.checksum)
    }

    /// Looks whether a page begins with message `first`, behind a page with checksum `previous`.
    pub fn check_place(&self, page: &Page, first: u64, previous: u32) -> Result<(), DataError> {
        let header = &page.header;
        let (field, found, expected) = if header.first != first {
            (Field::Sequence, header.first, first)
        } else if header.previous != previous {
            (Field::Previous, header.previous.into(), previous.into())
        } else {
            return Ok(());
        };
        Err(DataError::Corrupt(Corrupt {
            file: self.files.path(&self.file),
            offset: u64::from(header.page) * PAGE_BYTES as u64,
            field,
            found,
            expected,
        }))
    }
}
