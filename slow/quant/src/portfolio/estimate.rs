//! Covariances from returns.
//!
//! Returns come row by row, an observation of all assets each.

use analytics::arch::Backend;

use super::covariance::ASSETS_MAX;
use crate::Fault;
use crate::fault::{MAGNITUDE_MAX, same_length, series, within};
use crate::linear::Cholesky;

/// Means and covariances.
#[derive(Clone, Debug, PartialEq)]
pub struct Estimate {
    /// Of each asset.
    pub mean: Vec<f64>,
    /// Row by row.
    pub matrix: Vec<f64>,
    /// How much of the target is in the matrix, from 0 to 1.
    pub shrinkage: f64,
}

/// What a sample covariance is shrunk towards.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Target {
    /// The mean variance on the diagonal (O. Ledoit, M. Wolf, Journal of Multivariate Analysis 88,
    /// 2004).
    Identity,
    /// The sample's variances, all correlations the mean one (O. Ledoit, M. Wolf, Journal of
    /// Portfolio Management 30, 2004).
    ConstantCorrelation,
}

/// The sample's means and covariances, divided by one less than the observations.
///
/// # Errors
/// Less than 2 observations, rows that are not whole, numbers that are none.
pub fn sample(returns: &[f64], assets: usize) -> Result<Estimate, Fault> {
    let centred = Centred::new(returns, assets)?;
    let divisor = (centred.rows - 1) as f64;
    Ok(centred.estimate(divisor))
}

/// Exponentially weighted: an observation counts `1 - weight` of the next one; biased, as pandas'
/// `ewm(adjust=True)` with `bias=True`.
///
/// # Errors
/// As those of [`sample`]; a weight that is not between 0 and 1.
pub fn weighted(returns: &[f64], assets: usize, weight: f64) -> Result<Estimate, Fault> {
    within("weight", weight, f64::MIN_POSITIVE, 1.0)?;
    let rows = whole(returns, assets)?;
    let mut shares = vec![1.0; rows];
    for row in (1..rows).rev() {
        shares[row - 1] = shares[row] * (1.0 - weight);
    }
    let all: f64 = shares.iter().sum();
    shares.iter_mut().for_each(|share| *share /= all);
    let column = |asset: usize| returns.iter().skip(asset).step_by(assets);
    let mean = |asset: usize| column(asset).zip(&shares).map(|(x, share)| x * share).sum();
    let mean: Vec<f64> = (0..assets).map(mean).collect();
    let scaled = |asset: usize| -> Vec<f64> {
        let numbers = column(asset).zip(&shares);
        numbers
            .map(|(x, share)| (x - mean[asset]) * share.sqrt())
            .collect()
    };
    let columns = (0..assets).map(scaled).collect();
    let centred = Centred {
        rows,
        mean: mean.clone(),
        columns,
    };
    Ok(centred.estimate(1.0))
}

/// Shrunk towards a target by as much as is best for the squared error, estimated from the sample.
///
/// # Errors
/// As those of [`sample`]; an asset that never moves, for constant correlation.
pub fn ledoit_wolf(returns: &[f64], assets: usize, target: Target) -> Result<Estimate, Fault> {
    let centred = Centred::new(returns, assets)?;
    let rows = centred.rows as f64;
    let mut estimate = centred.estimate(rows);
    let prior = match target {
        Target::Identity => identity(&estimate.matrix, assets),
        Target::ConstantCorrelation => constant_correlation(&estimate.matrix, assets)?,
    };
    let matrix = &estimate.matrix;
    let distance = matrix.iter().zip(&prior).map(|(x, y)| (x - y) * (x - y));
    let distance: f64 = distance.sum();
    let noise = centred.noise(matrix);
    let shared = match target {
        Target::Identity => 0.0,
        Target::ConstantCorrelation => centred.shared_noise(matrix, &prior, &noise),
    };
    let wanted = (noise.iter().sum::<f64>() - shared) / (rows * distance);
    // Without a distance both are the same.
    let share = if distance > 0.0 {
        wanted.clamp(0.0, 1.0)
    } else {
        0.0
    };
    for (x, prior) in estimate.matrix.iter_mut().zip(prior) {
        *x += share * (prior - *x);
    }
    estimate.shrinkage = share;
    Ok(estimate)
}

/// With returns that are missing (NaN): each covariance from the observations that both assets
/// have. As such matrices need not be positive definite, it is shrunk towards its diagonal by the
/// least of 0 and `2^-12` to 1 that makes it so.
///
/// # Errors
/// Rows that are not whole, infinite numbers, two assets with less than 2 observations in common,
/// an asset that never moves.
pub fn pairwise(returns: &[f64], assets: usize) -> Result<Estimate, Fault> {
    within("assets", assets as f64, 1.0, ASSETS_MAX as f64)?;
    same_length("returns", returns.len() % assets, 0)?;
    if let Some(place) = returns.iter().position(|x| x.abs() > MAGNITUDE_MAX) {
        let what = "returns";
        return Err(Fault::NotFinite { what, place });
    }
    let rows = || returns.chunks_exact(assets);
    let mut matrix = vec![0.0; assets * assets];
    let mut mean = vec![0.0; assets];
    for first in 0..assets {
        for second in 0..=first {
            let both = rows().map(|row| (row[first], row[second]));
            let both: Vec<_> = both.filter(|(x, y)| !x.is_nan() && !y.is_nan()).collect();
            let count = both.len();
            within("common observations", count as f64, 2.0, f64::MAX)?;
            let sums = both
                .iter()
                .fold((0.0, 0.0), |sums, (x, y)| (sums.0 + x, sums.1 + y));
            let means = (sums.0 / count as f64, sums.1 / count as f64);
            let products = both.iter().map(|(x, y)| (x - means.0) * (y - means.1));
            let found = products.sum::<f64>() / (count - 1) as f64;
            matrix[first * assets + second] = found;
            matrix[second * assets + first] = found;
            mean[first] = means.0;
        }
    }
    for asset in 0..assets {
        within(
            "variance",
            matrix[asset * assets + asset],
            f64::MIN_POSITIVE,
            f64::MAX,
        )?;
    }
    let shares = std::iter::once(0.0).chain((0..=12).rev().map(|power| 0.5f64.powi(power)));
    let is_good = |share: &f64| is_definite(&matrix, assets, *share);
    let shrinkage = shares.into_iter().find(is_good).unwrap_or(1.0);
    for first in 0..assets {
        for second in (0..assets).filter(|second| *second != first) {
            matrix[first * assets + second] *= 1.0 - shrinkage;
        }
    }
    Ok(Estimate {
        mean,
        matrix,
        shrinkage,
    })
}

