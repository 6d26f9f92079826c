//! A market's day wire to wire: a call, its uncross, orders of every kind, a halt and its end, all
//! through a crash; what members, operator and feed are told fits together to the last unit.
#![allow(clippy::unwrap_used)]

mod harness;

use appliance::client::subscriber::Subscriber;
use appliance::demo::judge;
use appliance::topology::Topology;
use harness::{Ended, Member, Site, Venue, counter, program, receiver_ports, wait_until};
use nic::{Clock, RealClock, RealUdp, UdpPort};
use std::path::PathBuf;
use wire::ouch::{Outbound, Tag};
use wire::ring::PRICE_MARKET;

const OPENING: &str = "[opening]\nAAPL = { state = \"pre-open\", reference = 1000000 }\n\n[limits]";

/// The price that asks for any price.
const ANY: u64 = PRICE_MARKET.unsigned_abs();

/// A venue whose day begins with a call, and everybody around it.
struct Market {
    site: Site,
    feed: Subscriber<RealUdp>,
    clock: RealClock,
    /// What each member must have heard so far, by the letters.
    heard: [String; 2],
}

impl Market {
    fn new() -> Self {
        let (feed, requests) = receiver_ports();
        let site = Site::new();
        let nobody = site.feed.local_addr().unwrap().to_string();
        let group = feed.local_addr().to_string();
        Self {
            site: site.with(&nobody, &group).with("[limits]", OPENING),
            feed: Subscriber::new(feed, requests, None),
            clock: RealClock::new(),
            heard: Default::default(),
        }
    }

    fn start(&mut self) -> Venue {
        let venue = self.site.start();
        self.feed
            .rerequest_at(venue.ready("rerequest").parse().unwrap());
        venue
    }

    fn topology(&self) -> PathBuf {
        self.site.dir.path().join("topology.toml")
    }

    /// Says a word and expects the answer.
    fn control(&self, words: &str, answer: &str) {
        let topology = self.topology();
        let head = ["control", "--topology", topology.to_str().unwrap()];
        let args: Vec<&str> = head.into_iter().chain(words.split(' ')).collect();
        let ended: Ended = program(&args);
        ended.succeeds();
        assert_eq!(ended.out.trim_end(), answer);
    }

    /// Waits until a member heard these letters more, and no others.
    fn hears(&mut self, who: usize, member: &mut Member, more: &str) {
        self.heard[who] += more;
        member.until_kinds(&self.heard[who]);
    }

    /// Waits until the feed told all that the venue says it told.
    fn listen(&mut self) {
        let Self {
            site, feed, clock, ..
        } = self;
        wait_until("the feed", || {
            feed.poll(clock.now_ns(), &mut |_, _, _| ());
            feed.sequence_next() - 1 == counter(site, "publish.messages")
        });
    }
}

/// Units and price of every execution that a member heard of, with its liquidity letter.
fn executed(member: &Member) -> Vec<(u32, u64, char)> {
    let of = |reply: &Vec<u8>| match Outbound::parse(reply).unwrap() {
        Outbound::Executed(it) => Some((it.quantity(), it.price(), it.liquidity() as char)),
        _ => None,
    };
    member.replies.iter().filter_map(of).collect()
}

/// A call with orders at limits and at any price, in the midst of which the power fails.
fn call(market: &mut Market) -> (Venue, Member, Member) {
    let venue = market.start();
    let mut alpha = Member::login(venue.order_entry(), "ALPHA");
    let mut bravo = Member::login(venue.order_entry(), "BRAVO");
    alpha.enter(b'S', 100, "AAPL", 1_000_000);
    market.hears(0, &mut alpha, "SA");
    bravo.enter(b'B', 120, "AAPL", 1_001_000);
    bravo.enter(b'B', 30, "AAPL", ANY);
    market.hears(1, &mut bravo, "SAA");
    let opening = "AAPL: pre-open -> opening-auction, reference price 100.0000";
    market.control("state AAPL opening-auction", opening);
    let indication = "AAPL: would cross 100 units at 100.1000, 50 to buy left over";
    market.control("indicate AAPL", indication);
    market.listen();
    assert!(market.feed.books().book(1).unwrap().is_crossed());
    venue.kill();

    let venue = market.start();
    let mut alpha = Member::login(venue.order_entry(), "ALPHA");
    let mut bravo = Member::login(venue.order_entry(), "BRAVO");
    market.hears(0, &mut alpha, "");
    market.hears(1, &mut bravo, "");
    alpha.user_ref_next_set(2);
    bravo.user_ref_next_set(3);
    alpha.enter(b'S', 20, "AAPL", 1_000_500);
    market.hears(0, &mut alpha, "A");
    market.control(
        "state AAPL continuous",
        "AAPL: crossed 120 units at 100.1000, 30 to buy left over\n\
         AAPL: opening-auction -> continuous, reference price 100.1000",
    );
    market.hears(0, &mut alpha, "EEE");
    market.hears(1, &mut bravo, "EEE");
    let trades = [30, 70, 20].map(|units| (units, 1_001_000, 'O'));
    assert_eq!(executed(&alpha), trades);
    assert_eq!(executed(&bravo), trades);
    (venue, alpha, bravo)
}

