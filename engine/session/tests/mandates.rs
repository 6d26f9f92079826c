//! A member with several accounts: its orders name one, all else follows the order.
#![allow(clippy::unwrap_used, reason = "a test may fail")]

mod venue;

use flow::naive::OFFERED;
use session::order_entry::{DropCopy, OrderEntry, REJECT_CODE_OWN};
use venue::ouch::{cancel, enter, heard, plain, replies, with_tags};
use venue::{Venue, config, grant, members, packet, packets};
use wire::drop_copy::Message;
use wire::ouch::Tag;
use wire::ouch::inbound::fields::ReplaceOrder;
use wire::ring::{Command, CommandKind, MAY_CANCEL, MAY_ENTER, MAY_TRADE, Reason};

const WRONG_ACCOUNT: u16 = REJECT_CODE_OWN + Reason::WrongAccount as u16;
const NOT_PERMITTED: u16 = REJECT_CODE_OWN + Reason::NotPermitted as u16;

/// Order entry with a watcher of each account.
fn entry() -> OrderEntry {
    let copies = [1, 2, 7].map(|account| DropCopy {
        user: format!("WATCH{account}"),
        networks: Vec::new(),
        password: "watch".to_owned(),
        accounts: vec![account],
        store_bytes: 1 << 16,
        store_messages: 1 << 10,
    });
    let entry = OrderEntry::new(config(), &members()).unwrap();
    entry.with_drop_copies(&copies).unwrap()
}

/// A venue whose first member, ALPHA of account 1, has account 7 too; BETA has account 2.
fn venue() -> Venue {
    let mut venue = Venue::offering(config(), OFFERED);
    venue.entry = entry();
    for (event, time_ns) in &venue.events {
        venue.entry.on_event(event, *time_ns);
    }
    venue.apply(grant(7, MAY_TRADE));
    venue.login(1, "ALPHA", "secret", 1);
    venue.login(2, "BETA", "hidden", 1);
    venue
}

fn order(user_ref: u32, account: u32) -> Vec<u8> {
    with_tags(&enter(user_ref, b'S', 10, 5_000), &[Tag::Account(account)])
}

