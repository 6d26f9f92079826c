//! Sessions as member firms and operators meet them: hashed passwords, throttles, and orders that
//! leave with their connection.
#![allow(clippy::unwrap_used)]

mod harness;

use appliance::venue::Presences;
use harness::{Ended, Member, Site, counter, program, wait_until};
use std::io::Write;
use std::process::{Command, Stdio};
use wire::ouch::Outbound;
use wire::ring::{self, CommandKind, Input};

/// What `wirecross admin hash-password` prints.
fn hash(password: &str) -> String {
    let mut child = Command::new(env!("CARGO_BIN_EXE_wirecross"))
        .args(["admin", "hash-password"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdin = child.stdin.take().unwrap();
    writeln!(stdin, "{password}").unwrap();
    drop(stdin);
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success());
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}

/// A site where the first member's password is hashed.
fn hashed() -> Site {
    let hash = hash("Alpha");
    assert!(
        hash.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"),
        "{hash}"
    );
    Site::new().with(
        "password = \"alpha\"",
        &format!("password_hash = \"{hash}\""),
    )
}

/// Sends an order, one that is refused, another one and a mass cancel.
fn say_all(alpha: &mut Member) {
    for (number, quantity) in [(1, 10), (2, 0), (4, 5)] {
        alpha.enter_as(number, b'B', (quantity, "AAPL", 1_000_000));
    }
    alpha.user_ref_next_set(5);
    alpha.mass_cancel(1);
}

#[test]
fn what_comes_again_is_answered_as_it_was_whatever_died_in_between() {
    for shadow in ["", "[shadow]\nsnapshot_inputs = 5\n\n"] {
        let site = Site::new().with("[feed]", &format!("{shadow}[feed]"));
        let venue = site.start();
        let mut alpha = Member::login(venue.order_entry(), "ALPHA");
        say_all(&mut alpha);
        alpha.until_kinds("SAJACCX");
        let told = alpha.replies.clone();
        let answers = [1, 2, 3, 6].map(|place| told[place].clone());
        if !shadow.is_empty() {
            wait_until("a snapshot", || {
                counter(&site, "shadow.snapshot_inputs") >= 5
            });
        }
        venue.kill();
        let venue = site.start();
        let mut alpha = Member::login(venue.order_entry(), "ALPHA");
        alpha.until_kinds("SAJACCX");
        say_all(&mut alpha);
        alpha.until_aside(answers.len());
        assert_eq!(alpha.aside, answers, "each as the first time");
        // Another order under a used number is none of them; the next number is free.
        alpha.enter_as(4, b'S', (5, "AAPL", 1_000_000));
        alpha.enter_as(6, b'S', (5, "AAPL", 1_000_000));
        alpha.until_kinds("SAJACCXJA");
        assert_eq!(alpha.replies[..told.len()], told);
        let refused = Outbound::parse(&alpha.replies[told.len()]).unwrap();
        assert!(matches!(refused, Outbound::Rejected(it) if it.reason() == 0x8008));
        wait_until("the count", || counter(&site, "gate.repeats") == 4);
        venue.stop();
    }
}

#[test]
fn a_hashed_password_lets_in_whoever_knows_it_and_plain_ones_are_warned_about() {
    let site = hashed().with("[feed]", "lock_after = 3\nlock_s = 3600\n\n[feed]");
    let venue = site.start();
    let warned = venue.stderr();
    assert!(
        warned.contains("WARNING") && warned.contains(": BRAVO;"),
        "{warned}"
    );
    let mut alpha = Member::login(venue.order_entry(), "ALPHA");
    alpha.enter(b'S', 10, "AAPL", 1_000_000);
    alpha.until_kinds("SA");
    Member::login(venue.order_entry(), "BRAVO").until_kinds("S");
    for (user, password) in [("NOBODY", "alpha"), ("ALPHA", "wrong"), ("BRAVO", "alpha")] {
        Member::dial(venue.order_entry(), user, password).until_closed();
    }
    for _ in 0..2 {
        Member::dial(venue.order_entry(), "ALPHA", "wrong").until_closed();
    }
    // Locked: who is in stays in, and nobody else comes, not even with the password.
    Member::dial(venue.order_entry(), "ALPHA", "alpha").until_closed();
    wait_until("the counts", || counter(&site, "gate.locked_out") == 1);
    assert_eq!(counter(&site, "gate.locks"), 1);
    assert_eq!(counter(&site, "gate.login_rejects"), 6);
    alpha.enter(b'S', 10, "AAPL", 1_000_000);
    alpha.until_kinds("SAA");
    venue.stop();
}

#[test]
fn a_password_that_is_none_has_no_hash_and_a_hash_that_is_none_no_venue() {
    program(&["admin", "hash-password"]).refuses(2, &["1 to 10 letters or digits"]);
    let cases = [
        (
            "password = \"alpha\"",
            "password_hash = \"alpha\"",
            "no Argon2id hash",
        ),
        ("password = \"alpha\"\n", "", "is missing"),
        (
            "name = \"ALPHA\"",
            "name = \"ALPHA\"\naddresses = [\"10.0.0.1/8\"]",
            "no network",
        ),
        (
            "name = \"ALPHA\"",
            "name = \"ALPHA\"\npassword_hash = \"x\"",
            "stands beside",
        ),
        (
            "name = \"ALPHA\"",
            "name = \"ALPHA\"\nrate = { messages_per_second = 0, at_once = 1 }",
            "`users[0].rate.messages_per_second` is 0",
        ),
    ];
    for (from, to, told) in cases {
        let site = Site::new().with(from, to);
        let mut venue = site.spawn(&[]);
        assert!(!venue.wait().success());
        assert!(venue.stderr().contains(told), "{told}: {}", venue.stderr());
    }
    // Two costs would tell by the time of a refusal who exists.
    let cheap = "$argon2id$v=19$m=64,t=1,p=1$c2FsdHNhbHRzYWx0$\
                 AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";
    let site = hashed().with(
        "password = \"bravo\"",
        &format!("password_hash = \"{cheap}\""),
    );
    let mut venue = site.spawn(&[]);
    assert!(!venue.wait().success());
    assert!(
        venue.stderr().contains("costs another time"),
        "{}",
        venue.stderr()
    );
}

#[test]
fn orders_leave_with_the_connection_of_who_asked_for_it() {
    let site = Site::new().with("account = 1", "account = 1\ncancel_on_disconnect_ms = 0");
    let venue = site.start();
    let mut alpha = Member::login(venue.order_entry(), "ALPHA");
    let mut bravo = Member::login(venue.order_entry(), "BRAVO");
    for price in [1_000_000, 1_000_100] {
        alpha.enter(b'S', 10, "AAPL", price);
        bravo.enter(b'B', 10, "MSFT", price);
    }
    alpha.until_kinds("SAA");
    bravo.until_kinds("SAA");
    drop(alpha);
    drop(bravo);
    wait_until("the orders' end", || {
        counter(&site, "engine.live_orders") == 2
    });
    let mut alpha = Member::login(venue.order_entry(), "ALPHA");
    alpha.until_kinds("SAACC");
    alpha.user_ref_next_set(3);
    alpha.enter(b'S', 10, "AAPL", 1_000_000);
    alpha.until_kinds("SAACCA");
    // A venue that dies takes the connection with it: its next start takes the order off.
    venue.kill();
    let venue = site.start();
    wait_until("the orders' end", || {
        counter(&site, "engine.live_orders") == 2
    });
    Member::login(venue.order_entry(), "ALPHA").until_kinds("SAACCAC");
    assert_eq!(venue.stop()["live_orders"], "2");
}

#[test]
fn who_comes_back_within_the_grace_keeps_its_orders() {
    let site = Site::new().with(
        "account = 1",
        "account = 1\ncancel_on_disconnect_ms = 86400000",
    );
    let venue = site.start();
    let mut alpha = Member::login(venue.order_entry(), "ALPHA");
    alpha.enter(b'S', 10, "AAPL", 1_000_000);
    alpha.until_kinds("SA");
    let inputs = counter(&site, "engine.inputs");
    drop(alpha);
    wait_until("the end", || counter(&site, "engine.inputs") == inputs + 1);
    venue.kill();
    let venue = site.start();
    let mut alpha = Member::login(venue.order_entry(), "ALPHA");
    alpha.user_ref_next_set(2);
    alpha.enter(b'S', 10, "AAPL", 1_000_000);
    alpha.until_kinds("SAA");
    assert_eq!(venue.stop()["live_orders"], "2");
}

#[test]
fn a_runaway_session_is_refused_then_logged_out_then_without_orders_and_others_are_not() {
    let rate = "rate = { messages_per_second = 1, at_once = 5, refusals_max = 10 }";
    let site = Site::new().with(
        "account = 1",
        &format!("account = 1\ncancel_on_disconnect_ms = 0\n{rate}"),
    );
    let venue = site.start();
    let mut bravo = Member::login(venue.order_entry(), "BRAVO");
    let mut alpha = Member::login(venue.order_entry(), "ALPHA");
    for user_ref in 1..1_000 {
        if alpha.is_closed {
            break;
        }
        alpha.enter_as(user_ref, b'S', (10, "AAPL", 1_000_000));
    }
    alpha.until_closed();
    wait_until("the logout", || counter(&site, "gate.throttled_out") == 1);
    wait_until("the orders' end", || {
        counter(&site, "engine.live_orders") == 0
    });
    assert!(counter(&site, "gate.throttled") >= 10);
    bravo.enter(b'S', 10, "AAPL", 1_000_000);
    bravo.until_kinds("SA");
    venue.stop();
}

fn presence(sequence: u64, time_ns: u64, session: u16, flags: u8, price: i64) -> Input {
    Input {
        sequence,
        time_ns,
        command: ring::Command {
            kind: CommandKind::Presence as u8,
            session,
            flags,
            price,
            ..ring::Command::BLANK
        },
    }
}

#[test]
fn a_grace_ends_by_the_time_of_the_inputs_and_not_a_nanosecond_before() {
    let mut presences = Presences::new(3);
    presences.on_input(&presence(1, 1_000, 1, 1, 500));
    presences.on_input(&presence(2, 1_000, 2, 1, 700));
    assert_eq!(presences.next(u64::MAX), None, "both are there");
    presences.on_input(&presence(3, 2_000, 1, 0, 500));
    presences.on_input(&presence(4, 2_100, 2, 0, 700));
    assert_eq!(presences.next(2_499), None);
    let due = presences.next(2_500).unwrap();
    assert_eq!((due.kind, due.session), (CommandKind::MassCancel as u8, 1));
    assert_eq!(presences.next(2_500), Some(due), "until it is an input");
    presences.on_input(&Input {
        sequence: 5,
        time_ns: 2_500,
        command: due,
    });
    assert_eq!(presences.next(2_799), None);
    // The second one comes back in time.
    presences.on_input(&presence(6, 2_799, 2, 1, 700));
    assert_eq!(presences.next(u64::MAX), None);
    let lost: Vec<_> = presences.lost().collect();
    assert_eq!(lost, [presence(0, 0, 2, 0, 700).command], "at a start");
}

fn act(site: &Site, words: &str) -> Ended {
    let topology = site.dir.path().join("topology.toml");
    let topology = topology.to_str().unwrap();
    let head = ["admin", "act", "--topology", topology, "--why", "a test"];
    program(&head.into_iter().chain(words.split(' ')).collect::<Vec<_>>())
}

/// Enters orders until one is refused for the rate; gives how many were taken.
fn enter_until_refused(alpha: &mut Member) -> usize {
    let taken = |alpha: &Member| alpha.kinds().matches('A').count();
    let (before, mut answers) = (alpha.aside.len(), taken(alpha));
    while alpha.aside.len() == before {
        alpha.enter(b'B', 1, "AAPL", 1_000_000);
        answers += 1;
    }
    let refused = Outbound::parse(&alpha.aside[before]).unwrap();
    assert!(matches!(refused, Outbound::Rejected(it) if it.reason() == 0x8023));
    // What is refused needs no journal, and is told before what was taken before it.
    alpha.until("all answers", |alpha| {
        taken(alpha) + alpha.aside.len() - before == answers
    });
    taken(alpha)
}

#[test]
fn what_an_operator_changes_of_a_user_counts_at_once_and_outlives_the_venue() {
    let site = hashed().with("[feed]", "[shadow]\nsnapshot_inputs = 40\n\n[feed]");
    let (other, cheap) = (
        hash("other"),
        "$argon2id$v=19$m=8,t=1,p=1$AAAAAAAAAAA$AAAAAAAAAAAAAAAA",
    );
    let venue = site.start();
    let mut bravo = Member::login(venue.order_entry(), "BRAVO");
    for words in [
        "user rate ALPHA 1 2 1000000".to_owned(),
        "user grace ALPHA 0".to_owned(),
        format!("user password ALPHA {other}"),
        "user addresses BRAVO 10.0.0.0/8 192.0.2.7".to_owned(),
    ] {
        act(&site, &words).succeeds();
    }
    for (words, told) in [
        ("user password ALPHA other", "no Argon2id hash"),
        (
            &format!("user password ALPHA {cheap}"),
            "costs another time",
        ),
        ("user rate ALPHA 0 1", "between 1 and 10000000"),
        ("user addresses ALPHA 10.0.0.1/8", "no network"),
        ("user grace ALPHA 86400001", "more than a day"),
        (
            "user rename CAROL",
            "add, remove, rate, grace, addresses or password",
        ),
        ("user rate CAROL 1 1", "no user of this venue"),
    ] {
        act(&site, words).refuses(2, &[told]);
    }
    // Who is there stays.
    bravo.enter(b'S', 1, "MSFT", 1_000_000);
    bravo.until_kinds("SA");
    Member::dial(venue.order_entry(), "ALPHA", "alpha").until_closed();
    let mut alpha = Member::dial(venue.order_entry(), "ALPHA", "other");
    alpha.until_kinds("S");
    let taken = enter_until_refused(&mut alpha);
    assert!(taken >= 2);
    drop(alpha);
    let told = |site: &Site| {
        let topology = site.dir.path().join("topology.toml");
        program(&[
            "admin",
            "sessions",
            "--topology",
            topology.to_str().unwrap(),
        ])
        .out
    };
    let due = [
        "; 1 trader; rate 1 a second, 2 at once, 1000000 refusals; grace 0 ms; another password\n",
        "; 2 trader; from 10.0.0.0/8 192.0.2.7/32\n",
    ];
    let lists = |site: &Site| due.iter().all(|line| told(site).contains(line));
    wait_until("the list", || lists(&site));
    wait_until("a snapshot", || {
        counter(&site, "shadow.snapshot_inputs") >= 40
    });
    venue.kill();

    let venue = site.start();
    for (user, password) in [("ALPHA", "alpha"), ("BRAVO", "bravo")] {
        Member::dial(venue.order_entry(), user, password).until_closed();
    }
    let mut alpha = Member::dial(venue.order_entry(), "ALPHA", "other");
    alpha.until("what left with its member", |alpha| {
        alpha.kinds().matches('C').count() == taken
    });
    alpha.user_ref_next_set(1_000);
    assert!(enter_until_refused(&mut alpha) >= taken + 2);
    assert!(lists(&site));
    act(&site, "user addresses BRAVO any").succeeds();
    act(&site, "user rate ALPHA off").succeeds();
    let mut bravo = Member::login(venue.order_entry(), "BRAVO");
    bravo.until_kinds("SA");
    venue.kill();

    // The next day begins as the topology says.
    let venue = site.start_with(&["--new-day"]);
    let mut alpha = Member::login(venue.order_entry(), "ALPHA");
    alpha.enter_many(10, b'B', (1, "AAPL", 1_000_000));
    venue.stop();
}
