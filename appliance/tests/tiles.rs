//! The tiles on one thread, over ports and a disk in memory: what may leave, and when.
#![allow(clippy::unwrap_used)]

use appliance::client::members::{Login, Members};
use appliance::tiles::{Phase, PublishPorts, Tile};
use appliance::topology::Topology;
use appliance::venue::{Parts, Venue, assemble, counters_anonymous, engine_limits};
use journal::simulated::{Disk, DiskStorage, Faults};
use matching::Line;
use nic::UdpPort;
use nic::mirror::{MirrorTcp, MirrorUdp, tcp_pair, udp_pair};
use queue::CounterSet;
use session::ouch_client::{Order, Reply};
use session::soup_client::ClientState;
use std::net::SocketAddrV4;

const FILE: &str = include_str!("../topologies/dev-2core.toml");

/// Turns in which whatever can happen has happened.
const TURNS: usize = 2_000;

/// Two members, a receiver, and the venue between them. What is counted is the first member's.
struct Stage<'m> {
    venue: Venue<'m, MirrorTcp, MirrorUdp, DiskStorage>,
    set: CounterSet,
    members: Members<MirrorTcp>,
    receiver: MirrorUdp,
    now_ns: u64,
    replies: usize,
    /// Answers that the second member got from the gate itself.
    answers: usize,
    packets: usize,
}

impl<'m> Stage<'m> {
    fn new(ack: &str, disk: &Disk, lines: &'m mut Vec<Line>) -> Self {
        let text = FILE.replace(
            "ack = \"disk\"",
            &format!("ack = \"{ack}\"\nsegment_mib = 1"),
        );
        Self::of(&text, disk, lines)
    }

    fn of(text: &str, disk: &Disk, lines: &'m mut Vec<Line>) -> Self {
        let topology = Topology::parse(text).unwrap();
        lines.resize(engine_limits(&topology).lines(), Line::ZERO);
        let here: SocketAddrV4 = "127.0.0.1:1".parse().unwrap();
        let (client, server) = tcp_pair();
        let (feed, receiver) = udp_pair(here, here);
        let (rerequest, _nobody) = udp_pair(here, here);
        let udp = PublishPorts { feed, rerequest };
        let parts = Parts {
            tcp: server,
            udp,
            storage: disk.storage(),
            session: *b"2026010101",
        };
        let mut set = counters_anonymous().unwrap();
        let (venue, recovery) = assemble(&topology, parts, lines, &mut set).unwrap();
        assert_eq!(recovery.inputs, 0);
        let logins = ["ALPHA:alpha", "BRAVO:bravo"].map(|text| Login::parse(text).unwrap());
        let members = Members::new(client, here.into(), &logins, 1);
        Self {
            venue,
            set,
            members,
            receiver,
            now_ns: 1,
            replies: 0,
            answers: 0,
            packets: 0,
        }
    }

    /// One turn of everybody, the journal's only `with_journal`.
    fn turn(&mut self, with_journal: bool) {
        self.now_ns += 1_000;
        self.venue.gate.poll(self.now_ns);
        self.venue.engine.poll(self.now_ns);
        if with_journal {
            self.venue.journal.poll(self.now_ns);
        }
        self.venue.publish.poll(self.now_ns);
        let (replies, answers) = (&mut self.replies, &mut self.answers);
        let moved = self.members.poll(self.now_ns, &mut |index, reply| {
            *replies += usize::from(index == 0 && matches!(reply, Reply::Message(1.., _)));
            *answers += usize::from(index == 1 && matches!(reply, Reply::Message(0, _)));
        });
        moved.unwrap();
        self.packets += self.receiver.poll(&mut |_, _| ());
    }

    fn turns(&mut self, with_journal: bool) {
        for _ in 0..TURNS {
            self.turn(with_journal);
        }
    }

    /// Enters so many orders, as fast as they are taken; gives up when none is for long.
    fn enter(&mut self, count: usize) -> usize {
        let order = Order::day(b'B', 1, "AAPL", 10_000);
        for entered in 0..count {
            let mut patience = TURNS;
            while self.members.member(0).enter(&order).is_none() {
                if patience == 0 {
                    return entered;
                }
                patience -= 1;
                self.turn(true);
            }
        }
        count
    }

    fn counter(&self, name: &str) -> u64 {
        self.set.reader().get(name).unwrap()
    }
}

#[test]
fn nothing_leaves_before_its_record_is_on_disk() {
    for (ack, leaves_at_once) in [("disk", false), ("memory", true)] {
        let mut lines = Vec::new();
        let mut stage = Stage::new(ack, &Disk::new(1), &mut lines);
        stage.turns(true);
        assert!(stage.members.all_live());
        let (replies, packets) = (stage.replies, stage.packets);

        assert_eq!(stage.enter(10), 10);
        stage.turns(false);
        assert_eq!(stage.counter("engine.live_orders"), 10, "{ack}");
        assert_eq!(
            stage.replies - replies,
            if leaves_at_once { 10 } else { 0 },
            "{ack}"
        );
        assert_eq!(stage.packets > packets, leaves_at_once, "{ack}: the feed");
        stage.turns(true);
        assert_eq!(stage.replies - replies, 10, "{ack}");
        assert!(stage.packets > packets, "{ack}: the feed");
    }
}

