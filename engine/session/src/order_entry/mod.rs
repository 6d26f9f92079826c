//! The server's side of order entry: OUCH 5.0 on SoupBinTCP 3.00.
//!
//! A member's session is a numbered stream of replies, kept whole for the day in a store of fixed
//! size, or its newest ones there and the others elsewhere; a connection is a cursor in it. What a
//! connection loses, the next one reads again. All
//! replies come from the engine's events, so that replaying the journal rebuilds every store; the
//! only exceptions are the answer to an account query, which goes unsequenced, and login replies.
//!
//! What OUCH says and this does not:
//! - Modify (`M`) is ignored and counted, as the exchange ignores a modify that it cannot honour:
//!   it asks for another side or fewer units under an own reply, which the engine has no command
//!   for.
//! - An order with attributes goes to the engine behind an `Extra` command. One with attributes
//!   that are not offered is refused there; so is one that names another firm, under an own reject
//!   code.
//! - A post-only order that would trade is rejected; the exchange accepts and cancels it.
//! - An iceberg's refresh is Restated with the new order number as secondary reference.
//! - A parked order that comes to life and a pegged one that is repriced have a Priority Update
//!   with the new order number; a price of 0 says that a peg has none now.
//! - Market states have no message: the feed tells them. A trade in an auction has the cross's
//!   letter as its liquidity flag.
//! - An order for the opening or closing cross may say that it lives for the day or that it is to
//!   trade at once: both mean the same. A replacement stays in the replaced order's cross. A peg's
//!   offset is counted as `docs/matching.md` says.

mod accepted;
mod access;
mod broken;
mod cause;
mod config;
mod connection;
mod deadlines;
mod drop_copy;
mod handles;
mod login;
mod mandates;
mod mass;
mod orders;
mod places;
mod presence;
mod read;
mod recall;
mod refuse;
mod repeats;
mod replies;
mod session;
mod settings;
mod state;
mod symbols;
mod throttle;
mod turn;
mod unread;

pub use access::{PASSWORD_LETTERS, is_password};
pub use cause::{Cause, Counters, Malformed};
pub use config::{
    CONNECTIONS_MAX, Config, ConfigError, INBOUND_BYTES_MIN, MEMBERS_MAX, Member, STORE_BYTES_MIN,
};
pub use drop_copy::DropCopy;
pub use login::{Answer, Question};
pub use recall::{Recall, pack};
pub use replies::{REJECT_CODE_OWN, cancel_letter, reject_code, reject_reason};

use core::net::Ipv4Addr;
use std::collections::BTreeMap;

pub use settings::{
    NETWORKS_MAX, Named, SECRET_LETTERS_MAX, SETTING_COMMANDS_MAX, Setting, Settings,
};
pub use throttle::Rate;

use wire::ring::{Command, Input};

use crate::Network;
use crate::SECOND_NS;
use crate::challenge::Nonces;
use access::may_come;
use connection::Connection;
use mandates::Mandates;
use places::Places;
use session::Session;
use symbols::Symbols;
use turn::Lists;

/// How long the last words to a connection may take.
const LINGER_NS: u64 = SECOND_NS;

/// The longest text that [`OrderEntry::say`] says.
pub const SAY_BYTES_MAX: usize = 100;

/// There is no place for another connection, or none for one from there: close the new one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TableFull;

/// All members' sessions and connections.
///
/// A connection is named by a number of the caller's choice that no other open one has.
pub struct OrderEntry {
    config: Config,
    members: Vec<Member>,
    drop_copies: Vec<DropCopy>,
    /// Of the members, then of the drop copies.
    sessions: Vec<Session>,
    /// Of their slots.
    connections: Vec<Option<Box<Connection>>>,
    /// By slot, too: where its last connection came from.
    peers: Vec<Ipv4Addr>,
    /// Logins that were asked for.
    logins_asked: u64,
    /// What connections are greeted with, if they are.
    nonces: Option<Nonces>,
    lists: Lists,
    /// Members whose order must follow its `Extra`.
    owing: Places,
    /// Members of whose coming or going the sequencer is to be told.
    telling: Places,
    /// What operators changed of members.
    settings: BTreeMap<usize, Settings>,
    /// Members whose password has another hash, and nobody was told.
    secrets: Places,
    symbols: Symbols,
    mandates: Mandates,
    counters: Counters,
    /// Some store is full.
    full: bool,
    /// Replies that gave way and are not kept elsewhere will be.
    are_kept: bool,
    ended: bool,
    /// New orders are refused, as the venue has too much to do.
    is_overloaded: bool,
    /// Where reading starts, so that no connection is always first.
    turn: usize,
}

