//! BinaryFILE: recorded messages, each behind its length.
//!
//! A file is records `length: u16 | message`; a record of length zero ends the session and the
//! file. A length of zero before more bytes is an error: such files exist, and a reader that went
//! on would take data for lengths.

use crate::{Error, Fault};

const PROTOCOL: &str = "BinaryFILE";

/// Bytes before each message.
pub const PREFIX_BYTES: usize = 2;

/// The most bytes of a message.
pub const MESSAGE_BYTES_MAX: usize = u16::MAX as usize;

/// A message and where it stands in the file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Record<'a> {
    /// Where the record starts: its length, [`PREFIX_BYTES`] before the message.
    pub offset: usize,
    /// The message.
    pub message: &'a [u8],
}

/// The records of a file, in order; ends after the first error.
#[derive(Clone, Debug)]
pub struct Reader<'a> {
    file: &'a [u8],
    offset: usize,
    session_ended: bool,
}

impl<'a> Reader<'a> {
    /// A reader of a whole file.
    #[must_use]
    pub const fn new(file: &'a [u8]) -> Self {
        Self {
            file,
            offset: 0,
            session_ended: false,
        }
    }

    /// Whether the record that ends the session was read; a file cut between two records has none.
    #[must_use]
    pub const fn session_ended(&self) -> bool {
        self.session_ended
    }

    /// Reads the record at `offset`: its message, or `None` for the end of the session.
    fn record(&self, rest: &'a [u8]) -> Result<Option<&'a [u8]>, Error> {
        let Some((prefix, data)) = rest.split_first_chunk::<PREFIX_BYTES>() else {
            return Err(self.error(Fault::Truncated, PREFIX_BYTES, rest.len()));
        };
        match usize::from(u16::from_be_bytes(*prefix)) {
            0 if data.is_empty() => Ok(None),
            0 => Err(self.error(Fault::ZeroLength, 0, data.len())),
            length => match data.get(..length) {
                Some(message) => Ok(Some(message)),
                None => Err(self.error(Fault::Truncated, length, data.len())),
            },
        }
    }

    const fn error(&self, fault: Fault, expected: usize, found: usize) -> Error {
        Error {
            protocol: PROTOCOL,
            fault,
            kind: 0,
            offset: self.offset,
            expected,
            found,
        }
    }
}

impl<'a> Iterator for Reader<'a> {
    /// [`Fault::Truncated`] when a record runs past the end, [`Fault::ZeroLength`] when bytes
    /// follow the record that ends the session; the offset is the record's in the file.
    type Item = Result<Record<'a>, Error>;

    fn next(&mut self) -> Option<Self::Item> {
        let rest = self
            .file
            .get(self.offset..)
            .filter(|rest| !rest.is_empty())?;
        let offset = self.offset;
        match self.record(rest) {
            Ok(Some(message)) => {
                self.offset += PREFIX_BYTES + message.len();
                Some(Ok(Record { offset, message }))
            }
            Ok(None) => {
                self.offset = self.file.len();
                self.session_ended = true;
                None
            }
            Err(error) => {
                self.offset = self.file.len();
                Some(Err(error))
            }
        }
    }
}

impl core::iter::FusedIterator for Reader<'_> {}

/// Writes a record and returns its length; an empty message is the end of the session.
///
/// # Errors
/// [`Fault::Room`] when `out` is too short, [`Fault::TooLong`] for a message beyond
/// [`MESSAGE_BYTES_MAX`].
pub fn encode(message: &[u8], out: &mut [u8]) -> Result<usize, Error> {
    let error = |fault, expected, found| Error {
        protocol: PROTOCOL,
        fault,
        kind: 0,
        offset: 0,
        expected,
        found,
    };
    let Ok(length) = u16::try_from(message.len()) else {
        return Err(error(Fault::TooLong, MESSAGE_BYTES_MAX, message.len()));
    };
    let whole = PREFIX_BYTES + message.len();
    let room = out.len();
    let Some(record) = out.get_mut(..whole) else {
        return Err(error(Fault::Room, whole, room));
    };
    record[..PREFIX_BYTES].copy_from_slice(&length.to_be_bytes());
    record[PREFIX_BYTES..].copy_from_slice(message);
    Ok(whole)
}
