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
    /// Markets of which something is held.
    held: Vec<u32>,
    /// What is held of each currency: what was bought in one market and sold in another is none.
    holdings: Vec<Money>,
    /// What that is worth, of each currency.
    values: Vec<Money>,
    /// Whether something is held whose market may not have been heard of yet.
    is_waiting: bool,
    equity: Money,
    peak: Money,
    drawdown: Money,
}

impl Account {
    /// Nothing held.
    #[must_use]
    pub fn new(listings: &Listings) -> Self {
        Self {
            positions: vec![Position::default(); listings.len()],
            held: Vec::with_capacity(listings.len()),
            holdings: vec![Money::ZERO; listings.currencies()],
            values: vec![Money::ZERO; listings.currencies()],
            is_waiting: false,
            equity: Money::ZERO,
            peak: Money::ZERO,
            drawdown: Money::ZERO,
        }
    }

    /// Books a fill.
    pub(super) fn fill(&mut self, fill: &Fill, listings: &Listings) {
        self.book(fill, 1, listings);
        if let Some(position) = self.positions.get_mut(fill.symbol as usize) {
            position.lots_traded += fill.quantity;
            position.fills += 1;
            position.fills_maker += u64::from(fill.is_maker);
        }
    }

    /// Books the opposite of a fill that was booked, with its fee: the venue took the trade back.
    pub(super) fn take_back(&mut self, fill: &Fill, listings: &Listings) {
        self.book(fill, -1, listings);
        if let Some(position) = self.positions.get_mut(fill.symbol as usize) {
            position.lots_traded -= fill.quantity;
            position.fills -= 1;
            position.fills_maker -= u64::from(fill.is_maker);
        }
    }

    /// Books what changed hands, so many times.
    fn book(&mut self, fill: &Fill, times: i64, listings: &Listings) {
        let Some(listing) = listings.get(fill.symbol) else {
            return;
        };
        let lots = times * fill.quantity as i64;
        let worth = listings.worth(fill.symbol);
        let fee_ppm = if fill.is_maker {
            listing.maker_ppm
        } else {
            listing.taker_ppm
        };
        let bought = sign(fill.side) * lots;
        let (cost, fee) = (
            worth.value(fill.price, bought),
            worth.fee(fill.price, lots, fee_ppm),
        );
        let [base, quote] = listings.currencies_of(fill.symbol);
        self.holdings[base] += listings.lot(fill.symbol) * bought;
        self.holdings[quote] -= cost + fee;
        self.value(&[base, quote], listings);
        let position = &mut self.positions[fill.symbol as usize];
        let was_held = position.lots != 0;
        position.lots += bought;
        match (was_held, position.lots != 0) {
            (false, true) => self.held.push(fill.symbol),
            (true, false) => self.held.retain(|symbol| *symbol != fill.symbol),
            _ => {}
        }
        position.cash -= cost;
        position.fees += fee;
    }

    /// Values what is held of these currencies at the middle of the market that turns each into the
    /// home currency; whether that changed anything. [`mark`](Self::mark) takes notice.
    pub(super) fn value(&mut self, currencies: &[usize], listings: &Listings) -> bool {
        let mut is_new = false;
        for &currency in currencies {
            let value = self.worth(currency, listings);
            is_new |= value != self.values[currency];
            self.values[currency] = value;
        }
        is_new
    }

    fn worth(&self, currency: usize, listings: &Listings) -> Money {
        match self.holdings[currency] {
            Money::ZERO => Money::ZERO,
            held => listings.home_of(currency, held),
        }
    }

    /// Leaves the profit as it is until there is a middle for all that is held: what was bought
    /// before would be taken for lost, as far as its market has not been heard of.
    pub(super) const fn wait_for_middles(&mut self) {
        self.is_waiting = true;
    }

    /// Sums up what everything is worth, and remembers the greatest fall from a peak. Currencies
    /// whose markets moved, or of which something was bought or sold, have been valued.
    pub(super) fn mark(&mut self, listings: &Listings) {
        let is_valued = |currency| self.values[currency] == self.worth(currency, listings);
        debug_assert!((0..self.values.len()).all(is_valued), "an old value");
        if self.is_waiting {
            let mut held = self.holdings.iter().enumerate();
            self.is_waiting = held.any(|(at, it)| *it != Money::ZERO && !listings.knows(at));
            if self.is_waiting {
                return;
            }
        }
        self.equity = self.values.iter().copied().sum();
        self.peak = self.peak.max(self.equity);
        self.drawdown = self.drawdown.max(self.peak - self.equity);
    }

    /// What is held of a market.
    #[must_use]
    pub fn position(&self, symbol: u32) -> Position {
        let position = self.positions.get(symbol as usize);
        position.copied().unwrap_or_default()
    }

    /// Markets of which something is held, in no order that means anything.
    #[must_use]
    pub fn held(&self) -> &[u32] {
        &self.held
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
