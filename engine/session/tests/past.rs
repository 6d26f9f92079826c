//! Replies that are kept elsewhere: memory lets go of them, and members get them all the same.
#![allow(clippy::unwrap_used, reason = "a test may fail")]

mod venue;

use session::order_entry::{Cause, Config, Recall, pack};
use venue::ouch::{enter, plain};
use venue::{Venue, config, login, packets};

/// Replies that memory holds at most.
const STORE_MESSAGES: usize = 64;

const ORDERS: u32 = 300;

fn small() -> Config {
    Config {
        store_messages: STORE_MESSAGES,
        ..config()
    }
}

/// A venue and what ALPHA was told, of which a stream holds all but the last few.
fn traded() -> (Venue, Vec<Vec<u8>>) {
    let mut venue = Venue::new(small());
    let mut kept: Vec<Vec<u8>> = Vec::new();
    let mut tell = |bytes: &[u8]| {
        let told = packets(bytes).into_iter().filter(|(kind, _)| *kind == b'S');
        kept.extend(told.map(|(_, message)| message));
    };
    tell(&venue.login(1, "ALPHA", "secret", 1));
    for user_ref in 1..=ORDERS {
        venue.received(1, &plain(&enter(user_ref, b'B', 5, 5_000)));
        venue.run();
        tell(&venue.taken(1));
        let count = venue.entry.replies(1);
        venue.entry.cover(0, count.saturating_sub(5));
    }
    assert_eq!(
        kept.len(),
        ORDERS as usize + 1,
        "the opening, and each order"
    );
    (venue, kept)
}

/// Gives what is lacked from where it is kept, a few replies at a time.
fn provide(venue: &mut Venue, kept: &[Vec<u8>], count: usize) -> usize {
    let mut asked = 0;
    while let Some(recall) = venue.entry.recall() {
        let covered = venue.entry.covered(recall.store) as usize;
        let mut out = Vec::new();
        let from = recall.from as usize - 1;
        let messages = &kept[from..(from + count).min(covered)];
        messages.iter().for_each(|message| pack(message, &mut out));
        venue.entry.recalled(&recall, out, venue.now_ns);
        asked += 1;
    }
    asked
}

/// All that a connection is told, its socket taking `piece` bytes a turn.
fn read(venue: &mut Venue, kept: &[Vec<u8>], conn: u32, piece: usize) -> Vec<u8> {
    let (mut out, mut idle) = (Vec::new(), 0);
    while idle < 3 {
        let before = out.len();
        let mut room = piece;
        venue.entry.transmit(venue.now_ns, &mut |to, bytes| {
            let taken = if to == conn { bytes.len().min(room) } else { 0 };
            room -= taken;
            out.extend_from_slice(&bytes[..taken]);
            taken
        });
        let asked = provide(venue, kept, 7);
        idle = if out.len() > before || asked > 0 {
            0
        } else {
            idle + 1
        };
    }
    out
}

#[test]
fn a_login_reads_on_from_any_number_whatever_memory_holds() {
    let (mut venue, kept) = traded();
    assert_eq!(venue.entry.counters().held_back, 0);
    let all = kept.len() as u64;
    for (sequence, piece) in (1..=all + 1).zip([5, 64, 1_000, 13].into_iter().cycle()) {
        while venue.entry.closing().is_some() {}
        venue.entry.opened(2, venue.now_ns).unwrap();
        venue.received(2, &login("ALPHA", "secret", "", &sequence.to_string()));
        let said = packets(&read(&mut venue, &kept, 2, piece));
        let told: Vec<Vec<u8>> = said[1..].iter().map(|(_, it)| it.clone()).collect();
        assert_eq!(said[0].0, b'A');
        assert!(told == kept[sequence as usize - 1..], "from {sequence}");
    }
    venue.entry.opened(3, venue.now_ns).unwrap();
    venue.received(3, &login("ALPHA", "secret", "", &(all + 2).to_string()));
    let causes: Vec<_> = std::iter::from_fn(|| {
        venue.taken(3);
        venue.entry.closing()
    })
    .collect();
    assert!(
        causes.contains(&(3, Cause::SessionUnavailable)),
        "{causes:?}"
    );
}