impl OrderEntry {
    /// Takes all memory.
    ///
    /// # Errors
    /// What is wrong with the configuration.
    pub fn new(config: Config, members: &[Member]) -> Result<Self, ConfigError> {
        config.check(members)?;
        Ok(Self {
            members: members.to_vec(),
            drop_copies: Vec::new(),
            sessions: members.iter().map(|_| Session::new(&config)).collect(),
            connections: (0..config.connections).map(|_| None).collect(),
            peers: vec![Ipv4Addr::UNSPECIFIED; config.connections],
            logins_asked: 0,
            nonces: None,
            lists: Lists::new(config.connections),
            owing: Places::EMPTY,
            telling: Places::EMPTY,
            settings: BTreeMap::new(),
            secrets: Places::EMPTY,
            symbols: Symbols::new(config.symbols),
            mandates: Mandates::default(),
            counters: Counters::default(),
            full: false,
            are_kept: false,
            ended: false,
            is_overloaded: false,
            turn: 0,
            config,
        })
    }

    /// The same, with these drop copies; before it has seen anything.
    ///
    /// # Errors
    /// What is wrong with them.
    pub fn with_drop_copies(mut self, copies: &[DropCopy]) -> Result<Self, ConfigError> {
        self.config.check_copies(&self.members, copies)?;
        self.sessions.extend(copies.iter().map(Session::watching));
        self.drop_copies = copies.to_vec();
        Ok(self)
    }

    /// A connection came from nowhere: where it comes from does not matter.
    ///
    /// # Errors
    /// There are as many connections as were configured.
    pub fn opened(&mut self, conn: u32, now_ns: u64) -> Result<(), TableFull> {
        self.opened_from(conn, Ipv4Addr::UNSPECIFIED, now_ns)
    }

    /// A connection came from an address.
    ///
    /// # Errors
    /// There are as many connections as were configured, or as many from there, or nobody may log
    /// in from there.
    pub fn opened_from(&mut self, conn: u32, peer: Ipv4Addr, now_ns: u64) -> Result<(), TableFull> {
        self.closed(conn);
        if !peer.is_unspecified() && !self.is_welcome(peer) {
            self.counters.refused_address += 1;
            return Err(TableFull);
        }
        let Some(slot) = self.lists.free.from(0) else {
            self.counters.refused += 1;
            return Err(TableFull);
        };
        let mut connection = Connection::new(conn, peer, self.config.inbound_bytes, now_ns);
        self.challenge(&mut connection, now_ns);
        self.peers[slot] = peer;
        self.connections[slot] = Some(Box::new(connection));
        self.lists.free.remove(slot);
        self.lists.handles.insert(conn, slot);
        self.settle(slot, now_ns);
        self.counters.opened += 1;
        Ok(())
    }

    /// Whether another connection may come from there.
    fn is_welcome(&self, peer: Ipv4Addr) -> bool {
        let all = self.connections.iter().zip(&self.peers);
        let from = all.filter(|(one, from)| **from == peer && one.is_some());
        from.count() < self.config.connections_an_address
            && (0..self.sessions.len()).any(|index| may_come(self.networks(index), peer))
    }

    /// Where a member or drop copy may log in from.
    fn networks(&self, index: usize) -> &[Network] {
        match index.checked_sub(self.members.len()) {
            None => &self.members[index].networks,
            Some(copy) => &self.drop_copies[copy].networks,
        }
    }

