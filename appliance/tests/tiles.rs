//! The tiles on one thread, over ports and a disk in memory: what may leave, and when.
#![allow(clippy::unwrap_used)]

mod stage;

use appliance::tiles::{PARTS, Part, Phase, Progress, Tile};
use journal::simulated::{Disk, Faults};
use nic::Stamp;
use session::soup_client::ClientState;
use stage::{FILE, Stage, TURNS};

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
fn a_hop_begins_with_the_first_touch_of_the_frame_where_the_port_tells_it() {
    const BEFORE_NS: u64 = 1_000_000;
    let mut lines = Vec::new();
    let mut stage = Stage::new("memory", &Disk::new(8), &mut lines);
    stage.turns(true);
    let hop = |stage: &Stage<'_>| {
        let reader = stage.set.reader();
        let mut all = reader.histograms();
        all.find(|(name, _)| *name == "hop.gate_engine_ns")
            .unwrap()
            .1
    };
    let mut before = hop(&stage);
    for is_told in [false, true] {
        let touched_ns = stage.now_ns - BEFORE_NS;
        *stage.touched.lock().unwrap() = Stamp::told(touched_ns).filter(|_| is_told);
        assert_eq!(stage.enter(20), 20);
        stage.turns(true);
        let waited = hop(&stage).since(&before).summary();
        assert_eq!(
            (waited.count, waited.p50 >= BEFORE_NS),
            (20, is_told),
            "{waited:?}"
        );
        before = hop(&stage);
    }
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
fn a_member_whose_replies_fill_their_memory_goes_on() {
    let mut text = FILE.replace("rerequest", "history_mib = 1\nrerequest");
    for depth in ["4096", "16384"] {
        text = text.replace(&format!("depth = {depth}"), "depth = 128");
    }
    text = text.replace("[feed]", "reply_mib = 1\n\n[feed]");
    let mut lines = Vec::new();
    let mut stage = Stage::of(&text, &Disk::new(6), &mut lines);
    stage.turns(true);
    // A mebibyte holds the replies to less than 16,384 orders.
    stage.enter(40_000);
    stage.turns(true);
    assert_eq!(stage.counter("gate.inputs"), stage.counter("engine.inputs"));
    assert_eq!(stage.counter("gate.unreadable"), 0);
    assert!(stage.members.member(1).query());
    stage.turns(true);
    assert_eq!(stage.answers, 1);
}

/// Each tile says whether a turn that did nothing had nothing to do, or may not do it yet.
#[test]
fn tiles_that_may_not_go_on_say_so() {
    for (ack, held) in [("disk", Progress::Waiting), ("memory", Progress::Idle)] {
        let mut lines = Vec::new();
        let disk = Disk::new(7);
        let mut stage = Stage::new(ack, &disk, &mut lines);
        stage.turns(true);
        assert_eq!(all(&mut stage), [Progress::Idle; 4], "{ack}: nothing to do");

        assert_eq!(stage.enter(10), 10);
        stage.turns(false);
        let said = [
            stage.venue.gate.poll(stage.now_ns),
            stage.venue.engine.poll(stage.now_ns),
            stage.venue.publish.poll(stage.now_ns),
        ];
        assert_eq!(
            said,
            [held, Progress::Idle, held],
            "{ack}: nothing is on disk"
        );
        disk.set_faults(Faults {
            delay_polls_max: 1_000,
            ..Faults::default()
        });
        assert_eq!(stage.venue.journal.poll(stage.now_ns), Progress::Busy);
        assert_eq!(stage.venue.journal.poll(stage.now_ns), Progress::Waiting);
        stage.turns(true);
        assert_eq!(all(&mut stage), [Progress::Idle; 4], "{ack}: all is done");
    }
}

#[test]
fn a_full_ring_holds_the_engine_and_then_the_gate() {
    let mut text = FILE.to_owned();
    for depth in ["4096", "16384"] {
        text = text.replace(&format!("depth = {depth}"), "depth = 128");
    }
    let mut lines = Vec::new();
    let mut stage = Stage::of(&text, &Disk::new(8), &mut lines);
    stage.turns(true);
    let order = session::ouch_client::Order::day(b'B', 1, "AAPL", 10_000);
    // The journal has no turn, so its ring fills, and behind it that of the gate.
    for _ in 0..1_000 {
        let _ = stage.members.member(0).enter(&order);
        stage.turn(false);
    }
    stage.turns(false);
    assert_eq!(stage.venue.engine.poll(stage.now_ns), Progress::Waiting);
    assert_eq!(stage.venue.gate.poll(stage.now_ns), Progress::Waiting);
    stage.turns(true);
    assert_eq!(all(&mut stage), [Progress::Idle; 4]);
}

#[test]
fn between_its_turns_a_tile_is_elsewhere() {
    let mut lines = Vec::new();
    let mut stage = Stage::new("disk", &Disk::new(9), &mut lines);
    stage.turns(true);
    for tile in ["gate", "engine", "journal", "publish"] {
        let doing = stage.counter(&format!("{tile}.doing"));
        assert_eq!(doing, Part::Elsewhere as u64, "{tile}");
        assert_eq!(PARTS[doing as usize], "elsewhere");
    }
}

/// What each tile says of a turn.
fn all(stage: &mut Stage<'_>) -> [Progress; 4] {
    let now_ns = stage.now_ns;
    let venue = &mut stage.venue;
    [
        venue.gate.poll(now_ns),
        venue.engine.poll(now_ns),
        venue.journal.poll(now_ns),
        venue.publish.poll(now_ns),
    ]
}
