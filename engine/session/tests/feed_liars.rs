//! Whoever can write to one of two lines makes the subscriber believe nothing that it is not told
//! to be stale, and the honest line and the servers mend it.
#![allow(clippy::unwrap_used, reason = "a test may fail")]

mod ear;

use ear::{START_NS, packets_of, publisher};
use session::SECOND_NS;
use session::feed::{Fed, Lines, LinesConfig, Publisher, PublisherConfig, Want, Way};
use std::collections::BTreeMap;
use wire::mold::{Builder, end_of_session};

const SESSION: [u8; 10] = *b"MONDAY    ";

/// The line of who tells the truth, and that of who does not.
const HONEST: Way = Way::Line(0);
const LIAR: Way = Way::Line(1);

/// Time between two looks.
const TURN_NS: u64 = SECOND_NS / 50;

/// A venue with a day of eight packets, and a subscriber with both lines and all servers.
struct Scene {
    publisher: Publisher,
    packets: Vec<Vec<u8>>,
    published: BTreeMap<u64, Vec<u8>>,
    lines: Lines,
    /// What was handed on, by number, since the last snapshot.
    heard: BTreeMap<u64, Vec<u8>>,
    snapshot_next: u64,
    now_ns: u64,
    is_server_up: bool,
}

impl Scene {
    fn new() -> Self {
        let config = PublisherConfig {
            session: SESSION,
            ..PublisherConfig::default()
        };
        let mut publisher = publisher(config);
        let packets = packets_of(&mut publisher, 8, 2);
        let numbered = packets.iter().flat_map(|packet| {
            let packet = wire::mold::Packet::parse(packet).unwrap();
            packet.blocks().collect::<Vec<_>>()
        });
        let published = numbered.map(|(number, message)| (number, message.to_vec()));
        let config = LinesConfig {
            has_snapshots: true,
            ..LinesConfig::default()
        };
        Self {
            published: published.collect(),
            publisher,
            packets,
            lines: Lines::new(config, START_NS),
            heard: BTreeMap::new(),
            snapshot_next: 1,
            now_ns: START_NS,
            is_server_up: true,
        }
    }

    fn hear(&mut self, way: Way, packet: &[u8]) {
        let heard = &mut self.heard;
        self.lines.packet(way, packet, self.now_ns, &mut |fed| {
            take(heard, fed);
        });
    }

    fn says(&mut self, packet: usize) {
        self.hear(HONEST, &self.packets[packet].clone());
    }

    /// The liar brings a message of this number.
    fn lies(&mut self, number: u64) {
        let mut packet = Builder::new([0; 256], SESSION, number).unwrap();
        packet.push(b"a lie").unwrap();
        self.hear(LIAR, packet.bytes());
    }

    /// So many looks, each with a heartbeat of the honest line; the servers answer.
    fn turns(&mut self, count: usize) {
        for _ in 0..count {
            self.now_ns += TURN_NS;
            let heartbeat = Builder::new([0; 20], SESSION, self.next()).unwrap();
            self.hear(HONEST, heartbeat.bytes());
            match self.lines.poll(self.now_ns) {
                Want::Nothing => {}
                Want::Request(request) => self.answer(&request),
                Want::Snapshot => self.snapshot(),
            }
        }
    }

    fn next(&self) -> u64 {
        self.publisher.sequence_next()
    }

    fn answer(&mut self, request: &[u8]) {
        let mut answers = Vec::new();
        self.publisher.request(request, self.now_ns, &mut |packet| {
            answers.push(packet.to_vec());
            true
        });
        if !self.is_server_up {
            return;
        }
        for packet in answers {
            self.hear(Way::Answer, &packet);
        }
    }

    fn snapshot(&mut self) {
        self.heard.clear();
        self.snapshot_next = self.next();
        let heard = &mut self.heard;
        let (next, now_ns) = (self.snapshot_next, self.now_ns);
        let is_taken = self
            .lines
            .splice(SESSION, next, now_ns, &mut |fed| take(heard, fed));
        assert!(is_taken, "a line names this session");
    }

