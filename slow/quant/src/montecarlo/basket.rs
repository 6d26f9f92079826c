//! Options on several assets' last prices together: what they pay, what some are worth in closed
//! form, and a control for the others.

use std::sync::Arc;

use analytics::arch::{Backend, Kernel, LANES, Lanes};

use super::averages::{Averages, Moves, Part, Rest};
use super::functions::ln;
use super::gbm::{Gbm, black};
use super::paths::{Model, Payoff, Tile};
use super::payoff::{Kind, PRICE_MAX, exercised};
use super::settings::Control;
use crate::fault::{Fault, same_length, within};

/// Weights are no further from 0.
const WEIGHT_MAX: f64 = 1e9;

/// What an option looks at of several prices.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Together {
    /// Their sum.
    Sum,
    /// The greatest.
    Best,
    /// The least.
    Worst,
}

/// On the last prices of several assets, each times its weight.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Basket<'a> {
    /// To buy or to sell.
    pub kind: Kind,
    /// For so much.
    pub strike: f64,
    /// One for each asset: below 0 it is taken off, as in a spread.
    pub weights: &'a [f64],
    /// What is looked at.
    pub together: Together,
}

impl Payoff for Basket<'_> {
    const LAST_ONLY: bool = true;

    fn check(&self, assets: usize) -> Result<(), Fault> {
        within("strike", self.strike, 0.0, PRICE_MAX)?;
        same_length("weights", self.weights.len(), assets)?;
        let mut weights = self.weights.iter();
        weights.try_for_each(|weight| within("weight", *weight, -WEIGHT_MAX, WEIGHT_MAX))
    }

    fn value(&self, backend: Backend, tile: &Tile<'_>) -> [f64; LANES] {
        backend.run(Value(self, tile))
    }
}

struct Value<'a>(&'a Basket<'a>, &'a Tile<'a>);

impl Kernel for Value<'_> {
    type Output = [f64; LANES];

    #[inline(always)]
    fn run<L: Lanes>(self, lanes: L) -> [f64; LANES] {
        let Self(basket, tile) = self;
        let level = level(lanes, basket, last(tile));
        let worth = exercised(lanes, basket.kind, basket.strike, level);
        let mut values = [0.0; LANES];
        lanes.store(worth, &mut values);
        values
    }
}

/// The last prices of all assets.
fn last<'a>(tile: &Tile<'a>) -> &'a [[f64; LANES]] {
    &tile.prices[tile.prices.len() - tile.starts.len()..]
}

/// What a basket looks at.
#[inline(always)]
fn level<L: Lanes>(lanes: L, basket: &Basket<'_>, prices: &[[f64; LANES]]) -> L::F {
    let mut level = lanes.splat(match basket.together {
        Together::Sum => 0.0,
        Together::Best => f64::NEG_INFINITY,
        Together::Worst => f64::INFINITY,
    });
    for (price, weight) in prices.iter().zip(basket.weights) {
        let held = lanes.mul(lanes.load(price), lanes.splat(*weight));
        level = match basket.together {
            Together::Sum => lanes.add(level, held),
            Together::Best => lanes.max(level, held),
            Together::Worst => lanes.min(level, held),
        };
    }
    level
}

/// A basket that must be exercised where the weighted geometric average of its prices says so, and
/// only there (M. Curran, Management Science 40, 1994): [`Basket::control`] knows what it is worth.
#[derive(Clone, Debug, PartialEq)]
pub struct ConditionedBasket<'a> {
    basket: Basket<'a>,
    /// Exponents of the prices; together 1.
    shares: Vec<f64>,
    /// What makes the average now as much as the basket: its logarithm.
    scale: f64,
}

impl Payoff for ConditionedBasket<'_> {
    const LAST_ONLY: bool = true;

    fn check(&self, assets: usize) -> Result<(), Fault> {
        self.basket.check(assets)
    }

    fn value(&self, backend: Backend, tile: &Tile<'_>) -> [f64; LANES] {
        backend.run(ConditionedValue(self, tile))
    }
}

struct ConditionedValue<'a>(&'a ConditionedBasket<'a>, &'a Tile<'a>);

impl Kernel for ConditionedValue<'_> {
    type Output = [f64; LANES];

    #[inline(always)]
    fn run<L: Lanes>(self, lanes: L) -> [f64; LANES] {
        let Self(conditioned, tile) = self;
        let Basket { kind, strike, .. } = conditioned.basket;
        let mut log = lanes.splat(conditioned.scale);
        for (price, share) in last(tile).iter().zip(&conditioned.shares) {
            let one = ln(lanes, lanes.load(price));
            log = lanes.mul_add(one, lanes.splat(*share), log);
        }
        let level = level(lanes, &conditioned.basket, last(tile));
        let gain = lanes.sub(level, lanes.splat(strike));
        let (least, zero) = (lanes.splat(strike.ln()), lanes.splat(0.0));
        let worth = match kind {
            Kind::Call => lanes.where_less(log, least, zero, gain),
            Kind::Put => lanes.where_less(log, least, lanes.sub(zero, gain), zero),
        };
        let mut values = [0.0; LANES];
        lanes.store(worth, &mut values);
        values
    }
}

