//! Two bad lines, a re-request server and snapshots that fail now and then, for as many messages as
//! one likes: after each the subscriber's book must be the publisher's.
//!
//! `feed_lines MESSAGES [SEED]`; the first wrong book ends it.
#![allow(clippy::unwrap_used, reason = "it is a check: it may fail")]

#[path = "../tests/bridge/mod.rs"]
mod bridge;

use bridge::{Bridge, Faults, GAP_NS};
use session::SECOND_NS;
use session::feed::{LinesConfig, Way};

/// Messages between two troubles beside those of the cables.
const TROUBLE_MESSAGES: u64 = 100_000;

/// How long the re-request server stays away.
const AWAY_NS: u64 = SECOND_NS;

fn main() {
    let mut args = std::env::args().skip(1);
    let mut number = |or: u64| args.next().map_or(or, |text| text.parse().unwrap());
    let (messages, seed) = (number(200_000), number(1));
    let mut bridge = Bridge::new(
        seed,
        Faults::USUAL,
        LinesConfig {
            has_snapshots: true,
            ..LinesConfig::default()
        },
    );
    let mut troubles = 0;
    while bridge.lines.sequence_next() <= messages {
        bridge.turn();
        if bridge.venue.next() / TROUBLE_MESSAGES > troubles {
            troubles += 1;
            trouble(&mut bridge, troubles);
        }
    }
    bridge.settle();
    bridge.compare();
    println!(
        "{} messages, {} books compared, {} troubles, {} snapshots, {} requests",
        bridge.venue.next() - 1,
        bridge.judged,
        troubles,
        bridge.snapshots_taken,
        bridge.lines.counters().requests,
    );
    for (name, way) in [
        ("A", Way::Line(0)),
        ("B", Way::Line(1)),
        ("asked", Way::Answer),
    ] {
        let it = bridge.lines.counters_by(way);
        println!(
            "{name:>5}: packets {}, messages {}, gaps {}, duplicates {}, late {}, filled {}",
            it.packets, it.messages, it.gaps, it.duplicates, it.late, it.filled
        );
    }
}

/// Both lines fail together; every second time nobody answers requests then, and every fourth time
/// all is silent until the books must be stale.
fn trouble(bridge: &mut Bridge, number: u64) {
    let cut = |bridge: &mut Bridge, is_cut: bool| {
        bridge
            .links
            .iter_mut()
            .for_each(|link| link.is_cut = is_cut);
    };
    cut(bridge, true);
    (0..50).for_each(|_| bridge.turn());
    if number.is_multiple_of(4) {
        let cut_ns = bridge.venue.now_ns;
        while bridge.venue.now_ns < cut_ns + SECOND_NS {
            bridge.rest(SECOND_NS / 100);
        }
        assert!(
            bridge.lines.is_stale(bridge.venue.now_ns),
            "silent for a second"
        );
    }
    cut(bridge, false);
    if number.is_multiple_of(2) {
        let before = bridge.snapshots_taken;
        bridge.is_server_up = false;
        let away_ns = bridge.venue.now_ns;
        while bridge.venue.now_ns < away_ns + AWAY_NS && bridge.snapshots_taken == before {
            bridge.turn();
        }
        assert!(bridge.snapshots_taken > before, "nobody answered");
        bridge.is_server_up = true;
    }
    (0..10 * SECOND_NS / 1_000 / GAP_NS).for_each(|_| bridge.turn());
    bridge.settle();
    assert!(!bridge.lines.is_stale(bridge.venue.now_ns));
}
