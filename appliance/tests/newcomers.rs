//! Users that come and go in a running day, as operators and members meet them: their places are
//! kept ready, their words are inputs, and no restart loses them.
#![allow(clippy::unwrap_used)]

mod harness;

use appliance::venue::logins::hashed;
use harness::{Ended, Member, Site, counter, program, wait_until};
use wire::ouch::Tag;

const COPIES: &str = "\
[[drop_copies]]
name = \"RISK\"
password = \"risk\"
accounts = [2]
";

/// A site with places for two more users, and a drop copy of account 2.
fn spacious() -> Site {
    let hash = hashed("alpha").unwrap();
    Site::new()
        .with(
            "password = \"alpha\"",
            &format!("password_hash = \"{hash}\""),
        )
        .with("sessions = 4", "sessions = 7\nspare_users = 2")
        .with("[[users]]", &format!("{COPIES}\n[[users]]"))
        .with("[feed]", "[shadow]\nsnapshot_inputs = 50\n\n[feed]")
}

fn topology(site: &Site) -> String {
    let path = site.dir.path().join("topology.toml");
    path.to_str().unwrap().to_owned()
}

fn act(site: &Site, words: &str) -> Ended {
    let topology = topology(site);
    let head = ["admin", "act", "--topology", &topology, "--why", "a test"];
    program(&head.into_iter().chain(words.split(' ')).collect::<Vec<_>>())
}

fn admin(site: &Site, word: &str) -> String {
    program(&["admin", word, "--topology", &topology(site)]).out
}

/// A word that brings a user with its name in small letters as its password.
fn add(user: &str, account: u32, networks: &str) -> String {
    let hash = hashed(&user.to_lowercase()).unwrap();
    format!("user add {user} CARO {account} {hash} {networks}")
}

#[test]
fn who_comes_in_a_running_day_trades_is_watched_and_outlives_the_venue() {
    let site = spacious();
    let venue = site.start();
    for user in ["CAROL", "+1", "+2"] {
        Member::dial(venue.order_entry(), user, "carol").until_closed();
    }
    assert!(!admin(&site, "sessions").contains('+'));
    act(&site, &add("CAROL", 2, "127.0.0.0/8")).says(&["may log in from now on"]);
    act(&site, "grant CAROL 9 trader").says(&["trader of account 9"]);
    act(&site, &add("DAVE", 4, "any")).succeeds();
    act(&site, "grant DAVE 9 trader").succeeds();

    let mut carol = Member::login(venue.order_entry(), "CAROL");
    let mut risk = Member::login(venue.order_entry(), "RISK");
    let mut dave = Member::login(venue.order_entry(), "DAVE");
    carol.enter(b'S', 10, "AAPL", 1_000_000);
    carol.enter_with(b'S', (5, "MSFT", 1_000_000), &[Tag::Account(9)]);
    carol.until_kinds("SAA");
    dave.enter(b'B', 10, "AAPL", 1_000_000);
    dave.until_kinds("SAE");
    carol.until_kinds("SAAE");
    // Of its first account, which others watch; under its own name.
    risk.until_kinds("SDD");
    let copies = [1, 2].map(|place| String::from_utf8_lossy(&risk.replies[place]).into_owned());
    assert!(copies.iter().all(|it| it.contains("CAROL")), "{copies:?}");
    for (word, line) in [
        (
            "sessions",
            "2 CAROL: connected; 2 trader, 9 trader; came today",
        ),
        ("show", "CAROL    connected: 2 trader, 9 trader"),
    ] {
        wait_until(line, || admin(&site, word).contains(line));
    }
    let told = carol.replies.clone();
    wait_until("a snapshot", || {
        counter(&site, "shadow.snapshot_inputs") >= 50
    });
    venue.kill();

    let venue = site.start();
    let mut carol = Member::login(venue.order_entry(), "CAROL");
    carol.until_kinds("SAAE");
    assert_eq!(carol.replies, told);
    carol.user_ref_next_set(3);
    carol.enter(b'S', 1, "AAPL", 1_000_000);
    carol.until_kinds("SAAEA");
    act(&site, "user rate CAROL 1 1").succeeds();
    act(&site, &add("ERIN", 5, "any")).refuses(2, &["no place is left", "spare_users"]);
    let ended = venue.stop();
    assert_eq!(ended["live_orders"], "2");
    // The day comes to the same again, with a topology and without one.
    let data = site.data_dir();
    let again = ["replay", "--journal", data.to_str().unwrap()];
    program(&again).succeeds();
    program(&[&again[..], &["--topology", &topology(&site)]].concat()).succeeds();

    let venue = site.start_with(&["--new-day"]);
    Member::dial(venue.order_entry(), "CAROL", "carol").until_closed();
    act(&site, "kick CAROL").refuses(2, &["no user of this venue"]);
    venue.stop();
}

