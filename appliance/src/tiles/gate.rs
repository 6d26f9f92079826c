//! The gate tile: members' bytes to commands, events to members' replies.
//!
//! It owns the listening port and the protocol. An event becomes a reply only when the ack rule
//! allows it; until then it stays in the ring, which so is the hold buffer.

mod behind;
mod counters;
mod last;
mod past;

use super::doing::Part;
use super::held::Held;
use super::signals::tell_once;
use super::{BATCH, FIGURES_NS, Phase, Progress, Signals, Tile};
use crate::topology::{Ack, Topology};
use crate::venue::logins::LoginLinks;
use crate::venue::seats::Seats;
use behind::Behind;
use counters::Counters;
use last::LastRoom;
use nic::{Conn, Stamp, TcpEvent, TcpPort};
pub(crate) use past::{GatePast, MemberTicket};
use queue::{CounterSet, Error, Reader, Writer};
use session::order_entry::{Answer, Cause, OrderEntry, SAY_BYTES_MAX};
use std::cell::Cell;
use std::collections::BTreeSet;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use wire::ring::{Command, Event};

/// How long a peer that was sent everything gets to close its side, too. Leaving at once could
/// reset the connection and overtake our last bytes.
const PARTING_NS: u64 = 200_000_000;

/// What members are told when a part of the venue failed, in a debug packet: the protocol has no
/// other word for it.
const FAILED: &str = "the venue failed and stops: nothing more is acknowledged, what was stays";

/// What they are told when it was the journal.
const JOURNAL_FAILED: &str =
    "the journal's disk failed and the venue stops: nothing more is acknowledged, what was stays";

const _: () = assert!(FAILED.len() <= SAY_BYTES_MAX && JOURNAL_FAILED.len() <= SAY_BYTES_MAX);

/// The tile's ends of its links.
#[derive(Debug)]
pub struct GateLinks {
    /// Commands for the engine.
    pub commands: Writer<Command>,
    /// Events of the engine.
    pub events: Reader<Event>,
}

/// The door for members.
pub struct GateTile<T: TcpPort> {
    tcp: T,
    entry: OrderEntry,
    links: GateLinks,
    logins: Option<LoginLinks>,
    signals: Signals,
    ack: Ack,
    held: Held,
    behind: Behind,
    /// This turn, somebody had no room for what the gate had for them.
    is_refused: bool,
    /// How often a command had waited for the engine before this turn.
    held_back: u64,
    /// Connections that neither side has ended.
    open: BTreeSet<u32>,
    /// Those of them that were told the end of the session.
    parted: BTreeSet<u32>,
    /// Inputs whose events were all taken.
    inputs: u64,
    /// The input that opens the day: before its events nobody's bytes are read.
    opening: u64,
    ending_since_ns: Option<u64>,
    /// Since when nobody has anything left to be sent.
    sent_since_ns: Option<u64>,
    cutoff_ns: u64,
    /// Where replies are that memory does not hold, if anywhere.
    past: Option<GatePast>,
    figures_ns: u64,
    counters: Counters,
    seats: Seats,
}

impl<T: TcpPort + Send> GateTile<T> {
    /// Goes on behind the input number `inputs`, which `entry` has seen.
    ///
    /// # Errors
    /// A counter is missing or taken.
    pub fn new(
        tcp: T,
        (entry, inputs): (OrderEntry, u64),
        links: GateLinks,
        topology: &Topology,
        set: &mut CounterSet,
    ) -> Result<Self, Error> {
        let mut counters = Counters::new(set)?;
        counters.inputs.set(inputs);
        Ok(Self {
            tcp,
            entry,
            links,
            logins: None,
            signals: Signals::new(set)?,
            ack: topology.ack,
            held: Held::default(),
            behind: Behind::new(topology),
            is_refused: false,
            held_back: 0,
            open: BTreeSet::new(),
            parted: BTreeSet::new(),
            inputs,
            opening: inputs,
            ending_since_ns: None,
            sent_since_ns: None,
            cutoff_ns: topology.ending.cutoff.as_nanos() as u64,
            past: None,
            figures_ns: 0,
            counters,
            seats: Seats::new(topology, set),
        })
    }

    /// The same gate, which reads nobody's bytes before it has seen the input number `opening`: an
    /// order that overtakes the definition of its symbol would be refused.
    #[must_use]
    pub fn opening_at(mut self, opening: u64) -> Self {
        self.opening = opening;
        self
    }

    /// The same gate, which has logins judged by a worker.
    #[must_use]
    pub fn asking(mut self, logins: Option<LoginLinks>) -> Self {
        self.logins = logins;
        self
    }