    /// Bytes came on a connection. Gives how many were taken into its bounded buffer: offer the
    /// others again later. Whole packets are read at once; `sink` says whether it took a command,
    /// and after a no everything that follows on this connection stays in the buffer until
    /// [`OrderEntry::poll`]. An unknown connection takes all and forgets it.
    pub fn received(
        &mut self,
        conn: u32,
        bytes: &[u8],
        now_ns: u64,
        sink: &mut dyn FnMut(Command) -> bool,
    ) -> usize {
        let Some(slot) = self.slot(conn) else {
            return bytes.len();
        };
        let mut rest = bytes;
        while let Some(connection) = &mut self.connections[slot] {
            connection.heard_ns = now_ns;
            if connection.cause.is_some() {
                self.counters.bytes_unread += rest.len() as u64;
                return bytes.len();
            }
            let room = connection.inbound.room();
            let (now, later) = rest.split_at(room.min(rest.len()));
            if now.is_empty() {
                break;
            }
            connection.inbound.push(now);
            rest = later;
            self.read(slot, now_ns, sink);
        }
        bytes.len() - rest.len()
    }

    /// Whether new orders and replacements are refused from here on, because the venue has too much
    /// to do. Cancels go on.
    pub const fn overloaded(&mut self, is_overloaded: bool) {
        self.is_overloaded = is_overloaded;
    }

    /// The other side closed the connection, or it broke: what it sent and was not read is lost.
    pub fn closed(&mut self, conn: u32) {
        let Some(slot) = self.slot(conn) else { return };
        let Some(connection) = self.connections[slot].take() else {
            return;
        };
        self.lists.forget(slot, conn);
        if connection.cause.is_none() {
            self.counters.closed_by_peer += 1;
            self.counters.bytes_unread += connection.inbound.bytes().len() as u64;
            self.leave(&connection, slot);
        }
    }

    /// Takes an input of the journal, before its events, instead of reading it from a connection.
    pub fn replayed(&mut self, input: &Input) {
        if let Some(index) = self.member_of(input.command.session)
            && !self.note(index, &input.command)
        {
            self.counters.replies_lost += 1;
        }
    }

    /// The numbers under which orders must follow: the sink took what they ask for.
    pub fn owing(&self) -> impl Iterator<Item = u16> {
        let first = self.owing.from(0);
        let indices = std::iter::successors(first, |index| self.owing.from(index + 1));
        indices.filter_map(|index| self.sessions[index].owes_under())
    }

    /// Whether the next event may push out replies: for who must [`drain`](Self::drain) them all,
    /// since the last time that it did.
    #[must_use]
    pub const fn is_full(&self) -> bool {
        self.full
    }

    /// Bytes that [`OrderEntry::received`] would take for this connection now.
    #[must_use]
    pub fn inbound_room(&self, conn: u32) -> usize {
        let connection = self
            .slot(conn)
            .and_then(|slot| self.connections[slot].as_ref());
        connection.map_or(0, |one| one.inbound.room())
    }

    /// Connections that are open, logged in or not.
    #[must_use]
    pub fn connections(&self) -> usize {
        self.connections
            .iter()
            .flatten()
            .filter(|one| one.cause.is_none())
            .count()
    }

    /// Replies in a member's store; `session` is its number, from 1. Those of drop copies follow.
    #[must_use]
    pub fn replies(&self, session: u16) -> u64 {
        let session = self.sessions.get(usize::from(session).wrapping_sub(1));
        session.map_or(0, |session| session.store.count())
    }

    /// What happened so far.
    #[must_use]
    pub const fn counters(&self) -> &Counters {
        &self.counters
    }

    fn slot(&self, conn: u32) -> Option<usize> {
        self.lists.handles.get(conn)
    }

    /// Remembers a command on its way to the engine; `false` when there is no room.
    fn note(&mut self, index: usize, command: &Command) -> bool {
        let session = &mut self.sessions[index];
        let noted = session.note(command);
        self.owing.put(index, session.owes());
        noted
    }

    /// Names the cause for which a connection must be closed.
    fn shut(&mut self, connection: &mut Connection, slot: usize, cause: Cause, now_ns: u64) {
        connection.close(cause, now_ns);
        self.counters.closed(cause);
        self.counters.bytes_unread += connection.inbound.bytes().len() as u64;
        connection.inbound.clear();
        self.leave(connection, slot);
    }

    /// Frees the member for another connection.
    fn leave(&mut self, connection: &Connection, slot: usize) {
        if let Some(index) = connection.session
            && self.sessions[index].slot == Some(slot)
        {
            self.sessions[index].slot = None;
            self.presence_changed(index);
        }
    }

    fn define_symbol(&mut self, number: u16, name: u64) {
        if !self.symbols.define(number, name.to_le_bytes()) {
            self.counters.symbols_beyond += 1;
        }
    }
}