impl<'a> Basket<'a> {
    /// What it is worth on a model, where that is known: of one asset (F. Black, M. Scholes 1973),
    /// and of exchanging one for another, a sum of two weights of which one is below 0, with a
    /// strike of 0 (W. Margrabe, Journal of Finance 33, 1978). `None` of all else, and of what
    /// [`Payoff::check`] refuses.
    #[must_use]
    pub fn exactly(&self, model: &Gbm) -> Option<f64> {
        self.check(model.starts().len()).ok()?;
        let forward = |at: usize| self.weights[at].abs() * model.terminal_moments(at).0;
        let root = model.grid().end().sqrt();
        let worth = match *self.weights {
            [weight] if weight > 0.0 => {
                let deviation = length(model.loadings_of(0)) * root;
                black(self.kind, forward(0), self.strike, deviation)
            }
            [one, other] if self.is_exchange() => {
                let pair = model.loadings_of(0).iter().zip(model.loadings_of(1));
                let apart: Vec<f64> = pair.map(|(x, y)| x - y).collect();
                let [got, given] = if one > other { [0, 1] } else { [1, 0] };
                let deviation = length(&apart) * root;
                black(self.kind, forward(got), forward(given), deviation)
            }
            _ => return None,
        };
        Some(model.discount() * worth)
    }

    fn is_exchange(&self) -> bool {
        let is_spread = matches!(*self.weights, [one, other] if one * other < 0.0);
        is_spread && self.together == Together::Sum && self.strike == 0.0
    }

    /// What to take off it: the same basket, exercised where the geometric average says so. Of sums
    /// whose weights are all above 0; `None` of all else, of assets that are worth nothing
    /// together, and of what [`Payoff::check`] refuses.
    #[must_use]
    pub fn control(&self, model: &Gbm) -> Option<Control<ConditionedBasket<'a>>> {
        self.check(model.starts().len()).ok()?;
        let are_above = self.weights.iter().all(|weight| *weight > 0.0);
        if self.together != Together::Sum || !are_above {
            return None;
        }
        let values = self.weights.iter().zip(model.starts());
        let values: Vec<f64> = values.map(|(weight, start)| weight * start).collect();
        let whole: f64 = values.iter().sum();
        let is_known = whole > f64::MIN_POSITIVE;
        if !is_known {
            return None;
        }
        let shares: Vec<f64> = values.iter().map(|value| value / whole).collect();
        let logs = model.starts().iter().zip(&shares);
        let scale = whole.ln() - logs.map(|(start, share)| share * start.ln()).sum::<f64>();
        let (averages, discount) = (self.averages(model, &shares, whole.ln()), model.discount());
        Some(Control {
            worth: discount * averages.worth(self.kind, self.strike),
            rest: Some(Arc::new(Rest::new(averages, self.strike, discount))),
            payoff: ConditionedBasket {
                basket: *self,
                shares,
                scale,
            },
        })
    }

    /// Prices, each times its weight, and their geometric average, whose logarithm is `log` now.
    fn averages(&self, model: &Gbm, shares: &[f64], log: f64) -> Averages {
        let years = model.grid().end();
        let mut loadings = vec![0.0; shares.len()];
        let mut mean = log;
        for (asset, share) in shares.iter().enumerate() {
            mean += share * model.drift(asset) * years;
            for (sum, own) in loadings.iter_mut().zip(model.loadings_of(asset)) {
                *sum += share * own;
            }
        }
        let part = |(asset, weight): (usize, &f64)| {
            let own = model.loadings_of(asset);
            let pairs = own.iter().zip(&loadings);
            let length = length(own);
            Part {
                forward: weight * model.terminal_moments(asset).0,
                shared: pairs.map(|(own, all)| own * all).sum::<f64>() * years,
                variance: length * length * years,
            }
        };
        let own = (0..shares.len()).flat_map(|asset| model.loadings_of(asset));
        let own: Vec<f64> = own.map(|loading| loading * years.sqrt()).collect();
        let width = own.len() / shares.len();
        Averages {
            mean,
            deviation: length(&loadings) * years.sqrt(),
            parts: self.weights.iter().enumerate().map(part).collect(),
            moves: Moves::Loadings(own, width),
        }
    }
}

/// Of a vector.
fn length(numbers: &[f64]) -> f64 {
    numbers.iter().map(|x| x * x).sum::<f64>().sqrt()
}
