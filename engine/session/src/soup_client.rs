//! The member's side of SoupBinTCP 3.00: login, heartbeats, the numbered stream, reconnecting.

use wire::padded;
use wire::soup::{LoginRequest, PACKET_BYTES_MAX, ServerPacket, login, number, number_text};

use crate::SECOND_NS;
use crate::challenge::{Key, nonce_of};

/// Who logs in, and the client's sizes and times.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SoupConfig {
    /// User name, at most 6 letters; more is cut.
    pub user: String,
    /// Password, at most 10 letters, more is cut; or a key, 64 hexadecimal digits, which is proved
    /// and not sent: the login waits for the server's greeting.
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

/// Length and type of a packet.
const HEAD_BYTES: usize = 3;

/// A login on the stream.
const LOGIN_BYTES: usize = 2 + login::LoginRequest::BYTES;

/// One member's connection to an order entry server; it outlives single connections.
pub struct SoupClient {
    config: SoupConfig,
    /// What is proved, until the login went out.
    key: Option<Key>,
    state: ClientState,
    /// Number of the next sequenced message; 0 until a login that asked for the most recent one.
    sequence_next: u64,
    /// Name of the session that was logged in to, with its padding.
    session_name: [u8; 10],
    inbound: Vec<u8>,
    outbound: Vec<u8>,
    outbound_sent: usize,
    heard_ns: u64,
    sent_ns: u64,
}

impl SoupClient {
    /// A client without a connection. Takes all memory.
    #[must_use]
    pub fn new(config: SoupConfig) -> Self {
        let outbound_bytes = config.outbound_bytes.max(LOGIN_BYTES);
        Self {
            key: None,
            state: ClientState::Disconnected,
            sequence_next: config.sequence,
            session_name: [b' '; 10],
            inbound: Vec::with_capacity(2 * PACKET_BYTES_MAX),
            outbound: Vec::with_capacity(outbound_bytes),
            outbound_sent: 0,
            heard_ns: 0,
            sent_ns: 0,
            config,
        }
    }

    /// A connection was made: the login goes out first, asking for the next message not seen; who
    /// has a key is greeted before.
    pub fn connected(&mut self, now_ns: u64) {
        self.disconnected();
        self.state = ClientState::LoggingIn;
        self.heard_ns = now_ns;
        self.sent_ns = now_ns;
        self.key = Key::parse(&self.config.password);
        if self.key.is_none() {
            self.log_in(padded(&self.config.password));
        }
    }

    fn log_in(&mut self, password: [u8; 10]) {
        let request = LoginRequest {
            username: padded(&self.config.user),
            password,
            session: padded(&self.config.session),
            sequence: number_text(self.sequence_next),
        };
        let mut packet = [0; login::LoginRequest::BYTES];
        // The array has the length of the packet, so that writing it cannot fail.
        if request.encode(&mut packet).is_ok() {
            self.packet(packet[0], &packet[1..]);
        }
    }

    /// The connection is gone: what was queued and not sent is forgotten.
    pub fn disconnected(&mut self) {
        self.state = ClientState::Disconnected;
        self.inbound.clear();
        self.outbound.clear();
        self.outbound_sent = 0;
    }

