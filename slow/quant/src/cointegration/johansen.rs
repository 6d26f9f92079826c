//! Johansen's test for how many ways series are cointegrated (Econometrica 59, 1991).
//!
//! Eigenvalues are squared canonical correlations of differences and lagged levels, both without
//! what constant and lagged differences explain. One triangle of all columns has both residuals in
//! its corner; singular values of a quotient of its blocks are the correlations.

use super::regression::Trend;
use super::tables::{CRITICAL_SERIES_MAX, JOHANSEN_MAX, JOHANSEN_TRACE};
use crate::Fault;
use crate::fault::{moving, same_length, series as checked, within};
use crate::linear::{Columns, Triangle, singular};

/// The most series at once.
pub const SERIES_MAX: usize = CRITICAL_SERIES_MAX;
/// The most lagged differences.
const LAGS_MAX: usize = 32;

/// How sure to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Level {
    /// 90 %.
    P90,
    /// 95 %.
    P95,
    /// 99 %.
    P99,
}

/// What Johansen's test found. Each list has as many entries as there are series; entry `r` of a
/// statistic is for "at most `r` relations".
#[derive(Clone, Debug, PartialEq)]
pub struct Johansen {
    /// Greatest first, from 0 to 1.
    pub eigenvalues: Vec<f64>,
    /// For each eigenvalue, what to hold of each series; scaled so that the spread's residual has a
    /// mean square of 1.
    pub vectors: Vec<Vec<f64>>,
    /// The trace statistic.
    pub trace: Vec<f64>,
    /// The greatest eigenvalue's statistic.
    pub greatest: Vec<f64>,
    /// Critical values of the trace statistic at 90, 95 and 99 %.
    pub trace_critical: Vec<[f64; 3]>,
    /// Critical values of the greatest eigenvalue's statistic.
    pub greatest_critical: Vec<[f64; 3]>,
}

impl Johansen {
    /// How many relations there are by the trace statistic: the first number that is not refused.
    #[must_use]
    pub fn rank(&self, level: Level) -> usize {
        let beyond = |(found, critical): &(&f64, &[f64; 3])| **found > critical[level as usize];
        let all = self.trace.iter().zip(&self.trace_critical);
        all.take_while(beyond).count()
    }
}

/// Tests series for cointegration with `lags` lagged differences. `trend` is taken off the levels;
/// with one, differences have a constant.
///
/// # Errors
/// Less than 1 or more than 12 series, series of different lengths, constant, too short for the
/// lags, or of which one follows from the others.
pub fn johansen(series: &[&[f64]], trend: Trend, lags: usize) -> Result<Johansen, Fault> {
    let count = series.len();
    within("series", count as f64, 1.0, SERIES_MAX as f64)?;
    within("lags", lags as f64, 0.0, LAGS_MAX as f64)?;
    let (length, fixed) = (series[0].len(), trend.terms().min(1) + count * lags);
    for one in series {
        checked("series", one, fixed + 2 * count + lags + 2)?;
        same_length("series", one.len(), length)?;
        moving("series", one)?;
    }
    let rows = length - lags - 1;
    let triangle = regressed(series, trend, lags, rows)?;
    let (quotient, lower) = quotient(&triangle, fixed, count)?;
    let pairs = singular(quotient);
    let eigenvalues: Vec<f64> = pairs.iter().map(|(root, _)| root * root).collect();
    let scale = (rows as f64).sqrt();
    let vectors = pairs.into_iter().map(|(_, mut vector)| {
        lower.back(&mut vector);
        vector.iter_mut().for_each(|x| *x *= scale);
        vector
    });
    let vectors = vectors.collect();
    let logs = eigenvalues.iter().map(|x| -(rows as f64) * (-x).ln_1p());
    let greatest: Vec<f64> = logs.collect();
    if greatest.iter().any(|x| !x.is_finite()) {
        return Err(Fault::Exact { what: "Johansen" });
    }
    let table = |all: &[[[f64; 3]; SERIES_MAX]; 3]| {
        let left = all[trend.terms()][..count].iter().rev();
        left.copied().collect()
    };
    Ok(Johansen {
        trace: (0..count).map(|r| greatest[r..].iter().sum()).collect(),
        trace_critical: table(&JOHANSEN_TRACE),
        greatest_critical: table(&JOHANSEN_MAX),
        eigenvalues,
        vectors,
        greatest,
    })
}

/// Constant, lagged differences, differences, levels: their triangle.
fn regressed(series: &[&[f64]], trend: Trend, lags: usize, rows: usize) -> Result<Triangle, Fault> {
    let difference = |one: &[f64], lag: usize| -> Vec<f64> {
        let pairs = one[lags - lag..].windows(2).take(rows);
        pairs.map(|pair| pair[1] - pair[0]).collect()
    };
    let mut columns = Columns::new(rows);
    if trend != Trend::None {
        columns.push((0..rows).map(|_| 1.0));
    }
    for lag in (1..=lags).chain([0]) {
        for one in series {
            columns.push(difference(one, lag));
        }
    }
    for one in series {
        // A constant in the levels goes with that of the regression; a trend has to be taken off.
        let slope = if trend == Trend::Linear {
            slope(one)
        } else {
            0.0
        };
        let level = |(at, x): (usize, &f64)| x - slope * at as f64;
        columns.push(one.iter().enumerate().skip(1).take(rows).map(level));
    }
    columns.triangle("Johansen", 0)
}

/// By how much a series grows each step, by least squares.
fn slope(series: &[f64]) -> f64 {
    let middle = (series.len() - 1) as f64 / 2.0;
    let mean = series.iter().sum::<f64>() / series.len() as f64;
    let about = series.iter().enumerate();
    let (mut products, mut squares) = (0.0, 0.0);
    for (at, x) in about {
        let time = at as f64 - middle;
        products += time * (x - mean);
        squares += time * time;
    }
    products / squares
}

/// With the residuals of differences as an orthogonal basis, those of levels are the corner's last
/// columns, Q R: the first rows of Q, column by column, and R.
fn quotient(
    triangle: &Triangle,
    fixed: usize,
    count: usize,
) -> Result<(Vec<Vec<f64>>, Triangle), Fault> {
    let level = fixed + count;
    let corner = |column: usize| {
        let filled = move |row: usize| {
            if row <= column {
                triangle.at(row, column)
            } else {
                0.0
            }
        };
        (fixed..fixed + 2 * count).map(filled)
    };
    let mut columns = Columns::new(2 * count);
    (level..level + count).for_each(|column| columns.push(corner(column)));
    let lower = columns.triangle("Johansen", 0)?;
    // T R = B, column by column, for the first rows B.
    let mut found: Vec<Vec<f64>> = Vec::new();
    for column in 0..count {
        let mut next: Vec<f64> = corner(level + column).take(count).collect();
        for (k, known) in found.iter().enumerate() {
            let factor = lower.at(k, column);
            next.iter_mut()
                .zip(known)
                .for_each(|(x, y)| *x -= factor * y);
        }
        let own = lower.at(column, column);
        next.iter_mut().for_each(|x| *x /= own);
        found.push(next);
    }
    Ok((found, lower))
}
