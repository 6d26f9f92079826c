//! SoupBinTCP 3.00: a session of numbered messages on a TCP stream.
//!
//! A logical packet is `length: u16 | type: u8 | payload`; the length counts type and payload. TCP
//! may split or join packets anywhere: [`Splitter`] gives them back whole, from the type byte on.
//! Text fields may be padded on either side, so a reader trims both.

mod splitter;

pub use login::fields::{LoginAccepted, LoginRejected, LoginRequest};
pub use splitter::{Split, Splitter, split_first};

use crate::{Error, Fault};

const PROTOCOL: &str = "SoupBinTCP 3.00";

/// Bytes of the length before each packet.
pub const PREFIX_BYTES: usize = 2;

/// The most bytes of payload in a packet.
pub const PAYLOAD_BYTES_MAX: usize = u16::MAX as usize - 1;

/// The most bytes that a packet takes on the stream, its length included.
pub const PACKET_BYTES_MAX: usize = PREFIX_BYTES + 1 + PAYLOAD_BYTES_MAX;

/// The packets with fields, as views without their length.
pub mod login {
    messages! {
        /// A packet of the login.
        Login, "SoupBinTCP 3.00",
        {}

        /// The client's first packet.
        LoginRequest = b'L', 47, fixed {
            /// User name.
            1 username: alpha6,
            /// Password.
            7 password: alpha10,
            /// The session wanted; blank for the current one.
            17 session: alpha10,
            /// Number of the first message wanted, in digits; 0 for only what comes from now on.
            27 sequence: alpha20,
        }

        /// The server takes the client.
        LoginAccepted = b'A', 31, fixed {
            /// The session.
            1 session: alpha10,
            /// Number of the next sequenced message, in digits.
            11 sequence: alpha20,
        }

        /// The server refuses the client and closes.
        LoginRejected = b'J', 2, fixed {
            /// A not authorized, S session not available.
            1 reason: letter,
        }
    }
}

/// One kind of packet, as `docs/wire.md` shows it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PacketRow {
    /// Name.
    pub name: &'static str,
    /// The type byte.
    pub kind: u8,
    /// The length it has, or `None` where any payload may follow.
    pub length: Option<usize>,
    /// What it tells.
    pub meaning: &'static str,
}

