//! An operator's acts: obeyed, kept with who and why, and still there after a restart.
#![allow(clippy::unwrap_used)]

mod harness;

use harness::{Ended, Member, Site, program, wait_until};

/// The operator's commands for a site.
struct Operator(String);

impl Operator {
    fn of(site: &Site) -> Self {
        let topology = site.dir.path().join("topology.toml");
        Self(topology.to_str().unwrap().to_owned())
    }

    fn act(&self, why: &str, words: &str) -> Ended {
        let head = ["admin", "act", "--topology", &self.0, "--why", why];
        program(&head.into_iter().chain(words.split(' ')).collect::<Vec<_>>())
    }

    fn says(&self, words: &str, told: &str) {
        let ended = self.act("a test", words);
        ended.succeeds();
        assert_eq!(ended.out.trim_end(), told);
    }

    fn list(&self, what: &str) -> String {
        let ended = program(&["admin", what, "--topology", &self.0]);
        ended.succeeds();
        ended.out
    }

    /// Waits until the list of sessions has a line.
    fn until(&self, line: &str) {
        wait_until(line, || self.list("sessions").contains(line));
    }
}

#[test]
fn users_are_listed_logged_out_and_locked_and_the_lock_outlives_the_venue() {
    let site = Site::new();
    let venue = site.start();
    let operator = Operator::of(&site);
    let mut alpha = Member::login(venue.order_entry(), "ALPHA");
    operator.until("1 ALPHA: connected; 1 trader\n2 BRAVO: away; 2 trader\n");
    operator.says("lock alpha", "locked");
    operator.until("1 ALPHA: connected, locked; 1 trader\n");
    operator.says("kick ALPHA", "logged out if it was logged in");
    alpha.until_closed();
    assert!(alpha.was_told("logged out by the operator"));
    Member::dial(venue.order_entry(), "ALPHA", "alpha").until_closed();
    venue.kill();
    let venue = site.start();
    Member::dial(venue.order_entry(), "ALPHA", "alpha").until_closed();
    operator.says("unlock ALPHA", "unlocked");
    Member::login(venue.order_entry(), "ALPHA").until_kinds("S");
    venue.stop();
    program(&["admin", "sessions", "--topology", &operator.0]).refuses(2, &["not running"]);
}

#[test]
fn an_order_is_cancelled_and_a_symbol_halted_resumed_and_closed() {
    let site = Site::new();
    let venue = site.start();
    let operator = Operator::of(&site);
    let mut alpha = Member::login(venue.order_entry(), "ALPHA");
    alpha.enter(b'S', 10, "AAPL", 1_000_000);
    alpha.until_kinds("SA");
    operator.says("cancel ALPHA 1", "10 units cancelled");
    alpha.until_kinds("SAC");
    let again = operator.act("a test", "cancel ALPHA 1");
    again.refuses(2, &["no such order is live"]);
    operator.says("halt AAPL", "AAPL: continuous -> halt, no reference price");
    alpha.enter(b'S', 10, "AAPL", 1_000_000);
    alpha.until_kinds("SACIJ");
    operator.says(
        "resume AAPL",
        "AAPL: crossed nothing\nAAPL: halt -> continuous, no reference price",
    );
    alpha.enter(b'S', 10, "AAPL", 1_000_000);
    alpha.until_kinds("SACIJA");
    operator.says(
        "close AAPL",
        "AAPL: continuous -> closed, no reference price",
    );
    alpha.until_kinds("SACIJAC");
    assert_eq!(venue.stop()["live_orders"], "0");
}

#[test]
fn every_act_is_kept_with_who_and_why() {
    let site = Site::new();
    let venue = site.start();
    let operator = Operator::of(&site);
    let why = "member called: runaway algorithm, ticket 4711, and more than one piece of letters";
    operator.act(why, "kill user ALPHA").succeeds();
    operator
        .act("by mistake", "kill user NOBODY")
        .refuses(2, &["no user"]);
    let control = program(&[
        "control",
        "--topology",
        &operator.0,
        "revive",
        "user",
        "ALPHA",
    ]);
    control.succeeds();
    // SAFETY: it only reads a number.
    let user = unsafe { libc::getuid() };
    let log = operator.list("log");
    let acts: Vec<&str> = log.lines().collect();
    assert_eq!(acts.len(), 2, "{log}");
    assert!(
        acts[0].ends_with(&format!("user {user}: kill user ALPHA: {why}")),
        "{log}"
    );
    assert!(
        acts[1].ends_with(&format!("user {user}: revive user ALPHA: no reason given")),
        "{log}"
    );
    // The log is the journal: it is the same when the venue is gone.
    venue.stop();
    assert_eq!(operator.list("log"), log);
    operator
        .act("too late", "kill all")
        .refuses(2, &["is the venue running?"]);
}

#[test]
fn an_act_without_a_reason_that_is_kept_is_none() {
    let site = Site::new();
    let venue = site.start();
    let operator = Operator::of(&site);
    let long = "x".repeat(201);
    for why in ["", "  ", "two\nlines", &long] {
        let ended = operator.act(why, "halt AAPL");
        ended.refuses(
            2,
            &["a reason is one line of up to 200 bytes that says something"],
        );
    }
    operator
        .act("a test", "halt AAPL\nhalt MSFT")
        .refuses(2, &["one line"]);
    operator
        .act("a test", "bands AAPL 10 -4")
        .refuses(2, &["\"-4\" is no such number"]);
    operator
        .act("a test", "bust AAPL 1 because")
        .refuses(2, &["say one of erroneous"]);
    assert_eq!(operator.list("log").trim(), "");
    venue.stop();
}
