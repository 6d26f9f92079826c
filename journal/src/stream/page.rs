//! The pages that a stream is made of.

use bytemuck::{Pod, Zeroable};

use super::{Name, PAGE_BYTES, STREAM_MESSAGE_BYTES_MAX, VERSION};
use crate::error::{Corrupt, DataError, Field};

/// First bytes of every page: `WXST`.
pub const MAGIC: u32 = u32::from_le_bytes(*b"WXST");

/// Bytes before a page's messages.
pub const HEADER_BYTES: usize = 32;

/// Bytes of messages that a page has room for, 2 for the length of each included.
pub(super) const BODY_BYTES: usize = PAGE_BYTES - HEADER_BYTES;

/// Bytes before a message: its length.
pub(super) const LENGTH_BYTES: usize = 2;

/// Bytes of the header that come before the checksum.
const SUMMED_BYTES: usize = HEADER_BYTES - size_of::<u32>();

const _: () = assert!(size_of::<Header>() == HEADER_BYTES);
const _: () = assert!(STREAM_MESSAGE_BYTES_MAX + LENGTH_BYTES <= BODY_BYTES);
const _: () = assert!(BODY_BYTES <= u16::MAX as usize);

/// The beginning of a page. All numbers are little-endian.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Pod, Zeroable)]
#[repr(C)]
pub struct Header {
    /// [`MAGIC`].
    pub magic: u32,
    /// [`VERSION`].
    pub version: u8,
    /// The stream's kind.
    pub kind: u8,
    /// Which one of its kind.
    pub number: u16,
    /// Number of the first message in it, from 1 over the whole stream.
    pub first: u64,
    /// Messages in it.
    pub count: u16,
    /// Their bytes, lengths included.
    pub bytes: u16,
    /// Its own number, from 0.
    pub page: u32,
    /// Checksum of the page before; 0 in the first.
    pub previous: u32,
    /// CRC32C of all other bytes of the page.
    pub checksum: u32,
}

/// A page in memory.
#[derive(Clone, Copy, Debug, Pod, Zeroable)]
#[repr(C)]
pub(super) struct Page {
    pub header: Header,
    pub body: [u8; BODY_BYTES],
}

const _: () = assert!(size_of::<Page>() == PAGE_BYTES);

impl Page {
    /// An empty page.
    pub fn new(name: Name, page: u32, first: u64, previous: u32) -> Self {
        let header = Header {
            magic: MAGIC,
            version: VERSION,
            kind: name.kind as u8,
            number: name.number,
            first,
            count: 0,
            bytes: 0,
            page,
            previous,
            checksum: 0,
        };
        Self {
            header,
            body: [0; BODY_BYTES],
        }
    }

    /// Appends a message; `false` when there is no room for it.
    pub fn push(&mut self, message: &[u8]) -> bool {
        let at = usize::from(self.header.bytes);
        let end = at + LENGTH_BYTES + message.len();
        if end > BODY_BYTES {
            return false;
        }
        let (length, rest) = self.body[at..end].split_at_mut(LENGTH_BYTES);
        length.copy_from_slice(&(message.len() as u16).to_be_bytes());
        rest.copy_from_slice(message);
        self.header.count += 1;
        self.header.bytes = end as u16;
        true
    }

    /// Number of the message behind its last one.
    pub const fn next(&self) -> u64 {
        self.header.first.saturating_add(self.header.count as u64)
    }

    /// The messages of a page that was checked.
    pub fn messages(&self) -> impl Iterator<Item = &[u8]> {
        let mut rest = &self.body[..usize::from(self.header.bytes).min(BODY_BYTES)];
        std::iter::from_fn(move || {
            let (length, after) = rest.split_first_chunk::<LENGTH_BYTES>()?;
            let (message, after) = after.split_at_checked(u16::from_be_bytes(*length).into())?;
            rest = after;
            Some(message)
        })
    }

    /// Writes the checksum.
    pub fn seal(&mut self) {
        self.header.checksum = self.sum();
    }

    fn sum(&self) -> u32 {
        let bytes = bytemuck::bytes_of(self);
        let header = crc32c::crc32c(&bytes[..SUMMED_BYTES]);
        crc32c::crc32c_append(header, &bytes[HEADER_BYTES..])
    }

    /// Looks whether the bytes are page number `page` of this stream, whole.
    pub fn check(&self, name: Name, page: u32, file: &str) -> Result<(), DataError> {
        let wrong = |(field, found, expected)| {
            Err(DataError::Corrupt(Corrupt {
                file: file.to_owned(),
                offset: u64::from(page) * PAGE_BYTES as u64,
                field,
                found,
                expected,
            }))
        };
        let (header, sum) = (&self.header, self.sum());
        if header.magic != MAGIC {
            return wrong((Field::Magic, header.magic.into(), MAGIC.into()));
        }
        if header.checksum != sum {
            return wrong((Field::Checksum, header.checksum.into(), sum.into()));
        }
        if header.version > VERSION {
            return Err(DataError::Newer {
                file: file.to_owned(),
                version: header.version.into(),
                known: VERSION.into(),
            });
        }
        match self.wrong_fields(name, page) {
            Some(found) => wrong(found),
            None => Ok(()),
        }
    }

    /// What a writer of this stream cannot have written.
    fn wrong_fields(&self, name: Name, page: u32) -> Option<(Field, u64, u64)> {
        let header = &self.header;
        let lengths = self.messages().map(|it| LENGTH_BYTES + it.len());
        let (count, bytes) = lengths.fold((0, 0), |(count, all), one| (count + 1, all + one));
        let least = u64::from(page) + 1;
        if header.version != VERSION {
            Some((Field::Version, header.version.into(), VERSION.into()))
        } else if header.kind != name.kind as u8 {
            Some((Field::Kind, header.kind.into(), name.kind as u64))
        } else if header.number != name.number {
            Some((Field::Number, header.number.into(), name.number.into()))
        } else if header.page != page {
            Some((Field::Offset, header.page.into(), page.into()))
        } else if header.first < least || (page == 0 && header.first != 1) {
            Some((Field::Sequence, header.first, least))
        } else if usize::from(header.bytes) != bytes {
            Some((Field::Length, header.bytes.into(), bytes as u64))
        } else if u64::from(header.count) != count || count == 0 {
            Some((Field::Count, header.count.into(), count))
        } else {
            None
        }
    }
}
