//! Order entry: checks in their order, then matching, then the rest.

use wire::ring::{
    Command, Event, EventKind, PRICE_MARKET, PRICE_MAX, QUANTITY_MAX, Reason, Side, TimeInForce,
};

use crate::answers::{about, canceled, of_order};
use crate::books::Book;
use crate::engine::Day;
use crate::refs::Found;
use crate::slab::{Identity, NONE, ORDER_REF_MAX, Order};
use crate::{Engine, Events, Step};

/// An order that arrives.
#[derive(Clone, Copy)]
pub(crate) struct Taker {
    who: Identity,
    /// Its limit, or the market price.
    price: u32,
    open: u32,
    executed: u32,
    /// Whether what does not trade rests.
    rests: bool,
}

const _: () = assert!(PRICE_MARKET <= u32::MAX as i64);

impl Taker {
    /// Whether it trades with the best price of the other side, if there is one: no buy is 0, no
    /// sell the greatest number.
    #[inline]
    fn meets(&self, best: u32) -> bool {
        let market = self.price == PRICE_MARKET as u32;
        match self.who.side {
            Side::Buy => best <= self.price,
            Side::Sell => best != 0 && (market || best >= self.price),
        }
    }

    /// An event about it with all its open units.
    #[inline]
    fn event(&self, kind: EventKind, flags: u8) -> Event {
        Event {
            flags,
            leaves: self.open,
            ..of_order(&self.who, kind, self.open, self.price)
        }
    }
}

