//! One market of the simulated exchange: its recorded book, our orders in it, and who fills them.

use analytics::book::{Cancels, QueuePosition};
use wire::ring::Side;

use crate::What;
use crate::desk::{Answer, Ladder, OrderId, Report, reaches, sign};

/// An order of ours that rests.
#[derive(Clone, Copy, Debug)]
pub(super) struct Resting {
    pub(super) id: OrderId,
    pub(super) side: Side,
    pub(super) price: i64,
    pub(super) open: u64,
    pub(super) filled: u64,
    queue: QueuePosition,
}

/// See the module.
#[derive(Clone, Debug, Default)]
pub(super) struct Pit {
    ladder: Ladder,
    /// What our orders took of levels since these were told last.
    taken: Vec<(Side, i64, u64)>,
    /// Our orders, by arrival.
    resting: Vec<Resting>,
    is_cleared: bool,
}

impl Pit {
    /// Takes what happened on the market; tells of fills.
    pub(super) fn event(&mut self, what: &What, on: &mut impl FnMut(Report)) {
        self.ladder.apply(what);
        match *what {
            What::Level {
                side,
                price,
                quantity,
            } => self.level(side, price, quantity, on),
            What::Quote { bid, offer } => {
                // Where levels are told, the ladder has not taken it.
                for (side, best) in [(Side::Buy, bid), (Side::Sell, offer)] {
                    if self.ladder.depth().best(side) == Some(best) {
                        self.level(side, best.price, best.quantity, on);
                    }
                }
            }
            What::Trade {
                price,
                quantity,
                aggressor,
            } => self.trade(price, quantity, aggressor, on),
            What::Clear => {
                self.taken.clear();
                self.is_cleared = true;
            }
            What::End => {
                if core::mem::take(&mut self.is_cleared) {
                    self.settle();
                }
            }
        }
    }

    /// Where an order of ours rests.
    pub(super) fn find(&self, id: OrderId) -> Option<usize> {
        self.resting.iter().position(|order| order.id == id)
    }

    pub(super) fn remove(&mut self, at: usize) -> Resting {
        self.resting.remove(at)
    }

    /// Whether an order would trade on entry.
    pub(super) fn is_met(&self, side: Side, price: i64) -> bool {
        let best = self.ladder.depth().best(side.opposite());
        best.is_some_and(|best| reaches(side, price, best.price))
    }

    /// Trades an arriving order with what stands there, best first; gives what is left of it.
    pub(super) fn take(
        &mut self,
        (id, side): (OrderId, Side),
        price: i64,
        open: u64,
        on: &mut impl FnMut(Report),
    ) -> u64 {
        let mut left = open;
        let there = side.opposite();
        for level in self.ladder.depth().levels(there) {
            if left == 0 || !reaches(side, price, level.price) {
                break;
            }
            let taken = taken_of(&mut self.taken, there, level.price);
            let quantity = left.min(level.quantity.saturating_sub(*taken));
            if quantity > 0 {
                *taken += quantity;
                left -= quantity;
                on(fill(id, level.price, quantity, false));
            }
        }
        left
    }

    /// Puts an order behind all that stands at its price.
    pub(super) fn rest(&mut self, (id, side): (OrderId, Side), price: i64, open: u64, filled: u64) {
        let standing = self.ladder.depth().at(side, price);
        self.resting.push(Resting {
            id,
            side,
            price,
            open,
            filled,
            queue: QueuePosition::new(standing, Cancels::Behind),
        });
    }

    fn level(&mut self, side: Side, price: i64, quantity: u64, on: &mut impl FnMut(Report)) {
        self.taken.retain(|it| (it.0, it.1) != (side, price));
        for order in &mut self.resting {
            if (order.side, order.price) == (side, price) {
                order.queue.on_level(quantity);
            }
        }
        // Who comes to a price that ours reaches would have met it.
        let mut left = quantity;
        let is_met =
            |order: &Resting| order.side != side && reaches(order.side, order.price, price);
        self.fill_resting(is_met, &mut left, on);
        if left < quantity {
            *taken_of(&mut self.taken, side, price) += quantity - left;
        }
    }

    fn trade(
        &mut self,
        price: i64,
        quantity: u64,
        aggressor: Option<Side>,
        on: &mut impl FnMut(Report),
    ) {
        let is_against = |order: &Resting| aggressor.is_none_or(|side| side != order.side);
        // Ours at a better price would have been met first.
        let mut left = quantity;
        let is_passed =
            |order: &Resting| is_against(order) && sign(order.side) * (order.price - price) > 0;
        self.fill_resting(is_passed, &mut left, on);
        for order in &mut self.resting {
            if order.price == price && is_against(order) {
                let passed = order.queue.on_trade(quantity);
                fill_one(order, passed.min(left), &mut left, on);
            }
        }
        self.resting.retain(|order| order.open > 0);
    }

    /// Fills orders of ours by price and time, whatever stands before them, until nothing is left.
    fn fill_resting(
        &mut self,
        is_met: impl Fn(&Resting) -> bool,
        left: &mut u64,
        on: &mut impl FnMut(Report),
    ) {
        while *left > 0 {
            let met = self.resting.iter_mut().filter(|order| is_met(order));
            let better = |order: &&mut Resting| (sign(order.side) * -order.price, order.id);
            let Some(order) = met.min_by_key(better) else {
                return;
            };
            fill_one(order, *left, left, on);
            self.resting.retain(|order| order.open > 0);
        }
    }

    /// A book was told anew: where our orders stand in it.
    fn settle(&mut self) {
        for order in &mut self.resting {
            order
                .queue
                .on_level(self.ladder.depth().at(order.side, order.price));
        }
    }
}

/// Fills an order at its own price.
fn fill_one(order: &mut Resting, quantity: u64, left: &mut u64, on: &mut impl FnMut(Report)) {
    let quantity = quantity.min(order.open);
    if quantity > 0 {
        order.open -= quantity;
        order.filled += quantity;
        *left -= quantity;
        on(fill(order.id, order.price, quantity, true));
    }
}

fn fill(order: OrderId, price: i64, quantity: u64, is_maker: bool) -> Report {
    let what = Answer::Filled {
        price,
        quantity,
        is_maker,
    };
    Report { order, what }
}

/// What was taken of a level.
fn taken_of(taken: &mut Vec<(Side, i64, u64)>, side: Side, price: i64) -> &mut u64 {
    let known = taken.iter().position(|it| (it.0, it.1) == (side, price));
    let at = known.unwrap_or_else(|| {
        taken.push((side, price, 0));
        taken.len() - 1
    });
    &mut taken[at].2
}
