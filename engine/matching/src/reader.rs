//! Reading a snapshot's bytes, which are not trusted, and what can be wrong with them.

use core::fmt;

use crate::LimitError;
use crate::carry::{Carrier, Hash, Number, Tag};
use crate::snapshot::{HEADER_BYTES, MAGIC, VERSION};

/// Why there is no engine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RestoreError {
    /// An engine of these limits cannot be made.
    Limits(LimitError),
    /// The bytes are no snapshot, or of one that does not fit the limits.
    Bytes {
        /// Where the wrong field begins.
        offset: usize,
        /// The field.
        field: &'static str,
        /// What is wrong with it.
        fault: RestoreFault,
    },
}

/// What is wrong with a field of a snapshot.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RestoreFault {
    /// The bytes end within it, or go on behind it.
    Length,
    /// Its value is none that it can have there.
    Value,
    /// It does not come behind what is before it.
    Order,
    /// Something else has it already.
    Taken,
    /// The limits have no room for it.
    Room,
}

impl fmt::Display for RestoreError {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (offset, field, fault) = match self {
            Self::Limits(error) => return error.fmt(to),
            Self::Bytes {
                offset,
                field,
                fault,
            } => (offset, field, fault),
        };
        let fault = match fault {
            RestoreFault::Length => "bytes are missing, or there are too many",
            RestoreFault::Value => "it cannot have this value",
            RestoreFault::Order => "it is not in its order",
            RestoreFault::Taken => "this value is taken",
            RestoreFault::Room => "the limits have no room for it",
        };
        write!(to, "snapshot byte {offset}, `{field}`: {fault}")
    }
}

impl core::error::Error for RestoreError {}

impl From<LimitError> for RestoreError {
    fn from(error: LimitError) -> Self {
        Self::Limits(error)
    }
}

/// The bytes, and where it is.
pub(crate) struct Reader<'b> {
    bytes: &'b [u8],
    /// Of the next field.
    at: usize,
    /// Of the field that was read last.
    field_at: usize,
    /// Of the record that is being read.
    record_at: usize,
}

impl<'b> Reader<'b> {
    /// Reads the header.
    pub(crate) fn new(bytes: &'b [u8]) -> Result<Self, RestoreError> {
        let mut reader = Self {
            bytes,
            at: 0,
            field_at: 0,
            record_at: 0,
        };
        for byte in MAGIC {
            reader.number("magic", &mut 0, byte..=byte)?;
        }
        reader.number("version", &mut 0, VERSION..=VERSION)?;
        reader.number("zero", &mut 0_u32, 0..=0)?;
        let length = bytes.len() as u64;
        reader.number("length", &mut 0, length..=length)?;
        debug_assert!(reader.at == HEADER_BYTES);
        Ok(reader)
    }

    /// Whether the next record is of this kind.
    pub(crate) fn is_next(&self, tag: Tag) -> bool {
        self.bytes.get(self.at) == Some(&(tag as u8))
    }

    /// Reads a record of a kind.
    pub(crate) fn record<T>(
        &mut self,
        tag: Tag,
        fields: impl FnOnce(&mut Self) -> Result<T, RestoreError>,
    ) -> Result<T, RestoreError> {
        self.record_at = self.at;
        self.number("tag", &mut 0_u8, tag as u8..=tag as u8)?;
        fields(self)
    }

    /// An error about the record that was read last.
    pub(crate) fn wrong(&self, field: &'static str, fault: RestoreFault) -> RestoreError {
        RestoreError::Bytes {
            offset: self.record_at,
            field,
            fault,
        }
    }

    /// Fails with a fault of the record that was read last unless something holds.
    pub(crate) fn require(
        &self,
        holds: bool,
        field: &'static str,
        fault: RestoreFault,
    ) -> Result<(), RestoreError> {
        if holds {
            Ok(())
        } else {
            Err(self.wrong(field, fault))
        }
    }

    /// Reads the trailer.
    pub(crate) fn end(mut self) -> Result<(), RestoreError> {
        self.record(Tag::End, |_| Ok(()))?;
        let mut hash = Hash::EMPTY;
        hash.add(&self.bytes[HEADER_BYTES..self.at]);
        self.record_at = self.at;
        self.number("hash", &mut 0, hash.0..=hash.0)?;
        self.require(self.at == self.bytes.len(), "hash", RestoreFault::Length)
    }
}

impl Carrier for Reader<'_> {
    type Error = RestoreError;

    fn any<N: Number>(&mut self, field: &'static str, value: &mut N) -> Result<(), RestoreError> {
        self.field_at = self.at;
        let bytes = self.bytes.get(self.at..self.at + size_of::<N>());
        let bytes = bytes.and_then(|bytes| N::Bytes::try_from(bytes).ok());
        let bytes = bytes.ok_or(RestoreError::Bytes {
            offset: self.at,
            field,
            fault: RestoreFault::Length,
        })?;
        *value = N::from_bytes(bytes);
        self.at += size_of::<N>();
        Ok(())
    }

    fn check(&mut self, field: &'static str, is_good: bool) -> Result<(), RestoreError> {
        if is_good {
            return Ok(());
        }
        Err(RestoreError::Bytes {
            offset: self.field_at,
            field,
            fault: RestoreFault::Value,
        })
    }
}
