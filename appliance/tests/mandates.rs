//! A user with several accounts, over the wire: its orders name one, an operator gives and takes,
//! and all of that outlives the venue.
#![allow(clippy::unwrap_used)]

mod harness;

use appliance::topology::{Role, Topology};
use harness::{Ended, Member, Site, Venue, counter, program, wait_until};
use serde_json::{Value, json};
use wire::ouch::Tag;

/// ALPHA trades for account 1 and may cancel for account 7; BRAVO has account 2.
const ACCOUNTS: &str = "accounts = [{ account = 1 }, { account = 7, role = \"trader\" }, \
                        { account = 8, role = \"risk\" }]";

const MORE: &str = "
[[drop_copies]]
name = \"WATCH\"
password = \"watch\"
accounts = [7]

[risk.7]
position_units = 50

[shadow]
snapshot_inputs = 20
snapshot_s = 86400
";

fn site() -> Site {
    let site = Site::new().with("account = 1", ACCOUNTS);
    let mut site = site.with("sessions = 4", "sessions = 8");
    site.topology += MORE;
    site
}

fn act(site: &Site, words: &str) -> Ended {
    let topology = site.dir.path().join("topology.toml");
    let topology = topology.to_str().unwrap();
    let head = ["admin", "act", "--topology", topology, "--why", "a test"];
    program(&head.into_iter().chain(words.split(' ')).collect::<Vec<_>>())
}

fn says(site: &Site, words: &str, told: &str) {
    let ended = act(site, words);
    ended.succeeds();
    assert_eq!(ended.out.trim_end(), told);
}

fn login(venue: &Venue, user: &str) -> Member {
    Member::login(venue.order_entry(), user)
}

fn enter(member: &mut Member, side: u8, quantity: u32, account: u32) -> u32 {
    member.enter_with(
        side,
        (quantity, "AAPL", 1_000_000),
        &[Tag::Account(account)],
    )
}

fn standing(site: &Site) -> Value {
    let topology = site.dir.path().join("topology.toml");
    let ended = program(&[
        "admin",
        "show",
        "--json",
        "--topology",
        topology.to_str().unwrap(),
    ]);
    ended.succeeds();
    serde_json::from_str(&ended.out).unwrap()
}

/// Waits until the list of sessions has a line: counters are told of a login a little later.
fn until_listed(site: &Site, line: &str) {
    let topology = site.dir.path().join("topology.toml");
    let asked = [
        "admin",
        "sessions",
        "--topology",
        topology.to_str().unwrap(),
    ];
    wait_until(line, || {
        let ended = program(&asked);
        ended.succeeds();
        ended.out.contains(line)
    });
}

#[test]
fn limits_positions_and_copies_are_those_of_the_account_that_an_order_names() {
    let site = site();
    let venue = site.start();
    let (mut alpha, mut bravo) = (login(&venue, "ALPHA"), login(&venue, "BRAVO"));
    bravo.enter(b'S', 60, "AAPL", 1_000_000);
    bravo.until_kinds("SA");
    enter(&mut alpha, b'B', 51, 7);
    enter(&mut alpha, b'B', 20, 7);
    alpha.enter(b'B', 10, "AAPL", 1_000_000);
    alpha.until_kinds("SJAEAE");
    enter(&mut alpha, b'B', 5, 8);
    alpha.until_kinds("SJAEAEJ");
    assert_eq!(alpha.reject_code(), Some(0x802E));
    enter(&mut alpha, b'B', 5, 2);
    alpha.until_kinds("SJAEAEJJ");
    assert_eq!(alpha.reject_code(), Some(0x802D));
    wait_until("the counters", || {
        let both = ["gate.not_permitted", "gate.wrong_account"];
        both.map(|name| counter(&site, name)) == [1, 1]
    });
    let mut watch = login(&venue, "WATCH");
    watch.until("the copies of account 7", |watch| watch.replies.len() == 4);
    let told = standing(&site);
    let positions = |place: usize| told["accounts"][place]["positions"].clone();
    assert_eq!(
        [0, 1, 2].map(positions),
        [
            json!({ "AAPL": 10 }),
            json!({ "AAPL": -30 }),
            json!({ "AAPL": 20 }),
        ]
    );
    let of = |account: u32, role: &str| json!({ "account": account, "role": role });
    let accounts = json!([of(1, "trader"), of(7, "trader"), of(8, "risk")]);
    assert_eq!(told["users"][0]["accounts"], accounts);
    // A trade of the second account is taken back from that one.
    says(
        &site,
        "bust AAPL 1 erroneous",
        "AAPL: match 1 of 20 units at 100.0000 is broken",
    );
    assert_eq!(standing(&site)["accounts"][2]["positions"], json!({}));
    alpha.until_kinds("SJAEAEJJB");
    let day = site.data_dir().join(venue.ready("session"));
    let shown = program(&["journal", "show", "--account", "7", day.to_str().unwrap()]);
    shown.succeeds();
    let orders = shown.out.lines().filter(|line| line.contains("kind=New"));
    assert_eq!(orders.count(), 2, "{}", shown.out);
    venue.stop();
}

