//! MoldUDP64 packets in any order in, the messages in their order out.
//!
//! A packet that lies ahead of what is missing is held, so that one lost packet costs one request.
//! The protocol proves nothing about its sender: whoever can send to the feed's port can announce
//! messages that will never come.

use wire::mold::{HEADER_BYTES, Packet, PacketKind, Request};

use super::hold::{Hold, Kept};
use crate::SECOND_NS;

/// Sizes and times of a [`Receiver`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ReceiverConfig {
    /// The session to listen to; `None` takes that of the first packet and follows a change.
    pub session: Option<[u8; 10]>,
    /// Number of the first message wanted: 1 asks for all that were missed, 0 begins with the first
    /// packet that comes.
    pub sequence: u64,
    /// Packets kept that came ahead of a gap.
    pub held_packets: usize,
    /// Time after which an unanswered request is repeated.
    pub retry_ns: u64,
    /// The most messages asked for at a time.
    pub request_messages_max: u16,
}

impl Default for ReceiverConfig {
    fn default() -> Self {
        Self {
            session: None,
            sequence: 1,
            held_packets: 64,
            retry_ns: SECOND_NS / 10,
            request_messages_max: 1_000,
        }
    }
}

/// What a packet was.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Received {
    /// So many messages were handed on, those of held packets included; 0 for a heartbeat.
    Messages(usize),
    /// It lies behind a gap; it is held, or dropped when there is no room.
    Ahead,
    /// All of it was known.
    Duplicate,
    /// It belongs to another session than the configured one, or to the one before.
    OtherSession,
    /// It is no MoldUDP64 packet, or its blocks do not fit into it: nothing of it was used.
    Malformed,
}

/// Where a [`Receiver`] stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// No packet came yet.
    Waiting,
    /// Nothing is missing.
    Live,
    /// Messages are missing.
    Gap,
    /// Everything is held until a snapshot says where to go on.
    Joining,
    /// The session ended and all its messages were handed on.
    Ended,
}

/// What a [`Receiver`] saw.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ReceiverCounters {
    /// Messages handed on.
    pub messages: u64,
    /// Packets taken, whatever they were.
    pub packets: u64,
    /// Gaps that opened.
    pub gaps: u64,
    /// Requests given out.
    pub requests: u64,
    /// Packets of which everything was known.
    pub duplicates: u64,
    /// Packets ahead of a gap that there was no room for.
    pub dropped: u64,
    /// Packets of other sessions.
    pub other_session: u64,
    /// Packets that made no sense.
    pub malformed: u64,
    /// Changes to a new session.
    pub session_changes: u64,
}

/// One feed's receiver; give it the packets of both lines and the answers to its requests.
pub struct Receiver {
    config: ReceiverConfig,
    counters: ReceiverCounters,
    session: Option<[u8; 10]>,
    /// The session before the last change: its late packets must not change it back.
    session_before: Option<[u8; 10]>,
    /// Number of the next message to be handed on; 0 before it is known.
    expected: u64,
    /// The greatest next number that any packet announced.
    announced: u64,
    /// Number after the last message of the session, as far as anybody said that it is over.
    end: Option<u64>,
    heard: bool,
    /// When to ask for what is missing.
    ask_ns: u64,
    is_joining: bool,
    held: Hold,
}

impl Receiver {
    /// Takes all memory.
    #[must_use]
    pub fn new(config: ReceiverConfig) -> Self {
        Self {
            config,
            counters: ReceiverCounters::default(),
            session: config.session,
            session_before: None,
            expected: config.sequence,
            announced: config.sequence,
            end: None,
            heard: false,
            ask_ns: 0,
            is_joining: false,
            held: Hold::new(config.held_packets),
        }
    }

    /// Takes a packet; `on` gets each message in order, once, with its number.
    pub fn packet(
        &mut self,
        bytes: &[u8],
        now_ns: u64,
        on: &mut dyn FnMut(u64, &[u8]),
    ) -> Received {
        self.counters.packets += 1;
        let Some(packet) = read(bytes) else {
            self.counters.malformed += 1;
            return Received::Malformed;
        };
        if !self.follow(packet.session()) {
            self.counters.other_session += 1;
            return Received::OtherSession;
        }
        self.packet_read(&packet, bytes, now_ns, on)
    }

    /// Takes a packet of the session listened to.
    pub(super) fn packet_read(
        &mut self,
        packet: &Packet<'_>,
        bytes: &[u8],
        now_ns: u64,
        on: &mut dyn FnMut(u64, &[u8]),
    ) -> Received {
        if self.expected == 0 {
            self.expected = packet.sequence();
            self.announced = packet.sequence();
        }
        self.heard = true;
        let was_whole = self.expected >= self.announced;
        self.announced = self.announced.max(packet.next_sequence());
        if packet.kind() == PacketKind::EndOfSession {
            self.end = self.end.max(Some(packet.sequence()));
        }
        let received = self.take(packet, bytes, on);
        if self.expected < self.announced && !self.is_joining {
            self.counters.gaps += u64::from(was_whole);
            // A new gap, or an answer that left something missing: ask at once.
            if was_whole || matches!(received, Received::Messages(1..)) {
                self.ask_ns = now_ns;
            }
        }
        received
    }

