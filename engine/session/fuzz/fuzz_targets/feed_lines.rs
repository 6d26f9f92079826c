//! Two lines, answers and snapshots in any order and at any time.
//!
//! Where packets are lost, repeated, delayed and late, and nothing else, what is handed on is what
//! was published, each message once and in its order, and no line is ever suspected. Where one line
//! is a liar's, who sends whatever he likes, the others mend it: once the honest line has brought
//! everything, nothing wrong is left that is not said to be stale. Either way the receiver comes to
//! the end of what was published.
#![no_main]

use libfuzzer_sys::fuzz_target;
use session::SECOND_NS;
use session::feed::{Fed, Lines, LinesConfig, ReceiverConfig, State, Want, Way};
use session_fuzz::{START_NS, Script};
use wire::mold::{Builder, DATAGRAM_BYTES_MAX, Request, end_of_session};

/// Messages of a day at most; fewer than the receiver compares.
const PUBLISHED_MAX: u64 = 3_000;

/// The honest line, and the one that may be a liar's.
const HONEST: usize = 0;
const OTHER: usize = 1;

/// Turns of a hundredth of a second in which the receiver must come to the end.
const SETTLE_TURNS: usize = 2_000;

/// Turns that it must stay there: for two disputes that nobody settles.
const SETTLED_TURNS: usize = 120;

fn session(day: u8) -> [u8; 10] {
    let mut name = *b"DAY       ";
    name[3..5].copy_from_slice(&[b'0' + day / 10 % 10, b'0' + day % 10]);
    name
}

/// A message: another one on each day and for each number.
fn message(day: u8, sequence: u64) -> Vec<u8> {
    let length = 9 + sequence as usize % 30;
    let mut bytes = vec![day; length];
    bytes[..8].copy_from_slice(&sequence.to_be_bytes());
    bytes
}

/// What the publisher knows, and what the subscriber was told.
struct World {
    lines: Lines,
    now_ns: u64,
    day: u8,
    /// Number of the next message to be published.
    next: u64,
    requests: Vec<Request>,
    has_snapshots: bool,
    is_snapshot_due: bool,
    told: Told,
}

/// The subscriber's side.
struct Told {
    day: u8,
    /// The next message, once one came.
    next: Option<u64>,
    /// Something was handed on that was not published, since the last snapshot.
    is_wrong: bool,
    is_honest: bool,
}

impl Told {
    fn take(&mut self, fed: Fed<'_>) {
        match fed {
            Fed::Begin(name) => {
                let known = (0..=u8::MAX).find(|day| session(*day) == name);
                assert!(known.is_some() || !self.is_honest);
                let day = known.unwrap_or(u8::MAX);
                assert!(
                    !self.is_honest || day >= self.day,
                    "the day before came back"
                );
                *self = Self {
                    day,
                    next: None,
                    is_wrong: known.is_none(),
                    ..*self
                };
            }
            Fed::Message(sequence, bytes) => {
                assert!(
                    self.next.is_none_or(|next| next == sequence),
                    "out of order"
                );
                self.next = Some(sequence + 1);
                let is_right = bytes == message(self.day, sequence);
                assert!(is_right || !self.is_honest, "message {sequence} is not it");
                self.is_wrong |= !is_right;
            }
        }
    }
}

impl World {
    fn new(script: &mut Script<'_>) -> Self {
        let flags = script.byte();
        let is_honest = flags & 1 == 0;
        let has_snapshots = flags & 2 != 0 || !is_honest;
        let config = LinesConfig {
            receiver: ReceiverConfig {
                sequence: u64::from(flags & 4 == 0),
                held_packets: 1 + usize::from(flags >> 4),
                ..LinesConfig::default().receiver
            },
            has_snapshots,
            gap_messages_max: 500,
            agree_messages: 10,
            ..LinesConfig::default()
        };
        Self {
            lines: Lines::new(config, START_NS),
            now_ns: START_NS,
            day: 0,
            next: 1,
            requests: Vec::new(),
            has_snapshots,
            is_snapshot_due: false,
            told: Told {
                day: 0,
                next: None,
                is_wrong: false,
                is_honest,
            },
        }
    }

    fn hear(&mut self, way: Way, bytes: &[u8]) {
        let told = &mut self.told;
        self.lines
            .packet(way, bytes, self.now_ns, &mut |fed| told.take(fed));
    }

    /// A packet with as many of the published messages as there are and fit.
    fn packet(&self, day: u8, first: u64, count: u64) -> Vec<u8> {
        let buffer = [0; DATAGRAM_BYTES_MAX];
        let mut packet = Builder::new(buffer, session(day), first).expect("room for a header");
        let end = match day == self.day {
            true => self.next,
            false => PUBLISHED_MAX,
        };
        for sequence in first..first.saturating_add(count).min(end) {
            if packet.push(&message(day, sequence)).is_err() {
                break;
            }
        }
        packet.bytes().to_vec()
    }

    /// A published packet or a heartbeat, perhaps a late one of the day before.
    fn published(&self, script: &mut Script<'_>) -> Vec<u8> {
        let kind = script.byte();
        let back = script.number::<2>() % self.next;
        let first = self.next - back;
        match kind {
            0..4 if self.day > 0 => self.packet(self.day - 1, 1 + back, 3),
            4..40 => self.packet(self.day, first, 0),
            _ => self.packet(self.day, first, u64::from(kind % 16)),
        }
    }

