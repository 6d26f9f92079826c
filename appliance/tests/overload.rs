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
