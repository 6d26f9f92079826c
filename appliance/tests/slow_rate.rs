//! The whole slow path beside a venue, its API attacked, its database stalled, killed and full:
//! measured, so by command only (`cargo x siege slow`, as root, on an optimised build and a quiet
//! machine).
//!
//! The venue's tiles have one processor; its other threads, two members, the slow path, its server
//! and whoever asks it have the other one. Members go first there and send at random times by a
//! fixed rate, so what competes with them does not change when orders come. Short windows come by
//! four, in turns: two with the slow path held (no process of it runs), one with it, and one with a
//! neighbour instead that only computes, which on shared hardware is felt, too: what that one costs
//! is the machine's doing. What is compared is the time that an order spends in the venue, by its
//! own histograms: from the gate's turn to its place in the sequence, and from there to its reply.
#![allow(clippy::unwrap_used)]

mod attached;
mod harness;

use appliance::client::members::{Login, Members};
use appliance::venue::runner::COUNTERS_FILE;
use attached::attack::ATTACKS;
use attached::{Attached, Neighbour, SmallDisk, sections, server};
use core_affinity::CoreId;
use harness::paired::{Random, Sure, quantile, sure};
use harness::{Site, directory_in, program_beside};
use nic::{Clock, Net, RealClock, RealNet, SocketTcp, TcpLimits};
use queue::{Buckets, CounterReader};
use session::ouch_client::{Order, Reply};
use std::fs;
use std::time::Duration;
use wire::ouch::Outbound;

/// Orders a second of both members.
const RATE: u64 = 10_000;
const ROUNDS: usize = 24;
const WINDOW_NS: u64 = 500_000_000;

/// What the venue's own histograms tell of an order's way through it.
const HOPS: [&str; 2] = ["hop.gate_engine_ns", "hop.engine_reply_ns"];

/// By how much the slow path may change that, beyond what a neighbour does that only computes.
const RATIO_MAX: f64 = 1.1;

/// The part of all windows that felt nothing else of the machine.
const UNDISTURBED: f64 = 0.25;

/// After what was held goes on, or is held, until the window begins.
const PAUSE: Duration = Duration::from_millis(30);

/// The room of the databases.
const ROOM_MIB: u32 = 4_096;

/// Groups by which the system shares processors among sessions of programs. With them, what came
/// new to the busy processor was left waiting for minutes beside programs that are held and go on
/// again and again (Linux 6.18); they are as before when this goes.
struct NoGroups(Vec<u8>);

const GROUPS: &str = "/proc/sys/kernel/sched_autogroup_enabled";

impl NoGroups {
    fn new() -> Self {
        let before = fs::read(GROUPS).unwrap_or_default();
        // A system without such groups needs nothing.
        if !before.is_empty() {
            fs::write(GROUPS, "0").unwrap();
        }
        Self(before)
    }
}

impl Drop for NoGroups {
    fn drop(&mut self) {
        let _ = fs::write(GROUPS, &self.0);
    }
}

/// A venue whose journal lies in memory: none of its threads waits for a disk.
fn site() -> Site {
    let mut site = Site::new();
    let data = site.data_dir();
    site.dir = directory_in("/dev/shm".as_ref());
    let memory = site.data_dir();
    site.with(data.to_str().unwrap(), memory.to_str().unwrap())
        .with("ack = \"disk\"", "ack = \"memory\"")
        .with("segment_mib = 1", "segment_mib = 64")
        .with("reply_mib = 4", "reply_mib = 64")
}

/// The calling thread, and what it starts, run there.
fn pin(processor: usize) {
    let is_pinned = core_affinity::set_for_current(CoreId { id: processor });
    assert!(is_pinned, "processor {processor} was refused");
}

