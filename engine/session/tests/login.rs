//! Logging in, staying and leaving: SoupBinTCP 3.00 as a server sees it.

#![allow(clippy::unwrap_used, reason = "a test may fail")]

mod venue;

use session::SECOND_NS;
use session::order_entry::{Cause, ConfigError, Malformed, OrderEntry, TableFull};
use venue::{Venue, config, login, members, packet, packets};

/// What the server says to a login, and why it closes.
fn says(bytes: &[u8]) -> (Vec<(u8, Vec<u8>)>, Option<Cause>) {
    let mut venue = Venue::new(config());
    venue.entry.opened(1, venue.now_ns).unwrap();
    assert_eq!(venue.received(1, bytes), bytes.len());
    let said = packets(&venue.taken(1));
    (said, venue.entry.closing().map(|(_, cause)| cause))
}

#[test]
fn logins_are_judged_field_by_field() {
    // The day's first reply is its opening: the next message is number 2.
    let good = [
        login("ALPHA", "secret", "", "1"),
        login("alpha", "SECRET", "DAY1", "1"),
        packet(b'L', b" ALPHA    secret          1                   "),
        packet(b'L', b" ALPHA    secret      DAY1                   1"),
    ];
    for bytes in &good {
        let (said, cause) = says(bytes);
        assert_eq!(cause, None);
        assert_eq!(
            said[0],
            (b'A', format!("{:<10}{:>20}", "DAY1", 1).into_bytes())
        );
        assert_eq!(said[1].0, b'S', "the opening of the day follows");
        assert_eq!(said.len(), 2);
    }
    let refused = [
        (login("ALPHA", "wrong", "", "1"), b'A', Cause::NotAuthorized),
        (
            login("NOBODY", "secret", "", "1"),
            b'A',
            Cause::NotAuthorized,
        ),
        (login("", "", "", "1"), b'A', Cause::NotAuthorized),
        (
            login("ALPHA", "secret", "DAY2", "1"),
            b'S',
            Cause::SessionUnavailable,
        ),
        (
            login("ALPHA", "secret", "", "3"),
            b'S',
            Cause::SessionUnavailable,
        ),
        (
            login("ALPHA", "secret", "", "99999999999999999999"),
            b'S',
            Cause::SessionUnavailable,
        ),
        (
            login("ALPHA", "secret", "", "-1"),
            b'S',
            Cause::SessionUnavailable,
        ),
        (
            login("ALPHA", "secret", "", ""),
            b'S',
            Cause::SessionUnavailable,
        ),
    ];
    for (bytes, letter, cause) in refused {
        assert_eq!(
            says(&bytes),
            (vec![(b'J', vec![letter])], Some(cause)),
            "{bytes:?}"
        );
    }
}

#[test]
fn case_matters_only_if_asked() {
    let exact = session::order_entry::Config {
        case_matters: true,
        ..config()
    };
    let mut venue = Venue::new(exact);
    assert_eq!(packets(&venue.login(1, "alpha", "secret", 1))[0].0, b'J');
    assert_eq!(packets(&venue.login(2, "ALPHA", "secret", 1))[0].0, b'A');
}

#[test]
fn the_requested_number_is_where_the_stream_starts() {
    for (wanted, announced, replies) in [(0, 1, 1), (1, 1, 1), (2, 2, 0)] {
        let mut venue = Venue::new(config());
        let said = packets(&venue.login(1, "ALPHA", "secret", wanted));
        let number = String::from_utf8(said[0].1[10..].to_vec()).unwrap();
        assert_eq!(number.trim(), announced.to_string());
        assert_eq!(said.len() - 1, replies);
    }
}

#[test]
fn what_makes_no_sense_is_told_apart() {
    let first = |bytes: &[u8]| says(bytes).1;
    let after_login = |bytes: &[u8]| {
        let mut all = login("ALPHA", "secret", "", "1");
        all.extend_from_slice(bytes);
        says(&all).1
    };
    let cause = |what| Some(Cause::Malformed(what));
    assert_eq!(first(&[0, 0]), cause(Malformed::PacketEmpty));
    assert_eq!(first(&packet(b'R', &[])), cause(Malformed::LoginExpected));
    assert_eq!(first(&packet(b'U', b"Q")), cause(Malformed::LoginExpected));
    assert_eq!(
        first(&packet(b'L', b"ALPHA")),
        cause(Malformed::LoginLength)
    );
    assert_eq!(first(&[0xFF, 0xFF, b'L']), cause(Malformed::PacketLong));
    assert_eq!(
        first(b"GET / HTTP/1.1\r\n\r\n"),
        cause(Malformed::PacketLong)
    );
    assert_eq!(first(&packet(b'?', &[])), cause(Malformed::PacketUnknown));
    assert_eq!(
        after_login(&packet(b'S', &[])),
        cause(Malformed::PacketUnknown)
    );
    assert_eq!(
        after_login(&packet(b'R', b"x")),
        cause(Malformed::PacketUnknown)
    );
    let again = login("ALPHA", "secret", "", "1");
    assert_eq!(after_login(&again), cause(Malformed::LoginTwice));
    assert_eq!(
        after_login(&packet(b'U', &[])),
        cause(Malformed::MessageUnknown)
    );
    assert_eq!(
        after_login(&packet(b'U', b"Z")),
        cause(Malformed::MessageUnknown)
    );
    assert_eq!(
        after_login(&packet(b'U', b"X1234567")),
        cause(Malformed::MessageLength)
    );
    assert_eq!(
        after_login(&packet(b'U', b"X123456789")),
        cause(Malformed::MessageLength)
    );
    assert_eq!(
        after_login(&packet(b'U', &[b'O'; 48])),
        cause(Malformed::MessageLength)
    );
    assert_eq!(after_login(&packet(b'O', &[])), Some(Cause::LoggedOut));
    assert_eq!(
        after_login(&packet(b'+', &[7; 3_000])),
        None,
        "debug packets are ignored"
    );
}

