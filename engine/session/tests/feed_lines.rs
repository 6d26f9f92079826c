//! A subscriber by two lines has the publisher's book after every message, whatever the cables do.
#![allow(clippy::unwrap_used, reason = "a test may fail")]

mod bridge;

use bridge::{Bridge, Faults, GAP_NS};
use session::SECOND_NS;
use session::feed::{LinesConfig, State, Way};

/// A time that is shorter than usual, so that a test needs fewer turns.
const SHORT_NS: u64 = SECOND_NS / 20;

fn with_snapshots() -> LinesConfig {
    LinesConfig {
        has_snapshots: true,
        patience_ns: SHORT_NS,
        stale_ns: SHORT_NS,
        ..LinesConfig::default()
    }
}

#[test]
fn two_bad_lines_are_one_good_feed() {
    for seed in 1..=4 {
        let mut bridge = Bridge::new(seed, Faults::USUAL, LinesConfig::default());
        for _ in 0..10_000 {
            bridge.turn();
        }
        bridge.settle();
        bridge.compare();
        assert_eq!(bridge.judged, bridge.venue.next() - 1);
        for line in 0..2 {
            let counters = bridge.lines.counters_by(Way::Line(line));
            assert!(counters.gaps > 100, "{counters:?}");
            assert!(counters.duplicates > 20, "{counters:?}");
            assert!(counters.late > 50, "{counters:?}");
            assert!(counters.filled > 0, "{counters:?}");
        }
        let asked = bridge.lines.counters_by(Way::Answer);
        assert!(asked.filled > 0, "now and then both lines lose a packet");
        assert_eq!(bridge.lines.disputes(), 0);
    }
}

#[test]
fn what_both_lines_lost_is_asked_for() {
    let mut bridge = Bridge::new(7, Faults::NONE, LinesConfig::default());
    for round in 0..4 {
        (0..500).for_each(|_| bridge.turn());
        bridge.links.iter_mut().for_each(|link| link.is_cut = true);
        (0..200).for_each(|_| bridge.turn());
        bridge.links[round % 2].is_cut = false;
        (0..500).for_each(|_| bridge.turn());
        bridge.links.iter_mut().for_each(|link| link.is_cut = false);
        bridge.settle();
        bridge.compare();
    }
    assert!(bridge.lines.counters().requests >= 4);
    assert!(bridge.lines.counters_by(Way::Answer).filled > 400);
    assert_eq!(bridge.judged, bridge.venue.next() - 1);
}

#[test]
fn where_nobody_answers_a_snapshot_stands_for_what_is_missing() {
    let mut bridge = Bridge::new(8, Faults::USUAL, with_snapshots());
    for _ in 0..3 {
        (0..2_000).for_each(|_| bridge.turn());
        bridge.is_server_up = false;
        bridge.links.iter_mut().for_each(|link| link.is_cut = true);
        (0..100).for_each(|_| bridge.turn());
        bridge.links.iter_mut().for_each(|link| link.is_cut = false);
        // The feed goes on while nobody answers and while the snapshot comes.
        (0..4 * SHORT_NS / GAP_NS).for_each(|_| bridge.turn());
        bridge.is_server_up = true;
        bridge.settle();
        bridge.compare();
    }
    assert!(bridge.snapshots_taken >= 3);
}

#[test]
fn who_joins_late_needs_no_history() {
    let config = LinesConfig {
        gap_messages_max: 1_000,
        ..with_snapshots()
    };
    let mut bridge = Bridge::new(9, Faults::USUAL, config);
    bridge.is_server_up = false;
    bridge.links.iter_mut().for_each(|link| link.is_cut = true);
    (0..5_000).for_each(|_| bridge.turn());
    bridge.links.iter_mut().for_each(|link| link.is_cut = false);
    (0..500).for_each(|_| bridge.turn());
    bridge.is_server_up = true;
    bridge.settle();
    bridge.compare();
    assert!(bridge.snapshots_taken >= 1);
    assert!(bridge.judged < 5_000, "it did not replay the history");
}

