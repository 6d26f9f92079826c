//! Payoffs on the first asset that are known by name. All look at the grid's times only.

use std::f64::consts::LN_2;

use analytics::arch::{Backend, Kernel, LANES, Lanes};

use super::ends::Ends;
use super::functions::{exp, ln};
use super::paths::{Payoff, Tile};
use crate::fault::{Fault, within};

/// Strikes, barriers and rebates at most.
pub(super) const PRICE_MAX: f64 = 1e12;

/// The right to buy or to sell.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// To buy.
    Call,
    /// To sell.
    Put,
}

/// At the last price.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct European {
    /// To buy or to sell.
    pub kind: Kind,
    /// For so much.
    pub strike: f64,
}

/// How prices are averaged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Average {
    /// Their sum by their number.
    Arithmetic,
    /// The root of their product.
    Geometric,
}

/// At the average of all times of the grid.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Asian {
    /// To buy or to sell.
    pub kind: Kind,
    /// For so much.
    pub strike: f64,
    /// At which average.
    pub average: Average,
}

/// What a price that reaches a barrier does to an option.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Knock {
    /// It is worth nothing before.
    In,
    /// It is worth nothing from then on.
    Out,
}

/// An option that lives or dies at a barrier: from below if that is above the price now, else from
/// above.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Barrier {
    /// To buy or to sell.
    pub kind: Kind,
    /// For so much.
    pub strike: f64,
    /// Where the barrier is.
    pub level: f64,
    /// What it does.
    pub knock: Knock,
    /// If the barrier is watched all the time: the volatility of a geometric Brownian motion, by
    /// which it may be reached between two times of the grid. None if only these count.
    pub watched: Option<f64>,
}

/// At the highest (call) or lowest (put) price of all times of the grid.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Lookback {
    /// To buy or to sell.
    pub kind: Kind,
    /// For so much.
    pub strike: f64,
}

/// A payoff on all instructions: what it gives is stored when they are chosen.
trait Sixteen {
    /// What sixteen paths are worth.
    fn value<L: Lanes>(&self, lanes: L, tile: &Tile<'_>) -> L::F;
}

struct Value<'a, P>(&'a P, &'a Tile<'a>);

impl<P: Sixteen> Kernel for Value<'_, P> {
    type Output = [f64; LANES];

    #[inline(always)]
    fn run<L: Lanes>(self, lanes: L) -> [f64; LANES] {
        let mut values = [0.0; LANES];
        lanes.store(self.0.value(lanes, self.1), &mut values);
        values
    }
}

/// Prices that are multiplied before a logarithm is taken: parts of them are from 0.75 to 1.5, so
/// that the product is neither 0 nor infinite.
const PRODUCT: usize = 16;

/// What an option on a price is worth at its end.
#[inline(always)]
pub(super) fn exercised<L: Lanes>(lanes: L, kind: Kind, strike: f64, price: L::F) -> L::F {
    let strike = lanes.splat(strike);
    let gain = match kind {
        Kind::Call => lanes.sub(price, strike),
        Kind::Put => lanes.sub(strike, price),
    };
    lanes.max(gain, lanes.splat(0.0))
}

/// The first asset's prices, in order.
#[inline(always)]
fn prices<'a>(tile: &Tile<'a>) -> impl Iterator<Item = &'a [f64; LANES]> {
    tile.prices.iter().step_by(tile.starts.len())
}

#[inline(always)]
fn last<L: Lanes>(lanes: L, tile: &Tile<'_>) -> L::F {
    lanes.load(&tile.prices[tile.prices.len() - tile.starts.len()])
}

impl Payoff for European {
    const LAST_ONLY: bool = true;

    fn check(&self, _: usize) -> Result<(), Fault> {
        within("strike", self.strike, 0.0, PRICE_MAX)
    }

    fn value(&self, backend: Backend, tile: &Tile<'_>) -> [f64; LANES] {
        backend.run(Value(self, tile))
    }

    fn worths(&self, backend: Backend, _: &Ends, prices: &mut [[f64; LANES]]) {
        backend.run(Exercise(*self, prices));
    }
}

/// A European option on many prices.
struct Exercise<'a>(European, &'a mut [[f64; LANES]]);

impl Kernel for Exercise<'_> {
    type Output = ();

    #[inline(always)]
    fn run<L: Lanes>(self, lanes: L) {
        let Self(European { kind, strike }, prices) = self;
        for price in prices {
            let worth = exercised(lanes, kind, strike, lanes.load(price));
            lanes.store(worth, price);
        }
    }
}

impl Sixteen for European {
    #[inline(always)]
    fn value<L: Lanes>(&self, lanes: L, tile: &Tile<'_>) -> L::F {
        exercised(lanes, self.kind, self.strike, last(lanes, tile))
    }
}

impl Payoff for Asian {
    fn check(&self, _: usize) -> Result<(), Fault> {
        within("strike", self.strike, 0.0, PRICE_MAX)
    }

    fn value(&self, backend: Backend, tile: &Tile<'_>) -> [f64; LANES] {
        backend.run(Value(self, tile))
    }
}

