//! The reference engine: the shortest program that gives the right answer.
//!
//! A book is two sorted maps, by price and then by order number. What the real engine answers is
//! compared with this one, event by event and book by book, so this file is also the exact meaning
//! of [`Command`] and [`Event`] where `wire::ring` is brief.
//!
//! # Checks, in this order; the first that fails is the reason
//! - unknown kind: `Refused` with `InvalidField`.
//! - `DefineSymbol`, `DefineSession`: `Refused` with `InvalidField` (number 0), `TableFull` (number
//!   taken).
//! - `OpenDay`: `Refused` with `NotOpen` if the day was opened before: a closed day never reopens.
//! - `CloseDay`: `Refused` with `NotOpen` if the day is not open.
//! - `New`: `Rejected` with `NotOpen`, `UnknownSession`, `Unsupported` (an `Extra` is pending),
//!   `UnknownSymbol`, `InvalidField` (side, then time in force), `DuplicateUserRef`,
//!   `InvalidQuantity`, `InvalidPrice`.
//! - `Replace`: `Rejected` with `NotOpen`, `UnknownSession`, `Unsupported`, `InvalidField` (time in
//!   force), `DuplicateUserRef`, `UnknownOrder`, `InvalidQuantity` (also when not above the
//!   executed units), `InvalidPrice`.
//! - `Cancel`: `CancelRejected` with `UnknownOrder`, also when the day or the session is unknown.
//! - `Time`, `Extra`: `Noted`, always.
//!
//! After these a real engine adds its capacity reasons (`PoolFull`, `LadderFull`, and `TableFull`
//! for a number beyond its tables); there are none here.
//!
//! # Rules
//! - A refused `New` or `Replace` does not advance the session's last user reference number and
//!   takes no order number.
//! - A price is good from 1 to `PRICE_MAX`, or `PRICE_MARKET`; a quantity from 1 to `QUANTITY_MAX`.
//!   An order at `PRICE_MARKET` never rests, whatever its time in force says.
//! - A `Replace` takes symbol and side from the old order (its own are not looked at) and the time
//!   in force from the command. Executed units are inherited along a chain of replacements: with a
//!   total of `q` the new order has `q - executed` units open, and `executed` counts against the
//!   next `Replace` or `Cancel` too.
//! - A `Cancel` to a total that is not below the present one changes nothing: `Noted`.
//! - An `Extra` is used up by the next `New` or `Replace` of its session, whatever becomes of that;
//!   an `Extra` of an unknown session is forgotten.
//! - An order may trade with another one of its own session.
//! - `CloseDay` takes orders off by symbol number, buys before sells, then in price-time order.
//!
//! # Fields of events
//! - About an order: side, symbol, session, user reference and order number are the order's;
//!   `price` is its limit, in `Executed` the maker's limit. `old_user_ref` is set in `Replaced`
//!   only, `related` in `Replaced` (old order number) and `Executed` (match number).
//! - `Accepted`, `Replaced`, `Booked`: `quantity` and `leaves` are the open units. `Canceled`:
//!   `quantity` left, `leaves` is 0. `Reduced`: `quantity` left, `leaves` stay. `Executed`:
//!   `leaves` after the trade.
//! - [`Event::BOOKED`]: `Accepted` and `Replaced` that rest whole, every `Booked`, `Reduced` and
//!   maker's `Executed`, and a `Canceled` of resting units.
//! - About no order (`Rejected`, `CancelRejected`, `Refused`, `Noted`, definitions, day): side,
//!   symbol, session, both user references, quantity and price repeat the command, whatever they
//!   hold; `leaves` and `order_ref` are 0, and so is `related` but for `SymbolDefined`.

use std::collections::{BTreeMap, BTreeSet};

use wire::ring::{
    Command, CommandKind, Event, EventKind, Input, PRICE_MARKET, PRICE_MAX, QUANTITY_MAX, Reason,
    Side, TimeInForce,
};

use crate::answer::{about, about_order};
use crate::book::Books;
pub use crate::book::Resting;

#[derive(Default)]
struct Session {
    user_ref_last: u32,
    extra: bool,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Day {
    Before,
    Open,
    Closed,
}

/// The reference engine, without limits.
pub struct Naive {
    day: Day,
    symbols: BTreeSet<u16>,
    sessions: BTreeMap<u16, Session>,
    books: Books,
    orders: u64,
    matches: u64,
}

impl Default for Naive {
    fn default() -> Self {
        Self::new()
    }
}

impl Naive {
    /// An engine before its day, without symbols and sessions.
    #[must_use]
    pub fn new() -> Self {
        Self {
            day: Day::Before,
            symbols: BTreeSet::new(),
            sessions: BTreeMap::new(),
            books: Books::default(),
            orders: 0,
            matches: 0,
        }
    }

