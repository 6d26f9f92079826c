//! Who gets in, how fast it may be, and what the engine's side is told when it leaves.

#![allow(clippy::unwrap_used, reason = "a test may fail")]

mod venue;

use core::net::Ipv4Addr;

use session::Network;
use session::SECOND_NS;
use session::order_entry::{Answer, Cause, Config, Member, OrderEntry, Rate};
use venue::ouch::{cancel, enter, plain};
use venue::{Venue, config, login, members, packets};
use wire::ouch::Outbound;
use wire::ring::{Command, CommandKind};

const HOME: Ipv4Addr = Ipv4Addr::new(10, 1, 2, 3);
const AWAY: Ipv4Addr = Ipv4Addr::new(192, 0, 2, 7);

/// A venue of these members.
fn venue_of(config: Config, members: &[Member]) -> Venue {
    let mut venue = Venue::new(config.clone());
    venue.entry = OrderEntry::new(config, members).unwrap();
    for (event, time_ns) in venue.events.clone() {
        venue.entry.on_event(&event, time_ns);
    }
    venue
}

/// Dials from an address; gives the kinds of packets that came back.
fn dial(venue: &mut Venue, conn: u32, from: Ipv4Addr, user: &str, password: &str) -> String {
    if venue.entry.opened_from(conn, from, venue.now_ns).is_err() {
        return "closed".to_owned();
    }
    venue.received(conn, &login(user, password, "", "1"));
    kinds(venue, conn)
}

fn kinds(venue: &mut Venue, conn: u32) -> String {
    let said = packets(&venue.taken(conn));
    said.iter().map(|(kind, _)| char::from(*kind)).collect()
}

fn cause(venue: &mut Venue) -> Option<Cause> {
    venue.entry.closing().map(|(_, cause)| cause)
}

#[test]
fn a_login_that_is_judged_elsewhere_waits_unread_and_is_decided_by_its_answer() {
    let elsewhere = Config {
        asks_elsewhere: true,
        ..config()
    };
    let mut venue = Venue::new(elsewhere);
    venue.entry.opened(1, venue.now_ns).unwrap();
    let mut bytes = login("alpha", "Secret", "", "1");
    bytes.extend(plain(&enter(1, b'B', 10, 1_000_000)));
    assert_eq!(venue.received(1, &bytes), bytes.len());
    let question = venue.entry.question().unwrap();
    assert_eq!(
        (question.conn, question.login, &question.password),
        (1, Some(0), b"SECRET    ")
    );
    assert_eq!(venue.entry.question(), None, "each is asked once");
    venue.poll();
    assert!(venue.ring.is_empty(), "nothing is read before the answer");
    // An answer to another login changes nothing.
    let answer = |venue: &mut Venue, number, answer| {
        let now_ns = venue.now_ns;
        venue.entry.answered(1, number, answer, now_ns);
    };
    answer(&mut venue, question.number + 1, Answer::Wrong);
    assert_eq!(kinds(&mut venue, 1), "");
    answer(&mut venue, question.number, Answer::Right);
    assert_eq!(kinds(&mut venue, 1), "AS");
    venue.poll();
    assert_eq!(venue.ring.len(), 1, "what waited behind it is read now");
    // It counts once.
    answer(&mut venue, question.number, Answer::Wrong);
    assert_eq!(cause(&mut venue), None);
}

#[test]
fn an_unknown_user_is_asked_about_as_any_other_and_a_flood_is_refused_with_a_reason() {
    let elsewhere = Config {
        asks_elsewhere: true,
        ..config()
    };
    let mut venue = Venue::new(elsewhere);
    for (conn, user, answer, said, why) in [
        (1, "NOBODY", Answer::Wrong, "J", Cause::NotAuthorized),
        (2, "NOBODY", Answer::Right, "J", Cause::NotAuthorized),
        (3, "ALPHA", Answer::Wrong, "J", Cause::NotAuthorized),
        (4, "ALPHA", Answer::Busy, "+J", Cause::LoginsBusy),
    ] {
        assert_eq!(dial(&mut venue, conn, HOME, user, "secret"), "");
        let question = venue.entry.question().unwrap();
        assert_eq!(question.login.is_some(), user == "ALPHA");
        let now_ns = venue.now_ns;
        venue.entry.answered(conn, question.number, answer, now_ns);
        assert_eq!(kinds(&mut venue, conn), said);
        assert_eq!(cause(&mut venue), Some(why));
    }
    assert_eq!(venue.entry.counters().logins_busy, 1);
}