/// The calling thread goes ahead of all else on its processor.
fn go_first() {
    let parameters = libc::sched_param { sched_priority: 1 };
    // What it starts goes with all others.
    let policy = libc::SCHED_FIFO | libc::SCHED_RESET_ON_FORK;
    // SAFETY: the pointer is to a value that outlives the call.
    let failed = unsafe { libc::sched_setscheduler(0, policy, &raw const parameters) };
    assert_eq!(failed, 0, "only root can go ahead of all else");
}

/// Two members that trade with each other, at random times.
struct Trading {
    members: Members<SocketTcp>,
    clock: RealClock,
    random: Random,
    sent: usize,
    accepted: usize,
    counters: CounterReader,
}

impl Trading {
    fn login(site: &Site, venue: &harness::Venue) -> Self {
        let limits = TcpLimits {
            connections: 2,
            ..TcpLimits::default()
        };
        let logins = ["ALPHA:alpha", "BRAVO:bravo"].map(|it| Login::parse(it).unwrap());
        let tcp = RealNet::new().tcp_client(limits).unwrap();
        let mut this = Self {
            members: Members::new(tcp, venue.order_entry(), &logins, 0),
            clock: RealClock::new(),
            random: Random(7),
            sent: 0,
            accepted: 0,
            counters: CounterReader::attach(&site.data_dir().join(COUNTERS_FILE)).unwrap(),
        };
        while !this.members.all_live() {
            this.poll();
        }
        this
    }

    fn poll(&mut self) -> u64 {
        let now_ns = self.clock.now_ns();
        let accepted = &mut self.accepted;
        let moved = self.members.poll(now_ns, &mut |_, reply| {
            if let Reply::Message(1.., Outbound::Accepted(_)) = reply {
                *accepted += 1;
            }
        });
        moved.unwrap();
        now_ns
    }

    fn hops(&self) -> [Buckets; 2] {
        HOPS.map(|hop| {
            let mut all = self.counters.histograms();
            all.find(|(name, _)| *name == hop).unwrap().1
        })
    }

    /// Orders at random times, every other one a seller's that the next one buys from; the 999th
    /// of 1,000 of each hop.
    fn window(&mut self) -> [f64; 2] {
        let before = self.hops();
        let (start_ns, gap_ns) = (self.clock.now_ns(), 1e9 / RATE as f64);
        let mut due_ns = start_ns as f64;
        loop {
            due_ns -= self.random.unit().ln() * gap_ns;
            if due_ns as u64 > start_ns + WINDOW_NS {
                break;
            }
            let wait_ns = (due_ns as u64).saturating_sub(self.clock.now_ns());
            std::thread::sleep(Duration::from_nanos(wait_ns));
            let (index, side) = [(0, b'S'), (1, b'B')][self.sent % 2];
            let order = Order::day(side, 1, "AAPL", 1_000_000);
            assert!(self.members.member(index).enter(&order).is_some());
            self.sent += 1;
            let now_ns = self.poll();
            self.members.transmit(now_ns);
        }
        while self.accepted < self.sent {
            let now_ns = self.poll();
            self.members.transmit(now_ns);
            std::thread::sleep(Duration::from_micros(50));
        }
        let after = self.hops();
        [0, 1].map(|hop| {
            let window = after[hop].since(&before[hop]);
            assert!(window.count() > 1_000, "{} orders", window.count());
            window.summary().p99_9 as f64
        })
    }
}

/// The figures of a round: of two windows without the slow path, of one with it, and of one with
/// a neighbour that computes.
type Round = [[f64; 2]; 4];

fn undisturbed(rounds: &[Round], which: usize, hop: usize) -> f64 {
    quantile(rounds.iter().map(|round| round[which][hop]), UNDISTURBED)
}

