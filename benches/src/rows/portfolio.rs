//! `portfolio`: how much of each of a thousand assets?
//!
//! Long only, by a matrix and by factors, cold and with the answer as a start; the reference
//! instances, if they are beside the checkout, with their frontiers; and with constraints. The peer
//! is Clarabel, an interior-point method, if it is built in (feature `clarabel`). Every portfolio's
//! certificate is checked, the peer's by its objective, which has to be ours.

#[cfg(feature = "clarabel")]
mod constrained;
#[cfg(feature = "clarabel")]
mod peer;
mod reference;

use std::time::Instant;

use quant::Fault;
use quant::portfolio::{Covariance, MeanVariance, Solution};

use super::numbers::used;
use crate::compare::{Case, Subject, compare};
use crate::random::Random;
use crate::{BenchError, Options, Row};

/// The row.
pub const ROW: Row = Row {
    name: "portfolio",
    about: "portfolios of many assets, frontiers, constraints: ours cold, warm, Clarabel",
    run,
};

/// Gaps and reduced gradients of ours.
const CERTIFICATE: f64 = 1e-12;

/// Assets that share factors.
struct Market {
    loadings: Vec<f64>,
    variances: Vec<f64>,
    own: Vec<f64>,
    matrix: Vec<f64>,
    mean: Vec<f64>,
}

/// Markets whose own variances are small or great beside those of factors, and what a variance
/// counts: few assets are held in the first, hundreds in the last.
const MARKETS: [(&str, f64, f64); 3] = [
    ("few held", 0.04, 5.0),
    ("some held", 0.04, 100.0),
    ("hundreds held", 0.4, 1_000.0),
];

fn run(options: &Options) -> Result<Vec<Case>, BenchError> {
    let effort = options.effort;
    let count = effort.pick(60, 1_000, 1_000);
    let mut cases = Vec::new();
    for (name, own, aversion) in MARKETS {
        let market = Market::new(count, own);
        let dense = Covariance::dense(&market.matrix, count).map_err(failed)?;
        let factors = Covariance::factors(&market.loadings, &market.variances, &market.own);
        let factors = factors.map_err(failed)?;
        let (lower, upper) = (vec![0.0; count], vec![1.0; count]);
        let [dense, factors] = [&dense, &factors].map(|covariance| MeanVariance {
            covariance,
            mean: &market.mean,
            aversion,
            lower: &lower,
            upper: &upper,
            equalities: &[],
        });
        let answer = checked(dense.solve(None))?;
        let near = checked(factors.solve(None))?;
        same(&answer.weights, &near.weights)?;
        let turns = effort.pick(1, 5, 20);
        let subjects = vec![
            Subject::new("ours", || timed(turns, || checked(dense.solve(None)))),
            Subject::new("ours, warm", || {
                timed(turns, || checked(dense.solve(Some(&answer.weights))))
            }),
            Subject::new("ours, factors", || {
                timed(turns, || checked(factors.solve(None)))
            }),
            #[cfg(feature = "clarabel")]
            Subject::new("clarabel", || {
                timed(1, || peer::checked(&dense, &market.matrix, &answer))
            }),
        ];
        let held = answer
            .weights
            .iter()
            .filter(|weight| **weight > 0.0)
            .count();
        let case = format!("{count} assets, {name}");
        let note = format!("{held} held, {} steps cold", answer.steps);
        let compared = compare(&[&case], effort.rounds(), subjects)?;
        cases.extend(compared.into_iter().map(|case| case.noted(&note)));
    }
    cases.extend(reference::cases(effort)?);
    #[cfg(feature = "clarabel")]
    cases.extend(constrained::cases(effort)?);
    Ok(cases)
}

fn failed(fault: Fault) -> BenchError {
    BenchError::failed("portfolio", fault)
}

fn timed<T>(
    turns: usize,
    mut turn: impl FnMut() -> Result<T, BenchError>,
) -> Result<Vec<Vec<u64>>, BenchError> {
    let mut samples = Vec::with_capacity(turns);
    for _ in 0..turns {
        let start = Instant::now();
        used(turn()?);
        samples.push(start.elapsed().as_nanos() as u64 * 1_000);
    }
    Ok(vec![samples])
}

fn checked(found: Result<Solution, Fault>) -> Result<Solution, BenchError> {
    let found = found.map_err(failed)?;
    let of = found.certificate;
    let worst = [of.equality, of.bound, of.stationarity, of.gap];
    if worst.into_iter().all(|part| part <= CERTIFICATE) {
        return Ok(found);
    }
    Err(BenchError::WrongAnswer(format!("{of:?}")))
}

fn same(ours: &[f64], theirs: &[f64]) -> Result<(), BenchError> {
    let pairs = ours.iter().zip(theirs);
    let most = pairs.fold(0.0f64, |most, (x, y)| most.max((x - y).abs()));
    if most <= 1e-8 {
        return Ok(());
    }
    Err(BenchError::WrongAnswer(format!("weights differ by {most}")))
}

impl Market {
    fn new(count: usize, own: f64) -> Self {
        const FACTORS: usize = 50;
        let mut random = Random::new(3);
        let mut random = || random.about_zero();
        // All move with the first factor, some with others.
        let loading = |at: usize, random: f64| if at == 0 { 1.0 + random } else { 0.6 * random };
        let loadings = (0..count * FACTORS).map(|at| loading(at % FACTORS, random()));
        let loadings: Vec<f64> = loadings.collect();
        let variances: Vec<f64> = (0..FACTORS).map(|at| 0.03 / (1 + at) as f64).collect();
        let own: Vec<f64> = (0..count).map(|_| own * (1.0 + random())).collect();
        let row = |at: usize| &loadings[at * FACTORS..][..FACTORS];
        let between = |a: usize, b: usize| -> f64 {
            let parts = row(a).iter().zip(row(b)).zip(&variances);
            let sum: f64 = parts.map(|((x, y), variance)| x * y * variance).sum();
            sum + if a == b { own[a] } else { 0.0 }
        };
        let matrix = (0..count * count).map(|at| between(at / count, at % count));
        let matrix = matrix.collect();
        let mean = (0..count)
            .map(|at| 0.06 * row(at)[0] + 0.05 * random())
            .collect();
        Self {
            loadings,
            variances,
            own,
            matrix,
            mean,
        }
    }
}