    /// The subscriber has what was published, and says so.
    fn is_mended(&mut self) {
        self.turns(150);
        assert!(!self.lines.is_stale(self.now_ns));
        assert_eq!(self.lines.session(), Some(SESSION));
        assert_eq!(self.lines.sequence_next(), self.next());
        let due = self.published.range(self.snapshot_next..);
        assert!(self.heard.iter().eq(due), "{:?}", self.heard);
    }
}

fn take(heard: &mut BTreeMap<u64, Vec<u8>>, fed: Fed<'_>) {
    match fed {
        Fed::Begin(_) => heard.clear(),
        Fed::Message(number, message) => drop(heard.insert(number, message.to_vec())),
    }
}

#[test]
fn a_lie_is_found_although_the_liar_makes_its_line_forget_it() {
    let mut scene = Scene::new();
    (0..4).for_each(|packet| scene.says(packet));
    let first = scene.lines.sequence_next();
    scene.lies(first);
    // So far ahead that it is remembered in the same place.
    scene.lies(first + 4_096);
    (4..8).for_each(|packet| scene.says(packet));
    assert!(scene.lines.disputes() > 0);
    scene.is_mended();
}

#[test]
fn two_lies_at_once_are_both_found() {
    let mut scene = Scene::new();
    (0..4).for_each(|packet| scene.says(packet));
    // The first one comes behind the truth, and the second one ahead of it.
    scene.lies(2);
    let first = scene.lines.sequence_next();
    scene.lies(first);
    (4..8).for_each(|packet| scene.says(packet));
    assert_eq!(scene.lines.disputes(), 2);
    scene.is_mended();
    assert!(scene.lines.is_quarantined(1) && !scene.lines.is_quarantined(0));
}

#[test]
fn a_message_that_nobody_published_is_found_though_nothing_follows_it() {
    let mut scene = Scene::new();
    (0..8).for_each(|packet| scene.says(packet));
    scene.lies(scene.next());
    assert_eq!(scene.lines.sequence_next(), scene.next() + 1);
    scene.is_mended();
    assert!(scene.lines.snapshots() > 0);
}

#[test]
fn a_line_that_is_late_by_a_message_is_not_a_liars() {
    let mut scene = Scene::new();
    (0..8).for_each(|packet| scene.says(packet));
    let late = Builder::new([0; 20], SESSION, scene.next() - 1).unwrap();
    let late = late.bytes().to_vec();
    for _ in 0..100 {
        scene.turns(1);
        scene.hear(LIAR, &late);
    }
    scene.is_mended();
    assert_eq!(scene.lines.snapshots(), 0, "the server has the message");
    assert!(!(0..2).any(|line| scene.lines.is_quarantined(line)));
}

#[test]
fn a_session_that_only_a_liar_names_is_left_also_if_it_has_ended() {
    for is_ended in [false, true] {
        let mut scene = Scene::new();
        let mut packet = [0; 20];
        let written = if is_ended {
            end_of_session(*b"TUESDAY   ", 1, &mut packet)
        } else {
            wire::mold::heartbeat(*b"TUESDAY   ", 1, &mut packet)
        };
        written.unwrap();
        scene.hear(LIAR, &packet);
        assert_eq!(scene.lines.session(), Some(*b"TUESDAY   "));
        (0..8).for_each(|packet| scene.says(packet));
        scene.now_ns += SECOND_NS;
        assert!(
            scene.lines.is_stale(scene.now_ns),
            "the lines contradict one another"
        );
        scene.is_mended();
    }
}

#[test]
fn an_honest_line_that_was_shut_out_by_a_guess_is_heard_again_behind_a_snapshot() {
    let mut scene = Scene::new();
    scene.is_server_up = false;
    (0..4).for_each(|packet| scene.says(packet));
    scene.lies(scene.lines.sequence_next());
    (4..8).for_each(|packet| scene.says(packet));
    scene.is_mended();
    assert!(!scene.lines.is_quarantined(0));
}
