//! A venue with more to do than it can: who waits too long is refused, who leaves is not, and
//! nothing that was taken is lost.
#![allow(clippy::unwrap_used)]

mod stage;

use journal::simulated::Disk;
use session::order_entry::reject_reason;
use session::ouch_client::Order;
use stage::{FILE, Stage};
use wire::ring::Reason;

/// Orders that a venue takes before its disk has to.
const ROOM: usize = 64;

/// Turns that come to more than the venue's patience; a turn is a microsecond.
const PATIENCE: usize = 2_000;

/// Orders of which a part at a time takes longer to refuse than the venue's patience is, in turns
/// that are so much longer.
const FLOOD: usize = 20_000;
const SLOW_NS: u64 = 19_000;

/// A venue with small rings, so that a disk that does nothing is soon felt.
fn text() -> String {
    let mut text = FILE.replace("ack = \"disk\"", "ack = \"disk\"\nsegment_mib = 1");
    for depth in ["4096", "16384"] {
        text = text.replace(&format!("depth = {depth}"), "depth = 1024");
    }
    text.replace("[feed]", "refuse_after_ms = 1\n\n[feed]")
}

#[test]
fn orders_are_refused_when_the_venue_is_behind_and_taken_when_it_is_not() {
    let (disk, mut lines) = (Disk::new(1), Vec::new());
    let mut stage = Stage::of(&text(), &disk, &mut lines);
    stage.turns(true);
    assert_eq!(stage.enter(ROOM), ROOM);
    stage.turns(true);
    assert_eq!((stage.told[0].taken, stage.told[0].refused), (ROOM, 0));

    // The disk stops. What the rings hold is taken, and is not answered before it is on disk.
    let sent = 8 * 1_024;
    let order = Order::day(b'B', 1, "AAPL", 10_000);
    for _ in 0..sent {
        assert!(stage.members.member(0).enter(&order).is_some());
    }
    for _ in 0..PATIENCE {
        stage.turn(false);
    }
    let behind = stage.told[0];
    assert_eq!(
        behind.taken, ROOM,
        "nothing is acknowledged that is not on disk"
    );
    assert!(behind.refused > 0, "nobody was refused");
    assert_eq!(reject_reason(behind.code), Some(Reason::Overloaded));
    assert_eq!(stage.counter("gate.overloaded"), behind.refused as u64);

    // It goes on: everything else is answered, in one way or the other.
    for _ in 0..4 {
        stage.turns(true);
    }
    let after = stage.told[0];
    assert_eq!(after.taken + after.refused, ROOM + sent);
    assert_eq!(stage.enter(ROOM), ROOM);
    stage.turns(true);
    assert_eq!(stage.told[0].taken, after.taken + ROOM, "it has caught up");
    assert_eq!(stage.told[0].refused, after.refused);
}

#[test]
fn who_sends_more_than_it_may_is_no_reason_to_refuse_anybody_else() {
    let rate = "\nrate = { messages_per_second = 1000, at_once = 10, refusals_max = 0 }";
    let text = text().replace("account = 1", &format!("account = 1{rate}"));
    let (disk, mut lines) = (Disk::new(1), Vec::new());
    let mut stage = Stage::of(&text, &disk, &mut lines);
    stage.turns(true);
    // What is not read of the first member waits longer than the venue's patience is.
    let order = Order::day(b'B', 1, "AAPL", 10_000);
    for _ in 0..FLOOD {
        assert!(stage.members.member(0).enter(&order).is_some());
    }
    let mut waited = 0;
    for turn in 0..8 * ROOM {
        if turn % 8 == 0 {
            assert_eq!(stage.enter_as(1, 1), 1);
        }
        stage.now_ns += SLOW_NS;
        stage.turn(true);
        waited += usize::from(stage.counter("gate.held_bytes") > 0);
    }
    assert!(waited > 4 * ROOM, "it waited for {waited} turns only");
    stage.turns(true);
    assert_eq!((stage.told[1].taken, stage.told[1].refused), (ROOM, 0));
    assert_eq!(stage.counter("gate.overloaded"), 0);

    // In the end each of its orders is answered.
    for _ in 0..4 {
        stage.turns(true);
    }
    let told = stage.told[0];
    assert_eq!(told.taken + told.refused, FLOOD);
    assert_eq!(stage.counter("gate.throttled"), told.refused as u64);
    assert!(told.taken >= 10, "{told:?}");
}
