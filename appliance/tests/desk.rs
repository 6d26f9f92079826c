//! `wirecross desk` on a venue of its own: it trades by the feed, leaves nothing behind, comes
//! through a crash of the venue, and decides the same when its day is run again.
#![allow(clippy::unwrap_used)]

mod harness;

use harness::{Ended, Member, Program, Site, Venue, counter, program, wait_until};
use std::path::Path;
use std::process::Command;
use wire::ouch::Tag;

/// Best prices of the market, and where the maker of `demo-maker.toml` quotes between them.
const BID: u64 = 2_900_000;
const OFFER: u64 = 2_901_000;
const DESK_BID: u64 = 2_900_460;
const DESK_OFFER: u64 = 2_900_540;

/// A venue on an address of its own, so that it comes back where it was.
struct Place {
    site: Site,
    host: String,
    /// The strategy's file.
    strategy: String,
}

impl Place {
    /// Each test of this process has its number.
    fn new(number: u8) -> Self {
        Self::of(number, "demo-maker", &["DEMO1", "MSFT"])
    }

    /// A desk of this strategy on a venue with these symbols.
    fn of(number: u8, strategy: &str, symbols: &[&str]) -> Self {
        let [_, _, high, low] = std::process::id().to_be_bytes();
        let host = format!("127.{number}.{high}.{low}");
        let address = |port: u16| format!("address = \"{host}:{port}\"");
        let lines = format!("group_b = \"{host}:26502\"\nsnapshot = \"{host}:26504\"\nhistory_mib");
        let rerequest = format!("rerequest = \"{host}:26503\"");
        let site = Site::new()
            .with(
                "symbols = [\"AAPL\", \"MSFT\"]",
                &format!("symbols = {symbols:?}"),
            )
            .with("address = \"127.0.0.1:0\"", &address(26_501))
            .with("rerequest = \"127.0.0.1:0\"", &rerequest)
            .with("history_mib", &lines);
        let strategy = shipped(strategy);
        Self {
            site,
            host,
            strategy,
        }
    }

    fn at(&self, name: &str) -> String {
        self.site.dir.path().join(name).to_str().unwrap().to_owned()
    }

    /// A market between two orders of BRAVO's.
    fn open(&self) -> (Venue, Member) {
        let venue = self.site.start();
        let mut bravo = Member::login(venue.order_entry(), "BRAVO");
        bravo.enter(b'B', 500, "DEMO1", BID);
        bravo.enter(b'S', 500, "DEMO1", OFFER);
        bravo.until("the market", |member| member.kinds().ends_with("AA"));
        (venue, bravo)
    }

    /// A desk on the second line.
    fn desk(&self) -> Program {
        let (host, strategy) = (&self.host, &self.strategy);
        let address = |port: u16| format!("{host}:{port}");
        let (session, decisions) = (self.at("day"), self.at("live"));
        Program::start(&[
            "desk",
            "--strategy",
            strategy,
            "--login",
            "ALPHA:alpha",
            "--connect",
            &address(26_501),
            "--a",
            &address(26_502),
            "--rerequest",
            &address(26_503),
            "--snapshot",
            &address(26_504),
            // However long the machine takes.
            "--away-max",
            "3600",
            "--session",
            &session,
            "--decisions",
            &decisions,
            "--numbers",
            &self.at("numbers"),
            "--data",
            &self.at("board"),
        ])
    }

    /// Waits until the venue has as many orders on its books.
    fn rest(&self, orders: u64) {
        let count = || counter(&self.site, "engine.live_orders");
        wait_until("the desk's quotes", || count() == orders);
    }

    /// Runs the desk's day again, which must decide the same to the byte; how it ended.
    fn again(&self) -> Ended {
        let (session, decisions) = (self.at("day"), self.at("again"));
        let args = [
            "backtest",
            "--strategy",
            &self.strategy,
            "--data",
            &session,
            "--decisions",
            &decisions,
        ];
        let ended = program(&args);
        ended.succeeds();
        let read = |name| std::fs::read(self.at(name)).unwrap();
        assert!(read("live") == read("again"), "other decisions");
        assert!(!read("live").is_empty());
        ended
    }
}

/// A strategy's file that comes with the program.
fn shipped(name: &str) -> String {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("strategies");
    let file = folder.join(name).with_extension("toml");
    file.to_str().unwrap().to_owned()
}

/// Ends a desk as an operator does.
fn stop(desk: Program) -> Ended {
    let pid = desk.id().to_string();
    let sent = Command::new("kill").args(["-s", "INT", &pid]).status();
    assert!(sent.unwrap().success());
    desk.wait()
}

