//! Order entry: checks in their order, then matching, then the rest.

use wire::ring::{
    Command, Event, EventKind, PRICE_MARKET, PRICE_MAX, QUANTITY_MAX, Reason, Side, TimeInForce,
};

use crate::answers::{about, canceled, code, of_order};
use crate::books::{Book, rank};
use crate::engine::Day;
use crate::events::{Words, pair};
use crate::refs::Found;
use crate::slab::{Identity, NONE, ORDER_REF_MAX, Order};
use crate::{Engine, Events, Step};

/// An order that arrives.
#[derive(Clone, Copy)]
pub(crate) struct Taker {
    who: Identity,
    /// Its limit, or the market price.
    price: u32,
    /// The least rank of a price on the other side that it trades with.
    reach: u32,
    open: u32,
    executed: u32,
    /// Whether what does not trade rests.
    rests: bool,
}

const _: () = assert!(PRICE_MARKET <= u32::MAX as i64);

impl Taker {
    /// Whether it trades with the best rank of the other side. No rank reaches down to 0, which
    /// stands for a side without orders.
    #[inline]
    fn meets(&self, best: u32) -> bool {
        best >= self.reach
    }

    /// An event about it with all its open units.
    #[inline]
    fn event(&self, kind: EventKind, flags: u8) -> Words {
        let units = pair(self.open, self.open);
        of_order(
            &self.who,
            code(kind, Reason::None, flags),
            units,
            self.price,
        )
    }
}

