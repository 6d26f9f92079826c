//! The books of the reference engine: sorted maps from price to a queue of orders.

use std::collections::{BTreeMap, VecDeque};

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

/// Orders of one side of a symbol: the front of a queue is the oldest.
type Queues = BTreeMap<i64, VecDeque<Resting>>;

/// All books, and where each live order is.
#[derive(Default)]
pub(crate) struct Books {
    /// By symbol and side.
    queues: BTreeMap<(u16, u8), Queues>,
    /// By session and user reference.
    live: BTreeMap<(u16, u32), (u16, Side, i64)>,
}

impl Books {
    pub(crate) fn live_orders(&self) -> usize {
        self.live.len()
    }

    /// Orders of one side of a symbol, best price first, then the oldest.
    pub(crate) fn orders(&self, symbol: u16, side: Side) -> impl Iterator<Item = &Resting> {
        let queues = self.queues.get(&(symbol, side as u8));
        let (falling, rising) = match side {
            Side::Buy => (queues, None),
            Side::Sell => (None, queues),
        };
        let falling = falling.into_iter().flat_map(|queues| queues.values().rev());
        let rising = rising.into_iter().flat_map(BTreeMap::values);
        falling.chain(rising).flatten()
    }

    /// A session's live order.
    pub(crate) fn find(&self, session: u16, user_ref: u32) -> Option<Resting> {
        let (symbol, side, price) = self.live.get(&(session, user_ref))?;
        let queue = self.queues.get(&(*symbol, *side as u8))?.get(price)?;
        let mine = |order: &&Resting| order.session == session && order.user_ref == user_ref;
        queue.iter().find(mine).copied()
    }

    /// Puts an order behind all others of its price.
    pub(crate) fn rest(&mut self, order: Resting) {
        let place = (order.symbol, order.side, order.price);
        self.live.insert((order.session, order.user_ref), place);
        let queues = self
            .queues
            .entry((order.symbol, order.side as u8))
            .or_default();
        queues.entry(order.price).or_default().push_back(order);
    }

    /// Stores an order's new open and executed units in its place; without open units it leaves.
    pub(crate) fn update(&mut self, order: &Resting) {
        let Some(queues) = self.queues.get_mut(&(order.symbol, order.side as u8)) else {
            return;
        };
        let Some(queue) = queues.get_mut(&order.price) else {
            return;
        };
        for place in queue
            .iter_mut()
            .filter(|place| place.order_ref == order.order_ref)
        {
            *place = *order;
        }
        if order.open == 0 {
            queue.retain(|place| place.order_ref != order.order_ref);
            self.live.remove(&(order.session, order.user_ref));
        }
        if queue.is_empty() {
            queues.remove(&order.price);
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
        self.queues.clear();
        self.live.clear();
    }
}
