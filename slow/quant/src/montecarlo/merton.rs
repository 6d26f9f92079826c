//! Jump diffusion: a geometric Brownian motion that jumps by lognormal factors at random times (R.
//! Merton, J. Financial Economics 3, 1976).

use analytics::arch::{Backend, Kernel, LANES, Lanes};

use super::gbm::{Asset, to_prices};
use super::grid::Grid;
use super::paths::{Draws, Model};
use crate::fault::{Fault, within};

/// Jumps of a step at most, on average.
const JUMPS_MAX: f64 = 64.0;
/// What is left of the probability where the table of jumps ends.
const REST: f64 = 1e-12;

/// When and how far an asset jumps.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Jumps {
    /// How often in a year, on average.
    pub intensity: f64,
    /// The mean of the logarithm of what a jump multiplies the price by.
    pub mean: f64,
    /// The deviation of that.
    pub deviation: f64,
}

/// `dS = (rate - dividend - intensity * k) S dt + volatility S dW + (J - 1) S dN`, where `ln J` is
/// normal and `k` what `J - 1` is on average; simulated exactly.
#[derive(Clone, Debug)]
pub struct Merton {
    grid: Grid,
    start: [f64; 1],
    rate: f64,
    volatility: f64,
    jumps: Jumps,
    drift: f64,
    /// For each step: how probable it is that there are no jumps, at most one and so on.
    counts: Vec<Vec<f64>>,
}

impl Merton {
    /// One asset; rates are those of [`super::Gbm::new`].
    ///
    /// # Errors
    /// `Outside`, with the argument.
    pub fn new(asset: Asset, jumps: Jumps, rate: f64, grid: Grid) -> Result<Self, Fault> {
        asset.check()?;
        within("rate", rate, -10.0, 10.0)?;
        within("jumps: intensity", jumps.intensity, 0.0, 1e6)?;
        within("jumps: mean", jumps.mean, -5.0, 5.0)?;
        within("jumps: deviation", jumps.deviation, 0.0, 5.0)?;
        let mut counts = Vec::with_capacity(grid.steps());
        for length in grid.lengths() {
            counts.push(poisson(jumps.intensity * length)?);
        }
        let Asset {
            start,
            dividend,
            volatility,
        } = asset;
        let on_average = (jumps.mean + jumps.deviation * jumps.deviation / 2.0).exp_m1();
        let drift = rate - dividend - jumps.intensity * on_average - volatility * volatility / 2.0;
        Ok(Self {
            grid,
            start: [start],
            rate,
            volatility,
            jumps,
            drift,
            counts,
        })
    }
}

/// How probable at most so many events are, until nothing is left.
fn poisson(mean: f64) -> Result<Vec<f64>, Fault> {
    within("jumps: intensity by a step", mean, 0.0, JUMPS_MAX)?;
    let mut probability = (-mean).exp();
    let mut sum = probability;
    let mut sums = vec![sum];
    while sum < 1.0 - REST && sums.len() < 1_000 {
        probability *= mean / sums.len() as f64;
        sum += probability;
        sums.push(sum);
    }
    sums.pop();
    Ok(sums)
}

impl Model for Merton {
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

    fn more_normals(&self) -> usize {
        self.grid.steps()
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

struct Evolve<'a>(&'a Merton, Draws<'a>, bool, &'a mut [[f64; LANES]]);

impl Kernel for Evolve<'_> {
    type Output = ();

    #[inline(always)]
    fn run<L: Lanes>(self, lanes: L) {
        let Self(model, draws, last_only, prices) = self;
        let steps = model.counts.len();
        let (zero, one) = (lanes.splat(0.0), lanes.splat(1.0));
        let mut sum = zero;
        for ((step, years), to) in model.grid.lengths().enumerate().zip(&mut *prices) {
            let uniform = lanes.load(&draws.uniforms[step]);
            let mut count = zero;
            for at_most in &model.counts[step] {
                let more = lanes.where_less(lanes.splat(*at_most), uniform, one, zero);
                count = lanes.add(count, more);
            }
            // So many jumps together are one normal number.
            let spread = lanes.mul(lanes.sqrt(count), lanes.splat(model.jumps.deviation));
            let jumped = lanes.mul(lanes.load(&draws.normals[steps + step]), spread);
            let jumped = lanes.mul_add(count, lanes.splat(model.jumps.mean), jumped);
            let moved = lanes.splat(model.volatility * years.sqrt());
            let moved = lanes.mul_add(lanes.load(&draws.normals[step]), moved, jumped);
            let drift = lanes.splat(model.drift * years);
            sum = lanes.add(sum, lanes.add(moved, drift));
            lanes.store(sum, to);
        }
        to_prices(lanes, &model.start, last_only, prices);
    }
}