/// Tells by how much the slow path changes a hop, by how much such a neighbour does, and by how
/// much two windows without either differ. Gives the slow path's, to what the machine can show.
fn told(rounds: &[Round], random: &mut Random, hop: usize) -> Sure {
    let [first, second, with, beside] = [0, 1, 2, 3].map(|which| undisturbed(rounds, which, hop));
    println!(
        "  {}: 99.9th percentile {first:.0} and {second:.0} ns alone, {with:.0} with the slow \
         path, {beside:.0} with a neighbour",
        HOPS[hop]
    );
    let alone =
        |rounds: &[Round]| (undisturbed(rounds, 0, hop) * undisturbed(rounds, 1, hop)).sqrt();
    let ratio = sure(rounds, random, |it| undisturbed(it, 2, hop) / alone(it));
    let neighbour = sure(rounds, random, |it| undisturbed(it, 3, hop) / alone(it));
    let same = sure(rounds, random, |it| {
        undisturbed(it, 1, hop) / undisturbed(it, 0, hop)
    });
    let beyond = sure(rounds, random, |it| {
        undisturbed(it, 2, hop) / undisturbed(it, 3, hop).max(alone(it))
    });
    println!("    slow path {ratio}, neighbour {neighbour}, nothing {same}; beyond {beyond}");
    beyond
}

/// Windows in turns.
fn measured(trading: &mut Trading, attached: &Attached, neighbour: &Neighbour) -> Vec<Round> {
    let mut rounds = Vec::new();
    // The first round warms everything up.
    for round in 0..=ROUNDS {
        let mut figures = [[0.0; 2]; 4];
        for place in 0..4 {
            let which = (round + place) % 4;
            attached.run(which == 2);
            neighbour.run(which == 3);
            std::thread::sleep(PAUSE);
            figures[which] = trading.window();
        }
        if round > 0 {
            rounds.push(figures);
        }
    }
    neighbour.run(false);
    rounds
}

#[test]
#[ignore = "measures for some minutes: cargo x siege slow"]
fn matching_does_not_feel_a_slow_path_that_is_attacked_or_whose_database_stalls_or_dies() {
    program_beside("wirecross-slow");
    program_beside("wirecross-api");
    let _groups = NoGroups::new();
    let site = site();
    let room = site.dir.path().join("room");
    let disk = SmallDisk::mount(&room, ROOM_MIB);
    let tables = room.join("tables");
    let (text, port) = sections(&site, &tables);
    let site = site.with("[tiles]", &format!("{text}[tiles]"));
    pin(1);
    let server = server(&room.join("server"));
    let venue = site.start();
    let mut attached = Attached::start((&site, venue.id()), server, (&tables, port));
    let neighbour = Neighbour::start();
    go_first();
    let mut trading = Trading::login(&site, &venue);
    let (mut states, mut all, mut random) = (Vec::new(), Vec::new(), Random(1));
    for state in ["well", "attacked", "stalled", "killed", "full"] {
        println!("the slow path is {state}");
        match state {
            "attacked" => attached.is_attacked = true,
            "stalled" => attached.is_stalled = true,
            "killed" => attached.kill(),
            "full" => disk.fill(),
            _ => {}
        }
        let rounds = measured(&mut trading, &attached, &neighbour);
        let beyond = [0, 1].map(|hop| told(&rounds, &mut random, hop));
        states.push((state, beyond));
        all.extend(rounds);
        if state == "full" {
            disk.relieve();
        }
        attached.recover();
    }
    let (pages, attacks) = attached.end();
    println!("{} orders, {pages} pages of trades asked for", trading.sent);
    assert!(pages > 0);
    for ((name, _), count) in ATTACKS.iter().zip(attacks) {
        println!("  {count} times {name}");
        assert!(count > 0, "nobody tried {name}");
    }
    drop(trading);
    venue.stop();
    attached.reconcile();
    println!("all states together");
    for hop in [0, 1] {
        let beyond = told(&all, &mut random, hop);
        assert!(beyond.value < RATIO_MAX, "{beyond}: is the machine quiet?");
        for (state, beyond) in &states {
            let beyond = beyond[hop];
            assert!(
                beyond.from < RATIO_MAX,
                "{state}: {beyond}: surely more than it may be"
            );
        }
    }
}