fn is_definite(matrix: &[f64], assets: usize, share: f64) -> bool {
    let row = |row: usize| {
        let keep = move |column: usize| if column == row { 1.0 } else { 1.0 - share };
        (0..=row).map(move |column| matrix[row * assets + column] * keep(column))
    };
    Cholesky::new(Backend::best(), assets, row).is_ok()
}

/// How many rows.
fn whole(returns: &[f64], assets: usize) -> Result<usize, Fault> {
    within("assets", assets as f64, 1.0, ASSETS_MAX as f64)?;
    series("returns", returns, 2 * assets)?;
    same_length("returns", returns.len() % assets, 0)?;
    Ok(returns.len() / assets)
}

fn identity(matrix: &[f64], assets: usize) -> Vec<f64> {
    let middle = (0..assets).map(|at| matrix[at * assets + at]).sum::<f64>() / assets as f64;
    let mut prior = vec![0.0; matrix.len()];
    prior
        .iter_mut()
        .step_by(assets + 1)
        .for_each(|x| *x = middle);
    prior
}

fn constant_correlation(matrix: &[f64], assets: usize) -> Result<Vec<f64>, Fault> {
    let deviations: Vec<f64> = (0..assets)
        .map(|at| matrix[at * assets + at].sqrt())
        .collect();
    for deviation in &deviations {
        within("deviation", *deviation, f64::MIN_POSITIVE, f64::MAX)?;
    }
    let scale = |at: usize| deviations[at / assets] * deviations[at % assets];
    let is_pair = |at: &usize| at / assets != at % assets;
    let pairs = (0..matrix.len()).filter(is_pair);
    let sum: f64 = pairs.map(|at| matrix[at] / scale(at)).sum();
    let middle = sum / (assets * (assets - 1)).max(1) as f64;
    let prior = |at: usize| {
        if is_pair(&at) {
            middle * scale(at)
        } else {
            matrix[at]
        }
    };
    Ok((0..matrix.len()).map(prior).collect())
}

/// Returns less their means, asset by asset.
struct Centred {
    rows: usize,
    mean: Vec<f64>,
    columns: Vec<Vec<f64>>,
}

impl Centred {
    fn new(returns: &[f64], assets: usize) -> Result<Self, Fault> {
        let rows = whole(returns, assets)?;
        let column = |asset: usize| returns.iter().skip(asset).step_by(assets);
        let mean = |asset: usize| column(asset).sum::<f64>() / rows as f64;
        let mean: Vec<f64> = (0..assets).map(mean).collect();
        let less = |asset: usize| column(asset).map(|x| x - mean[asset]).collect();
        let columns = (0..assets).map(less).collect();
        Ok(Self {
            rows,
            mean,
            columns,
        })
    }

    fn estimate(&self, divisor: f64) -> Estimate {
        Estimate {
            mean: self.mean.clone(),
            matrix: products(&self.columns, &self.columns, divisor),
            shrinkage: 0.0,
        }
    }

    fn powers(&self, power: i32) -> Vec<Vec<f64>> {
        let raise = |column: &Vec<f64>| column.iter().map(|x| x.powi(power)).collect();
        self.columns.iter().map(raise).collect()
    }

    /// The variances of the products whose means the covariances are.
    fn noise(&self, matrix: &[f64]) -> Vec<f64> {
        let squares = self.powers(2);
        let mut noise = products(&squares, &squares, self.rows as f64);
        noise
            .iter_mut()
            .zip(matrix)
            .for_each(|(x, own)| *x -= own * own);
        noise
    }

    /// How these vary together with the target's.
    fn shared_noise(&self, matrix: &[f64], prior: &[f64], noise: &[f64]) -> f64 {
        let assets = self.columns.len();
        let cubes = products(&self.powers(3), &self.columns, self.rows as f64);
        let own: f64 = noise.iter().step_by(assets + 1).sum();
        let part = |at: usize| {
            let (row, column) = (at / assets, at % assets);
            if row == column {
                return 0.0;
            }
            let variances = [row, column].map(|at| matrix[at * assets + at]);
            let together = cubes[at] - variances[0] * matrix[at];
            prior[at] / variances[0] * together
        };
        own + (0..matrix.len()).map(part).sum::<f64>()
    }
}

fn products(left: &[Vec<f64>], right: &[Vec<f64>], divisor: f64) -> Vec<f64> {
    let backend = Backend::best();
    let row =
        |x: &Vec<f64>| -> Vec<f64> { right.iter().map(|y| backend.dot(x, y) / divisor).collect() };
    left.iter().flat_map(row).collect()
}
