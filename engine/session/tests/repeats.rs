//! An order that comes again is answered as it was the first time, outside the stream, and nothing
//! is done again.
#![allow(clippy::unwrap_used, reason = "a test may fail")]

mod venue;

use flow::naive::OFFERED;
use session::order_entry::{Cause, Config, OrderEntry, pack};
use venue::ouch::{cancel, enter, heard, mass_cancel, plain, replies, with_tags};
use venue::{Venue, config, grant, members, packet, packets};
use wire::ouch::Tag;
use wire::ouch::inbound::fields::{EnterOrder, ReplaceOrder};
use wire::ring::{CommandKind, MAY_TRADE};

/// The code of a number that was used.
const USED: &str = "8008";

fn venue() -> Venue {
    let mut venue = Venue::offering(config(), OFFERED);
    venue.apply(grant(7, MAY_TRADE));
    venue.login(1, "ALPHA", "secret", 1);
    venue
}

fn replace(old_user_ref: u32, user_ref: u32, quantity: u32) -> Vec<u8> {
    let asked = ReplaceOrder {
        old_user_ref,
        user_ref,
        quantity,
        price: 4_000,
        time_in_force: b'0',
        display: b'Y',
        intermarket_sweep: b'N',
        client_id: *b"another       ",
    };
    let mut bytes = [0; 64];
    let length = asked.encode_with([], &mut bytes).unwrap();
    packet(b'U', &bytes[..length])
}

/// A day with each kind of answer: what was sent, and the letter of what it was answered with.
fn day() -> Vec<(Vec<u8>, u8)> {
    let timed = EnterOrder {
        time_in_force: b'6',
        ..enter(3, b'B', 7, 3_000)
    };
    vec![
        (plain(&enter(1, b'B', 10, 4_000)), b'A'),
        (
            with_tags(&enter(2, b'S', 10, 6_000), &[Tag::Account(7)]),
            b'A',
        ),
        (with_tags(&timed, &[Tag::ExpireTime(86_000)]), b'A'),
        (replace(1, 5, 20), b'U'),
        (replace(1, 6, 20), b'J'),
        (plain(&enter(7, b'B', 0, 4_000)), b'J'),
        (
            with_tags(&enter(8, b'S', 9, 6_000), &[Tag::MaxFloor(3)]),
            b'A',
        ),
        (mass_cancel(9, "", &[Tag::Account(7)]), b'X'),
        (plain(&enter(10, b'B', 1, 4_000)), b'A'),
        (plain(&enter(11, b'B', 1, 0)), b'J'),
    ]
}

/// Lives through the day; gives what of the stream answers each message.
fn lived(venue: &mut Venue) -> Vec<Vec<u8>> {
    let mut answers = Vec::new();
    for (sent, letter) in day() {
        assert_eq!(venue.received(1, &sent), sent.len());
        venue.run();
        let told = packets(&venue.taken(1));
        let answer = told
            .iter()
            .find(|(kind, it)| (*kind, it[0]) == (b'S', letter));
        answers.push(answer.expect("an answer").1.clone());
    }
    assert_eq!(venue.entry.counters().repeats, 0);
    answers
}

/// Sends all of the day again; each is answered as before and nothing happens.
fn all_is_answered_again(venue: &mut Venue, conn: u32, answers: &[Vec<u8>]) {
    let (inputs, stream) = (venue.journal.len(), venue.entry.replies(1));
    let before = venue.entry.counters().repeats;
    for ((sent, _), answer) in day().iter().zip(answers) {
        assert_eq!(venue.received(conn, sent), sent.len());
        venue.run();
        assert_eq!(packets(&venue.taken(conn)), [(b'U', answer.clone())]);
    }
    assert_eq!(
        (venue.journal.len(), venue.entry.replies(1)),
        (inputs, stream)
    );
    assert_eq!(
        venue.entry.counters().repeats,
        before + answers.len() as u64
    );
}

#[test]
fn each_kind_of_answer_is_given_again_and_nothing_is_done_again() {
    let mut venue = venue();
    let answers = lived(&mut venue);
    all_is_answered_again(&mut venue, 1, &answers);
    all_is_answered_again(&mut venue, 1, &answers);
    // On another connection too, on the next day of the clock, and in the middle of its stream.
    venue.now_ns += session::DAY_NS;
    venue.login(2, "ALPHA", "secret", venue.entry.replies(1) + 1);
    all_is_answered_again(&mut venue, 2, &answers);
}

