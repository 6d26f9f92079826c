//! Order attributes: OUCH's elements to what the engine is asked, and what it answers to replies.
#![allow(clippy::unwrap_used, reason = "a test may fail")]

mod venue;

use flow::naive::increments;
use session::order_entry::{REJECT_CODE_OWN, cancel_letter};
use session::{DAY_NS, SECOND_NS};
use venue::ouch::{cancel, enter, heard, plain, replies, with_tags};
use venue::{START_NS, Venue, config, packet};
use wire::ouch::Tag;
use wire::ouch::inbound::fields::{EnterOrder, ReplaceOrder};
use wire::ring::{
    Command, CommandKind, Condition, EXTRA_ALL_OR_NONE, EXTRA_HIDDEN, EXTRA_POST_ONLY, EXTRA_SLIDE,
    EXTRA_TO_LIMIT, Reason, TimeInForce,
};

/// An order and its elements; minimum, displayed, expiry and flags of its `Extra`.
type Case<'t> = (EnterOrder, &'t [Tag<'t>], (u32, u32, i64, u8));

/// The second of the day that the venue starts in.
const START_SECOND: u32 = (START_NS % DAY_NS / SECOND_NS) as u32;

fn venue() -> Venue {
    let mut venue = Venue::offering(config(), increments::first(4));
    venue.login(1, "ALPHA", "secret", 1);
    venue.login(2, "BETA", "hidden", 1);
    venue
}

/// The commands that a packet becomes.
fn commands(bytes: &[u8]) -> Vec<Command> {
    let mut venue = venue();
    assert_eq!(venue.received(1, bytes), bytes.len());
    Vec::from(venue.ring)
}

fn buy() -> EnterOrder {
    enter(1, b'B', 100, 5_000)
}

/// An order that lives until a time.
fn timed() -> EnterOrder {
    EnterOrder {
        time_in_force: b'6',
        ..buy()
    }
}

fn hidden() -> EnterOrder {
    EnterOrder {
        display: b'N',
        ..buy()
    }
}

#[test]
fn elements_become_the_fields_of_an_extra() {
    const LATER: Tag<'_> = Tag::ExpireTime(START_SECOND + 9);
    let post = EXTRA_POST_ONLY;
    let slide = post | EXTRA_SLIDE;
    let expiry_ns = (START_NS + 9 * SECOND_NS) as i64;
    let cases: [Case<'_>; 14] = [
        (buy(), &[Tag::MinQuantity(7)], (7, 0, 0, 0)),
        (buy(), &[Tag::MaxFloor(8)], (0, 8, 0, 0)),
        (buy(), &[Tag::PostOnly(b'P')], (0, 0, 0, post)),
        (buy(), &[Tag::PostOnly(b'S')], (0, 0, 0, slide)),
        (buy(), &[Tag::AllOrNone(b'Y')], (0, 0, 0, EXTRA_ALL_OR_NONE)),
        (
            buy(),
            &[Tag::MarketToLimit(b'Y')],
            (0, 0, 0, EXTRA_TO_LIMIT),
        ),
        (
            buy(),
            &[
                Tag::AllOrNone(b'Y'),
                Tag::MarketToLimit(b'Y'),
                Tag::AllOrNone(b'N'),
            ],
            (0, 0, 0, EXTRA_TO_LIMIT),
        ),
        (
            buy(),
            &[Tag::PostOnly(b'S'), Tag::PostOnly(b'P')],
            (0, 0, 0, post),
        ),
        (hidden(), &[], (0, 0, 0, EXTRA_HIDDEN)),
        (
            hidden(),
            &[Tag::PostOnly(b'P')],
            (0, 0, 0, EXTRA_HIDDEN | post),
        ),
        (timed(), &[LATER], (0, 0, expiry_ns, 0)),
        (
            timed(),
            &[Tag::MinQuantity(7), Tag::Firm(*b"AAAA"), LATER],
            (7, 0, expiry_ns, 0),
        ),
        (
            timed(),
            &[Tag::ExpireTime(0)],
            (0, 0, (START_NS - START_NS % DAY_NS) as i64, 0),
        ),
        (
            buy(),
            &[Tag::MinQuantity(7), Tag::MinQuantity(9)],
            (9, 0, 0, 0),
        ),
    ];
    for (order, tags, (minimum, displayed, expiry_ns, flags)) in cases {
        let found = commands(&with_tags(&order, tags));
        let [extra, order] = found[..] else {
            panic!("{tags:?}: {found:?}");
        };
        assert_eq!(extra.kind, CommandKind::Extra as u8);
        assert_eq!((extra.session, extra.user_ref), (1, 1));
        let asked = (extra.quantity, extra.old_user_ref, extra.price, extra.flags);
        assert_eq!(asked, (minimum, displayed, expiry_ns, flags), "{tags:?}");
        assert_eq!((extra.letters, extra.client_id), ([0; 4], [0; 14]));
        assert_eq!(order.kind, CommandKind::New as u8);
        assert_eq!(order.time_in_force, TimeInForce::Day as u8);
    }
}

#[test]
fn what_an_order_waits_for_or_follows_becomes_a_condition() {
    let cases: [(&[Tag<'_>], Condition, i32); 8] = [
        (&[Tag::PriceType(b'R')], Condition::PrimaryPeg, 0),
        (
            &[Tag::PriceType(b'R'), Tag::PegOffset(-3)],
            Condition::PrimaryPeg,
            -3,
        ),
        (
            &[Tag::PegOffset(2), Tag::PriceType(b'P')],
            Condition::MarketPeg,
            2,
        ),
        (&[Tag::PriceType(b'M')], Condition::MidpointPeg, 0),
        (
            &[Tag::PriceType(b'M'), Tag::PegOffset(i32::MAX)],
            Condition::MidpointPeg,
            i32::MAX,
        ),
        (&[Tag::TriggerPrice(6_000)], Condition::Stop, 6_000),
        (&[Tag::TriggerPrice(u64::MAX)], Condition::Stop, i32::MAX),
        (&[Tag::TrailDistance(50)], Condition::TrailingStop, 50),
    ];
    for (tags, condition, amount) in cases {
        let found = commands(&with_tags(&buy(), tags));
        let [extra, _] = found[..] else {
            panic!("{tags:?}: {found:?}");
        };
        assert_eq!(extra.letters, [0, condition as u8, 0, 0], "{tags:?}");
        assert_eq!((extra.amount(), extra.client_id[0]), (amount, 0));
    }
}

#[test]
fn a_cross_type_becomes_a_time_in_force_that_replacements_inherit() {
    let cross = |user_ref, cross_type, time_in_force| EnterOrder {
        cross_type,
        time_in_force,
        ..enter(user_ref, b'B', 100, 5_000)
    };
    let replace = |old_user_ref, user_ref| {
        let replace = ReplaceOrder {
            old_user_ref,
            user_ref,
            quantity: 50,
            price: 5_000,
            time_in_force: b'0',
            display: b'Y',
            intermarket_sweep: b'N',
            client_id: [b' '; 14],
        };
        let mut bytes = [0; 64];
        let length = replace.encode(&mut bytes).unwrap();
        packet(b'U', &bytes[..length])
    };
    let sent = [
        plain(&cross(1, b'O', b'0')),
        replace(1, 2),
        replace(2, 3),
        plain(&cross(4, b'C', b'3')),
        plain(&cross(5, b'N', b'0')),
        replace(5, 6),
        plain(&cross(7, b'O', b'5')),
    ];
    let lives: Vec<u8> = commands(&sent.concat())
        .iter()
        .map(|command| command.time_in_force)
        .collect();
    let [day, open, close] = [TimeInForce::Day, TimeInForce::AtOpen, TimeInForce::AtClose];
    let due = [open, open, open, close, day, day].map(|life| life as u8);
    assert_eq!(lives[..6], due);
    assert_eq!(lives[6], u8::MAX);
}

#[test]
fn elements_that_ask_for_nothing_need_no_extra() {
    let cases: [&[Tag<'_>]; 5] = [
        &[],
        &[Tag::PriceType(b'L')],
        &[Tag::PostOnly(b'N')],
        &[Tag::MinQuantity(0), Tag::MaxFloor(0)],
        &[
            Tag::PostOnly(b'P'),
            Tag::PostOnly(b'N'),
            Tag::Firm(*b"AAAA"),
        ],
    ];
    for tags in cases {
        assert_eq!(commands(&with_tags(&buy(), tags)).len(), 1, "{tags:?}");
    }
}

#[test]
fn what_is_not_offered_is_refused_whatever_else_is_asked() {
    let cross = EnterOrder {
        cross_type: b'H',
        ..buy()
    };
    let unknown = |tag| Tag::Unknown { tag, value: b"x" };
    let own = |reason: Reason| format!("J 1 {:x} my order", REJECT_CODE_OWN + reason as u16);
    let unsupported = own(Reason::Unsupported);
    let cases = [
        (with_tags(&buy(), &[Tag::PostOnly(b'x')]), &unsupported),
        (
            with_tags(&buy(), &[Tag::MinQuantity(1), Tag::PegOffset(0)]),
            &unsupported,
        ),
        (
            with_tags(&buy(), &[Tag::PriceType(b'L'), Tag::PegOffset(1)]),
            &unsupported,
        ),
        (with_tags(&buy(), &[Tag::PriceType(b'm')]), &unsupported),
        (with_tags(&buy(), &[Tag::AllOrNone(b'P')]), &unsupported),
        (
            with_tags(&buy(), &[Tag::TriggerPrice(1), Tag::TrailDistance(1)]),
            &unsupported,
        ),
        (
            with_tags(&buy(), &[Tag::TriggerPrice(1), Tag::PriceType(b'R')]),
            &unsupported,
        ),
        (
            with_tags(&buy(), &[Tag::TrailDistance(1), Tag::PegOffset(1)]),
            &unsupported,
        ),
        (with_tags(&buy(), &[Tag::PriceType(b'Q')]), &unsupported),
        (with_tags(&buy(), &[Tag::ExpireTime(86_000)]), &unsupported),
        (
            with_tags(&timed(), &[Tag::ExpireTime(86_400)]),
            &unsupported,
        ),
        (
            with_tags(&timed(), &[Tag::ExpireTime(u32::MAX)]),
            &unsupported,
        ),
        (with_tags(&buy(), &[unknown(0)]), &unsupported),
        (
            with_tags(&buy(), &[unknown(99), Tag::PostOnly(b'P')]),
            &unsupported,
        ),
        (plain(&cross), &unsupported),
        (with_tags(&cross, &[Tag::MinQuantity(1)]), &unsupported),
        (
            with_tags(&hidden(), &[unknown(0), Tag::Firm(*b"BBBB")]),
            &own(Reason::WrongFirm),
        ),
        (plain(&timed()), &own(Reason::InvalidField)),
        // A life until a time does not turn an order for a cross into one for the day.
        (
            with_tags(
                &EnterOrder {
                    cross_type: b'C',
                    ..timed()
                },
                &[Tag::ExpireTime(START_SECOND + 9)],
            ),
            &own(Reason::InvalidField),
        ),
    ];
    for (bytes, answer) in cases {
        let mut venue = venue();
        assert_eq!(heard(&mut venue, 1, &[bytes]), std::slice::from_ref(answer));
        let next = heard(&mut venue, 1, &[plain(&buy())]);
        assert_eq!(next, ["A 1 B100 AAPL @5000 #1 my order"]);
    }
}

#[test]
fn every_attribute_has_its_replies() {
    let mut venue = venue();
    let own = |reason: Reason| REJECT_CODE_OWN + reason as u16;
    let sell = |user_ref, quantity, price| enter(user_ref, b'S', quantity, price);
    let timed = EnterOrder {
        time_in_force: b'6',
        ..sell(4, 5, 5_900)
    };
    let sells = [
        with_tags(&sell(1, 100, 5_000), &[Tag::MaxFloor(40)]),
        plain(&EnterOrder {
            display: b'N',
            ..sell(2, 10, 5_001)
        }),
        with_tags(&sell(3, 10, 5_002), &[Tag::MinQuantity(1)]),
        with_tags(&timed, &[Tag::ExpireTime(START_SECOND + 60)]),
    ];
    let taken = [
        "A 1 S100 AAPL @5000 #1 my order",
        "A 2 S10 AAPL @5001 #2 my order",
        "A 3 S10 AAPL @5002 #3 my order",
        "C 3 -10 I",
        "A 4 S5 AAPL @5900 #4 my order",
    ];
    assert_eq!(heard(&mut venue, 1, &sells), taken);
    let buys = [
        with_tags(&enter(1, b'B', 5, 5_000), &[Tag::PostOnly(b'P')]),
        with_tags(&enter(1, b'B', 5, 5_000), &[Tag::PostOnly(b'S')]),
        plain(&enter(2, b'B', 50, 5_000)),
        with_tags(&enter(3, b'B', 5, 5_000), &[Tag::MinQuantity(6)]),
    ];
    let said = [
        &format!("J 1 {:x} my order", own(Reason::WouldTrade)),
        "A 1 B5 AAPL @4999 #5 my order",
        "A 2 B50 AAPL @5000 #6 my order",
        "E 2 40 @5000 R =1",
        "E 2 10 @5000 R =2",
        "J 3 13 my order",
    ];
    assert_eq!(heard(&mut venue, 2, &buys), said);
    let (refreshed, own_buy) = ("R 1 R [SecondaryRef(7)]", enter(5, b'B', 9, 5_000));
    let more = heard(&mut venue, 1, &[cancel(1, 90), plain(&own_buy)]);
    let fills = ["E 1 40 @5000 A =1", refreshed, "E 1 10 @5000 A =2"];
    let own_replies = ["C 1 -10 U", "A 5 B9 AAPL @5000 #8 my order", "C 5 -9 Q"];
    assert_eq!(more, [fills, own_replies].concat());
    venue.now_ns += 60 * SECOND_NS;
    let stale = with_tags(&timed, &[Tag::ExpireTime(START_SECOND + 60)]);
    let replace = ReplaceOrder {
        old_user_ref: 2,
        user_ref: 7,
        quantity: 20,
        price: 4_000,
        time_in_force: b'0',
        display: b'N',
        intermarket_sweep: b'N',
        client_id: [b' '; 14],
    };
    let mut bytes = [0; 64];
    let tags = [Tag::PostOnly(b'S'), Tag::Firm(*b"AAAA")];
    let length = replace.encode_with(tags, &mut bytes).unwrap();
    let late = [packet(b'U', &bytes[..length]), stale];
    // The one that came before, and is over, is answered as then: outside the stream, ahead of it.
    let said = [
        "A 4 S5 AAPL @5900 #4 my order",
        "C 4 -5 T",
        "U 2>7 S20 AAPL @5000 #9 0NANN",
    ];
    assert_eq!(heard(&mut venue, 1, &late), said);
    assert_eq!(venue.entry.counters().replies_lost, 0);
    same_after_a_restart(venue);
}

/// Every reply comes from the journal again.
fn same_after_a_restart(mut venue: Venue) {
    let mut again = Venue::restarted(config(), increments::first(4), &venue.journal);
    for (conn, user, password) in [(11, "ALPHA", "secret"), (12, "BETA", "hidden")] {
        let [before, after] = [&mut venue, &mut again].map(|it| it.login(conn, user, password, 1));
        assert!(replies(&before).len() > 5);
        assert_eq!(replies(&before), replies(&after), "{user}");
    }
    assert_eq!(again.entry.counters().replies_lost, 0);
}

#[test]
fn cancellations_have_their_letters() {
    for (reason, letter) in [
        (Reason::User, b'U'),
        (Reason::ImmediateOrCancel, b'I'),
        (Reason::MinimumQuantity, b'I'),
        (Reason::DayClosed, b'E'),
        (Reason::Expired, b'T'),
        (Reason::SelfTrade, b'Q'),
        (Reason::AuctionOver, b'C'),
        (Reason::Killed, b'S'),
        (Reason::MassCancel, b'S'),
        (Reason::LadderFull, b'Z'),
    ] {
        assert_eq!(cancel_letter(reason), letter, "{reason:?}");
    }
}
