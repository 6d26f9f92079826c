//! What the shown orders show, by their numbers: a hash table of fixed size.

use wire::ring::Side;

/// The greatest part of the table that is filled: a half.
const SLOTS_PER_ORDER: usize = 2;

/// Odd, and near 2^64 over the golden ratio: numbers that follow one another spread.
const SPREAD: u64 = 0x9e37_79b9_7f4a_7c15;

/// A shown order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Shown {
    pub(super) symbol: u16,
    pub(super) side: Side,
    pub(super) price: i64,
    /// Units that it shows, at least 1.
    pub(super) units: u32,
}

/// A place in the table; number 0 is no order.
type Slot = (u64, Shown);

const FREE: Slot = (
    0,
    Shown {
        symbol: 0,
        side: Side::Buy,
        price: 0,
        units: 0,
    },
);

/// Linear probing; a removal moves back what its gap would hide.
pub(super) struct Orders {
    slots: Vec<Slot>,
    count: usize,
    orders_max: usize,
}

impl Orders {
    pub(super) fn new(orders_max: usize) -> Self {
        let slots = (orders_max.max(1) * SLOTS_PER_ORDER).next_power_of_two();
        Self {
            slots: vec![FREE; slots],
            count: 0,
            orders_max,
        }
    }

    /// Adds an order; `false` when there are too many.
    pub(super) fn insert(&mut self, order_ref: u64, shown: Shown) -> bool {
        if self.count == self.orders_max || order_ref == 0 {
            return false;
        }
        let index = self.find(order_ref);
        self.count += usize::from(self.slots[index].0 == 0);
        self.slots[index] = (order_ref, shown);
        true
    }

    /// All orders, in no order.
    pub(super) fn all(&self) -> impl Iterator<Item = (u64, Shown)> {
        self.slots.iter().filter(|slot| slot.0 != 0).copied()
    }

    /// Takes units off an order, no more than it shows, and gives what it showed before. One that
    /// shows nothing any more is forgotten.
    pub(super) fn reduce(&mut self, order_ref: u64, units: u32) -> Option<Shown> {
        let index = self.find(order_ref);
        let (found, shown) = &mut self.slots[index];
        if *found == 0 || order_ref == 0 {
            return None;
        }
        let before = *shown;
        shown.units = before.units.saturating_sub(units);
        if shown.units == 0 {
            self.remove(index);
        }
        Some(before)
    }

    /// The order's place, or the free one where it would be.
    fn find(&self, order_ref: u64) -> usize {
        let mut index = self.home(order_ref);
        while self.slots[index].0 != order_ref && self.slots[index].0 != 0 {
            index = self.next(index);
        }
        index
    }

    fn home(&self, order_ref: u64) -> usize {
        let bits = self.slots.len().trailing_zeros();
        let hash = order_ref.wrapping_mul(SPREAD);
        // One slot has no bits to choose by.
        hash.checked_shr(64 - bits).unwrap_or(0) as usize
    }

    fn next(&self, index: usize) -> usize {
        (index + 1) & (self.slots.len() - 1)
    }

    fn remove(&mut self, index: usize) {
        let mask = self.slots.len() - 1;
        let (mut gap, mut index) = (index, index);
        self.count -= 1;
        loop {
            index = self.next(index);
            let order_ref = self.slots[index].0;
            if order_ref == 0 {
                self.slots[gap] = FREE;
                return;
            }
            let way = index.wrapping_sub(self.home(order_ref)) & mask;
            if way >= index.wrapping_sub(gap) & mask {
                self.slots[gap] = self.slots[index];
                gap = index;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_full_table_finds_forgets_and_refuses() {
        let shown = |units| Shown {
            symbol: 1,
            side: Side::Sell,
            price: 5,
            units,
        };
        for orders_max in [1, 2, 7, 64] {
            let mut orders = Orders::new(orders_max);
            for round in 0..100 {
                let refs = (0..orders_max as u64).map(|index| 1 + index * (round + 1));
                for order_ref in refs.clone() {
                    assert!(orders.insert(order_ref, shown(3)));
                }
                assert!(!orders.insert(u64::MAX, shown(1)));
                for order_ref in refs.clone().rev() {
                    assert_eq!(orders.reduce(order_ref, 1), Some(shown(3)));
                }
                for order_ref in refs.clone() {
                    assert_eq!(orders.reduce(order_ref, 2), Some(shown(2)));
                    assert_eq!(orders.reduce(order_ref, 1), None);
                }
                assert_eq!(orders.count, 0);
            }
        }
    }
}