impl Engine<'_> {
    pub(crate) fn enter_new(&mut self, command: &Command, events: &mut Events) -> Step {
        let side = match self.check_new(command) {
            Ok(side) => side,
            Err(reason) => return rejected(command, reason, events),
        };
        let mut taker = self.taker(command, command.symbol, side, 0);
        if let Err(reason) = self.check_room(&taker, true) {
            return rejected(command, reason, events);
        }
        self.enter(&mut taker, None, events)
    }

    pub(crate) fn replace(&mut self, command: &Command, events: &mut Events) -> Step {
        let found = match self.check_replace(command) {
            Ok(found) => found,
            Err(reason) => return rejected(command, reason, events),
        };
        let old = &self.slab.orders[found.order as usize];
        let (who, executed) = (old.identity(), old.executed());
        let mut taker = self.taker(command, who.symbol, who.side, executed);
        if let Err(reason) = self.check_room(&taker, false) {
            return rejected(command, reason, events);
        }
        self.take_off(found);
        self.enter(&mut taker, Some(&who), events)
    }

    pub(crate) fn cancel(&mut self, command: &Command) -> Event {
        let found = self
            .refs
            .get(self.slab.orders, command.session, command.user_ref);
        let Some(found) = found else {
            return about(command, EventKind::CancelRejected, Reason::UnknownOrder);
        };
        let order = self.slab.orders[found.order as usize];
        let open = command.quantity.saturating_sub(order.executed());
        if open >= order.open() {
            return about(command, EventKind::Noted, Reason::None);
        }
        let price = self.books.price(order.level);
        if open == 0 {
            self.take_off(found);
            return canceled(&order, price, Reason::User, Event::LAST);
        }
        let quantity = order.open() - open;
        self.slab.orders[found.order as usize].reduce(quantity);
        self.books.levels[order.level as usize].quantity -= u64::from(quantity);
        Event {
            reason: Reason::User as u8,
            flags: Event::BOOKED | Event::LAST,
            leaves: open,
            ..of_order(&order.identity(), EventKind::Reduced, quantity, price)
        }
    }

    /// Takes a resting order off its book and forgets its reference.
    #[inline]
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
    fn taker(&self, command: &Command, symbol: u16, side: Side, executed: u32) -> Taker {
        let Command {
            session,
            user_ref,
            quantity,
            price,
            time_in_force,
            ..
        } = *command;
        Taker {
            who: Identity {
                order_ref: self.orders_taken + 1,
                symbol,
                session,
                user_ref,
                side,
            },
            price: price as u32,
            open: quantity - executed,
            executed,
            rests: time_in_force == TimeInForce::Day as u8 && price != PRICE_MARKET,
        }
    }

    /// Whether the order can rest, should it come to that. An order that trades and still has a
    /// rest took a whole order off the book before, and a replacement gives its own record back:
    /// only a new one that does not trade can lack a record. Groups of prices are counted as they
    /// are now.
    #[inline]
    fn check_room(&mut self, taker: &Taker, is_new: bool) -> Result<(), Reason> {
        if self.orders_taken == ORDER_REF_MAX {
            return Err(Reason::PoolFull);
        }
        if !taker.rests {
            return Ok(());
        }
        let Identity { symbol, side, .. } = taker.who;
        if is_new && !self.slab.has_room() {
            let best = self.books.books[usize::from(symbol)].best_price(side.opposite());
            if !taker.meets(best) {
                return Err(Reason::PoolFull);
            }
        }
        if self.books.has_room(symbol, taker.price) {
            Ok(())
        } else {
            Err(Reason::LadderFull)
        }
    }

    /// Takes an order that passed all checks, in the place of the order that it replaces, if any.
    #[inline]
    fn enter(&mut self, taker: &mut Taker, old: Option<&Identity>, events: &mut Events) -> Step {
        self.orders_taken += 1;
        self.sessions[usize::from(taker.who.session)].user_ref_last = taker.who.user_ref;
        let book = &self.books.books[usize::from(taker.who.symbol)];
        let best = book.best_price(taker.who.side.opposite());
        let is_whole = taker.rests && !taker.meets(best);
        let flags = if is_whole {
            Event::BOOKED | Event::LAST
        } else {
            0
        };
        events.push(match old {
            None => taker.event(EventKind::Accepted, flags),
            Some(old) => Event {
                old_user_ref: old.user_ref,
                related: old.order_ref,
                ..taker.event(EventKind::Replaced, flags)
            },
        });
        if is_whole {
            self.rest(taker);
            return Step::Done;
        }
        self.trade(taker, events)
    }

    /// Puts what is open of an order on its book.
    #[inline]
    fn rest(&mut self, taker: &Taker) {
        let level = self.books.level(taker.who.symbol, taker.price);
        let order = Order::new(&taker.who, taker.open, taker.executed, level);
        let handle = self.books.append(&mut self.slab, order, taker.price);
        let Identity {
            session, user_ref, ..
        } = taker.who;
        self.refs
            .insert(self.slab.orders, session, user_ref, handle);
    }

    /// Trades with the other side while prices meet: best price first, then the oldest; then rests
    /// or cancels what is left.
    pub(crate) fn sweep(&mut self, taker: &mut Taker, events: &mut Events) -> Step {
        let symbol = usize::from(taker.who.symbol);
        while taker.open > 0 {
            let best = self.books.books[symbol].best(taker.who.side.opposite());
            let Some((level, price)) = best.filter(|(_, price)| taker.meets(*price)) else {
                break;
            };
            // A fill is two events; one more is kept for the fate of the rest.
            if events.room() < 3 {
                return Step::More;
            }
            self.fill(taker, level, price, events);
        }
        if taker.open > 0 && taker.rests {
            self.rest(taker);
            events.push(taker.event(EventKind::Booked, Event::BOOKED | Event::LAST));
        } else if taker.open > 0 {
            events.push(Event {
                reason: Reason::ImmediateOrCancel as u8,
                leaves: 0,
                ..taker.event(EventKind::Canceled, Event::LAST)
            });
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
        let traded = |who: &Identity, flags: u8, leaves: u32| Event {
            flags,
            leaves,
            related: self.matches,
            ..of_order(who, EventKind::Executed, quantity, price)
        };
        events.push(traded(&who, Event::MAKER | Event::BOOKED, leaves));
        let last = if taker.open == 0 { Event::LAST } else { 0 };
        events.push(traded(&taker.who, last, taker.open));
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

#[cold]
fn rejected(command: &Command, reason: Reason, events: &mut Events) -> Step {
    events.push(about(command, EventKind::Rejected, reason));
    Step::Done
}
