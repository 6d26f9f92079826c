//! Pegs: orders whose prices follow the best shown ones.

use wire::ring::{Condition, Event, EventKind, PRICE_MARKET, PRICE_MAX, Side};

use super::Naive;
use crate::answer::about_order;
use crate::book::Resting;

impl Naive {
    /// The price of a peg now, if it has one. It is no reference for itself, nor is an order that
    /// it replaces.
    pub(super) fn peg_price(&self, peg: &Resting) -> Option<i64> {
        if !self.is_continuous(peg.symbol) {
            return None;
        }
        let tick = self.tick(peg.symbol);
        let best = |side| {
            let but = Some(peg.order_ref);
            self.books.best_shown(peg.symbol, side, but)
        };
        let (own, other) = (best(peg.side), best(peg.side.opposite()));
        // Prices of sells are mirrored, so that a higher one always is a better one.
        let sign = match peg.side {
            Side::Buy => 1,
            Side::Sell => -1,
        };
        let (own, other) = (
            own.map(|price| price * sign),
            other.map(|price| price * sign),
        );
        let price = match peg.condition {
            Condition::PrimaryPeg => {
                let price = own? + peg.amount;
                other.map_or(price, |other| price.min(other - tick))
            }
            Condition::MarketPeg => other? - peg.amount,
            _ => (own? + other?).div_euclid(2) - peg.amount,
        };
        let capped = match peg.cap {
            PRICE_MARKET => price,
            cap => price.min(cap * sign),
        };
        let capped = self.peg_bounded(peg.symbol, peg.side, capped * sign) * sign;
        let rounded = match peg.condition {
            Condition::MidpointPeg => capped,
            _ => capped.div_euclid(tick) * tick,
        };
        let price = rounded * sign;
        (1..=PRICE_MAX).contains(&price).then_some(price)
    }

    /// Lets the pegs leave whose price is another one now, and arrive anew.
    pub(super) fn reprice(&mut self, symbol: u16) -> Vec<Event> {
        let priced = self.books.pegs(symbol).into_iter();
        let priced = priced.map(|peg| (peg, self.peg_price(&peg).unwrap_or(0)));
        let moving: Vec<(Resting, i64)> =
            priced.filter(|(peg, price)| *price != peg.price).collect();
        let mut events = Vec::new();
        for (peg, price) in moving {
            // Those before it may have traded with it.
            if let Some(peg) = self.books.find(peg.session, peg.user_ref) {
                events.extend(self.reprice_one(&peg, price));
            }
        }
        events
    }

    fn reprice_one(&mut self, old: &Resting, price: i64) -> Vec<Event> {
        self.books.remove(old);
        let order = Resting {
            order_ref: self.order_ref_next(),
            price,
            ..*old
        };
        let repriced = Event {
            related: old.order_ref,
            ..about_order(&order, EventKind::Repriced, 0)
        };
        if price == 0 {
            return vec![self.park(order, repriced)];
        }
        self.arrive(order, true, repriced)
    }
}
