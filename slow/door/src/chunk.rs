//! One message of the rings.

use bytemuck::{Pod, Zeroable};

/// What a slot leaves of its 112 bytes.
const BYTES_MAX: usize = 102;

/// A piece of a connection's bytes, or its beginning or end. Every bit pattern is one, but not all
/// make sense.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Pod, Zeroable)]
#[repr(C)]
pub struct Chunk {
    /// The connection, by a number that its gateway chose.
    pub session: u64,
    /// [`Chunk::DATA`], [`Chunk::BEGIN`], [`Chunk::END`] or [`Chunk::GONE`].
    pub kind: u8,
    /// How many of `bytes` count.
    pub length: u8,
    /// The bytes.
    pub bytes: [u8; BYTES_MAX],
}

const _: () = assert!(size_of::<Chunk>() == 112, "a slot of the ring");

/// What a chunk says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Content<'c> {
    /// A connection begins; the venue answers by the same.
    Begin,
    /// Bytes of it, at least one.
    Data(&'c [u8]),
    /// It is over; the text says why, if there is anything to say.
    End(&'c [u8]),
    /// Whoever had the rings is gone, and with it any connection.
    Gone,
}

impl Chunk {
    /// Bytes of a chunk at most.
    pub const BYTES_MAX: usize = BYTES_MAX;
    /// A piece.
    pub const DATA: u8 = 1;
    /// A new connection.
    pub const BEGIN: u8 = 2;
    /// Its end.
    pub const END: u8 = 3;
    /// What the venue itself writes in the place of a gateway that is no more.
    pub const GONE: u8 = 4;

    /// A chunk with as many of the bytes as fit.
    #[must_use]
    pub fn of(kind: u8, session: u64, bytes: &[u8]) -> Self {
        let length = bytes.len().min(Self::BYTES_MAX);
        let mut chunk = Self {
            session,
            kind,
            length: length as u8,
            bytes: [0; Self::BYTES_MAX],
        };
        chunk.bytes[..length].copy_from_slice(&bytes[..length]);
        chunk
    }

    /// What it says, if that makes sense.
    #[must_use]
    pub fn content(&self) -> Option<Content<'_>> {
        let bytes = self.bytes.get(..usize::from(self.length))?;
        match (self.kind, bytes) {
            (Self::BEGIN, []) => Some(Content::Begin),
            (Self::DATA, [_, ..]) => Some(Content::Data(bytes)),
            (Self::END, _) => Some(Content::End(bytes)),
            (Self::GONE, []) => Some(Content::Gone),
            _ => None,
        }
    }
}
