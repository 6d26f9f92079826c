//! Orders through order entry to the engine and back.

mod venue;

use session::SECOND_NS;
use session::order_entry::{Cause, Config, REJECT_CODE_OWN, StoreFull, reject_code};
use session::ouch_client::Order;
use venue::{Desk, RING_DEPTH, Venue, config, login, packet, packets};
use wire::ouch::inbound::fields::{CancelOrder, EnterOrder, ModifyOrder, ReplaceOrder};
use wire::ouch::{Outbound, Tag};
use wire::ring::{Command, CommandKind, Reason};

fn enter(user_ref: u32, side: u8, quantity: u32, price: u64) -> EnterOrder {
    EnterOrder {
        user_ref,
        side,
        quantity,
        symbol: *b"AAPL    ",
        price,
        time_in_force: b'0',
        display: b'Y',
        capacity: b'A',
        intermarket_sweep: b'N',
        cross_type: b'N',
        client_id: *b"my order      ",
    }
}

fn with_tags(order: &EnterOrder, tags: &[Tag<'_>]) -> Vec<u8> {
    let mut bytes = [0; 512];
    let length = order.encode_with(tags.iter().copied(), &mut bytes).unwrap();
    packet(b'U', &bytes[..length])
}

fn plain(order: &EnterOrder) -> Vec<u8> {
    with_tags(order, &[])
}

fn cancel(user_ref: u32, quantity: u32) -> Vec<u8> {
    let mut bytes = [0; 64];
    let length = CancelOrder { user_ref, quantity }
        .encode(&mut bytes)
        .unwrap();
    packet(b'U', &bytes[..length])
}

/// The replies of the stream after the day's opening, one line each without the time.
fn replies(bytes: &[u8]) -> Vec<String> {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).trim().to_owned();
    let line = |message: &[u8]| match Outbound::parse(message).unwrap() {
        Outbound::SystemEvent(it) => format!("S {}", it.event() as char),
        Outbound::Accepted(it) => format!(
            "A {} {}{} {} @{} #{} {}",
            it.user_ref(),
            it.side() as char,
            it.quantity(),
            text(&it.symbol()),
            it.price(),
            it.order_ref(),
            text(&it.client_id())
        ),
        Outbound::Replaced(it) => format!(
            "U {}>{} {}{} {} @{} #{} {}{}{}{}{}",
            it.old_user_ref(),
            it.user_ref(),
            it.side() as char,
            it.quantity(),
            text(&it.symbol()),
            it.price(),
            it.order_ref(),
            it.time_in_force() as char,
            it.display() as char,
            it.capacity() as char,
            it.intermarket_sweep() as char,
            it.cross_type() as char,
        ),
        Outbound::Canceled(it) => {
            format!(
                "C {} -{} {}",
                it.user_ref(),
                it.quantity(),
                it.reason() as char
            )
        }
        Outbound::Executed(it) => format!(
            "E {} {} @{} {} ={}",
            it.user_ref(),
            it.quantity(),
            it.price(),
            it.liquidity() as char,
            it.match_number()
        ),
        Outbound::Rejected(it) => {
            format!(
                "J {} {:x} {}",
                it.user_ref(),
                it.reason(),
                text(&it.client_id())
            )
        }
        Outbound::CancelReject(it) => format!("I {}", it.user_ref()),
        Outbound::AccountQueryResponse(it) => format!("Q {}", it.next_user_ref()),
        other => panic!("{other:?}"),
    };
    let data = |(kind, _): &(u8, Vec<u8>)| matches!(kind, b'S' | b'U');
    packets(bytes)
        .into_iter()
        .filter(data)
        .map(|(_, message)| line(&message))
        .collect()
}

/// What one member hears when it sends these packets, each applied before the next.
fn heard(venue: &mut Venue, conn: u32, sent: &[Vec<u8>]) -> Vec<String> {
    for bytes in sent {
        assert_eq!(venue.received(conn, bytes), bytes.len());
        venue.run();
    }
    replies(&venue.taken(conn))
}

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
                cross_type: b'O',
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

