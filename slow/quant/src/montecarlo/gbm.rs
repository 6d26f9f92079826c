//! Geometric Brownian motion, of one asset or of several that are correlated, and what options on
//! one are worth in closed form.

use analytics::arch::{Backend, Kernel, LANES, Lanes};

use super::ends::Ends;
use super::functions::exp;
use super::grid::Grid;
use super::paths::{Draws, Model};
use super::payoff::Kind;
use crate::distribution::normal_below;
use crate::fault::{Fault, same_length, series, within};
use crate::linear::lower_triangle;

/// Assets of a model at most.
pub const ASSETS_MAX: usize = 1_024;
/// What an asset is worth at most, and at least.
const PRICE_MAX: f64 = 1e12;
const PRICE_MIN: f64 = 1e-9;

/// An asset whose logarithm is a Brownian motion.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Asset {
    /// Its price now.
    pub start: f64,
    /// What it pays out, a year and as a part of it, compounded all the time.
    pub dividend: f64,
    /// The deviation of its logarithm in a year.
    pub volatility: f64,
}

/// `dS = (rate - dividend) S dt + volatility S dW`, simulated exactly: step by step, with no error
/// of their length.
#[derive(Clone, Debug)]
pub struct Gbm {
    grid: Grid,
    rate: f64,
    assets: Vec<Asset>,
    starts: Vec<f64>,
    /// Row by row: what the logarithms get of normal numbers in a year.
    loadings: Vec<f64>,
    /// What they get besides, a year.
    drifts: Vec<f64>,
}

impl Asset {
    pub(super) fn check(&self) -> Result<(), Fault> {
        within("start", self.start, PRICE_MIN, PRICE_MAX)?;
        within("dividend", self.dividend, -10.0, 10.0)?;
        within("volatility", self.volatility, 0.0, 10.0)
    }
}

impl Gbm {
    /// One asset; what is paid later counts less by `rate`, a year, compounded all the time.
    ///
    /// # Errors
    /// `Outside`, with the argument.
    pub fn new(asset: Asset, rate: f64, grid: Grid) -> Result<Self, Fault> {
        Self::correlated(&[asset], &[1.0], rate, grid)
    }

    /// Assets whose Brownian motions are correlated, row by row.
    ///
    /// # Errors
    /// `Outside` with the argument, `Collinear` for correlations that no numbers can have.
    pub fn correlated(
        assets: &[Asset],
        correlations: &[f64],
        rate: f64,
        grid: Grid,
    ) -> Result<Self, Fault> {
        let count = assets.len();
        within("assets", count as f64, 1.0, ASSETS_MAX as f64)?;
        within("rate", rate, -10.0, 10.0)?;
        assets.iter().try_for_each(Asset::check)?;
        check_correlations(correlations, count)?;
        let mut loadings = lower_triangle("correlations", correlations, count)?;
        for (row, asset) in loadings.chunks_exact_mut(count).zip(assets) {
            row.iter_mut().for_each(|x| *x *= asset.volatility);
        }
        let drift =
            |asset: &Asset| rate - asset.dividend - asset.volatility * asset.volatility / 2.0;
        Ok(Self {
            starts: assets.iter().map(|asset| asset.start).collect(),
            drifts: assets.iter().map(drift).collect(),
            assets: assets.to_vec(),
            grid,
            rate,
            loadings,
        })
    }

    /// The same assets, looked at at the end alone: for options on last prices that is all.
    #[must_use]
    pub fn at_end(&self) -> Self {
        Self {
            grid: self.grid.at_end(),
            ..self.clone()
        }
    }

    /// What an asset will be worth on average at the end, and the variance of that.
    ///
    /// # Panics
    /// If there is no such asset.
    #[must_use]
    pub fn terminal_moments(&self, asset: usize) -> (f64, f64) {
        let Asset {
            start,
            dividend,
            volatility,
        } = self.assets[asset];
        let years = self.grid.end();
        let mean = start * ((self.rate - dividend) * years).exp();
        (
            mean,
            mean * mean * (volatility * volatility * years).exp_m1(),
        )
    }

    /// A European option on the first asset (F. Black, M. Scholes 1973; R. Merton 1973).
    #[must_use]
    pub fn european(&self, kind: Kind, strike: f64) -> f64 {
        let (forward, _) = self.terminal_moments(0);
        let years = self.grid.end();
        let deviation = self.assets[0].volatility * years.sqrt();
        self.discount() * black(kind, forward, strike, deviation)
    }

    /// An option on the geometric average of the first asset's prices at the grid's times, which is
    /// lognormal as they are (A. Kemna, A. Vorst 1990).
    #[must_use]
    pub fn geometric_asian(&self, kind: Kind, strike: f64) -> f64 {
        let (mean, deviation) = self.geometric_log();
        let forward = (mean + deviation * deviation / 2.0).exp();
        self.discount() * black(kind, forward, strike, deviation)
    }

    /// Mean and deviation of the logarithm of the geometric average of the first asset's prices.
    pub(super) fn geometric_log(&self) -> (f64, f64) {
        let Asset {
            start, volatility, ..
        } = self.assets[0];
        let times = self.grid.times();
        let count = times.len() as f64;
        let mean_time = times.iter().sum::<f64>() / count;
        // The covariance of two times is the earlier one: it is that of all later ones, too.
        let later = |place: usize| (2 * (times.len() - place) - 1) as f64;
        let shared: f64 = times
            .iter()
            .enumerate()
            .map(|(at, time)| time * later(at))
            .sum();
        let deviation = volatility * shared.sqrt() / count;
        (start.ln() + self.drifts[0] * mean_time, deviation)
    }