#[test]
fn a_login_whose_answer_does_not_come_is_late() {
    let elsewhere = Config {
        asks_elsewhere: true,
        login_ns: 2 * SECOND_NS,
        ..config()
    };
    let mut venue = Venue::new(elsewhere);
    assert_eq!(dial(&mut venue, 1, HOME, "ALPHA", "secret"), "");
    let question = venue.entry.question().unwrap();
    venue.now_ns += 2 * SECOND_NS;
    venue.poll();
    assert_eq!(cause(&mut venue), Some(Cause::LoginLate));
    let now_ns = venue.now_ns;
    venue
        .entry
        .answered(1, question.number, Answer::Right, now_ns);
    assert_eq!(venue.entry.counters().logins, 0);
}

#[test]
fn an_answer_to_a_connection_that_is_over_and_not_closed_yet_logs_nobody_in() {
    let first_stays = Config {
        asks_elsewhere: true,
        refuses_second: true,
        login_ns: 2 * SECOND_NS,
        ..config()
    };
    let mut venue = Venue::new(first_stays);
    let judged = |venue: &mut Venue, conn| {
        let question = venue.entry.question().unwrap();
        let now_ns = venue.now_ns;
        venue
            .entry
            .answered(conn, question.number, Answer::Right, now_ns);
    };
    assert_eq!(dial(&mut venue, 1, HOME, "ALPHA", "secret"), "");
    venue.now_ns += 2 * SECOND_NS;
    venue.poll();
    judged(&mut venue, 1);
    assert_eq!(cause(&mut venue), Some(Cause::LoginLate));
    assert_eq!(venue.entry.seat(1, venue.now_ns), (false, false));
    // Else the user would be logged in for ever, and could never come again.
    assert_eq!(dial(&mut venue, 2, HOME, "ALPHA", "secret"), "");
    judged(&mut venue, 2);
    assert_eq!(kinds(&mut venue, 2), "AS");
}

#[test]
fn too_many_wrong_passwords_lock_a_user_for_a_time_or_until_an_operator_says_so() {
    let locking = Config {
        failures_max: 3,
        lock_ns: 60 * SECOND_NS,
        ..config()
    };
    let mut venue = Venue::new(locking);
    let say = |venue: &mut Venue, flags| {
        venue.apply(Command {
            kind: CommandKind::Access as u8,
            session: 1,
            flags,
            ..Command::BLANK
        });
    };
    let attempt = |venue: &mut Venue, password| {
        let said = dial(venue, 9, HOME, "ALPHA", password);
        venue.entry.closed(9);
        said
    };
    assert_eq!(attempt(&mut venue, "wrong"), "J");
    assert_eq!(attempt(&mut venue, "secret"), "AS");
    for _ in 0..3 {
        assert_eq!(
            attempt(&mut venue, "wrong"),
            "J",
            "those before do not count"
        );
    }
    assert_eq!(attempt(&mut venue, "secret"), "J", "locked");
    assert_eq!(
        dial(&mut venue, 8, HOME, "BETA", "hidden"),
        "AS",
        "others are not"
    );
    venue.now_ns += 61 * SECOND_NS;
    assert_eq!(attempt(&mut venue, "secret"), "AS");
    for _ in 0..3 {
        attempt(&mut venue, "wrong");
    }
    assert_eq!(attempt(&mut venue, "secret"), "J");
    say(&mut venue, 0);
    assert_eq!(attempt(&mut venue, "secret"), "AS", "unlocked");
    say(&mut venue, 1);
    venue.now_ns += 3_600 * SECOND_NS;
    assert_eq!(
        attempt(&mut venue, "secret"),
        "J",
        "an operator's lock does not end"
    );
    say(&mut venue, 0);
    assert_eq!(attempt(&mut venue, "secret"), "AS");
    let counters = venue.entry.counters();
    assert_eq!((counters.locks, counters.locked_out), (2, 3));
}

#[test]
fn ten_thousand_guesses_let_nobody_in() {
    for failures_max in [0, 5] {
        let mut venue = Venue::new(Config {
            failures_max,
            lock_ns: SECOND_NS,
            ..config()
        });
        for guess in 0..10_000_u32 {
            // Some are right but for a letter, or for where the letters stand.
            let password = match guess % 4 {
                0 => format!("secre{guess}"),
                1 => "secrett".to_owned(),
                2 => format!("{guess}"),
                _ => "secre".to_owned(),
            };
            assert_eq!(dial(&mut venue, 1, HOME, "ALPHA", &password), "J");
            venue.entry.closed(1);
            venue.now_ns += 1_000_000;
        }
        assert_eq!(venue.entry.counters().logins, 0);
        let locks = venue.entry.counters().locks;
        // Five a lock, and one lock a second of the ten that this took.
        assert_eq!(locks, if failures_max == 0 { 0 } else { 10 });
    }
}

