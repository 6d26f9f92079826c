//! A feed by two lines: the first copy of each message counts, and what neither brought is asked
//! for; where nobody answers, a snapshot stands for it.
//!
//! The protocol proves nothing about its sender, so the lines watch one another. Where they say
//! different things about one message, the re-request server is asked, and a line that it
//! contradicts is shut out until it agrees again. The session changes only when every line says
//! so, or a line and the snapshot server.

mod config;
mod dispute;
mod line;
mod watch;
mod window;

pub use config::{Fed, LINES_MAX, LinesConfig, Want, Way};
pub use line::LineCounters;

use std::collections::VecDeque;

use wire::mold::Packet;

use super::receiver::{self, Received, Receiver, ReceiverCounters, State};
use dispute::{DISPUTES_MAX, Dispute};
use line::Line;
use window::{Window, hash};

/// A feed's receiver by several lines.
pub struct Lines {
    config: LinesConfig,
    receiver: Receiver,
    lines: [Line; LINES_MAX],
    /// What came by each line, by answers, and last what was handed on.
    windows: [Window; LINES_MAX + 2],
    answers: LineCounters,
    /// Disputes that are not settled; the first one is asked about.
    open: VecDeque<Dispute>,
    disputes: u64,
    /// Something wrong may have been handed on: only a snapshot mends that.
    is_suspect: bool,
    snapshots: u64,
    /// When the next snapshot may be wanted.
    snapshot_ns: u64,
    /// When the missing message that is the next one began to be missing.
    gap: Option<(u64, u64)>,
    /// Since when a line alone has named another session.
    change_ns: Option<u64>,
    /// When everything that was announced had last been handed on.
    fresh_ns: u64,
}

/// Index of the window of what was handed on.
const TAKEN: usize = LINES_MAX + 1;

impl Lines {
    /// Takes all memory. Time begins at `now_ns`.
    #[must_use]
    pub fn new(config: LinesConfig, now_ns: u64) -> Self {
        Self {
            receiver: Receiver::new(config.receiver),
            lines: [const { Line::new() }; LINES_MAX],
            windows: [(); LINES_MAX + 2].map(|()| Window::new()),
            answers: LineCounters::default(),
            open: VecDeque::with_capacity(DISPUTES_MAX),
            disputes: 0,
            is_suspect: false,
            snapshots: 0,
            snapshot_ns: now_ns,
            gap: None,
            change_ns: None,
            fresh_ns: now_ns,
            config: LinesConfig {
                lines: config.lines.clamp(1, LINES_MAX),
                ..config
            },
        }
    }

