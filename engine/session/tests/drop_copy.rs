//! Who watches an account hears of everything that its sessions hear of, and of nothing else.
#![allow(clippy::unwrap_used, reason = "a test may fail")]

mod venue;

use flow::naive::OFFERED;
use session::order_entry::{
    Cause, Config, ConfigError, DropCopy, Malformed, OrderEntry, REJECT_CODE_OWN,
};
use venue::ouch::{cancel, enter, heard, plain, with_tags};
use venue::{Venue, config, members, packet, packets};
use wire::drop_copy::Message;
use wire::ouch::Tag;
use wire::ring::Reason;

fn copy(user: &str, accounts: &[u32]) -> DropCopy {
    DropCopy {
        user: user.to_owned(),
        networks: Vec::new(),
        password: "watch".to_owned(),
        accounts: accounts.to_vec(),
        store_bytes: 1 << 16,
        store_messages: 1 << 10,
    }
}

/// Order entry with three who watch: one account each, and both.
fn entry(config: Config) -> OrderEntry {
    let copies = [
        copy("RISK1", &[1]),
        copy("RISK2", &[2]),
        copy("RISK3", &[1, 2]),
    ];
    let entry = OrderEntry::new(config, &members()).unwrap();
    entry.with_drop_copies(&copies).unwrap()
}

fn watched() -> Venue {
    let mut venue = Venue::offering(config(), OFFERED);
    venue.entry = entry(config());
    for (event, time_ns) in &venue.events {
        venue.entry.on_event(event, *time_ns);
    }
    venue.login(1, "ALPHA", "secret", 1);
    venue.login(2, "BETA", "hidden", 1);
    venue
}

fn trade(venue: &mut Venue) {
    let sells = [
        with_tags(&enter(1, b'S', 100, 5_000), &[Tag::MaxFloor(40)]),
        with_tags(&enter(2, b'S', 10, 5_000), &[Tag::Firm(*b"BBBB")]),
        plain(&enter(2, b'S', 0, 5_000)),
    ];
    heard(venue, 1, &sells);
    heard(venue, 2, &[plain(&enter(1, b'B', 50, 5_000)), cancel(7, 0)]);
    heard(venue, 1, &[cancel(1, 90)]);
}

/// The messages of a stream, a line each; the day's opening is not among them.
fn lines(bytes: &[u8]) -> Vec<String> {
    let data = packets(bytes).into_iter().filter(|(kind, _)| *kind == b'S');
    data.skip(1).map(|(_, message)| line(&message)).collect()
}

fn line(message: &[u8]) -> String {
    let Message::OrderEvent(it) = Message::parse(message).unwrap();
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).trim_end().to_owned();
    format!(
        "{} {}/{} {} {}{}/{} {} @{} #{} ={} {:x}{}",
        it.event() as char,
        it.account(),
        text(&it.user()),
        it.user_ref(),
        it.side() as char,
        it.quantity(),
        it.leaves(),
        text(&it.symbol()),
        it.price(),
        it.order_ref(),
        it.match_number(),
        it.reason(),
        it.liquidity() as char,
    )
}