    /// The request to be sent now to the re-request server, if one is due.
    pub fn poll(&mut self, now_ns: u64) -> Option<[u8; HEADER_BYTES]> {
        let session = self.session?;
        if self.is_joining || self.expected >= self.announced || now_ns < self.ask_ns {
            return None;
        }
        let behind = self.held.first().unwrap_or(self.announced);
        // Where no snapshot came, the next message itself may be held: it goes with its answer.
        let missing = behind.min(self.announced).saturating_sub(self.expected);
        let missing = missing.max(1);
        let most = self.config.request_messages_max.max(1);
        let count = u16::try_from(missing).unwrap_or(most).min(most);
        let mut request = [0; HEADER_BYTES];
        Request {
            session,
            sequence: self.expected,
            count,
        }
        .encode(&mut request)
        .ok()?;
        self.ask_ns = now_ns.saturating_add(self.config.retry_ns);
        self.counters.requests += 1;
        Some(request)
    }

    /// Where it stands.
    #[must_use]
    pub fn state(&self) -> State {
        match self.end {
            _ if self.is_joining => State::Joining,
            _ if !self.heard => State::Waiting,
            _ if self.expected < self.announced => State::Gap,
            // Beyond it the session went on: who sends it was started again.
            Some(end) if self.announced <= end => State::Ended,
            _ => State::Live,
        }
    }

    /// The session listened to, once it is known.
    #[must_use]
    pub const fn session(&self) -> Option<[u8; 10]> {
        self.session
    }

    /// Number of the next message to be handed on.
    #[must_use]
    pub const fn sequence_next(&self) -> u64 {
        self.expected
    }

    /// What it saw so far.
    #[must_use]
    pub const fn counters(&self) -> &ReceiverCounters {
        &self.counters
    }

    /// From now on everything is held; what there is no room for goes, the oldest first.
    pub fn join(&mut self) {
        self.is_joining = true;
    }

    /// There is no snapshot: goes on where it was, asking for what is missing.
    pub fn join_not(&mut self, now_ns: u64) {
        self.is_joining = false;
        self.ask_ns = now_ns;
    }

    /// A snapshot stands for everything before message number `next` of this session: what is held
    /// from there on is handed on. `announced` is the greatest next number to be believed.
    pub fn splice(&mut self, next: u64, announced: u64, on: &mut dyn FnMut(u64, &[u8])) {
        self.is_joining = false;
        self.heard = true;
        self.expected = next;
        self.announced = next.max(announced);
        self.release(on);
        self.ask_ns = 0;
        self.counters.messages += self.expected - next;
    }

    /// Begins with the first message of another session.
    pub fn begin(&mut self, session: [u8; 10]) {
        self.counters.session_changes += u64::from(self.session.is_some());
        self.session_before = self.session;
        self.session = Some(session);
        self.expected = 1;
        self.announced = 1;
        self.end = None;
        self.held.clear();
    }

    /// Wants this message first; before anything else was done.
    pub(super) const fn start(&mut self, sequence: u64) {
        self.expected = sequence;
        self.announced = sequence;
    }

    /// Lets go of what is held: it came from who is not to be trusted.
    pub(super) fn forget_held(&mut self) {
        self.held.clear();
    }

    /// The session before the last change.
    #[must_use]
    pub const fn session_before(&self) -> Option<[u8; 10]> {
        self.session_before
    }

    /// The greatest next number that was announced.
    #[must_use]
    pub const fn announced(&self) -> u64 {
        self.announced
    }

    /// Whether a packet's session is the one listened to, after a change to a new one if need be.
    fn follow(&mut self, session: [u8; 10]) -> bool {
        if self.session == Some(session) {
            return true;
        }
        if self.config.session.is_some() || self.session_before == Some(session) {
            return false;
        }
        if self.session.is_some() {
            self.begin(session);
        }
        self.session = Some(session);
        true
    }

    fn take(
        &mut self,
        packet: &Packet<'_>,
        bytes: &[u8],
        on: &mut dyn FnMut(u64, &[u8]),
    ) -> Received {
        if packet.message_count() == 0 {
            return Received::Messages(0);
        }
        if packet.next_sequence() <= self.expected {
            self.counters.duplicates += 1;
            return Received::Duplicate;
        }
        if packet.sequence() > self.expected || self.is_joining {
            self.hold(packet, bytes);
            return Received::Ahead;
        }
        let before = self.expected;
        self.expected = hand_on(packet, self.expected, on);
        self.release(on);
        let messages = self.expected - before;
        self.counters.messages += messages;
        Received::Messages(messages as usize)
    }

    /// Keeps a packet that came too early, if there is a place for it.
    fn hold(&mut self, packet: &Packet<'_>, bytes: &[u8]) {
        let mut kept = self.held.keep(packet, bytes);
        if kept == Kept::NoRoom && self.is_joining && self.held.forget_first() {
            self.counters.dropped += 1;
            kept = self.held.keep(packet, bytes);
        }
        match kept {
            Kept::Here => {}
            Kept::Known => self.counters.duplicates += 1,
            Kept::NoRoom => self.counters.dropped += 1,
        }
    }

    /// Hands on the held packets that nothing is missing before any more.
    fn release(&mut self, on: &mut dyn FnMut(u64, &[u8])) {
        while let Some(packet) = self.held.due(self.expected) {
            self.expected = hand_on(&packet, self.expected, on);
        }
    }
}

/// Reads a packet; numbers begin at 1.
pub(super) fn read(bytes: &[u8]) -> Option<Packet<'_>> {
    let packet = Packet::parse(bytes).ok()?;
    (packet.sequence() > 0).then_some(packet)
}

/// Hands on the messages of a packet from `expected` on; gives the number after the last one.
fn hand_on(packet: &Packet<'_>, expected: u64, on: &mut dyn FnMut(u64, &[u8])) -> u64 {
    for (sequence, message) in packet.blocks() {
        if sequence >= expected {
            on(sequence, message);
        }
    }
    expected.max(packet.next_sequence())
}