#[test]
fn a_restart_from_the_journal_or_a_snapshot_answers_again_too() {
    let mut before = venue();
    let answers = lived(&mut before);
    let mut venue = Venue::restarted(config(), OFFERED, &before.journal);
    venue.login(1, "ALPHA", "secret", venue.entry.replies(1) + 1);
    all_is_answered_again(&mut venue, 1, &answers);

    let mut state = Vec::new();
    before.entry.state(&mut state);
    let mut kept = OrderEntry::new(config(), &members()).unwrap();
    let counts = kept.restore(&state).unwrap();
    for (index, count) in counts.iter().enumerate() {
        kept.cover(index, *count);
        kept.begin_behind(index, *count);
    }
    std::mem::swap(&mut venue.entry, &mut kept);
    let stream = {
        let said = packets(&before.login(2, "ALPHA", "secret", 1));
        let stream = said.into_iter().filter(|(kind, _)| *kind == b'S');
        stream.map(|(_, message)| message).collect::<Vec<_>>()
    };
    venue.login(1, "ALPHA", "secret", counts[0] + 1);
    for ((sent, _), answer) in day().iter().zip(&answers) {
        assert_eq!(venue.received(1, sent), sent.len());
        assert!(
            venue.ring.is_empty() && venue.taken(1).is_empty(),
            "it waits"
        );
        provide(&mut venue, &stream);
        venue.poll();
        assert_eq!(packets(&venue.taken(1)), [(b'U', answer.clone())]);
    }
    assert!(venue.ring.is_empty());
}

/// Gives what is lacked from where it is kept.
fn provide(venue: &mut Venue, stream: &[Vec<u8>]) {
    while let Some(recall) = venue.entry.recall() {
        let mut out = Vec::new();
        let messages = &stream[recall.from as usize - 1..];
        let count = if recall.is_one { 1 } else { messages.len() };
        messages[..count].iter().for_each(|it| pack(it, &mut out));
        venue.entry.recalled(&recall, out, venue.now_ns);
    }
}