    /// The same gate, whose members get from streams what memory does not hold.
    #[must_use]
    pub(crate) fn recalling(mut self, past: Option<GatePast>) -> Self {
        self.entry.keep(past.is_some());
        self.past = past;
        self
    }

    /// The port, for its address and figures.
    #[must_use]
    pub const fn tcp(&self) -> &T {
        &self.tcp
    }

    /// The protocol's figures.
    #[must_use]
    pub const fn entry(&self) -> &OrderEntry {
        &self.entry
    }

    /// Members that were cut off at the end because they did not read.
    #[must_use]
    pub const fn cut_off(&self) -> u64 {
        self.counters.cut_off.get()
    }

    /// Reads the port and hands its bytes to the protocol.
    fn receive(&mut self, now_ns: u64, is_taking: bool) -> usize {
        let Self {
            tcp,
            entry,
            links,
            held,
            open,
            parted,
            signals,
            is_refused,
            ..
        } = self;
        let mut room = LastRoom::of(signals, entry);
        // When the bytes were first seen of which a command comes.
        let seen_ns = Cell::new(now_ns);
        let mut sink = |command: Command| {
            let is_taken = is_taking
                && room.passes(&command)
                && links.commands.put(seen_ns.get(), &command).is_ok();
            *is_refused |= is_taking && !is_taken;
            is_taken
        };
        entry.poll(now_ns, &mut sink);
        if !is_taking {
            // A gate that takes no more commands has no use for what it has no room for.
            held.clear();
        }
        let mut work = held.offer(|conn, bytes| entry.received(conn, bytes, now_ns, &mut sink));
        let mut turned_away = Vec::new();
        work += tcp.poll_stamped(&mut |touched, event| match event {
            TcpEvent::Opened { conn, peer } => {
                open.insert(conn.0);
                if entry.opened_from(conn.0, address_of(peer), now_ns).is_err() {
                    turned_away.push(conn);
                }
            }
            TcpEvent::Data { conn, bytes } => {
                let mut rest = bytes;
                seen_ns.set(touched.map_or(now_ns, Stamp::ns));
                if !held.has(conn.0) {
                    let taken = entry.received(conn.0, bytes, now_ns, &mut sink);
                    rest = bytes.get(taken..).unwrap_or(&[]);
                }
                if !rest.is_empty() && is_taking {
                    held.push(conn.0, rest);
                }
            }
            TcpEvent::Closed { conn } => {
                open.remove(&conn.0);
                parted.remove(&conn.0);
                held.forget(conn.0);
                entry.closed(conn.0);
            }
        });
        held.settle(|conn, is_paused| tcp.pause(Conn(conn), is_paused));
        for conn in turned_away {
            tcp.close(conn);
        }
        links.commands.publish();
        work
    }

    /// Hands on logins that are to be judged, and takes what was.
    fn judge(&mut self, now_ns: u64) -> usize {
        let (Some(logins), entry) = (&mut self.logins, &mut self.entry) else {
            return 0;
        };
        while let Some((login, hash)) = entry.secret() {
            logins.change(login, hash);
        }
        let mut work = 0;
        while let Some((conn, number, answer)) = logins.answer() {
            entry.answered(conn, number, answer, now_ns);
            work += 1;
        }
        while let Some(question) = entry.question() {
            if !logins.ask(&question) {
                entry.answered(question.conn, question.number, Answer::Busy, now_ns);
            }
            work += 1;
        }
        work
    }

    /// Turns events into replies as far as the ack rule allows.
    fn events_take(&mut self, now_ns: u64, phase: Phase) -> usize {
        if phase == Phase::Failing {
            return 0;
        }
        let allowed = self.signals.released(self.ack, self.inputs);
        for count in 0..BATCH {
            if self.inputs >= allowed {
                return count;
            }
            let Some((time_ns, event)) = self.links.events.peek() else {
                return count;
            };
            self.entry.on_event(&event, time_ns);
            self.links.events.advance();
            if event.has(Event::LAST) {
                self.inputs += 1;
                self.counters
                    .reply_ns
                    .record(now_ns.saturating_sub(time_ns));
            }
        }
        BATCH
    }

    /// Sends what is due and closes what the protocol wants closed.
    fn transmit(&mut self, now_ns: u64) -> usize {
        let Self {
            tcp,
            entry,
            held,
            open,
            parted,
            is_refused,
            ..
        } = self;
        let mut work = 0;
        entry.transmit(now_ns, &mut |conn, bytes| {
            let taken = tcp.send(Conn(conn), bytes);
            *is_refused |= taken < bytes.len();
            work += taken;
            taken
        });
        while let Some((conn, cause)) = entry.closing() {
            held.forget(conn);
            tcp.close(Conn(conn));
            // The end of the venue waits for those who get their last replies, and for nobody else.
            if cause == Cause::Ended && open.contains(&conn) {
                parted.insert(conn);
            } else {
                open.remove(&conn);
            }
            work += 1;
        }
        tcp.flush();
        work
    }