#[test]
fn one_who_stopped_in_the_middle_of_a_reply_gets_the_rest_of_it_first() {
    for stop in 1..120 {
        let mut venue = Venue::new(small());
        venue.login(1, "ALPHA", "secret", 1);
        venue.entry.opened(2, venue.now_ns).unwrap();
        venue.received(2, &login("BETA", "hidden", "", "1"));
        let mut out = read(&mut venue, &[], 2, usize::MAX);
        let mut kept: Vec<Vec<u8>> = Vec::new();
        let mut room = stop;
        for user_ref in 1..=100 {
            // BETA's replies, of which its socket takes a few bytes and no more.
            venue.received(2, &plain(&enter(user_ref, b'B', 5, 5_000)));
            venue.run();
            venue.entry.transmit(venue.now_ns, &mut |to, bytes| {
                let taken = if to == 2 { bytes.len().min(room) } else { 0 };
                room -= taken;
                out.extend_from_slice(&bytes[..taken]);
                taken
            });
            // A stream takes each at once; the plain store of another venue tells what.
            let count = venue.entry.replies(2);
            venue.entry.cover(1, count - 1);
        }
        let mut plain_venue = Venue::restarted(config(), 0, &venue.journal);
        let said = packets(&plain_venue.login(2, "BETA", "hidden", 1));
        kept.extend(said.into_iter().skip(1).map(|(_, message)| message));
        out.extend(read(&mut venue, &kept, 2, usize::MAX));
        let told: Vec<_> = packets(&out).into_iter().skip(1).map(|it| it.1).collect();
        assert!(told == kept, "stopped behind {stop} bytes");
    }
}

#[test]
fn replies_that_cannot_be_read_end_the_connection_and_late_ones_do_no_harm() {
    let (mut venue, kept) = traded();
    venue.login(2, "ALPHA", "secret", 10);
    let recall = venue.entry.recall().unwrap();
    let due = Recall {
        conn: 2,
        store: 0,
        from: 10,
        is_one: false,
    };
    assert_eq!((recall, venue.entry.recall()), (due, None), "told once");
    while venue.entry.closing().is_some() {}
    // Answers to others, or to what was asked on an earlier connection of that number.
    for (conn, from) in [(7, 10), (2, 11)] {
        let other = Recall { conn, from, ..due };
        venue
            .entry
            .recalled(&other, vec![0, 2, b'S', b'?'], venue.now_ns);
    }
    assert!(venue.taken(2).is_empty());
    venue.entry.recalled(&due, Vec::new(), venue.now_ns);
    assert_eq!(venue.entry.closing(), Some((2, Cause::Unreadable)));
    assert_eq!(venue.entry.counters().unreadable, 1);
    venue.entry.recalled(&due, Vec::new(), venue.now_ns);
    venue.login(3, "ALPHA", "secret", 10);
    let said = packets(&read(&mut venue, &kept, 3, usize::MAX));
    assert_eq!(said.len(), kept.len() - 9, "the next one is told");
}

#[test]
fn what_is_kept_elsewhere_is_counted_and_not_made() {
    let (venue, _) = traded();
    let mut plain_venue = Venue::restarted(config(), 0, &venue.journal);
    let due = packets(&plain_venue.login(1, "ALPHA", "secret", 1));
    let covered = u64::from(ORDERS) - 20;
    let mut again = Venue::covered(small(), 0, &venue.journal, covered);
    assert_eq!(again.entry.replies(1), u64::from(ORDERS) + 1);
    let said = packets(&again.login(1, "ALPHA", "secret", covered + 1));
    assert_eq!(said[1..], due[covered as usize + 1..]);
    let (mut one, mut other) = (Vec::new(), Vec::new());
    plain_venue.entry.state(&mut one);
    again.entry.state(&mut other);
    assert!(one == other, "all else is known");
}
