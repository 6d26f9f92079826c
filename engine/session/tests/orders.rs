//! Orders through order entry to the engine and back.
#![allow(clippy::unwrap_used, reason = "a test may fail")]

mod venue;

use session::SECOND_NS;
use session::order_entry::{REJECT_CODE_OWN, reject_code, reject_reason};
use venue::ouch::{cancel, conversation, enter, heard, plain, replies, with_tags};
use venue::{RING_DEPTH, Venue, config, packet};
use wire::ouch::Tag;
use wire::ouch::inbound::fields::{EnterOrder, ModifyOrder, ReplaceOrder};
use wire::ring::{Command, CommandKind, Reason};

#[test]
fn every_kind_of_reply_says_what_happened() {
    let mut venue = Venue::new(config());
    venue.login(1, "ALPHA", "secret", 1);
    venue.login(2, "BETA", "hidden", 1);
    let short = EnterOrder {
        side: b'T',
        ..enter(1, b'T', 100, 5_000)
    };
    let sells = [
        plain(&short),
        plain(&enter(2, b'S', 50, 5_000)),
        cancel(2, 30),
        cancel(9, 0),
    ];
    let hears = [
        "A 1 T100 AAPL @5000 #1 my order",
        "A 2 S50 AAPL @5000 #2 my order",
    ];
    let more = ["C 2 -20 U", "I 9"];
    assert_eq!(heard(&mut venue, 1, &sells), [hears, more].concat());
    let market = EnterOrder {
        time_in_force: b'3',
        ..enter(7, b'B', 140, 6_000)
    };
    assert_eq!(
        heard(&mut venue, 2, &[plain(&market)]),
        [
            "A 7 B140 AAPL @6000 #3 my order",
            "E 7 100 @5000 R =1",
            "E 7 30 @5000 R =2",
            "C 7 -10 I"
        ]
    );
    assert_eq!(
        replies(&venue.taken(1)),
        ["E 1 100 @5000 A =1", "E 2 30 @5000 A =2"]
    );
}

#[test]
fn a_replacement_keeps_the_letters_of_its_order() {
    let mut venue = Venue::new(config());
    venue.login(1, "ALPHA", "secret", 1);
    let replace = |old_user_ref, user_ref, price| {
        let order = ReplaceOrder {
            old_user_ref,
            user_ref,
            quantity: 70,
            price,
            time_in_force: b'0',
            display: b'A',
            intermarket_sweep: b'Y',
            client_id: [b' '; 14],
        };
        let mut bytes = [0; 64];
        let length = order.encode(&mut bytes).unwrap();
        packet(b'U', &bytes[..length])
    };
    let short = EnterOrder {
        side: b'E',
        capacity: b'R',
        ..enter(1, b'E', 100, 5_000)
    };
    let sent = [
        plain(&short),
        replace(1, 5, 5_100),
        replace(5, 6, 5_200),
        replace(5, 7, 1),
    ];
    let unknown = format!("J 7 {:x} ", REJECT_CODE_OWN + Reason::UnknownOrder as u16);
    assert_eq!(
        heard(&mut venue, 1, &sent),
        [
            "A 1 E100 AAPL @5000 #1 my order",
            "U 1>5 E70 AAPL @5100 #2 0ARYN",
            "U 5>6 E70 AAPL @5200 #3 0ARYN",
            &unknown
        ]
    );
}

#[test]
fn refusals_carry_their_reason() {
    let good = enter(5, b'B', 100, 5_000);
    let own = |reason: Reason| format!("J 5 {:x} my order", REJECT_CODE_OWN + reason as u16);
    let cases = [
        (
            plain(&EnterOrder {
                symbol: *b"NONE    ",
                ..good
            }),
            "J 5 17 my order".to_owned(),
        ),
        (
            plain(&EnterOrder {
                quantity: 0,
                ..good
            }),
            "J 5 13 my order".to_owned(),
        ),
        (
            plain(&EnterOrder {
                quantity: 1_000_000,
                ..good
            }),
            "J 5 13 my order".to_owned(),
        ),
        (
            plain(&EnterOrder { price: 0, ..good }),
            "J 5 1d my order".to_owned(),
        ),
        (
            plain(&EnterOrder {
                price: u64::MAX,
                ..good
            }),
            "J 5 1d my order".to_owned(),
        ),
        (
            plain(&EnterOrder { side: b'x', ..good }),
            own(Reason::InvalidField),
        ),
        (
            plain(&EnterOrder {
                time_in_force: b'6',
                ..good
            }),
            own(Reason::InvalidField),
        ),
        (
            plain(&EnterOrder {
                display: b'N',
                ..good
            }),
            own(Reason::Unsupported),
        ),
        (
            plain(&EnterOrder {
                cross_type: b'H',
                ..good
            }),
            own(Reason::Unsupported),
        ),
        (
            with_tags(&good, &[Tag::PostOnly(b'P')]),
            own(Reason::Unsupported),
        ),
        (
            with_tags(&good, &[Tag::Firm(*b"BBBB")]),
            own(Reason::WrongFirm),
        ),
        (
            with_tags(&good, &[Tag::MinQuantity(5), Tag::Firm(*b"BBBB")]),
            own(Reason::WrongFirm),
        ),
        (
            plain(&EnterOrder {
                user_ref: 4,
                ..good
            }),
            {
                format!(
                    "J 4 {:x} my order",
                    REJECT_CODE_OWN + Reason::DuplicateUserRef as u16
                )
            },
        ),
        (
            with_tags(&good, &[Tag::Firm(*b"AAAA")]),
            "A 5 B100 AAPL @5000 #2 my order".to_owned(),
        ),
    ];
    for (bytes, answer) in cases {
        let mut venue = Venue::new(config());
        venue.login(1, "ALPHA", "secret", 1);
        heard(&mut venue, 1, &[plain(&enter(4, b'B', 1, 1))]);
        assert_eq!(heard(&mut venue, 1, &[bytes]), [answer]);
        // What was refused leaves nothing behind for the next order.
        assert_eq!(
            heard(&mut venue, 1, &[plain(&enter(6, b'B', 1, 1))])[0][..4],
            *"A 6 "
        );
        assert_eq!(venue.entry.counters().replies_lost, 0);
    }
}

