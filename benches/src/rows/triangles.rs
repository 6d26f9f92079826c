//! `triangles`: a quote changes; which ways around three currencies gain now?
//!
//! Ours looks at the cycles through the pair, the peer at all of them. Every update's answers must
//! be the same.

use std::time::Instant;

use analytics::arbitrage::{Opportunity, Pair, Quote, Triangles};

use super::numbers::used;
use crate::compare::{Case, Subject, compare};
use crate::random::Random;
use crate::{BenchError, Options, Row};

/// The row.
pub const ROW: Row = Row {
    name: "triangles",
    about: "arbitrage around three currencies, an update: ours, a scan of all cycles",
    run,
};

/// Markets: main currencies, and how many others have markets in 2, 3 and 4 of them.
const MARKETS: [(u32, [u32; 3]); 2] = [(4, [8, 4, 4]), (5, [141, 120, 134])];
const FEE_PPM: u32 = 100;
const DECIMALS: u8 = 6;

/// Pairs in which every currency has a worth, and updates of their quotes around it.
struct Market {
    pairs: Vec<Pair>,
    updates: Vec<(u32, Quote)>,
}

impl Market {
    fn new(mains: u32, others: [u32; 3], count: usize) -> Self {
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
            // Half a thousandth around what it is worth: few cycles gain.
            let off = 1.0 + (f64::from(random(1_000)) - 500.0) * 4e-7;
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
    for (mains, others) in MARKETS {
        let market = Market::new(mains, others, effort.pick(3_000, 200_000, 1_000_000));
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
        let name = format!(
            "{} pairs, {} cycles",
            market.pairs.len(),
            triangles.triangles().len()
        );
        let subjects = vec![Subject::new("ours", ours), Subject::new("scan", scan)];
        let compared = compare(&[&name], effort.rounds(), subjects)?;
        let note = format!("{found} of the first updates gain");
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