#[test]
fn another_order_under_a_used_number_is_refused_by_the_engine() {
    let mut venue = venue();
    let good = enter(1, b'B', 10, 4_000);
    heard(
        &mut venue,
        1,
        &[plain(&good), plain(&enter(2, b'B', 10, 4_000))],
    );
    let others = [
        plain(&EnterOrder { side: b'S', ..good }),
        plain(&EnterOrder {
            quantity: 11,
            ..good
        }),
        plain(&EnterOrder {
            symbol: *b"MSFT    ",
            ..good
        }),
        plain(&EnterOrder {
            price: 4_100,
            ..good
        }),
        plain(&EnterOrder {
            time_in_force: b'3',
            ..good
        }),
        plain(&EnterOrder {
            capacity: b'P',
            ..good
        }),
        plain(&EnterOrder {
            intermarket_sweep: b'Y',
            ..good
        }),
        plain(&EnterOrder {
            cross_type: b'O',
            ..good
        }),
        plain(&EnterOrder {
            client_id: *b"your order    ",
            ..good
        }),
        with_tags(&good, &[Tag::Account(7)]),
        with_tags(&good, &[Tag::MinQuantity(10)]),
        with_tags(&good, &[Tag::PostOnly(b'P')]),
        replace(2, 1, 10),
        mass_cancel(1, "", &[]),
    ];
    for (place, other) in others.into_iter().enumerate() {
        let inputs = venue.journal.len();
        let told = heard(&mut venue, 1, &[other]);
        assert_eq!(told.len(), 1, "{place}: {told:?}");
        assert!(
            told[0].starts_with(&format!("J 1 {USED} ")),
            "{place}: {told:?}"
        );
        assert!(venue.journal.len() > inputs);
    }
    // What says the same in other words is the same.
    let same = with_tags(&good, &[Tag::Account(1), Tag::Firm(*b"AAAA")]);
    assert!(heard(&mut venue, 1, &[same])[0].starts_with("A 1 "));
    assert_eq!(venue.entry.counters().repeats, 1);
    let mass = |symbol, tags: &[Tag<'_>]| mass_cancel(3, symbol, tags);
    heard(&mut venue, 1, &[mass("AAPL", &[])]);
    for other in [
        mass("", &[]),
        mass("MSFT", &[]),
        mass("AAPL", &[Tag::Side(b'B')]),
        mass("AAPL", &[Tag::Account(7)]),
    ] {
        assert_eq!(heard(&mut venue, 1, &[other]), [format!("J 3 {USED} ")]);
    }
}

#[test]
fn a_number_that_was_refused_is_free_for_another_order_and_for_who_asks_for_the_next() {
    let mut venue = venue();
    let empty = plain(&enter(1, b'B', 0, 4_000));
    assert_eq!(
        heard(&mut venue, 1, std::slice::from_ref(&empty)),
        ["J 1 13 my order"]
    );
    let inputs = venue.journal.len();
    assert_eq!(
        heard(&mut venue, 1, std::slice::from_ref(&empty)),
        ["J 1 13 my order"]
    );
    assert_eq!(venue.journal.len(), inputs);
    // Who asks is told that number, and what it sends then is an order of its own.
    assert_eq!(heard(&mut venue, 1, &[packet(b'U', b"Q")]), ["Q 1"]);
    assert_eq!(
        heard(&mut venue, 1, std::slice::from_ref(&empty)),
        ["J 1 13 my order"]
    );
    assert_eq!(venue.journal.len(), inputs + 1);
    let good = plain(&enter(1, b'B', 10, 4_000));
    assert!(heard(&mut venue, 1, std::slice::from_ref(&good))[0].starts_with("A 1 "));
    // Both messages are known of that number, each with its answer.
    assert_eq!(heard(&mut venue, 1, &[empty]), ["J 1 13 my order"]);
    assert!(heard(&mut venue, 1, &[good])[0].starts_with("A 1 "));
    assert_eq!(
        (venue.entry.counters().repeats, venue.journal.len()),
        (3, inputs + 2)
    );
}

#[test]
fn of_refusals_the_newest_are_known_and_the_others_are_judged_again() {
    let mut venue = venue();
    let empty = |number| plain(&enter(number, b'B', 0, 4_000));
    for number in 1..=1_025 {
        heard(&mut venue, 1, &[empty(number)]);
    }
    let inputs = venue.journal.len();
    assert_eq!(heard(&mut venue, 1, &[empty(2)]), ["J 2 13 my order"]);
    assert_eq!(venue.journal.len(), inputs);
    assert_eq!(heard(&mut venue, 1, &[empty(1)]), ["J 1 13 my order"]);
    assert_eq!(venue.journal.len(), inputs + 1);
}

#[test]
fn one_that_comes_before_the_first_was_answered_waits_for_that() {
    let order = with_tags(&enter(1, b'S', 9, 6_000), &[Tag::MaxFloor(3)]);
    for sent in [
        order,
        mass_cancel(1, "", &[]),
        plain(&enter(1, b'B', 0, 4_000)),
    ] {
        let mut venue = venue();
        venue.received(1, &sent);
        venue.login(2, "ALPHA", "secret", 1);
        let more = [sent, cancel(77, 0)].concat();
        assert_eq!(venue.received(2, &more), more.len());
        venue.poll();
        let under_way = venue.ring.len();
        assert!(under_way <= 2, "the first and its attributes");
        assert!(venue.taken(2).is_empty());
        venue.run();
        venue.poll();
        let told = packets(&venue.taken(2));
        let [(b'U', again), (b'S', first)] = &told[..] else {
            panic!("{told:?}");
        };
        assert_eq!(again, first);
        let behind: Vec<u8> = venue.ring.iter().map(|it| it.kind).collect();
        assert_eq!(
            behind,
            [CommandKind::Cancel as u8],
            "what came behind it goes on"
        );
        assert_eq!(
            venue.entry.counters().held_back,
            0,
            "the venue is not behind"
        );
    }
}

#[test]
fn one_whose_attributes_alone_got_through_is_not_entered_twice() {
    let mut venue = venue();
    // The ring has room for the attributes, and not for their order.
    for number in 1..8 {
        venue.received(1, &plain(&enter(number, b'B', 10, 4_000)));
    }
    let order = with_tags(&enter(8, b'S', 9, 6_000), &[Tag::MaxFloor(3)]);
    venue.received(1, &order);
    assert_eq!(venue.ring.len(), venue::RING_DEPTH);
    venue.login(2, "ALPHA", "secret", venue.entry.replies(1) + 1);
    venue.received(2, &order);
    for _ in 0..4 {
        venue.run();
        venue.poll();
    }
    let told = replies(&venue.taken(2));
    let of_it: Vec<_> = told.iter().filter(|it| it.starts_with("A 8 ")).collect();
    assert_eq!((of_it.len(), told.len()), (2, 9), "{told:?}");
    let entered = venue.journal.iter().filter(|it| it.command.user_ref == 8);
    assert_eq!(entered.count(), 2, "the attributes and the order");
}

/// A venue of whose replies memory holds the last few, and all that its first member was told.
fn forgetful() -> (Venue, Vec<Vec<u8>>) {
    let small = Config {
        store_messages: 16,
        ..config()
    };
    let mut venue = Venue::new(small);
    let mut stream = Vec::new();
    let mut tell = |said: Vec<u8>| {
        let said = packets(&said).into_iter().filter(|it| it.0 == b'S');
        stream.extend(said.map(|it| it.1));
    };
    tell(venue.login(1, "ALPHA", "secret", 1));
    for number in 1..=40 {
        venue.received(1, &plain(&enter(number, b'B', 10, 4_000)));
        venue.run();
        tell(venue.taken(1));
    }
    (venue, stream)
}

#[test]
fn an_answer_that_memory_let_go_of_is_read_where_it_is_kept() {
    let (mut venue, stream) = forgetful();
    venue.entry.keep(true);
    let first = plain(&enter(1, b'B', 10, 4_000));
    let more = [first.clone(), plain(&enter(40, b'B', 10, 4_000))].concat();
    venue.received(1, &more);
    venue.poll();
    assert_eq!(venue.entry.recall(), None, "it is not there yet");
    venue.entry.cover(0, 30);
    let recall = venue.entry.recall().unwrap();
    assert_eq!((recall.from, recall.is_one), (2, true));
    assert_eq!(venue.entry.recall(), None, "told once");
    let mut out = Vec::new();
    pack(&stream[1], &mut out);
    // An answer about another one changes nothing.
    let other = session::order_entry::Recall { from: 3, ..recall };
    venue.entry.recalled(&other, out.clone(), venue.now_ns);
    venue.poll();
    assert!(venue.taken(1).is_empty());
    venue.entry.recalled(&recall, out, venue.now_ns);
    venue.poll();
    let told = packets(&venue.taken(1));
    assert_eq!(
        told,
        [(b'U', stream[1].clone()), (b'U', stream[40].clone())]
    );
    assert!(venue.ring.is_empty());
    // The connection that waited may end.
    venue.received(1, &first);
    venue.entry.closed(1);
    assert_eq!(venue.entry.recall(), None);
}

#[test]
fn where_it_cannot_be_had_the_engine_refuses_the_number() {
    let first = plain(&enter(1, b'B', 10, 4_000));
    let refused = [format!("J 1 {USED} my order")];
    // Nowhere.
    let (mut venue, _) = forgetful();
    assert_eq!(heard(&mut venue, 1, std::slice::from_ref(&first)), refused);
    // In a stream that cannot be read.
    let (mut venue, _) = forgetful();
    venue.entry.keep(true);
    venue.entry.cover(0, 30);
    venue.received(1, &first);
    let recall = venue.entry.recall().unwrap();
    venue.entry.recalled(&recall, Vec::new(), venue.now_ns);
    venue.poll();
    venue.run();
    assert_eq!(replies(&venue.taken(1)), refused);
    // In one that nobody writes any more.
    let (mut venue, _) = forgetful();
    venue.entry.keep(true);
    venue.received(1, &first);
    assert!(venue.ring.is_empty());
    venue.entry.keep(false);
    venue.poll();
    venue.run();
    assert_eq!(replies(&venue.taken(1)), refused);
    assert_eq!(venue.entry.closing(), None, "{:?}", Cause::Unreadable);
}