#[test]
fn a_maker_trades_leaves_nothing_behind_and_decides_the_same_again() {
    let place = Place::new(1);
    let (venue, mut bravo) = place.open();
    let mut alpha = Member::login(venue.order_entry(), "ALPHA");
    alpha.enter(b'B', 7, "DEMO1", BID - 100);
    alpha.until("an order of before", |member| member.kinds().ends_with('A'));
    drop(alpha);
    let desk = place.desk();
    // What ALPHA left is gone before the desk quotes.
    place.rest(4);
    bravo.enter(b'B', 40, "DEMO1", DESK_OFFER);
    bravo.until("a trade", |member| member.kinds().ends_with("AE"));
    let ended = stop(desk);
    ended.succeeds();
    ended.says(&[
        "sell DEMO1 40 at 290.0540 maker",
        "holds -40, 1 fills, 1 of them as the maker",
        "0 orders open",
        "1 of before taken off",
        "the same when run again",
        "ended: it was told to end",
    ]);
    assert_eq!(venue.stop()["live_orders"], "2");
    let first = place.again();
    assert_eq!(first.out, place.again().out);
    first.says(&["holds -40"]);
    let numbers = std::fs::read_to_string(place.at("numbers")).unwrap();
    let bids = format!(",{BID},500,{OFFER},500,");
    assert!(numbers.lines().nth(1).unwrap().contains(&bids), "{numbers}");
    let shown = program(&["top", "--data", &place.at("board"), "--once"]);
    shown.succeeds();
    assert!(shown.out.contains("DEMO1"), "{shown:?}");
}

#[test]
fn a_desk_comes_through_a_crash_of_its_venue() {
    let place = Place::new(2);
    let (venue, mut bravo) = place.open();
    let desk = place.desk();
    place.rest(4);
    bravo.enter(b'S', 30, "DEMO1", DESK_BID);
    bravo.until("a trade", |member| member.kinds().ends_with("AE"));
    venue.kill();
    let venue = place.site.start();
    bravo.redial(venue.order_entry(), [usize::MAX; 2]);
    // More bids: what it is worth goes up by a quarter of the spread, and the desk's bid with it.
    bravo.enter(b'B', 1_000, "DEMO1", BID);
    let trades = bravo.kinds().matches('E').count();
    let units = (20, "DEMO1", DESK_BID + 200);
    while bravo.kinds().matches('E').count() == trades {
        let replies = bravo.replies.len();
        bravo.enter_with(b'S', units, &[Tag::MinQuantity(20)]);
        bravo.until("an answer", |member| member.replies.len() >= replies + 2);
    }
    let ended = stop(desk);
    ended.succeeds();
    ended.says(&[
        "holds 50, 2 fills",
        "0 orders open",
        "came back 1 times",
        "the same when run again",
    ]);
    assert_eq!(venue.stop()["live_orders"], "3");
    place.again();
}

#[test]
fn a_desk_started_anew_holds_what_the_one_before_traded() {
    let place = Place::new(4);
    let (venue, mut bravo) = place.open();
    let desk = place.desk();
    place.rest(4);
    bravo.enter(b'B', 40, "DEMO1", DESK_OFFER);
    bravo.until("a trade", |member| member.kinds().ends_with("AE"));
    let ended = stop(desk);
    ended.succeeds();
    ended.says(&["holds -40, 1 fills"]);
    let profit = |ended: &Ended| {
        // How often the maker moved its quotes before is the machine's to say.
        let line = ended.out.lines().find(|line| line.starts_with("profit "));
        let profit = line.and_then(|line| line.split(',').next());
        profit.unwrap_or_default().to_owned()
    };
    // The market is where it was: what was gained by the trade is there at once.
    let desk = place.desk();
    place.rest(4);
    let again = stop(desk);
    again.succeeds();
    again.says(&[
        "sell DEMO1 40 at 290.0540 maker",
        "holds -40, 1 fills, 1 of them as the maker",
        "1 fills of before are in the positions",
        "0 orders open",
        "the same when run again",
    ]);
    assert!(
        !profit(&ended).is_empty() && profit(&ended) == profit(&again),
        "{ended:?} {again:?}"
    );
    place.again();
    venue.stop();
}

#[test]
fn a_trade_that_the_venue_takes_back_is_not_held() {
    let place = Place::new(7);
    let (venue, mut bravo) = place.open();
    let desk = place.desk();
    place.rest(4);
    for (units, kinds) in [(40, "AE"), (10, "AEAE")] {
        bravo.enter(b'B', units, "DEMO1", DESK_OFFER);
        bravo.until("a trade", |member| member.kinds().ends_with(kinds));
    }
    let topology = place.at("topology.toml");
    let bust = ["bust", "DEMO1", "1", "erroneous"];
    let act = [
        "admin",
        "act",
        "--topology",
        &topology,
        "--why",
        "a wrong price",
    ];
    program(&[&act[..], &bust[..]].concat()).succeeds();
    bravo.until("the bust", |member| member.kinds().ends_with('B'));
    // Its cancels are answered behind what it was told of the bust.
    let ended = stop(desk);
    ended.succeeds();
    let held = "holds -10, 1 fills, 1 of them as the maker";
    let broken = "1 trades taken back by the venue";
    ended.says(&[held, broken, "the same when run again"]);
    assert!(!ended.out.contains("sell DEMO1 40"), "{ended:?}");
    place.again().says(&[held]);
    // The day is told from its beginning to whoever comes later.
    let desk = place.desk();
    place.rest(4);
    let again = stop(desk);
    again.succeeds();
    again.says(&[held, "2 fills of before are in the positions", broken]);
    place.again().says(&[held]);
    venue.stop();
}

