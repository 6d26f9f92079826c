//! Whole runs: one clock, profits by hand, the shipped strategies on made-up markets, and the same
//! bytes from the same day.

use analytics::bars::Rule;
use trading::backtest::{Backtest, Latency, Models, Watcher};
use trading::desk::{
    Decision, Desk, DeskPlan, Fill, Heard as Answered, Line, Listing, Listings, OrderId, SeatPlan,
    Strategy,
};
use trading::strategies::{
    Maker, MakerRule, Pairs, PairsLeg, PairsPlan, Triangular, TriangularRule,
};
use trading::{Event, What};
use wire::ring::Side::{self, Buy, Sell};

use crate::kit::{Heard, Rig, breaker, limits, listing, money, once, order};

const AT_ONCE: Models = Models {
    market: Latency::Constant(0),
    order: Latency::Constant(0),
    answer: Latency::Constant(0),
    seed: 1,
};

/// Keeps lines and fills.
#[derive(Default)]
struct Log {
    lines: Vec<String>,
    fills: Vec<Fill>,
    answered_ns: Vec<u64>,
}

impl Watcher for Log {
    fn decided(&mut self, desk: &Desk, decision: &Decision) {
        let markets: Vec<_> = desk.listings().iter().map(|it| it.base.clone()).collect();
        let line = Line {
            decision,
            strategies: desk.names(),
            markets: &markets,
        };
        self.lines.push(line.to_string());
    }

    fn heard(&mut self, _: &Desk, heard: &Answered) {
        self.fills.extend(heard.fill);
        self.answered_ns.extend(heard.answered_ns);
    }
}

fn run(desk: Desk, models: Models, events: &[Event]) -> (Desk, Log) {
    let mut log = Log::default();
    let events = events.iter().map(|event| Ok::<_, ()>(*event));
    let desk = Backtest::new(desk, models).run(events, &mut log).unwrap();
    (desk, log)
}

fn desk(listings: Vec<Listing>, strategy: impl FnOnce(&Listings) -> Box<dyn Strategy>) -> Desk {
    let listings = Listings::new(listings, "USD").unwrap();
    let strategy = strategy(&listings);
    Desk::new(DeskPlan {
        listings,
        limits: limits(),
        bars: Rule::default(),
        seats: vec![SeatPlan {
            name: "s".to_owned(),
            priority: 1,
            breaker: breaker(),
            strategy,
        }],
    })
}

fn at(event_ns: u64, symbol: u32, what: What) -> Event {
    Event {
        event_ns,
        received_ns: event_ns,
        symbol,
        what,
    }
}

/// A book of one level a side.
fn book(ns: u64, symbol: u32, (bid, bids): (i64, u64), (offer, offers): (i64, u64)) -> Vec<Event> {
    let level = |side: Side, price, quantity| What::Level {
        side,
        price,
        quantity,
    };
    let all = [
        What::Clear,
        level(Buy, bid, bids),
        level(Sell, offer, offers),
        What::End,
    ];
    all.map(|what| at(ns, symbol, what)).to_vec()
}

fn trade(ns: u64, price: i64, quantity: u64, aggressor: Side) -> Event {
    let aggressor = Some(aggressor);
    at(
        ns,
        0,
        What::Trade {
            price,
            quantity,
            aggressor,
        },
    )
}

/// An order that leaves at 1,000 ns comes 30 ns later, behind what happens at 1,020 and before what
/// happens at 1,040; its answer takes 50 ns, and events take 7.
#[test]
fn one_clock() {
    let models = Models {
        market: Latency::Constant(7),
        order: Latency::Constant(30),
        answer: Latency::Constant(50),
        seed: 1,
    };
    let act = once(|desk| {
        assert_eq!(desk.now_ns(), 1_000);
        desk.send(order(Buy, 1_002, 10)).unwrap();
    });
    let rig = Rig::plain(act);
    let mut events = book(993, 0, (1_000, 5), (1_002, 50));
    events.extend(book(1_020, 0, (1_000, 5), (1_002, 4)));
    events.extend(book(1_040, 0, (1_000, 5), (1_001, 90)));
    let (desk, log) = run(rig.desk, models, &events);
    // Four were there at 1,030, and at 1,040 somebody came down to 1001.
    let fills: Vec<_> = log
        .fills
        .iter()
        .map(|it| (it.time_ns, it.quantity))
        .collect();
    assert_eq!(fills, [(1_080, 4), (1_090, 6)]);
    assert_eq!(log.answered_ns, [80]);
    assert!(desk.orders().is_empty());
    assert_eq!(log.lines, ["1000 s new #1 buy AAA 10 at 1002 day"]);
}

