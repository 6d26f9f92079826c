//! `cointegration`: which of many series keep together? Engle and Granger's test of all pairs.
//!
//! Ours shares sums between pairs. The peers regress each pair on its own: a plain loop that sums
//! levels and differences up, and the single test, which reflects columns. All answers must be
//! near each other. The plain loop gives one direction of a pair, ours both.

use std::time::Instant;

use quant::cointegration::{Lags, PairScan, Trend, engle_granger};

use super::numbers::used;
use crate::compare::{Case, Subject, compare};
use crate::random::Random;
use crate::{BenchError, Options, Row};

/// The row.
pub const ROW: Row = Row {
    name: "cointegration",
    about: "Engle and Granger's test of all pairs, a pair: ours by shared sums, one by one",
    run,
};

/// Series and observations.
const SIZES: [(usize, usize); 2] = [(500, 250), (100, 1_000)];
/// How far statistics may differ, of themselves or of 1.
const NEAR: f64 = 1e-8;

fn run(options: &Options) -> Result<Vec<Case>, BenchError> {
    let effort = options.effort;
    let mut cases = Vec::new();
    for (count, length) in SIZES {
        let count = effort.pick(6, count, count);
        let walks = walks(count, length);
        let series: Vec<&[f64]> = walks.iter().map(Vec::as_slice).collect();
        check(&series)?;
        let pairs = count * (count - 1) / 2;
        let ours = || {
            let start = Instant::now();
            let scan = PairScan::new(&series, 1).map_err(failed)?;
            scan.run(used).map_err(failed)?;
            Ok(vec![vec![each(start, pairs)]])
        };
        // A part of the pairs is enough of what is slow.
        let some = effort.pick(3, 10, 25).min(count);
        let part: Vec<_> = (0..count)
            .flat_map(|b| (0..b.min(some)).map(move |a| (a, b)))
            .collect();
        let plain = || {
            let start = Instant::now();
            part.iter()
                .for_each(|(a, b)| used(statistic(series[*a], series[*b])));
            Ok(vec![vec![each(start, part.len())]])
        };
        let single = || {
            let start = Instant::now();
            for (a, b) in part.iter().step_by(10) {
                used(one(series[*a], series[*b])?);
            }
            Ok(vec![vec![each(start, part.len().div_ceil(10))]])
        };
        let subjects = vec![
            Subject::new("ours", ours),
            Subject::new("plain", plain),
            Subject::new("single", single),
        ];
        let name = format!("{count} series of {length}");
        let compared = compare(&[&name], effort.rounds(), subjects)?;
        let note = format!("{pairs} pairs a turn, both directions");
        cases.extend(compared.into_iter().map(|case| case.noted(&note)));
    }
    Ok(cases)
}

fn failed(fault: quant::Fault) -> BenchError {
    BenchError::failed("cointegration", fault)
}

fn each(start: Instant, count: usize) -> u64 {
    start.elapsed().as_nanos() as u64 * 1_000 / count as u64
}

fn one(y: &[f64], x: &[f64]) -> Result<f64, BenchError> {
    let found = engle_granger(y, &[x], Trend::Constant, Lags::Fixed(1)).map_err(failed)?;
    Ok(found.statistic)
}

/// Compares all pairs of some series with both peers.
fn check(series: &[&[f64]]) -> Result<(), BenchError> {
    let few = &series[..series.len().min(30)];
    let mut wrong = None;
    let scan = PairScan::new(few, 1).map_err(failed)?;
    let tell = |found: quant::cointegration::PairFound| {
        let [a, b] = found.series;
        for (ours, y, x) in [(found.statistic[0], a, b), (found.statistic[1], b, a)] {
            let peers = [Ok(statistic(few[y], few[x])), one(few[y], few[x])];
            let is_near = |peer: &f64| (ours - peer).abs() <= NEAR * ours.abs().max(1.0);
            if !peers.iter().flatten().all(is_near) {
                wrong = Some(format!("series {y} by {x}: {ours} instead of {peers:?}"));
            }
        }
    };
    scan.run(tell).map_err(failed)?;
    wrong.map_or(Ok(()), |wrong| Err(BenchError::WrongAnswer(wrong)))
}

/// Walks of which many share a part.
fn walks(count: usize, length: usize) -> Vec<Vec<f64>> {
    let mut random = Random::new(11);
    let mut random = || random.about_zero();
    let mut common = 0.0;
    let mut own = vec![0.0; count];
    let mut walks = vec![Vec::with_capacity(length); count];
    for _ in 0..length {
        common += random();
        for (at, (walk, own)) in walks.iter_mut().zip(&mut own).enumerate() {
            let keep = [0.9, 1.0][at % 2];
            *own = keep * *own + random();
            walk.push(100.0 + common + *own);
        }
    }
    walks
}

/// The statistic of `y` by `x`, as one would write it down: residuals, sums, two equations.
fn statistic(y: &[f64], x: &[f64]) -> f64 {
    let count = y.len() as f64;
    let mean = |xs: &[f64]| xs.iter().sum::<f64>() / count;
    let (mean_y, mean_x) = (mean(y), mean(x));
    let (mut xy, mut xx) = (0.0, 0.0);
    for (y, x) in y.iter().zip(x) {
        xy += (y - mean_y) * (x - mean_x);
        xx += (x - mean_x) * (x - mean_x);
    }
    let hedge = xy / xx;
    let pairs = y.iter().zip(x);
    let residual: Vec<f64> = pairs
        .map(|(y, x)| y - mean_y - hedge * (x - mean_x))
        .collect();
    let mut sums = [0.0; 6];
    for at in residual.windows(3) {
        let (now, lag, level) = (at[2] - at[1], at[1] - at[0], at[1]);
        let products = [
            now * now,
            now * lag,
            now * level,
            lag * lag,
            lag * level,
            level * level,
        ];
        sums.iter_mut().zip(products).for_each(|(sum, x)| *sum += x);
    }
    let [now_now, now_lag, now_level, lag_lag, lag_level, level_level] = sums;
    let own = lag_lag * level_level - lag_level * lag_level;
    let rho = (now_level * lag_lag - now_lag * lag_level) / own;
    let lagged = (now_lag * level_level - now_level * lag_level) / own;
    let left = now_now - rho * now_level - lagged * now_lag;
    let variance = left / (count - 4.0);
    rho / (variance * lag_lag / own).sqrt()
}