#[test]
fn an_account_query_is_answered_outside_the_stream() {
    let mut venue = Venue::new(config());
    venue.login(1, "ALPHA", "secret", 1);
    let query = packet(b'U', b"Q");
    assert_eq!(heard(&mut venue, 1, std::slice::from_ref(&query)), ["Q 1"]);
    heard(&mut venue, 1, &[plain(&enter(41, b'B', 1, 1))]);
    assert_eq!(heard(&mut venue, 1, &[query]), ["Q 42"]);
    assert_eq!(venue.entry.replies(1), 2, "the opening and the acceptance");
    let mut modify = [0; 16];
    let length = ModifyOrder {
        user_ref: 41,
        side: b'T',
        quantity: 1,
    }
    .encode(&mut modify)
    .unwrap();
    assert!(heard(&mut venue, 1, &[packet(b'U', &modify[..length])]).is_empty());
    assert_eq!(venue.entry.counters().modifies_ignored, 1);
}

#[test]
fn packets_may_be_split_anywhere() {
    let commands = |pieces: &[&[u8]]| {
        let mut venue = Venue::new(config());
        venue.entry.opened(1, venue.now_ns).unwrap();
        for piece in pieces {
            assert_eq!(venue.received(1, piece), piece.len());
        }
        Vec::from(venue.ring)
    };
    let bytes = conversation();
    let whole = commands(&[&bytes]);
    let kinds: Vec<u8> = whole.iter().map(|command| command.kind).collect();
    let [new, extra, cancel] =
        [CommandKind::New, CommandKind::Extra, CommandKind::Cancel].map(|kind| kind as u8);
    assert_eq!(kinds, [new, extra, new, cancel, new]);
    for at in 0..=bytes.len() {
        let (front, rest) = bytes.split_at(at);
        assert_eq!(commands(&[front, rest]), whole, "split at {at}");
    }
    let single: Vec<&[u8]> = bytes.chunks(1).collect();
    assert_eq!(commands(&single), whole);
}

#[test]
fn a_full_ring_holds_orders_back_and_loses_none() {
    let mut venue = Venue::new(config());
    venue.login(1, "ALPHA", "secret", 1);
    let orders: Vec<u8> = (1..=200)
        .flat_map(|it| plain(&enter(it, b'B', it, 5_000)))
        .collect();
    let mut taken = venue.received(1, &orders);
    assert_eq!(venue.ring.len(), RING_DEPTH);
    assert!(taken < orders.len(), "the connection's buffer is bounded");
    assert_eq!(venue.entry.inbound_room(1), 0);
    // The member is not silent while it is the venue that does not read.
    venue.now_ns += 60 * SECOND_NS;
    venue.poll();
    assert_eq!(venue.entry.closing(), None);
    for _ in 0..200 {
        venue.run();
        venue.poll();
        taken += venue.received(1, &orders[taken..]);
    }
    assert_eq!(taken, orders.len());
    let lines = replies(&venue.taken(1));
    assert_eq!(lines.len(), 200);
    for (line, number) in lines.iter().zip(1..) {
        assert_eq!(
            *line,
            format!("A {number} B{number} AAPL @5000 #{number} my order")
        );
    }
    assert!(venue.entry.counters().held_back > 0);
}

#[test]
fn an_order_follows_its_extra_even_when_its_connection_is_gone() {
    let mut venue = Venue::new(config());
    venue.login(1, "ALPHA", "secret", 1);
    let extra = with_tags(&enter(1, b'B', 10, 5_000), &[Tag::PostOnly(b'P')]);
    let mut seen: Vec<Command> = Vec::new();
    let taken = venue
        .entry
        .received(1, &extra, venue.now_ns, &mut |command| {
            let first = seen.is_empty();
            if first {
                seen.push(command);
            }
            first
        });
    assert_eq!((taken, seen.len()), (extra.len(), 1));
    venue.entry.closed(1);
    venue.ring.extend(seen);
    venue.poll();
    venue.run();
    let said = venue.login(2, "ALPHA", "secret", 2);
    let unsupported = reject_code(Reason::Unsupported);
    assert_eq!(replies(&said), [format!("J 1 {unsupported:x} my order")]);
    assert_eq!(
        heard(&mut venue, 2, &[plain(&enter(1, b'B', 10, 5_000))]).len(),
        1
    );
    assert!(replies(&venue.login(3, "ALPHA", "secret", 3))[0].starts_with("A 1 "));
}

#[test]
fn every_reject_code_leads_back_to_its_reason() {
    for reason in (1..=u8::MAX).filter_map(Reason::from_byte) {
        assert_eq!(reject_reason(reject_code(reason)), Some(reason));
    }
    for unknown in [0, 0x12, REJECT_CODE_OWN, u16::MAX] {
        assert_eq!(reject_reason(unknown), None, "{unknown:#x}");
    }
}
