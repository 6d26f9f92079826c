//! What a turn of order entry costs: what is to be done, whoever else is connected. Work is counted
//! in connections looked at, and time is an argument.
#![allow(clippy::unwrap_used, reason = "a test may fail")]

mod venue;

use std::collections::{BTreeMap, VecDeque};

use flow::Naive;
use session::SECOND_NS;
use session::order_entry::{CONNECTIONS_MAX, Cause, Config, Member, OrderEntry};
use venue::ouch::{enter, plain};
use venue::{START_NS, Venue, login, opening, packet, packets};

/// Sessions that trade: of these the engine knows.
const ACTIVE: u32 = 2;

/// A venue with so many members, all of them logged in, member `n` over connection `n`.
fn crowded(sessions: u32) -> Venue {
    let member = |number: u32| Member {
        user: format!("M{number}"),
        password: "secret".to_owned(),
        firm: *b"FIRM",
        ..Member::default()
    };
    let config = Config {
        connections: CONNECTIONS_MAX,
        store_bytes: 1 << 16,
        store_messages: 1 << 11,
        echoes: 16,
        inbound_bytes: 2_048,
        ..venue::config()
    };
    let members: Vec<Member> = (1..=sessions).map(member).collect();
    let mut venue = Venue {
        entry: OrderEntry::new(config, &members).unwrap(),
        naive: Naive::offering(0),
        ring: VecDeque::new(),
        journal: Vec::new(),
        events: Vec::new(),
        now_ns: START_NS,
    };
    for command in opening() {
        venue.apply(command);
    }
    // The last comes first, so that those who trade are behind all others in the table.
    for conn in (1..=sessions).rev() {
        venue.entry.opened(conn, venue.now_ns).unwrap();
        let bytes = login(&format!("M{conn}"), "secret", "", "1");
        assert_eq!(venue.received(conn, &bytes), bytes.len());
    }
    venue.poll();
    venue
        .entry
        .transmit(venue.now_ns, &mut |_, bytes| bytes.len());
    assert_eq!(venue.entry.connections(), sessions as usize);
    venue
}

/// How many connections each of some turns looks at while two members trade.
fn looks(venue: &mut Venue, turns: u32) -> Vec<u64> {
    let mut all = Vec::new();
    let mut sent = 0;
    for turn in 1..=turns {
        let before = venue.entry.counters().looks;
        for conn in 1..=ACTIVE {
            let side = if conn == 1 { b'B' } else { b'S' };
            venue.received(conn, &plain(&enter(turn, side, 5, 5_000)));
        }
        // A quarter of the turns find the ring to the engine full.
        if turn % 4 != 0 {
            venue.run();
        }
        venue.poll();
        venue.entry.transmit(venue.now_ns, &mut |conn, bytes| {
            assert!(conn <= ACTIVE, "nobody else has anything to be sent");
            sent += bytes.len();
            bytes.len()
        });
        assert_eq!(venue.entry.closing(), None);
        all.push(venue.entry.counters().looks - before);
    }
    assert!(sent > 1_000);
    all
}

#[test]
fn idle_sessions_cost_nothing_to_those_that_trade() {
    let alone = looks(&mut crowded(ACTIVE), 400);
    assert!(alone.iter().sum::<u64>() >= 400, "looks are counted");
    assert!(alone.iter().all(|count| *count <= 2 * u64::from(ACTIVE)));
    let mut venue = crowded(CONNECTIONS_MAX as u32);
    // Some began to say something, and some asked for a debug text to be thrown away.
    for conn in (ACTIVE + 1..=CONNECTIONS_MAX as u32).step_by(3) {
        venue.received(conn, &packet(b'U', b"O")[..2]);
        venue.received(conn + 1, &[0, 9, b'+', b'?']);
    }
    assert_eq!(looks(&mut venue, 400), alone);
}

#[test]
fn a_turn_without_work_looks_at_nobody() {
    let mut venue = crowded(CONNECTIONS_MAX as u32);
    let before = venue.entry.counters().looks;
    for _ in 0..1_000 {
        venue.poll();
        venue
            .entry
            .transmit(venue.now_ns, &mut |_, _| panic!("nothing is to be sent"));
        assert_eq!(venue.entry.closing(), None);
    }
    assert_eq!(venue.entry.counters().looks, before);
}

