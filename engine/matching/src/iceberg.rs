//! Icebergs: orders that show a tip and hold the rest of their units back.
//!
//! An order is one only while it holds units back, so its tip is less than what is open of it. Tip
//! and displayed quantity stand in its part, which no plain order has.

use wire::ring::{Event, EventKind, Reason};

use crate::answers::{code, of_order};
use crate::events::{Words, pair};
use crate::parts::Part;
use crate::trade::Taker;
use crate::{Engine, Events};

impl Part {
    /// Whether its order holds units back.
    pub(crate) fn is_iceberg(&self) -> bool {
        self.displayed != 0
    }

    /// Shows so many of the open units; with all of them its order is no iceberg any more.
    fn show(&mut self, tip: u32, open: u32) {
        if tip < open {
            self.tip = tip;
        } else {
            (self.tip, self.displayed) = (0, 0);
        }
    }
}

impl Engine<'_> {
    /// Lets an order that just rested show so many units, if it holds others back then.
    #[cold]
    pub(crate) fn hold_back(&mut self, handle: u32, displayed: u32) {
        if displayed < self.slab.orders[handle as usize].open() {
            let part = self.slab.make_part(handle);
            (part.tip, part.displayed) = (displayed, displayed);
        }
    }

    /// Units of an order that aggressors meet.
    pub(crate) fn tip(&self, handle: u32) -> u32 {
        let part = self.slab.part_of(handle).filter(|part| part.is_iceberg());
        part.map_or(self.slab.orders[handle as usize].open(), |part| part.tip)
    }

    /// Takes units off a resting order that keeps some, held back ones first; gives the number of
    /// those.
    pub(crate) fn lower(&mut self, handle: u32, quantity: u32) -> u32 {
        if self.accounts.is_kept {
            self.count_lowered(handle, quantity);
        }
        let order = &mut self.slab.orders[handle as usize];
        debug_assert!(quantity < order.open());
        if order.is_special() {
            return self.lower_special(handle, quantity);
        }
        order.reduce(quantity);
        self.books.levels[order.level as usize].quantity -= u64::from(quantity);
        0
    }

    #[cold]
    fn lower_special(&mut self, handle: u32, quantity: u32) -> u32 {
        if self.slab.orders[handle as usize].is_parked() {
            return self.lower_parked(handle, quantity);
        }
        self.lighten(handle);
        let (order, tip) = (self.slab.orders[handle as usize], self.tip(handle));
        let held = quantity.min(order.open() - tip);
        if let Some(part) = self.slab.part_of_mut(handle) {
            part.show(tip - (quantity - held), order.open() - quantity);
        }
        self.slab.orders[handle as usize].reduce(quantity);
        self.books.levels[order.level as usize].quantity -= u64::from(quantity);
        self.darken(handle);
        self.slab.settle(handle);
        held
    }

    /// A parked iceberg has no tip yet: it would show its displayed quantity.
    fn lower_parked(&mut self, handle: u32, quantity: u32) -> u32 {
        let displayed = self.slab.part_of(handle).map_or(0, |part| part.displayed);
        let order = &mut self.slab.orders[handle as usize];
        let held = match displayed {
            0 => 0,
            displayed => order.open().saturating_sub(displayed).min(quantity),
        };
        order.reduce(quantity);
        held
    }

    /// Trades units of a resting order off its level, no more than its tip; whether an iceberg's
    /// tip is gone by that.
    pub(crate) fn spend(&mut self, handle: u32, quantity: u32) -> bool {
        let order = &mut self.slab.orders[handle as usize];
        if order.is_special() {
            return self.spend_special(handle, quantity);
        }
        order.execute(quantity);
        self.books.levels[order.level as usize].quantity -= u64::from(quantity);
        false
    }

    fn spend_special(&mut self, handle: u32, quantity: u32) -> bool {
        self.lighten(handle);
        self.slab.execute(handle, quantity);
        let level = self.slab.orders[handle as usize].level;
        self.books.levels[level as usize].quantity -= u64::from(quantity);
        let mut is_gone = false;
        if let Some(part) = self.slab.part_of_mut(handle).filter(|one| one.is_iceberg()) {
            part.tip -= quantity;
            is_gone = part.tip == 0;
        }
        self.darken(handle);
        is_gone
    }

    /// Trades so many units, no more than its tip, with any order of a level.
    #[cold]
    pub(crate) fn fill_special(
        &mut self,
        taker: &mut Taker,
        handle: u32,
        quantity: u32,
        events: &mut Events,
    ) {
        assert!(quantity > 0, "an order without units on the book");
        let is_refreshed = self.spend_special(handle, quantity);
        let maker = &self.slab.orders[handle as usize];
        let (who, leaves, price) = (
            maker.identity(),
            maker.open(),
            self.books.price(maker.level),
        );
        taker.trade(quantity, price);
        if self.accounts.is_kept {
            self.count_fill(&who, &taker.who, quantity, price);
        }
        if leaves == 0 {
            self.take_off(self.refs.find(self.slab.orders, handle));
        }
        self.matches += 1;
        self.books.books[usize::from(who.symbol())].last = price;
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
    pub(crate) fn refresh(&mut self, handle: u32, price: u32, flags: u8) -> Words {
        self.orders_taken += 1;
        self.lighten(handle);
        let order = &mut self.slab.orders[handle as usize];
        let (related, open) = (order.identity().order_ref, order.open());
        order.set_order_ref(self.orders_taken);
        let who = order.identity();
        let (mut tip, mut expires) = (open, false);
        if let Some(part) = self.slab.part_of_mut(handle) {
            tip = part.displayed.min(open);
            expires = part.expiry_ns != 0;
            part.show(tip, open);
        }
        self.darken(handle);
        if expires {
            self.expire_later(handle);
        }
        self.slab.settle(handle);
        self.books.move_back(&mut self.slab, handle);
        let code = code(EventKind::Refreshed, Reason::None, Event::BOOKED | flags);
        Words {
            related,
            ..of_order(&who, code, pair(tip, open), price)
        }
    }
}
