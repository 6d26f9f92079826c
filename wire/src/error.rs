//! The one error of every decoder and encoder: what is wrong, where, and by how much.

use core::fmt;

/// What is wrong with some bytes, or with a request to write some.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Fault {
    /// There is no byte that could name a type.
    Empty,
    /// No message has this type.
    UnknownType,
    /// The message is not as long as its type says.
    Length,
    /// A length names more bytes than there are.
    Truncated,
    /// Bytes follow after the end.
    Trailing,
    /// A length of zero where something must follow.
    ZeroLength,
    /// A length beyond the limit.
    TooLong,
    /// An optional element whose length does not belong to its tag; `kind` is the tag.
    Tag,
    /// Sequence numbers would pass the greatest number.
    Sequence,
    /// The caller's buffer is too short: nothing whole was written.
    Room,
    /// A value does not fit into its field: `expected` is the greatest that does.
    Range,
}

/// Why bytes were refused or not written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Error {
    /// The protocol, by name and version.
    pub protocol: &'static str,
    /// What is wrong.
    pub fault: Fault,
    /// The type byte of the message, or 0 where there is none.
    pub kind: u8,
    /// Where: bytes from the start of what was handed in.
    pub offset: usize,
    /// How many bytes there should be.
    pub expected: usize,
    /// How many bytes there are.
    pub found: usize,
}

impl Error {
    /// The same error, seen from `base` bytes earlier.
    #[must_use]
    pub const fn at(mut self, base: usize) -> Self {
        self.offset = self.offset.saturating_add(base);
        self
    }
}

impl fmt::Display for Error {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}: ", self.protocol)?;
        match self.fault {
            Fault::Empty => write!(out, "no type byte")?,
            Fault::UnknownType => write!(out, "unknown type")?,
            Fault::Length => write!(out, "wrong length for this type")?,
            Fault::Truncated => write!(out, "a length runs past the end")?,
            Fault::Trailing => write!(out, "bytes after the end")?,
            Fault::ZeroLength => write!(out, "zero length where data follows")?,
            Fault::TooLong => write!(out, "length beyond the limit")?,
            Fault::Tag => write!(out, "wrong length of an optional element")?,
            Fault::Sequence => write!(out, "sequence numbers overflow")?,
            Fault::Room => write!(out, "the buffer to write into is too short")?,
            Fault::Range => write!(out, "value too great for its field")?,
        }
        if self.kind != 0 {
            write!(
                out,
                ", type '{}' (0x{:02x})",
                self.kind.escape_ascii(),
                self.kind
            )?;
        }
        let (offset, expected, found) = (self.offset, self.expected, self.found);
        write!(
            out,
            ", at offset {offset}: expected {expected}, found {found}"
        )
    }
}

impl core::error::Error for Error {}