impl Sixteen for Asian {
    #[inline(always)]
    fn value<L: Lanes>(&self, lanes: L, tile: &Tile<'_>) -> L::F {
        let average = match self.average {
            Average::Arithmetic => mean_price(lanes, tile),
            Average::Geometric => exp(lanes, mean_log(lanes, tile)),
        };
        exercised(lanes, self.kind, self.strike, average)
    }
}

/// The mean of prices.
#[inline(always)]
pub(super) fn mean_price<L: Lanes>(lanes: L, tile: &Tile<'_>) -> L::F {
    let mut sum = lanes.splat(0.0);
    for price in prices(tile) {
        sum = lanes.add(sum, lanes.load(price));
    }
    lanes.mul(sum, lanes.splat(1.0 / tile.times.len() as f64))
}

/// The mean of prices' logarithms.
#[inline(always)]
pub(super) fn mean_log<L: Lanes>(lanes: L, tile: &Tile<'_>) -> L::F {
    let mut sum = lanes.splat(0.0);
    let mut some = prices(tile).peekable();
    while some.peek().is_some() {
        let [product, exponents] = product(lanes, some.by_ref().take(PRODUCT));
        sum = lanes.add(sum, ln(lanes, product));
        sum = lanes.mul_add(exponents, lanes.splat(LN_2), sum);
    }
    lanes.mul(sum, lanes.splat(1.0 / tile.times.len() as f64))
}

/// What some numbers multiply to, as a number and an exponent of 2.
#[inline(always)]
fn product<'a, L: Lanes>(lanes: L, numbers: impl Iterator<Item = &'a [f64; LANES]>) -> [L::F; 2] {
    let (mut whole, mut exponents) = (lanes.splat(1.0), lanes.splat(0.0));
    for number in numbers {
        let (mantissa, exponent) = lanes.parts(lanes.load(number));
        whole = lanes.mul(whole, mantissa);
        exponents = lanes.add(exponents, exponent);
    }
    [whole, exponents]
}

impl Payoff for Lookback {
    fn check(&self, _: usize) -> Result<(), Fault> {
        within("strike", self.strike, 0.0, PRICE_MAX)
    }

    fn value(&self, backend: Backend, tile: &Tile<'_>) -> [f64; LANES] {
        backend.run(Value(self, tile))
    }
}

impl Sixteen for Lookback {
    #[inline(always)]
    fn value<L: Lanes>(&self, lanes: L, tile: &Tile<'_>) -> L::F {
        let mut furthest = last(lanes, tile);
        for price in prices(tile) {
            let price = lanes.load(price);
            furthest = match self.kind {
                Kind::Call => lanes.max(furthest, price),
                Kind::Put => lanes.min(furthest, price),
            };
        }
        exercised(lanes, self.kind, self.strike, furthest)
    }
}

impl Payoff for Barrier {
    fn check(&self, _: usize) -> Result<(), Fault> {
        within("strike", self.strike, 0.0, PRICE_MAX)?;
        within("level", self.level, 1e-12, PRICE_MAX)?;
        within("watched", self.watched.unwrap_or(1.0), 1e-6, 100.0)
    }

    fn value(&self, backend: Backend, tile: &Tile<'_>) -> [f64; LANES] {
        backend.run(Value(self, tile))
    }
}

impl Sixteen for Barrier {
    #[inline(always)]
    fn value<L: Lanes>(&self, lanes: L, tile: &Tile<'_>) -> L::F {
        let (zero, one) = (lanes.splat(0.0), lanes.splat(1.0));
        let start = tile.starts[0];
        let level = lanes.splat(self.level);
        // How far the barrier is, as a logarithm that is above 0 on this side of it.
        let side = lanes.splat(if self.level > start { 1.0 } else { -1.0 });
        let far = (self.level / start).ln().abs();
        let mut before = lanes.splat(far);
        let mut time_before = 0.0;
        let mut alive = lanes.splat(if far > 0.0 { 1.0 } else { 0.0 });
        for (price, time) in prices(tile).zip(tile.times) {
            let price = lanes.load(price);
            let away = lanes.mul(lanes.sub(level, price), side);
            let mut stays = lanes.where_less(zero, away, one, zero);
            if let Some(volatility) = self.watched {
                // A Brownian path between two ends reaches the barrier with this probability.
                let variance = volatility * volatility * (time - time_before);
                let distance = lanes.mul(ln(lanes, lanes.div(level, price)), side);
                let both = lanes.mul(before, distance);
                let reached = exp(lanes, lanes.mul(both, lanes.splat(-2.0 / variance)));
                stays = lanes.mul(stays, lanes.max(lanes.sub(one, reached), zero));
                (before, time_before) = (distance, *time);
            }
            alive = lanes.mul(alive, stays);
        }
        let counts = match self.knock {
            Knock::Out => alive,
            Knock::In => lanes.sub(one, alive),
        };
        let worth = exercised(lanes, self.kind, self.strike, last(lanes, tile));
        lanes.mul(worth, counts)
    }
}