#[test]
fn a_pinned_user_comes_from_its_networks_and_nobody_else_can_lock_it_out() {
    let mut pinned = members();
    let home = Network::new(Ipv4Addr::new(10, 0, 0, 0), 8).unwrap();
    pinned[0].networks = vec![home];
    let locking = Config {
        failures_max: 2,
        lock_ns: SECOND_NS,
        ..config()
    };
    let mut venue = venue_of(locking.clone(), &pinned);
    for conn in 1..4 {
        assert_eq!(dial(&mut venue, conn, AWAY, "ALPHA", "wrong"), "J");
        assert_eq!(cause(&mut venue), Some(Cause::NotAuthorized));
    }
    assert_eq!(dial(&mut venue, 5, AWAY, "ALPHA", "secret"), "J");
    venue.entry.closed(5);
    assert_eq!(dial(&mut venue, 6, HOME, "ALPHA", "secret"), "AS");
    assert_eq!(dial(&mut venue, 7, AWAY, "BETA", "hidden"), "AS");
    assert_eq!(venue.entry.counters().wrong_address, 4);
    // Where nobody may log in from, there is no connection at all.
    pinned[1].networks = vec![Network::new(HOME, 32).unwrap()];
    let mut venue = venue_of(locking, &pinned);
    assert_eq!(dial(&mut venue, 1, AWAY, "BETA", "hidden"), "closed");
    assert_eq!(dial(&mut venue, 2, HOME, "BETA", "hidden"), "AS");
    assert_eq!(Network::new(HOME, 8), None, "bits behind the first ones");
    assert_eq!(Network::new(HOME, 33), None);
    assert!(
        Network::new(Ipv4Addr::UNSPECIFIED, 0)
            .unwrap()
            .contains(AWAY)
    );
}

#[test]
fn an_address_has_so_many_connections_and_no_more() {
    let few = Config {
        connections_an_address: 2,
        ..config()
    };
    let mut venue = Venue::new(few);
    let open = |venue: &mut Venue, conn, from| {
        let now_ns = venue.now_ns;
        venue.entry.opened_from(conn, from, now_ns).is_ok()
    };
    let told = [(1, HOME), (2, HOME), (3, HOME), (4, AWAY)]
        .map(|(conn, from)| open(&mut venue, conn, from));
    assert_eq!(told, [true, true, false, true]);
    venue.entry.closed(1);
    assert!(open(&mut venue, 5, HOME), "a place is free again");
    assert_eq!(venue.entry.counters().refused_address, 1);
}

#[test]
fn a_second_login_takes_the_first_ones_place_or_is_refused() {
    for (refuses_second, said, stays) in [(false, "AS", 2), (true, "+J", 1)] {
        let mut venue = Venue::new(Config {
            refuses_second,
            ..config()
        });
        assert_eq!(dial(&mut venue, 1, HOME, "ALPHA", "secret"), "AS");
        assert_eq!(dial(&mut venue, 2, HOME, "ALPHA", "secret"), said);
        let (gone, why) = venue.entry.closing().unwrap();
        assert_ne!(gone, stays);
        let expected = if refuses_second {
            Cause::AlreadyLoggedIn
        } else {
            Cause::Superseded
        };
        assert_eq!(why, expected);
    }
}

/// A venue whose first member may send ten a second, four at once, and is logged out for six
/// refusals in a row; its orders leave 5 ms after it does.
fn throttled() -> Venue {
    let mut members = members();
    members[0].rate = Rate {
        a_second: 10,
        at_once: 4,
        refusals_max: 6,
    };
    members[0].leave_ns = Some(5_000_000);
    venue_of(config(), &members)
}