    /// Applies one input and tells what happened: at least one event, the last one flagged so.
    pub fn apply(&mut self, input: &Input) -> Vec<Event> {
        let command = &input.command;
        let mut events = match CommandKind::from_byte(command.kind) {
            None => vec![about(command, EventKind::Refused, Reason::InvalidField)],
            Some(CommandKind::Time) => vec![about(command, EventKind::Noted, Reason::None)],
            Some(CommandKind::Extra) => vec![self.extra(command)],
            Some(CommandKind::DefineSymbol) => vec![self.define_symbol(command)],
            Some(CommandKind::DefineSession) => vec![self.define_session(command)],
            Some(CommandKind::OpenDay) => vec![self.open_day(command)],
            Some(CommandKind::CloseDay) => self.close_day(command),
            Some(CommandKind::New) => self.new_order(command),
            Some(CommandKind::Replace) => self.replace(command),
            Some(CommandKind::Cancel) => vec![self.cancel(command)],
        };
        if let Some(last) = events.last_mut() {
            last.flags |= Event::LAST;
        }
        events
    }

    /// Number of orders on all books.
    #[must_use]
    pub fn live_orders(&self) -> usize {
        self.books.live_orders()
    }

    /// The orders on one side of a symbol's book, best price first, then the oldest.
    pub fn orders(&self, symbol: u16, side: Side) -> impl Iterator<Item = &Resting> {
        self.books.orders(symbol, side)
    }

    /// Best price of one side of a symbol's book and the open units there.
    #[must_use]
    pub fn best(&self, symbol: u16, side: Side) -> Option<(i64, u64)> {
        let price = self.orders(symbol, side).next()?.price;
        let at_best = self
            .orders(symbol, side)
            .take_while(|order| order.price == price);
        Some((price, at_best.map(|order| u64::from(order.open)).sum()))
    }

    /// Numbers of the symbols defined, ascending.
    pub fn symbols(&self) -> impl Iterator<Item = u16> {
        self.symbols.iter().copied()
    }

    fn extra(&mut self, command: &Command) -> Event {
        if let Some(session) = self.sessions.get_mut(&command.session) {
            session.extra = true;
        }
        about(command, EventKind::Noted, Reason::None)
    }

    fn define_symbol(&mut self, command: &Command) -> Event {
        if command.symbol == 0 {
            return about(command, EventKind::Refused, Reason::InvalidField);
        }
        if !self.symbols.insert(command.symbol) {
            return about(command, EventKind::Refused, Reason::TableFull);
        }
        let mut name = [0; 8];
        name.copy_from_slice(&command.client_id[..8]);
        Event {
            related: u64::from_le_bytes(name),
            ..about(command, EventKind::SymbolDefined, Reason::None)
        }
    }

    fn define_session(&mut self, command: &Command) -> Event {
        if command.session == 0 {
            return about(command, EventKind::Refused, Reason::InvalidField);
        }
        if self.sessions.contains_key(&command.session) {
            return about(command, EventKind::Refused, Reason::TableFull);
        }
        self.sessions.insert(command.session, Session::default());
        about(command, EventKind::SessionDefined, Reason::None)
    }

    fn open_day(&mut self, command: &Command) -> Event {
        if self.day != Day::Before {
            return about(command, EventKind::Refused, Reason::NotOpen);
        }
        self.day = Day::Open;
        about(command, EventKind::DayOpened, Reason::None)
    }

    fn close_day(&mut self, command: &Command) -> Vec<Event> {
        if self.day != Day::Open {
            return vec![about(command, EventKind::Refused, Reason::NotOpen)];
        }
        self.day = Day::Closed;
        let mut events = Vec::new();
        for symbol in self.symbols.iter().copied() {
            for side in [Side::Buy, Side::Sell] {
                events.extend(self.orders(symbol, side).map(|order| Event {
                    reason: Reason::DayClosed as u8,
                    flags: Event::BOOKED,
                    leaves: 0,
                    ..about_order(order, EventKind::Canceled)
                }));
            }
        }
        self.books.clear();
        events.push(about(command, EventKind::DayClosed, Reason::None));
        events
    }

    fn cancel(&mut self, command: &Command) -> Event {
        let Some(order) = self.books.find(command.session, command.user_ref) else {
            return about(command, EventKind::CancelRejected, Reason::UnknownOrder);
        };
        let open = command.quantity.saturating_sub(order.executed);
        if open >= order.open {
            return about(command, EventKind::Noted, Reason::None);
        }
        let order_now = Resting { open, ..order };
        self.books.store(&order_now);
        let kind = if open == 0 {
            EventKind::Canceled
        } else {
            EventKind::Reduced
        };
        Event {
            reason: Reason::User as u8,
            flags: Event::BOOKED,
            quantity: order.open - open,
            ..about_order(&order_now, kind)
        }
    }

    fn new_order(&mut self, command: &Command) -> Vec<Event> {
        let (side, time_in_force) = match self.check_new(command) {
            Ok(good) => good,
            Err(reason) => return vec![about(command, EventKind::Rejected, reason)],
        };
        let order = Resting {
            symbol: command.symbol,
            session: command.session,
            user_ref: command.user_ref,
            side,
            price: command.price,
            open: command.quantity,
            executed: 0,
            order_ref: self.number(command),
        };
        self.enter(
            order,
            time_in_force,
            about_order(&order, EventKind::Accepted),
        )
    }

