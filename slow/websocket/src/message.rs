//! Frames of a server.

use crate::deflate::Packer;

/// What a message is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// UTF-8.
    Text,
    /// Bytes.
    Binary,
    /// A question whether the other side is there.
    Ping,
    /// The answer.
    Pong,
}

impl Kind {
    const fn opcode(self) -> u8 {
        match self {
            Self::Text => 1,
            Self::Binary => 2,
            Self::Ping => 9,
            Self::Pong => 10,
        }
    }
}

/// The most bytes of a control frame's payload.
pub(crate) const CONTROL_BYTES_MAX: usize = 125;

/// A message as one frame.
#[must_use]
pub fn frame(kind: Kind, payload: &[u8]) -> Vec<u8> {
    framed(0x80 | kind.opcode(), payload)
}

/// A message of text or bytes as one compressed frame, for connections that took [`crate::DEFLATE`]
/// on.
#[must_use]
pub fn packed_frame(kind: Kind, payload: &[u8], packer: &mut Packer) -> Vec<u8> {
    framed(0xC0 | kind.opcode(), &packer.pack(payload))
}

/// A close with a code and a reason, of which 123 bytes are sent.
#[must_use]
pub fn close_frame(code: u16, reason: &str) -> Vec<u8> {
    let mut payload = code.to_be_bytes().to_vec();
    let end = reason.floor_char_boundary(CONTROL_BYTES_MAX - payload.len());
    payload.extend(&reason.as_bytes()[..end]);
    framed(0x88, &payload)
}

fn framed(first: u8, payload: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(payload.len() + 10);
    bytes.push(first);
    match payload.len() {
        length @ 0..=125 => bytes.push(length as u8),
        length @ 126..=0xFFFF => {
            bytes.push(126);
            bytes.extend((length as u16).to_be_bytes());
        }
        length => {
            bytes.push(127);
            bytes.extend((length as u64).to_be_bytes());
        }
    }
    bytes.extend(payload);
    bytes
}
