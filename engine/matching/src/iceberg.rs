//! Icebergs: orders that show a tip and hold the rest of their units back.
//!
//! An order is marked as one only while it holds units back, so its tip is less than what is open
//! of it; what is known beyond its record stands in its [`Part`], which no plain order has.

use bytemuck::{Pod, Zeroable};
use wire::ring::{Event, EventKind, Reason};

use crate::answers::{code, of_order};
use crate::events::{Words, pair};
use crate::trade::Taker;
use crate::{Engine, Events};

/// What is known of an order that is not plain, by its handle.
#[derive(Clone, Copy, Pod, Zeroable)]
#[repr(C)]
pub(crate) struct Part {
    /// Units that aggressors meet.
    pub(crate) tip: u32,
    /// Units of a fresh tip.
    pub(crate) displayed: u32,
    /// When it leaves the book.
    pub(crate) expiry_ns: u64,
    /// Its place among those that do.
    pub(crate) heap_at: u32,
    unused: u32,
}

impl Engine<'_> {
    /// Marks an order that just rested if it holds units back.
    #[cold]
    pub(crate) fn hold_back(&mut self, handle: u32, displayed: u32) {
        let order = &mut self.slab.orders[handle as usize];
        let tip = displayed.min(order.open());
        order.set_iceberg(tip < order.open());
        let part = &mut self.parts[handle as usize];
        (part.tip, part.displayed) = (tip, displayed);
    }

    /// Units of an order that aggressors meet.
    pub(crate) fn tip(&self, handle: u32) -> u32 {
        let order = &self.slab.orders[handle as usize];
        if order.is_iceberg() {
            self.parts[handle as usize].tip
        } else {
            order.open()
        }
    }

    /// Takes units off a resting order that keeps some, held back ones first; gives the number of
    /// those.
    pub(crate) fn lower(&mut self, handle: u32, quantity: u32) -> u32 {
        let order = &mut self.slab.orders[handle as usize];
        debug_assert!(quantity < order.open());
        if order.is_dark() {
            return self.lower_dark(handle, quantity);
        }
        order.reduce(quantity);
        self.books.levels[order.level as usize].quantity -= u64::from(quantity);
        0
    }

    #[cold]
    fn lower_dark(&mut self, handle: u32, quantity: u32) -> u32 {
        self.lighten(handle);
        let order = &mut self.slab.orders[handle as usize];
        let mut held = 0;
        if order.is_iceberg() {
            let part = &mut self.parts[handle as usize];
            held = quantity.min(order.open() - part.tip);
            part.tip -= quantity - held;
            order.set_iceberg(part.tip < order.open() - quantity);
        }
        order.reduce(quantity);
        self.books.levels[order.level as usize].quantity -= u64::from(quantity);
        self.darken(handle);
        held
    }

    /// Trades units of a resting order off its level, no more than its tip; whether an iceberg's
    /// tip is gone by that.
    fn spend_dark(&mut self, handle: u32, quantity: u32) -> bool {
        self.lighten(handle);
        let maker = &mut self.slab.orders[handle as usize];
        maker.execute(quantity);
        self.books.levels[maker.level as usize].quantity -= u64::from(quantity);
        let is_iceberg = maker.is_iceberg();
        if is_iceberg {
            self.parts[handle as usize].tip -= quantity;
        }
        self.darken(handle);
        is_iceberg && self.parts[handle as usize].tip == 0
    }

    /// Trades with the oldest order of a level, as deep as its tip, when that has units that are
    /// not shown.
    #[cold]
    pub(crate) fn fill_dark(&mut self, taker: &mut Taker, handle: u32, events: &mut Events) {
        let quantity = self.tip(handle).min(taker.open);
        assert!(quantity > 0, "an order without units on the book");
        let is_refreshed = self.spend_dark(handle, quantity);
        let maker = &self.slab.orders[handle as usize];
        let (who, leaves, price) = (
            maker.identity(),
            maker.open(),
            self.books.price(maker.level),
        );
        taker.trade(quantity);
        if leaves == 0 {
            self.take_off(self.refs.find(self.slab.orders, handle));
        }
        self.matches += 1;
        let traded = |who, flags: u8, leaves: u32| Words {
            related: self.matches,
            ..of_order(
                who,
                code(EventKind::Executed, Reason::None, flags),
                pair(quantity, leaves),
                price,
            )
        };
        events.push_words(traded(&who, Event::MAKER | Event::BOOKED, leaves));
        let last = if taker.open == 0 { Event::LAST } else { 0 };
        let of_taker = if is_refreshed { 0 } else { last };
        events.push_words(traded(&taker.who, of_taker, taker.open));
        if is_refreshed {
            events.push_words(self.refresh(handle, price, last));
        }
    }

    /// Shows a fresh tip, behind all other orders of the price and under a new number.
    fn refresh(&mut self, handle: u32, price: u32, flags: u8) -> Words {
        self.orders_taken += 1;
        self.lighten(handle);
        let order = &mut self.slab.orders[handle as usize];
        let related = order.identity().order_ref;
        order.set_order_ref(self.orders_taken);
        let part = &mut self.parts[handle as usize];
        part.tip = part.displayed.min(order.open());
        order.set_iceberg(part.tip < order.open());
        let code = code(EventKind::Refreshed, Reason::None, Event::BOOKED | flags);
        let words = Words {
            related,
            ..of_order(&order.identity(), code, pair(part.tip, order.open()), price)
        };
        let expires = order.expires();
        self.darken(handle);
        if expires {
            self.expire_later(handle);
        }
        self.books.move_back(&mut self.slab, handle);
        words
    }
}
