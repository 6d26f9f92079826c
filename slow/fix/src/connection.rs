//! One member's connection: before the logon, while the venue is asked, and live.

mod joining;

use crate::gateway::Now;
use crate::lobby::Lobby;
use crate::logon::{Day, Logon};
use crate::member::{Member, refusal};
use crate::message::{MESSAGE_BYTES_MAX, Message, Split, split};
use crate::session::{Session, Step};
use crate::venue::Venue;
use mio::net::TcpStream;
use mio::{Interest, Registry, Token};
use session::ouch_client::{OuchClient, Reply};
use std::collections::BTreeMap;
use std::io::{self, Read, Write};
use std::net::SocketAddr;
use wire::ouch::Outbound;

/// A member that does not read is cut off with so many bytes unsent.
const UNSENT_BYTES_MAX: usize = 16 << 20;

/// Bytes of a member that wait while the venue is asked, and are read at once.
const INBOUND_BYTES_MAX: usize = 8 * MESSAGE_BYTES_MAX;

/// Bytes that may wait to be sent to the venue: some thousand orders.
const VENUE_BYTES_MAX: usize = 1 << 20;

/// What a connection that was told goodbye has to take it, in nanoseconds.
const PARTING_NS: u64 = 2_000_000_000;

enum Stage {
    /// Nobody is known.
    Waiting,
    /// The venue is asked for its day and its last reply.
    Asking(Logon, Day),
    /// The venue was asked; the connection of the question ends.
    Answered(Logon, Day),
    /// The member is logged on; its messages are taken from when the reply of that number was
    /// heard.
    Live(String, Box<Session>, u64),
    /// Everything was said.
    Closing,
}

pub(crate) struct Connection {
    from: SocketAddr,
    stream: TcpStream,
    venue: Option<Venue>,
    venue_token: Token,
    client: Option<OuchClient>,
    stage: Stage,
    since_ns: u64,
    inbound: Vec<u8>,
    outbound: Vec<u8>,
    is_ended: bool,
}

impl Connection {
    pub(crate) fn new(
        (mut stream, from): (TcpStream, SocketAddr),
        tokens: (Token, Token),
        registry: &Registry,
        now: Now,
    ) -> io::Result<Self> {
        stream.set_nodelay(true)?;
        let both = Interest::READABLE | Interest::WRITABLE;
        registry.register(&mut stream, tokens.0, both)?;
        Ok(Self {
            from,
            stream,
            venue: None,
            venue_token: tokens.1,
            client: None,
            stage: Stage::Waiting,
            since_ns: now.steady_ns,
            inbound: Vec::new(),
            outbound: Vec::new(),
            is_ended: false,
        })
    }

    /// Does what there is to do; `false` when the connection is over.
    pub(crate) fn turn(&mut self, lobby: &mut Lobby, registry: &Registry, now: Now) -> bool {
        self.read_member();
        self.read_venue(lobby, now);
        self.advance(lobby, now);
        self.take_messages(lobby, registry, now);
        self.settle(lobby, now);
        self.write_venue(now);
        self.write_member();
        let is_silent = match self.stage {
            Stage::Live(..) => false,
            Stage::Closing => {
                self.outbound.is_empty() || now.steady_ns.saturating_sub(self.since_ns) > PARTING_NS
            }
            _ => {
                let limit_ns = lobby.config.logon_s * 1_000_000_000;
                now.steady_ns.saturating_sub(self.since_ns) > limit_ns
            }
        };
        !self.is_ended && !is_silent
    }

    /// Frees the member's place, when the connection is over.
    pub(crate) fn ended(&mut self, lobby: &mut Lobby) {
        let user = match &self.stage {
            Stage::Live(user, ..) => user,
            Stage::Asking(logon, _) | Stage::Answered(logon, _) => &logon.user,
            Stage::Waiting | Stage::Closing => return,
        };
        if let Some(member) = lobby.members.get_mut(user) {
            member.disconnected();
        }
        lobby.taken.remove(user);
    }

    /// The gateway stops.
    pub(crate) fn goodbye(&mut self, lobby: &mut Lobby, now: Now) {
        self.close(lobby, "the gateway stops", now);
        self.write_member();
    }

    fn read_member(&mut self) {
        let mut bytes = [0; 16_384];
        while self.inbound.len() < INBOUND_BYTES_MAX {
            match self.stream.read(&mut bytes) {
                Ok(0) => {
                    self.is_ended = true;
                    return;
                }
                Ok(read) => self.inbound.extend_from_slice(&bytes[..read]),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return,
                Err(_) => {
                    self.is_ended = true;
                    return;
                }
            }
        }
    }

    fn write_member(&mut self) {
        while !self.outbound.is_empty() {
            match self.stream.write(&self.outbound) {
                Ok(written) => drop(self.outbound.drain(..written)),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => break,
                Err(_) => {
                    self.is_ended = true;
                    return;
                }
            }
        }
        if self.outbound.len() > UNSENT_BYTES_MAX {
            tracing::warn!(from = %self.from, "cut off: it does not read");
            self.is_ended = true;
        }
    }