#[test]
fn a_members_mass_cancel_is_of_one_account_and_done_once_whatever_dies() {
    let site = site();
    let venue = site.start();
    let mut alpha = login(&venue, "ALPHA");
    for account in [1, 7, 1, 7] {
        enter(&mut alpha, b'B', 5, account);
    }
    alpha.mass_cancel(7);
    alpha.until_kinds("SAAAACCX");
    let told = alpha.replies.clone();
    venue.kill();

    let venue = site.start();
    let mut alpha = login(&venue, "ALPHA");
    alpha.until("the day's replies", |alpha| {
        alpha.replies.len() == told.len()
    });
    assert_eq!(alpha.replies, told);
    enter(&mut alpha, b'B', 5, 7);
    alpha.user_ref_next_set(5);
    alpha.mass_cancel(1);
    alpha.until_kinds("SAAAACCXJJ");
    assert_eq!(alpha.reject_code(), Some(0x8008));
    alpha.user_ref_next_set(6);
    alpha.mass_cancel(1);
    alpha.until_kinds("SAAAACCXJJCCX");
    venue.stop();
}

#[test]
fn an_operator_gives_and_takes_and_that_outlives_the_venue() {
    let site = site();
    let venue = site.start();
    let mut bravo = login(&venue, "BRAVO");
    enter(&mut bravo, b'S', 5, 9);
    bravo.until_kinds("SJ");
    says(&site, "grant BRAVO 9 trader", "trader of account 9");
    until_listed(&site, "2 BRAVO: connected; 2 trader, 9 trader\n");
    for _ in 0..30 {
        enter(&mut bravo, b'S', 5, 9);
    }
    bravo.until("the orders", |bravo| bravo.replies.len() == 32);
    act(&site, "grant BRAVO 9 king").refuses(2, &["say one of trader, risk, read-only"]);
    act(&site, "revoke BRAVO 7").refuses(2, &["the user does not have this account"]);
    wait_until("a snapshot", || {
        counter(&site, "shadow.snapshot_inputs") >= 20
    });
    venue.kill();

    let venue = site.start();
    let mut bravo = login(&venue, "BRAVO");
    bravo.until("the orders", |bravo| bravo.replies.len() == 32);
    bravo.user_ref_next_set(32);
    enter(&mut bravo, b'S', 5, 9);
    bravo.until("another one", |bravo| bravo.replies.len() == 33);
    assert_eq!(bravo.kinds().chars().last(), Some('A'));
    says(&site, "revoke BRAVO 9", "read-only of account 9");
    until_listed(&site, "1 ALPHA: away; 1 trader, 7 trader, 8 risk\n");
    until_listed(&site, "2 BRAVO: connected; 2 trader, 9 read-only\n");
    enter(&mut bravo, b'S', 5, 9);
    bravo.cancel(2);
    bravo.until("two answers", |bravo| bravo.replies.len() == 34);
    assert_eq!(bravo.reject_code(), Some(0x802E));
    venue.kill();

    let venue = site.start();
    let mut bravo = login(&venue, "BRAVO");
    bravo.until("the replies", |bravo| bravo.replies.len() == 34);
    // Under the number that was refused it would be the same order again.
    bravo.user_ref_next_set(34);
    enter(&mut bravo, b'S', 5, 9);
    bravo.until("a refusal", |bravo| bravo.replies.len() == 35);
    assert_eq!(bravo.reject_code(), Some(0x802E));
    // What rests there leaves by an operator's word.
    says(
        &site,
        "mass-cancel user BRAVO account 9",
        "31 orders cancelled",
    );
    says(&site, "grant BRAVO 9 trader", "trader of account 9");
    enter(&mut bravo, b'S', 5, 9);
    bravo.until("all", |bravo| bravo.replies.len() == 67);
    assert_eq!(bravo.kinds().chars().last(), Some('A'));
    venue.stop();
}

#[test]
fn accounts_that_make_no_sense_are_named() {
    const GOOD: &str = include_str!("../topologies/dev-2core.toml");
    let many: String = (2..36)
        .map(|one| format!("{{ account = {one} }}, "))
        .collect();
    let many = format!("accounts = [{many}]");
    for (accounts, pieces) in [
        (
            "accounts = [{ account = 2, role = \"x\" }]",
            ["`users[1].accounts[0].role`", "trader, risk, read-only"],
        ),
        (
            "accounts = [{ account = 2 }, { account = 2 }]",
            ["`users[1].accounts[1].account`", "twice"],
        ),
        (
            "account = 2\naccounts = [{ account = 3 }]",
            ["`users[1].account`", "`accounts`"],
        ),
        ("", ["`users[1].account`", "missing"]),
        (&many, ["`users[1].accounts`", "33"]),
    ] {
        let text = GOOD
            .replace("account = 2", accounts)
            .replace("sessions = 16", "sessions = 64");
        let error = Topology::parse(&text).unwrap_err().to_string();
        let is_told = pieces.iter().all(|piece| error.contains(piece));
        assert!(is_told, "{accounts}: {error}");
    }
    let two = GOOD.replace(
        "account = 2",
        "accounts = [{ account = 2 }, { account = 1 }]",
    );
    let few = two.replace("sessions = 16", "sessions = 2");
    let error = Topology::parse(&few).unwrap_err().to_string();
    assert!(error.contains("limits.sessions"), "{error}");
    let topology = Topology::parse(&two).unwrap();
    let roles: Vec<(u32, Role)> = topology.users[1]
        .mandates
        .iter()
        .map(|one| (one.account, one.role))
        .collect();
    assert_eq!(roles, [(1, Role::Trader)]);
}
