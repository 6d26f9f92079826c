//! While the venue has too much to do, new orders are refused outside the stream, and cancels go
//! on.
#![allow(clippy::unwrap_used, reason = "a test may fail")]

mod venue;

use session::order_entry::reject_code;
use venue::ouch::{cancel, enter, plain, replies};
use venue::{Venue, config, packets};
use wire::ring::Reason;

/// More refusals than a connection has room for in one turn.
const MANY: u32 = 2_000;

#[test]
fn who_overloads_the_venue_is_refused_and_may_leave() {
    let mut venue = Venue::new(config());
    venue.login(1, "ALPHA", "secret", 1);
    for user_ref in 1..=2 {
        venue.received(1, &plain(&enter(user_ref, b'B', 10, 5_000)));
    }
    venue.run();
    venue.taken(1);
    let inputs = venue.journal.len();

    venue.entry.overloaded(true);
    let sent = [
        plain(&enter(3, b'B', 10, 5_000)),
        cancel(1, 0),
        plain(&enter(4, b'S', 10, 5_100)),
        cancel(2, 5),
    ];
    venue.received(1, &sent.concat());
    venue.run();
    let bytes = venue.taken(1);
    let code = reject_code(Reason::Overloaded);
    assert_eq!(
        replies(&bytes),
        [
            format!("J 3 {code:x} my order"),
            format!("J 4 {code:x} my order"),
            "C 1 -10 U".to_owned(),
            "C 2 -5 U".to_owned()
        ]
    );
    let kinds: Vec<u8> = packets(&bytes).iter().map(|(kind, _)| *kind).collect();
    assert_eq!(kinds, b"UUSS", "refusals are outside the stream");
    assert_eq!(venue.journal.len(), inputs + 2, "and no inputs");
    assert_eq!(venue.entry.counters().overloaded, 2);

    // The references were not used up.
    venue.entry.overloaded(false);
    venue.received(1, &plain(&enter(3, b'B', 10, 5_000)));
    venue.run();
    assert_eq!(replies(&venue.taken(1)), ["A 3 B10 AAPL @5000 #3 my order"]);
}

#[test]
fn who_does_not_take_refusals_is_not_read() {
    let mut venue = Venue::new(config());
    venue.login(1, "ALPHA", "secret", 1);
    venue.entry.overloaded(true);
    let mut bytes: Vec<u8> = Vec::new();
    for user_ref in 1..=MANY {
        bytes.extend(plain(&enter(user_ref, b'B', 10, 5_000)));
    }
    let (mut refused, mut at) = (0, 0);
    while at < bytes.len() {
        let taken = venue.received(1, &bytes[at..]);
        assert!(taken < bytes.len() - at || refused > 0, "all at once");
        at += taken;
        refused += packets(&venue.taken(1)).len();
        venue.poll();
    }
    refused += packets(&venue.taken(1)).len();
    assert_eq!(refused, MANY as usize, "each is told");
    assert_eq!(venue.entry.counters().overloaded, u64::from(MANY));
}
