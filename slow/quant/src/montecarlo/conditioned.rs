//! A control for options on an average (M. Curran, Management Science 40, 1994).

use std::sync::Arc;

use analytics::arch::{Backend, Kernel, LANES, Lanes};

use super::averages::{Averages, Moves, Part, Rest};
use super::gbm::Gbm;
use super::paths::{Model, Payoff, Tile};
use super::payoff::{Kind, PRICE_MAX, mean_log, mean_price};
use super::settings::Control;
use crate::fault::{Fault, within};

/// An option on the arithmetic average that must be exercised where one on the geometric average
/// would be, and only there. Averages are on the same side of the strike but for a few paths, whose
/// gains are small: it leaves little of what such an option is worth to chance, and its own worth
/// is [`Gbm::conditioned_asian`]; [`Conditioned::control`] has both.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Conditioned {
    /// To buy or to sell.
    pub kind: Kind,
    /// For so much.
    pub strike: f64,
}

impl Payoff for Conditioned {
    fn check(&self, _: usize) -> Result<(), Fault> {
        within("strike", self.strike, 0.0, PRICE_MAX)
    }

    fn value(&self, backend: Backend, tile: &Tile<'_>) -> [f64; LANES] {
        backend.run(Value(*self, tile))
    }
}

struct Value<'a>(Conditioned, &'a Tile<'a>);

impl Kernel for Value<'_> {
    type Output = [f64; LANES];

    #[inline(always)]
    fn run<L: Lanes>(self, lanes: L) -> [f64; LANES] {
        let Self(Conditioned { kind, strike }, tile) = self;
        let gain = lanes.sub(mean_price(lanes, tile), lanes.splat(strike));
        let (log, least) = (mean_log(lanes, tile), lanes.splat(strike.ln()));
        let zero = lanes.splat(0.0);
        let worth = match kind {
            Kind::Call => lanes.where_less(log, least, zero, gain),
            Kind::Put => lanes.where_less(log, least, lanes.sub(zero, gain), zero),
        };
        let mut values = [0.0; LANES];
        lanes.store(worth, &mut values);
        values
    }
}

impl Conditioned {
    /// As a control, of one asset or the first.
    #[must_use]
    pub fn control(self, model: &Gbm) -> Control<Self> {
        let (averages, discount) = (model.averages(), model.discount());
        Control {
            worth: discount * averages.worth(self.kind, self.strike),
            rest: Some(Arc::new(Rest::new(averages, self.strike, discount))),
            payoff: self,
        }
    }
}

impl Gbm {
    /// What [`Conditioned`] is worth: prices and their geometric average are lognormal together.
    #[must_use]
    pub fn conditioned_asian(&self, kind: Kind, strike: f64) -> f64 {
        self.discount() * self.averages().worth(kind, strike)
    }

    /// The first asset's prices at the grid's times, each a part of their average.
    fn averages(&self) -> Averages {
        let (mean, deviation) = self.geometric_log();
        let (times, volatility) = (self.grid().times(), self.volatility());
        let count = times.len() as f64;
        let square = volatility * volatility;
        let mut earlier = 0.0;
        let parts = times.iter().enumerate().map(|(at, time)| {
            earlier += time;
            // The covariance of two times is the earlier one.
            let shared = (earlier + time * (count - 1.0 - at as f64)) / count;
            Part {
                forward: self.forward(*time) / count,
                shared: square * shared,
                variance: square * time,
            }
        });
        Averages {
            mean,
            deviation,
            parts: parts.collect(),
            moves: Moves::Times(times.iter().map(|time| square * time).collect()),
        }
    }
}
