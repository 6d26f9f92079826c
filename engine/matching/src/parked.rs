//! Parked orders: live, but not on the book.
//!
//! A parked order has a record and a part like others that are not plain, so it is found, expires
//! and leaves as they do. Its record is linked into its symbol's list of parked orders instead of a
//! level's queue. What is more about it, its [`Wait`], stands in its part.

use wire::ring::{Condition, Event, EventKind, PRICE_MARKET, PRICE_MAX, Reason, Side, TimeInForce};

use crate::answers::{canceled, code, of_order};
use crate::books::{limit, rank};
use crate::events::{Words, pair};
use crate::market::is_trading;
use crate::parts::Part;
use crate::refs::Found;
use crate::slab::{Identity, ORDER_REF_MAX, Order, Slab};
use crate::trade::Taker;
use crate::watch::{List, MARKS_UNKNOWN};
use crate::{Engine, Events, Step};

/// What an order waits for or follows; all zero for an order that does neither.
#[derive(Clone, Copy)]
pub(crate) struct Wait {
    /// A [`Condition`].
    pub(crate) condition: u8,
    /// It trades whole.
    pub(crate) is_whole: bool,
    /// A [`TimeInForce`] if it is only for an auction.
    pub(crate) life: u8,
    /// Of the condition.
    pub(crate) amount: i32,
    /// The limit of a peg, or the market price for none.
    pub(crate) cap: u32,
}

impl Wait {
    /// Nothing.
    pub(crate) const NONE: Self = Self {
        condition: 0,
        is_whole: false,
        life: 0,
        amount: 0,
        cap: 0,
    };

    pub(crate) fn is_none(&self) -> bool {
        self.condition == 0 && !self.is_whole && self.life == 0
    }

    pub(crate) fn is_stop(&self) -> bool {
        self.condition == Condition::Stop as u8 || self.condition == Condition::TrailingStop as u8
    }

    pub(crate) fn is_peg(&self) -> bool {
        self.condition >= Condition::PrimaryPeg as u8
    }
}

impl Part {
    /// Whether an order can wait for or follow this.
    pub(crate) fn waits_well(&self, order: &Order, tick: u32) -> bool {
        let wait = self.wait();
        let is_market = i64::from(self.price) == PRICE_MARKET;
        let is_price = self.price != 0 && (is_market || self.price.is_multiple_of(tick));
        let is_trailing = self.condition == Condition::TrailingStop as u8;
        let is_elected = self.children != [0; 2];
        if wait.is_none() {
            let is_marked = self.mark != 0 || is_elected;
            return !order.is_parked() && self.price == 0 && self.amount == 0 && !is_marked;
        }
        let is_kind = if wait.life != 0 {
            let is_open = wait.life == TimeInForce::AtOpen as u8;
            let is_alone = wait.condition == 0 && !wait.is_whole && self.amount == 0;
            is_alone
                && self.displayed == 0
                && self.expiry_ns == 0
                && !(is_open && order.is_parked())
        } else if wait.is_peg() {
            order.is_hidden() && self.displayed == 0 && !wait.is_whole
        } else if wait.is_stop() {
            let amount = i64::from(self.amount);
            let is_amount = (1..=PRICE_MAX).contains(&amount) && amount % i64::from(tick) == 0;
            let has_trigger = self.trigger(order.identity().side()).is_some();
            order.is_parked() && is_amount && !wait.is_whole && (!is_elected || has_trigger)
        } else {
            order.is_parked() && !is_market && self.displayed == 0 && self.amount == 0
        };
        is_price && is_kind && (self.mark == 0 || is_trailing) && (!is_elected || wait.is_stop())
    }

    /// What its order waits for or follows.
    pub(crate) fn wait(&self) -> Wait {
        let Self {
            condition,
            is_whole,
            life,
            amount,
            price,
            ..
        } = *self;
        Wait {
            condition,
            is_whole: is_whole != 0,
            life,
            amount,
            cap: price,
        }
    }
}

