//! The reference engine: the shortest program that gives the right answer.
//!
//! A book is two sorted maps, by price and then by order number. What the real engine answers is
//! compared with this one, event by event and book by book, so this module is also the exact
//! meaning of [`Command`] and [`Event`] where `wire::ring` is brief. The rules of attributes and
//! self-trade prevention are in `docs/matching.md`.
//!
//! # Checks, in this order; the first that fails is the reason
//! - unknown kind: `Refused` with `InvalidField`.
//! - `DefineSymbol`, `DefineSession`: `Refused` with `InvalidField` (number 0, then a tick or a
//!   self-trade mode that is none), `TableFull` (number taken).
//! - `OpenDay`: `Refused` with `NotOpen` if the day was opened before: a closed day never reopens.
//! - `CloseDay`: `Refused` with `NotOpen` if the day is not open.
//! - `New`: `Rejected` with `NotOpen`, `UnknownSession`, `Unsupported` (an attribute),
//!   `UnknownSymbol`, `InvalidField` (side, then time in force), `DuplicateUserRef`,
//!   `InvalidQuantity`, `InvalidPrice`, then the checks of attributes.
//! - `Replace`: `Rejected` with `NotOpen`, `UnknownSession`, `Unsupported`, `InvalidField` (time in
//!   force), `DuplicateUserRef`, `UnknownOrder`, `InvalidQuantity` (also when not above the
//!   executed units), `InvalidPrice`, then the checks of attributes.
//! - Both then: `Halted`, `NotPermitted` (the user may not enter orders of the account), `Killed`.
//! - `Grant`: `Refused` with `InvalidField` (what is granted), `UnknownSession` (none, or a
//!   mandate), `WrongAccount` (nothing is taken away from a user without the account),
//!   `Unsupported` (the user's references are free), `TableFull`.
//! - `Cancel`: `CancelRejected` with `UnknownOrder`, also when the day or the session is unknown.
//! - `Refuse`: `Refused` with `InvalidField` (`flags` is no reason), else `Rejected` with it.
//! - `Time`, `Extra`, `Trade`: `Noted`, always.
//!
//! After these a real engine adds its capacity reasons (`PoolFull`, `LadderFull`, and `TableFull`
//! for a number beyond its tables); there are none here.
//!
//! # Rules
//! - A refused `New` or `Replace` does not advance the session's last user reference number and
//!   takes no order number.
//! - A price is good from 1 to `PRICE_MAX` in ticks, or `PRICE_MARKET`; a quantity from 1 to
//!   `QUANTITY_MAX`. An order at `PRICE_MARKET` never rests, whatever its time in force says.
//! - A `Replace` takes symbol, side and account from the old order (its own are not looked at) and
//!   the time in force from the command. Executed units are inherited along a chain of
//!   replacements: with a total of `q` the new order has `q - executed` units open, and `executed`
//!   counts against the next `Replace` or `Cancel` too.
//! - A `Cancel` to a total that is not below the present one changes nothing: `Noted`.
//! - An `Extra` is used up by the next `New`, `Replace` or `Refuse` of its session, whatever
//!   becomes of that; an `Extra` of an unknown session is forgotten.
//! - A command that names a user's own number is about the orders of its mandates, too; one that
//!   names a mandate, about that one's. References grow through all of a user's numbers.
//! - `CloseDay` takes orders off by symbol number, buys before sells, then in price-time order.
//!
//! # Fields of events
//! - About an order: side, symbol, session, user reference and order number are the order's;
//!   `price` is its limit, in `Executed` the maker's limit. `old_user_ref` is set in `Replaced`
//!   only, `related` in `Replaced` and `Refreshed` (old order number), `Executed` (match number)
//!   and `Reduced` (units that were held back).
//! - `Accepted`, `Replaced`, `Booked`, `Refreshed`: `leaves` are the open units, `quantity` those
//!   that an iceberg shows, or all of another order. `Canceled`: `quantity` left, `leaves` is 0.
//!   `Reduced`: `quantity` left, `leaves` stay. `Executed`: `leaves` after the trade.
//! - [`Event::BOOKED`]: `Accepted` and `Replaced` that rest whole, every `Booked`, `Refreshed` and
//!   maker's `Executed`, and a `Canceled` or `Reduced` of resting units.
//! - About no order (`Rejected`, `CancelRejected`, `Refused`, `Noted`, definitions, day): side,
//!   symbol, session, both user references, quantity and price repeat the command, whatever they
//!   hold; `leaves` and `order_ref` are 0, and so is `related` but for `SymbolDefined`.

use std::collections::{BTreeMap, BTreeSet};

use wire::ring::{Command, CommandKind, Event, EventKind, Input, MAY_TRADE, Reason, Side};

use crate::answer::{about, lower};
use crate::book::Books;
pub use crate::book::Resting;
use attributes::Attributes;
use market::Market;
use risk::{Amount, Limits};