#[test]
fn each_account_is_told_to_those_who_watch_it() {
    let mut venue = watched();
    trade(&mut venue);
    let firm = REJECT_CODE_OWN + Reason::WrongFirm as u16;
    let unknown = REJECT_CODE_OWN + Reason::UnknownOrder as u16;
    let ahead = [
        "A 1/ALPHA 1 S100/100 AAPL @5000 #1 =0 0 ",
        &format!("J 1/ALPHA 2 S10/0 AAPL @5000 #0 =0 {firm:x} "),
        "J 1/ALPHA 2 S0/0 AAPL @5000 #0 =0 13 ",
    ];
    let buyer = [
        "A 2/BETA 1 B50/50 AAPL @5000 #2 =0 0 ",
        "E 2/BETA 1 B40/10 AAPL @5000 #2 =1 0R",
        "E 2/BETA 1 B10/0 AAPL @5000 #2 =2 0R",
        &format!("I 2/BETA 7 B0/0  @0 #0 =0 {unknown:x} "),
    ];
    let seller = [
        "E 1/ALPHA 1 S40/60 AAPL @5000 #1 =1 0A",
        "R 1/ALPHA 1 S40/60 AAPL @5000 #3 =0 0 ",
        "E 1/ALPHA 1 S10/50 AAPL @5000 #3 =2 0A",
        "C 1/ALPHA 1 S10/40 AAPL @5000 #3 =0 55 ",
    ];
    let one = venue.login(3, "RISK1", "watch", 1);
    assert_eq!(lines(&one), [&ahead[..], &seller].concat());
    let other = venue.login(4, "RISK2", "watch", 1);
    assert_eq!(lines(&other), buyer);
    let both = lines(&venue.login(3, "RISK3", "watch", 1));
    assert_eq!(both.len(), 11);
    let of = |account: &str| -> Vec<String> {
        let of = both.iter().filter(|it| it.contains(account));
        of.cloned().collect()
    };
    assert_eq!((of("1/ALPHA"), of("2/BETA")), (lines(&one), lines(&other)));
    assert_eq!(venue.entry.counters().replies_lost, 0);

    // The journal gives the same bytes again.
    let mut again = entry(config());
    let mut naive = flow::Naive::offering(OFFERED);
    for input in &venue.journal {
        again.replayed(input);
        for event in naive.apply(input) {
            again.on_event(&event, input.time_ns);
        }
    }
    venue.entry = again;
    assert_eq!(venue.login(3, "RISK1", "watch", 1), one);
    assert_eq!(lines(&venue.login(4, "RISK2", "watch", 3)), buyer[2..]);
}

#[test]
fn a_drop_copy_takes_no_messages() {
    let mut venue = watched();
    venue.login(3, "RISK1", "watch", 1);
    let order = plain(&enter(1, b'B', 1, 5_000));
    venue.received(3, &[packet(b'R', &[]), order].concat());
    let unknown = Cause::Malformed(Malformed::MessageUnknown);
    assert_eq!(venue.entry.closing(), Some((3, unknown)));
    assert!(venue.ring.is_empty());
}

#[test]
fn a_copy_that_is_full_keeps_the_newest_and_its_member_all() {
    let mut venue = Venue::offering(config(), OFFERED);
    let tiny = DropCopy {
        store_messages: 16,
        ..copy("RISK1", &[1])
    };
    let entry = OrderEntry::new(config(), &members()).unwrap();
    venue.entry = entry.with_drop_copies(&[tiny]).unwrap();
    for (event, time_ns) in &venue.events {
        venue.entry.on_event(event, *time_ns);
    }
    venue.login(1, "ALPHA", "secret", 1);
    for user_ref in 1..=40 {
        heard(&mut venue, 1, &[plain(&enter(user_ref, b'B', 1, 5_000))]);
    }
    let told = venue.entry.replies(3);
    assert!(venue.entry.replies(1) > 40 && told > 40 && venue.entry.is_full());
    venue.login(2, "RISK1", "watch", told - 16);
    assert_eq!(venue.entry.closing(), Some((2, Cause::SessionUnavailable)));
    let said = packets(&venue.login(3, "RISK1", "watch", told - 15));
    assert_eq!(said.len(), 1 + 16);
}

#[test]
fn bad_drop_copies_are_named() {
    let with = |copy: DropCopy| {
        let entry = OrderEntry::new(config(), &members()).unwrap();
        entry.with_drop_copies(&[copy]).err()
    };
    let named = |user: &str| copy(user, &[1]);
    assert_eq!(with(named("RISK1")), None);
    let twice = Some(ConfigError::UserTwice("alpha".to_owned()));
    assert_eq!(with(named("alpha")), twice);
    let user = Some(ConfigError::User(String::new()));
    assert_eq!(with(named("")), user);
    let small = DropCopy {
        store_messages: 10,
        ..named("RISK1")
    };
    let size = ConfigError::Size("store_messages", 10, 16, 1 << 28);
    assert_eq!(with(small), Some(size));
}
