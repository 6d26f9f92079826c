//! The books of the reference engine: sorted maps from price to sorted maps of orders.
//!
//! Orders come to rest in the order of their numbers, so the number is the time in price-time.

use std::collections::BTreeMap;

use wire::ring::{PRICE_MARKET, Side};

/// An order on the book.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Resting {
    /// Number of its symbol.
    pub symbol: u16,
    /// Its session.
    pub session: u16,
    /// The member's number of it.
    pub user_ref: u32,
    /// Its side.
    pub side: Side,
    /// Its limit.
    pub price: i64,
    /// Open units.
    pub open: u32,
    /// Units that traded already, also those of the orders it replaced.
    pub executed: u32,
    /// The engine's number of it.
    pub order_ref: u64,
}

/// Orders of one side of a symbol, by price and number.
type Levels = BTreeMap<i64, BTreeMap<u64, Resting>>;

/// All books, and where each live order is.
#[derive(Default)]
pub(crate) struct Books {
    /// By symbol and side.
    sides: BTreeMap<(u16, u8), Levels>,
    /// By session and user reference: symbol, side, price and number.
    live: BTreeMap<(u16, u32), (u16, Side, i64, u64)>,
}

impl Books {
    pub(crate) fn live_orders(&self) -> usize {
        self.live.len()
    }

    /// Orders of one side of a symbol, best price first, then the oldest.
    pub(crate) fn orders(&self, symbol: u16, side: Side) -> impl Iterator<Item = &Resting> {
        let levels = self.sides.get(&(symbol, side as u8));
        let (falling, rising) = match side {
            Side::Buy => (levels, None),
            Side::Sell => (None, levels),
        };
        let falling = falling.into_iter().flat_map(|levels| levels.values().rev());
        let rising = rising.into_iter().flat_map(BTreeMap::values);
        falling.chain(rising).flat_map(BTreeMap::values)
    }

    /// A session's live order.
    pub(crate) fn find(&self, session: u16, user_ref: u32) -> Option<Resting> {
        let (symbol, side, price, order_ref) = self.live.get(&(session, user_ref))?;
        let level = self.sides.get(&(*symbol, *side as u8))?.get(price)?;
        level.get(order_ref).copied()
    }

    /// Stores an order that comes to rest, or the new open and executed units of one that rests
    /// already; without open units it leaves.
    pub(crate) fn store(&mut self, order: &Resting) {
        let who = (order.session, order.user_ref);
        let levels = self
            .sides
            .entry((order.symbol, order.side as u8))
            .or_default();
        let level = levels.entry(order.price).or_default();
        if order.open > 0 {
            level.insert(order.order_ref, *order);
            self.live.insert(
                who,
                (order.symbol, order.side, order.price, order.order_ref),
            );
            return;
        }
        level.remove(&order.order_ref);
        self.live.remove(&who);
        if level.is_empty() {
            levels.remove(&order.price);
        }
    }

    /// The first resting order that an arriving one may trade with, if prices meet.
    pub(crate) fn maker(&self, arriving: &Resting) -> Option<Resting> {
        let best = self
            .orders(arriving.symbol, arriving.side.opposite())
            .next()
            .copied()?;
        let meets = match arriving.side {
            _ if arriving.price == PRICE_MARKET => true,
            Side::Buy => best.price <= arriving.price,
            Side::Sell => best.price >= arriving.price,
        };
        meets.then_some(best)
    }

    pub(crate) fn clear(&mut self) {
        self.sides.clear();
        self.live.clear();
    }
}