/// Bought 10 at 10.02 as the taker, sold 10 at 10.06 as the maker.
#[test]
fn profit_by_hand() {
    let act = Box::new(|desk: &mut trading::desk::Context<'_>, heard: &Heard| {
        if *heard == Heard::Book(0) && desk.position(0).fills == 0 && desk.orders().count() == 0 {
            desk.send(order(Buy, 1_002, 10)).unwrap();
        }
        if *heard == Heard::Fill(10) && desk.position(0).lots > 0 {
            desk.send(order(Sell, 1_006, 10)).unwrap();
        }
    });
    let rig = Rig::plain(act);
    let mut events = book(100, 0, (1_000, 5), (1_002, 50));
    events.extend(book(200, 0, (1_003, 5), (1_006, 20)));
    events.push(trade(300, 1_006, 25, Buy));
    events.push(trade(400, 1_006, 5, Buy));
    let (desk, log) = run(rig.desk, AT_ONCE, &events);
    // It stood at 1006 before the offers of 20 came there.
    let fills: Vec<_> = log.fills.iter().map(|it| (it.price, it.quantity)).collect();
    assert_eq!(fills, [(1_002, 10), (1_006, 10)]);
    let position = desk.account().position(0);
    // 0.40 less 300 millionths of 100.20, and 100 millionths of 100.60 come back.
    assert_eq!((position.lots, position.fees), (0, money("0.02")));
    assert_eq!(desk.account().equity(), money("0.38"));
}

/// A market that wanders, with trades that hit either side.
fn wandering(count: u64) -> Vec<Event> {
    let mut random = trading::backtest::Random::new(3);
    let mut middle = 10_000_i64;
    let mut events = Vec::new();
    for step in 1..=count {
        let ns = step * 1_000;
        let drawn = random.next();
        middle += (drawn % 3) as i64 - 1;
        let sizes = [1 + (drawn >> 8) % 90, 1 + (drawn >> 16) % 90];
        events.extend(book(ns, 0, (middle - 2, sizes[0]), (middle + 2, sizes[1])));
        if drawn & 0x100 != 0 {
            let aggressor = if drawn & 0x200 != 0 { Buy } else { Sell };
            let price = match aggressor {
                Buy => middle + 2,
                Sell => middle - 2,
            };
            events.push(trade(ns + 500, price, 1 + (drawn >> 24) % 150, aggressor));
        }
    }
    events
}

fn maker() -> MakerRule {
    MakerRule {
        symbol: 0,
        quantity: 10,
        half_spread_ticks: 1.0,
        skew_ticks: 3.0,
        inventory_max: 40,
        requote_ticks: 1,
        pause_ns: 2_000,
    }
}

#[test]
fn two_runs_are_the_same_and_another_seed_is_not() {
    let events = wandering(3_000);
    let models = |seed| Models {
        market: Latency::Drawn {
            least_ns: 100,
            most_ns: 900,
        },
        order: Latency::Drawn {
            least_ns: 100,
            most_ns: 5_000,
        },
        answer: Latency::Constant(200),
        seed,
    };
    let lines = |seed| {
        let maker = desk(vec![listing("AAA")], |_| {
            Box::new(Maker::new(maker()).unwrap())
        });
        let (desk, log) = run(maker, models(seed), &events);
        assert!(
            desk.account().position(0).fills > 100,
            "{:?}",
            desk.account()
        );
        (
            log.lines,
            desk.account().equity(),
            desk.account().drawdown(),
        )
    };
    let first = lines(1);
    assert!(first.0.len() > 1_000);
    assert_eq!(first, lines(1));
    assert_ne!(first, lines(2));
}

