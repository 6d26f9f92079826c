//! A day's journal on a simulated disk, and a shadow that followed it.
#![allow(clippy::unwrap_used)]
#![allow(dead_code, reason = "each test program uses a part")]

use appliance::tiles::{Progress, PublishPorts};
use appliance::topology::Topology;
use appliance::venue::shadow::{self, Shadow};
use appliance::venue::{Parts, counters_anonymous, definitions, engine_limits};
use flow::{Hostile, naive};
use journal::simulated::{Disk, DiskFiles, DiskStorage};
use journal::stream::{self, Kind, Name, Position};
use journal::{Config, Files, Input, SEGMENT_BYTES_MIN, Writer, recover};
use matching::Line;
use nic::mirror::{MirrorTcp, MirrorUdp, tcp_pair, udp_pair};
use std::net::SocketAddrV4;
use wire::ring::{CommandKind, Side};

const FILE: &str = include_str!("../../topologies/dev-2core.toml");

/// Inputs of a day.
pub const INPUTS: usize = 6_000;

pub const SESSION: [u8; 10] = *b"2026010101";

/// Four symbols, six members, a drop copy, the depth, and a snapshot every thousand inputs.
pub fn topology() -> Topology {
    let depth = "history_mib = 1\ndepth_history_mib = 1\ndepth_group = \"239.192.0.1:26403\"\n";
    let mut text = FILE
        .replace("[feed]", "reply_mib = 1\n[feed]")
        .replace("[limits]", &format!("{depth}[limits]"))
        // The model that days are compared with has room for every account that is granted.
        .replace(
            "sessions = 16",
            &format!("sessions = {}", flow::hostile::SESSIONS),
        )
        .replace("orders = 100000", "orders = 4000")
        .replace("depth = 4096", "depth = 128")
        .replace("depth = 16384", "depth = 256");
    for (index, name) in ["CHARLY", "DELTA", "ECHO", "FOX"].iter().enumerate() {
        text += &format!(
            "[[users]]\nname = \"{name}\"\npassword = \"x\"\nfirm = \"FIRM\"\naccount = {}\n",
            index / 2 + 2
        );
    }
    text += "[[drop_copies]]\nname = \"DROP\"\npassword = \"x\"\naccounts = [1, 2]\n";
    text += "[shadow]\nsnapshot_inputs = 1000\nsnapshot_s = 86400\n";
    text = text.replace("symbols = [", "segment_mib = 1\nsymbols = [");
    Topology::parse(&text).unwrap()
}

/// The members' ends of a venue's wires.
pub struct Wires {
    pub client: MirrorTcp,
    pub feed: MirrorUdp,
    pub asker: MirrorUdp,
}

/// What a venue starts from: a disk, with or without what is beside the journal, and wires.
pub fn parts(disk: &Disk, with_files: bool) -> (Parts<MirrorTcp, MirrorUdp, DiskStorage>, Wires) {
    let here: SocketAddrV4 = "127.0.0.1:1".parse().unwrap();
    let (client, tcp) = tcp_pair();
    let (feed, receiver) = udp_pair(here, here);
    let (rerequest, asker) = udp_pair(here, here);
    let parts = Parts {
        tcp,
        udp: PublishPorts {
            feed,
            feed_b: None,
            rerequest,
            follower: None,
        },
        storage: disk.storage(),
        files: with_files.then(|| Box::new(disk.files()) as Box<dyn Files>),
        session: SESSION,
        rings: queue::Home::Heap,
    };
    let wires = Wires {
        client,
        feed: receiver,
        asker,
    };
    (parts, wires)
}

/// A disk with the journal of a day in which everything happens.
pub fn journaled(topology: &Topology, seed: u64) -> Disk {
    journaled_to(topology, seed, INPUTS)
}

/// The same day, up to an input.
pub fn journaled_to(topology: &Topology, seed: u64, count: usize) -> Disk {
    journal_of(&inputs(topology, seed, count), seed)
}

