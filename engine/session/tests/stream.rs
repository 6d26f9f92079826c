//! A member's stream of replies: reconnects, slow readers, full stores, the end, a restart.
#![allow(clippy::unwrap_used, reason = "a test may fail")]

mod venue;

use session::SECOND_NS;
use session::order_entry::{Cause, Config, REJECT_CODE_OWN};
use session::ouch_client::{Order, OuchClient, Replacement, Reply};
use session::soup_client::SoupConfig;
use venue::ouch::{cancel, conversation, enter, heard, plain, replies, with_tags};
use venue::{Desk, Venue, config, packet, packets};
use wire::ouch::{Outbound, Tag};
use wire::ring::{CommandKind, Reason};

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
fn a_store_that_is_full_keeps_the_newest_replies_and_stops_nobody() {
    let small = Config {
        store_messages: 64,
        ..config()
    };
    let mut venue = Venue::new(small);
    venue.login(1, "ALPHA", "secret", 1);
    venue.login(2, "BETA", "hidden", 1);
    for user_ref in 1..=100 {
        let order = plain(&enter(user_ref, b'S', 1_000, 5_000));
        assert_eq!(heard(&mut venue, 1, &[order]).len(), 1);
    }
    // BETA trades with it; ALPHA does not read, and what it is to be told gives way.
    for user_ref in 1..=100 {
        let order = plain(&enter(user_ref, b'B', 1, 5_000));
        assert_eq!(heard(&mut venue, 2, &[order]).len(), 2);
    }
    assert_eq!(venue.entry.counters().held_back, 0);
    let told = venue.entry.replies(1);
    assert_eq!(told, 1 + 100 + 100);
    // Nobody keeps what it lacks: it is told so, and begins where there is something.
    venue.taken(1);
    venue.poll();
    assert_eq!(venue.entry.closing(), Some((1, Cause::Unreadable)));
    venue.login(1, "ALPHA", "secret", told - 64);
    assert_eq!(venue.entry.closing(), Some((1, Cause::SessionUnavailable)));
    let said = packets(&venue.login(1, "ALPHA", "secret", told - 63));
    assert_eq!(said.len(), 1 + 64);
    assert_eq!(heard(&mut venue, 1, &[cancel(1, 0)]).len(), 1);
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
            let by = Replacement {
                time_in_force: b'3',
                ..Replacement::day(20, 5_002)
            };
            let _ = desk.client.replace(user_ref, &by, &[]).unwrap();
        }
        if round % 7 == 0 {
            assert!(desk.client.cancel(user_ref, 1));
        }
        desk.settle(&mut venue);
        venue.received(1, &with_tags(&enter(0, b'B', 1, 1), &[Tag::Firm(*b"XXXX")]));
        venue.run();
    }
    desks.iter_mut().for_each(|desk| desk.settle(&mut venue));
    let mut again = Venue::restarted(config(), 0, &venue.journal);
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

#[test]
fn a_client_that_joins_late_counts_from_where_the_server_says() {
    let mut venue = Venue::new(config());
    venue.login(1, "ALPHA", "secret", 1);
    for user_ref in 1..=5 {
        heard(&mut venue, 1, &[plain(&enter(user_ref, b'B', 5, 5_000))]);
    }
    let config = SoupConfig {
        sequence: 0,
        ..SoupConfig::new("ALPHA", "secret")
    };
    let mut client = OuchClient::new(config);
    venue.entry.opened(2, venue.now_ns).unwrap();
    client.soup().connected(venue.now_ns);
    client
        .soup()
        .transmit(venue.now_ns, &mut |bytes| venue.received(2, bytes));
    let said = venue.taken(2);
    let mut heard = Vec::new();
    client.received(&said, venue.now_ns, &mut |reply| match reply {
        Reply::LoggedIn(next) => heard.push(next),
        Reply::Message(sequence, _) => heard.push(sequence),
        other => panic!("{other:?}"),
    });
    assert_eq!(heard, [6, 6], "the most recent reply is the sixth");
    assert_eq!(client.user_ref_next(), 6);
}

#[test]
fn a_journal_that_ends_behind_an_extra_refuses_its_order_and_no_other() {
    let mut venue = Venue::new(config());
    venue.login(1, "ALPHA", "secret", 1);
    heard(
        &mut venue,
        1,
        &[with_tags(&enter(1, b'B', 5, 5_000), &[Tag::PostOnly(b'P')])],
    );
    let cut = venue.journal.len() - 1;
    assert_eq!(
        venue.journal[cut - 1].command.kind,
        CommandKind::Extra as u8
    );
    let mut again = Venue::restarted(config(), 0, &venue.journal[..cut]);
    again.login(1, "ALPHA", "secret", 1);
    let sent = [
        plain(&enter(2, b'B', 5, 5_000)),
        plain(&enter(3, b'B', 5, 5_000)),
    ];
    let lines = heard(&mut again, 1, &sent);
    let unsupported = REJECT_CODE_OWN + Reason::Unsupported as u16;
    assert_eq!(lines[0].trim(), format!("J 1 {unsupported:x}"));
    assert!(
        lines[1].starts_with("A 2 ") && lines[2].starts_with("A 3 "),
        "{lines:?}"
    );
}
