//! Numbers of a book: what stands around the best prices, and where a price leans.
//!
//! Prices are ticks and quantities lots, both whole; a quantity of 0 is nothing, whatever its price
//! says. What has no value where a side is missing is `None`, never a NaN. `docs/analytics.md` has
//! the formulas and their sources.

mod order_flow;
mod queue;
mod trade_sign;
mod volatility;

pub use order_flow::OrderFlow;
pub use queue::{Cancels, QueuePosition};
pub use trade_sign::{Sign, Touches, TradeSign};
pub use volatility::RealisedVolatility;

/// What stands at a price.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Standing {
    /// In ticks; means nothing where no quantity is.
    pub price: i64,
    /// In lots; 0 for nothing.
    pub quantity: u64,
}

/// The best bid and the best offer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Touch {
    /// The highest price that somebody pays.
    pub bid: Standing,
    /// The lowest price that somebody takes.
    pub offer: Standing,
}

impl Touch {
    /// Whether both sides are there.
    #[inline]
    #[must_use]
    pub const fn is_two_sided(self) -> bool {
        self.bid.quantity > 0 && self.offer.quantity > 0
    }

    /// Offer less bid in ticks: 0 of a locked book, less of a crossed one.
    #[inline]
    #[must_use]
    pub fn spread(self) -> Option<i64> {
        let spread = self.offer.price.saturating_sub(self.bid.price);
        self.is_two_sided().then_some(spread)
    }

    /// The middle in half ticks, exact: bid plus offer.
    #[inline]
    #[must_use]
    pub fn middle_halves(self) -> Option<i128> {
        let sum = i128::from(self.bid.price) + i128::from(self.offer.price);
        self.is_two_sided().then_some(sum)
    }

    /// The middle in ticks.
    #[inline]
    #[must_use]
    pub fn middle(self) -> Option<f64> {
        self.middle_halves().map(|halves| halves as f64 / 2.0)
    }

    /// The middle weighted by what stands on the other side, in ticks: it leans to the side with
    /// less. It lies within the touch.
    #[inline]
    #[must_use]
    pub fn microprice(self) -> Option<f64> {
        let (bid, offer) = (self.bid.quantity as f64, self.offer.quantity as f64);
        let spread = self.spread()? as f64;
        Some(self.bid.price as f64 + spread * (bid / (bid + offer)))
    }

    /// The imbalance of the best levels; see [`imbalance`].
    #[inline]
    #[must_use]
    pub fn imbalance(self) -> Option<f64> {
        imbalance(self.bid.quantity, self.offer.quantity)
    }
}

/// How much more is wanted than offered, as a part of both: from -1, only offers, to 1, only bids;
/// `None` of nothing.
#[inline]
#[must_use]
pub fn imbalance(bids: u64, offers: u64) -> Option<f64> {
    let (bids, offers) = (bids as f64, offers as f64);
    let all = bids + offers;
    (all > 0.0).then(|| (bids - offers) / all)
}

/// The lots of the first `count` levels of a side.
#[inline]
#[must_use]
pub fn quantity_of(levels: impl Iterator<Item = Standing>, count: usize) -> u64 {
    levels
        .take(count)
        .fold(0, |sum, level| sum.saturating_add(level.quantity))
}

/// The lots of a side that stand at most `ticks` from its best price; `levels` come best first.
#[inline]
#[must_use]
pub fn quantity_within(levels: impl Iterator<Item = Standing>, ticks: u64) -> u64 {
    let mut best = None;
    let near = levels.take_while(|level| {
        let best = *best.get_or_insert(level.price);
        level.price.abs_diff(best) <= ticks
    });
    near.fold(0, |sum, level| sum.saturating_add(level.quantity))
}