/// An iceberg, a stop and a peg meet in continuous trading.
fn continuous(market: &mut Market, alpha: &mut Member, bravo: &mut Member) {
    alpha.enter_with(b'S', (300, "AAPL", 1_002_000), &[Tag::MaxFloor(100)]);
    market.hears(0, alpha, "A");
    bravo.enter_with(b'B', (40, "AAPL", ANY), &[Tag::PriceType(b'R')]);
    bravo.enter_with(b'B', (60, "AAPL", ANY), &[Tag::TriggerPrice(1_002_000)]);
    market.hears(1, bravo, "AA");
    // The iceberg's second tip is met twice: by the order, and by the stop that its trade touches.
    bravo.enter(b'B', 150, "AAPL", 1_002_000);
    market.hears(1, bravo, "AEETEE");
    market.hears(0, alpha, "EREERE");
    let trades = [100, 50, 50, 10].map(|units| (units, 1_002_000, 'R'));
    assert_eq!(executed(bravo)[3..], trades);
    // A better order on its own side takes the peg along.
    bravo.enter(b'B', 10, "AAPL", 1_001_500);
    market.hears(1, bravo, "AT");
    let Ok(Outbound::PriorityUpdate(peg)) = Outbound::parse(bravo.replies.last().unwrap()) else {
        panic!("no priority update");
    };
    assert_eq!((peg.user_ref(), peg.price()), (3, 1_001_500));
}

/// An operator halts the symbol and lets it trade again through a call.
fn halt(market: &mut Market, alpha: &mut Member, bravo: &mut Member) {
    let halted = "AAPL: continuous -> halt, reference price 100.1000";
    market.control("state AAPL halt", halted);
    alpha.enter(b'S', 10, "AAPL", 1_001_500);
    market.hears(0, alpha, "J");
    assert_eq!(alpha.reject_code(), Some(0x8000 + 22));
    let reopening = "AAPL: halt -> reopening, reference price 100.1000";
    market.control("state AAPL reopening", reopening);
    alpha.enter(b'S', 25, "AAPL", 1_001_000);
    market.hears(0, alpha, "A");
    market.control(
        "state AAPL continuous",
        "AAPL: crossed 25 units at 100.1500, 25 to buy left over\n\
         AAPL: reopening -> continuous, reference price 100.1500",
    );
    market.hears(0, alpha, "EE");
    // The peg's rest goes back to the best price that is shown.
    market.hears(1, bravo, "EET");
    let trades = [10, 15].map(|units| (units, 1_001_500, 'H'));
    assert_eq!(executed(bravo)[7..], trades);
}

#[test]
fn a_day_of_calls_special_orders_and_a_halt_adds_up_through_a_crash() {
    let mut market = Market::new();
    let (venue, mut alpha, mut bravo) = call(&mut market);
    continuous(&mut market, &mut alpha, &mut bravo);
    halt(&mut market, &mut alpha, &mut bravo);
    market.listen();
    let units = |member: &Member| executed(member).iter().map(|it| it.0).sum::<u32>();
    assert_eq!((units(&alpha), units(&bravo)), (355, 355));
    let summary = venue.stop();
    // The iceberg's rest, the opening bid's, and the peg's.
    assert_eq!(summary["live_orders"], "3");
    let shown = |side| {
        let book = market.feed.books().book(1).unwrap();
        let of = |order: trading::RestingOrder| (order.price, order.quantity);
        book.orders(side).map(of).collect::<Vec<_>>()
    };
    assert_eq!(shown(wire::ring::Side::Sell), [(1_002_000, 90)]);
    assert_eq!(shown(wire::ring::Side::Buy), [(1_001_000, 30)]);
    let topology = Topology::load(&market.topology()).unwrap();
    let state_hash = u64::from_str_radix(&summary["state_hash"], 16).unwrap();
    let judged = judge(&topology, market.feed.books(), state_hash).unwrap();
    assert_eq!(judged.differences, [""; 0]);
    assert_eq!(judged.orders, 3);
}