    /// Takes all bytes that came and hands on what they say.
    pub fn received(&mut self, bytes: &[u8], now_ns: u64, on: &mut dyn FnMut(Heard<'_>)) {
        self.heard_ns = now_ns;
        let mut bytes = bytes;
        while !bytes.is_empty() && self.is_open() {
            let room = 2 * PACKET_BYTES_MAX - self.inbound.len();
            let (now, later) = bytes.split_at(room.min(bytes.len()));
            self.inbound.extend_from_slice(now);
            bytes = later;
            self.read(on);
        }
    }

    /// Queues a message for the server; `false` when it is not logged in or there is no room.
    #[must_use]
    pub fn send(&mut self, message: &[u8]) -> bool {
        self.state == ClientState::Live && self.packet(b'U', message)
    }

    /// Queues a logout; the server closes the connection.
    #[must_use]
    pub fn logout(&mut self) -> bool {
        self.is_open() && self.packet(b'O', &[])
    }

    /// Sends heartbeats and finds out that the server is silent. Call it at least ten times a
    /// second.
    pub fn poll(&mut self, now_ns: u64) -> ClientState {
        if self.is_open() {
            if now_ns.saturating_sub(self.heard_ns) >= self.config.silence_ns {
                self.state = ClientState::Silent;
            } else if self.state == ClientState::Live
                && self.outbound.is_empty()
                && now_ns.saturating_sub(self.sent_ns) >= self.config.heartbeat_ns
            {
                self.packet(b'R', &[]);
            }
        }
        self.state
    }

    /// Offers what is to be sent; `send` gives how many bytes it took.
    pub fn transmit(&mut self, now_ns: u64, send: &mut dyn FnMut(&[u8]) -> usize) {
        let offer = &self.outbound[self.outbound_sent..];
        if offer.is_empty() {
            return;
        }
        let taken = send(offer).min(offer.len());
        if taken > 0 {
            self.sent_ns = now_ns;
        }
        self.outbound_sent += taken;
        if self.outbound_sent == self.outbound.len() {
            self.outbound.clear();
            self.outbound_sent = 0;
        }
    }

    /// Where it stands.
    #[must_use]
    pub const fn state(&self) -> ClientState {
        self.state
    }

    /// Who logs in.
    #[must_use]
    pub const fn config(&self) -> &SoupConfig {
        &self.config
    }

    /// Number of the next sequenced message.
    #[must_use]
    pub const fn sequence_next(&self) -> u64 {
        self.sequence_next
    }

    /// Name of the session that the last login led to, with its padding; blank before that.
    #[must_use]
    pub const fn session_name(&self) -> [u8; 10] {
        self.session_name
    }

    /// Bytes queued and not sent.
    #[must_use]
    pub fn unsent(&self) -> usize {
        self.outbound.len() - self.outbound_sent
    }

    fn is_open(&self) -> bool {
        matches!(self.state, ClientState::LoggingIn | ClientState::Live)
    }

    fn packet(&mut self, kind: u8, payload: &[u8]) -> bool {
        let Ok(length) = u16::try_from(payload.len() + 1) else {
            return false;
        };
        let bytes_max = self.config.outbound_bytes.max(LOGIN_BYTES);
        if self.outbound.len() + HEAD_BYTES + payload.len() > bytes_max {
            self.outbound.drain(..self.outbound_sent);
            self.outbound_sent = 0;
        }
        if self.outbound.len() + HEAD_BYTES + payload.len() > bytes_max {
            return false;
        }
        self.outbound.extend_from_slice(&length.to_be_bytes());
        self.outbound.push(kind);
        self.outbound.extend_from_slice(payload);
        true
    }

    /// Reads the whole packets that came.
    fn read(&mut self, on: &mut dyn FnMut(Heard<'_>)) {
        let mut inbound = core::mem::take(&mut self.inbound);
        let mut at = 0;
        while self.is_open() {
            let Some([high, low]) = inbound[at..].first_chunk() else {
                break;
            };
            let length = usize::from(u16::from_be_bytes([*high, *low]));
            let Some(packet) = inbound.get(at + 2..at + 2 + length) else {
                break;
            };
            at += 2 + length;
            match ServerPacket::parse(packet) {
                Ok(packet) => self.heard(packet, on),
                Err(_) => self.state = ClientState::Malformed,
            }
        }
        inbound.drain(..at);
        self.inbound = inbound;
    }

    fn heard(&mut self, packet: ServerPacket<'_>, on: &mut dyn FnMut(Heard<'_>)) {
        match (packet, self.state) {
            (ServerPacket::Debug(text), ClientState::LoggingIn) => {
                if let Some(nonce) = nonce_of(text)
                    && let Some(key) = self.key.take()
                {
                    let (user, session) = (padded(&self.config.user), padded(&self.config.session));
                    self.log_in(key.letters(&nonce, &user, &session));
                }
            }
            (ServerPacket::Debug(_) | ServerPacket::Heartbeat, _) => {}
            (ServerPacket::LoginAccepted(accepted), ClientState::LoggingIn) => {
                let Some(sequence_next) = number(&accepted.sequence) else {
                    self.state = ClientState::Malformed;
                    return;
                };
                self.state = ClientState::Live;
                self.sequence_next = sequence_next;
                self.session_name = accepted.session;
                on(Heard::Accepted {
                    session: accepted.session,
                    sequence_next,
                });
            }
            (ServerPacket::LoginRejected(rejected), ClientState::LoggingIn) => {
                self.state = ClientState::Rejected(rejected.reason);
                on(Heard::Rejected(rejected.reason));
            }
            (ServerPacket::Sequenced(message), ClientState::Live) => {
                let sequence = self.sequence_next;
                self.sequence_next = sequence.saturating_add(1);
                on(Heard::Sequenced { sequence, message });
            }
            (ServerPacket::Unsequenced(message), ClientState::Live) => {
                on(Heard::Unsequenced(message));
            }
            (ServerPacket::EndOfSession, ClientState::Live) => {
                self.state = ClientState::Ended;
                on(Heard::Ended);
            }
            _ => self.state = ClientState::Malformed,
        }
    }
}