pub use increments::{KNOWN, OFFERED};
pub use lack::Lack;

mod after;
mod allocation;
mod attributes;
mod auction;
mod bands;
mod bust;
mod checks;
mod day;
mod entry;
pub mod increments;
mod lack;
mod mandates;
mod market;
mod mass;
mod pegs;
mod risk;
mod states;
mod stops;

/// What happens instead of a trade between orders of one account.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Mode {
    Trade,
    CancelNewest,
    CancelOldest,
    CancelBoth,
    Decrement,
}

impl Mode {
    const fn from_byte(byte: u8) -> Option<Self> {
        match byte {
            0 => Some(Self::Trade),
            1 => Some(Self::CancelNewest),
            2 => Some(Self::CancelOldest),
            3 => Some(Self::CancelBoth),
            4 => Some(Self::Decrement),
            _ => None,
        }
    }
}

struct Session {
    /// Whose number it is: its own, or that of the user who has it as a mandate.
    user: u16,
    /// What may be done under it, as a `Grant` says.
    may: u8,
    user_ref_last: u32,
    /// Of the next order.
    attributes: Attributes,
    account: u32,
    mode: Mode,
    /// Its references come in any order.
    free_refs: bool,
}

impl Session {
    fn new(user: u16, account: u32, mode: Mode, free_refs: bool) -> Self {
        Self {
            user,
            may: MAY_TRADE,
            user_ref_last: 0,
            attributes: Attributes::NONE,
            account,
            mode,
            free_refs,
        }
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Day {
    Before,
    Open,
    Closed,
}

/// The reference engine, without limits.
pub struct Naive {
    /// Bits of the increments that are offered.
    offered: u16,
    /// Time of the present input.
    now_ns: u64,
    day: Day,
    symbols: BTreeMap<u16, Market>,
    sessions: BTreeMap<u16, Session>,
    books: Books,
    orders: u64,
    matches: u64,
    /// Stops that were elected.
    elections: u64,
    /// Kill switches that are set: their scopes and numbers.
    killed: BTreeSet<(u8, u32)>,
    /// By account.
    limits: BTreeMap<u32, Limits>,
    keeps_accounts: bool,
    /// What was traded by account, symbol and side.
    trades: BTreeMap<(u32, u16, u8), Amount>,
    /// The trade that the next `Bust` is about.
    trade_named: Option<Command>,
    /// Numbers of the matches that were taken back.
    broken: BTreeSet<i64>,
    /// Of a real engine, at the present input.
    lack: Lack,
}

impl Default for Naive {
    fn default() -> Self {
        Self::new()
    }
}

impl Naive {
    /// An engine before its day, without symbols and sessions, that offers what the real one does.
    #[must_use]
    pub fn new() -> Self {
        Self::offering(OFFERED)
    }

    /// An engine that offers a set of [`increments`].
    #[must_use]
    pub fn offering(offered: u16) -> Self {
        Self {
            offered,
            now_ns: 0,
            day: Day::Before,
            symbols: BTreeMap::new(),
            sessions: BTreeMap::new(),
            books: Books::default(),
            orders: 0,
            matches: 0,
            elections: 0,
            killed: BTreeSet::new(),
            limits: BTreeMap::new(),
            keeps_accounts: false,
            trades: BTreeMap::new(),
            trade_named: None,
            broken: BTreeSet::new(),
            lack: Lack::default(),
        }
    }

    /// Applies one input and tells what happened: at least one event, the last one flagged so.
    pub fn apply(&mut self, input: &Input) -> Vec<Event> {
        self.now_ns = input.time_ns;
        let mut events = self.expire(input.time_ns);
        events.extend(self.change_timed_states(input.time_ns));
        events.extend(self.answer(input));
        events.extend(self.consequences());
        if let Some(last) = events.last_mut() {
            last.flags |= Event::LAST;
        }
        events
    }

    /// Number of orders on all books and beside them.
    #[must_use]
    pub fn live_orders(&self) -> usize {
        self.books.live_orders()
    }

    /// The orders of a symbol that are parked, by number.
    pub fn parked(&self, symbol: u16) -> impl Iterator<Item = &Resting> {
        self.books.parked(symbol)
    }

    /// The orders on one side of a symbol's book, best price first, then the oldest.
    pub fn orders(&self, symbol: u16, side: Side) -> impl Iterator<Item = &Resting> {
        self.books.orders(symbol, side)
    }

    /// Best price of one side of a symbol's book and the open units there, shown or not.
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
        self.symbols.keys().copied()
    }

    fn answer(&mut self, input: &Input) -> Vec<Event> {
        let command = &input.command;
        match CommandKind::from_byte(command.kind) {
            None => vec![about(command, EventKind::Refused, Reason::InvalidField)],
            Some(CommandKind::Time | CommandKind::Presence | CommandKind::Remark) => {
                vec![about(command, EventKind::Noted, Reason::None)]
            }
            Some(CommandKind::Access) => vec![self.access(command)],
            Some(CommandKind::Grant) => vec![self.grant(command)],
            Some(CommandKind::Trade) => vec![self.name_trade(command)],
            Some(CommandKind::Bust) => self.bust(command),
            Some(CommandKind::Extra) => vec![self.extra(command)],
            Some(CommandKind::Refuse) => vec![self.refuse(command)],
            Some(CommandKind::DefineSymbol) => vec![self.define_symbol(command)],
            Some(CommandKind::DefineSession) => vec![self.define_session(command)],
            Some(CommandKind::OpenDay) => vec![self.open_day(command)],
            Some(CommandKind::CloseDay) => self.close_day(command),
            Some(CommandKind::New) => self.new_order(input),
            Some(CommandKind::Replace) => self.replace(input),
            Some(CommandKind::Cancel) => vec![self.cancel(command)],
            Some(CommandKind::Amend) => self.amend(input),
            Some(CommandKind::SetState) => self.set_state(command),
            Some(CommandKind::SetBands) => vec![self.set_bands(command)],
            Some(CommandKind::Indicate) => vec![self.indicate(command)],
            Some(CommandKind::SetAllocation) => vec![self.set_allocation(command)],
            Some(CommandKind::SetLimit) => vec![self.set_limit(command)],
            Some(CommandKind::Kill) => self.kill(command),
            Some(CommandKind::MassCancel) => self.mass_cancel(command),
        }
    }

    fn extra(&mut self, command: &Command) -> Event {
        if let Some(session) = self.sessions.get_mut(&command.session) {
            session.attributes = Attributes::of(command);
        }
        about(command, EventKind::Noted, Reason::None)
    }

    fn access(&self, command: &Command) -> Event {
        let is_defined = self.sessions.contains_key(&command.session);
        match (command.flags, is_defined) {
            (9.., _) => about(command, EventKind::Refused, Reason::InvalidField),
            (_, false) => about(command, EventKind::Refused, Reason::UnknownSession),
            (what, true) => Event {
                quantity: what.into(),
                ..about(command, EventKind::AccessChanged, Reason::None)
                    .with_client_id(command.client_id)
            },
        }
    }

    fn refuse(&mut self, command: &Command) -> Event {
        let reason = Reason::from_byte(command.flags).filter(|reason| *reason != Reason::None);
        let Some(reason) = reason else {
            return about(command, EventKind::Refused, Reason::InvalidField);
        };
        if let Some(session) = self.sessions.get_mut(&command.session) {
            session.attributes = Attributes::NONE;
        }
        about(command, EventKind::Rejected, reason)
    }

    fn cancel(&mut self, command: &Command) -> Event {
        let Some(mut order) = self.find(command.session, command.user_ref) else {
            return about(command, EventKind::CancelRejected, Reason::UnknownOrder);
        };
        let open = command.quantity.saturating_sub(order.executed);
        if open >= order.open {
            return about(command, EventKind::Noted, Reason::None);
        }
        let quantity = order.open - open;
        let place = order.place();
        let event = lower(&mut order, quantity, Reason::User, place);
        self.books.store(&order);
        event
    }

    /// What an amendment asks is asked by a cancel or by a replacement, too.
    fn amend(&mut self, input: &Input) -> Vec<Event> {
        let command = input.command;
        let order = self.find(command.session, command.user_ref);
        let executed = order.as_ref().map_or(0, |order| order.executed);
        let total = command.quantity.saturating_add(executed);
        let reduces = order.is_some_and(|order| {
            order.price == command.price && (1..=order.open).contains(&command.quantity)
        });
        let asked = Command {
            kind: if reduces {
                CommandKind::Cancel
            } else {
                CommandKind::Replace
            } as u8,
            old_user_ref: command.user_ref,
            quantity: total,
            ..command
        };
        if reduces {
            return vec![self.cancel(&asked)];
        }
        self.replace(&Input {
            command: asked,
            ..*input
        })
    }

    /// Whether an increment is offered.
    const fn offers(&self, increment: u16) -> bool {
        self.offered & increment != 0
    }

    fn account(&self, session: u16) -> Option<u32> {
        self.sessions.get(&session).map(|session| session.account)
    }

    /// What happens when an order meets a resting one: its session decides, if both are of one
    /// account.
    fn mode(&self, order: &Resting, maker: &Resting) -> Mode {
        let [of_order, of_maker] = [order, maker].map(|one| self.sessions.get(&one.session));
        match (of_order, of_maker) {
            (Some(order), Some(maker)) if order.account == maker.account => order.mode,
            _ => Mode::Trade,
        }
    }

    /// Numbers count acceptances and refreshes.
    fn order_ref_next(&mut self) -> u64 {
        self.orders += 1;
        self.orders
    }
}
