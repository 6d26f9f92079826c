//! What an operator changes of a member counts from its place in the log on, whatever restarts lie
//! between, and a change that was never said to its end does not. So do who comes and who goes.
#![allow(clippy::unwrap_used, reason = "a test may fail")]

mod venue;

use session::Network;
use session::order_entry::{Cause, Member, NETWORKS_MAX, Named, OrderEntry, Rate, Setting};
use std::net::Ipv4Addr;
use venue::ouch::{enter, heard, plain};
use venue::{Venue, config, login, members};
use wire::ring::{ACCESS_NAME, Command, CommandKind};

fn said(venue: &mut Venue, session: u16, setting: &Setting) {
    for command in setting.commands(session).unwrap() {
        venue.apply(command);
    }
}

fn network(text: &str) -> Network {
    text.parse().unwrap()
}

fn hash(letter: char) -> String {
    String::from(letter).repeat(97)
}

/// Whether ALPHA may log in from there.
fn is_let_in(venue: &mut Venue, from: [u8; 4]) -> bool {
    while venue.entry.closing().is_some() {}
    let peer = Ipv4Addr::from(from);
    if venue.entry.opened_from(9, peer, venue.now_ns).is_err() {
        return false;
    }
    venue.received(9, &login("ALPHA", "secret", "", "1"));
    let told = venue.taken(9);
    venue.entry.closed(9);
    told[2] == b'A'
}

/// A venue that started again, from its journal, then from a snapshot of it.
fn started_again(venue: &Venue) -> [OrderEntry; 2] {
    let replayed = Venue::restarted(config(), 0, &venue.journal).entry;
    let (mut state, mut again) = (Vec::new(), Vec::new());
    venue.entry.state(&mut state);
    replayed.state(&mut again);
    assert_eq!(state, again);
    let mut kept = OrderEntry::new(config(), &members()).unwrap();
    let replies = kept.restore(&state).unwrap();
    for (index, count) in replies.into_iter().enumerate() {
        kept.cover(index, count);
        kept.begin_behind(index, count);
    }
    kept.state(&mut again);
    assert_eq!(again[state.len()..], state);
    [replayed, kept]
}

#[test]
fn each_change_counts_and_a_start_knows_it() {
    let mut venue = Venue::new(config());
    let rate = Rate {
        a_second: 1,
        at_once: 2,
        refusals_max: 7,
    };
    said(&mut venue, 1, &Setting::Rate(rate));
    let networks = vec![network("10.0.0.0/8"), network("192.0.2.7")];
    said(&mut venue, 1, &Setting::Networks(networks));
    said(
        &mut venue,
        2,
        &Setting::Networks(vec![network("11.0.0.0/8")]),
    );
    said(&mut venue, 1, &Setting::Secret(hash('a')));
    said(&mut venue, 1, &Setting::Secret(hash('b')));
    assert_eq!(venue.entry.secret(), Some((0, hash('b').as_str())));
    assert_eq!(venue.entry.secret(), None, "told once");
    let [one, other] = started_again(&venue);
    let first = std::mem::replace(&mut venue.entry, one);
    for entry in [other, first] {
        assert!(is_let_in(&mut venue, [10, 1, 2, 3]) && is_let_in(&mut venue, [192, 0, 2, 7]));
        assert!(
            !is_let_in(&mut venue, [11, 1, 1, 1]),
            "that is the other one's"
        );
        assert!(!is_let_in(&mut venue, [192, 0, 2, 8]));
        let conn = 3;
        let peer = Ipv4Addr::new(10, 0, 0, 1);
        venue.entry.opened_from(conn, peer, venue.now_ns).unwrap();
        let next = venue.entry.replies(1) + 1;
        venue.received(conn, &login("ALPHA", "secret", "", &next.to_string()));
        venue.taken(conn);
        let number = 10 * venue.journal.len() as u32;
        let sent = [0, 1, 2].map(|more| plain(&enter(number + more, b'B', 1, 1)));
        let told = heard(&mut venue, conn, &sent);
        let refused = told.iter().filter(|line| line.contains(" 8023 "));
        assert_eq!((told.len(), refused.count()), (3, 1), "{told:?}");
        venue.entry = entry;
        venue.now_ns += 60 * session::SECOND_NS;
    }
}

