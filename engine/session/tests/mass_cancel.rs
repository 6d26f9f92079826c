//! A member takes many orders off at once: those of one account of its own, and nobody else's.
#![allow(clippy::unwrap_used, reason = "a test may fail")]

mod venue;

use flow::naive::OFFERED;
use session::order_entry::REJECT_CODE_OWN;
use venue::ouch::{cancel, enter, heard, mass_cancel, plain, replies, with_tags};
use venue::{Venue, config, grant, packet};
use wire::ouch::Tag;
use wire::ouch::inbound::fields::MassCancel;
use wire::ring::{MAY_ENTER, MAY_TRADE, Reason};

fn code(reason: Reason) -> String {
    format!("{:x}", REJECT_CODE_OWN + reason as u16)
}

/// ALPHA has the accounts 1 and 7 and an order on each side of two symbols in either; account 8 is
/// one whose orders it may not cancel. BETA has account 2, and an order.
fn venue() -> Venue {
    let mut venue = Venue::offering(config(), OFFERED);
    venue.apply(grant(7, MAY_TRADE));
    venue.apply(grant(8, MAY_ENTER));
    venue.login(1, "ALPHA", "secret", 1);
    venue.login(2, "BETA", "hidden", 1);
    let mut sent = Vec::new();
    for (number, account) in [(1, 1), (5, 7)] {
        for (place, symbol) in [(0, *b"AAPL    "), (2, *b"MSFT    ")] {
            for (side, price) in [(b'B', 4_000), (b'S', 6_000)] {
                let user_ref = number + place + u32::from(side == b'S');
                let mut order = enter(user_ref, side, 10, price);
                order.symbol = symbol;
                sent.push(with_tags(&order, &[Tag::Account(account)]));
            }
        }
    }
    assert_eq!(heard(&mut venue, 1, &sent).len(), 8);
    heard(&mut venue, 2, &[plain(&enter(1, b'B', 10, 4_000))]);
    venue
}

fn left(orders: &[u32]) -> impl Iterator<Item = String> {
    orders.iter().map(|order| format!("C {order} -10 U"))
}

#[test]
fn what_fits_of_one_account_leaves_and_the_answer_counts_it() {
    for (symbol, tags, orders, told) in [
        ("", &[][..], &[1, 2, 3, 4][..], "X 9 AAAA [] [Orders(4)]"),
        ("AAPL", &[], &[1, 2], "X 9 AAAA [AAPL] [Orders(2)]"),
        (
            "",
            &[Tag::Account(7), Tag::Side(b'S')],
            &[6, 8],
            "X 9 AAAA [] [Account(7), Side(83), Orders(2)]",
        ),
        (
            "MSFT",
            &[Tag::Side(b'B'), Tag::Account(1)],
            &[3],
            "X 9 AAAA [MSFT] [Side(66), Orders(1)]",
        ),
        ("AAPL", &[Tag::Account(8)], &[], ""),
    ] {
        let mut venue = venue();
        let lines = heard(&mut venue, 1, &[mass_cancel(9, symbol, tags)]);
        let mut expected: Vec<String> = left(orders).collect();
        expected.push(if told.is_empty() {
            format!("J 9 {} ", code(Reason::NotPermitted))
        } else {
            told.to_owned()
        });
        let expected: Vec<&str> = expected.iter().map(|line| line.as_str()).collect();
        let lines: Vec<&str> = lines.iter().map(|line| line.as_str()).collect();
        assert_eq!(lines, expected, "{symbol} {tags:?}");
        // BETA's stands.
        assert_eq!(heard(&mut venue, 2, &[cancel(1, 0)]), ["C 1 -10 U"]);
        assert_eq!(venue.entry.counters().replies_lost, 0);
    }
}