    /// Takes the member's messages, one after the other.
    fn take_messages(&mut self, lobby: &mut Lobby, registry: &Registry, now: Now) {
        while self.is_open(lobby) {
            let bytes = match split(&self.inbound) {
                Split::Incomplete => return,
                Split::Garbled(bytes) => {
                    self.inbound.drain(..bytes);
                    continue;
                }
                Split::Message(bytes) => bytes,
            };
            let message = Message::read(self.inbound.drain(..bytes).collect());
            if let Stage::Live(user, session, _) = &mut self.stage {
                let step = session.message(&message, now.unix_ns);
                let member = lobby.members.get_mut(user);
                match (step, member, &mut self.client) {
                    (Step::Application, Some(member), Some(client)) => {
                        member.asked(&message, session, client, now.unix_ns);
                    }
                    (Step::Close, ..) => self.part(lobby, now),
                    _ => {}
                }
            } else {
                self.logon(message, lobby, registry, now);
            }
        }
    }

    /// Whether there is a way to the venue.
    pub(crate) const fn has_venue(&self) -> bool {
        self.venue.is_some()
    }

    /// Whether something came from the venue, or is still to be sent to it.
    pub(crate) fn wants_turn(&mut self) -> bool {
        let has_news = self.venue.as_mut().is_some_and(Venue::has_news);
        let client = self.client.as_mut();
        has_news || client.is_some_and(|client| client.soup().unsent() > 0)
    }

    fn read_venue(&mut self, lobby: &mut Lobby, now: Now) {
        let (Some(venue), Some(client)) = (&mut self.venue, &mut self.client) else {
            return;
        };
        let (stage, members) = (&mut self.stage, &mut lobby.members);
        venue.read(&mut |bytes| {
            client.received(bytes, now.steady_ns, &mut |reply| {
                heard(stage, members, &reply, now);
            });
        });
    }

    fn write_venue(&mut self, now: Now) {
        if let (Some(venue), Some(client)) = (&mut self.venue, &mut self.client) {
            let send = &mut |bytes: &[u8]| venue.write(bytes);
            client.soup().transmit(now.steady_ns, send);
        }
    }

    /// Whether the member's messages are taken now.
    fn is_open(&self, lobby: &Lobby) -> bool {
        match &self.stage {
            Stage::Waiting => true,
            Stage::Live(user, _, reply) => {
                let member = lobby.members.get(user);
                member.is_some_and(|member| member.reply_next > *reply)
            }
            _ => false,
        }
    }

    /// What was said in this turn goes out, once it is on disk.
    fn settle(&mut self, lobby: &mut Lobby, now: Now) {
        let Stage::Live(user, session, _) = &mut self.stage else {
            return;
        };
        let is_over = session.poll(now.unix_ns) == Step::Close;
        let Some(member) = lobby.members.get_mut(user) else {
            return;
        };
        match member.settle(session, now.unix_ns) {
            Ok(bytes) => self.outbound.extend(bytes),
            Err(error) => {
                tracing::error!(user, %error, "numbers cannot be kept: cut off");
                self.is_ended = true;
            }
        }
        if is_over {
            self.part(lobby, now);
        }
    }

    /// Ends a session that has said goodbye, or an attempt at one.
    fn part(&mut self, lobby: &mut Lobby, now: Now) {
        if let Stage::Live(user, session, _) = &mut self.stage
            && let Some(member) = lobby.members.get_mut(user)
        {
            match member.settle(session, now.unix_ns) {
                Ok(bytes) => self.outbound.extend(bytes),
                Err(error) => tracing::error!(user, %error, "numbers cannot be kept"),
            }
        }
        self.ended(lobby);
        if let Some(client) = &mut self.client {
            let _ = client.soup().logout();
        }
        self.write_venue(now);
        self.venue = None;
        self.client = None;
        self.stage = Stage::Closing;
        self.since_ns = now.steady_ns;
    }

    /// Tells the member why the session ends.
    fn close(&mut self, lobby: &mut Lobby, text: &str, now: Now) {
        match &mut self.stage {
            Stage::Live(_, session, _) => {
                session.goodbye(text, now.unix_ns);
            }
            Stage::Asking(logon, _) | Stage::Answered(logon, _) => {
                let names = (lobby.config.comp_id.as_str(), logon.user.as_str());
                self.outbound.extend(refusal(names, text, now.unix_ns));
            }
            Stage::Waiting | Stage::Closing => {}
        }
        self.part(lobby, now);
    }
}

/// Takes what the venue said.
fn heard(stage: &mut Stage, members: &mut BTreeMap<String, Member>, reply: &Reply<'_>, now: Now) {
    match (stage, reply) {
        (Stage::Asking(_, day), Reply::Message(0, Outbound::AccountQueryResponse(answer))) => {
            day.user_ref_next = answer.next_user_ref().max(1);
        }
        // A venue without a reply says 1 as does one with a single reply, which then comes.
        (Stage::Asking(_, day), Reply::LoggedIn(number)) if *number > 1 => {
            day.reply_last = *number;
        }
        (Stage::Asking(_, day), Reply::Message(number, _)) => {
            day.reply_last = day.reply_last.max(*number);
        }
        (Stage::Live(user, session, _), Reply::Message(number, told)) => {
            if let Some(member) = members.get_mut(user) {
                match number {
                    0 => member.turned_away(told, session, now.unix_ns),
                    number => member.replied(*number, told, session, now.unix_ns),
                }
            }
        }
        _ => {}
    }
}