impl Engine<'_> {
    /// Whether a symbol's orders trade as they arrive.
    pub(crate) fn is_continuous(&self, symbol: u16) -> bool {
        is_trading(self.state(symbol))
    }

    /// Keeps an order that arrived, or left the book, as a parked one. There is room for it.
    #[cold]
    pub(crate) fn park(&mut self, taker: &Taker) {
        let mut order = Order::new(&taker.who, taker.open, taker.executed, 0);
        order.set_parked();
        let handle = self.slab.insert(order);
        let (symbol, session) = (taker.who.symbol(), taker.who.session());
        self.refs
            .insert(self.slab.orders, session, taker.who.user_ref, handle);
        self.parked_add(symbol, handle);
        self.note_wait(taker, handle);
        self.slab.make_part(handle).displayed = taker.displayed;
        if taker.expiry_ns != 0 {
            self.expire_at(handle, taker.expiry_ns);
        }
        if self.accounts.is_kept {
            self.count_in_live(handle);
        }
    }

    /// Answers an order that was taken and that waits, and parks it.
    pub(crate) fn park_new(
        &mut self,
        taker: &Taker,
        old: Option<&Identity>,
        events: &mut Events,
    ) -> Step {
        events.push_words(taker.taken(old, Event::PARKED | Event::LAST));
        self.park(taker);
        Step::Done
    }

    /// Notes what an order waits for or follows, if it does, once it has its record.
    pub(crate) fn note_wait(&mut self, taker: &Taker, handle: u32) {
        let Wait {
            condition,
            is_whole,
            life,
            amount,
            cap,
        } = taker.wait;
        let is_peg = taker.wait.is_peg();
        let part = self.slab.make_part(handle);
        part.price = if is_peg { cap } else { taker.price };
        (part.condition, part.is_whole, part.amount) = (condition, is_whole.into(), amount);
        part.life = life;
        let (symbol, at) = (taker.who.symbol(), self.slab.part_at(handle));
        if taker.wait.is_stop() {
            self.stop_add(handle, at);
        } else if is_peg {
            self.peg_add(symbol, at, taker.price_first != 0);
        } else if is_whole {
            self.list_add(symbol, List::AllOrNone, at);
        } else if let Some(list) = self.list_of_auction(handle, life) {
            self.list_add(symbol, list, at);
        }
    }

    /// Makes a symbol's lists and trees of what its orders wait for, which their parts say.
    pub(crate) fn restore_wait(&mut self, symbol: u16, handle: u32) {
        let Some(part) = self.slab.part_of(handle) else {
            return;
        };
        let (wait, at) = (part.wait(), self.slab.part_at(handle));
        if wait.is_stop() {
            self.stop_restore(handle, at);
        } else if wait.is_peg() {
            self.list_add(symbol, List::Pegs, at);
            self.watch(symbol);
        } else if wait.is_whole {
            self.list_add(symbol, List::AllOrNone, at);
        } else if let Some(list) = self.list_of_auction(handle, wait.life) {
            self.list_add(symbol, list, at);
        }
    }

    /// Sorts the lists of a symbol whose orders are all there.
    pub(crate) fn restore_lists(&mut self, symbol: u16) {
        let number = |slab: &Slab<'_>, part: u32| {
            let order = slab.parts.all[part as usize].order;
            slab.orders[order as usize].identity().order_ref
        };
        let mark = |slab: &Slab<'_>, part: u32| u64::from(slab.parts.all[part as usize].mark);
        self.list_sort(symbol, List::Elected, |slab, part| {
            u64::from(slab.parts.all[part as usize].children[0])
        });
        for list in [List::Pegs, List::Opening, List::Closing] {
            self.list_sort(symbol, list, number);
        }
        self.list_sort(symbol, List::TrailingBuys, mark);
        self.list_sort(symbol, List::TrailingSells, |slab, part| {
            u64::MAX - mark(slab, part)
        });
        self.watches[usize::from(symbol)].marks = MARKS_UNKNOWN;
        self.after.unmark_all();
    }

    /// Takes an order that leaves out of what waits for it or follows it.
    pub(crate) fn forget_wait(&mut self, handle: u32) {
        let Some(part) = self.slab.part_of(handle) else {
            return;
        };
        let (wait, at) = (part.wait(), self.slab.part_at(handle));
        let who = self.slab.orders[handle as usize].identity();
        if wait.is_stop() {
            self.stop_remove(who.symbol(), who.side(), at);
        }
        if wait.is_peg() {
            self.unwatch(who.symbol());
        }
        self.list_remove(who.symbol(), at);
    }

    /// Forgets an order that is not plain: on its book, or parked.
    #[cold]
    pub(crate) fn take_off_special(&mut self, found: Found) {
        let order = self.slab.orders[found.order as usize];
        self.forget(found.order);
        self.refs.remove(self.slab.orders, found);
        if order.is_parked() {
            self.parked_remove(order.identity().symbol(), found.order);
            self.slab.remove(found.order);
        } else {
            self.books.unlink(&mut self.slab, found.order);
        }
    }

    /// Price of a live order as its events tell it: a parked peg has none.
    pub(crate) fn price_of(&self, handle: u32) -> u32 {
        let order = &self.slab.orders[handle as usize];
        if !order.is_parked() {
            return limit(self.books.price(order.level));
        }
        let part = self.slab.part_of(handle);
        part.filter(|part| !part.wait().is_peg())
            .map_or(0, |part| part.price)
    }

    /// The event of a live order's leaving; it is still there.
    pub(crate) fn canceled(&self, handle: u32, reason: Reason, flags: u8) -> Words {
        let order = &self.slab.orders[handle as usize];
        let mut words = canceled(order, self.price_of(handle), reason, flags);
        if order.is_parked() {
            words.head ^= u64::from(Event::BOOKED | Event::PARKED) << 24;
        }
        words
    }

    /// Lowers an order to so many open units, 0 takes it off; something may follow from that, or it
    /// is not plain.
    #[cold]
    #[inline(never)]
    pub(crate) fn cancel_watched(&mut self, found: Found, open: u32, events: &mut Events) -> Step {
        let order = self.slab.orders[found.order as usize];
        let (who, quantity) = (order.identity(), order.open() - open);
        self.touch(who.symbol());
        if open == 0 {
            let words = self.canceled(found.order, Reason::User, Event::LAST);
            self.take_off(found);
            events.push_words(words);
            return self.ended(Step::Done, events);
        }
        let held = self.lower(found.order, quantity);
        let flag = if order.is_parked() {
            Event::PARKED
        } else {
            Event::BOOKED
        };
        let code = code(EventKind::Reduced, Reason::User, flag | Event::LAST);
        let price = self.price_of(found.order);
        events.push_words(Words {
            related: u64::from(held),
            ..of_order(&who, code, pair(quantity, open), price)
        });
        if order.is_parked() {
            self.due(who.symbol());
        }
        self.ended(Step::Done, events)
    }

    /// Whether an order that arrives is parked without a try.
    pub(crate) fn is_parked_on_entry(&self, taker: &Taker) -> bool {
        let is_peg_unpriced = taker.wait.is_peg() && taker.price == 0;
        let is_untried = taker.wait.is_whole && !self.is_continuous(taker.who.symbol());
        let is_early = taker.wait.life == TimeInForce::AtClose as u8 && !taker.is_called;
        taker.wait.is_stop() || is_peg_unpriced || is_untried || is_early
    }

    /// Whether an order that arrives may have to be parked.
    pub(crate) fn may_park(&self, taker: &Taker) -> bool {
        taker.wait.is_whole || self.is_parked_on_entry(taker)
    }

    /// Whether one more order can be parked, and have an order number.
    pub(crate) fn check_room_parked(&self, takes_record: bool) -> Result<(), Reason> {
        if self.orders_taken == ORDER_REF_MAX || takes_record && !self.slab.has_room() {
            return Err(Reason::PoolFull);
        }
        Ok(())
    }

    /// The next order number.
    pub(crate) fn order_ref_next(&mut self) -> u64 {
        self.orders_taken += 1;
        self.orders_taken
    }

    /// A live order as it would arrive, with what it waits for or follows.
    pub(crate) fn taker_of(&self, handle: u32) -> Taker {
        let order = self.slab.orders[handle as usize];
        let part = self.slab.part_of(handle);
        let wait = part.map_or(Wait::NONE, Part::wait);
        let price = self.price_of(handle);
        let who = order.identity();
        Taker {
            who,
            price,
            reach: reach(who.side(), price),
            open: order.open(),
            executed: self.slab.executed(&order),
            displayed: part.map_or(0, |part| part.displayed),
            expiry_ns: part.map_or(0, |part| part.expiry_ns),
            rests: i64::from(price) != PRICE_MARKET,
            is_special: true,
            is_called: false,
            wait,
            price_first: 0,
        }
    }
}

/// The least rank of a price on the other side that a price trades with.
pub(crate) fn reach(side: Side, price: u32) -> u32 {
    let is_any_buy = i64::from(price) == PRICE_MARKET && side == Side::Sell;
    rank(side.opposite(), if is_any_buy { 1 } else { price })
}
