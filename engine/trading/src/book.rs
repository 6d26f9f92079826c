//! One symbol's book: orders in price-time priority, kept order by order.
//!
//! Ordered maps all the way down: which order stands where is then a property of the keys, and an
//! iteration gives the same answer on every run.

use std::collections::BTreeMap;

use wire::ring::Side;

/// An order that rests on a book.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RestingOrder {
    /// The venue's number of the order.
    pub order_ref: u64,
    /// Price in 1/10,000.
    pub price: i64,
    /// Open units.
    pub quantity: u32,
}

/// All orders of one side at one price.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Level {
    /// Price in 1/10,000.
    pub price: i64,
    /// Open units of all orders.
    pub quantity: u64,
    /// Orders.
    pub orders: usize,
}

/// The orders at one price by arrival, with the sum of their units.
#[derive(Clone, Debug, Default)]
struct Queue {
    quantity: u64,
    orders: BTreeMap<u64, (u64, u32)>,
}

/// One symbol's orders.
#[derive(Clone, Debug, Default)]
pub struct Book {
    sides: [BTreeMap<i64, Queue>; 2],
}

/// Where an order stands: what the owner of the book remembers about it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Place {
    pub side: Side,
    pub price: i64,
    /// Number of the order's arrival, growing over the whole feed.
    pub arrival: u64,
}

impl Book {
    /// The best price of a side and what stands there.
    #[must_use]
    pub fn best(&self, side: Side) -> Option<Level> {
        self.levels(side).next()
    }

    /// The levels of a side, best first.
    pub fn levels(&self, side: Side) -> impl Iterator<Item = Level> {
        self.queues(side).map(|(price, queue)| Level {
            price,
            quantity: queue.quantity,
            orders: queue.orders.len(),
        })
    }

    /// The orders of a side in price-time priority.
    pub fn orders(&self, side: Side) -> impl Iterator<Item = RestingOrder> {
        self.queues(side).flat_map(|(price, queue)| {
            queue
                .orders
                .values()
                .map(move |&(order_ref, quantity)| RestingOrder {
                    order_ref,
                    price,
                    quantity,
                })
        })
    }

    /// The units at a price.
    #[must_use]
    pub fn at(&self, side: Side, price: i64) -> u64 {
        let queue = self.sides[side as usize].get(&price);
        queue.map_or(0, |queue| queue.quantity)
    }

    /// Whether the best bid reaches the best offer. Real feeds show this only around halts.
    #[must_use]
    pub fn is_crossed(&self) -> bool {
        match (self.best(Side::Buy), self.best(Side::Sell)) {
            (Some(bid), Some(offer)) => bid.price >= offer.price,
            _ => false,
        }
    }

    fn queues(&self, side: Side) -> impl Iterator<Item = (i64, &Queue)> {
        let mut queues = self.sides[side as usize].iter();
        let best_first = std::iter::from_fn(move || match side {
            Side::Sell => queues.next(),
            Side::Buy => queues.next_back(),
        });
        best_first.map(|(&price, queue)| (price, queue))
    }

    /// The open units of the order of a place.
    pub(crate) fn open(&self, place: Place) -> Option<u32> {
        let queue = self.sides[place.side as usize].get(&place.price)?;
        queue.orders.get(&place.arrival).map(|(_, open)| *open)
    }

    /// The units of the orders that came to a place's level before it.
    pub(crate) fn ahead_of(&self, place: Place) -> Option<u64> {
        let queue = self.sides[place.side as usize].get(&place.price)?;
        let before = queue.orders.range(..place.arrival);
        Some(before.map(|(_, (_, open))| u64::from(*open)).sum())
    }

    pub(crate) fn insert(&mut self, place: Place, order_ref: u64, quantity: u32) {
        let queue = self.sides[place.side as usize]
            .entry(place.price)
            .or_default();
        queue.quantity += u64::from(quantity);
        queue.orders.insert(place.arrival, (order_ref, quantity));
    }

    /// Takes units off an order and returns how many are left; `None` when fewer are open. An
    /// order with nothing left and an empty level vanish.
    pub(crate) fn reduce(&mut self, place: Place, quantity: u32) -> Option<u32> {
        let queue = self.sides[place.side as usize].get_mut(&place.price)?;
        let (_, open) = queue.orders.get_mut(&place.arrival)?;
        let left = open.checked_sub(quantity)?;
        *open = left;
        queue.quantity -= u64::from(quantity);
        if left == 0 {
            self.remove(place);
        }
        Some(left)
    }

    /// Takes an order off with all its units, and gives these.
    pub(crate) fn remove(&mut self, place: Place) -> Option<u32> {
        let levels = &mut self.sides[place.side as usize];
        let queue = levels.get_mut(&place.price)?;
        let (_, open) = queue.orders.remove(&place.arrival)?;
        queue.quantity -= u64::from(open);
        if queue.orders.is_empty() {
            levels.remove(&place.price);
        }
        Some(open)
    }
}
