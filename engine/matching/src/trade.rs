//! Trading: an order that arrives takes what stands on the other side; its rest stays or goes.

use wire::ring::{Event, EventKind, Reason, Side};

use crate::answers::{code, of_order};
use crate::books::rank;
use crate::engine::Pending;
use crate::events::{Words, pair};
use crate::parked::Wait;
use crate::place::{ANY_BUY, ANY_SELL};
use crate::self_trade::Prevention;
use crate::slab::{Identity, NONE, Order};
use crate::{EVENTS_MAX, Engine, Events, Step};

/// A maker's, an aggressor's, and an iceberg's fresh tip.
pub(crate) const FILL_EVENTS_MAX: usize = 3;

/// An acceptance, one fill and the fate of the rest must fit one step, or a sweep would never end.
const _: () = assert!(EVENTS_MAX >= FILL_EVENTS_MAX + 2);

/// An order that arrives.
#[derive(Clone, Copy)]
pub(crate) struct Taker {
    pub(crate) who: Identity,
    /// Its limit, or the market price.
    pub(crate) price: u32,
    /// The least rank of a price on the other side that it trades with.
    pub(crate) reach: u32,
    pub(crate) open: u32,
    pub(crate) executed: u32,
    /// Units that it shows when it rests, 0 for all.
    pub(crate) displayed: u32,
    /// When it leaves the book if it rests, 0 for never.
    pub(crate) expiry_ns: u64,
    /// Whether what does not trade rests.
    pub(crate) rests: bool,
    /// Whether it is more than a plain order when it rests.
    pub(crate) is_special: bool,
    /// Whether it comes in a call: it rests without a look at the other side.
    pub(crate) is_called: bool,
    /// What it waits for or follows.
    pub(crate) wait: Wait,
    /// Price of its first trade, 0 for none yet.
    pub(crate) price_first: u32,
}

impl Taker {
    /// Whether it trades with the best rank of the other side. No rank reaches down to 0, which
    /// stands for a side without orders.
    #[inline]
    pub(crate) fn meets(&self, best: u32) -> bool {
        best >= self.reach
    }

    /// Whether a record cannot say all about it, should it rest with all that is open.
    pub(crate) fn needs_part(&self) -> bool {
        let holds_back = self.displayed != 0 && self.displayed < self.open;
        holds_back || self.expiry_ns != 0 || !self.wait.is_none()
    }

    /// The price of the level at which it rests.
    pub(crate) fn stand(&self) -> u32 {
        if self.price == ANY_BUY && self.who.side() == Side::Sell {
            ANY_SELL
        } else {
            self.price
        }
    }

    /// An event about it with all its open units.
    #[inline]
    pub(crate) fn event(&self, kind: EventKind, flags: u8) -> Words {
        let shown = if self.displayed == 0 {
            self.open
        } else {
            self.displayed.min(self.open)
        };
        let units = pair(shown, self.open);
        of_order(
            &self.who,
            code(kind, Reason::None, flags),
            units,
            self.price,
        )
    }

    /// Spends open units, no more than there are, at a price.
    #[inline]
    pub(crate) fn trade(&mut self, quantity: u32, price: u32) {
        self.open -= quantity;
        self.executed += quantity;
        if self.price_first == 0 {
            self.price_first = price;
        }
    }

    /// The event of its open units' leaving, which never rested.
    pub(crate) fn left(&self, reason: Reason) -> Words {
        let why = code(EventKind::Canceled, reason, Event::LAST);
        of_order(&self.who, why, pair(self.open, 0), self.price)
    }

    /// The event of its acceptance, in another order's place if there is one.
    pub(crate) fn taken(&self, old: Option<&Identity>, flags: u8) -> Words {
        match old {
            Some(old) => self.replaced(old, flags),
            None => self.event(EventKind::Accepted, flags),
        }
    }

    /// The event of its acceptance in another order's place.
    pub(crate) fn replaced(&self, old: &Identity, flags: u8) -> Words {
        let old_hidden = if old.is_hidden() {
            Event::OLD_HIDDEN
        } else {
            0
        };
        Words {
            user_refs: pair(self.who.user_ref, old.user_ref),
            related: old.order_ref,
            ..self.event(EventKind::Replaced, flags | old_hidden)
        }
    }
}