#[test]
fn a_maker_keeps_to_its_inventory() {
    let maker = desk(vec![listing("AAA")], |_| {
        Box::new(Maker::new(maker()).unwrap())
    });
    let mut events = book(1_000, 0, (9_998, 10), (10_002, 10));
    // Everybody sells: it buys until it is full, ever lower, and asks no more.
    for step in 2..200 {
        let ns = step * 1_000_000;
        events.push(trade(ns, 9_000, 1_000, Sell));
        events.extend(book(ns + 1, 0, (9_998, 10), (10_002, 10)));
    }
    let (desk, log) = run(maker, AT_ONCE, &events);
    assert_eq!(desk.account().position(0).lots, 40);
    let bids: Vec<_> = log.fills.iter().map(|it| (it.price, it.quantity)).collect();
    // The microprice is 10000: less one, and 0.75 for each quarter of the inventory.
    assert_eq!(bids, [(9_999, 10), (9_998, 10), (9_997, 10), (9_996, 10)]);
    // The offer went down with them: at last to 10000 + 1 - 3.
    let offers = desk.orders().iter().filter(|it| it.side == Sell);
    assert_eq!(offers.map(|it| it.price).collect::<Vec<_>>(), [9_999]);
}

#[test]
fn parameters_that_make_no_sense_are_named() {
    let bad = |change: fn(&mut MakerRule), name: &str| {
        let mut rule = maker();
        change(&mut rule);
        assert_eq!(Maker::new(rule).unwrap_err().name, name);
    };
    bad(|rule| rule.quantity = 0, "quantity");
    bad(|rule| rule.inventory_max = 9, "inventory_max");
    bad(|rule| rule.half_spread_ticks = -1.0, "half_spread_ticks");
    bad(|rule| rule.skew_ticks = f64::NAN, "skew_ticks");
    bad(|rule| rule.requote_ticks = 0, "requote_ticks");
}

/// Two markets that differ by noise, then by a lot, then by nothing: sold dear, bought back.
#[test]
fn pairs_trade_a_spread() {
    let plan = PairsPlan {
        x: PairsLeg {
            symbol: 0,
            quantity: 20,
        },
        y: PairsLeg {
            symbol: 1,
            quantity: 10,
        },
        rule: analytics::arbitrage::PairsRule {
            hedge: 1.0,
            window: 20,
            entry: 2.0,
            exit: 0.5,
            stop: 6.0,
        },
        sample_ns: 1_000,
        slip_ticks: 0,
    };
    let listings = vec![listing("AAA"), listing("BBB")];
    let pairs = desk(listings, |_| Box::new(Pairs::new(plan.clone()).unwrap()));
    let mut events = Vec::new();
    for step in 0..80_u64 {
        let noise = (step % 3) as i64 - 1;
        let far = if (40..44).contains(&step) { 8 } else { 0 };
        let x = 5_000 + noise + far;
        events.extend(book(1 + step * 1_000, 0, (x - 1, 100), (x + 1, 100)));
        events.extend(book(2 + step * 1_000, 1, (4_999, 6), (5_001, 6)));
    }
    let (desk, log) = run(pairs, AT_ONCE, &events);
    let of = |symbol| {
        let fills = log.fills.iter().filter(move |it| it.symbol == symbol);
        fills.map(|it| (it.side, it.quantity)).collect::<Vec<_>>()
    };
    assert_eq!(of(0), [(Sell, 20), (Buy, 20)]);
    // Only six stood at a time: the rest came with the next look.
    assert_eq!(of(1), [(Buy, 6), (Buy, 4), (Sell, 6), (Sell, 4)]);
    assert_eq!(desk.account().position(0).lots, 0);
    assert_eq!(desk.account().position(1).lots, 0);

    let mut same = plan.clone();
    same.y.symbol = 0;
    assert_eq!(Pairs::new(same).unwrap_err().name, "y");
    let mut wide = plan;
    wide.rule.entry = 7.0;
    assert!(Pairs::new(wide).unwrap_err().why.contains("entry"));
}

