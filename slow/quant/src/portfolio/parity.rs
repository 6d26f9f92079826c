//! Risk parity: each asset makes the share of the risk that it is given.
//!
//! The least of `x'Sx / 2 - sum of b[i] * ln x[i]` has `x[i] * (Sx)[i] = b[i]` (F. Spinu, 2013). It
//! is found one asset at a time, each by a quadratic equation (T. Griveau-Billion, J.-C. Richard,
//! T. Roncalli, 2013).

use super::covariance::Covariance;
use crate::Fault;
use crate::fault::{same_length, series, within};

/// Turns over all assets after which it is given up.
const TURNS_MAX: usize = 10_000;
/// How near shares must be, of the least one.
const NEAR: f64 = 1e-12;

/// A portfolio by shares of risk.
#[derive(Clone, Debug, PartialEq)]
pub struct Parity {
    /// How much of each asset: all above 0, together 1.
    pub weights: Vec<f64>,
    /// By how much an asset's share of the variance misses what it was given, at worst.
    pub error: f64,
    /// Turns over all assets.
    pub turns: usize,
}

/// Finds the long-only portfolio in which assets make shares of the variance in proportion to
/// `budgets`.
///
/// # Errors
/// As many budgets as assets are needed, each above 0; a matrix that is not positive definite.
pub fn risk_parity(covariance: &Covariance<'_>, budgets: &[f64]) -> Result<Parity, Fault> {
    let count = covariance.count();
    series("budgets", budgets, 0)?;
    same_length("budgets", budgets.len(), count)?;
    let whole: f64 = budgets.iter().sum();
    for budget in budgets {
        within("budget's part", budget / whole, 1e-9, 1.0)?;
    }
    let budgets: Vec<f64> = budgets.iter().map(|budget| budget / whole).collect();
    let least = budgets.iter().copied().fold(1.0, f64::min);
    let variances: Vec<f64> = (0..count).map(|asset| covariance.variance(asset)).collect();
    let start = |asset: usize| (budgets[asset] / variances[asset]).sqrt();
    let mut x: Vec<f64> = (0..count).map(start).collect();
    for turns in 1..=TURNS_MAX {
        let held = covariance.times(&x);
        let error = error(&x, &held, &budgets);
        if error <= NEAR * least {
            let all: f64 = x.iter().sum();
            x.iter_mut().for_each(|x| *x /= all);
            let weights = x;
            return Ok(Parity {
                weights,
                error,
                turns,
            });
        }
        turn(covariance, &mut x, held, &variances, &budgets);
    }
    Err(Fault::Unsettled {
        what: "risk parity",
        steps: TURNS_MAX,
    })
}

/// By how much shares of the variance miss their budgets at worst.
fn error(x: &[f64], held: &[f64], budgets: &[f64]) -> f64 {
    let variance: f64 = x.iter().zip(held).map(|(x, held)| x * held).sum();
    let shares = x.iter().zip(held).map(|(x, held)| x * held / variance);
    let misses = shares
        .zip(budgets)
        .map(|(share, budget)| (share - budget).abs());
    misses.fold(0.0, |most, miss| {
        if miss > most || miss.is_nan() {
            miss
        } else {
            most
        }
    })
}

/// One turn: each asset's equation is solved with the others as they are.
fn turn(
    covariance: &Covariance<'_>,
    x: &mut [f64],
    mut held: Vec<f64>,
    variances: &[f64],
    budgets: &[f64],
) {
    for asset in 0..x.len() {
        let own = variances[asset];
        let others = held[asset] - own * x[asset];
        let root = (others * others + 4.0 * own * budgets[asset]).sqrt();
        // Of the two forms the one that does not take a number from a near one.
        let next = if others > 0.0 {
            2.0 * budgets[asset] / (others + root)
        } else {
            (root - others) / (2.0 * own)
        };
        covariance.add(asset, next - x[asset], &mut held);
        x[asset] = next;
    }
}
