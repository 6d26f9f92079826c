//! Where an own order stands in the queue of its price, as far as a feed by levels can tell.
//!
//! A feed by orders says it exactly, and needs no estimate: who came before is known. A feed by
//! levels says how much stands and what traded. Trades take from the front; a fall that they do not
//! explain is cancels, and who cancelled is a guess, which the caller makes by choosing
//! [`Cancels`].

/// Who is thought to cancel where a level falls without a trade.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cancels {
    /// Those behind first: the estimate never flatters.
    Behind,
    /// All alike, by what they have; rounded so that the order is rather farther back.
    Alike,
}

/// The lots before an own order, estimated from its level and the trades there.
#[derive(Clone, Copy, Debug)]
pub struct QueuePosition {
    rule: Cancels,
    ahead: u64,
    /// The lots of others as the level told them last.
    standing: u64,
    /// The lots that traded since.
    traded: u64,
}

impl QueuePosition {
    /// An order that comes to a price where others have `standing` lots: behind them all.
    #[must_use]
    pub const fn new(standing: u64, rule: Cancels) -> Self {
        Self {
            rule,
            ahead: standing,
            standing,
            traded: 0,
        }
    }

    /// The lots that are thought to trade before the order does.
    #[inline]
    #[must_use]
    pub const fn ahead(&self) -> u64 {
        self.ahead
    }

    /// Lots traded at the order's price against its side. Gives those that passed all that is
    /// ahead: so many the order itself would have traded, if it has them.
    #[inline]
    pub fn on_trade(&mut self, quantity: u64) -> u64 {
        let passed = quantity.saturating_sub(self.ahead);
        self.ahead = self.ahead.saturating_sub(quantity);
        self.traded = self.traded.saturating_add(quantity);
        passed
    }

    /// Others have `standing` lots at the price now. Trades are told before the level that they
    /// change.
    #[inline]
    pub fn on_level(&mut self, standing: u64) {
        let unchanged = self.standing.saturating_sub(self.traded);
        let gone = unchanged.saturating_sub(standing);
        let gone_ahead = match self.rule {
            Cancels::Behind => gone.saturating_sub(unchanged.saturating_sub(self.ahead)),
            Cancels::Alike => share(gone, self.ahead, unchanged),
        };
        self.ahead = self.ahead.saturating_sub(gone_ahead).min(standing);
        self.standing = standing;
        self.traded = 0;
    }
}

/// `part` / `all` of `quantity`, rounded down; 0 of nothing.
fn share(quantity: u64, part: u64, all: u64) -> u64 {
    let product = u128::from(quantity) * u128::from(part);
    let share = product.checked_div(all.into()).unwrap_or(0);
    // It is at most the quantity wherever the part is at most all.
    u64::try_from(share).unwrap_or(quantity)
}