fn replace(old_user_ref: u32, user_ref: u32, tags: &[Tag<'_>]) -> Vec<u8> {
    let order = ReplaceOrder {
        old_user_ref,
        user_ref,
        quantity: 8,
        price: 5_000,
        time_in_force: b'0',
        display: b'Y',
        intermarket_sweep: b'N',
        client_id: *b"another       ",
    };
    let mut bytes = [0; 512];
    let length = order.encode_with(tags.iter().copied(), &mut bytes).unwrap();
    packet(b'U', &bytes[..length])
}

/// What the watcher of an account heard, in short: event, account, user reference.
fn copies(venue: &mut Venue, account: u32) -> Vec<String> {
    let bytes = venue.login(3, &format!("WATCH{account}"), "watch", 1);
    let data = packets(&bytes)
        .into_iter()
        .filter(|(kind, _)| *kind == b'S');
    let line = |message: &[u8]| {
        let Message::OrderEvent(it) = Message::parse(message).unwrap();
        format!("{}{}/{}", it.event() as char, it.account(), it.user_ref())
    };
    data.skip(1).map(|(_, message)| line(&message)).collect()
}

#[test]
fn an_order_is_of_the_account_that_it_names_and_all_that_follows_is_too() {
    let mut venue = venue();
    let sent = [
        plain(&enter(1, b'S', 10, 5_000)),
        order(2, 7),
        order(3, 1),
        replace(2, 4, &[]),
        replace(4, 5, &[Tag::Account(7)]),
        cancel(3, 0),
        cancel(5, 3),
        // Gone, but still known to be that account's.
        cancel(4, 0),
        replace(4, 6, &[]),
    ];
    heard(&mut venue, 1, &sent);
    heard(&mut venue, 2, &[plain(&enter(1, b'B', 4, 5_000))]);
    let first = ["A1/1", "A1/3", "C1/3", "E1/1"];
    assert_eq!(copies(&mut venue, 1), first);
    let second = ["A7/2", "U7/4", "U7/5", "C7/5", "I7/4", "J7/6"];
    assert_eq!(copies(&mut venue, 7), second);
    assert_eq!(copies(&mut venue, 2), ["A2/1", "E2/1"]);
    assert_eq!(venue.entry.counters().replies_lost, 0);
}

#[test]
fn no_order_is_of_an_account_that_is_not_the_members() {
    let mut venue = venue();
    let sent = [order(1, 2), order(1, 99), order(1, 7)];
    let told = heard(&mut venue, 1, &sent);
    let refused = format!("J 1 {WRONG_ACCOUNT:x} my order");
    assert_eq!(told, [&refused, &refused, "A 1 S10 AAPL @5000 #1 my order"]);
    // Nor does a replacement take its order into another account, not even one of the member's.
    let sent = [
        replace(1, 2, &[Tag::Account(1)]),
        replace(1, 2, &[Tag::Account(2)]),
    ];
    let told = heard(&mut venue, 1, &sent);
    let refused = format!("J 2 {WRONG_ACCOUNT:x} another");
    assert_eq!(told, [refused.as_str(), &refused]);
    assert_eq!(venue.entry.counters().wrong_account, 4);
    assert_eq!(
        copies(&mut venue, 2),
        [""; 0],
        "nobody else's watcher hears"
    );
    // BETA has account 2 alone.
    let told = heard(&mut venue, 2, &[order(1, 7)]);
    assert_eq!(told, [format!("J 1 {WRONG_ACCOUNT:x} my order")]);
}

#[test]
fn what_is_under_way_is_reached_before_it_is_answered() {
    let mut venue = venue();
    let burst = [order(1, 7), replace(1, 2, &[]), order(3, 7), cancel(3, 0)];
    for bytes in &burst {
        assert_eq!(venue.received(1, bytes), bytes.len());
    }
    venue.run();
    let told = replies(&venue.taken(1));
    assert_eq!(told[1], "U 1>2 S8 AAPL @5000 #2 0YANN");
    assert_eq!(told[3], "C 3 -10 U");
    // A reference that is sent for two accounts is the first one's, and is reached by it.
    for bytes in [order(4, 7), order(4, 1), cancel(4, 0)] {
        assert_eq!(venue.received(1, &bytes), bytes.len());
    }
    venue.run();
    let told = replies(&venue.taken(1));
    assert_eq!(told[2], "C 4 -10 U");
}

#[test]
fn what_must_follow_its_attributes_is_owed_under_the_number_of_its_account() {
    let mut venue = venue();
    let tags = [Tag::Account(7), Tag::MinQuantity(5)];
    let bytes = with_tags(&enter(1, b'S', 10, 5_000), &tags);
    let mut taken = Vec::new();
    let mut only_one = |command: Command| {
        taken.push(command);
        taken.len() == 1
    };
    venue.entry.received(1, &bytes, venue.now_ns, &mut only_one);
    let kinds = [CommandKind::Extra, CommandKind::New].map(|kind| (kind as u8, 3));
    let offered = taken.iter().map(|one| (one.kind, one.session));
    assert_eq!(offered.collect::<Vec<_>>(), kinds);
    assert_eq!(venue.entry.owing().collect::<Vec<_>>(), [3]);
}

#[test]
fn what_a_member_may_do_changes_under_way() {
    let mut venue = venue();
    heard(
        &mut venue,
        1,
        &[order(1, 7), plain(&enter(2, b'S', 5, 5_000))],
    );
    venue.apply(grant(7, MAY_CANCEL));
    let told = heard(&mut venue, 1, &[order(3, 7), replace(1, 3, &[])]);
    let refused = |text: &str| format!("J 3 {NOT_PERMITTED:x} {text}");
    assert_eq!(told, [refused("my order"), refused("another")]);
    venue.apply(grant(7, MAY_ENTER));
    let count = venue.journal.len();
    assert_eq!(heard(&mut venue, 1, &[cancel(1, 0)]), ["I 1"]);
    assert_eq!(venue.journal.len(), count, "it went no farther");
    assert_eq!(heard(&mut venue, 1, &[cancel(2, 0)]), ["C 2 -5 U"]);
    assert_eq!(venue.entry.counters().not_permitted, 3);
    venue.apply(grant(7, MAY_TRADE));
    assert_eq!(heard(&mut venue, 1, &[cancel(1, 0)]), ["C 1 -10 U"]);
}

#[test]
fn a_restart_from_the_journal_or_a_snapshot_goes_on_alike() {
    let mut venue = venue();
    heard(
        &mut venue,
        1,
        &[order(1, 7), plain(&enter(2, b'S', 5, 5_000))],
    );
    let mut state = Vec::new();
    venue.entry.state(&mut state);
    let mut kept = entry();
    let replies = kept.restore(&state).unwrap();
    for (index, count) in replies.into_iter().enumerate() {
        kept.begin_behind(index, count);
    }
    let mut replayed = entry();
    let mut naive = flow::Naive::offering(OFFERED);
    for input in &venue.journal {
        replayed.replayed(input);
        for event in naive.apply(input) {
            replayed.on_event(&event, input.time_ns);
        }
    }
    for mut entry in [kept, replayed] {
        let mut again = Vec::new();
        entry.state(&mut again);
        assert_eq!(again, state);
        std::mem::swap(&mut entry, &mut venue.entry);
        let next = venue.entry.replies(1) + 1;
        venue.login(1, "ALPHA", "secret", next);
        let count = venue.journal.len();
        heard(&mut venue, 1, &[cancel(1, 0), order(9, 99)]);
        let sent: Vec<(u8, u16)> = venue.journal[count..]
            .iter()
            .map(|input| (input.command.kind, input.command.session))
            .collect();
        let expected = [
            (CommandKind::Cancel as u8, 3),
            (CommandKind::Refuse as u8, 1),
        ];
        assert_eq!(sent, expected);
    }
    // Where only what is about mandates is missing, nothing was granted; where which replies
    // answered which orders is, an earlier version wrote it.
    let is_good = |end: &usize| entry().restore(&state[..*end]).is_ok();
    assert_eq!((0..state.len()).filter(is_good).count(), 2);
}
