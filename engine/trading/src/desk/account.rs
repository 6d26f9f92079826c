//! What is held and what it is worth: positions, cash, fees, profit and drawdown, exact.

use super::listing::Listings;
use super::money::{Money, sign};
use super::order::Fill;

/// What is held of a market.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Position {
    /// Lots: negative if more were sold than bought.
    pub lots: i64,
    /// What was got for what was sold, less what was paid for what was bought, fees not looked at.
    pub cash: Money,
    /// What was paid as fees.
    pub fees: Money,
    /// Lots that changed hands.
    pub lots_traded: u64,
    /// Fills.
    pub fills: u64,
    /// Fills of orders that stood on the book.
    pub fills_maker: u64,
}

/// What a desk, or a strategy of it, holds. Sums of a market are in its quote currency.
#[derive(Clone, Debug)]
pub struct Account {
    positions: Vec<Position>,
    equity: Money,
    peak: Money,
    drawdown: Money,
}

impl Account {
    /// Nothing held of so many markets.
    #[must_use]
    pub fn new(markets: usize) -> Self {
        Self {
            positions: vec![Position::default(); markets],
            equity: Money::ZERO,
            peak: Money::ZERO,
            drawdown: Money::ZERO,
        }
    }

    /// Books a fill.
    pub fn fill(&mut self, fill: &Fill, listings: &Listings) {
        let Some(listing) = listings.get(fill.symbol) else {
            return;
        };
        let position = &mut self.positions[fill.symbol as usize];
        let lots = fill.quantity as i64;
        let worth = listings.worth(fill.symbol);
        let fee_ppm = if fill.is_maker {
            listing.maker_ppm
        } else {
            listing.taker_ppm
        };
        position.lots += sign(fill.side) * lots;
        position.cash -= worth.value(fill.price, sign(fill.side) * lots);
        position.fees += worth.fee(fill.price, lots, fee_ppm);
        position.lots_traded += fill.quantity;
        position.fills += 1;
        position.fills_maker += u64::from(fill.is_maker);
    }

    /// Values everything at the middle of each market, and remembers the greatest fall from a peak.
    pub fn mark(&mut self, listings: &Listings) {
        let value = |(symbol, position): (u32, &Position)| {
            if position.fills == 0 {
                return Money::ZERO;
            }
            let middle = listings.middle_twice(symbol);
            let held = listings.worth(symbol).value_half(middle, position.lots);
            listings.home(symbol, position.cash + held - position.fees)
        };
        self.equity = (0..).zip(&self.positions).map(value).sum();
        self.peak = self.peak.max(self.equity);
        self.drawdown = self.drawdown.max(self.peak - self.equity);
    }

    /// What is held of a market.
    #[must_use]
    pub fn position(&self, symbol: u32) -> Position {
        let position = self.positions.get(symbol as usize);
        position.copied().unwrap_or_default()
    }

    /// Whether anything was ever traded in a market.
    #[must_use]
    pub fn is_in(&self, symbol: u32) -> bool {
        self.position(symbol).fills > 0
    }

    /// Profit or loss behind all fees, when it was last looked at.
    #[must_use]
    pub const fn equity(&self) -> Money {
        self.equity
    }

    /// The greatest fall of it from a peak.
    #[must_use]
    pub const fn drawdown(&self) -> Money {
        self.drawdown
    }

    /// Fees paid, in the home currency.
    #[must_use]
    pub fn fees(&self, listings: &Listings) -> Money {
        let fees = |(symbol, position): (u32, &Position)| match position.fills {
            0 => Money::ZERO,
            _ => listings.home(symbol, position.fees),
        };
        (0..).zip(&self.positions).map(fees).sum()
    }
}
