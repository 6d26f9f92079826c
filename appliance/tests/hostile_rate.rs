//! Nine members at their usual pace, beside one that sends ten times what it may: measured, so by
//! command only (`cargo x siege hostile`, on an optimised build and a quiet machine).
//!
//! The venue's threads have one processor, the members another one. Short windows come by three,
//! two without the hostile one and one with it, in turns; orders are due at the same random times
//! in all three, and the hostile one's client does the same work in all three. What is compared is
//! the 99th percentile from when an order was due to its reply: its ratio with the hostile one to
//! that without says what the others feel, the ratio of the two without what means nothing.
#![allow(clippy::unwrap_used)]

mod crowd;
mod harness;

use appliance::client::members::Login;
use core_affinity::CoreId;
use crowd::{Crowd, Hostile, schedule};
use harness::paired::{Random, Sure, quantile, sure};
use harness::{Member, Site, directory_in};
use std::fmt::Write;

const NORMAL: usize = 9;
/// Messages a second that anybody may send, of the normal members all together, and of the hostile
/// one.
const MAY: u64 = 1_000;
const NORMAL_RATE: u64 = NORMAL as u64 * MAY / 2;
const HOSTILE_RATE: u64 = 10 * MAY;

const ROUNDS: usize = 100;
const WINDOW_NS: u64 = 100_000_000;

/// Somebody else's orders that rest, so that a mass cancel has many to look at.
const RESTING: usize = 2_000;

/// By how much the hostile one may change what the others feel.
const RATIO_MAX: f64 = 1.1;

/// A venue whose journal lies in memory: its threads share a processor, and none waits for a disk.
fn site(memory: &str) -> Site {
    let site = Site::new();
    let data = site.data_dir();
    let mut site = site
        .with(data.to_str().unwrap(), memory)
        .with("sessions = 4", "sessions = 16")
        .with("connections_max = 8", "connections_max = 16")
        .with("reply_mib = 4", "reply_mib = 64")
        .with("ack = \"disk\"", "ack = \"memory\"")
        .with("segment_mib = 1", "segment_mib = 64");
    for number in 0..=NORMAL {
        let account = 10 + number;
        writeln!(
            site.topology,
            "[[users]]\nname = \"{}\"\npassword = \"x\"\nfirm = \"FIRM\"\naccount = {account}\n\
             rate = {{ messages_per_second = {MAY}, at_once = 100, refusals_max = 0 }}",
            user(number)
        )
        .unwrap();
    }
    site
}

fn user(number: usize) -> String {
    match number {
        NORMAL => "EVIL".to_owned(),
        _ => format!("M{number}"),
    }
}

/// The calling thread, and what it starts, run there, ahead of all else: as on a processor that was
/// taken from the system's other work.
fn pin(processor: usize) {
    let is_pinned = core_affinity::set_for_current(CoreId { id: processor });
    assert!(is_pinned, "processor {processor} was refused");
    let parameters = libc::sched_param { sched_priority: 1 };
    // SAFETY: the pointer is to a value that outlives the call.
    let failed = unsafe { libc::sched_setscheduler(0, libc::SCHED_FIFO, &raw const parameters) };
    if failed != 0 {
        eprintln!("only root can run ahead of all else: others will be felt");
    }
}

/// The 99th percentiles of a round in microseconds: of two windows without the hostile one, and of
/// one with it.
type Round = [f64; 3];

/// What of the windows felt nothing else: a machine that does something of its own makes windows
/// slower and never faster, so the faster ones are those to compare.
const UNDISTURBED: f64 = 0.25;

fn undisturbed(rounds: &[Round], which: usize) -> f64 {
    quantile(rounds.iter().map(|round| round[which]), UNDISTURBED)
}

/// Tells what was found: by how much the hostile one changes what the others feel, and by how much
/// two windows without it differ.
fn told(rounds: &[Round], random: &mut Random) -> (Sure, Sure) {
    let [first, second, with] = [0, 1, 2].map(|which| undisturbed(rounds, which));
    println!(
        "99th percentile of nine members in the quietest quarter of {} windows each: {first:.1} \
         and {second:.1} us without, {with:.1} us with the hostile one",
        rounds.len()
    );
    let ratio = sure(rounds, random, |rounds| {
        let without = undisturbed(rounds, 0) * undisturbed(rounds, 1);
        undisturbed(rounds, 2) / without.sqrt()
    });
    let same = sure(rounds, random, |rounds| {
        undisturbed(rounds, 1) / undisturbed(rounds, 0)
    });
    println!("ratio {ratio}, of those without it {same}");
    (ratio, same)
}

#[test]
#[ignore = "measures for a minute: cargo x siege hostile"]
fn nine_members_do_not_feel_a_tenth_that_sends_ten_times_what_it_may() {
    let memory = directory_in("/dev/shm".as_ref());
    let site = site(memory.path().join("data").to_str().unwrap());
    pin(0);
    let venue = site.start();
    pin(1);
    let mut resting = Member::login(venue.order_entry(), "ALPHA");
    resting.enter_many(RESTING, b'S', (1, "AAPL", 2_000_000));
    drop(resting);
    let logins = (0..NORMAL).map(|number| Login::parse(&format!("{}:x", user(number))).unwrap());
    let mut crowd = Crowd::login(venue.order_entry(), &logins.collect::<Vec<_>>());
    let mut hostile = Hostile::login(venue.order_entry(), "EVIL", "x");
    let mut random = Random(1);
    let mut rounds = Vec::new();
    // The first round warms everything up.
    for round in 0..=ROUNDS {
        let due = schedule(&mut random, NORMAL_RATE, WINDOW_NS);
        let hostile_due = schedule(&mut random, HOSTILE_RATE, WINDOW_NS);
        let mut times = [0.0; 3];
        for place in 0..3 {
            let which = (round + place) % 3;
            let sender = (&mut hostile, &hostile_due[..], which == 2);
            let window = crowd.window(&due, sender);
            assert_eq!(window.len(), due.len(), "every order has its reply");
            times[which] = window[window.len() * 99 / 100] as f64 / 1e3;
        }
        if round > 0 {
            rounds.push(times);
        }
    }
    let (ratio, same) = told(&rounds, &mut random);
    println!(
        "of the hostile one's messages {} were refused, {} taken, {} of them mass cancels",
        hostile.refused, hostile.taken, hostile.masses
    );
    assert!(hostile.masses > 0);
    assert!(hostile.refused > 2 * hostile.taken);
    assert!(
        ratio.to < RATIO_MAX,
        "{ratio}, where windows without it differ by {same}: is the machine quiet?"
    );
    venue.stop();
}