#[test]
fn who_sends_too_fast_is_refused_then_logged_out_then_the_engine_knows() {
    let mut venue = throttled();
    assert_eq!(dial(&mut venue, 1, HOME, "ALPHA", "secret"), "AS");
    let mut bytes = Vec::new();
    for user_ref in 1..=7 {
        bytes.extend(plain(&enter(user_ref, b'B', 10, 1_000_000)));
    }
    venue.received(1, &bytes);
    venue.run();
    for user_ref in [1, 2, 3, 4, 5] {
        venue.received(1, &cancel(user_ref, 0));
    }
    venue.run();
    // Four orders in, three refused; cancels have as many tokens again: four in, one refused.
    let said = packets(&venue.taken(1));
    let letters: Vec<u8> = said.iter().map(|(_, message)| message[0]).collect();
    assert_eq!(letters, b"JJJIAAAACCCC");
    let codes = said.iter().filter_map(|(_, message)| {
        let Ok(Outbound::Rejected(it)) = Outbound::parse(message) else {
            return None;
        };
        Some((it.user_ref(), it.reason()))
    });
    let codes: Vec<_> = codes.collect();
    assert_eq!(codes, [(5, 0x8023), (6, 0x8023), (7, 0x8023)]);
    assert!(
        said[..4].iter().all(|(kind, _)| *kind == b'U'),
        "unsequenced"
    );
    // A tenth of a second is one token, for a cancel; two more refusals, and the next is too much.
    venue.now_ns += SECOND_NS / 10;
    for user_ref in 8..12 {
        venue.received(1, &plain(&enter(user_ref, b'B', 10, 1_000_000)));
    }
    assert_eq!(kinds(&mut venue, 1), "UU+");
    assert_eq!(cause(&mut venue), Some(Cause::Throttled));
    venue.poll();
    let left = venue.ring.pop_back().unwrap();
    assert_eq!(
        (left.kind, left.session, left.flags, left.price),
        (CommandKind::Presence as u8, 1, 0, 5_000_000)
    );
    let counters = venue.entry.counters();
    assert_eq!((counters.throttled_messages, counters.throttled), (6, 1));
}

#[test]
fn a_bucket_fills_again_with_the_time() {
    let mut venue = throttled();
    assert_eq!(dial(&mut venue, 1, HOME, "ALPHA", "secret"), "AS");
    let mut taken = 0;
    for user_ref in 1..=40 {
        venue.received(1, &plain(&enter(user_ref, b'B', 10, 1_000_000)));
        taken += venue.ring.len();
        venue.ring.clear();
        assert_eq!(cause(&mut venue), None);
        venue.now_ns += SECOND_NS / 10 + 1;
    }
    // The first command says that the member is there.
    assert_eq!(taken, 41, "ten a second are in time for ever");
}

#[test]
fn presence_is_told_around_what_a_member_sends_and_not_when_it_is_replaced() {
    let mut venue = throttled();
    let told = |venue: &mut Venue| {
        venue.poll();
        let kinds: Vec<_> = venue.ring.drain(..).map(|it| (it.kind, it.flags)).collect();
        kinds
    };
    let presence = |flags| (CommandKind::Presence as u8, flags);
    let order = (CommandKind::New as u8, 0);
    venue.entry.opened(1, venue.now_ns).unwrap();
    let mut bytes = login("ALPHA", "secret", "", "1");
    bytes.extend(plain(&enter(1, b'B', 10, 1_000_000)));
    venue.received(1, &bytes);
    assert_eq!(told(&mut venue), [presence(1), order]);
    // Another connection of the same user: it never left.
    assert!(dial(&mut venue, 2, HOME, "ALPHA", "secret").starts_with('A'));
    assert_eq!(told(&mut venue), []);
    venue.received(2, &plain(&enter(2, b'B', 10, 1_000_000)));
    venue.entry.closed(2);
    assert_eq!(told(&mut venue), [order, presence(0)]);
    assert_eq!(told(&mut venue), []);
    // The other member's orders stay, whatever becomes of it.
    assert!(dial(&mut venue, 3, HOME, "BETA", "hidden").starts_with('A'));
    venue.entry.closed(3);
    assert_eq!(told(&mut venue), []);
}

#[test]
fn an_operator_ends_a_connection() {
    let mut venue = throttled();
    assert_eq!(dial(&mut venue, 1, HOME, "ALPHA", "secret"), "AS");
    for (session, kicked) in [(2, None), (1, Some(Cause::Kicked))] {
        venue.apply(Command {
            kind: CommandKind::Access as u8,
            session,
            flags: 2,
            ..Command::BLANK
        });
        let said = kinds(&mut venue, 1);
        assert_eq!(said, if kicked.is_some() { "+" } else { "" });
        assert_eq!(cause(&mut venue), kicked);
    }
    // It may come again.
    assert!(dial(&mut venue, 2, HOME, "ALPHA", "secret").starts_with('A'));
}
