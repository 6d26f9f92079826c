//! The desk beside a venue: started with it, somebody else, confined, started again when it dies,
//! holding what it held, and gone before the venue ends.
#![allow(clippy::unwrap_used)]

mod harness;

use appliance::topology::Topology;
use harness::{Member, Site, Venue, child_of, counter, process_status, program, wait_until};
use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::process::Command;

/// The user `daemon`.
const DAEMON: &str = "1";

/// Best prices of the market, and where the maker of `demo-maker.toml` offers between them.
const BID: u64 = 2_900_000;
const OFFER: u64 = 2_901_000;
const DESK_OFFER: u64 = 2_900_540;

const KEY: &str = "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f";

/// A strategy's file that comes with the program.
fn shipped(name: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("strategies");
    folder.join(name).with_extension("toml")
}

/// A venue whose user ALPHA is the desk. Each test of this process has its number.
fn site(number: u8, section: &str) -> Site {
    let [_, _, high, low] = std::process::id().to_be_bytes();
    let host = format!("127.{number}.{high}.{low}");
    let site = Site::new();
    let key = site.dir.path().join("alpha.key");
    fs::write(&key, KEY).unwrap();
    fs::set_permissions(&key, PermissionsExt::from_mode(0o600)).unwrap();
    let dir = site.dir.path().join("desk");
    let strategy = shipped("demo-maker");
    let desk =
        format!("[desk]\ndir = {dir:?}\nlogin = \"ALPHA\"\nstrategy = {strategy:?}\n{section}");
    let line_b = format!("group_b = \"{host}:26502\"\nhistory_mib");
    site.with("[\"AAPL\", \"MSFT\"]", "[\"DEMO1\", \"MSFT\"]")
        .with("history_mib", &line_b)
        .with("password = \"alpha\"", &format!("key_file = {key:?}"))
        .with("[tiles]", &format!("{desk}\n[tiles]"))
}

/// The watcher of a venue's desk, and the desk, confined.
fn processes(venue: &Venue) -> (String, String) {
    let mut found = None;
    wait_until("the desk", || {
        found = child_of(&venue.id().to_string())
            .and_then(|watcher| Some((watcher.clone(), child_of(&watcher)?)));
        let status = found.as_ref().and_then(|(_, desk)| process_status(desk));
        status.is_some_and(|status| status["Seccomp"] == "2")
    });
    found.unwrap()
}

/// Waits until the venue has as many orders on its books.
fn rest(site: &Site, orders: u64) {
    wait_until("the desk's quotes", || {
        counter(site, "engine.live_orders") == orders
    });
}

/// A market between two orders of BRAVO's.
fn open(venue: &Venue) -> Member {
    let mut bravo = Member::login(venue.order_entry(), "BRAVO");
    bravo.enter(b'B', 500, "DEMO1", BID);
    bravo.enter(b'S', 500, "DEMO1", OFFER);
    bravo.until("the market", |member| member.kinds().ends_with("AA"));
    bravo
}

/// Waits until the venue's log has all of these behind what it had.
fn says(venue: &Venue, seen: usize, words: &[&str]) {
    wait_until("the desk's words", || {
        let told = venue.stderr();
        words.iter().all(|it| told[seen..].contains(it))
    });
}

#[test]
fn a_desk_that_is_killed_comes_back_holding_what_it_held() {
    let site = site(21, "records = true");
    let venue = site.start();
    let mut bravo = open(&venue);
    let (watcher, desk) = processes(&venue);
    for process in [&watcher, &desk] {
        let status = process_status(process).unwrap();
        assert_eq!(status["CapEff"], "0000000000000000", "{status:#?}");
        if fs::metadata("/proc/self").unwrap().uid() == 0 {
            assert_eq!(status["Uid"], [DAEMON; 4].join("\t"), "{status:#?}");
            assert_eq!(status["Groups"], "", "{status:#?}");
        }
    }
    let words = fs::read(Path::new("/proc").join(&desk).join("cmdline")).unwrap();
    assert!(!String::from_utf8(words).unwrap().contains(KEY));
    rest(&site, 4);
    bravo.enter(b'B', 40, "DEMO1", DESK_OFFER);
    bravo.until("a trade", |member| member.kinds().ends_with("AE"));
    let seen = venue.stderr().len();
    let killed = Command::new("kill").args(["-9", &desk]).status();
    assert!(killed.unwrap().success());
    says(&venue, seen, &["the desk ended: signal: 9", "trading"]);
    // Nobody else is concerned.
    bravo.enter(b'B', 1, "MSFT", 100_000);
    bravo.until("an answer", |member| member.kinds().ends_with('A'));
    let again = processes(&venue).1;
    assert_ne!(desk, again);
    // The old quotes were taken off, and there are new ones.
    rest(&site, 5);
    let dir = site.dir.path().join("desk");
    let shown = program(&["top", "--data", dir.to_str().unwrap(), "--once"]);
    assert!(shown.out.contains("DEMO1"), "{shown:?}");
    venue.signal("TERM");
    says(
        &venue,
        seen,
        &[
            "holds -40, 1 fills",
            "1 fills of before are in the positions",
            "0 orders open",
            "the same when run again",
        ],
    );
    assert!(
        !venue.stderr()[seen..].contains("exit status"),
        "{}",
        venue.stderr()
    );
    let mut venue = venue;
    assert!(venue.wait().success(), "{}", venue.stderr());
    let summary = venue.line().unwrap();
    assert!(summary.contains("live_orders=3"), "{summary}");
    decides_again(&dir);
}

