//! Two markets that keep together: their spread is entered, left and stopped by its z-score.
//!
//! The spread of the middles is looked at every `sample_ns`. The stance of [`PairsTrade`] says what
//! is to be held; orders that trade at once, at most `slip_ticks` beyond the touch, bring the
//! positions there, as often as it takes.

use analytics::arbitrage::{PairsRule, PairsTrade, Stance};
use wire::ring::Side;

use super::BadParameter;
use crate::desk::{Context, Life, NewOrder, Strategy};

/// A market of a pair.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PairsLeg {
    /// Its number.
    pub symbol: u32,
    /// Lots that are held of it when the spread is.
    pub quantity: u64,
}

/// Parameters of [`Pairs`].
#[derive(Clone, Debug, PartialEq)]
pub struct PairsPlan {
    /// What is bought when the spread is low.
    pub x: PairsLeg,
    /// What is sold then.
    pub y: PairsLeg,
    /// When.
    pub rule: PairsRule,
    /// Time between two looks at the spread, in ns.
    pub sample_ns: u64,
    /// Ticks beyond the touch that an order may pay.
    pub slip_ticks: u32,
}

/// See the module.
#[derive(Clone, Debug)]
pub struct Pairs {
    plan: PairsPlan,
    trade: PairsTrade,
    stance: Stance,
    is_asleep: bool,
}

impl Pairs {
    /// # Errors
    /// A parameter makes no sense.
    pub fn new(plan: PairsPlan) -> Result<Self, BadParameter> {
        BadParameter::unless(plan.x.symbol != plan.y.symbol, "y", "another market than x")?;
        BadParameter::unless(plan.x.quantity > 0, "x_quantity", "at least one lot")?;
        BadParameter::unless(plan.y.quantity > 0, "y_quantity", "at least one lot")?;
        BadParameter::unless(plan.sample_ns > 0, "sample_ms", "more than 0")?;
        let trade = PairsTrade::new(plan.rule).map_err(|error| BadParameter {
            name: "hedge, window, exit, entry and stop",
            why: error.to_string(),
        })?;
        Ok(Self {
            plan,
            trade,
            stance: Stance::Flat,
            is_asleep: false,
        })
    }

    /// The middle in units of the quote currency.
    fn middle(desk: &Context<'_>, symbol: u32) -> Option<f64> {
        let tick = desk.listings().get(symbol)?.instrument.tick;
        let middle = desk.book(symbol).touch()?.middle()?;
        Some(middle * tick.value())
    }

    fn sample(&mut self, desk: &mut Context<'_>) {
        let (x, y) = (self.plan.x.symbol, self.plan.y.symbol);
        let (Some(x), Some(y)) = (Self::middle(desk, x), Self::middle(desk, y)) else {
            return;
        };
        // Middles are finite.
        if let Ok(Some(signal)) = self.trade.push(x, y) {
            self.stance = signal.stance;
        }
    }

    fn target(&self) -> [(PairsLeg, i64); 2] {
        let PairsPlan { x, y, .. } = self.plan;
        let sign = match self.stance {
            Stance::Long => 1,
            Stance::Short => -1,
            Stance::Flat | Stance::Stopped => 0,
        };
        [
            (x, sign * x.quantity as i64),
            (y, -sign * y.quantity as i64),
        ]
    }

    /// Sends what is missing to the positions that are to be held, unless something is under way.
    fn trade(&self, desk: &mut Context<'_>) {
        if desk.orders().next().is_some() {
            return;
        }
        for (PairsLeg { symbol, .. }, target) in self.target() {
            let missing = target - desk.position(symbol).lots;
            let Some(touch) = desk.book(symbol).touch() else {
                continue;
            };
            let slip = i64::from(self.plan.slip_ticks);
            let (side, price) = match missing {
                0 => continue,
                1.. => (Side::Buy, touch.offer.price + slip),
                _ => (Side::Sell, touch.bid.price - slip),
            };
            // What is refused is tried again at the next look.
            let _ = desk.send(NewOrder {
                symbol,
                side,
                price,
                quantity: missing.unsigned_abs(),
                life: Life::Immediate,
            });
        }
    }
}

impl Strategy for Pairs {
    fn on_book(&mut self, desk: &mut Context<'_>, _symbol: u32) {
        if !self.is_asleep {
            self.is_asleep = true;
            desk.timer_at(desk.now_ns() + self.plan.sample_ns);
        }
    }

    fn on_timer(&mut self, desk: &mut Context<'_>) {
        self.sample(desk);
        self.trade(desk);
        desk.timer_at(desk.now_ns() + self.plan.sample_ns);
    }
}