    fn counters_set(&mut self) {
        let counters = &mut self.counters;
        counters.commands.set(self.links.commands.position());
        counters.inputs.set(self.inputs);
        counters.held_bytes.set(self.held.bytes() as u64);
        counters.of_members(self.entry.counters(), self.open.len() as u64);
    }

    /// Looks how far the streams are, and tells what the port counts.
    fn figures_set(&mut self, now_ns: u64) {
        if now_ns.saturating_sub(self.figures_ns) < FIGURES_NS {
            return;
        }
        self.figures_ns = now_ns;
        if let Some(past) = &mut self.past {
            past.cover(&mut self.entry);
        }
        let counts = self.entry.counters();
        let refused = counts.refused + counts.refused_address;
        self.counters.of_port(&self.tcp.stats(), refused);
        self.seats.set(&self.entry, now_ns);
    }

    /// The gate's part of the venue's end.
    fn end(&mut self, now_ns: u64, phase: Phase) {
        tell_once(&mut self.counters.stopped, self.links.commands.position());
        if phase == Phase::Draining {
            let is_through = self.signals.sequence_last() == Some(self.inputs);
            self.counters.through.set(u64::from(is_through));
            return;
        }
        // A failed venue does not call its day complete: members get what is on its way, no more.
        let is_failed = phase == Phase::Failing;
        let since_ns = *self.ending_since_ns.get_or_insert_with(|| {
            match (is_failed, self.signals.has_journal_failed()) {
                (true, true) => self.entry.say(JOURNAL_FAILED),
                (true, false) => self.entry.say(FAILED),
                (false, _) => self.entry.end(),
            }
            now_ns
        });
        if self.counters.done.get() == 1 {
            return;
        }
        let Self {
            tcp, open, parted, ..
        } = self;
        let is_reading = |conn: &&u32| {
            let is_told = is_failed || parted.contains(conn);
            !is_told || tcp.unsent(Conn(**conn)) > 0
        };
        let reading = open.iter().filter(is_reading).count();
        if reading > 0 {
            self.sent_since_ns = None;
            if now_ns.saturating_sub(since_ns) < self.cutoff_ns {
                return;
            }
        } else if !self.open.is_empty() {
            let sent_ns = *self.sent_since_ns.get_or_insert(now_ns);
            if now_ns.saturating_sub(sent_ns) < PARTING_NS {
                return;
            }
        }
        self.counters.cut_off.set(reading as u64);
        for conn in std::mem::take(&mut self.open) {
            self.entry.closed(conn);
            self.tcp.close(Conn(conn));
        }
        self.counters.done.set(1);
    }
}

/// Where a connection comes from; members come by IPv4.
fn address_of(peer: SocketAddr) -> Ipv4Addr {
    match peer.ip() {
        IpAddr::V4(address) => address,
        IpAddr::V6(_) => Ipv4Addr::UNSPECIFIED,
    }
}

impl<T: TcpPort + Send> Tile for GateTile<T> {
    /// Replies go first: they are older than what comes in, and the engine has its turn next.
    fn poll(&mut self, now_ns: u64) -> Progress {
        let phase = self.signals.phase();
        self.is_refused = false;
        self.counters.doing.now(Part::Events);
        let mut work = self.events_take(now_ns, phase);
        self.counters.doing.now(Part::Transmit);
        if let Some(past) = &mut self.past {
            work += past.turn(&mut self.entry, now_ns);
        }
        work += self.transmit(now_ns);
        if self.inputs >= self.opening {
            self.counters.doing.now(Part::Receive);
            let held_back = self.entry.counters().held_back;
            let is_waiting = std::mem::replace(&mut self.held_back, held_back) != held_back;
            let room = self.links.commands.room();
            let is_late = self.behind.is_too_long(now_ns, is_waiting, room);
            self.entry.overloaded(is_late);
            let is_taking = phase == Phase::Running && !self.signals.has_journal_failed();
            work += self.receive(now_ns, is_taking);
            work += self.judge(now_ns);
        }
        self.counters.doing.now(Part::Figures);
        if work > 0 {
            self.counters_set();
        }
        self.figures_set(now_ns);
        if phase != Phase::Running {
            self.end(now_ns, phase);
        }
        self.counters.doing.now(Part::Elsewhere);
        let Self {
            links, is_refused, ..
        } = self;
        // An event that was not taken is one that may not leave yet.
        Progress::or_waiting(work, || *is_refused || links.events.peek().is_some())
    }

    fn failure(&self) -> Option<&str> {
        None
    }
}