#[test]
fn without_snapshots_either_it_goes_on_asking_and_says_that_it_is_stale() {
    let mut bridge = Bridge::new(10, Faults::NONE, with_snapshots());
    (0..500).for_each(|_| bridge.turn());
    (bridge.is_server_up, bridge.are_snapshots_up) = (false, false);
    bridge.links.iter_mut().for_each(|link| link.is_cut = true);
    (0..50).for_each(|_| bridge.turn());
    bridge.links.iter_mut().for_each(|link| link.is_cut = false);
    (0..6 * SHORT_NS / GAP_NS).for_each(|_| bridge.turn());
    assert_eq!(bridge.lines.state(), State::Gap);
    assert!(bridge.lines.is_stale(bridge.venue.now_ns));
    assert!(bridge.lines.snapshots() >= 2, "it tried again");
    bridge.is_server_up = true;
    bridge.settle();
    bridge.compare();
    assert!(!bridge.lines.is_stale(bridge.venue.now_ns));
    assert_eq!(bridge.judged, bridge.venue.next() - 1);
}

#[test]
fn silence_makes_the_books_stale_within_a_second_and_a_heartbeat_does_not() {
    let mut bridge = Bridge::new(11, Faults::NONE, LinesConfig::default());
    (0..500).for_each(|_| bridge.turn());
    bridge.settle();
    for _ in 0..300 {
        bridge.rest(SECOND_NS / 100);
        assert!(!bridge.lines.is_stale(bridge.venue.now_ns), "nobody trades");
    }
    for cut in [vec![0], vec![1], vec![0, 1]] {
        cut.iter()
            .for_each(|line| bridge.links[*line].is_cut = true);
        let cut_ns = bridge.venue.now_ns;
        while bridge.venue.now_ns < cut_ns + SECOND_NS {
            bridge.rest(SECOND_NS / 100);
        }
        let is_silent = cut.len() == 2;
        assert_eq!(
            bridge.lines.is_stale(bridge.venue.now_ns),
            is_silent,
            "{cut:?}"
        );
        bridge.links.iter_mut().for_each(|link| link.is_cut = false);
        (0..100).for_each(|_| bridge.rest(SECOND_NS / 100));
        assert!(!bridge.lines.is_stale(bridge.venue.now_ns));
    }
}

/// Changes the units of the first order added in a packet of line 0.
fn lie_on_line_a(line: usize, packet: &mut [u8]) {
    let shares_low = 20 + 2 + 23;
    if line == 0 && packet.get(22) == Some(&b'A') {
        packet[shares_low] ^= 1;
    }
}

fn lie_on_line_b(line: usize, packet: &mut [u8]) {
    lie_on_line_a(1 - line, packet);
}

#[test]
fn a_line_that_lies_is_shut_out_and_the_books_are_mended() {
    for (liar, line) in [
        (lie_on_line_a as fn(usize, &mut [u8]), 0),
        (lie_on_line_b, 1),
    ] {
        let mut bridge = Bridge::new(12, Faults::NONE, with_snapshots());
        (0..2_000).for_each(|_| bridge.turn());
        assert_eq!(bridge.lines.disputes(), 0);
        bridge.is_judged = false;
        bridge.liar = Some(liar);
        (0..3_000).for_each(|_| bridge.turn());
        assert!(bridge.lines.disputes() > 0);
        assert!(bridge.lines.is_quarantined(line));
        assert!(!bridge.lines.is_quarantined(1 - line));
        // While it still lies the books are those of the venue.
        bridge.settle();
        bridge.compare();
        assert!(!bridge.lines.is_stale(bridge.venue.now_ns));
        bridge.liar = None;
        bridge.is_judged = true;
        (0..10_000).for_each(|_| bridge.turn());
        assert!(!bridge.lines.is_quarantined(line), "it proved itself");
        bridge.settle();
        bridge.compare();
    }
}

#[test]
fn where_nobody_settles_a_dispute_the_books_are_suspect_until_a_snapshot() {
    let mut bridge = Bridge::new(13, Faults::NONE, with_snapshots());
    (0..2_000).for_each(|_| bridge.turn());
    bridge.is_judged = false;
    bridge.is_server_up = false;
    bridge.are_snapshots_up = false;
    bridge.liar = Some(lie_on_line_b);
    (0..100).for_each(|_| bridge.turn());
    bridge.liar = None;
    (0..4 * SHORT_NS / GAP_NS).for_each(|_| bridge.turn());
    assert!(bridge.lines.is_stale(bridge.venue.now_ns));
    bridge.are_snapshots_up = true;
    bridge.is_server_up = true;
    (0..4 * SHORT_NS / GAP_NS).for_each(|_| bridge.turn());
    bridge.settle();
    bridge.compare();
    assert!(!bridge.lines.is_stale(bridge.venue.now_ns));
    assert!(bridge.snapshots_taken >= 1);
}
