//! The books of the reference engine: sorted maps from price to sorted maps of orders.
//!
//! Orders come to rest, and move back, in the order of their numbers, so the number is the time in
//! price-time.

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
    /// Units that trade before it moves back: those that an iceberg shows, all open ones of any
    /// other order.
    pub tip: u32,
    /// Units that traded already, also those of the orders it replaced.
    pub executed: u32,
    /// The engine's number of it.
    pub order_ref: u64,
    /// Units that an iceberg shows at a time; 0 for any other order.
    pub displayed: u32,
    /// Whether the feed shows nothing of it but its trades.
    pub hidden: bool,
    /// When it leaves, in nanoseconds since the Unix epoch; 0 for never.
    pub expiry_ns: u64,
}

impl Resting {
    /// Units that the feed shows.
    #[must_use]
    pub const fn shown(&self) -> u32 {
        if self.hidden { 0 } else { self.tip }
    }

    /// The units that it shows when it comes to rest, or moves back, with what is open now.
    pub(crate) fn tip_next(&self) -> u32 {
        match self.displayed {
            0 => self.open,
            displayed => displayed.min(self.open),
        }
    }
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
    /// Session and user reference of those that expire, by expiry and number.
    timed: BTreeMap<(u64, u64), (u16, u32)>,
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

    /// Stores an order that comes to rest, or the new units of one that rests already; without open
    /// units it leaves.
    pub(crate) fn store(&mut self, order: &Resting) {
        let who = (order.session, order.user_ref);
        self.timed.remove(&(order.expiry_ns, order.order_ref));
        let levels = self
            .sides
            .entry((order.symbol, order.side as u8))
            .or_default();
        let level = levels.entry(order.price).or_default();
        if order.open > 0 {
            if order.expiry_ns != 0 {
                self.timed.insert((order.expiry_ns, order.order_ref), who);
            }
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

    /// Takes an order off.
    pub(crate) fn remove(&mut self, order: &Resting) {
        self.store(&Resting { open: 0, ..*order });
    }

    /// The resting orders that an arriving one meets: those of the other side at prices that it
    /// accepts, best price first, then the oldest.
    pub(crate) fn met(&self, arriving: &Resting) -> impl Iterator<Item = &Resting> {
        let (side, limit) = (arriving.side, arriving.price);
        let meets = move |resting: &&Resting| match side {
            _ if limit == PRICE_MARKET => true,
            Side::Buy => resting.price <= limit,
            Side::Sell => resting.price >= limit,
        };
        self.orders(arriving.symbol, side.opposite())
            .take_while(meets)
    }

    /// The orders whose time is over, by expiry and number.
    pub(crate) fn expired(&self, now_ns: u64) -> Vec<Resting> {
        let due = self.timed.range(..=(now_ns, u64::MAX));
        due.filter_map(|(_, (session, user_ref))| self.find(*session, *user_ref))
            .collect()
    }
}