#[test]
fn who_is_removed_is_gone_with_its_orders_until_the_day_ends() {
    let site = spacious();
    let venue = site.start();
    act(&site, &add("CAROL", 3, "any")).succeeds();
    let mut carol = Member::login(venue.order_entry(), "CAROL");
    let mut alpha = Member::login(venue.order_entry(), "ALPHA");
    for member in [&mut carol, &mut alpha] {
        member.enter(b'S', 10, "AAPL", 1_000_000);
        member.until_kinds("SA");
    }
    act(&site, "user remove CAROL").says(&["the user is gone"]);
    carol.until_closed();
    act(&site, "unlock CAROL").succeeds();
    act(&site, "revive user CAROL").succeeds();
    Member::dial(venue.order_entry(), "CAROL", "carol").until_closed();
    alpha.enter(b'S', 10, "AAPL", 1_000_000);
    alpha.until_kinds("SAA");
    venue.kill();
    let venue = site.start();
    Member::dial(venue.order_entry(), "CAROL", "carol").until_closed();
    let line = "CAROL: away, locked; 3 trader; came today, of CARO; removed";
    wait_until(line, || admin(&site, "sessions").contains(line));
    act(&site, &add("carol", 3, "any")).refuses(2, &["is a user of this venue already"]);
    assert_eq!(venue.stop()["live_orders"], "2");
}

#[test]
fn a_user_that_cannot_come_is_refused_in_words() {
    let site = spacious();
    let venue = site.start();
    let hash = hashed("carol").unwrap();
    for (words, told) in [
        ("user add", "a user is missing"),
        (
            "user add CAROLINE CARO 3",
            "\"CAROLINE\" is not a user's name: say 1 to 6",
        ),
        ("user add C+ CARO 3", "is not a user's name"),
        ("user add BRAVO CARO 3", "is a user of this venue already"),
        ("user add risk CARO 3", "is a user of this venue already"),
        ("user add CAROL CAROL 3", "is not a firm's name: say 1 to 4"),
        ("user add CAROL CARO x", "\"x\" is no such number"),
        ("user add CAROL CARO 3 carol any", "no Argon2id hash"),
        (
            &format!("user add CAROL CARO 3 {hash}"),
            "any, or networks is missing",
        ),
        (
            &format!("user add CAROL CARO 3 {hash} 10.0.0.1/8"),
            "no network",
        ),
        (
            &format!("user add CAROL CARO 3 {hash} any way"),
            "\"way\" is too much",
        ),
        ("user remove CAROL", "no user of this venue"),
        ("kick +2", "no user of this venue"),
    ] {
        act(&site, words).refuses(2, &[told]);
    }
    // Nothing of it took a place.
    act(&site, &add("CAROL", 3, "any")).succeeds();
    act(&site, &add("DAVE", 4, "any")).succeeds();
    Member::login(venue.order_entry(), "CAROL").until_kinds("S");
    venue.stop();
    for (from, to, told) in [
        (
            "spare_users = 2",
            "spare_users = 6",
            "`users` has 8 entries",
        ),
        (
            "spare_users = 2",
            "spare_users = 8",
            "`limits.spare_users` is 8",
        ),
    ] {
        let site = spacious().with(from, to);
        let mut venue = site.spawn(&[]);
        assert!(!venue.wait().success());
        assert!(venue.stderr().contains(told), "{told}: {}", venue.stderr());
    }
    let site = Site::new().with("sessions = 4", "sessions = 4\nspare_users = 1");
    let mut venue = site.spawn(&[]);
    assert!(!venue.wait().success());
    assert!(
        venue.stderr().contains("no login has a `password_hash`"),
        "{}",
        venue.stderr()
    );
}
