//! Profits and losses of a portfolio over one period: normal returns, and what their tails say.

use analytics::arch::{Backend, Kernel, LANES, Lanes};

use super::gbm::ASSETS_MAX;
use super::grid::Grid;
use super::paths::{Draws, Model};
use crate::fault::{Fault, same_length, series, within};
use crate::linear::lower_triangle;

/// Returns of assets over one period that are normal and correlated: in place of prices a path has
/// its returns, at one time. Payoffs of one's own make profits of them.
#[derive(Clone, Debug)]
pub struct Shocks {
    grid: Grid,
    starts: Vec<f64>,
    mean: Vec<f64>,
    loadings: Vec<f64>,
}

impl Shocks {
    /// By their means, and their covariances row by row.
    ///
    /// # Errors
    /// `Lengths`, `NotFinite`, `Collinear` for covariances that no numbers can have.
    pub fn new(mean: &[f64], covariance: &[f64]) -> Result<Self, Fault> {
        let count = mean.len();
        within("mean: how many", count as f64, 1.0, ASSETS_MAX as f64)?;
        series("mean", mean, 1)?;
        series("covariance", covariance, 1)?;
        same_length("covariance", covariance.len(), count * count)?;
        Ok(Self {
            grid: Grid::even(1.0, 1)?,
            starts: vec![1.0; count],
            mean: mean.to_vec(),
            loadings: lower_triangle("covariance", covariance, count)?,
        })
    }
}

impl Model for Shocks {
    fn grid(&self) -> &Grid {
        &self.grid
    }

    fn starts(&self) -> &[f64] {
        &self.starts
    }

    fn discount(&self) -> f64 {
        1.0
    }

    fn factors(&self) -> usize {
        self.mean.len()
    }

    fn evolve(&self, backend: Backend, draws: Draws<'_>, _: bool, prices: &mut [[f64; LANES]]) {
        backend.run(Evolve(self, draws.normals, prices));
    }
}

struct Evolve<'a>(&'a Shocks, &'a [[f64; LANES]], &'a mut [[f64; LANES]]);

impl Kernel for Evolve<'_> {
    type Output = ();

    #[inline(always)]
    fn run<L: Lanes>(self, lanes: L) {
        let Self(model, normals, returns) = self;
        let rows = model.loadings.chunks_exact(model.mean.len());
        for (at, ((row, mean), to)) in rows.zip(&model.mean).zip(returns).enumerate() {
            let mut sum = lanes.splat(*mean);
            for (loading, normal) in row[..=at].iter().zip(normals) {
                sum = lanes.mul_add(lanes.load(normal), lanes.splat(*loading), sum);
            }
            lanes.store(sum, to);
        }
    }
}

/// What may be lost, by simulated profits, and how far off that may be.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Tail {
    /// A loss that is not exceeded with the asked probability.
    pub value_at_risk: f64,
    /// Its standard error: half of what lies between the losses one deviation of the number of
    /// losses beyond away.
    pub value_at_risk_error: f64,
    /// What is lost on average beyond it.
    pub shortfall: f64,
    /// Its standard error (J. Hong, G. Liu 2014).
    pub shortfall_error: f64,
}

/// The tail of independent profits, which are sorted: losses are above 0. `probability` is that of
/// no greater loss, 0.99 for one in a hundred.
///
/// # Errors
/// `TooShort` for fewer than 100 profits or 10 losses beyond, `NotFinite`, `Outside`.
pub fn tail(profits: &mut [f64], probability: f64) -> Result<Tail, Fault> {
    series("profits", profits, 100)?;
    within("probability", probability, 0.5, 0.999_999)?;
    let count = profits.len() as f64;
    let beyond = count * (1.0 - probability);
    if beyond < 10.0 {
        return Err(Fault::TooShort {
            what: "profits",
            found: profits.len(),
            needed: (10.0 / (1.0 - probability)).ceil() as usize,
        });
    }
    profits.sort_unstable_by(f64::total_cmp);
    // The least profit comes first.
    let loss = |place: f64| -profits[(place.max(0.0) as usize).min(profits.len() - 1)];
    let value_at_risk = loss(beyond);
    let spread = (beyond * probability).sqrt();
    let worse = &profits[..beyond as usize];
    let mean = -worse.iter().sum::<f64>() / worse.len() as f64;
    let square = |profit: &f64| (-profit - mean).powi(2);
    let variance = worse.iter().map(square).sum::<f64>() / (worse.len() as f64 - 1.0);
    let apart = mean - value_at_risk;
    Ok(Tail {
        value_at_risk,
        value_at_risk_error: (loss(beyond - spread) - loss(beyond + spread)) / 2.0,
        shortfall: mean,
        shortfall_error: ((variance + probability * apart * apart) / beyond).sqrt(),
    })
}
