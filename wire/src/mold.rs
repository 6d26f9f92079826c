//! MoldUDP64 1.00: numbered messages in datagrams, and how to ask for lost ones.
//!
//! A downstream packet is `session: 10 letters | sequence: u64 | count: u16`, followed by as many
//! blocks `length: u16 | message`. The sequence is the first message's number; the first of a
//! session is 1. A count of 0 is a heartbeat and 0xFFFF the end of the session: neither has blocks,
//! and both carry the number of the next message. A request has the same three fields.

mod builder;

pub use builder::Builder;

use crate::field::{put, take};
use crate::{Error, Fault};

const PROTOCOL: &str = "MoldUDP64 1.00";

/// Bytes of a packet's header, and of a request.
pub const HEADER_BYTES: usize = 20;

/// Bytes before each message.
pub const BLOCK_HEADER_BYTES: usize = 2;

/// The count that says that the session is over.
pub const COUNT_END_OF_SESSION: u16 = u16::MAX;

/// The most bytes of a datagram on an Ethernet of 1,500 bytes: what Nasdaq fills.
pub const DATAGRAM_BYTES_MAX: usize = 1_472;

/// The three fields that packets and requests share: session, sequence and count.
pub const HEADER_ROWS: [crate::FieldRow; 3] = [
    row(0, 10, "session", "alpha10", "Session, padded with spaces."),
    row(
        10,
        8,
        "sequence",
        "u64",
        "Number of the first message, of the next one when none follows.",
    ),
    row(
        18,
        2,
        "count",
        "u16",
        "Messages; 0 heartbeat, 0xFFFF end of session.",
    ),
];

const fn row(
    offset: usize,
    bytes: usize,
    name: &'static str,
    kind: &'static str,
    meaning: &'static str,
) -> crate::FieldRow {
    crate::FieldRow {
        offset,
        bytes,
        name,
        kind,
        meaning,
    }
}

const fn error(fault: Fault, offset: usize, expected: usize, found: usize) -> Error {
    Error {
        protocol: PROTOCOL,
        fault,
        kind: 0,
        offset,
        expected,
        found,
    }
}

/// What a downstream packet is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PacketKind {
    /// It carries messages.
    Messages,
    /// Nothing was sent for a while.
    Heartbeat,
    /// No message will follow.
    EndOfSession,
}

/// A downstream packet whose blocks were checked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Packet<'a> {
    header: &'a [u8; HEADER_BYTES],
    blocks: &'a [u8],
}

impl<'a> Packet<'a> {
    /// Reads the one packet that a datagram holds.
    ///
    /// # Errors
    /// As [`Packet::split_first`], and [`Fault::Trailing`] when bytes follow after the last block.
    pub fn parse(datagram: &'a [u8]) -> Result<Self, Error> {
        let (packet, rest) = Self::split_first(datagram)?;
        if rest.is_empty() {
            return Ok(packet);
        }
        let expected = datagram.len() - rest.len();
        Err(error(Fault::Trailing, expected, expected, datagram.len()))
    }

    /// Reads the first packet of several that stand back to back, and what follows it.
    ///
    /// # Errors
    /// [`Fault::Truncated`] when the header or a block runs past the end, [`Fault::Sequence`] when
    /// the number after the last message does not fit.
    pub fn split_first(bytes: &'a [u8]) -> Result<(Self, &'a [u8]), Error> {
        let Some((header, body)) = bytes.split_first_chunk::<HEADER_BYTES>() else {
            return Err(error(Fault::Truncated, 0, HEADER_BYTES, bytes.len()));
        };
        let mut packet = Self {
            header,
            blocks: &[],
        };
        let count = packet.message_count();
        if packet.sequence().checked_add(u64::from(count)).is_none() {
            return Err(error(Fault::Sequence, 10, 0, usize::from(count)));
        }
        let mut rest = body;
        for _ in 0..count {
            let offset = bytes.len() - rest.len();
            (_, rest) = first_block(rest).map_err(|e| e.at(offset))?;
        }
        packet.blocks = &body[..body.len() - rest.len()];
        Ok((packet, rest))
    }

    /// The session.
    #[must_use]
    pub fn session(&self) -> [u8; 10] {
        take(self.header, 0)
    }

    /// Number of the first message, or of the next one when there is none.
    #[must_use]
    pub fn sequence(&self) -> u64 {
        u64::from_be_bytes(take(self.header, 10))
    }

