//! Who started a trade, where the venue does not say it (Lee, Ready, "Inferring trade direction
//! from intraday data", 1991).

use super::Touch;

/// The side that started a trade.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sign {
    /// A buyer.
    Buy,
    /// A seller.
    Sell,
}

/// The rule of Lee and Ready: above the middle a buyer started it, below a seller; at the middle,
/// or without one, the tick test says: the side towards which the price moved last.
///
/// The touch is the one that stood before the trade; the five seconds by which the paper let quotes
/// lag belong to reports by hand, and are left out.
#[derive(Clone, Copy, Debug, Default)]
pub struct TradeSign {
    price: Option<i64>,
    moved: Option<Sign>,
}

impl TradeSign {
    /// No trade yet.
    #[must_use]
    pub const fn new() -> Self {
        Self {
            price: None,
            moved: None,
        }
    }

    /// Takes a trade; `None` where neither the middle nor a price before tells.
    #[inline]
    pub fn on(&mut self, price: i64, before: Touch) -> Option<Sign> {
        let last = self.price.replace(price).unwrap_or(price);
        self.moved = sign(price.cmp(&last)).or(self.moved);
        let middle = before.middle_halves();
        let by_middle = middle.and_then(|middle| sign((2 * i128::from(price)).cmp(&middle)));
        by_middle.or(self.moved)
    }
}

fn sign(order: core::cmp::Ordering) -> Option<Sign> {
    match order {
        core::cmp::Ordering::Less => Some(Sign::Sell),
        core::cmp::Ordering::Equal => None,
        core::cmp::Ordering::Greater => Some(Sign::Buy),
    }
}
