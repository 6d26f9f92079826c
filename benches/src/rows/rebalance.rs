//! `rebalance`: which orders bring a portfolio to its targets?
//!
//! Ours beside the rule as it is written down, in 128 bits; their plans must be equal.

use std::time::Instant;

use quant::Fault;
use quant::rebalancing::{Holdings, Plan, Rules, rebalance, rebalance_plainly};

use super::numbers::used;
use crate::compare::{Case, Subject, compare};
use crate::random::Random;
use crate::{BenchError, Options, Row};

/// The row.
pub const ROW: Row = Row {
    name: "rebalance",
    about: "orders towards target weights, a plan: ours, the rule written down",
    run,
};

/// Positions.
const SIZES: [usize; 4] = [100, 500, 1_000, 5_000];
const RULES: Rules = Rules {
    fee_ppm: 50,
    band_ppm: 200,
    min_notional: 50_000,
};

type Planner = fn(&Holdings<'_>, i64, Rules) -> Result<Plan, Fault>;

/// Positions as they might be held.
struct Positions {
    price: Vec<i64>,
    lot: Vec<i64>,
    quantity: Vec<i64>,
    target_ppm: Vec<u32>,
}

fn run(options: &Options) -> Result<Vec<Case>, BenchError> {
    let effort = options.effort;
    let mut cases = Vec::new();
    for count in SIZES {
        let positions = Positions::new(count);
        let holdings = positions.holdings();
        let cash = 3_000_000 * count as i64;
        let [ours, plain] =
            [rebalance as Planner, rebalance_plainly].map(|plan| plan(&holdings, cash, RULES));
        let ours = ours.map_err(failed)?;
        if plain.as_ref() != Ok(&ours) {
            return Err(BenchError::WrongAnswer(format!(
                "{ours:?} instead of {plain:?}"
            )));
        }
        let turns = effort.pick(2, 200_000, 1_000_000) / count + 1;
        let turn = |plan: Planner| {
            move || {
                let start = Instant::now();
                for _ in 0..turns {
                    used(plan(&holdings, cash, RULES));
                }
                let whole = start.elapsed().as_nanos() as u64;
                Ok(vec![vec![whole * 1_000 / turns as u64]])
            }
        };
        let subjects = vec![
            Subject::new("ours", turn(rebalance)),
            Subject::new("plain", turn(rebalance_plainly)),
        ];
        let name = format!("{count} positions");
        let note = format!("{} sells, {} buys", ours.sells.len(), ours.buys.len());
        let compared = compare(&[&name], effort.rounds(), subjects)?;
        cases.extend(compared.into_iter().map(|case| case.noted(&note)));
    }
    Ok(cases)
}

fn failed(fault: Fault) -> BenchError {
    BenchError::failed("rebalancing", fault)
}

impl Positions {
    fn new(count: usize) -> Self {
        let mut random = Random::new(5);
        let mut many = |make: &dyn Fn(&mut Random) -> i64| {
            (0..count).map(|_| make(&mut random)).collect::<Vec<_>>()
        };
        let lot = many(&|random| [1, 1, 10, 100][random.below(4) as usize]);
        let lots = many(&|random| i64::from(random.below(400)));
        // Most of all in shares that are about equal, some of nothing.
        let share = 1_900_000 / count as u32;
        let target_ppm =
            many(&|random| i64::from(random.below(share)) * i64::from(random.below(10) > 0));
        Self {
            price: many(&|random| i64::from(500 + random.below(100_000))),
            quantity: lot.iter().zip(lots).map(|(lot, lots)| lot * lots).collect(),
            lot,
            target_ppm: target_ppm.into_iter().map(|ppm| ppm as u32).collect(),
        }
    }

    fn holdings(&self) -> Holdings<'_> {
        Holdings {
            price: &self.price,
            lot: &self.lot,
            quantity: &self.quantity,
            target_ppm: &self.target_ppm,
        }
    }
}
