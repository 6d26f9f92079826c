//! Order entry: checks, then matching, then the rest.
//!
//! Most commands never come here: [`crate::quick`] has applied them. Plain orders of plain sessions
//! on plain books that trade, too, are only asked whether all is well. Whatever is not goes the
//! long way round, which looks at everything in the stated order and finds the reason.

use wire::ring::{
    Command, CommandKind, Event, EventKind, PRICE_MARKET, PRICE_MAX, QUANTITY_MAX, Reason, Side,
    TimeInForce,
};

use crate::answers::{about, canceled, code, of_order};
use crate::books::Book;
use crate::engine::{Day, Session};
use crate::events::pair;
use crate::parked::{Wait, reach};
use crate::refs::Found;
use crate::slab::{HEAD_HIDDEN, Identity, ORDER_REF_MAX};
use crate::trade::Taker;
use crate::{Engine, Events, Step};

impl Engine<'_> {
    /// Applies a `New`.
    #[inline(never)]
    pub(crate) fn enter_new(&mut self, command: &Command, events: &mut Events) -> Step {
        let Some(taker) = self.plain_new(command) else {
            return self.enter_asked(command, events);
        };
        if self.accounts.is_kept
            && let Err(reason) = self.check_risk(&taker, None)
        {
            return rejected(command, reason, events);
        }
        let meets = self.meets(&taker);
        let level = match self.check_room(&taker, !meets) {
            Ok(level) => level,
            Err(reason) => return rejected(command, reason, events),
        };
        let flags = self.take(&taker, meets);
        events.push_words(taker.event(EventKind::Accepted, flags));
        if taker.rests && !meets {
            self.rest(&taker, level);
            return Step::Done;
        }
        self.trade(&mut { taker }, events)
    }

    /// Applies a `Replace`.
    #[inline(never)]
    pub(crate) fn replace(&mut self, command: &Command, events: &mut Events) -> Step {
        let Some((taker, found)) = self.plain_replace(command) else {
            return self.enter_asked(command, events);
        };
        if self.accounts.is_kept
            && let Err(reason) = self.check_risk(&taker, Some(found))
        {
            return rejected(command, reason, events);
        }
        if let Err(reason) = self.check_room(&taker, false) {
            return rejected(command, reason, events);
        }
        let old = self.slab.orders[found.order as usize].identity();
        self.take_off(found);
        let meets = self.meets(&taker);
        let flags = self.take(&taker, meets);
        events.push_words(taker.replaced(&old, flags));
        if taker.rests && !meets {
            // The replaced order's group may have been closed with it.
            self.rest_anew(&taker);
            return Step::Done;
        }
        self.trade(&mut { taker }, events)
    }

    /// Applies a `Cancel`.
    #[inline(never)]
    pub(crate) fn cancel(&mut self, command: &Command, events: &mut Events) -> Step {
        let Some(found) = self.find_order(command.session, command.user_ref) else {
            return answered(command, EventKind::CancelRejected, events);
        };
        let order = self.slab.orders[found.order as usize];
        let open = command.quantity.saturating_sub(self.slab.executed(&order));
        if open >= order.open() {
            return answered(command, EventKind::Noted, events);
        }
        if order.is_special() || self.is_watched(order.identity().symbol()) {
            return self.cancel_watched(found, open, events);
        }
        let price = self.books.price(order.level);
        if open == 0 {
            if self.accounts.is_kept {
                self.count_out(&order.identity(), order.open(), price);
            }
            self.refs.remove(self.slab.orders, found);
            self.books.unlink(&mut self.slab, found.order);
            events.push_words(canceled(&order, price, Reason::User, Event::LAST));
            return Step::Done;
        }
        let quantity = order.open() - open;
        self.lower(found.order, quantity);
        let code = code(
            EventKind::Reduced,
            Reason::User,
            Event::BOOKED | Event::LAST,
        );
        let units = pair(quantity, open);
        events.push_words(of_order(&order.identity(), code, units, price));
        Step::Done
    }

    /// Takes a live order off its book, or off the parked ones, and forgets its reference.
    #[inline(never)]
    pub(crate) fn take_off(&mut self, found: Found) {
        if self.accounts.is_kept {
            self.count_out_live(found.order);
        }
        if self.slab.orders[found.order as usize].is_special() {
            return self.take_off_special(found);
        }
        self.refs.remove(self.slab.orders, found);
        self.books.unlink(&mut self.slab, found.order);
    }

    /// The order of a plain `New` with which all is well.
    #[inline(always)]
    fn plain_new(&self, command: &Command) -> Option<Taker> {
        let book = self.books.books.get(usize::from(command.symbol))?;
        let side = Side::from_byte(command.side)?;
        let is_good = book.is_plain()
            && self.is_plain(command)
            && check_amounts(command, 0, book.tick).is_ok();
        let head = Identity::head(side, command.symbol, command.session);
        is_good.then(|| self.taker(command, head, 0))
    }

    /// The order of a plain `Replace` with which all is well, and the order that it replaces.
    #[inline(always)]
    fn plain_replace(&self, command: &Command) -> Option<(Taker, Found)> {
        if !self.is_plain(command) {
            return None;
        }
        let (session, old) = (command.session, command.old_user_ref);
        // One under a mandate is for the long way: what may be done under it is asked there.
        let found = self.refs.get(self.slab.orders, session, old)?;
        let old = &self.slab.orders[found.order as usize];
        let book = &self.books.books[usize::from(old.identity().symbol())];
        let is_good =
            book.is_plain() && check_amounts(command, self.slab.executed(old), book.tick).is_ok();
        is_good.then(|| (self.taker_instead(command, found), found))
    }

    /// Whether a `New` or `Replace` is plain, its book set aside, and its session's word is good.
    #[inline(always)]
    fn is_plain(&self, command: &Command) -> bool {
        let session = self.sessions.get(usize::from(command.session));
        self.day == Day::Open
            && command.time_in_force <= TimeInForce::ImmediateOrCancel as u8
            && session.is_some_and(|session| session.is_plain() && self.is_fresh(session, command))
    }

    /// Whether a session may call an order what a `New` or `Replace` calls it.
    #[inline(always)]
    fn is_fresh(&self, session: &Session, command: &Command) -> bool {
        let is_mandate = session.extra & Session::MANDATE != 0;
        let user_ref_last = if is_mandate {
            self.sessions[usize::from(self.user_of(command.session))].user_ref_last
        } else {
            session.user_ref_last
        };
        command.user_ref > user_ref_last && (!session.has_free_refs() || self.is_unused(command))
    }

    /// Whether no live order of the session has the reference, but for one that is replaced.
    #[inline]
    fn is_unused(&self, command: &Command) -> bool {
        let Command {
            session, user_ref, ..
        } = *command;
        let keeps = command.kind == CommandKind::Replace as u8 && command.old_user_ref == user_ref;
        keeps || self.refs.get(self.slab.orders, session, user_ref).is_none()
    }

    /// The order of a `New` that passes the checks of a plain order.
    pub(crate) fn taker_new(&self, command: &Command) -> Result<Taker, Reason> {
        let session = self.check_session(command)?;
        let book = self.books.books.get(usize::from(command.symbol));
        let book = book.filter(|book| book.is_defined());
        let tick = book.ok_or(Reason::UnknownSymbol)?.tick;
        let side = Side::from_byte(command.side).ok_or(Reason::InvalidField)?;
        TimeInForce::from_byte(command.time_in_force).ok_or(Reason::InvalidField)?;
        if !self.is_fresh(session, command) {
            return Err(Reason::DuplicateUserRef);
        }
        check_amounts(command, 0, tick)?;
        let head = Identity::head(side, command.symbol, command.session);
        Ok(self.taker(command, head, 0))
    }

    /// The order that a `Replace` replaces, if that passes the checks of a plain order.
    pub(crate) fn check_replace(&self, command: &Command) -> Result<Found, Reason> {
        let session = self.check_session(command)?;
        TimeInForce::from_byte(command.time_in_force).ok_or(Reason::InvalidField)?;
        if !self.is_fresh(session, command) {
            return Err(Reason::DuplicateUserRef);
        }
        let found = self.find_order(command.session, command.old_user_ref);
        let found = found.ok_or(Reason::UnknownOrder)?;
        let old = &self.slab.orders[found.order as usize];
        let tick = self.books.books[usize::from(old.identity().symbol())].tick;
        check_amounts(command, self.slab.executed(old), tick)?;
        Ok(found)
    }

    /// The order of a `Replace` that [`Engine::check_replace`] found good.
    #[inline]
    pub(crate) fn taker_instead(&self, command: &Command, found: Found) -> Taker {
        let old = &self.slab.orders[found.order as usize];
        let executed = self.slab.executed(old);
        self.taker(command, old.identity().head & !HEAD_HIDDEN, executed)
    }

    /// What `New` and `Replace` check first; gives the session.
    fn check_session(&self, command: &Command) -> Result<&Session, Reason> {
        let session = self.sessions.get(usize::from(command.session));
        if self.day != Day::Open {
            return Err(Reason::NotOpen);
        }
        let session = session.filter(|session| session.is_defined());
        session.ok_or(Reason::UnknownSession)
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
        Taker {
            who,
            price,
            reach: reach(who.side(), price),
            open: quantity - executed,
            executed,
            displayed: 0,
            expiry_ns: 0,
            rests: time_in_force == TimeInForce::Day as u8 && !is_market,
            is_special: false,
            is_called: false,
            wait: Wait::NONE,
            price_first: 0,
        }
    }

    /// Whether the order can rest, should it come to that, and the level if its group is open. An
    /// order that trades and still has a rest took a whole order off the book before, and a
    /// replacement gives its own record back: only a new one that does not trade takes a record.
    /// Groups of prices are counted as they are now.
    #[inline(always)]
    pub(crate) fn check_room(
        &mut self,
        taker: &Taker,
        takes_record: bool,
    ) -> Result<Option<u32>, Reason> {
        if self.orders_taken == ORDER_REF_MAX {
            return Err(Reason::PoolFull);
        }
        if !taker.rests {
            return Ok(None);
        }
        if takes_record && !self.slab.has_room() {
            return Err(Reason::PoolFull);
        }
        let price = if taker.is_called {
            taker.stand()
        } else {
            taker.price
        };
        let (symbol, side) = (taker.who.symbol(), taker.who.side());
        let level = self.books.find(symbol, side, price);
        if level.is_none() && !self.books.trie.has_room() {
            return Err(Reason::LadderFull);
        }
        Ok(level)
    }

    /// Whether an order trades at once.
    #[inline]
    pub(crate) fn meets(&self, taker: &Taker) -> bool {
        let book = self.book_of(taker);
        !taker.is_called && taker.meets(book.best_rank(taker.who.side().opposite()))
    }

    /// The book of an order's symbol.
    #[inline]
    pub(crate) fn book_of(&self, taker: &Taker) -> &Book {
        &self.books.books[usize::from(taker.who.symbol())]
    }

    /// Counts an order that passed all checks; gives the flags of the event that says so.
    #[inline]
    pub(crate) fn take(&mut self, taker: &Taker, meets: bool) -> u8 {
        self.orders_taken += 1;
        let mut session = taker.who.session();
        if self.sessions[usize::from(session)].extra & Session::MANDATE != 0 {
            session = self.user_of(session);
        }
        self.sessions[usize::from(session)].take_ref(taker.who.user_ref);
        if taker.rests && !meets {
            Event::BOOKED | Event::LAST
        } else {
            0
        }
    }
}

/// Whether quantity and price are good; `executed` units are spent already.
#[inline]
fn check_amounts(command: &Command, executed: u32, tick: u32) -> Result<(), Reason> {
    if command.quantity <= executed || command.quantity > QUANTITY_MAX {
        return Err(Reason::InvalidQuantity);
    }
    if command.price == PRICE_MARKET {
        return Ok(());
    }
    let is_price = (1..=PRICE_MAX).contains(&command.price);
    // Most ticks are 1, and a division takes its time.
    if !is_price || tick != 1 && !(command.price as u32).is_multiple_of(tick) {
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
pub(crate) fn rejected(command: &Command, reason: Reason, events: &mut Events) -> Step {
    events.push(about(command, EventKind::Rejected, reason));
    Step::Done
}
