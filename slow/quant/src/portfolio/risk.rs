//! What a portfolio may lose, and what makes it.

use super::covariance::Covariance;
use crate::Fault;
use crate::distribution::{normal_density, normal_quantile};
use crate::fault::{same_length, series, within};

/// Losses beyond which little lies.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct TailLoss {
    /// Value at risk: the loss that is not exceeded with the level's probability.
    pub value_at_risk: f64,
    /// Expected shortfall: the mean loss in the worst cases, as many as the level leaves.
    pub shortfall: f64,
}

/// From gains that were made. The value at risk is the `ceil(level * n)`-th smallest loss; the
/// shortfall weighs the case on the edge by its part (C. Acerbi, D. Tasche, Journal of Banking and
/// Finance 26, 2002).
///
/// # Errors
/// No gains, numbers that are none, a level outside 0.5 to 0.9999.
pub fn historical(gains: &[f64], level: f64) -> Result<TailLoss, Fault> {
    series("gains", gains, 1)?;
    check(level)?;
    let mut losses: Vec<f64> = gains.iter().map(|gain| -gain).collect();
    losses.sort_by(f64::total_cmp);
    let count = losses.len() as f64;
    let edge = ((level * count).ceil() as usize).clamp(1, losses.len());
    let value_at_risk = losses[edge - 1];
    let beyond: f64 = losses[edge..].iter().sum();
    let part = edge as f64 - level * count;
    Ok(TailLoss {
        value_at_risk,
        shortfall: (beyond + part * value_at_risk) / (count * (1.0 - level)),
    })
}

/// Of gains that are normal.
///
/// # Errors
/// Numbers that are none, a deviation below 0, a level outside 0.5 to 0.9999.
pub fn gaussian(mean: f64, deviation: f64, level: f64) -> Result<TailLoss, Fault> {
    series("mean", &[mean], 1)?;
    within("deviation", deviation, 0.0, f64::MAX)?;
    check(level)?;
    let edge = normal_quantile(level);
    Ok(TailLoss {
        value_at_risk: edge * deviation - mean,
        shortfall: normal_density(edge) / (1.0 - level) * deviation - mean,
    })
}

fn check(level: f64) -> Result<(), Fault> {
    within("level", level, 0.5, 0.9999)
}

/// How much of the deviation each asset makes: together they are all of it (Euler).
///
/// # Errors
/// As many weights as assets are needed; numbers that are none; nothing held.
pub fn contributions(covariance: &Covariance<'_>, weights: &[f64]) -> Result<Vec<f64>, Fault> {
    series("weights", weights, 0)?;
    same_length("weights", weights.len(), covariance.count())?;
    let held = covariance.times(weights);
    let parts = held.iter().zip(weights).map(|(held, weight)| held * weight);
    let parts: Vec<f64> = parts.collect();
    let variance: f64 = parts.iter().sum();
    within("variance", variance, f64::MIN_POSITIVE, f64::MAX)?;
    let deviation = variance.sqrt();
    Ok(parts.into_iter().map(|part| part / deviation).collect())
}

/// What scenarios would gain, each a return of every asset, row by row.
///
/// # Errors
/// Rows that are not whole, numbers that are none.
pub fn stress(weights: &[f64], scenarios: &[f64]) -> Result<Vec<f64>, Fault> {
    series("weights", weights, 1)?;
    series("scenarios", scenarios, 0)?;
    same_length("scenarios", scenarios.len() % weights.len(), 0)?;
    let gain = |row: &[f64]| row.iter().zip(weights).map(|(x, weight)| x * weight).sum();
    Ok(scenarios.chunks_exact(weights.len()).map(gain).collect())
}

/// The worst fall from a peak.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Drawdown {
    /// As a part of the peak.
    pub depth: f64,
    /// Where the peak was.
    pub peak: usize,
    /// Where the fall ended; the first of equal ones.
    pub trough: usize,
}

/// Finds the worst fall of a portfolio's value.
///
/// # Errors
/// No values, numbers that are none or not above 0.
pub fn drawdown(values: &[f64]) -> Result<Drawdown, Fault> {
    series("values", values, 1)?;
    let mut worst = Drawdown {
        depth: 0.0,
        peak: 0,
        trough: 0,
    };
    let mut peak = 0;
    for (at, value) in values.iter().enumerate() {
        within("value", *value, f64::MIN_POSITIVE, f64::MAX)?;
        if *value > values[peak] {
            peak = at;
        }
        let depth = 1.0 - value / values[peak];
        if depth > worst.depth {
            worst = Drawdown {
                depth,
                peak,
                trough: at,
            };
        }
    }
    Ok(worst)
}
