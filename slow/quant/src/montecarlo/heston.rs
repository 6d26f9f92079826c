//! Stochastic variance (S. Heston, Review of Financial Studies 6, 1993), by Andersen's
//! quadratic-exponential steps with his martingale correction (L. Andersen, J. Computational
//! Finance 11, 2008).
//!
//! The variance of a step's end is drawn from a distribution with the first two moments of the true
//! one: the error falls with the length of steps. It is small beside that of any other simple
//! scheme; take a quarter of a year at most.

use analytics::arch::{Backend, Kernel, LANES, Lanes};

use super::functions::{ln, quantile};
use super::gbm::{Asset, to_prices};
use super::grid::Grid;
use super::paths::{Draws, Model};
use crate::fault::{Fault, within};

/// Where the distribution changes its shape: squared deviation by squared mean.
const SHAPE: f64 = 1.5;
/// In place of what must be above 0 to have a logarithm or be divided by.
const TINY: f64 = 1e-300;

/// How an asset's variance moves: `dv = reversion * (mean - v) dt + volatility * sqrt(v) dW`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Variance {
    /// Now.
    pub start: f64,
    /// How fast it comes back to its mean, a year.
    pub reversion: f64,
    /// The mean.
    pub mean: f64,
    /// How much it moves by itself.
    pub volatility: f64,
    /// The correlation of its Brownian motion with the asset's.
    pub correlation: f64,
}

/// `dS = (rate - dividend) S dt + sqrt(v) S dW`.
#[derive(Clone, Debug)]
pub struct Heston {
    grid: Grid,
    start: [f64; 1],
    rate: f64,
    carry: f64,
    variance: Variance,
}

/// Numbers of a step that depend on its length alone.
struct Step {
    /// What is left of a difference from the mean.
    left: f64,
    /// The variance at the end: by what it was, and besides.
    spread: [f64; 2],
    drift: f64,
    /// What the logarithm gets of the variance at the end, and of the normal number by the mean of
    /// both variances. What it gets of the one before is in the correction.
    by_after: f64,
    normal: f64,
}

impl Heston {
    /// One asset, whose own `volatility` is not used; rates are those of [`super::Gbm::new`].
    ///
    /// # Errors
    /// `Outside`, with the argument.
    pub fn new(asset: Asset, variance: Variance, rate: f64, grid: Grid) -> Result<Self, Fault> {
        asset.check()?;
        within("rate", rate, -10.0, 10.0)?;
        within("variance: start", variance.start, 0.0, 100.0)?;
        within("variance: reversion", variance.reversion, 1e-6, 1e3)?;
        within("variance: mean", variance.mean, 1e-9, 100.0)?;
        within("variance: volatility", variance.volatility, 1e-6, 1e2)?;
        within("variance: correlation", variance.correlation, -1.0, 1.0)?;
        Ok(Self {
            grid,
            start: [asset.start],
            rate,
            carry: rate - asset.dividend,
            variance,
        })
    }

    fn step(&self, years: f64) -> Step {
        let Variance {
            reversion,
            mean,
            volatility,
            correlation,
            ..
        } = self.variance;
        let left = (-reversion * years).exp();
        let gone = -(-reversion * years).exp_m1();
        let square = volatility * volatility / reversion;
        let slope = correlation / volatility;
        let half = years / 2.0 * (reversion * slope - 0.5);
        Step {
            left,
            spread: [square * left * gone, mean * square / 2.0 * gone * gone],
            drift: self.carry * years,
            by_after: half + slope,
            normal: years / 2.0 * (1.0 - correlation * correlation),
        }
    }
}

impl Model for Heston {
    fn grid(&self) -> &Grid {
        &self.grid
    }

    fn starts(&self) -> &[f64] {
        &self.start
    }

    fn discount(&self) -> f64 {
        self.grid.discount(self.rate)
    }

    fn factors(&self) -> usize {
        1
    }

    fn uniforms(&self) -> usize {
        self.grid.steps()
    }

    fn evolve(
        &self,
        backend: Backend,
        draws: Draws<'_>,
        last_only: bool,
        prices: &mut [[f64; LANES]],
    ) {
        backend.run(Evolve(self, draws, last_only, prices));
    }
}

