//! The augmented Dickey-Fuller test for a unit root.
//!
//! `dx[t] = terms + rho * x[t-1] + sum of c[i] * dx[t-i] + e[t]`; the statistic is rho by its
//! standard error (D. Dickey, W. Fuller, Journal of the American Statistical Association 74, 1979;
//! S. Said, D. Dickey, Biometrika 71, 1984).

use super::regression::Trend;
use super::surface::{critical, p_value};
use crate::Fault;
use crate::fault::{moving, series as checked, within};
use crate::linear::{Columns, Triangle};

/// More lags are refused: a factorisation of so many columns is slow, and means nothing.
pub const LAGS_MAX: usize = 128;

/// How many lagged differences a regression has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lags {
    /// So many.
    Fixed(usize),
    /// The number whose criterion is least, all judged by the same observations; ties go to fewer.
    Best {
        /// By what.
        by: Criterion,
        /// Up to so many; Schwert's rule if none are named, `ceil(12 * (n / 100)^(1/4))`.
        most: Option<usize>,
    },
}

/// What a number of lags is judged by: less is better.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Criterion {
    /// Akaike's: two for each coefficient.
    Aic,
    /// Schwarz's: the logarithm of the number of observations for each coefficient.
    Bic,
}

/// What a Dickey-Fuller test found.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Adf {
    /// The t-value of the level: the further below 0, the less a unit root.
    pub statistic: f64,
    /// The probability of a lesser one if there is a unit root, after MacKinnon (1994).
    pub p_value: f64,
    /// Lagged differences that were used.
    pub lags: usize,
    /// Observations that were used.
    pub observations: usize,
    /// Critical values at 1, 5 and 10 %, after MacKinnon (2010).
    pub critical: [f64; 3],
}

/// Tests a series for a unit root.
///
/// # Errors
/// A series that is constant, too short for its lags, has numbers that are none, or follows its
/// regression without any residual.
pub fn adf(series: &[f64], trend: Trend, lags: Lags) -> Result<Adf, Fault> {
    checked("series", series, 0)?;
    let (statistic, lags, observations) = dickey_fuller(series, trend, lags)?;
    let outside = Fault::TooShort {
        what: "series",
        found: series.len(),
        needed: 1,
    };
    Ok(Adf {
        statistic,
        p_value: p_value(statistic, trend, 1).ok_or(outside)?,
        lags,
        observations,
        critical: critical(trend, 1, observations).ok_or(outside)?,
    })
}

/// Statistic, lags and observations.
pub(super) fn dickey_fuller(
    series: &[f64],
    trend: Trend,
    lags: Lags,
) -> Result<(f64, usize, usize), Fault> {
    let limit = limit(series.len(), trend)?;
    moving("series", series)?;
    let lags = match lags {
        Lags::Fixed(lags) => bounded(lags, limit)?,
        Lags::Best { by, most } => {
            let most = most.map_or(Ok(schwert(series.len()).min(limit)), |most| {
                bounded(most, limit)
            })?;
            best(series, trend, by, most)?
        }
    };
    let rows = series.len() - 1 - lags;
    let mut columns = Columns::new(rows);
    trend.push(&mut columns, rows);
    (1..=lags).for_each(|lag| columns.push(differences(series, lags, lag)));
    columns.push(levels(series, lags));
    let count = trend.terms() + lags + 1;
    let triangle = columns.triangle_with_last(differences(series, lags, 0), "Dickey-Fuller")?;
    let statistic = last_t_value(&triangle, count, rows);
    if statistic.is_finite() {
        return Ok((statistic, lags, rows));
    }
    Err(Fault::Exact {
        what: "Dickey-Fuller",
    })
}

/// The t-value of the last of `count` regressors: its coefficient and its error have the same
/// divisor, the last number on the diagonal.
fn last_t_value(triangle: &Triangle, count: usize, rows: usize) -> f64 {
    let last = count - 1;
    let variance = triangle.left(count, count) / (rows - count) as f64;
    triangle.at(last, count) * triangle.at(last, last).signum() / variance.sqrt()
}

/// The most lags that a length allows: observations must outnumber coefficients.
fn limit(length: usize, trend: Trend) -> Result<usize, Fault> {
    let terms = trend.terms();
    let by_half = (length / 2).checked_sub(terms + 1);
    let by_rows = length.checked_sub(terms + 3).map(|rest| rest / 2);
    let limit = by_half.zip(by_rows).map(|(half, rows)| half.min(rows));
    limit
        .map(|limit| limit.min(LAGS_MAX))
        .ok_or(Fault::TooShort {
            what: "series",
            found: length,
            needed: 2 * (terms + 1).max(2),
        })
}

fn bounded(lags: usize, limit: usize) -> Result<usize, Fault> {
    within("lags", lags as f64, 0.0, limit as f64)?;
    Ok(lags)
}

fn schwert(length: usize) -> usize {
    (12.0 * (length as f64 / 100.0).powf(0.25)).ceil() as usize
}

/// `dx[t - lag]` for all t that have `lags` differences before them.
fn differences(series: &[f64], lags: usize, lag: usize) -> impl Iterator<Item = f64> {
    let rows = series.len() - 1 - lags;
    let pairs = series[lags - lag..].windows(2).take(rows);
    pairs.map(|pair| pair[1] - pair[0])
}

/// `x[t - 1]` for the same t.
fn levels(series: &[f64], lags: usize) -> impl Iterator<Item = f64> {
    series[lags..series.len() - 1].iter().copied()
}

/// The number of lags whose criterion is least: one triangle has the residuals of all.
fn best(series: &[f64], trend: Trend, by: Criterion, most: usize) -> Result<usize, Fault> {
    let rows = series.len() - 1 - most;
    let mut columns = Columns::new(rows);
    trend.push(&mut columns, rows);
    columns.push(levels(series, most));
    (1..=most).for_each(|lag| columns.push(differences(series, most, lag)));
    let triangle = columns.triangle_with_last(differences(series, most, 0), "Dickey-Fuller")?;
    let observed = trend.terms() + 1 + most;
    let judged = (0..=most).map(|lags| {
        let count = trend.terms() + 1 + lags;
        let squares = triangle.left(observed, count);
        criterion(by, squares, rows as f64, count as f64)
    });
    let first = (0, f64::INFINITY);
    let least = judged.enumerate().fold(first, |least, (lags, value)| {
        if value < least.1 {
            (lags, value)
        } else {
            least
        }
    });
    Ok(least.0)
}

/// `-2 * log likelihood` of normal residuals, and a price for each coefficient.
fn criterion(by: Criterion, squares: f64, rows: f64, count: f64) -> f64 {
    let price = match by {
        Criterion::Aic => 2.0,
        Criterion::Bic => rows.ln(),
    };
    let scale = std::f64::consts::TAU * squares / rows;
    rows * (scale.ln() + 1.0) + price * count
}
