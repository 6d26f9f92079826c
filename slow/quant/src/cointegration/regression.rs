//! Ordinary least squares.

use crate::Fault;
use crate::fault::{same_length, series};
use crate::linear::Columns;

/// Which deterministic terms a regression has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trend {
    /// None.
    None,
    /// A constant.
    Constant,
    /// A constant and the number of the observation, from 1.
    Linear,
}

impl Trend {
    /// How many terms that is.
    #[must_use]
    pub fn terms(self) -> usize {
        match self {
            Self::None => 0,
            Self::Constant => 1,
            Self::Linear => 2,
        }
    }

    /// Adds the terms' columns.
    pub(super) fn push(self, columns: &mut Columns, rows: usize) {
        if self != Self::None {
            columns.push((0..rows).map(|_| 1.0));
        }
        if self == Self::Linear {
            columns.push((1..=rows).map(|row| row as f64));
        }
    }
}

/// A linear regression.
#[derive(Clone, Debug, PartialEq)]
pub struct Ols {
    /// Constant and trend, as far as there are, then those of the regressors.
    pub coefficients: Vec<f64>,
    /// Their standard errors.
    pub errors: Vec<f64>,
    /// What is not explained.
    pub residuals: Vec<f64>,
    /// The sum of its squares.
    pub squares: f64,
    /// The share of squares that is explained (R^2): about the mean if there is a constant, else
    /// about 0.
    pub explained: f64,
}

/// Regresses `y` on `xs` by least squares.
///
/// # Errors
/// Series of different lengths, no more observations than coefficients, numbers that are none,
/// regressors of which one follows from the others.
pub fn ols(y: &[f64], xs: &[&[f64]], trend: Trend) -> Result<Ols, Fault> {
    let count = trend.terms() + xs.len();
    series("y", y, count + 1)?;
    for x in xs {
        series("x", x, 0)?;
        same_length("x", x.len(), y.len())?;
    }
    let mut columns = Columns::new(y.len());
    trend.push(&mut columns, y.len());
    xs.iter().for_each(|x| columns.push(x.iter().copied()));
    let triangle = columns.triangle_with_last(y.iter().copied(), "regression")?;
    let coefficients = triangle.solve(count, count);
    let residuals: Vec<f64> = (0..y.len())
        .map(|row| y[row] - fitted(&coefficients, xs, trend, row))
        .collect();
    let squares: f64 = residuals.iter().map(|x| x * x).sum();
    let variance = squares / (y.len() - count) as f64;
    let errors = triangle.variances(count).into_iter();
    Ok(Ols {
        errors: errors.map(|own| (own * variance).sqrt()).collect(),
        explained: 1.0 - squares / squares_about(y, trend),
        coefficients,
        residuals,
        squares,
    })
}

fn fitted(coefficients: &[f64], xs: &[&[f64]], trend: Trend, row: usize) -> f64 {
    let terms = [1.0, (row + 1) as f64];
    let terms = terms.into_iter().take(trend.terms());
    let all = terms.chain(xs.iter().map(|x| x[row]));
    coefficients.iter().zip(all).map(|(b, x)| b * x).sum()
}

/// Squares about the mean, or about 0 without a constant.
fn squares_about(y: &[f64], trend: Trend) -> f64 {
    let mean = match trend {
        Trend::None => 0.0,
        _ => y.iter().sum::<f64>() / y.len() as f64,
    };
    y.iter().map(|y| (y - mean) * (y - mean)).sum()
}