macro_rules! packets {
    (
        $(#[doc = $edoc:literal])+ $enum:ident
        fields { $($(#[doc = $fdoc:literal])+ $field:ident = $fkind:literal,)* }
        data { $($(#[doc = $ddoc:literal])+ $data:ident = $dkind:literal,)* }
        bare { $($(#[doc = $bdoc:literal])+ $bare:ident = $bkind:literal,)* }
    ) => {
        $(#[doc = $edoc])+
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum $enum<'a> {
            $($(#[doc = $fdoc])+ $field($field),)*
            $($(#[doc = $ddoc])+ $data(&'a [u8]),)*
            $($(#[doc = $bdoc])+ $bare,)*
        }

        impl<'a> $enum<'a> {
            /// Every packet that this side may send.
            pub const TABLE: &'static [PacketRow] = &[
                $(PacketRow {
                    name: stringify!($field),
                    kind: $fkind,
                    length: Some(login::$field::BYTES),
                    meaning: concat!($($fdoc),+),
                },)*
                $(PacketRow {
                    name: stringify!($data),
                    kind: $dkind,
                    length: None,
                    meaning: concat!($($ddoc),+),
                },)*
                $(PacketRow {
                    name: stringify!($bare),
                    kind: $bkind,
                    length: Some(1),
                    meaning: concat!($($bdoc),+),
                },)*
            ];

            /// Reads a packet from its type byte on, without its length.
            ///
            /// # Errors
            /// [`Fault::Empty`], [`Fault::UnknownType`], and [`Fault::Length`] when `packet` is
            /// not as long as its type says.
            pub fn parse(packet: &'a [u8]) -> Result<Self, Error> {
                let Some((&kind, payload)) = packet.split_first() else {
                    return Err(error(Fault::Empty, 0, 1, 0));
                };
                match kind {
                    $($fkind => match login::Login::parse(packet)? {
                        login::Login::$field(view) => Ok(Self::$field(view.fields())),
                        _ => Err(error(Fault::UnknownType, kind, 1, packet.len())),
                    },)*
                    $($dkind => Ok(Self::$data(payload)),)*
                    $($bkind if payload.is_empty() => Ok(Self::$bare),)*
                    $($bkind => Err(error(Fault::Length, kind, 1, packet.len())),)*
                    _ => Err(error(Fault::UnknownType, kind, 1, packet.len())),
                }
            }

            /// Writes the packet with its length and returns how many bytes it takes.
            ///
            /// # Errors
            /// [`Fault::Room`] when `out` is too short, [`Fault::TooLong`] for a payload beyond
            /// [`PAYLOAD_BYTES_MAX`].
            pub fn encode(&self, out: &mut [u8]) -> Result<usize, Error> {
                match *self {
                    $(Self::$field(ref fields) => {
                        let mut packet = [0; login::$field::BYTES];
                        fields.encode(&mut packet)?;
                        write_packet($fkind, &packet[1..], out)
                    })*
                    $(Self::$data(payload) => write_packet($dkind, payload, out),)*
                    $(Self::$bare => write_packet($bkind, &[], out),)*
                }
            }
        }
    };
}

packets! {
    /// What a client may send.
    ClientPacket
    fields {
        /// Asks for a session; must be the first packet.
        LoginRequest = b'L',
    }
    data {
        /// A message, not numbered.
        Unsequenced = b'U',
        /// Text to be ignored.
        Debug = b'+',
    }
    bare {
        /// Nothing was sent for a second.
        Heartbeat = b'R',
        /// The client leaves.
        Logout = b'O',
    }
}

packets! {
    /// What a server may send.
    ServerPacket
    fields {
        /// Takes the client.
        LoginAccepted = b'A',
        /// Refuses the client.
        LoginRejected = b'J',
    }
    data {
        /// The next numbered message; its number is counted, not sent.
        Sequenced = b'S',
        /// A message, not numbered.
        Unsequenced = b'U',
        /// Text to be ignored.
        Debug = b'+',
    }
    bare {
        /// Nothing was sent for a second.
        Heartbeat = b'H',
        /// The session is over.
        EndOfSession = b'Z',
    }
}

const fn error(fault: Fault, kind: u8, expected: usize, found: usize) -> Error {
    Error {
        protocol: PROTOCOL,
        fault,
        kind,
        offset: 0,
        expected,
        found,
    }
}

fn write_packet(kind: u8, payload: &[u8], out: &mut [u8]) -> Result<usize, Error> {
    let Ok(length) = u16::try_from(payload.len() + 1) else {
        return Err(error(
            Fault::TooLong,
            kind,
            PAYLOAD_BYTES_MAX,
            payload.len(),
        ));
    };
    let whole = PREFIX_BYTES + usize::from(length);
    let room = out.len();
    let Some(packet) = out.get_mut(..whole) else {
        return Err(error(Fault::Room, kind, whole, room));
    };
    packet[..2].copy_from_slice(&length.to_be_bytes());
    packet[2] = kind;
    packet[3..].copy_from_slice(payload);
    Ok(whole)
}

/// Writes a sequenced packet whose message `write` puts straight into its place.
///
/// # Errors
/// Those of `write`, [`Fault::Room`] when `out` has no room for the length and the type, and
/// [`Fault::TooLong`] when `write` says that it wrote more than it was given.
pub fn sequenced(
    out: &mut [u8],
    write: impl FnOnce(&mut [u8]) -> Result<usize, Error>,
) -> Result<usize, Error> {
    write_in_place(b'S', out, write)
}

/// Writes an unsequenced packet whose message `write` puts straight into its place.
///
/// # Errors
/// As [`sequenced`].
pub fn unsequenced(
    out: &mut [u8],
    write: impl FnOnce(&mut [u8]) -> Result<usize, Error>,
) -> Result<usize, Error> {
    write_in_place(b'U', out, write)
}

fn write_in_place(
    kind: u8,
    out: &mut [u8],
    write: impl FnOnce(&mut [u8]) -> Result<usize, Error>,
) -> Result<usize, Error> {
    let room = out.len().min(PACKET_BYTES_MAX);
    let Some((head, payload)) = out[..room].split_first_chunk_mut::<3>() else {
        return Err(error(Fault::Room, kind, PREFIX_BYTES + 1, room));
    };
    let bytes = write(payload).map_err(|e| e.at(PREFIX_BYTES + 1))?;
    if bytes > payload.len() {
        return Err(error(Fault::TooLong, kind, payload.len(), bytes));
    }
    // `payload` was cut to what a length can say.
    let [high, low] = ((bytes + 1) as u16).to_be_bytes();
    *head = [high, low, kind];
    Ok(PREFIX_BYTES + 1 + bytes)
}

/// A number as twenty digits, padded with spaces on the left.
#[must_use]
pub const fn number_text(number: u64) -> [u8; 20] {
    let mut text = [b' '; 20];
    let mut rest = number;
    let mut index = text.len();
    loop {
        index -= 1;
        text[index] = b'0' + (rest % 10) as u8;
        rest /= 10;
        // 2^64 has twenty digits: `index` does not pass 0.
        if rest == 0 {
            return text;
        }
    }
}

/// The number that a text field holds, wherever it stands between spaces; `None` for blanks, other
/// letters and numbers beyond 64 bits.
#[must_use]
pub fn number(text: &[u8]) -> Option<u64> {
    let digits = crate::trimmed(text);
    if digits.is_empty() {
        return None;
    }
    digits.iter().try_fold(0_u64, |number, digit| {
        let digit = digit.checked_sub(b'0').filter(|digit| *digit <= 9)?;
        number.checked_mul(10)?.checked_add(u64::from(digit))
    })
}
