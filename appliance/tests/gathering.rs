//! Inputs that nobody waits for gather before they are written: until a group is full or old, or
//! the venue ends.
#![allow(clippy::unwrap_used)]

mod stage;

use appliance::tiles::Phase;
use journal::GROUP_INPUTS_MAX;
use journal::simulated::Disk;
use matching::Line;
use stage::{FILE, Stage, TURNS};

/// How long a turn of the stage takes.
const TURN_US: u64 = 1;

/// A venue that answers from memory, with `[journal]` as given; the day's first inputs are written.
fn stage<'m>(disk: &Disk, section: &str, lines: &'m mut Vec<Line>) -> Stage<'m> {
    let text = FILE.replace(
        "ack = \"disk\"",
        &format!("ack = \"memory\"\nsegment_mib = 1\njournal = {{ {section} }}"),
    );
    let mut stage = Stage::of(&text, disk, lines);
    let mut patience = TURNS;
    while !stage.members.all_live() || is_behind(&stage) {
        assert!(patience > 0, "the day does not begin");
        patience -= 1;
        stage.now_ns += 1_000_000;
        stage.turn(true);
    }
    stage
}

fn is_behind(stage: &Stage<'_>) -> bool {
    stage.counter("journal.durable") < stage.counter("engine.inputs")
}

/// Polls the venue until the engine has matched `count` orders more.
fn match_orders(stage: &mut Stage<'_>, count: usize) {
    let inputs = stage.counter("engine.inputs") + count as u64;
    assert_eq!(stage.enter(count), count);
    let mut patience = TURNS;
    while stage.counter("engine.inputs") < inputs {
        assert!(patience > 0, "the orders are not matched");
        patience -= 1;
        stage.turn(true);
    }
}

#[test]
fn a_group_is_written_when_it_is_old_though_nothing_follows() {
    // The first is what a topology without the key gets.
    for (section, gather_us) in [("", 1_000), ("gather_us = 300", 300)] {
        let disk = Disk::new(1);
        let mut lines = Vec::new();
        let mut stage = stage(&disk, section, &mut lines);
        let (writes, groups) = (disk.writes(), stage.counter("journal.groups"));
        let (durable, replies) = (stage.counter("journal.durable"), stage.replies);
        let since_ns = stage.now_ns;
        match_orders(&mut stage, 3);
        while stage.now_ns < since_ns + (gather_us - TURN_US) * 1_000 {
            stage.turn(true);
        }
        assert_eq!(stage.replies - replies, 3, "replies do not wait");
        assert_eq!(stage.counter("journal.durable"), durable, "{section}");
        assert_eq!(disk.writes(), writes, "{section}");
        let lag_ns = stage.counter("journal.lag_ns");
        assert!(lag_ns > 0 && lag_ns < gather_us * 1_000, "{lag_ns}");
        stage.turns(true);
        assert_eq!(stage.counter("journal.durable"), durable + 3, "{section}");
        assert_eq!(stage.counter("journal.groups"), groups + 1, "{section}");
        assert_eq!(disk.writes(), writes + 1, "{section}");
        assert_eq!(stage.counter("journal.lag_ns"), 0);
    }
}

#[test]
fn a_group_that_is_full_does_not_wait() {
    let disk = Disk::new(2);
    let mut lines = Vec::new();
    let mut stage = stage(&disk, "gather_us = 1000000", &mut lines);
    let groups = stage.counter("journal.groups");
    let durable = stage.counter("journal.durable");
    let since_ns = stage.now_ns;
    match_orders(&mut stage, GROUP_INPUTS_MAX + 10);
    stage.turns(true);
    assert!(stage.now_ns < since_ns + 1_000_000_000, "no group is old");
    let written = stage.counter("journal.durable") - durable;
    assert_eq!(written, GROUP_INPUTS_MAX as u64, "the rest waits for more");
    assert_eq!(stage.counter("journal.groups"), groups + 1);
}

#[test]
fn nothing_gathers_where_the_topology_says_so() {
    let disk = Disk::new(3);
    let mut lines = Vec::new();
    let mut stage = stage(&disk, "gather_us = 0", &mut lines);
    let groups = stage.counter("journal.groups");
    for _ in 0..3 {
        match_orders(&mut stage, 1);
        stage.turn(true);
    }
    assert_eq!(stage.counter("journal.groups"), groups + 3);
}

#[test]
fn an_end_writes_what_has_gathered_and_closes_behind_it() {
    let disk = Disk::new(4);
    let mut lines = Vec::new();
    let mut stage = stage(&disk, "gather_us = 1000000", &mut lines);
    match_orders(&mut stage, 5);
    stage.turns(true);
    let inputs = stage.counter("engine.inputs");
    assert_eq!(stage.counter("journal.durable"), inputs - 5);
    let mut phase = stage.set.counter("venue.phase").unwrap();
    phase.set(Phase::Draining as u64);
    stage.turns(true);
    assert_eq!(stage.counter("journal.durable"), inputs);
    assert_eq!(stage.counter("journal.closed"), 1);
    let mut orders = 0;
    let recovered = journal::recover(&mut disk.storage(), &mut |_| orders += 1).unwrap();
    assert_eq!(orders, inputs, "all of them are read back");
    assert!(recovered.clean, "the stop was clean");
}