/// Orders of BRAVO's that rest.
fn rest(bravo: &mut Member, orders: &[(u8, u32, &str, u64)]) {
    for &(side, units, symbol, price) in orders {
        let replies = bravo.replies.len();
        bravo.enter(side, units, symbol, price);
        bravo.until("an answer", |member| member.replies.len() > replies);
    }
    assert!(bravo.kinds().ends_with(&"A".repeat(orders.len())));
}

#[test]
fn a_way_around_three_currencies_is_traded_at_once() {
    let symbols = ["EURUSD", "EURGBP", "GBPUSD"];
    let place = Place::of(5, "demo-triangular", &symbols);
    let venue = place.site.start();
    let mut bravo = Member::login(venue.order_entry(), "BRAVO");
    // A euro costs 1.0882 dollars, and is worth 0.8510 pounds of 1.2800 dollars, which is 1.0893.
    let orders = [
        (b'B', 100_000, symbols[0], 10_880),
        (b'S', 100_000, symbols[0], 10_882),
        (b'B', 10_000, symbols[1], 8_510),
        (b'S', 100_000, symbols[1], 8_520),
        (b'B', 100_000, symbols[2], 12_800),
        (b'S', 100_000, symbols[2], 12_802),
    ];
    rest(&mut bravo, &orders);
    let desk = place.desk();
    let trades = |member: &Member| member.kinds().matches('E').count();
    bravo.until("three trades", |member| trades(member) == 3);
    let ended = stop(desk);
    ended.succeeds();
    ended.says(&[
        "buy EURUSD 10000 at 1.0882 taker",
        "sell EURGBP 10000 at 0.8510 taker",
        // A whole number of pounds behind the fee.
        "sell GBPUSD 8509 at 1.2800 taker",
        "0 orders open",
        "the same when run again",
    ]);
    assert!(!ended.out.contains("profit -"), "{ended:?}");
    place.again();
    venue.stop();
}

#[test]
fn a_pair_that_parts_is_traded_until_it_meets_again() {
    let place = Place::of(6, "demo-pairs", &["DEMO1", "DEMO2"]);
    let venue = place.site.start();
    let mut bravo = Member::login(venue.order_entry(), "BRAVO");
    let market = ["DEMO1", "DEMO2"].map(|symbol| {
        [
            (b'B', 50_000, symbol, 1_000_000),
            (b'S', 50_000, symbol, 1_020_000),
        ]
    });
    rest(&mut bravo, market.as_flattened());
    let desk = place.desk();
    let trades = |member: &Member| member.kinds().matches('E').count();
    // A better bid for the first one, again behind many samples if the desk had too few before it.
    for step in 0..360 {
        if step % 20 == 0 && trades(&bravo) == 0 {
            bravo.enter(b'B', 50_000, "DEMO1", 1_001_000 + 50 * step);
        }
        std::thread::sleep(std::time::Duration::from_millis(50));
        // What came meanwhile is read with the answer.
        let replies = bravo.replies.len();
        bravo.enter(b'B', 1, "DEMO2", 1);
        bravo.until("an answer", |member| member.replies.len() > replies);
        if trades(&bravo) >= 4 {
            break;
        }
    }
    let ended = stop(desk);
    ended.succeeds();
    ended.says(&[
        "sell DEMO1 10 at",
        "buy DEMO2 10 at 102.0000 taker",
        "buy DEMO1 10 at 102.0000 taker",
        "sell DEMO2 10 at 100.0000 taker",
        "0 orders open",
        "the same when run again",
    ]);
    place.again();
    venue.stop();
}

#[test]
fn a_desk_that_is_not_let_in_says_why() {
    let place = Place::new(3);
    let strategy = shipped("demo-maker");
    let (to, line) = (
        format!("{}:26501", place.host),
        format!("{}:26502", place.host),
    );
    let venue = place.site.start();
    let desk = |login: &str, strategy: &str| {
        program(&[
            "desk",
            "--strategy",
            strategy,
            "--connect",
            &to,
            "--login",
            login,
            "--a",
            &line,
        ])
    };
    desk("ALPHA:wrong", &strategy).refuses(2, &["login of ALPHA rejected (A)"]);
    let other = place.at("cents.toml");
    let text = std::fs::read_to_string(&strategy).unwrap();
    std::fs::write(&other, text.replacen("0.0001", "0.01", 1)).unwrap();
    desk("ALPHA:alpha", &other).refuses(2, &["markets.DEMO1.tick", "0.0001"]);
    venue.stop();
}