/// What becomes of a member by its number.
fn fate(conn: u32) -> Option<Cause> {
    match conn % 4 {
        0 => Some(Cause::Silent),
        1 => Some(Cause::Stalled),
        _ => None,
    }
}

#[test]
fn heartbeats_go_out_and_the_silent_and_the_stalled_are_cut_off_in_time() {
    const TENTHS: u64 = 330;
    let sessions = CONNECTIONS_MAX as u32 - 1;
    let mut venue = crowded(sessions);
    let start_ns = venue.now_ns;
    venue.entry.opened(sessions + 1, start_ns).unwrap();
    assert_eq!(venue.received(4, &packet(b'R', &[])[..2]), 2);
    let mut heard: BTreeMap<u32, Vec<u64>> = BTreeMap::new();
    let mut ends = BTreeMap::new();
    let before = venue.entry.counters().looks;
    for tenth in 1..=TENTHS {
        venue.now_ns = start_ns + tenth * SECOND_NS / 10;
        // All but the silent are heard every ten seconds.
        for conn in (1..=sessions).filter(|conn| tenth % 100 == 0 && conn % 4 != 0) {
            venue.received(conn, &packet(b'R', &[]));
        }
        // A turn takes 64 of those that are due: all of them have had theirs after 64 turns.
        for _ in 0..CONNECTIONS_MAX / 64 {
            venue.poll();
            venue.entry.transmit(venue.now_ns, &mut |conn, bytes| {
                if fate(conn) == Some(Cause::Stalled) {
                    return 0;
                }
                assert_eq!(packets(bytes), [(b'H', Vec::new())]);
                heard.entry(conn).or_default().push(tenth);
                bytes.len()
            });
            while let Some((conn, cause)) = venue.entry.closing() {
                assert_eq!(ends.insert(conn, (cause, tenth)), None);
            }
        }
    }
    for conn in 1..=sessions {
        let every_second = |until: u64| (1..=until).map(|second| second * 10).collect::<Vec<_>>();
        let (end, beats) = match fate(conn) {
            Some(Cause::Silent) => (Some((Cause::Silent, 150)), every_second(14)),
            // Its first heartbeat waited from the first second on.
            Some(cause) => (Some((cause, 310)), Vec::new()),
            None => (None, every_second(33)),
        };
        assert_eq!(ends.remove(&conn), end, "{conn}");
        assert_eq!(heard.remove(&conn).unwrap_or_default(), beats, "{conn}");
    }
    assert_eq!(ends.remove(&(sessions + 1)), Some((Cause::LoginLate, 150)));
    assert!(ends.is_empty() && heard.is_empty());
    assert_eq!(
        venue.entry.counters().bytes_unread,
        2,
        "of one that fell silent"
    );
    // Of each: its clocks and its packet, once a second; who does not read is asked each turn.
    let stalled = u64::from(sessions / 4 + 1) * 310 * 64;
    let beating = u64::from(sessions) * 2 * 33;
    assert!(venue.entry.counters().looks - before <= stalled + 2 * beating);
}

#[test]
fn the_time_to_stall_begins_with_the_first_thing_to_be_sent() {
    let mut venue = crowded(ACTIVE);
    let start_ns = venue.now_ns;
    // No heartbeat is due yet, and nobody has looked at the connection since its login.
    venue.now_ns = start_ns + SECOND_NS * 9 / 10;
    venue.poll();
    venue
        .entry
        .transmit(venue.now_ns, &mut |_, _| panic!("nothing is to be sent"));
    let stalled_ns = venue.now_ns + 30 * SECOND_NS;
    venue.received(1, &plain(&enter(1, b'B', 5, 5_000)));
    venue.run();
    for (now_ns, end) in [
        (stalled_ns - 1, None),
        (stalled_ns, Some((1, Cause::Stalled))),
    ] {
        for conn in 1..=ACTIVE {
            venue.now_ns = now_ns - SECOND_NS;
            venue.received(conn, &packet(b'R', &[]));
        }
        venue.now_ns = now_ns;
        venue.poll();
        venue.entry.transmit(now_ns, &mut |conn, bytes| {
            if conn == 1 { 0 } else { bytes.len() }
        });
        assert_eq!(venue.entry.closing(), end);
    }
}
