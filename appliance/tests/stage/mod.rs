//! Two members, a venue and a receiver on one thread, over ports and a disk in memory.
#![allow(dead_code, clippy::unwrap_used)]

use appliance::client::members::{Login, Members};
use appliance::tiles::{PublishPorts, Tile};
use appliance::topology::Topology;
use appliance::venue::{Parts, Venue, assemble, counters_anonymous, engine_limits};
use journal::Storage;
use journal::simulated::{Disk, DiskStorage};
use matching::Line;
use nic::UdpPort;
use nic::mirror::{MirrorTcp, MirrorUdp, Touched, tcp_pair, udp_pair};
use queue::CounterSet;
use session::ouch_client::{Order, Reply};
use std::net::SocketAddrV4;
use wire::ouch::Outbound;

pub const FILE: &str = include_str!("../../topologies/dev-2core.toml");

/// Turns in which whatever can happen has happened.
pub const TURNS: usize = 2_000;

/// What a member was told of its orders.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Told {
    pub taken: usize,
    pub refused: usize,
    pub left: usize,
    /// The code of the last refusal.
    pub code: u16,
}

impl Told {
    fn take(&mut self, reply: &Reply<'_>) {
        match reply {
            Reply::Message(_, Outbound::Accepted(_)) => self.taken += 1,
            Reply::Message(_, Outbound::Canceled(_)) => self.left += 1,
            Reply::Message(_, Outbound::Rejected(it)) => {
                self.refused += 1;
                self.code = it.reason();
            }
            _ => {}
        }
    }
}

/// Two members, a receiver, and the venue between them. What is counted is the first member's.
pub struct Stage<'m, S: Storage + Send = DiskStorage> {
    pub venue: Venue<'m, MirrorTcp, MirrorUdp, S>,
    pub set: CounterSet,
    pub members: Members<MirrorTcp>,
    /// When the gate's port says that it saw what it hands out.
    pub touched: Touched,
    receiver: MirrorUdp,
    pub now_ns: u64,
    pub replies: usize,
    /// Answers that the second member got from the gate itself.
    pub answers: usize,
    pub packets: usize,
    /// By member: orders taken, orders refused, and orders that left.
    pub told: [Told; 2],
}

impl<'m> Stage<'m> {
    pub fn new(ack: &str, disk: &Disk, lines: &'m mut Vec<Line>) -> Self {
        let text = FILE.replace(
            "ack = \"disk\"",
            &format!("ack = \"{ack}\"\nsegment_mib = 1"),
        );
        Self::of(&text, disk, lines)
    }

    pub fn of(text: &str, disk: &Disk, lines: &'m mut Vec<Line>) -> Self {
        Self::on(text, disk.storage(), lines)
    }
}

impl<'m, S: Storage + Send> Stage<'m, S> {
    /// A venue by this text, on a disk of the caller's.
    pub fn on(text: &str, storage: S, lines: &'m mut Vec<Line>) -> Self {
        let topology = Topology::parse(text).unwrap();
        lines.resize(engine_limits(&topology).lines(), Line::ZERO);
        let here: SocketAddrV4 = "127.0.0.1:1".parse().unwrap();
        let (client, server) = tcp_pair();
        let touched = server.touched();
        let (feed, receiver) = udp_pair(here, here);
        let (rerequest, _nobody) = udp_pair(here, here);
        let udp = PublishPorts {
            feed,
            feed_b: None,
            rerequest,
            follower: None,
        };
        let parts = Parts {
            tcp: server,
            udp,
            storage,
            files: None,
            session: *b"2026010101",
            rings: queue::Home::Heap,
        };
        let mut set = counters_anonymous().unwrap();
        let (venue, _) = assemble(&topology, parts, lines, &mut set).unwrap();
        let logins = ["ALPHA:alpha", "BRAVO:bravo"].map(|text| Login::parse(text).unwrap());
        let members = Members::new(client, here.into(), &logins, 1);
        Self {
            venue,
            set,
            members,
            touched,
            receiver,
            now_ns: 1,
            replies: 0,
            answers: 0,
            packets: 0,
            told: [Told::default(); 2],
        }
    }

    /// One turn of everybody, the journal's only `with_journal`.
    pub fn turn(&mut self, with_journal: bool) {
        self.now_ns += 1_000;
        self.venue.gate.poll(self.now_ns);
        self.venue.engine.poll(self.now_ns);
        if with_journal {
            self.venue.journal.poll(self.now_ns);
        }
        self.venue.publish.poll(self.now_ns);
        let (replies, answers) = (&mut self.replies, &mut self.answers);
        let told = &mut self.told;
        let moved = self.members.poll(self.now_ns, &mut |index, reply| {
            *replies += usize::from(index == 0 && matches!(reply, Reply::Message(1.., _)));
            told[index].take(&reply);
            *answers += usize::from(index == 1 && matches!(reply, Reply::Message(0, _)));
        });
        moved.unwrap();
        self.packets += self.receiver.poll(&mut |_, _| ());
    }

    pub fn turns(&mut self, with_journal: bool) {
        for _ in 0..TURNS {
            self.turn(with_journal);
        }
    }

    /// The first member enters so many orders, as fast as they are taken; it gives up when none is
    /// for long.
    pub fn enter(&mut self, count: usize) -> usize {
        self.enter_as(0, count)
    }

    /// A member does.
    pub fn enter_as(&mut self, member: usize, count: usize) -> usize {
        let order = Order::day(b'B', 1, "AAPL", 10_000);
        for entered in 0..count {
            let mut patience = TURNS;
            while self.members.member(member).enter(&order).is_none() {
                if patience == 0 {
                    return entered;
                }
                patience -= 1;
                self.turn(true);
            }
        }
        count
    }

    pub fn counter(&self, name: &str) -> u64 {
        self.set.reader().get(name).unwrap()
    }
}
