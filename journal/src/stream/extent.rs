//! How far a stream goes: what of it is whole, and what its last page says.

use bytemuck::Zeroable;

use super::page::Page;
use super::reader::Reader;
use super::writer::{Position, check};
use super::{Name, PAGE_BYTES};
use crate::error::DataError;
use crate::files::Files;

/// Pages that are read at once.
const PAGES_AT_ONCE: usize = 256;

/// Reads a whole stream; gives the end of the last page up to which all are whole and continue one
/// another. It is at `known` at least, where a snapshot saw the stream.
///
/// # Errors
/// The disk fails, or the stream is damaged before `known` or did not stand there.
pub fn verify(files: &mut dyn Files, name: Name, known: &Position) -> Result<Position, DataError> {
    check(files, name, known)?;
    let file = name.file();
    let pages = files.length(&file)? / PAGE_BYTES as u64;
    let path = files.path(&file);
    let reader = Reader { files, name, file };
    let mut end = Position::default();
    let mut buffer = vec![Page::zeroed(); PAGES_AT_ONCE.min(pages as usize)];
    while u64::from(end.pages) < pages {
        let ahead = (pages - u64::from(end.pages)).min(PAGES_AT_ONCE as u64) as usize;
        let offset = u64::from(end.pages) * PAGE_BYTES as u64;
        let bytes = bytemuck::cast_slice_mut(&mut buffer[..ahead]);
        reader.files.read(&reader.file, offset, bytes)?;
        for page in &buffer[..ahead] {
            let whole = page.check(name, end.pages, &path);
            let placed =
                whole.and_then(|()| reader.check_place(page, end.messages + 1, end.checksum));
            match placed {
                Ok(()) => end = behind(page),
                Err(error) if end.pages < known.pages => return Err(error),
                Err(_) => return Ok(end),
            }
        }
    }
    Ok(end)
}

/// Messages that a stream holds, also while it is written; counted without reading those before
/// its last page.
///
/// # Errors
/// The disk fails, or that page is damaged or just being written.
pub fn held(files: &mut dyn Files, name: Name) -> Result<u64, DataError> {
    let file = name.file();
    let pages = files.length(&file)? / PAGE_BYTES as u64;
    let Some(last) = pages.checked_sub(1) else {
        return Ok(0);
    };
    let last = u32::try_from(last).unwrap_or(u32::MAX);
    let page = Reader { files, name, file }.page(last)?;
    Ok(page.next() - 1)
}

const fn behind(page: &Page) -> Position {
    Position {
        messages: page.next() - 1,
        pages: page.header.page + 1,
        checksum: page.header.checksum,
    }
}