#[test]
fn a_login_that_never_completes_is_ended() {
    for bytes_sent in 0..login("ALPHA", "secret", "", "1").len() {
        let mut venue = Venue::new(config());
        venue.entry.opened(1, venue.now_ns).unwrap();
        venue.received(1, &login("ALPHA", "secret", "", "1")[..bytes_sent]);
        venue.now_ns += 15 * SECOND_NS - 1;
        venue.poll();
        assert_eq!(venue.entry.closing(), None);
        venue.now_ns += 1;
        venue.poll();
        assert_eq!(venue.entry.closing(), Some((1, Cause::LoginLate)));
    }
}

#[test]
fn heartbeats_go_both_ways() {
    let mut venue = Venue::new(config());
    venue.login(1, "ALPHA", "secret", 1);
    let start = venue.now_ns;
    let mut heartbeats = 0;
    // Ten times a second for half a minute; the member is heard once in fourteen seconds.
    for tenth in 1..=300 {
        venue.now_ns = start + tenth * SECOND_NS / 10;
        if tenth % 140 == 0 {
            venue.received(1, &packet(b'R', &[]));
        }
        venue.poll();
        for (kind, payload) in packets(&venue.taken(1)) {
            assert_eq!((kind, payload.len()), (b'H', 0));
            heartbeats += 1;
        }
        assert_eq!(venue.entry.closing(), None);
    }
    assert_eq!(heartbeats, 30);
    // Last heard at 28 seconds.
    venue.now_ns = start + 43 * SECOND_NS - 1;
    venue.poll();
    assert_eq!(venue.entry.closing(), None);
    venue.now_ns += 1;
    venue.poll();
    assert_eq!(venue.entry.closing(), Some((1, Cause::Silent)));
    assert_eq!(venue.entry.counters().silent, 1);
}

#[test]
fn the_newer_login_of_a_user_wins() {
    let mut venue = Venue::new(config());
    venue.login(1, "ALPHA", "secret", 1);
    venue.login(2, "BETA", "hidden", 1);
    assert_eq!(packets(&venue.login(3, "ALPHA", "bad", 1))[0].0, b'J');
    assert_eq!(venue.entry.closing(), Some((3, Cause::NotAuthorized)));
    assert_eq!(packets(&venue.login(3, "ALPHA", "secret", 1))[0].0, b'A');
    assert_eq!(venue.entry.closing(), Some((1, Cause::Superseded)));
    assert_eq!(venue.entry.closing(), None);
    assert_eq!(venue.entry.connections(), 2);
    // The old connection's late bytes are nobody's.
    let late = packet(b'U', b"X\0\0\0\x01\0\0\0\0");
    assert_eq!(venue.received(1, &late), late.len());
    assert!(venue.ring.is_empty());
    // And its end does not free the user that the new one has.
    venue.entry.closed(1);
    assert_eq!(packets(&venue.login(1, "ALPHA", "secret", 1))[0].0, b'A');
    assert_eq!(venue.entry.closing(), Some((3, Cause::Superseded)));
}

#[test]
fn the_table_of_connections_has_an_end() {
    let mut venue = Venue::new(config());
    for conn in 0..4 {
        venue.entry.opened(conn, venue.now_ns).unwrap();
    }
    assert_eq!(venue.entry.opened(4, venue.now_ns), Err(TableFull));
    assert_eq!(venue.entry.counters().refused, 1);
    venue.entry.closed(2);
    assert_eq!(venue.entry.opened(4, venue.now_ns), Ok(()));
}

#[test]
fn a_refused_login_that_nobody_reads_does_not_stay() {
    let mut venue = Venue::new(config());
    venue.entry.opened(1, venue.now_ns).unwrap();
    venue.received(1, &login("ALPHA", "wrong", "", "1"));
    venue.entry.transmit(venue.now_ns, &mut |_, _| 1);
    assert_eq!(venue.entry.closing(), None, "the reply is on its way");
    venue.now_ns += SECOND_NS;
    venue.poll();
    assert_eq!(venue.entry.closing(), Some((1, Cause::NotAuthorized)));
}

#[test]
fn configurations_are_checked() {
    use session::order_entry::Config;
    let fails = |config: Config, members: &[session::order_entry::Member]| {
        OrderEntry::new(config, members).err()
    };
    assert_eq!(fails(config(), &[]), Some(ConfigError::Members(0)));
    let mut twice = members();
    twice[1].user = "alpha".to_owned();
    assert_eq!(
        fails(config(), &twice),
        Some(ConfigError::UserTwice("alpha".to_owned()))
    );
    let mut long = members();
    long[0].user = "SEVENXX".to_owned();
    assert_eq!(
        fails(config(), &long),
        Some(ConfigError::User("SEVENXX".to_owned()))
    );
    let mut blank = members();
    blank[0].password = "two words".to_owned();
    assert_eq!(
        fails(config(), &blank),
        Some(ConfigError::Password("ALPHA".to_owned()))
    );
    let small = Config {
        inbound_bytes: 10,
        ..config()
    };
    let error = fails(small, &members()).unwrap();
    assert_eq!(
        error.to_string(),
        "inbound_bytes is 10: choose between 2048 and 16777216"
    );
}

#[test]
fn a_connection_without_a_login_does_not_hold_up_the_end() {
    let mut venue = Venue::new(config());
    venue.entry.opened(1, venue.now_ns).unwrap();
    venue.entry.end();
    venue.poll();
    assert_eq!(venue.entry.closing(), Some((1, Cause::LoginLate)));
}
