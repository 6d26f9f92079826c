//! A member: logs in, sends what it is given, keeps every reply, comes back when it is cut off.

use std::collections::VecDeque;
use std::io;
use std::net::SocketAddr;

use nic::{Conn, Net as _, TcpEvent, TcpLimits, TcpPort as _};
use session::soup_client::{ClientState, Heard, SoupClient, SoupConfig};
use wire::ouch::inbound::fields::{CancelOrder, EnterOrder, ReplaceOrder};
use wire::ring::{Command, CommandKind};
use wire::{Error, padded};

use crate::net::{SimNet, SimTcp, Wires};
use crate::wiring::{ENTRY, symbol_name, user_name};
use crate::wish::Sending;

/// Pause before a connection is dialled again.
const REDIAL_NS: u64 = 2_000_000;

/// Room for any order message.
const MESSAGE_BYTES: usize = 128;

/// One member and all it knows.
pub struct Member {
    session: u16,
    tcp: SimTcp,
    soup: SoupClient,
    conn: Option<Conn>,
    redial_ns: u64,
    /// Commands that are not sent yet.
    pub todo: VecDeque<Sending>,
    /// Commands that were sent, whether they arrived or not.
    pub sent: Vec<Sending>,
    /// Every sequenced message, in order.
    pub replies: Vec<Vec<u8>>,
    /// Logins that were accepted.
    pub logins: u64,
    /// The end of the session was heard; the member does not come back in this life of the venue.
    pub has_ended: bool,
    error: Option<String>,
}

impl Member {
    /// Member number `session`, not connected.
    pub fn new(wires: &Wires, session: u16) -> io::Result<Self> {
        let limits = TcpLimits {
            connections: 4,
            send_bytes: 2048,
            ..TcpLimits::default()
        };
        let config = SoupConfig {
            outbound_bytes: 512,
            ..SoupConfig::new(&user_name(session), "secret")
        };
        Ok(Self {
            session,
            tcp: SimNet::new(wires).tcp_client(limits)?,
            soup: SoupClient::new(config),
            conn: None,
            redial_ns: 0,
            todo: VecDeque::new(),
            sent: Vec::new(),
            replies: Vec::new(),
            logins: 0,
            has_ended: false,
            error: None,
        })
    }

    /// The venue starts again: the member forgets the connection to the last life and dials.
    pub fn start(&mut self) {
        self.hang_up(0);
        self.has_ended = false;
    }

    /// Whether it is logged in and has nothing left to say.
    pub fn is_done(&self) -> bool {
        self.soup.state() == ClientState::Live && self.todo.is_empty() && self.soup.unsent() == 0
    }

    /// Where it stands, for messages.
    pub fn standing(&self) -> String {
        let (state, conn) = (self.soup.state(), self.conn);
        format!(
            "{} to send, {} unsent, {state:?} {conn:?}",
            self.todo.len(),
            self.soup.unsent()
        )
    }

    /// One turn. An error is a promise that the venue broke.
    pub fn poll(&mut self, now_ns: u64) -> Result<(), String> {
        self.receive(now_ns);
        match self.soup.poll(now_ns) {
            ClientState::Disconnected if self.is_to_dial(now_ns) => {
                self.conn = self.tcp.connect(SocketAddr::V4(ENTRY)).ok();
            }
            ClientState::Live => self.send(),
            ClientState::Silent => self.hang_up(now_ns),
            ClientState::Rejected(letter) => {
                let letter = char::from(letter);
                let heard = self.replies.len();
                return self.fail(format!("login rejected ({letter}) after {heard} replies"));
            }
            ClientState::Malformed => return self.fail("the venue's bytes make no sense".into()),
            ClientState::Disconnected | ClientState::LoggingIn | ClientState::Ended => {}
        }
        if let Some(conn) = self.conn {
            self.soup
                .transmit(now_ns, &mut |bytes| self.tcp.send(conn, bytes));
        }
        match self.error.take() {
            Some(error) => self.fail(error),
            None => Ok(()),
        }
    }

    fn is_to_dial(&self, now_ns: u64) -> bool {
        self.conn.is_none() && now_ns >= self.redial_ns && !self.has_ended
    }

    fn fail(&self, what: String) -> Result<(), String> {
        Err(format!("member {}: {what}", self.session))
    }

    fn hang_up(&mut self, now_ns: u64) {
        if let Some(conn) = self.conn.take() {
            self.tcp.close(conn);
        }
        self.soup.disconnected();
        self.redial_ns = now_ns + REDIAL_NS;
    }

    fn receive(&mut self, now_ns: u64) {
        let Self {
            tcp,
            soup,
            conn,
            replies,
            logins,
            has_ended,
            error,
            redial_ns,
            ..
        } = self;
        tcp.poll(&mut |event| match event {
            TcpEvent::Opened { conn: opened, .. } if *conn == Some(opened) => {
                soup.connected(now_ns)
            }
            TcpEvent::Data { conn: from, bytes } if *conn == Some(from) => {
                soup.received(bytes, now_ns, &mut |heard| match heard {
                    Heard::Accepted { sequence_next, .. } => {
                        *logins += 1;
                        if sequence_next != replies.len() as u64 + 1 {
                            *error = Some(format!(
                                "had {} replies, the venue goes on with {sequence_next}",
                                replies.len()
                            ));
                        }
                    }
                    Heard::Sequenced { message, .. } => replies.push(message.to_vec()),
                    Heard::Ended => *has_ended = true,
                    // A rejection shows in the client's state; nothing else is sent unsequenced.
                    Heard::Rejected(_) | Heard::Unsequenced(_) => {}
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
    }

    fn send(&mut self) {
        while let Some(command) = self.todo.front() {
            let mut message = [0; MESSAGE_BYTES];
            let Ok(bytes) = encode(command, &mut message) else {
                self.error = Some("a command that OUCH cannot say".into());
                return;
            };
            if !self.soup.send(&message[..bytes]) {
                return;
            }
            self.sent.extend(self.todo.pop_front());
        }
    }
}

/// Writes a generated command as the message that a member would send.
fn encode(sending: &Sending, out: &mut [u8]) -> Result<usize, Error> {
    let command = &sending.command;
    let tags = sending.tags().into_iter().chain(sending.offset());
    let [display, capacity, intermarket_sweep, cross_type] = command.letters;
    let [side, time_in_force] = command.wire_letters;
    let Command {
        user_ref,
        old_user_ref,
        quantity,
        client_id,
        ..
    } = *command;
    let price = command.price.unsigned_abs();
    if command.kind == CommandKind::Cancel as u8 {
        return CancelOrder { user_ref, quantity }.encode(out);
    }
    if command.kind == CommandKind::Replace as u8 {
        let message = ReplaceOrder {
            old_user_ref,
            user_ref,
            quantity,
            price,
            time_in_force,
            display,
            intermarket_sweep,
            client_id,
        };
        return message.encode_with(tags, out);
    }
    let message = EnterOrder {
        user_ref,
        side,
        quantity,
        symbol: padded(&symbol_name(command.symbol)),
        price,
        time_in_force,
        display,
        capacity,
        intermarket_sweep,
        cross_type,
        client_id,
    };
    message.encode_with(tags, out)
}
