//! The member's side of SoupBinTCP 3.00: login, heartbeats, the numbered stream, reconnecting.

use crate::SECOND_NS;

/// Who logs in, and the client's sizes and times.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SoupConfig {
    /// User name, at most 6 letters; more is cut.
    pub user: String,
    /// Password, at most 10 letters; more is cut.
    pub password: String,
    /// Session to log in to; empty for the current one.
    pub session: String,
    /// First sequenced message wanted: 1 for all of the day, 0 from the most recent one on.
    pub sequence: u64,
    /// Bytes that may wait to be sent.
    pub outbound_bytes: usize,
    /// Silence after which a heartbeat is sent.
    pub heartbeat_ns: u64,
    /// Silence after which the server is taken for dead.
    pub silence_ns: u64,
}

impl SoupConfig {
    /// The usual sizes and times, from the first message on.
    #[must_use]
    pub fn new(user: &str, password: &str) -> Self {
        Self {
            user: user.to_owned(),
            password: password.to_owned(),
            session: String::new(),
            sequence: 1,
            outbound_bytes: 65_536,
            heartbeat_ns: SECOND_NS,
            silence_ns: 15 * SECOND_NS,
        }
    }
}

/// What the server said.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Heard<'a> {
    /// The login was accepted: the session's name and the number of the next message.
    Accepted {
        /// The session's name, with its padding.
        session: [u8; 10],
        /// Number of the next sequenced message.
        sequence_next: u64,
    },
    /// The login was rejected: `A` not authorized, `S` session not available.
    Rejected(u8),
    /// A message of the stream.
    Sequenced {
        /// Its number, from 1.
        sequence: u64,
        /// Its bytes.
        message: &'a [u8],
    },
    /// A message outside the stream.
    Unsequenced(&'a [u8]),
    /// The session ended.
    Ended,
}

/// Where a client stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ClientState {
    /// No connection.
    Disconnected,
    /// The login is under way.
    LoggingIn,
    /// Messages go both ways.
    Live,
    /// The session ended: close the connection, do not come back.
    Ended,
    /// The login was rejected with this letter: close the connection.
    Rejected(u8),
    /// Nothing was heard for too long: close the connection and connect again.
    Silent,
    /// The server sent what makes no sense: close the connection.
    Malformed,
}
