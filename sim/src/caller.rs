//! A client of order entry: logs in, keeps every sequenced message, comes back when it is cut off.

use std::io;
use std::net::SocketAddr;

use nic::{Conn, Net as _, TcpEvent, TcpLimits};
use session::soup_client::{ClientState, Heard, SoupClient, SoupConfig};

use crate::gateway::{Gateway, Way};
use crate::net::{SimNet, Wires};
use crate::wiring::ENTRY;

/// Pause before a connection is dialled again.
const REDIAL_NS: u64 = 2_000_000;

/// What a turn found out.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Turn {
    /// A login was accepted.
    pub logged_in: bool,
    /// Something came or went.
    pub is_busy: bool,
}

/// One login and all that it heard.
pub struct Caller {
    name: String,
    pub way: Way,
    soup: SoupClient,
    conn: Option<Conn>,
    redial_ns: u64,
    /// Every sequenced message, in order.
    pub heard: Vec<Vec<u8>>,
    /// Every message outside the stream, in order.
    pub aside: Vec<Vec<u8>>,
    /// Logins that were accepted.
    pub logins: u64,
    /// The end of the session was heard; the client does not come back in this life of the venue.
    pub has_ended: bool,
}

impl Caller {
    /// A client of this name, not connected.
    pub fn new(wires: &Wires, name: &str) -> io::Result<Self> {
        let limits = TcpLimits {
            connections: 4,
            send_bytes: 2048,
            ..TcpLimits::default()
        };
        let tcp = SimNet::new(wires).tcp_client(limits)?;
        Ok(Self::by(Way::Net(tcp), name))
    }

    /// A client of this name that comes through a gateway, which takes so many messages in a turn.
    pub fn behind(name: &str, chunks_max: usize) -> Self {
        Self::by(Way::Rings(Box::new(Gateway::new(chunks_max))), name)
    }

    fn by(way: Way, name: &str) -> Self {
        let config = SoupConfig {
            outbound_bytes: 512,
            ..SoupConfig::new(name, "secret")
        };
        Self {
            name: name.to_owned(),
            way,
            soup: SoupClient::new(config),
            conn: None,
            redial_ns: 0,
            heard: Vec::new(),
            aside: Vec::new(),
            logins: 0,
            has_ended: false,
        }
    }

    /// The gateway dies, if there is one.
    pub fn die(&mut self, now_ns: u64) {
        if self.way.die() {
            self.hang_up(now_ns);
        }
    }

    /// The venue starts again: the client forgets the connection to the last life and dials.
    pub fn start(&mut self) {
        self.hang_up(0);
        self.has_ended = false;
    }

    /// Whether it may send.
    pub fn is_live(&self) -> bool {
        self.soup.state() == ClientState::Live
    }

    /// Whether it is logged in and has sent all that it took.
    pub fn is_done(&self) -> bool {
        self.is_live() && self.soup.unsent() == 0
    }

    /// Where it stands, for messages.
    pub fn standing(&self) -> String {
        let (state, conn, unsent) = (self.soup.state(), self.conn, self.soup.unsent());
        format!("{} {state:?} {conn:?}, {unsent} unsent", self.name)
    }

    /// Takes what came, and dials if it must. An error is a promise that the venue broke.
    pub fn receive(&mut self, now_ns: u64) -> Result<Turn, String> {
        let turn = self.hear(now_ns)?;
        match self.soup.poll(now_ns) {
            ClientState::Disconnected if self.is_to_dial(now_ns) => {
                self.conn = self.way.connect(SocketAddr::V4(ENTRY)).ok();
            }
            ClientState::Silent => self.hang_up(now_ns),
            ClientState::Rejected(letter) => {
                let (letter, heard) = (char::from(letter), self.heard.len());
                return self.fail(&format!("login rejected ({letter}) after {heard} messages"));
            }
            ClientState::Malformed => return self.fail("the venue's bytes make no sense"),
            ClientState::Live
            | ClientState::Disconnected
            | ClientState::LoggingIn
            | ClientState::Ended => {}
        }
        Ok(turn)
    }

    /// Takes a message to be sent, if there is room.
    pub fn say(&mut self, message: &[u8]) -> bool {
        self.soup.send(message)
    }

    /// Sends what was taken.
    pub fn transmit(&mut self, now_ns: u64) {
        let Self {
            way, soup, conn, ..
        } = self;
        if let Some(conn) = *conn {
            soup.transmit(now_ns, &mut |bytes| way.send(conn, bytes));
        }
    }

    fn is_to_dial(&self, now_ns: u64) -> bool {
        self.conn.is_none() && now_ns >= self.redial_ns && !self.has_ended
    }

    fn fail<T>(&self, what: &str) -> Result<T, String> {
        Err(format!("{}: {what}", self.name))
    }

    fn hang_up(&mut self, now_ns: u64) {
        if let Some(conn) = self.conn.take() {
            self.way.close(conn);
        }
        self.soup.disconnected();
        self.redial_ns = now_ns + REDIAL_NS;
    }

    fn hear(&mut self, now_ns: u64) -> Result<Turn, String> {
        let Self {
            way,
            soup,
            conn,
            heard,
            aside,
            logins,
            has_ended,
            redial_ns,
            ..
        } = self;
        let mut turn = Turn::default();
        let mut goes_on_with = None;
        let events = way.poll(&mut |event| match event {
            TcpEvent::Opened { conn: opened, .. } if *conn == Some(opened) => {
                soup.connected(now_ns)
            }
            TcpEvent::Data { conn: from, bytes } if *conn == Some(from) => {
                soup.received(bytes, now_ns, &mut |what| match what {
                    Heard::Accepted { sequence_next, .. } => {
                        *logins += 1;
                        turn.logged_in = true;
                        if sequence_next != heard.len() as u64 + 1 {
                            goes_on_with = Some((heard.len(), sequence_next));
                        }
                    }
                    Heard::Sequenced { message, .. } => heard.push(message.to_vec()),
                    Heard::Ended => *has_ended = true,
                    Heard::Unsequenced(message) => aside.push(message.to_vec()),
                    // A rejection shows in the client's state.
                    Heard::Rejected(_) => {}
                });
            }
            TcpEvent::Closed { conn: closed } if *conn == Some(closed) => {
                *conn = None;
                *redial_ns = now_ns + REDIAL_NS;
                if !matches!(
                    soup.state(),
                    ClientState::Rejected(_) | ClientState::Malformed
                ) {
                    soup.disconnected();
                }
            }
            _ => {}
        });
        turn.is_busy = events > 0;
        match goes_on_with {
            Some((had, next)) => self.fail(&format!("had {had}, the venue goes on with {next}")),
            None => Ok(turn),
        }
    }
}