#[test]
fn a_change_that_was_never_said_to_its_end_is_void() {
    let mut venue = Venue::new(config());
    let far = Setting::Networks(vec![network("10.0.0.0/8"); NETWORKS_MAX]);
    let mut commands = far.commands(1).unwrap();
    commands.pop();
    let half = Setting::Secret(hash('x')).commands(1).unwrap();
    for command in commands.into_iter().chain(half[..3].to_vec()) {
        venue.apply(command);
    }
    for entry in started_again(&venue) {
        venue.entry = entry;
        assert!(is_let_in(&mut venue, [192, 0, 2, 7]), "from anywhere");
        assert_eq!(venue.entry.secret(), None);
    }
    said(
        &mut venue,
        1,
        &Setting::Networks(vec![network("11.0.0.0/8")]),
    );
    said(&mut venue, 1, &Setting::Secret(hash('y')));
    assert!(!is_let_in(&mut venue, [10, 0, 0, 1]) && is_let_in(&mut venue, [11, 0, 0, 1]));
    assert_eq!(venue.entry.secret(), Some((0, hash('y').as_str())));
    said(&mut venue, 1, &Setting::Networks(Vec::new()));
    assert!(is_let_in(&mut venue, [10, 0, 0, 1]));
    let many = Setting::Networks(vec![network("10.0.0.0/8"); NETWORKS_MAX + 1]);
    assert_eq!(many.commands(1), None);
    assert_eq!(Setting::Secret("z".repeat(225)).commands(1), None);
}

/// What the sequencer is told of ALPHA: whether it is there, and its grace.
fn presences(venue: &Venue) -> Vec<(u8, i64)> {
    let all = venue.journal.iter().map(|input| input.command);
    let told = all.filter(|it| it.kind == CommandKind::Presence as u8);
    told.map(|it| (it.flags, it.price)).collect()
}

#[test]
fn another_grace_is_told_of_who_is_there_and_of_who_goes() {
    let mut venue = Venue::new(config());
    let Member { leave_ns: None, .. } = members()[0] else {
        panic!("ALPHA has no grace");
    };
    venue.login(1, "ALPHA", "secret", 1);
    let turn = |venue: &mut Venue| {
        venue.poll();
        venue.run();
        presences(venue)
    };
    assert_eq!(turn(&mut venue), []);
    said(&mut venue, 1, &Setting::Grace(Some(5)));
    assert_eq!(turn(&mut venue), [(1, 5)]);
    said(&mut venue, 1, &Setting::Grace(None));
    assert_eq!(turn(&mut venue)[1..], [(1, i64::MAX)]);
    said(&mut venue, 1, &Setting::Grace(Some(7)));
    assert_eq!(turn(&mut venue)[2..], [(1, 7)]);
    venue.entry.closed(1);
    assert_eq!(turn(&mut venue)[3..], [(0, 7)]);
    said(&mut venue, 1, &Setting::Grace(Some(9)));
    assert_eq!(turn(&mut venue).len(), 4, "nobody is there");
    assert_eq!(venue.entry.closing(), None, "{:?}", Cause::Kicked);
}

/// Whether a user may log in with ALPHA's password.
fn is_known(venue: &mut Venue, user: &str) -> bool {
    while venue.entry.closing().is_some() {}
    venue.entry.opened(8, venue.now_ns).unwrap();
    venue.received(8, &login(user, "secret", "", "1"));
    let told = venue.taken(8);
    venue.entry.closed(8);
    told[2] == b'A'
}

#[test]
fn who_gets_a_name_is_called_so_and_who_is_gone_stays_away_whatever_lifts_locks() {
    let mut venue = Venue::new(config());
    let named = Named {
        user: "CAROL".to_owned(),
        firm: *b"CC  ",
    };
    said(&mut venue, 1, &Setting::Name(named.clone()));
    said(&mut venue, 9, &Setting::Name(named.clone()));
    for entry in started_again(&venue) {
        venue.entry = entry;
        assert!(is_known(&mut venue, "CAROL") && !is_known(&mut venue, "ALPHA"));
        assert_eq!(venue.entry.called(1), Some(named.clone()));
        assert_eq!(venue.entry.called(2).unwrap().user, "BETA");
        assert_eq!(venue.entry.called(3), None);
    }
    venue.login(1, "CAROL", "secret", 1);
    said(&mut venue, 1, &Setting::Gone);
    assert_eq!(
        venue.entry.seat(1, venue.now_ns),
        (false, true),
        "out at once"
    );
    let unlock = Command {
        kind: CommandKind::Access as u8,
        session: 1,
        ..Command::BLANK
    };
    for _ in 0..2 {
        for entry in started_again(&venue) {
            venue.entry = entry;
            assert!(!is_known(&mut venue, "CAROL") && !is_known(&mut venue, "ALPHA"));
            assert_eq!(venue.entry.seat(1, venue.now_ns), (false, true));
        }
        venue.apply(unlock);
    }
    // No name is none: what is not said so by this venue changes nobody's.
    venue.apply(Command {
        flags: ACCESS_NAME,
        session: 2,
        client_id: [b' '; 14],
        ..unlock
    });
    assert_eq!(venue.entry.called(2).unwrap().user, "BETA");
}
