//! Arbitrage against exact rational arithmetic.

#![allow(clippy::unwrap_used)] // helpers of tests, which the lint's own exemption misses

mod vectors;

use analytics::arbitrage::{
    Crossing, CrossingKind, Direction, Opportunity, Pair, PairsRule, PairsTrade, Quote, Stance,
    TriangleError, Triangles, Venues,
};
use analytics::arch::Backend;
use serde_json::Value;
use vectors::text;

fn json(name: &str) -> Value {
    serde_json::from_str(&text(name)).unwrap()
}

fn list(value: &Value) -> &[Value] {
    value.as_array().unwrap()
}

fn number(value: &Value) -> u32 {
    value.as_u64().unwrap().try_into().unwrap()
}

/// The pairs of a case; its currencies in the order of its list, or of their names.
fn pairs(case: &Value) -> Vec<Pair> {
    let fee_ppm = number(&case["fee_ppm"]);
    let names: Vec<&str> = match case.get("currencies") {
        Some(names) => list(names).iter().filter_map(Value::as_str).collect(),
        None => vec!["A", "B", "C"],
    };
    let currency = |name: &Value| {
        let at = names.iter().position(|other| Some(*other) == name.as_str());
        at.unwrap() as u32
    };
    let decimals = list(&case["price_decimals"]).iter();
    let both = list(&case["pairs"]).iter().zip(decimals);
    both.map(|(pair, decimals)| Pair {
        base: currency(&pair[0]),
        quote: currency(&pair[1]),
        decimals: number(decimals) as u8,
        fee_ppm,
    })
    .collect()
}

fn quote(update: &Value, from: usize) -> Quote {
    let [bid, bid_units, ask, ask_units] = [0, 1, 2, 3].map(|at| number(&update[from + at]));
    Quote {
        bid,
        bid_units,
        ask,
        ask_units,
        time_ns: update[0].as_u64().unwrap(),
    }
}

/// A leg as the answers have it.
fn said(opportunity: &[analytics::arbitrage::Leg; 3]) -> Vec<(u32, &'static str)> {
    let way = |direction| match direction {
        Direction::Sell => "sell_base@bid",
        Direction::Buy => "buy_base@ask",
    };
    opportunity
        .iter()
        .map(|leg| (leg.pair, way(leg.direction)))
        .collect()
}

#[test]
fn cycles_that_gain_are_those_of_exact_arithmetic() {
    for case in ["small", "mid", "rare"] {
        let case = json(&format!("market/tri_{case}.json"));
        let mut triangles = Triangles::new(&pairs(&case)).unwrap();
        let wanted = list(&case["triangles"]);
        assert_eq!(triangles.triangles().len(), wanted.len());
        for (legs, wanted) in triangles.triangles().iter().zip(wanted) {
            let wanted: Vec<(u32, &str)> = list(&wanted["legs"])
                .iter()
                .map(|leg| (number(&leg[0]), leg[1].as_str().unwrap()))
                .collect();
            assert_eq!(said(legs), wanted);
        }
        let mut expected = list(&case["expected"]).iter().peekable();
        for update in list(&case["updates"]) {
            let mut found = Vec::new();
            triangles.update(number(&update[1]), quote(update, 2), |one| found.push(one));
            found.sort_by_key(|one: &Opportunity| one.triangle);
            let wanted = expected.next_if(|wanted| wanted[0] == update[0]);
            let wanted = wanted.map_or(&[][..], |wanted| list(&wanted[1]));
            assert_eq!(found.len(), wanted.len(), "{update}");
            for (found, wanted) in found.iter().zip(wanted) {
                assert_eq!(found.triangle, number(&wanted[0]));
                let [bps, start] = [1, 2].map(|at| wanted[at].as_f64().unwrap());
                assert!(
                    (found.gain * 1e4 - bps).abs() <= 1e-12 * bps,
                    "{found:?} {wanted}"
                );
                assert!(
                    (found.start - start).abs() <= 1e-12 * start,
                    "{found:?} {wanted}"
                );
            }
            through_the_long_way(&triangles, number(&update[1]), update, &found);
        }
        assert!(expected.next().is_none());
    }
}