/// A conversation with everything that a member may send.
fn conversation() -> Vec<u8> {
    [
        login("ALPHA", "secret", "", "1"),
        plain(&enter(1, b'S', 100, 5_000)),
        packet(b'+', b"hello"),
        packet(b'R', &[]),
        with_tags(&enter(2, b'S', 10, 5_000), &[Tag::Route(*b"LIME")]),
        cancel(1, 50),
        packet(b'+', &[]),
        with_tags(&enter(3, b'B', 10, 4_000), &[Tag::Firm(*b"AAAA")]),
    ]
    .concat()
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
fn a_reconnect_reads_on_from_any_number() {
    let mut venue = Venue::new(config());
    venue.login(1, "ALPHA", "secret", 1);
    for user_ref in 1..=20 {
        heard(
            &mut venue,
            1,
            &[plain(&enter(user_ref, b'B', 5, 5_000)), cancel(user_ref, 3)],
        );
    }
    let whole = packets(&venue.login(2, "ALPHA", "secret", 1));
    assert_eq!(whole.len(), 42, "login reply, opening, forty replies");
    for sequence in 1..=42 {
        while venue.entry.closing().is_some() {}
        let said = packets(&venue.login(3, "ALPHA", "secret", sequence));
        assert_eq!(said[1..], whole[sequence as usize..], "from {sequence}");
    }
}

#[test]
fn packets_go_out_whole_in_whatever_pieces_the_socket_takes() {
    for piece in 1..=40 {
        let mut venue = Venue::new(config());
        venue.entry.opened(1, venue.now_ns).unwrap();
        venue.received(1, &conversation());
        let mut out = Vec::new();
        // Queries and heartbeats come in the middle of half-sent replies.
        for round in 0..400 {
            venue.run();
            if round % 50 == 7 {
                venue.received(1, &packet(b'U', b"Q"));
                venue.now_ns += SECOND_NS;
            }
            venue.poll();
            let mut room = piece;
            venue.entry.transmit(venue.now_ns, &mut |_, bytes| {
                let taken = bytes.len().min(room);
                room -= taken;
                out.extend_from_slice(&bytes[..taken]);
                taken
            });
        }
        let kinds: Vec<u8> = packets(&out).iter().map(|(kind, _)| *kind).collect();
        let count = |of: u8| kinds.iter().filter(|kind| **kind == of).count();
        assert_eq!(
            (kinds[0], count(b'S'), count(b'U')),
            (b'A', 5, 8),
            "pieces of {piece}"
        );
        assert_eq!(
            replies(&out)
                .iter()
                .filter(|line| !line.starts_with('Q'))
                .count(),
            5
        );
    }
}

#[test]
fn a_reader_that_stops_is_disconnected_and_finds_its_replies_later() {
    let mut venue = Venue::new(config());
    venue.login(1, "ALPHA", "secret", 1);
    let order = plain(&enter(1, b'B', 5, 5_000));
    venue.received(1, &order);
    venue.run();
    let start = venue.now_ns;
    let step = |venue: &mut Venue, at_ns: u64, takes: usize| {
        venue.now_ns = at_ns;
        venue.received(1, &packet(b'R', &[]));
        venue
            .entry
            .transmit(at_ns, &mut |_, bytes| takes.min(bytes.len()));
        venue.poll();
        venue.entry.closing()
    };
    // A byte taken starts the clock again.
    assert_eq!(step(&mut venue, start + 20 * SECOND_NS, 1), None);
    assert_eq!(step(&mut venue, start + 50 * SECOND_NS - 1, 0), None);
    assert_eq!(
        step(&mut venue, start + 50 * SECOND_NS, 0),
        Some((1, Cause::Stalled))
    );
    let said = replies(&venue.login(2, "ALPHA", "secret", 2));
    assert_eq!(said, ["A 1 B5 AAPL @5000 #1 my order"]);
}

#[test]
fn the_end_of_the_session_comes_after_the_last_reply() {
    let mut venue = Venue::new(config());
    venue.login(1, "ALPHA", "secret", 1);
    venue.received(1, &plain(&enter(1, b'B', 5, 5_000)));
    venue.run();
    venue.apply(venue::only(CommandKind::CloseDay));
    venue.entry.end();
    venue.poll();
    assert_eq!(venue.entry.closing(), None, "replies are still to be sent");
    let mut said = venue.taken(1);
    venue.poll();
    said.extend(venue.taken(1));
    assert_eq!(
        replies(&said),
        ["A 1 B5 AAPL @5000 #1 my order", "C 1 -5 E", "S E"]
    );
    assert_eq!(packets(&said).last(), Some(&(b'Z', vec![])));
    assert_eq!(venue.entry.closing(), Some((1, Cause::Ended)));
    // Who comes later reads all of the day, then the end.
    let mut late = venue.login(2, "ALPHA", "secret", 1);
    venue.poll();
    late.extend(venue.taken(2));
    let kinds: Vec<u8> = packets(&late).iter().map(|(kind, _)| *kind).collect();
    assert_eq!(kinds, b"ASSSSZ");
}

#[test]
fn a_store_that_fills_stops_orders_before_it_loses_replies() {
    let small = Config {
        store_messages: 64,
        store_reserve: 8,
        ..config()
    };
    let mut venue = Venue::new(small);
    venue.login(1, "ALPHA", "secret", 1);
    venue.login(2, "BETA", "hidden", 1);
    // ALPHA's orders: 1 opening and 40 acceptances leave room for 23, less than three reserves.
    for user_ref in 1..=40 {
        heard(
            &mut venue,
            1,
            &[plain(&enter(user_ref, b'S', 1_000, 5_000))],
        );
    }
    venue.received(1, &plain(&enter(41, b'S', 1, 5_000)));
    assert_eq!(venue.entry.closing(), Some((1, Cause::StoreFull)));
    // It may cancel down to two reserves.
    venue.login(1, "ALPHA", "secret", 1);
    for user_ref in 1..=8 {
        assert_eq!(heard(&mut venue, 1, &[cancel(user_ref, 0)]).len(), 1);
    }
    venue.received(1, &cancel(9, 0));
    assert_eq!(venue.entry.closing(), Some((1, Cause::StoreFull)));
    // The other member trades with it until its store has less than one reserve: then all wait.
    let mut user_ref = 0;
    while venue.entry.store_room() >= 8 {
        user_ref += 1;
        let order = enter(user_ref, b'B', 1, 5_000);
        assert_eq!(heard(&mut venue, 2, &[plain(&order)]).len(), 2);
    }
    let held = venue.entry.counters().held_back;
    venue.received(2, &plain(&enter(user_ref + 1, b'B', 1, 5_000)));
    assert_eq!(
        (venue.ring.len(), venue.entry.counters().held_back),
        (0, held + 1)
    );
    // Even then a reply is never dropped: the store says that it is full.
    let (event, time_ns) = venue.events[venue.events.len() - 2];
    assert_eq!(event.session, 1, "the maker's execution");
    for _ in 0..7 {
        assert_eq!(venue.entry.on_event(&event, time_ns), Ok(()));
    }
    assert_eq!(venue.entry.on_event(&event, time_ns), Err(StoreFull));
    assert_eq!(venue.entry.replies(1), 64);
}

#[test]
fn a_restart_rebuilds_every_reply_from_the_journal() {
    let mut venue = Venue::new(config());
    let mut desks = [
        Desk::new("ALPHA", "secret", 1),
        Desk::new("BETA", "hidden", 2),
    ];
    desks[0].connect(&mut venue, 1);
    desks[1].connect(&mut venue, 2);
    desks.iter_mut().for_each(|desk| desk.settle(&mut venue));
    for round in 0..50_u64 {
        let desk = &mut desks[(round % 2) as usize];
        let side = if round % 3 == 0 { b'S' } else { b'B' };
        let order = Order::day(side, 10 + round as u32, "MSFT", 5_000 + round % 5);
        let user_ref = desk.client.enter(&order).unwrap();
        if round % 4 == 0 {
            let _ = desk.client.replace(user_ref, 20, 5_002, b'3').unwrap();
        }
        if round % 7 == 0 {
            assert!(desk.client.cancel(user_ref, 1));
        }
        desk.settle(&mut venue);
        venue.received(1, &with_tags(&enter(0, b'B', 1, 1), &[Tag::Firm(*b"XXXX")]));
        venue.run();
    }
    desks.iter_mut().for_each(|desk| desk.settle(&mut venue));
    let mut again = Venue::restarted(config(), &venue.journal);
    for (desk, conn) in desks.iter().zip([1, 2]) {
        let user = if conn == 1 {
            ("ALPHA", "secret")
        } else {
            ("BETA", "hidden")
        };
        let said = packets(&again.login(conn, user.0, user.1, 1));
        let stream: Vec<Vec<u8>> = said
            .into_iter()
            .skip(1)
            .map(|(_, message)| message)
            .collect();
        assert_eq!(stream, desk.stream);
        assert!(stream.len() > 50);
    }
    assert_eq!(again.entry.counters().replies_lost, 0);
    // And the member goes on where it stopped, over a new connection.
    desks[0].client.soup().disconnected();
    while again.entry.closing().is_some() {}
    desks[0].connect(&mut again, 9);
    desks[0].settle(&mut again);
    assert!(
        desks[0]
            .client
            .enter(&Order::day(b'B', 1, "MSFT", 1))
            .is_some()
    );
    desks[0].settle(&mut again);
    let last = desks[0].stream.last().unwrap();
    assert!(matches!(Outbound::parse(last), Ok(Outbound::Accepted(_))));
}