    /// What the first asset will be worth on average.
    pub(super) fn forward(&self, years: f64) -> f64 {
        self.assets[0].start * ((self.rate - self.assets[0].dividend) * years).exp()
    }

    pub(super) fn volatility(&self) -> f64 {
        self.assets[0].volatility
    }

    /// What an asset's logarithm gets of each asset's normal number in a year.
    pub(super) fn loadings_of(&self, asset: usize) -> &[f64] {
        let count = self.assets.len();
        &self.loadings[asset * count..][..count]
    }

    /// What an asset's logarithm gets besides, a year.
    pub(super) fn drift(&self, asset: usize) -> f64 {
        self.drifts[asset]
    }
}

/// What an option on a lognormal number is worth when it is exercised.
pub(super) fn black(kind: Kind, forward: f64, strike: f64, deviation: f64) -> f64 {
    if deviation == 0.0 || strike == 0.0 {
        return match kind {
            Kind::Call => (forward - strike).max(0.0),
            Kind::Put => (strike - forward).max(0.0),
        };
    }
    let above = (forward / strike).ln() / deviation + deviation / 2.0;
    let below = above - deviation;
    match kind {
        Kind::Call => forward * normal_below(above) - strike * normal_below(below),
        Kind::Put => strike * normal_below(-below) - forward * normal_below(-above),
    }
}

fn check_correlations(correlations: &[f64], count: usize) -> Result<(), Fault> {
    same_length("correlations", correlations.len(), count * count)?;
    series("correlations", correlations, 1)?;
    for row in 0..count {
        for column in 0..=row {
            let found = correlations[row * count + column];
            let most = if row == column { 1.0 } else { found };
            within("correlations: the diagonal", found, most, most)?;
            within("correlations", found, -1.0, 1.0)?;
            let mirrored = correlations[column * count + row];
            within("correlations: the upper half", mirrored, found, found)?;
        }
    }
    Ok(())
}

impl Model for Gbm {
    fn grid(&self) -> &Grid {
        &self.grid
    }

    fn starts(&self) -> &[f64] {
        &self.starts
    }

    fn discount(&self) -> f64 {
        self.grid.discount(self.rate)
    }

    fn factors(&self) -> usize {
        self.assets.len()
    }

    fn ends(&self) -> Option<Ends> {
        let [start] = self.starts[..] else {
            return None;
        };
        let volatility = self.assets[0].volatility;
        Some(Ends {
            start,
            time: self.grid.end(),
            drift: self.drifts[0] * self.grid.end(),
            weights: self
                .grid
                .lengths()
                .map(|years| volatility * years.sqrt())
                .collect(),
        })
    }

    fn evolve(
        &self,
        backend: Backend,
        draws: Draws<'_>,
        last_only: bool,
        prices: &mut [[f64; LANES]],
    ) {
        backend.run(Evolve {
            model: self,
            normals: draws.normals,
            last_only,
            prices,
        });
    }
}

struct Evolve<'a> {
    model: &'a Gbm,
    normals: &'a [[f64; LANES]],
    last_only: bool,
    prices: &'a mut [[f64; LANES]],
}

impl Kernel for Evolve<'_> {
    type Output = ();

    #[inline(always)]
    fn run<L: Lanes>(self, lanes: L) {
        let Self {
            model,
            normals,
            last_only,
            prices,
        } = self;
        let count = model.starts.len();
        let steps = normals.chunks_exact(count);
        let mut past: Option<&[[f64; LANES]]> = None;
        let mut rest = &mut *prices;
        // Logarithms of what has become of one unit.
        for (years, normals) in model.grid.lengths().zip(steps) {
            let (now, later) = std::mem::take(&mut rest).split_at_mut(count);
            let root = lanes.splat(years.sqrt());
            for (asset, to) in now.iter_mut().enumerate() {
                let row = &model.loadings[asset * count..][..=asset];
                let mut moved = lanes.splat(0.0);
                for (loading, normal) in row.iter().zip(normals) {
                    moved = lanes.mul_add(lanes.load(normal), lanes.splat(*loading), moved);
                }
                let mut sum = lanes.splat(model.drifts[asset] * years);
                if let Some(past) = past {
                    sum = lanes.add(sum, lanes.load(&past[asset]));
                }
                lanes.store(lanes.mul_add(moved, root, sum), to);
            }
            past = Some(now);
            rest = later;
        }
        to_prices(lanes, &model.starts, last_only, prices);
    }
}

/// Makes prices of logarithms of what has become of one unit.
#[inline(always)]
pub(super) fn to_prices<L: Lanes>(
    lanes: L,
    starts: &[f64],
    last_only: bool,
    prices: &mut [[f64; LANES]],
) {
    let first = if last_only {
        prices.len() - starts.len()
    } else {
        0
    };
    for step in prices[first..].chunks_exact_mut(starts.len()) {
        for (price, start) in step.iter_mut().zip(starts) {
            let power = exp(lanes, lanes.load(price));
            lanes.store(lanes.mul(power, lanes.splat(*start)), price);
        }
    }
}
