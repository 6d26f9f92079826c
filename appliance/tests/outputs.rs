//! What the venue tells beside replies and feed: the depth, and drop copies.
#![allow(clippy::unwrap_used)]

mod harness;

use appliance::client::depth::DepthSubscriber;
use harness::{Member, Site, Venue, counter, program, receiver_ports, wait_until};
use nic::{Clock, RealClock, RealUdp, UdpPort};
use session::feed::State;
use trading::Level;
use wire::drop_copy::Message;
use wire::ouch::Tag;
use wire::ring::Side;

const DROP_COPIES: &str = "\
[[drop_copies]]
name = \"RISK\"
password = \"risk\"
accounts = [2]
";

/// A venue that tells its depth, and who hears it.
struct Stage {
    site: Site,
    depth: DepthSubscriber<RealUdp>,
    clock: RealClock,
}

impl Stage {
    fn new() -> Self {
        let (feed, requests) = receiver_ports();
        let group = feed.local_addr();
        let site = Site::new()
            .with(
                "history_mib = 4",
                &format!("history_mib = 4\ndepth_group = \"{group}\"\ndepth_history_mib = 1"),
            )
            .with("[[users]]", &format!("{DROP_COPIES}\n[[users]]"));
        Self {
            site,
            depth: DepthSubscriber::new(feed, requests, None),
            clock: RealClock::new(),
        }
    }

    fn start(&mut self) -> Venue {
        let venue = self.site.start();
        self.depth
            .rerequest_at(venue.ready("rerequest").parse().unwrap());
        venue
    }

    /// Price, units and orders of the best levels to sell and to buy.
    fn levels(&self) -> [Vec<(i64, u64, usize)>; 2] {
        let of = |level: Level| (level.price, level.quantity, level.orders);
        let levels = self.depth.levels();
        [Side::Sell, Side::Buy].map(|side| levels.levels(1, side).map(of).collect())
    }

    fn until(&mut self, sells: &[(i64, u64, usize)], buys: &[(i64, u64, usize)]) {
        wait_until(&format!("sells {sells:?}, buys {buys:?}"), || {
            self.depth.poll(self.clock.now_ns());
            let [of_sells, of_buys] = self.levels();
            of_sells == sells && of_buys == buys
        });
        let first = |levels: &[(i64, u64, usize)]| {
            let best = levels.first().copied().unwrap_or_default();
            (best.0, best.1)
        };
        wait_until("the top", || {
            self.depth.poll(self.clock.now_ns());
            self.depth.levels().top(1) == [first(buys), first(sells)]
        });
        assert_eq!(self.depth.wrong(), 0);
    }
}

/// The letters of a drop copy's events and the units that they are about.
fn copied(member: &Member) -> String {
    let mut lines = Vec::new();
    for reply in &member.replies {
        if let Ok(Message::OrderEvent(it)) = Message::parse(reply) {
            assert_eq!((it.account(), &it.user()), (2, b"BRAVO "));
            lines.push(format!("{}{}", it.event() as char, it.quantity()));
        }
    }
    lines.join(" ")
}

#[test]
fn levels_and_copies_are_those_of_the_journal_through_a_crash() {
    let mut stage = Stage::new();
    let venue = stage.start();
    let mut seller = Member::login(venue.order_entry(), "ALPHA");
    let mut risk = Member::login(venue.order_entry(), "RISK");
    seller.enter_with(b'S', (300, "AAPL", 1_000_000), &[Tag::MaxFloor(100)]);
    seller.enter(b'S', 7, "AAPL", 1_000_100);
    stage.until(&[(1_000_000, 100, 1), (1_000_100, 7, 1)], &[]);
    let mut buyer = Member::login(venue.order_entry(), "BRAVO");
    buyer.enter(b'B', 150, "AAPL", 1_000_000);
    buyer.enter(b'B', 20, "AAPL", 900_000);
    let levels = [(1_000_000, 50, 1), (1_000_100, 7, 1)];
    stage.until(&levels, &[(900_000, 20, 1)]);
    risk.until_kinds("SDDDD");
    assert_eq!(copied(&risk), "A150 E100 E50 A20");
    seller.until_kinds("SAAERE");
    assert!(counter(&stage.site, "publish.depth_messages") > 0);
    venue.kill();

    // Who heard the first life and who comes now have the same, and go on alike.
    let venue = stage.start();
    let mut buyer = Member::login(venue.order_entry(), "BRAVO");
    buyer.until_kinds("SAEEA");
    let mut risk = Member::login(venue.order_entry(), "RISK");
    risk.until_kinds("SDDDD");
    assert_eq!(copied(&risk), "A150 E100 E50 A20");
    buyer.cancel(2);
    stage.until(&levels, &[]);
    risk.until_kinds("SDDDDD");
    assert_eq!(venue.stop()["live_orders"], "2");
    wait_until("the end of the depth", || {
        stage.depth.poll(stage.clock.now_ns());
        stage.depth.state() == State::Ended
    });
}

#[test]
fn a_drop_copy_cannot_trade() {
    let mut stage = Stage::new();
    let venue = stage.start();
    let mut risk = Member::login(venue.order_entry(), "RISK");
    risk.enter(b'B', 1, "AAPL", 1);
    risk.until_closed();
    assert_eq!(venue.stop()["live_orders"], "0");
}

#[test]
fn the_program_shows_a_book_made_of_levels() {
    let mut stage = Stage::new();
    let venue = stage.start();
    let mut seller = Member::login(venue.order_entry(), "ALPHA");
    seller.enter(b'S', 7, "AAPL", 1_000_100);
    seller.enter(b'S', 8, "AAPL", 1_000_100);
    stage.until(&[(1_000_100, 15, 2)], &[]);
    let group = venue.ready("depth").to_owned();
    let rerequest = venue.ready("rerequest").to_owned();
    // The stage's own port is the one that packets go to: the program takes it over.
    drop(stage.depth);
    let args = [
        "book",
        "--depth",
        "--feed",
        &group,
        "--rerequest",
        &rerequest,
    ];
    let shown = program(&[&args[..], &["--symbol", "AAPL", "--seconds", "2"]].concat());
    shown.succeeds();
    assert!(
        shown.out.contains("100.0100     15        2"),
        "{}",
        shown.out
    );
    venue.stop();
}