    /// What a liar sends.
    fn lie(&self, script: &mut Script<'_>) -> Vec<u8> {
        match script.byte() % 4 {
            0 => script.bytes().to_vec(),
            1 => {
                let mut packet = self.published(script);
                let at = usize::from(script.byte()) % packet.len();
                packet[at] ^= script.byte();
                packet
            }
            2 => {
                let mut bytes = [0; 20];
                let day = self.day + script.byte() % 2;
                let next = script.number::<2>();
                let written = end_of_session(session(day), next, &mut bytes);
                bytes[..written.expect("room")].to_vec()
            }
            _ => {
                let near = script.number::<2>() % PUBLISHED_MAX;
                let first = match script.byte() % 4 {
                    0 => near + 4_096,
                    1 => u64::MAX - near,
                    _ => near,
                };
                let name = match script.byte() {
                    0..8 => *b"LIE       ",
                    _ => session(self.day),
                };
                let packet = Builder::new([0; DATAGRAM_BYTES_MAX], name, first);
                let mut packet = packet.expect("room for a header");
                for _ in 0..script.byte() % 4 {
                    // Numbers may end.
                    let _ = packet.push(script.bytes());
                }
                packet.bytes().to_vec()
            }
        }
    }

    fn poll(&mut self) {
        match self.lines.poll(self.now_ns) {
            Want::Nothing => {}
            Want::Request(bytes) => {
                self.requests
                    .push(Request::parse(&bytes).expect("a request"));
            }
            Want::Snapshot => {
                assert!(self.has_snapshots && !self.is_snapshot_due);
                self.is_snapshot_due = true;
            }
        }
    }

    fn answer(&mut self, place: usize) {
        if self.requests.is_empty() {
            return;
        }
        let request = self.requests.remove(place % self.requests.len());
        assert!(request.count > 0 && request.sequence > 0);
        if request.session == session(self.day) && request.sequence < self.next {
            let packet = self.packet(self.day, request.sequence, request.count.into());
            self.hear(Way::Answer, &packet);
        }
    }

    /// A snapshot, which stands for some of what was published.
    fn snapshot(&mut self, back: u64) {
        if !std::mem::take(&mut self.is_snapshot_due) {
            return;
        }
        let before = Told { ..self.told };
        let next = (self.next - back % self.next).max(1);
        self.told = Told {
            day: self.day,
            next: Some(next),
            is_wrong: false,
            ..before
        };
        let told = &mut self.told;
        let name = session(self.day);
        let is_taken = self
            .lines
            .splice(name, next, self.now_ns, &mut |fed| told.take(fed));
        if !is_taken {
            assert_eq!(
                self.told.next,
                Some(next),
                "a snapshot that is not taken feeds nothing"
            );
            self.told = before;
        }
    }

    fn act(&mut self, script: &mut Script<'_>) {
        match script.byte() % 16 {
            0 => self.now_ns += script.stretch_ns(),
            1..3 => self.next = (self.next + script.number::<1>()).min(PUBLISHED_MAX),
            3 => self.poll(),
            4 => self.answer(script.below(256)),
            5 => self.snapshot(script.number::<1>()),
            6 if self.is_snapshot_due => {
                self.is_snapshot_due = false;
                self.lines.splice_not(self.now_ns);
            }
            7 if self.lines.session() == Some(session(self.day)) && self.day < 90 => {
                (self.day, self.next) = (self.day + 1, 1);
            }
            8..12 if !self.told.is_honest => {
                let lie = self.lie(script);
                self.hear(Way::Line(OTHER), &lie);
            }
            turn => {
                let packet = self.published(script);
                let line = usize::from(turn) % 2;
                self.hear(Way::Line(line), &packet);
            }
        }
        let _ = self.lines.is_stale(self.now_ns);
    }

    /// The honest line brings everything, the other one too if it is honest; servers answer.
    fn settle(&mut self) {
        let lines = if self.told.is_honest { 2 } else { 1 };
        for line in HONEST..lines {
            let mut first = 1;
            while first < self.next {
                let packet = self.packet(self.day, first, 40);
                self.hear(Way::Line(line), &packet);
                first += u64::from(u16::from_be_bytes([packet[18], packet[19]]));
            }
        }
        let mut settled_turns = 0;
        for _ in 0..SETTLE_TURNS {
            for line in HONEST..lines {
                let heartbeat = self.packet(self.day, self.next, 0);
                self.hear(Way::Line(line), &heartbeat);
            }
            self.poll();
            self.answer(0);
            self.snapshot(0);
            let is_there = self.lines.sequence_next() == self.next
                && self.lines.session() == Some(session(self.day))
                && matches!(self.lines.state(), State::Live | State::Ended);
            let is_settled = is_there && !self.lines.is_stale(self.now_ns);
            settled_turns = if is_settled { settled_turns + 1 } else { 0 };
            if settled_turns == SETTLED_TURNS {
                return;
            }
            self.now_ns += SECOND_NS / 100;
        }
        panic!(
            "never came to {} of {:?}: {:?} at {} of {:?}, stale {}, {:?}",
            self.next,
            session(self.day),
            self.lines.state(),
            self.lines.sequence_next(),
            self.lines.session(),
            self.lines.is_stale(self.now_ns),
            self.requests,
        );
    }
}

fuzz_target!(|bytes: &[u8]| {
    let mut script = Script::new(bytes);
    let mut world = World::new(&mut script);
    while !script.is_over() {
        world.act(&mut script);
    }
    world.settle();
    assert!(
        !world.told.is_wrong,
        "something wrong is left, and nobody says so"
    );
    if world.told.is_honest {
        assert_eq!(world.lines.disputes(), 0);
        assert!(!(0..2).any(|line| world.lines.is_quarantined(line)));
    }
});