struct Evolve<'a>(&'a Heston, Draws<'a>, bool, &'a mut [[f64; LANES]]);

impl Kernel for Evolve<'_> {
    type Output = ();

    #[inline(always)]
    fn run<L: Lanes>(self, lanes: L) {
        let Self(model, draws, last_only, prices) = self;
        let mut variance = lanes.splat(model.variance.start);
        let mut sum = lanes.splat(0.0);
        for (at, years) in model.grid.lengths().enumerate() {
            let step = model.step(years);
            let uniform = lanes.load(&draws.uniforms[at]);
            let (after, correction) = next(lanes, &step, model.variance.mean, variance, uniform);
            let both = lanes.mul(lanes.add(variance, after), lanes.splat(step.normal));
            let moved = lanes.mul(lanes.sqrt(both), lanes.load(&draws.normals[at]));
            let moved = lanes.mul_add(after, lanes.splat(step.by_after), moved);
            // Half of the normal number's variance is taken off with the correction.
            let own = lanes.mul(variance, lanes.splat(-0.5 * step.normal));
            let moved = lanes.add(moved, lanes.add(own, correction));
            sum = lanes.add(sum, lanes.add(moved, lanes.splat(step.drift)));
            lanes.store(sum, &mut prices[at]);
            variance = after;
        }
        to_prices(lanes, &model.start, last_only, prices);
    }
}

/// The variance at the end of a step, and minus the logarithm of what its part in the price is on
/// average, which keeps the discounted price a martingale.
#[inline(always)]
fn next<L: Lanes>(lanes: L, step: &Step, mean: f64, before: L::F, uniform: L::F) -> (L::F, L::F) {
    let (zero, one, tiny) = (lanes.splat(0.0), lanes.splat(1.0), lanes.splat(TINY));
    let two = lanes.splat(2.0);
    let away = lanes.sub(before, lanes.splat(mean));
    let expected = lanes.mul_add(away, lanes.splat(step.left), lanes.splat(mean));
    let spread = lanes.splat(step.spread[1]);
    let spread = lanes.mul_add(before, lanes.splat(step.spread[0]), spread);
    let shape = lanes.max(lanes.div(spread, lanes.mul(expected, expected)), tiny);
    // What the price gets of the variance: with half of its share of the normal number's.
    let share = lanes.splat(step.by_after + 0.5 * step.normal);

    // A squared normal number.
    let twice = lanes.div(two, shape);
    let less = lanes.max(lanes.sub(twice, one), zero);
    let square = lanes.add(less, lanes.sqrt(lanes.mul(twice, less)));
    let scale = lanes.div(expected, lanes.add(one, square));
    let moved = lanes.add(lanes.sqrt(square), quantile(lanes, uniform));
    let smooth = lanes.mul(scale, lanes.mul(moved, moved));
    let part = lanes.mul(share, scale);
    let rest = lanes.max(lanes.sub(one, lanes.mul(two, part)), tiny);
    let own = lanes.div(lanes.mul(part, square), rest);
    let smooth_own = lanes.sub(lanes.mul(ln(lanes, rest), lanes.splat(0.5)), own);

    // None, or an exponential one.
    let none = lanes.div(lanes.sub(shape, one), lanes.add(shape, one));
    let none = lanes.max(none, zero);
    let some = lanes.sub(one, none);
    let speed = lanes.div(some, expected);
    let odds = lanes.div(some, lanes.sub(one, uniform));
    let rare = lanes.max(lanes.div(ln(lanes, lanes.max(odds, tiny)), speed), zero);
    let faster = lanes.max(lanes.sub(speed, share), tiny);
    let on_average = lanes.add(none, lanes.div(lanes.mul(some, speed), faster));
    let rare_own = lanes.sub(zero, ln(lanes, lanes.max(on_average, tiny)));

    let edge = lanes.splat(SHAPE);
    let after = lanes.where_less(edge, shape, rare, smooth);
    let correction = lanes.where_less(edge, shape, rare_own, smooth_own);
    (after, correction)
}