/// What an update finds is what a look at each cycle finds through that pair.
fn through_the_long_way(triangles: &Triangles, pair: u32, update: &Value, found: &[Opportunity]) {
    let mut all: Vec<Opportunity> = Vec::new();
    triangles.scan(update[0].as_u64().unwrap(), |one| all.push(one));
    all.retain(|one: &Opportunity| one.legs.iter().any(|leg| leg.pair == pair));
    assert_eq!(all, found);
}

#[test]
fn a_tie_gains_nothing() {
    let case = json("market/tri_tie.json");
    let mut triangles = Triangles::new(&pairs(&case)).unwrap();
    let mut feed = |last_ask: u32| {
        let mut found = Vec::new();
        for update in list(&case["tie"]) {
            let mut quote = quote(
                &serde_json::json!([0, 0, update[1], update[2], update[3], update[4]]),
                2,
            );
            if number(&update[0]) == 2 {
                quote.ask = last_ask;
            }
            triangles.update(number(&update[0]), quote, |one| found.push(one.gain));
        }
        found
    };
    assert!(feed(600).is_empty());
    let [gain] = feed(599)[..] else {
        panic!("one cycle gains");
    };
    assert!((gain - 1.0 / 599.0).abs() < 1e-15, "{gain}");
}

#[test]
fn a_quote_that_is_gone_gains_nothing_and_its_age_is_told() {
    let pair = |base, quote| Pair {
        base,
        quote,
        decimals: 2,
        fee_ppm: 0,
    };
    let mut triangles = Triangles::new(&[pair(0, 1), pair(1, 2), pair(0, 2)]).unwrap();
    let quote = |price: u32, time_ns| Quote {
        bid: price,
        bid_units: 5,
        ask: price,
        ask_units: 5,
        time_ns,
    };
    let mut found = Vec::new();
    triangles.update(0, quote(200, 10), |one| found.push(one));
    triangles.update(1, quote(300, 20), |one| found.push(one));
    assert!(found.is_empty(), "a pair has no quote yet");
    triangles.update(2, quote(500, 35), |one| found.push(one));
    assert_eq!(found.len(), 1);
    assert_eq!(
        (found[0].age_ns, found[0].legs[2].direction),
        (25, Direction::Buy)
    );
    assert!((found[0].profit() - found[0].gain * found[0].start).abs() < 1e-15);
    triangles.update(1, Quote::default(), |one| found.push(one));
    triangles.update(2, quote(400, 36), |one| found.push(one));
    triangles.update(9, quote(400, 36), |one| found.push(one));
    assert_eq!(found.len(), 1);
}

#[test]
fn pairs_that_cannot_be_are_named() {
    let good = Pair {
        base: 0,
        quote: 1,
        decimals: 2,
        fee_ppm: 10,
    };
    for bad in [
        Pair { quote: 0, ..good },
        Pair {
            decimals: 10,
            ..good
        },
        Pair {
            fee_ppm: 1_000_000,
            ..good
        },
    ] {
        let error = Triangles::new(&[good, bad]).unwrap_err();
        assert_eq!(error, TriangleError::BadPair(1));
        assert!(error.to_string().starts_with("pair 1: "));
    }
}