impl Engine<'_> {
    /// Trades an aggressor until it is done or the events are full.
    #[inline(never)]
    pub(crate) fn trade(&mut self, taker: &mut Taker, events: &mut Events) -> Step {
        if self.book_of(taker).is_shared() {
            return self.share(taker, events);
        }
        let step = self.sweep(taker, events);
        if step == Step::More {
            self.pending = Pending::Sweep(*taker);
        }
        step
    }

    /// Puts what is open of an order on its book, at its level if that is known.
    #[inline(always)]
    pub(crate) fn rest(&mut self, taker: &Taker, level: Option<u32>) -> u32 {
        let level = match level {
            Some(level) => level,
            None => self.level(taker),
        };
        let order = Order::new(&taker.who, taker.open, taker.executed, level);
        let handle = self.books.append(&mut self.slab, order);
        let (session, user_ref) = (taker.who.session(), taker.who.user_ref);
        self.refs
            .insert(self.slab.orders, session, user_ref, handle);
        if self.accounts.is_kept {
            self.count_in(&taker.who, taker.open, taker.price);
        }
        handle
    }

    /// Puts what is open of an order on its book.
    #[inline(never)]
    pub(crate) fn rest_anew(&mut self, taker: &Taker) {
        let handle = self.rest(taker, None);
        if taker.is_special {
            self.rest_special(taker, handle);
        }
    }

    /// Notes what is more about an order that just rested than its record says.
    #[cold]
    fn rest_special(&mut self, taker: &Taker, handle: u32) {
        if taker.price == ANY_BUY {
            self.slab.orders[handle as usize].set_any_price();
        }
        if taker.displayed != 0 {
            self.hold_back(handle, taker.displayed);
        }
        self.darken(handle);
        if taker.expiry_ns != 0 {
            self.expire_at(handle, taker.expiry_ns);
        }
        if !taker.wait.is_none() {
            self.note_wait(taker, handle);
        }
        self.due(taker.who.symbol());
    }

    /// The level of an order's price, its group opened if need be.
    #[inline(never)]
    fn level(&mut self, taker: &Taker) -> u32 {
        let (symbol, side, price) = (taker.who.symbol(), taker.who.side(), taker.stand());
        match self.books.find(symbol, side, price) {
            Some(level) => level,
            None => self.books.open(symbol, side, price),
        }
    }

    /// Trades with the other side while prices meet: best price first, then the oldest.
    pub(crate) fn sweep(&mut self, taker: &mut Taker, events: &mut Events) -> Step {
        let symbol = usize::from(taker.who.symbol());
        let side = taker.who.side().opposite();
        let prevention = self.prevention(taker);
        while taker.open > 0 {
            let best = self.books.books[symbol].best(side);
            let best = best.filter(|(_, price)| taker.meets(rank(side, *price)));
            let Some((level, price)) = best else {
                break;
            };
            // A fill is up to three events; one more is kept for the fate of the rest.
            if events.room() < FILL_EVENTS_MAX + 1 {
                return Step::More;
            }
            let maker = self.books.levels[level as usize].head;
            if prevention != Prevention::None && self.is_own(taker, maker) {
                self.prevent(taker, maker, prevention, events);
            } else {
                self.fill(taker, level, price, events);
            }
        }
        self.end(taker, events)
    }

    /// Settles what is left of an order that trades no more.
    #[inline]
    pub(crate) fn end(&mut self, taker: &mut Taker, events: &mut Events) -> Step {
        if self.after.books_watched != 0 {
            self.note_ticks(taker);
        }
        if taker.open > 0 {
            self.settle_rest(taker, events);
        }
        Step::Done
    }

    /// What becomes of units that found nobody.
    #[inline]
    fn settle_rest(&mut self, taker: &Taker, events: &mut Events) {
        if !taker.rests {
            events.push_words(taker.left(Reason::ImmediateOrCancel));
        } else if taker.is_special && !self.has_level(taker) {
            events.push_words(taker.left(Reason::LadderFull));
        } else {
            self.rest_anew(taker);
            events.push_words(taker.event(EventKind::Booked, Event::BOOKED | Event::LAST));
        }
    }

    /// Whether an order can have a level. Who arrives as a command was asked before.
    pub(crate) fn has_level(&mut self, taker: &Taker) -> bool {
        let (symbol, side) = (taker.who.symbol(), taker.who.side());
        self.books.trie.has_room() || self.books.find(symbol, side, taker.stand()).is_some()
    }

    /// Notes the first and the last trade of an order for the stops of its symbol.
    #[cold]
    fn note_ticks(&mut self, taker: &Taker) {
        let symbol = usize::from(taker.who.symbol());
        let book = &self.books.books[symbol];
        if taker.price_first != 0 && book.is_watched() {
            let watch = &mut self.watches[symbol];
            watch.tick_add(taker.price_first);
            watch.tick_add(book.last);
            self.after.mark(taker.who.symbol());
            self.note_trade(taker.who.symbol(), taker.price_first);
        }
    }

    /// Trades with the oldest order of a level, at its price.
    #[inline]
    fn fill(&mut self, taker: &mut Taker, level: u32, price: u32, events: &mut Events) {
        let handle = self.books.levels[level as usize].head;
        assert!(handle != NONE, "a best price without orders");
        let maker = &mut self.slab.orders[handle as usize];
        if maker.is_special() {
            let quantity = self.tip(handle).min(taker.open);
            return self.fill_special(taker, handle, quantity, events);
        }
        let quantity = maker.open().min(taker.open);
        assert!(quantity > 0, "an order without units on the book");
        maker.execute(quantity);
        let (who, leaves) = (maker.identity(), maker.open());
        taker.trade(quantity, price);
        self.books.levels[level as usize].quantity -= u64::from(quantity);
        if self.accounts.is_kept {
            self.count_fill(&who, &taker.who, quantity, price);
        }
        if leaves == 0 {
            self.take_off(self.refs.find(self.slab.orders, handle));
        }
        self.matches += 1;
        self.books.books[usize::from(who.symbol())].last = price;
        let traded = |who: &Identity, flags: u8, leaves: u32| {
            let code = code(EventKind::Executed, Reason::None, flags);
            Words {
                related: self.matches,
                ..of_order(who, code, pair(quantity, leaves), price)
            }
        };
        events.push_words(traded(&who, Event::MAKER | Event::BOOKED, leaves));
        let last = if taker.open == 0 { Event::LAST } else { 0 };
        events.push_words(traded(&taker.who, last, taker.open));
    }
}
