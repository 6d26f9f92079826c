//! What a connection is told last: never lost for want of room, and whole behind a whole packet.
#![allow(clippy::unwrap_used, reason = "a test may fail")]

mod venue;

use session::order_entry::{Cause, OrderEntry, Rate};
use venue::ouch::{enter, plain};
use venue::{Venue, config, members, packets};
use wire::ring::{Command, CommandKind};

/// More refusals than any room.
const MANY: u32 = 2_000;

const LOGGED_OUT: &[u8] = b"too many messages: logged out";
const KICKED: &[u8] = b"logged out by the operator";

/// The first member is logged in by connection 1, and may send one order; so many more are refused
/// before it is logged out.
fn venue(refusals_max: u32) -> Venue {
    let mut members = members();
    members[0].rate = Rate {
        a_second: 1,
        at_once: 1,
        refusals_max,
    };
    let mut venue = Venue::new(config());
    venue.entry = OrderEntry::new(config(), &members).unwrap();
    for (event, time_ns) in venue.events.clone() {
        venue.entry.on_event(&event, time_ns);
    }
    venue.login(1, "ALPHA", "secret", 1);
    venue
}

fn order(user_ref: u32) -> Vec<u8> {
    plain(&enter(user_ref, b'B', 10, 5_000))
}

fn kick(venue: &mut Venue) {
    venue.apply(Command {
        kind: CommandKind::Access as u8,
        session: 1,
        flags: 2,
        ..Command::BLANK
    });
}

/// What the connection is told from now on, if each transmission takes so many bytes; and why it
/// is closed.
fn told(venue: &mut Venue, bytes_max: usize) -> (Vec<(u8, Vec<u8>)>, Option<Cause>) {
    let mut all = Vec::new();
    loop {
        let before = all.len();
        venue.entry.transmit(venue.now_ns, &mut |_, bytes| {
            let taken = bytes.len().min(bytes_max - (all.len() - before));
            all.extend_from_slice(&bytes[..taken]);
            taken
        });
        if all.len() == before {
            let cause = venue.entry.closing().map(|(_, cause)| cause);
            return (packets(&all), cause);
        }
    }
}

#[test]
fn who_reads_nothing_is_told_why_it_is_logged_out() {
    let mut full = 0;
    for refusals_max in 1..40 {
        let mut venue = venue(refusals_max);
        for user_ref in 1..=refusals_max + 2 {
            venue.received(1, &order(user_ref));
        }
        let refused = venue.entry.counters().throttled_messages;
        if venue.entry.counters().throttled == 0 {
            // The refusals have no room: they wait for a member that reads.
            assert!(refused < u64::from(refusals_max));
            full += 1;
            continue;
        }
        let (said, cause) = told(&mut venue, 7);
        assert_eq!(said.len() as u64, refused + 1, "{refusals_max} refusals");
        assert_eq!(*said.last().unwrap(), (b'+', LOGGED_OUT.to_vec()));
        assert_eq!(cause, Some(Cause::Throttled));
    }
    assert!((10..39).contains(&full), "{full} buffers were full");
}

#[test]
fn words_have_room_behind_all_refusals() {
    let mut venue = venue(0);
    venue.entry.overloaded(true);
    venue.now_ns += session::SECOND_NS;
    for user_ref in 1..=MANY {
        // It waits once there are too many.
        venue.received(1, &order(user_ref));
    }
    let refused = venue.entry.counters().overloaded as usize;
    assert!(refused > 100 && refused < MANY as usize, "{refused}");
    venue.entry.say("the venue stops");
    kick(&mut venue);
    let (said, cause) = told(&mut venue, 1_000);
    assert_eq!(said.len(), refused + 2, "each refusal, and both words");
    assert_eq!(said[refused], (b'+', b"the venue stops".to_vec()));
    assert_eq!(said[refused + 1], (b'+', KICKED.to_vec()));
    assert_eq!(cause, Some(Cause::Kicked));
}

#[test]
fn last_words_follow_the_reply_that_is_being_sent_and_no_other() {
    let mut whole = venue(0);
    for user_ref in 1..=2 {
        whole.now_ns += 2 * session::SECOND_NS;
        whole.received(1, &order(user_ref));
        whole.run();
    }
    let replies = packets(&whole.taken(1));
    assert_eq!(replies.len(), 2);
    for sent in 1..3 + replies[0].1.len() {
        let mut venue = venue(0);
        for user_ref in 1..=2 {
            venue.now_ns += 2 * session::SECOND_NS;
            venue.received(1, &order(user_ref));
            venue.run();
        }
        let mut begun = Vec::new();
        venue.entry.transmit(venue.now_ns, &mut |_, bytes| {
            let taken = sent - begun.len();
            begun.extend_from_slice(&bytes[..taken]);
            taken
        });
        assert_eq!(begun.len(), sent);
        kick(&mut venue);
        let mut rest = Vec::new();
        venue.entry.transmit(venue.now_ns, &mut |_, bytes| {
            rest.extend_from_slice(bytes);
            bytes.len()
        });
        begun.extend(rest);
        let said = packets(&begun);
        assert_eq!(
            said,
            [replies[0].clone(), (b'+', KICKED.to_vec())],
            "{sent} bytes"
        );
        let closed = venue.entry.closing();
        assert_eq!(closed, Some((1, Cause::Kicked)));
    }
}
