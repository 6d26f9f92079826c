//! `triangles`: a quote changes; which ways around three currencies gain now?
//!
//! Ours looks at the cycles through the pair, one peer at all of them: every update's answers must
//! be the same. The other peer is petgraph's algorithm of Bellman and Ford, which tells whether any
//! cycle gains: where one of three currencies does, it must find one that does.

mod graph;

use std::time::Instant;

use analytics::arbitrage::{Opportunity, Pair, Quote, Triangles};

use super::numbers::used;
use crate::compare::{Case, Subject, compare};
use crate::random::Random;
use crate::{BenchError, Options, Row};
use graph::Roads;

/// The row.
pub const ROW: Row = Row {
    name: "triangles",
    about: "arbitrage around three currencies, an update: ours, a scan of all cycles, petgraph",
    run,
};

/// Markets: main currencies, and how many others have markets in 2, 3 and 4 of them.
pub(super) const MARKETS: [(u32, [u32; 3]); 2] = [(4, [8, 4, 4]), (5, [141, 120, 134])];
pub(super) const FEE_PPM: u32 = 100;
const DECIMALS: u8 = 6;
/// How far quotes are from what a pair is worth, a thousandth of it: so that a way gains somewhere
/// nearly always, or so that fees eat all. A graph with a cycle that gains costs Bellman and Ford
/// all their rounds, one without ends when nothing changes any more.
const NEAR: f64 = 1e-7;
pub(super) const FAR: f64 = 4e-7;
const OFFS: [(&str, f64); 2] = [("", FAR), (", nothing gains", NEAR)];
/// Updates, behind the first quotes of all pairs, that Bellman and Ford take: one may take
/// milliseconds.
const ROADS_UPDATES: usize = 200;
/// What rounding of logarithms may hide.
const LEAST: f64 = 1e-9;

/// A pair's new quote.
pub(super) type Update = (u32, Quote);

/// Pairs in which every currency has a worth, and updates of their quotes around it.
pub(super) struct Market {
    pub(super) pairs: Vec<Pair>,
    pub(super) updates: Vec<Update>,
}

impl Market {
    pub(super) fn new((mains, others): (u32, [u32; 3]), off: f64, count: usize) -> Self {
        let mut random = Random::new(7);
        let mut random = |end| random.below(end);
        let mut pairs = Vec::new();
        let mut pair = |base, quote| {
            pairs.push(Pair {
                base,
                quote,
                decimals: DECIMALS,
                fee_ppm: FEE_PPM,
            });
        };
        for base in 0..mains {
            (base + 1..mains).for_each(|quote| pair(base, quote));
        }
        let mut next = mains;
        for (markets, count) in (2..).zip(others) {
            for _ in 0..count {
                let first = random(mains);
                (0..markets).for_each(|by| pair(next, (first + by) % mains));
                next += 1;
            }
        }
        let worth: Vec<f64> = (0..next)
            .map(|_| 1.0 + f64::from(random(2_000)) / 1e3)
            .collect();
        let update = |at: usize| {
            let count = pairs.len() as u32;
            let pair = if at < pairs.len() {
                at as u32
            } else {
                random(count)
            };
            let Pair { base, quote, .. } = pairs[pair as usize];
            let fair = worth[base as usize] / worth[quote as usize];
            let off = 1.0 + (f64::from(random(1_000)) - 500.0) * off;
            let bid = (fair * off * 1e6) as u32;
            let quote = Quote {
                bid,
                bid_units: 1 + random(500),
                ask: bid + 1 + bid / 10_000,
                ask_units: 1 + random(500),
                time_ns: at as u64,
            };
            (pair, quote)
        };
        let updates = (0..count).map(update).collect();
        Self { pairs, updates }
    }
}