    /// The number after this packet's last message.
    #[must_use]
    pub fn next_sequence(&self) -> u64 {
        // Parsing refused what would overflow.
        self.sequence() + u64::from(self.message_count())
    }

    /// What the packet is.
    #[must_use]
    pub fn kind(&self) -> PacketKind {
        match self.count() {
            0 => PacketKind::Heartbeat,
            COUNT_END_OF_SESSION => PacketKind::EndOfSession,
            _ => PacketKind::Messages,
        }
    }

    /// How many messages the packet carries.
    #[must_use]
    pub fn message_count(&self) -> u16 {
        match self.count() {
            COUNT_END_OF_SESSION => 0,
            count => count,
        }
    }

    /// The messages with their numbers.
    #[must_use]
    pub fn blocks(&self) -> Blocks<'a> {
        Blocks {
            sequence: self.sequence(),
            rest: self.blocks,
        }
    }

    fn count(&self) -> u16 {
        u16::from_be_bytes(take(self.header, 18))
    }
}

/// Reads the first block: its message, and what follows.
fn first_block(bytes: &[u8]) -> Result<(&[u8], &[u8]), Error> {
    let Some((length, rest)) = bytes.split_first_chunk::<BLOCK_HEADER_BYTES>() else {
        return Err(error(Fault::Truncated, 0, BLOCK_HEADER_BYTES, bytes.len()));
    };
    let length = usize::from(u16::from_be_bytes(*length));
    rest.split_at_checked(length)
        .ok_or(error(Fault::Truncated, 0, length, rest.len()))
}

/// The messages of a packet, each with its number.
#[derive(Clone, Debug)]
pub struct Blocks<'a> {
    sequence: u64,
    rest: &'a [u8],
}

impl<'a> Iterator for Blocks<'a> {
    type Item = (u64, &'a [u8]);

    #[inline]
    fn next(&mut self) -> Option<(u64, &'a [u8])> {
        // Parsing went over the same blocks, so an error here only means the end.
        let (message, rest) = first_block(self.rest).ok()?;
        let sequence = self.sequence;
        self.sequence += 1;
        self.rest = rest;
        Some((sequence, message))
    }
}

/// Asks for messages that were lost; its bytes are those of a packet header.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Request {
    /// The session.
    pub session: [u8; 10],
    /// Number of the first message wanted.
    pub sequence: u64,
    /// How many are wanted; an answer may hold fewer.
    pub count: u16,
}

impl Request {
    /// Reads a request.
    ///
    /// # Errors
    /// [`Fault::Length`] when it has not [`HEADER_BYTES`].
    pub fn parse(datagram: &[u8]) -> Result<Self, Error> {
        if datagram.len() != HEADER_BYTES {
            return Err(error(Fault::Length, 0, HEADER_BYTES, datagram.len()));
        }
        Ok(Self {
            session: take(datagram, 0),
            sequence: u64::from_be_bytes(take(datagram, 10)),
            count: u16::from_be_bytes(take(datagram, 18)),
        })
    }

    /// Writes the request and returns its length.
    ///
    /// # Errors
    /// [`Fault::Room`] when `out` is too short.
    pub fn encode(&self, out: &mut [u8]) -> Result<usize, Error> {
        let room = out.len();
        let Some(header) = out.first_chunk_mut::<HEADER_BYTES>() else {
            return Err(error(Fault::Room, 0, HEADER_BYTES, room));
        };
        put(header, 0, &self.session);
        put(header, 10, &self.sequence.to_be_bytes());
        put(header, 18, &self.count.to_be_bytes());
        Ok(HEADER_BYTES)
    }
}

/// Writes a heartbeat, `next_sequence` being the next message's number, and returns its length.
///
/// # Errors
/// [`Fault::Room`] when `out` is too short.
pub fn heartbeat(session: [u8; 10], next_sequence: u64, out: &mut [u8]) -> Result<usize, Error> {
    Request {
        session,
        sequence: next_sequence,
        count: 0,
    }
    .encode(out)
}

/// Writes an end of session and returns its length.
///
/// # Errors
/// [`Fault::Room`] when `out` is too short.
pub fn end_of_session(
    session: [u8; 10],
    next_sequence: u64,
    out: &mut [u8],
) -> Result<usize, Error> {
    Request {
        session,
        sequence: next_sequence,
        count: COUNT_END_OF_SESSION,
    }
    .encode(out)
}
