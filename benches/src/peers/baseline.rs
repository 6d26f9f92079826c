//! What a good engineer writes in an afternoon with the standard library: a sorted map of prices, a
//! double-ended queue at each, and a hash map of orders.
//!
//! A cancelled or moved order leaves its place in the queue behind; a stamp tells such a place from
//! a live one, and it is skipped when its turn comes. A price without orders goes at once.

use std::collections::{BTreeMap, HashMap, VecDeque, btree_map};
use std::hash::{BuildHasherDefault, Hasher};

use wire::ring::Side;
use wirecross_capi::{
    KIND_CANCEL, KIND_NEW, Message, REPORT_ACCEPTED, REPORT_CANCELED, REPORT_FILL, REPORT_MODIFIED,
    REPORT_REJECTED, Report,
};

use super::{Room, Venue};
use crate::BenchError;

/// Orders that the hash map has room for from the start.
const ORDERS: usize = 1 << 17;

/// One multiplication: ids need no better hash.
#[derive(Default)]
struct IdHasher(u64);

impl Hasher for IdHasher {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        bytes
            .iter()
            .for_each(|byte| self.write_u64(u64::from(*byte)));
    }

    fn write_u64(&mut self, value: u64) {
        let mixed = (self.0 ^ value).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        self.0 = mixed ^ mixed >> 32;
    }
}

struct Order {
    side: Side,
    price: i64,
    open: u32,
    /// Message that put it where it is.
    stamp: u64,
}

#[derive(Default)]
struct Level {
    queue: VecDeque<(u64, u64)>,
    orders: usize,
    quantity: u64,
}

type Levels = BTreeMap<i64, Level>;

/// The baseline.
pub struct Baseline {
    orders: HashMap<u64, Order, BuildHasherDefault<IdHasher>>,
    bids: Levels,
    asks: Levels,
    messages: u64,
}

impl Baseline {
    /// Orders that rest.
    #[must_use]
    pub fn live_orders(&self) -> u32 {
        self.orders.len() as u32
    }
}

impl Venue for Baseline {
    const NAME: &'static str = "BTreeMap + VecDeque";

    fn open(_: Room) -> Result<Self, BenchError> {
        Ok(Self {
            orders: HashMap::with_capacity_and_hasher(ORDERS, BuildHasherDefault::default()),
            bids: Levels::new(),
            asks: Levels::new(),
            messages: 0,
        })
    }

    #[inline]
    fn apply(&mut self, message: &Message, mut on: impl FnMut(&Report)) {
        self.messages += 1;
        let report = |kind, price, quantity| Report {
            price,
            quantity,
            ..Report::new(kind, self.messages, message.id)
        };
        if message.kind == KIND_NEW {
            on(&report(REPORT_ACCEPTED, message.price, message.quantity));
            let side = if message.side == 0 {
                Side::Buy
            } else {
                Side::Sell
            };
            return self.enter(message, side, &mut on);
        }
        let Some(order) = self.orders.remove(&message.id) else {
            return on(&report(REPORT_REJECTED, 0, 0));
        };
        if message.kind == KIND_CANCEL {
            on(&report(REPORT_CANCELED, 0, order.open));
            return self.leave(&order);
        }
        on(&report(REPORT_MODIFIED, message.price, message.quantity));
        self.leave(&order);
        self.enter(message, order.side, &mut on);
    }

    fn levels(&self, side: Side) -> Vec<(i64, u64)> {
        let show = |(price, level): (&i64, &Level)| (*price, level.quantity);
        match side {
            Side::Buy => self.bids.iter().rev().map(show).collect(),
            Side::Sell => self.asks.iter().map(show).collect(),
        }
    }
}

impl Baseline {
    fn enter(&mut self, message: &Message, side: Side, on: &mut impl FnMut(&Report)) {
        let open = self.trade(message, side, on);
        if open == 0 {
            return;
        }
        if message.ioc == 1 {
            return on(&Report {
                quantity: open,
                ..Report::new(REPORT_CANCELED, self.messages, message.id)
            });
        }
        let own = match side {
            Side::Buy => &mut self.bids,
            Side::Sell => &mut self.asks,
        };
        let level = own.entry(message.price).or_default();
        level.queue.push_back((message.id, self.messages));
        level.orders += 1;
        level.quantity += u64::from(open);
        let order = Order {
            side,
            price: message.price,
            open,
            stamp: self.messages,
        };
        self.orders.insert(message.id, order);
    }

    /// Takes an order's units off its level.
    fn leave(&mut self, order: &Order) {
        let own = match order.side {
            Side::Buy => &mut self.bids,
            Side::Sell => &mut self.asks,
        };
        if let btree_map::Entry::Occupied(mut level) = own.entry(order.price) {
            level.get_mut().orders -= 1;
            level.get_mut().quantity -= u64::from(order.open);
            if level.get().orders == 0 {
                level.remove();
            }
        }
    }

    /// Trades an arriving order and says what is left of it.
    fn trade(&mut self, message: &Message, side: Side, on: &mut impl FnMut(&Report)) -> u32 {
        let mut open = message.quantity;
        while open > 0 {
            let best = match side {
                Side::Buy => self.asks.first_entry(),
                Side::Sell => self.bids.last_entry(),
            };
            let Some(mut best) = best else { break };
            let price = *best.key();
            let meets = match side {
                Side::Buy => price <= message.price,
                Side::Sell => price >= message.price,
            };
            if !meets {
                break;
            }
            let level = best.get_mut();
            while open > 0 && level.orders > 0 {
                let Some((id, stamp)) = level.queue.front().copied() else {
                    break;
                };
                let maker = self
                    .orders
                    .get_mut(&id)
                    .filter(|maker| maker.stamp == stamp);
                let Some(maker) = maker else {
                    level.queue.pop_front();
                    continue;
                };
                let quantity = open.min(maker.open);
                open -= quantity;
                maker.open -= quantity;
                level.quantity -= u64::from(quantity);
                let left = maker.open;
                if left == 0 {
                    self.orders.remove(&id);
                    level.queue.pop_front();
                    level.orders -= 1;
                }
                on(&Report {
                    other: id,
                    price,
                    quantity,
                    left,
                    side: side as u8,
                    ..Report::new(REPORT_FILL, self.messages, message.id)
                });
            }
            if level.orders == 0 {
                best.remove();
            }
        }
        open
    }
}