fn currencies(base: &str, quote: &str) -> Listing {
    Listing {
        base: base.to_owned(),
        quote: quote.to_owned(),
        taker_ppm: 100,
        order_max: 1_000_000,
        position_max: 1_000_000,
        ..listing(&format!("{base}{quote}"))
    }
}

fn triangular(listings: &Listings) -> Box<dyn Strategy> {
    let rule = TriangularRule {
        symbols: vec![0, 1, 2],
        home: "USD".to_owned(),
        start_max: money("1000"),
        profit_min: money("0.01"),
        age_ns_max: 1_000_000_000,
        pause_ns: 10,
    };
    Box::new(Triangular::new(rule, listings).unwrap())
}

/// A costs 2.00 USD, B costs 4.00 USD, and for an A one gets 0.52 B: 4 % less three fees.
#[test]
fn around_three_currencies() {
    let listings = || {
        vec![
            currencies("A", "USD"),
            currencies("B", "USD"),
            currencies("A", "B"),
        ]
    };
    let mut events = book(100, 0, (199, 900), (200, 300));
    events.extend(book(200, 1, (400, 900), (402, 900)));
    events.extend(book(300, 2, (52, 200), (54, 900)));
    let (desk, log) = run(desk(listings(), triangular), AT_ONCE, &events);
    let fills: Vec<_> = log
        .fills
        .iter()
        .map(|it| (it.symbol, it.side, it.price, it.quantity))
        .collect();
    // 300 A stand at 2.00, and 200 A are wanted at 0.52: 200 A become 104 B less a fee of 0.0104,
    // which leaves 103 whole ones.
    assert_eq!(
        fills[..3],
        [(0, Buy, 200, 200), (2, Sell, 52, 200), (1, Sell, 400, 103)]
    );
    assert_eq!(desk.account().position(0).lots, 200);
    assert_eq!(desk.account().position(2).lots, -200);
    // 412 less 400, fees of 0.04 and 0.0412; 0.9896 B are left, at 4.01.
    assert_eq!(desk.account().equity(), money("15.887096"));

    // Without the third leg's depth nothing gains: nothing is sent.
    let mut flat = book(100, 0, (199, 900), (200, 300));
    flat.extend(book(200, 1, (400, 900), (402, 900)));
    flat.extend(book(300, 2, (50, 200), (54, 900)));
    let (_, log) = run(self::desk(listings(), triangular), AT_ONCE, &flat);
    assert!(log.lines.is_empty(), "{:?}", log.lines);
}

/// The second leg finds nobody: what the first one bought is sold again.
#[test]
fn a_leg_that_misses_is_cleared_up() {
    let listings = vec![
        currencies("A", "USD"),
        currencies("B", "USD"),
        currencies("A", "B"),
    ];
    let models = Models {
        order: Latency::Constant(50),
        ..AT_ONCE
    };
    let mut events = book(100, 0, (199, 900), (200, 300));
    events.extend(book(200, 1, (400, 900), (402, 900)));
    events.extend(book(300, 2, (52, 200), (54, 900)));
    events.extend(book(310, 2, (50, 200), (54, 900)));
    events.extend(book(1_000, 0, (199, 900), (200, 300)));
    events.extend(book(2_000, 0, (199, 900), (200, 300)));
    events.extend(book(3_000, 0, (199, 900), (200, 300)));
    let (desk, log) = run(desk(listings, triangular), models, &events);
    let fills: Vec<_> = log
        .fills
        .iter()
        .map(|it| (it.symbol, it.side, it.quantity))
        .collect();
    // A, bought and sold again; B, sold short by the third leg, is bought back.
    let expected = [(0, Buy, 200), (1, Sell, 103), (0, Sell, 200), (1, Buy, 103)];
    assert_eq!(fills[..4], expected, "{:?}", log.lines);
    let position = |symbol| desk.account().position(symbol).lots;
    assert_eq!([position(0), position(1), position(2)], [0, 0, 0]);
    assert_eq!(log.lines.len(), 5, "and then there is nothing left to do");
    assert!(log.fills.iter().all(|it| it.order <= OrderId(5)));
}