    /// Takes a packet; `on` gets what is to be handed on.
    pub fn packet(
        &mut self,
        way: Way,
        bytes: &[u8],
        now_ns: u64,
        on: &mut dyn FnMut(Fed<'_>),
    ) -> Received {
        let Some(packet) = receiver::read(bytes) else {
            self.counters_of(way).malformed += 1;
            return Received::Malformed;
        };
        self.counters_of(way).packets += 1;
        if !self.follow(way, &packet, now_ns, on) {
            self.counters_of(way).other_session += 1;
            return Received::OtherSession;
        }
        if let Way::Line(_) = way {
            self.lines[way.index()].place(&packet);
            if self.lines.iter().all(|line| line.session_other.is_none()) {
                self.change_ns = None;
            }
        }
        self.compare(way, &packet);
        if self.is_shut(way) {
            return Received::Duplicate;
        }
        if let Way::Line(_) = way
            && self.is_ahead_of(way.index(), now_ns)
        {
            self.doubt();
        }
        self.take(way, &packet, bytes, now_ns, on)
    }

    /// What is to be done now. Call it at least twenty times a second.
    pub fn poll(&mut self, now_ns: u64) -> Want {
        self.gap_watch(now_ns);
        if let Some(request) = self.dispute_poll(now_ns) {
            return Want::Request(request);
        }
        if self.wants_snapshot(now_ns) {
            self.receiver.join();
            self.snapshots += 1;
            return Want::Snapshot;
        }
        match self.receiver.poll(now_ns) {
            Some(request) => Want::Request(request),
            None => Want::Nothing,
        }
    }

    /// A snapshot of this session was taken, which stands for every message before number `next`;
    /// what follows is handed on. `false`, and nothing changed, when no line knows the session.
    pub fn splice(
        &mut self,
        session: [u8; 10],
        next: u64,
        now_ns: u64,
        on: &mut dyn FnMut(Fed<'_>),
    ) -> bool {
        if self.receiver.session() != Some(session) {
            let names = |line: &Line| line.session_other == Some(session);
            if self.receiver.session().is_some() && !self.lines.iter().any(names) {
                self.splice_not(now_ns);
                return false;
            }
            self.begin(session);
        }
        let heard = self.lines[..self.config.lines].iter();
        let announced = heard.map(|line| line.next_last).filter(|next| *next > 0);
        let announced = announced.min().unwrap_or(next);
        let windows = &mut self.windows;
        self.receiver
            .splice(next, announced, &mut |sequence, message| {
                windows[TAKEN].put(sequence, hash(message));
                on(Fed::Message(sequence, message));
            });
        if self.lines.iter().all(|line| line.quarantine.is_some()) {
            self.lines
                .iter_mut()
                .for_each(|line| line.quarantine = None);
        }
        self.lines.iter_mut().for_each(Line::pardon);
        self.is_suspect = false;
        self.gap = None;
        self.change_ns = None;
        self.snapshot_ns = now_ns;
        self.freshen(now_ns);
        true
    }

    /// No snapshot can be had now: goes on where it was.
    pub fn splice_not(&mut self, now_ns: u64) {
        self.receiver.join_not(now_ns);
        self.snapshot_ns = now_ns.saturating_add(self.config.patience_ns);
        self.gap = None;
        self.change_ns = None;
    }

    /// Where the stream stands.
    #[must_use]
    pub fn state(&self) -> State {
        self.receiver.state()
    }

    /// Whether a line is shut out.
    #[must_use]
    pub fn is_quarantined(&self, line: usize) -> bool {
        self.lines[line % LINES_MAX].quarantine.is_some()
    }

    /// The session listened to, once it is known.
    #[must_use]
    pub const fn session(&self) -> Option<[u8; 10]> {
        self.receiver.session()
    }

    /// Number of the next message to be handed on.
    #[must_use]
    pub const fn sequence_next(&self) -> u64 {
        self.receiver.sequence_next()
    }

    /// What all ways together came to.
    #[must_use]
    pub const fn counters(&self) -> &ReceiverCounters {
        self.receiver.counters()
    }

    /// What came one way.
    #[must_use]
    pub fn counters_by(&self, way: Way) -> &LineCounters {
        match way {
            Way::Line(_) => &self.lines[way.index()].counters,
            Way::Answer => &self.answers,
        }
    }

    /// Snapshots that were wanted so far.
    #[must_use]
    pub const fn snapshots(&self) -> u64 {
        self.snapshots
    }

    /// Messages that two ways told differently, so far.
    #[must_use]
    pub const fn disputes(&self) -> u64 {
        self.disputes
    }

    fn counters_of(&mut self, way: Way) -> &mut LineCounters {
        match way {
            Way::Line(_) => &mut self.lines[way.index()].counters,
            Way::Answer => &mut self.answers,
        }
    }

    fn is_shut(&self, way: Way) -> bool {
        matches!(way, Way::Line(_)) && self.lines[way.index()].quarantine.is_some()
    }

    /// Whether a packet is of the session listened to, after a change if every line says so.
    fn follow(
        &mut self,
        way: Way,
        packet: &Packet<'_>,
        now_ns: u64,
        on: &mut dyn FnMut(Fed<'_>),
    ) -> bool {
        let session = packet.session();
        if self.receiver.session() == Some(session) {
            return true;
        }
        let is_pinned = self.config.receiver.session.is_some();
        let is_old = self.receiver.session_before() == Some(session);
        if way == Way::Answer || is_pinned {
            return false;
        }
        self.lines[way.index()].session_other = Some(session);
        // Late packets of the day before, unless a snapshot says that it is its turn.
        if is_old {
            return false;
        }
        let mut lines = self.lines[..self.config.lines].iter();
        let is_first = self.receiver.session().is_none();
        if !is_first && !lines.all(|line| line.session_other == Some(session)) {
            self.change_ns.get_or_insert(now_ns);
            return false;
        }
        self.begin(session);
        on(Fed::Begin(session));
        true
    }

    fn begin(&mut self, session: [u8; 10]) {
        let is_first = self.receiver.session().is_none();
        self.receiver.begin(session);
        if is_first {
            self.receiver.start(self.config.receiver.sequence);
        }
        self.lines.iter_mut().for_each(Line::begin);
        self.windows.iter_mut().for_each(Window::clear);
        self.open.clear();
        self.is_suspect = false;
        self.gap = None;
        self.change_ns = None;
    }

    /// Hands a packet to the receiver, and says what it was worth.
    fn take(
        &mut self,
        way: Way,
        packet: &Packet<'_>,
        bytes: &[u8],
        now_ns: u64,
        on: &mut dyn FnMut(Fed<'_>),
    ) -> Received {
        let (expected, announced) = (self.receiver.sequence_next(), self.receiver.announced());
        let windows = &mut self.windows;
        let mut hand_on = |sequence, message: &[u8]| {
            windows[TAKEN].put(sequence, hash(message));
            on(Fed::Message(sequence, message));
        };
        let received = self
            .receiver
            .packet_read(packet, bytes, now_ns, &mut hand_on);
        if let Received::Messages(1..) = received {
            let first = packet.sequence().max(expected);
            let filled = packet.next_sequence().min(announced).saturating_sub(first);
            let counters = self.counters_of(way);
            counters.messages += packet.next_sequence() - first;
            counters.filled += filled;
        }
        self.freshen(now_ns);
        received
    }
}