impl Engine<'_> {
    #[inline(never)]
    pub(crate) fn enter_new(&mut self, command: &Command, events: &mut Events) -> Step {
        let side = match self.check_new(command) {
            Ok(side) => side,
            Err(reason) => return rejected(command, reason, events),
        };
        let head = Identity::head(side, command.symbol, command.session);
        let taker = self.taker(command, head, 0);
        let level = match self.check_room(&taker, true) {
            Ok(level) => level,
            Err(reason) => return rejected(command, reason, events),
        };
        let meets = self.meets(&taker);
        let flags = self.take(&taker, meets);
        events.push_words(taker.event(EventKind::Accepted, flags));
        if taker.rests && !meets {
            self.rest(&taker, level);
            return Step::Done;
        }
        self.trade(&mut { taker }, events)
    }

    #[inline(never)]
    pub(crate) fn replace(&mut self, command: &Command, events: &mut Events) -> Step {
        let found = match self.check_replace(command) {
            Ok(found) => found,
            Err(reason) => return rejected(command, reason, events),
        };
        let old = &self.slab.orders[found.order as usize];
        let (who, executed) = (old.identity(), old.executed());
        let taker = self.taker(command, who.head, executed);
        if let Err(reason) = self.check_room(&taker, false) {
            return rejected(command, reason, events);
        }
        self.take_off(found);
        let meets = self.meets(&taker);
        let flags = self.take(&taker, meets);
        events.push_words(Words {
            user_refs: pair(taker.who.user_ref, who.user_ref),
            related: who.order_ref,
            ..taker.event(EventKind::Replaced, flags)
        });
        if taker.rests && !meets {
            // The replaced order's group may have been closed with it.
            self.rest_anew(&taker);
            return Step::Done;
        }
        self.trade(&mut { taker }, events)
    }

    #[inline(never)]
    pub(crate) fn cancel(&mut self, command: &Command, events: &mut Events) -> Step {
        let found = self
            .refs
            .get(self.slab.orders, command.session, command.user_ref);
        let Some(found) = found else {
            return answered(command, EventKind::CancelRejected, events);
        };
        let order = self.slab.orders[found.order as usize];
        let open = command.quantity.saturating_sub(order.executed());
        if open >= order.open() {
            return answered(command, EventKind::Noted, events);
        }
        let price = self.books.price(order.level);
        if open == 0 {
            self.refs.remove(self.slab.orders, found);
            self.books.unlink(&mut self.slab, found.order);
            events.push_words(canceled(&order, price, Reason::User, Event::LAST));
            return Step::Done;
        }
        let quantity = order.open() - open;
        self.slab.orders[found.order as usize].reduce(quantity);
        self.books.levels[order.level as usize].quantity -= u64::from(quantity);
        let code = code(
            EventKind::Reduced,
            Reason::User,
            Event::BOOKED | Event::LAST,
        );
        let units = pair(quantity, open);
        events.push_words(of_order(&order.identity(), code, units, price));
        Step::Done
    }

    /// Takes a resting order off its book and forgets its reference.
    #[inline(never)]
    pub(crate) fn take_off(&mut self, found: Found) {
        self.refs.remove(self.slab.orders, found);
        self.books.unlink(&mut self.slab, found.order);
    }

    #[inline]
    fn check_new(&mut self, command: &Command) -> Result<Side, Reason> {
        let user_ref_last = self.check_session(command)?;
        let book = self.books.books.get(usize::from(command.symbol));
        if !book.is_some_and(Book::is_defined) {
            return Err(Reason::UnknownSymbol);
        }
        let side = Side::from_byte(command.side).ok_or(Reason::InvalidField)?;
        TimeInForce::from_byte(command.time_in_force).ok_or(Reason::InvalidField)?;
        if command.user_ref <= user_ref_last {
            return Err(Reason::DuplicateUserRef);
        }
        check_amounts(command, 0)?;
        Ok(side)
    }

    #[inline]
    fn check_replace(&mut self, command: &Command) -> Result<Found, Reason> {
        let user_ref_last = self.check_session(command)?;
        TimeInForce::from_byte(command.time_in_force).ok_or(Reason::InvalidField)?;
        if command.user_ref <= user_ref_last {
            return Err(Reason::DuplicateUserRef);
        }
        let found = self
            .refs
            .get(self.slab.orders, command.session, command.old_user_ref);
        let found = found.ok_or(Reason::UnknownOrder)?;
        check_amounts(command, self.slab.orders[found.order as usize].executed())?;
        Ok(found)
    }

    /// What `New` and `Replace` check first; gives the session's last accepted reference.
    #[inline]
    fn check_session(&mut self, command: &Command) -> Result<u32, Reason> {
        let session = self.sessions.get_mut(usize::from(command.session));
        let session = session.filter(|session| session.defined != 0);
        let extra = session.map(|session| (core::mem::take(&mut session.extra), session));
        if self.day != Day::Open {
            return Err(Reason::NotOpen);
        }
        match extra {
            None => Err(Reason::UnknownSession),
            Some((0, session)) => Ok(session.user_ref_last),
            Some(_) => Err(Reason::Unsupported),
        }
    }

    /// The order of a command whose fields are good; `executed` units are spent already.
    #[inline]
    fn taker(&self, command: &Command, head: u64, executed: u32) -> Taker {
        let Command {
            user_ref,
            quantity,
            time_in_force,
            ..
        } = *command;
        let who = Identity {
            head,
            order_ref: self.orders_taken + 1,
            user_ref,
        };
        let is_market = command.price == PRICE_MARKET;
        let price = command.price as u32;
        let is_any_buy = is_market && who.side() == Side::Sell;
        Taker {
            who,
            price,
            reach: rank(who.side().opposite(), if is_any_buy { 1 } else { price }),
            open: quantity - executed,
            executed,
            rests: time_in_force == TimeInForce::Day as u8 && !is_market,
        }
    }

    /// Whether the order can rest, should it come to that, and the level if its group is open. An
    /// order that trades and still has a rest took a whole order off the book before, and a
    /// replacement gives its own record back: only a new one that does not trade can lack a record.
    /// Groups of prices are counted as they are now.
    #[inline(always)]
    fn check_room(&mut self, taker: &Taker, is_new: bool) -> Result<Option<u32>, Reason> {
        if self.orders_taken == ORDER_REF_MAX {
            return Err(Reason::PoolFull);
        }
        if !taker.rests {
            return Ok(None);
        }
        if is_new && !self.slab.has_room() && !self.meets(taker) {
            return Err(Reason::PoolFull);
        }
        let level = self.books.find(taker.who.symbol(), taker.price);
        if level.is_none() && !self.books.trie.has_room() {
            return Err(Reason::LadderFull);
        }
        Ok(level)
    }

    /// Whether an order trades at once.
    #[inline]
    fn meets(&self, taker: &Taker) -> bool {
        let book = &self.books.books[usize::from(taker.who.symbol())];
        taker.meets(book.best_rank(taker.who.side().opposite()))
    }

    /// Counts an order that passed all checks; gives the flags of the event that says so.
    #[inline]
    fn take(&mut self, taker: &Taker, meets: bool) -> u8 {
        self.orders_taken += 1;
        self.sessions[usize::from(taker.who.session())].user_ref_last = taker.who.user_ref;
        if taker.rests && !meets {
            Event::BOOKED | Event::LAST
        } else {
            0
        }
    }

    /// Puts what is open of an order on its book, at its level if that is known.
    #[inline(always)]
    fn rest(&mut self, taker: &Taker, level: Option<u32>) {
        let level = match level {
            Some(level) => level,
            None => self.level(taker),
        };
        let order = Order::new(&taker.who, taker.open, taker.executed, level);
        let handle = self.books.append(&mut self.slab, order, taker.price);
        let (session, user_ref) = (taker.who.session(), taker.who.user_ref);
        self.refs
            .insert(self.slab.orders, session, user_ref, handle);
    }

    /// Puts what is open of an order on its book.
    #[inline(never)]
    fn rest_anew(&mut self, taker: &Taker) {
        self.rest(taker, None);
    }

    /// The level of an order's price, its group opened if need be.
    #[inline(never)]
    fn level(&mut self, taker: &Taker) -> u32 {
        let (symbol, price) = (taker.who.symbol(), taker.price);
        match self.books.find(symbol, price) {
            Some(level) => level,
            None => self.books.open(symbol, price),
        }
    }

    /// Trades with the other side while prices meet: best price first, then the oldest; then rests
    /// or cancels what is left.
    pub(crate) fn sweep(&mut self, taker: &mut Taker, events: &mut Events) -> Step {
        let symbol = usize::from(taker.who.symbol());
        let side = taker.who.side().opposite();
        while taker.open > 0 {
            let best = self.books.books[symbol].best(side);
            let best = best.filter(|(_, price)| taker.meets(rank(side, *price)));
            let Some((level, price)) = best else {
                break;
            };
            // A fill is two events; one more is kept for the fate of the rest.
            if events.room() < 3 {
                return Step::More;
            }
            self.fill(taker, level, price, events);
        }
        if taker.open > 0 && taker.rests {
            self.rest_anew(taker);
            events.push_words(taker.event(EventKind::Booked, Event::BOOKED | Event::LAST));
        } else if taker.open > 0 {
            let why = code(EventKind::Canceled, Reason::ImmediateOrCancel, Event::LAST);
            let units = pair(taker.open, 0);
            events.push_words(of_order(&taker.who, why, units, taker.price));
        }
        Step::Done
    }

    /// Trades with the oldest order of a level, at its price.
    #[inline]
    fn fill(&mut self, taker: &mut Taker, level: u32, price: u32, events: &mut Events) {
        let handle = self.books.levels[level as usize].head;
        assert!(handle != NONE, "a best price without orders");
        let maker = &mut self.slab.orders[handle as usize];
        let quantity = maker.open().min(taker.open);
        assert!(quantity > 0, "an order without units on the book");
        maker.execute(quantity);
        let (who, leaves) = (maker.identity(), maker.open());
        taker.open -= quantity;
        taker.executed += quantity;
        self.books.levels[level as usize].quantity -= u64::from(quantity);
        if leaves == 0 {
            self.take_off(self.refs.find(self.slab.orders, handle));
        }
        self.matches += 1;
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

/// Whether quantity and price are good; `executed` units are spent already.
#[inline]
fn check_amounts(command: &Command, executed: u32) -> Result<(), Reason> {
    if command.quantity <= executed || command.quantity > QUANTITY_MAX {
        return Err(Reason::InvalidQuantity);
    }
    if command.price != PRICE_MARKET && !(1..=PRICE_MAX).contains(&command.price) {
        return Err(Reason::InvalidPrice);
    }
    Ok(())
}

/// A cancel without effect.
#[cold]
fn answered(command: &Command, kind: EventKind, events: &mut Events) -> Step {
    let reason = if kind == EventKind::Noted {
        Reason::None
    } else {
        Reason::UnknownOrder
    };
    events.push(about(command, kind, reason));
    Step::Done
}

#[cold]
fn rejected(command: &Command, reason: Reason, events: &mut Events) -> Step {
    events.push(about(command, EventKind::Rejected, reason));
    Step::Done
}