/// So many inputs of a day in which everything happens, behind the topology's definitions.
pub fn inputs(topology: &Topology, seed: u64, count: usize) -> Vec<Input> {
    let mut hostile = Hostile::new(seed, naive::increments::OFFERED);
    let first = hostile.next().unwrap();
    let defined = definitions(topology)
        .into_iter()
        .map(|command| Input { command, ..first });
    let all = defined.chain([first]).chain(hostile).take(count);
    let numbered = (1..)
        .zip(all)
        .map(|(sequence, input)| Input { sequence, ..input });
    numbered.map(lettered).collect()
}

/// A disk with the journal of a day.
pub fn journal_of(inputs: &[Input], seed: u64) -> Disk {
    let disk = Disk::new(seed);
    let mut storage = disk.storage();
    let resume = recover(&mut storage, &mut |_| ()).unwrap().resume;
    let config = Config {
        segment_bytes: SEGMENT_BYTES_MIN,
    };
    let mut writer = Writer::open(storage, config, resume).unwrap();
    for group in inputs.chunks(50) {
        while writer.append(group).is_err() {
            writer.poll().unwrap();
        }
    }
    while writer.durable() < inputs.len() as u64 {
        writer.poll().unwrap();
    }
    disk
}

/// An order with the letter of its side, as a gate hands it on.
fn lettered(mut input: Input) -> Input {
    let command = &mut input.command;
    if command.kind == CommandKind::New as u8 {
        let is_sell = command.side == Side::Sell as u8;
        command.wire_letters[0] = if is_sell { b'S' } else { b'B' };
    }
    input
}

/// Turns that a shadow gets at most, and those without work after which it has none.
const TURNS_MAX: u64 = 20_000;
const IDLE_TURNS: u64 = 20;

/// A shadow's life up to the input `durable`; gives where it stood and the hash of its state.
pub fn live(topology: &Topology, disk: &Disk, durable: u64) -> (u64, u64) {
    let (stands, failure) = live_from(topology, disk, durable, None);
    assert_eq!(failure, None);
    stands
}

/// The same beside a venue that found the streams to end there, if there was one; gives why it
/// stopped, too, if it did.
pub fn live_from(
    topology: &Topology,
    disk: &Disk,
    durable: u64,
    streams: Option<Vec<(Name, Position)>>,
) -> ((u64, u64), Option<String>) {
    let mut set = counters_anonymous().unwrap();
    let counters = shadow::Counters::new(&mut set).unwrap();
    set.counter("journal.durable").unwrap().set(durable);
    let mut lines = vec![Line::ZERO; engine_limits(topology).lines()];
    let parts = shadow::Parts {
        segments: Box::new(disk.storage()),
        files: Box::new(disk.files()),
        session: SESSION,
        streams,
    };
    let mut shadow = Shadow::open(topology, parts, &mut lines, counters).unwrap();
    let mut idle_turns = 0;
    for turn in 1..=TURNS_MAX {
        idle_turns = match shadow.poll(turn * 60_000_000) {
            Progress::Idle => idle_turns + 1,
            _ => 0,
        };
        if idle_turns == IDLE_TURNS || shadow.failure().is_some() {
            let stands = (shadow.sequence(), shadow.state_hash());
            return (stands, shadow.failure().map(str::to_owned));
        }
    }
    panic!("it does not come to its end");
}

/// All messages of all streams.
pub fn messages(topology: &Topology, mut files: DiskFiles) -> Vec<(Name, Vec<Vec<u8>>)> {
    let of = |kind| move |number| Name { kind, number };
    let replies = (1..=topology.users.len() as u16).map(of(Kind::Replies));
    let names = [Name::FEED, Name::DEPTH].into_iter().chain(replies);
    let mut read = |name: Name| {
        let mut all = Vec::new();
        let next = stream::read(&mut files, name, 1, &mut |_, message| {
            all.push(message.to_vec());
            true
        });
        assert_eq!(next, Ok(all.len() as u64 + 1));
        (name, all)
    };
    names
        .chain([of(Kind::DropCopy)(1)])
        .map(&mut read)
        .collect()
}