#[test]
fn venues_that_meet_are_those_of_exact_arithmetic() {
    for case in ["small", "mid"] {
        let case = json(&format!("market/cross_{case}.json"));
        let fees: Vec<u32> = list(&case["fee_ppm"]).iter().map(number).collect();
        let symbols = number(&case["symbols"]) as usize;
        let mut venues = Venues::new(&fees, symbols, u64::MAX);
        let mut expected = list(&case["expected"]).iter().peekable();
        for update in list(&case["updates"]) {
            let mut found = Vec::new();
            let (symbol, venue) = (number(&update[1]), number(&update[2]));
            venues.update(symbol, venue, quote(update, 3), |one| found.push(one));
            let wanted = expected.next_if(|wanted| wanted[0] == update[0]);
            let wanted = wanted.map_or(&[][..], |wanted| list(&wanted[1]));
            let mut wanted: Vec<Value> = wanted.to_vec();
            let mut found: Vec<Value> = found.iter().map(as_said).collect();
            let key = |one: &Value| (number(&one[1]), number(&one[2]));
            wanted.sort_by_key(key);
            found.sort_by_key(key);
            assert_eq!(found, wanted, "{update}");
        }
        assert!(expected.next().is_none());
    }
}

fn as_said(one: &Crossing) -> Value {
    let kind = match one.kind {
        CrossingKind::Locked => "locked",
        CrossingKind::Crossed => "crossed",
    };
    let Crossing {
        sell_venue,
        buy_venue,
        gross_ticks,
        net_ppm_ticks,
        units,
        ..
    } = one;
    serde_json::json!([
        kind,
        sell_venue,
        buy_venue,
        gross_ticks,
        net_ppm_ticks,
        units
    ])
}

#[test]
fn old_quotes_are_not_believed() {
    let mut venues = Venues::new(&[0, 0], 1, 100);
    let at = |bid, ask, time_ns| Quote {
        bid,
        bid_units: 3,
        ask,
        ask_units: 4,
        time_ns,
    };
    let mut found = Vec::new();
    venues.update(0, 0, at(10, 11, 0), |one| found.push(one));
    venues.update(0, 1, at(12, 13, 101), |one| found.push(one));
    assert!(found.is_empty());
    venues.update(0, 0, at(10, 11, 150), |one| found.push(one));
    let [one] = found[..] else {
        panic!("{found:?}")
    };
    assert_eq!((one.sell_venue, one.units, one.age_ns), (1, 3, 49));
    assert_eq!(one.profit_ppm_ticks(), 3_000_000);
}

#[test]
fn a_spread_is_entered_left_and_stopped() {
    let rule = PairsRule {
        hedge: 2.0,
        window: 20,
        entry: 1.8,
        exit: 0.5,
        stop: 3.0,
    };
    let mut trade = PairsTrade::new(rule).unwrap();
    let mut spreads: Vec<f64> = [1.0, -1.0].repeat(10);
    for (at, spread) in spreads.iter().enumerate() {
        let signal = trade.push(spread + 2.0 * 7.0, 7.0).unwrap();
        assert_eq!(signal.is_some(), at == 19);
    }
    let day = [
        (2.5, Stance::Short),
        (1.5, Stance::Short),
        (0.0, Stance::Flat),
        (-2.5, Stance::Long),
        (-6.0, Stance::Stopped),
        (-1.0, Stance::Flat),
        (1.0, Stance::Flat),
        (4.5, Stance::Short),
        (9.0, Stance::Short),
        (40.0, Stance::Stopped),
        (38.0, Stance::Stopped),
        (30.0, Stance::Flat),
    ];
    let mut before = Stance::Flat;
    for (spread, stance) in day {
        spreads.push(spread);
        let signal = trade.push(spread + 2.0 * 7.0, 7.0).unwrap().unwrap();
        let window = Backend::best()
            .moments(&spreads[spreads.len() - 20..])
            .unwrap();
        let z = window.z_score(spread, 1).unwrap();
        assert!((signal.z - z).abs() < 1e-12 && signal.spread == spread);
        assert_eq!(
            (signal.before, signal.stance),
            (before, stance),
            "{signal:?}"
        );
        before = stance;
    }
    assert!(trade.push(f64::NAN, 1.0).is_err());
    for (exit, entry, stop) in [(0.5, 0.5, 2.0), (-1.0, 1.0, 2.0), (0.1, 3.0, 2.0)] {
        let rule = PairsRule {
            exit,
            entry,
            stop,
            ..rule
        };
        assert!(PairsTrade::new(rule).is_err());
    }
}