#[test]
fn a_full_disk_holds_replies_and_loses_none() {
    let disk = Disk::new(2);
    disk.set_faults(Faults {
        segments_max: Some(1),
        ..Faults::default()
    });
    let mut lines = Vec::new();
    let mut stage = Stage::new("disk", &disk, &mut lines);
    stage.turns(true);
    // A segment of a mebibyte holds less than 16,384 inputs, the links and buffers a few thousand.
    let entered = stage.enter(40_000);
    stage.turns(true);
    assert_eq!(stage.counter("journal.disk_full"), 1);
    let durable = stage.counter("journal.durable");
    assert_eq!(
        stage.replies as u64,
        durable - 6,
        "a reply for each order on the disk, and a start"
    );
    assert!(stage.replies < entered, "{entered} orders");

    disk.set_faults(Faults::default());
    let rest = stage.enter(1);
    for _ in 0..100 {
        stage.turns(true);
    }
    assert_eq!(stage.counter("journal.disk_full"), 0);
    assert_eq!(stage.replies, 1 + entered + rest);
    assert_eq!(stage.counter("engine.live_orders"), (entered + rest) as u64);
}

#[test]
fn a_member_that_floods_a_full_venue_is_felt_by_nobody_else() {
    let disk = Disk::new(4);
    disk.set_faults(Faults {
        segments_max: Some(1),
        ..Faults::default()
    });
    let mut lines = Vec::new();
    let mut stage = Stage::new("disk", &disk, &mut lines);
    stage.turns(true);
    let entered = stage.enter(100_000);
    assert!(entered < 100_000, "everything was taken");
    // The flood stands in the member's own buffers and not in the venue.
    let held = stage.counter("gate.held_bytes");
    assert!((1..=128 << 10).contains(&held), "{held} bytes");

    assert!(stage.members.member(1).query());
    stage.turns(true);
    assert_eq!(stage.answers, 1, "the other member is read and answered");

    disk.set_faults(Faults::default());
    for _ in 0..100 {
        stage.turns(true);
    }
    assert_eq!(stage.replies, 1 + entered);
    assert_eq!(stage.counter("gate.held_bytes"), 0);
}

#[test]
fn a_failed_flush_is_told_and_nothing_follows() {
    let disk = Disk::new(3);
    let mut lines = Vec::new();
    let mut stage = Stage::new("disk", &disk, &mut lines);
    stage.turns(true);
    let before = stage.replies;
    disk.set_faults(Faults {
        flush_fails: Some(disk.writes() + 1),
        ..Faults::default()
    });
    assert_eq!(stage.enter(3), 3);
    stage.turns(true);
    // Not even when the disk says that it works again: nobody knows what is on it.
    disk.set_faults(Faults::default());
    assert_eq!(stage.enter(3), 3);
    stage.turns(true);
    assert_eq!(stage.replies, before);
    assert_eq!(stage.counter("journal.failed"), 1);
    let failure = stage.venue.journal.failure().unwrap();
    assert!(
        failure.contains("the journal failed") && failure.contains("flush"),
        "{failure}"
    );
}

#[test]
fn a_failed_venue_disconnects_its_members_and_does_not_end_their_session() {
    let mut lines = Vec::new();
    let mut stage = Stage::new("disk", &Disk::new(5), &mut lines);
    stage.turns(true);
    assert_eq!(stage.enter(1), 1);
    stage.turns(true);
    let mut phase = stage.set.counter("venue.phase").unwrap();
    phase.set(Phase::Failing as u64);
    stage.turn(true);
    // A member whose session had ended would not come back for the rest of the day.
    stage.now_ns += session::SECOND_NS;
    let mut patience = TURNS;
    while stage.counter("gate.done") == 0 || stage.counter("gate.connections") > 0 {
        assert!(patience > 0, "the gate did not end");
        patience -= 1;
        stage.now_ns += session::SECOND_NS;
        stage.turn(true);
        assert_ne!(stage.members.member(0).state(), ClientState::Ended);
    }
}

#[test]
fn a_member_whose_replies_fill_their_memory_is_disconnected_and_told_of() {
    let mut text = FILE.replace("rerequest", "history_mib = 1\nrerequest");
    for depth in ["4096", "16384"] {
        text = text.replace(&format!("depth = {depth}"), "depth = 128");
    }
    text = text.replace("[feed]", "reply_mib = 1\n\n[feed]");
    let mut lines = Vec::new();
    let mut stage = Stage::of(&text, &Disk::new(6), &mut lines);
    stage.turns(true);
    // A mebibyte holds the replies to less than 16,384 orders.
    stage.enter(20_000);
    stage.turns(true);
    assert!(stage.counter("gate.store_full") > 0);
    assert_eq!(stage.counter("gate.store_low"), 0, "the others go on");
    assert!(stage.members.member(1).query());
    stage.turns(true);
    assert_eq!(stage.answers, 1);
}