    fn replace(&mut self, command: &Command) -> Vec<Event> {
        let (old, time_in_force) = match self.check_replace(command) {
            Ok(good) => good,
            Err(reason) => return vec![about(command, EventKind::Rejected, reason)],
        };
        self.books.store(&Resting { open: 0, ..old });
        let order = Resting {
            user_ref: command.user_ref,
            price: command.price,
            open: command.quantity - old.executed,
            order_ref: self.number(command),
            ..old
        };
        let replaced = Event {
            old_user_ref: old.user_ref,
            related: old.order_ref,
            ..about_order(&order, EventKind::Replaced)
        };
        self.enter(order, time_in_force, replaced)
    }

    fn check_new(&mut self, command: &Command) -> Result<(Side, TimeInForce), Reason> {
        let user_ref_last = self.check_session(command)?;
        if !self.symbols.contains(&command.symbol) {
            return Err(Reason::UnknownSymbol);
        }
        let side = Side::from_byte(command.side).ok_or(Reason::InvalidField)?;
        let time_in_force =
            TimeInForce::from_byte(command.time_in_force).ok_or(Reason::InvalidField)?;
        if command.user_ref <= user_ref_last {
            return Err(Reason::DuplicateUserRef);
        }
        check_amounts(command, 0)?;
        Ok((side, time_in_force))
    }

    fn check_replace(&mut self, command: &Command) -> Result<(Resting, TimeInForce), Reason> {
        let user_ref_last = self.check_session(command)?;
        let time_in_force =
            TimeInForce::from_byte(command.time_in_force).ok_or(Reason::InvalidField)?;
        if command.user_ref <= user_ref_last {
            return Err(Reason::DuplicateUserRef);
        }
        let old = self
            .books
            .find(command.session, command.old_user_ref)
            .ok_or(Reason::UnknownOrder)?;
        check_amounts(command, old.executed)?;
        Ok((old, time_in_force))
    }

    /// What `New` and `Replace` check first; gives the session's last user reference.
    fn check_session(&mut self, command: &Command) -> Result<u32, Reason> {
        let session = self.sessions.get_mut(&command.session);
        let extra = session.map(|session| {
            let extra = session.extra;
            session.extra = false;
            (extra, session.user_ref_last)
        });
        if self.day != Day::Open {
            return Err(Reason::NotOpen);
        }
        match extra {
            None => Err(Reason::UnknownSession),
            Some((true, _)) => Err(Reason::Unsupported),
            Some((false, user_ref_last)) => Ok(user_ref_last),
        }
    }

    /// Takes an order number and advances the session's last user reference.
    fn number(&mut self, command: &Command) -> u64 {
        if let Some(session) = self.sessions.get_mut(&command.session) {
            session.user_ref_last = command.user_ref;
        }
        self.orders += 1;
        self.orders
    }

    /// Matches an order that was taken, then rests or cancels what is left.
    fn enter(&mut self, mut order: Resting, life: TimeInForce, mut first: Event) -> Vec<Event> {
        let fills = self.fill(&mut order);
        let rests = order.price != PRICE_MARKET && life == TimeInForce::Day;
        if rests && order.open > 0 {
            self.books.store(&order);
        }
        if fills.is_empty() && rests {
            first.flags = Event::BOOKED;
            return vec![first];
        }
        let mut events = vec![first];
        events.extend(fills);
        if order.open > 0 && rests {
            let booked = about_order(&order, EventKind::Booked);
            events.push(Event {
                flags: Event::BOOKED,
                ..booked
            });
        } else if order.open > 0 {
            events.push(Event {
                reason: Reason::ImmediateOrCancel as u8,
                leaves: 0,
                ..about_order(&order, EventKind::Canceled)
            });
        }
        events
    }

    /// Trades an order with the other side while prices meet: best price first, then the oldest.
    fn fill(&mut self, order: &mut Resting) -> Vec<Event> {
        let mut events = Vec::new();
        while let Some(mut maker) = self.books.maker(order).filter(|_| order.open > 0) {
            let quantity = maker.open.min(order.open);
            for one in [&mut maker, &mut *order] {
                one.open -= quantity;
                one.executed += quantity;
            }
            self.books.store(&maker);
            self.matches += 1;
            for (one, flags) in [(&maker, Event::MAKER | Event::BOOKED), (&*order, 0)] {
                events.push(Event {
                    flags,
                    quantity,
                    price: maker.price,
                    related: self.matches,
                    ..about_order(one, EventKind::Executed)
                });
            }
        }
        events
    }
}

fn check_amounts(command: &Command, executed: u32) -> Result<(), Reason> {
    if command.quantity <= executed || command.quantity > QUANTITY_MAX {
        return Err(Reason::InvalidQuantity);
    }
    if command.price != PRICE_MARKET && !(1..=PRICE_MAX).contains(&command.price) {
        return Err(Reason::InvalidPrice);
    }
    Ok(())
}