#[test]
fn a_number_is_used_once_for_orders_and_mass_cancels_together() {
    let mut venue = venue();
    let sent = [
        mass_cancel(9, "", &[]),
        mass_cancel(9, "", &[Tag::Account(7)]),
        plain(&enter(9, b'B', 10, 4_000)),
        plain(&enter(10, b'B', 10, 4_000)),
        mass_cancel(10, "", &[]),
    ];
    let told = heard(&mut venue, 1, &sent);
    let again = code(Reason::DuplicateUserRef);
    let behind = &told[4..];
    assert_eq!(behind[0], "X 9 AAAA [] [Orders(4)]");
    assert_eq!(behind[1], format!("J 9 {again} "));
    assert_eq!(behind[2], format!("J 9 {again} my order"));
    assert!(behind[3].starts_with("A 10 "), "{behind:?}");
    assert_eq!(behind[4], format!("J 10 {again} "));
    let next = heard(&mut venue, 1, &[packet(b'U', b"Q")]);
    assert_eq!(next, ["Q 11"]);
    // Those of account 7 stand.
    assert_eq!(heard(&mut venue, 1, &[cancel(5, 0)]), ["C 5 -10 U"]);
}

#[test]
fn a_restart_knows_which_numbers_were_used_and_tells_the_same() {
    let mut before = venue();
    let told = heard(&mut before, 1, &[mass_cancel(9, "", &[Tag::Account(7)])]);
    let mut venue = Venue::restarted(config(), OFFERED, &before.journal);
    let all = replies(&venue.login(1, "ALPHA", "secret", 1));
    assert!(all.ends_with(&told), "{all:?}");
    let again = heard(&mut venue, 1, &[mass_cancel(9, "", &[])]);
    assert_eq!(again, [format!("J 9 {} ", code(Reason::DuplicateUserRef))]);
    assert_eq!(heard(&mut venue, 1, &[packet(b'U', b"Q")]), ["Q 10"]);
}

#[test]
fn what_is_not_the_members_or_not_there_is_refused() {
    let mut firm = [0; 64];
    let asked = MassCancel {
        user_ref: 9,
        firm: *b"BBBB",
        symbol: [b' '; 8],
    };
    let length = asked.encode_with([], &mut firm).unwrap();
    for (sent, reason) in [
        (
            mass_cancel(9, "", &[Tag::Account(2)]),
            code(Reason::WrongAccount),
        ),
        (mass_cancel(9, "NONE", &[]), "17".to_owned()),
        (
            mass_cancel(9, "", &[Tag::Side(b'X')]),
            code(Reason::Unsupported),
        ),
        (
            mass_cancel(9, "", &[Tag::GroupId(1)]),
            code(Reason::Unsupported),
        ),
        (packet(b'U', &firm[..length]), code(Reason::WrongFirm)),
    ] {
        let mut venue = venue();
        // Nothing happened: the number is good for another one.
        let told = heard(&mut venue, 1, &[sent, mass_cancel(9, "", &[])]);
        assert_eq!(told[0], format!("J 9 {reason} "));
        assert_eq!(told.last().unwrap(), "X 9 AAAA [] [Orders(4)]");
    }
}

#[test]
fn mass_cancels_that_come_too_fast_are_refused_and_orders_are_not() {
    let mut venue = venue();
    let mut told = Vec::new();
    for user_ref in 9..9 + 70 {
        told.extend(heard(&mut venue, 1, &[mass_cancel(user_ref, "", &[])]));
    }
    let refused = format!("{} ", code(Reason::RateLimit));
    let late = told.iter().filter(|line| line.starts_with('J'));
    assert_eq!(late.count(), 6, "{told:?}");
    assert!(
        told[70 + 4 - 6..]
            .iter()
            .all(|line| line.ends_with(&refused))
    );
    assert_eq!(venue.entry.counters().throttled_messages, 6);
    // Orders are taken, and single ones leave.
    let sent = [plain(&enter(79, b'B', 10, 4_000)), cancel(79, 0)];
    let told = heard(&mut venue, 1, &sent);
    assert!(
        told[0].starts_with("A 79 ") && told[1] == "C 79 -10 U",
        "{told:?}"
    );
    // Another user is not slowed, and half a second later there is one more.
    assert_eq!(heard(&mut venue, 2, &[mass_cancel(2, "", &[])]).len(), 2);
    venue.now_ns += session::SECOND_NS / 2;
    let sent = [mass_cancel(80, "", &[]), mass_cancel(81, "", &[])];
    let told = heard(&mut venue, 1, &sent);
    assert_eq!(told.len(), 2);
    assert!(
        told.iter().any(|line| line == "X 80 AAAA [] [Orders(0)]"),
        "{told:?}"
    );
    assert!(
        told.iter().any(|line| *line == format!("J 81 {refused}")),
        "{told:?}"
    );
}