fn run(options: &Options) -> Result<Vec<Case>, BenchError> {
    let effort = options.effort;
    let mut cases = Vec::new();
    let all = MARKETS.iter().flat_map(|it| OFFS.map(|off| (*it, off)));
    for (size, (how, off)) in all {
        let market = Market::new(size, off, effort.pick(3_000, 200_000, 1_000_000));
        let made =
            || Triangles::new(&market.pairs).map_err(|error| BenchError::failed("pairs", error));
        let triangles = made()?;
        let found = check(
            &market,
            triangles.clone(),
            effort.pick(3_000, 20_000, 20_000),
        )?;
        let ours = || {
            let mut triangles = triangles.clone();
            let start = Instant::now();
            for (pair, quote) in &market.updates {
                triangles.update(*pair, *quote, used);
            }
            Ok(vec![vec![each(start, market.updates.len())]])
        };
        let scan = || {
            let mut triangles = triangles.clone();
            let updates = &market.updates[..market.updates.len() / 20];
            let start = Instant::now();
            for (pair, quote) in updates {
                triangles.update(*pair, *quote, |_| ());
                triangles.scan(quote.time_ns, used);
            }
            Ok(vec![vec![each(start, updates.len())]])
        };
        let mut roads = Roads::new(&market.pairs);
        let (first, later) = market.updates.split_at(market.pairs.len());
        first
            .iter()
            .for_each(|(pair, quote)| roads.set(*pair, quote));
        let later = &later[..ROADS_UPDATES];
        let known = check_roads((first, later), made()?, roads.clone())?;
        let bellman_ford = || {
            let mut roads = roads.clone();
            let start = Instant::now();
            for (pair, quote) in later {
                std::hint::black_box(roads.update(*pair, quote));
            }
            Ok(vec![vec![each(start, later.len())]])
        };
        let name = format!(
            "{} pairs, {} cycles{how}",
            market.pairs.len(),
            triangles.triangles().len()
        );
        let subjects = vec![
            Subject::new("ours", ours),
            Subject::new("scan", scan),
            Subject::new("petgraph", bellman_ford),
        ];
        let compared = compare(&[&name], effort.rounds(), subjects)?;
        let note = format!(
            "{found} of the first updates gain; petgraph found a cycle that gains at each of \
             {known} at which one of three currencies did"
        );
        cases.extend(compared.into_iter().map(|case| case.noted(&note)));
    }
    Ok(cases)
}

fn each(start: Instant, count: usize) -> u64 {
    start.elapsed().as_nanos() as u64 * 1_000 / count as u64
}

/// Compares the first updates' answers with what all cycles say; how many gain.
fn check(market: &Market, mut triangles: Triangles, count: usize) -> Result<usize, BenchError> {
    let mut gains = 0;
    for (pair, quote) in market.updates.iter().take(count) {
        let (mut ours, mut all) = (Vec::new(), Vec::new());
        triangles.update(*pair, *quote, |found| ours.push(found));
        triangles.scan(quote.time_ns, |found| all.push(found));
        all.retain(|found| found.legs.iter().any(|leg| leg.pair == *pair));
        ours.sort_by_key(|found: &Opportunity| found.triangle);
        if ours != all {
            return Err(BenchError::WrongAnswer(format!(
                "{ours:?} instead of {all:?}"
            )));
        }
        gains += usize::from(!ours.is_empty());
    }
    Ok(gains)
}

/// Wherever a cycle of three gains, the graph must know one that does; how often that was.
fn check_roads(
    (first, later): (&[Update], &[Update]),
    mut triangles: Triangles,
    mut roads: Roads,
) -> Result<usize, BenchError> {
    for (pair, quote) in first {
        triangles.update(*pair, *quote, |_| ());
    }
    let mut known = 0;
    for (pair, quote) in later {
        let mut gain = 0.0_f64;
        triangles.update(*pair, *quote, |_| ());
        triangles.scan(quote.time_ns, |found| gain = gain.max(found.gain));
        let cycle = roads.update(*pair, quote);
        let length = cycle.as_ref().map(|cycle| roads.length(cycle));
        let is_right = match length {
            Some(length) => length < 0.0,
            None => gain < LEAST,
        };
        if !is_right {
            let why = format!("a gain of {gain}, and a cycle of length {length:?}");
            return Err(BenchError::WrongAnswer(why));
        }
        known += usize::from(gain >= LEAST && cycle.is_some());
    }
    Ok(known)
}
