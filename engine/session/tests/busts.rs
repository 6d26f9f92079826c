//! A trade that is taken back, as both members, those who watch and the feed hear of it.
#![allow(clippy::unwrap_used, reason = "a test may fail")]

mod ear;
mod venue;

use ear::{history, publisher};
use flow::naive::OFFERED;
use session::feed::PublisherConfig;
use session::order_entry::{DropCopy, OrderEntry};
use venue::ouch::{enter, heard, plain, replies};
use venue::{Venue, config, members, only, packets};
use wire::drop_copy::Message;
use wire::itch;
use wire::ring::{Command, CommandKind, Reason, Side};

/// Match 1: the second member bought 30 at 5,000 from the first.
fn bust(why: Reason) -> [Command; 2] {
    let named = Command {
        session: 2,
        user_ref: 1,
        price: 1,
        client_id: *b"their order   ",
        ..only(CommandKind::Trade)
    };
    let bust = Command {
        side: Side::Sell as u8,
        flags: why as u8,
        symbol: 1,
        session: 1,
        user_ref: 1,
        quantity: 30,
        price: 5_000,
        client_id: *b"my order      ",
        ..only(CommandKind::Bust)
    };
    [named, bust]
}

/// A venue that RISK watches, where the trade was made.
fn traded() -> Venue {
    let mut venue = Venue::offering(config(), OFFERED);
    let watching = DropCopy {
        user: "RISK".to_owned(),
        networks: Vec::new(),
        password: "watch".to_owned(),
        accounts: vec![2],
        store_bytes: 1 << 16,
        store_messages: 1 << 10,
    };
    let entry = OrderEntry::new(config(), &members()).unwrap();
    venue.entry = entry.with_drop_copies(&[watching]).unwrap();
    for (event, time_ns) in &venue.events {
        venue.entry.on_event(event, *time_ns);
    }
    venue.login(1, "ALPHA", "secret", 1);
    venue.login(2, "BETA", "hidden", 1);
    heard(&mut venue, 1, &[plain(&enter(1, b'S', 100, 5_000))]);
    heard(&mut venue, 2, &[plain(&enter(1, b'B', 30, 5_000))]);
    venue.taken(1);
    venue.taken(2);
    venue
}

#[test]
fn both_members_are_told_with_the_letter_of_each_reason() {
    for (why, letter) in [
        (Reason::Erroneous, 'E'),
        (Reason::Consent, 'C'),
        (Reason::Supervisory, 'S'),
        (Reason::External, 'X'),
    ] {
        let mut venue = traded();
        // The second time it is refused, and nobody hears of that.
        for command in [bust(why), bust(why)].concat() {
            venue.apply(command);
        }
        let told = [1, 2].map(|conn| replies(&venue.taken(conn)));
        assert_eq!(told[0], [format!("B 1 =1 {letter} my order")]);
        assert_eq!(told[1], [format!("B 1 =1 {letter} their order")]);
    }
}

#[test]
fn it_is_in_the_stream_of_who_was_away_and_after_a_restart() {
    let mut venue = traded();
    venue.entry.closed(1);
    bust(Reason::Consent)
        .into_iter()
        .for_each(|command| venue.apply(command));
    let due = [
        "S S",
        "A 1 S100 AAPL @5000 #1 my order",
        "E 1 30 @5000 A =1",
        "B 1 =1 C my order",
    ];
    assert_eq!(replies(&venue.login(3, "ALPHA", "secret", 1)), due);
    let mut again = Venue::restarted(config(), OFFERED, &venue.journal);
    assert_eq!(replies(&again.login(1, "ALPHA", "secret", 1)), due);
}

#[test]
fn who_watches_one_of_the_accounts_is_told_of_its_side() {
    let mut venue = traded();
    bust(Reason::External)
        .into_iter()
        .for_each(|command| venue.apply(command));
    let bytes = venue.login(3, "RISK", "watch", 1);
    let last = packets(&bytes).pop().unwrap();
    let Message::OrderEvent(it) = Message::parse(&last.1).unwrap();
    assert_eq!((it.event(), it.account(), it.user()), (b'B', 2, *b"BETA  "));
    assert_eq!(
        (it.user_ref(), it.old_user_ref(), it.order_ref()),
        (1, 0, 0)
    );
    assert_eq!((it.side(), it.symbol()), (b'B', *b"AAPL    "));
    assert_eq!((it.quantity(), it.leaves(), it.price()), (30, 0, 5_000));
    assert_eq!((it.match_number(), it.reason()), (1, u16::from(b'X')));
}

#[test]
fn the_feed_tells_it_once() {
    let mut venue = traded();
    bust(Reason::Consent)
        .into_iter()
        .for_each(|command| venue.apply(command));
    let mut feed = publisher(PublisherConfig::default());
    for (event, time_ns) in &venue.events {
        feed.on_event(event, *time_ns).unwrap();
    }
    feed.transmit(venue.now_ns, true, &mut |_| true);
    let messages = history(&mut feed);
    let broken = messages.iter().filter(|it| it[0] == b'B');
    assert_eq!(broken.count(), 1);
    match itch::Message::parse(messages.last().unwrap()).unwrap() {
        itch::Message::BrokenTrade(it) => {
            assert_eq!((it.stock_locate(), it.match_number()), (1, 1));
        }
        other => panic!("{other:?}"),
    }
}