/// The second start's day, run again, is the same to the byte.
fn decides_again(dir: &Path) {
    let at = |name: &str| dir.join(name).to_str().unwrap().to_owned();
    let ended = program(&[
        "backtest",
        "--strategy",
        shipped("demo-maker").to_str().unwrap(),
        "--data",
        &at("session-2.txt"),
        "--decisions",
        &at("again.txt"),
    ]);
    ended.succeeds();
    let read = |name: &str| fs::read(dir.join(name)).unwrap();
    assert!(!read("decisions-2.txt").is_empty());
    assert!(
        read("decisions-2.txt") == read("again.txt"),
        "other decisions"
    );
}

#[test]
fn a_desk_goes_with_a_venue_that_is_killed_and_comes_with_the_next() {
    let site = site(22, "");
    let venue = site.start();
    let mut bravo = open(&venue);
    let (watcher, desk) = processes(&venue);
    rest(&site, 4);
    bravo.enter(b'B', 40, "DEMO1", DESK_OFFER);
    bravo.until("a trade", |member| member.kinds().ends_with("AE"));
    venue.kill();
    wait_until("its end", || {
        [&watcher, &desk]
            .iter()
            .all(|it| process_status(it).is_none())
    });
    let venue = site.start();
    processes(&venue);
    says(&venue, 0, &["trading"]);
    rest(&site, 4);
    venue.signal("TERM");
    says(&venue, 0, &["holds -40, 1 fills", "0 orders open"]);
    let mut venue = venue;
    assert!(venue.wait().success(), "{}", venue.stderr());
    assert!(venue.line().unwrap().contains("live_orders=2"));
}

#[test]
fn a_desk_that_cannot_be_is_refused_by_its_field() {
    let site = site(23, "");
    let read = |from: &str, to: &str| {
        assert!(site.topology.contains(from), "no {from:?}");
        let read = Topology::parse(&site.topology.replacen(from, to, 1));
        read.map_or_else(|error| error.to_string(), |_| String::new())
    };
    let dir = format!("dir = {:?}", site.dir.path().join("desk"));
    let inside = format!("dir = {:?}", site.data_dir().join("desk"));
    let cases = [
        (&*dir, &*inside, "desk.dir"),
        ("login = \"ALPHA\"", "login = \"OMEGA\"", "desk.login"),
        ("login = \"ALPHA\"", "login = \"BRAVO\"", "key_file"),
        ("[desk]\n", "[desk]\nline = \"c\"\n", "desk.line"),
        ("[desk]\n", "[desk]\ncores = [0, 1]\n", "desk.cores"),
        ("[desk]\n", "[desk]\nuser = \"root\"\n", "desk.user"),
        ("[desk]\n", "[desk]\ncolour = 1\n", "colour"),
        (
            "history_mib",
            "rerequest_allow = [\"10.0.0.0/8\"]\nhistory_mib",
            "feed.rerequest_allow",
        ),
        (
            "history_mib",
            "snapshot = \"127.0.0.1:0\"\nhistory_mib",
            "feed.snapshot",
        ),
        (
            "history_mib",
            "mode = \"native\"\ninterface = \"eth0\"\nhistory_mib",
            "feed.mode",
        ),
    ];
    assert_eq!(read("[desk]", "[desk]"), "");
    for (from, to, key) in cases {
        let told = read(from, to);
        assert!(told.contains(key), "{to:?}: {told:?}");
    }
}

#[test]
fn a_desk_whose_strategy_is_none_of_the_venues_is_refused_at_the_start() {
    let missing = site(24, "").with("demo-maker", "nothing");
    let foreign = site(25, "").with("demo-maker", "demo-triangular");
    let eth = site(26, "").with("demo-maker", "eth-maker");
    for (site, why) in [
        (missing, "No such file"),
        (foreign, "EURUSD is none of the topology's `symbols`"),
        (eth, "markets.ETHUSDT.tick"),
    ] {
        let mut venue = site.spawn(&[]);
        assert_eq!(venue.wait().code(), Some(1));
        let told = venue.stderr();
        assert!(
            told.contains("desk.strategy") && told.contains(why),
            "{told}"
        );
    }
}
