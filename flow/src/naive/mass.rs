//! Many orders at once: the day's end, mass cancels and kill switches.

use wire::ring::{Command, Event, EventKind, MASS_OF_USER, PRICE_MARKET, Reason, Side};

use super::{Naive, increments};
use crate::answer::{about, canceled};
use crate::book::Resting;

/// Scopes of a kill switch: numbers in `letters[0]` of a `Kill`.
const ALL: u8 = 0;
const ACCOUNT: u8 = 1;
const SESSION: u8 = 2;
const SYMBOL: u8 = 3;

/// Bits of `letters[0]` of a `MassCancel`: what must fit.
const FIT_SESSION: u8 = 1;
const FIT_ACCOUNT: u8 = 2;
const FIT_SIDE: u8 = 4;
const FIT_SYMBOL: u8 = 8;
const FIT_PRICE: u8 = 16;

impl Naive {
    pub(super) fn kill(&mut self, command: &Command) -> Vec<Event> {
        if let Err(reason) = self.check_kill(command) {
            return vec![about(command, EventKind::Refused, reason)];
        }
        let scopes: Vec<(u8, u32)> = match command.letters[0] {
            ACCOUNT => vec![(ACCOUNT, command.user_ref)],
            SESSION => self.killed_with(command.session).collect(),
            SYMBOL => vec![(SYMBOL, u32::from(command.symbol))],
            _ => vec![(ALL, 0)],
        };
        if command.flags == 0 {
            scopes.iter().for_each(|scope| {
                self.killed.remove(scope);
            });
            return vec![counted(command, EventKind::KillChanged, 0)];
        }
        self.killed.extend(&scopes);
        let orders = self.all_orders();
        let is_of = |order: &Resting| {
            let of = self.scopes(order.session, order.symbol);
            scopes.iter().any(|scope| of.contains(scope))
        };
        let orders: Vec<Resting> = orders.into_iter().filter(is_of).collect();
        let mut events = self.take_off(&orders, Reason::Killed);
        events.push(counted(command, EventKind::KillChanged, orders.len()));
        events
    }

    /// What is killed with a session: itself, and its mandates.
    fn killed_with(&self, session: u16) -> impl Iterator<Item = (u8, u32)> + '_ {
        let numbers = self.numbers_of(session);
        numbers.map(|number| (SESSION, u32::from(number)))
    }

    /// Kills a new mandate if its user is.
    pub(super) fn kill_with(&mut self, user: u16, number: u16) {
        if self.killed.contains(&(SESSION, u32::from(user))) {
            self.killed.insert((SESSION, u32::from(number)));
        }
    }

    fn check_kill(&self, command: &Command) -> Result<(), Reason> {
        let is_known = match command.letters[0] {
            _ if !self.offers(increments::KILL) || command.flags > 1 => false,
            scope => scope <= SYMBOL,
        };
        let has_account = |account| {
            let mut sessions = self.sessions.values();
            sessions.any(|session| session.account == account)
        };
        match command.letters[0] {
            _ if !is_known => Err(Reason::InvalidField),
            ACCOUNT if !has_account(command.user_ref) => Err(Reason::UnknownSession),
            SESSION if !self.sessions.contains_key(&command.session) => Err(Reason::UnknownSession),
            SYMBOL if !self.symbols.contains_key(&command.symbol) => Err(Reason::UnknownSymbol),
            _ => Ok(()),
        }
    }

    pub(super) fn mass_cancel(&mut self, command: &Command) -> Vec<Event> {
        let wants = |bit| command.letters[0] & bit != 0;
        let known = FIT_SESSION | FIT_ACCOUNT | FIT_SIDE | FIT_SYMBOL | FIT_PRICE;
        let is_side = Side::from_byte(command.side).is_some();
        let of_user = command.flags == MASS_OF_USER;
        let is_bad = wants(!known)
            || wants(FIT_SIDE) && !is_side
            || command.flags > MASS_OF_USER
            || of_user && (wants(FIT_PRICE) || !wants(FIT_SESSION));
        if !self.offers(increments::KILL) || is_bad {
            return vec![about(command, EventKind::Refused, Reason::InvalidField)];
        }
        let reason = if of_user {
            if let Err(reason) = self.take_mass_ref(command) {
                let flags = Event::LAST | Event::OF_USER;
                let refused = about(command, EventKind::Refused, reason);
                return vec![Event { flags, ..refused }];
            }
            Reason::User
        } else {
            Reason::MassCancel
        };
        let prices = i64::from(command.old_user_ref)..=command.price;
        let fits = |order: &Resting| {
            let has_price =
                !order.parked && order.price != PRICE_MARKET && prices.contains(&order.price);
            let named = [order.session, self.user_of(order.session)];
            (!wants(FIT_SESSION) || named.contains(&command.session))
                && (!wants(FIT_ACCOUNT) || self.account(order.session) == Some(command.user_ref))
                && (!wants(FIT_SIDE) || order.side as u8 == command.side)
                && (!wants(FIT_SYMBOL) || order.symbol == command.symbol)
                && (!wants(FIT_PRICE) || has_price)
        };
        let orders: Vec<Resting> = self.all_orders().into_iter().filter(fits).collect();
        let mut events = self.take_off(&orders, reason);
        let mut answer = counted(command, EventKind::MassCanceled, orders.len());
        if of_user {
            answer.flags |= Event::OF_USER;
        }
        events.push(answer);
        events
    }

    /// A user's mass cancel has a reference as its orders have.
    fn take_mass_ref(&mut self, command: &Command) -> Result<(), Reason> {
        if !self.sessions.contains_key(&command.session) {
            return Err(Reason::UnknownSession);
        }
        let user = self.user_of(command.session);
        if command.old_user_ref <= self.user_ref_last(user) {
            return Err(Reason::DuplicateUserRef);
        }
        let session = self.sessions.get_mut(&user);
        if let Some(session) = session.filter(|session| !session.free_refs) {
            session.user_ref_last = command.old_user_ref;
        }
        Ok(())
    }

    /// Whether a kill switch keeps a session from entering orders in a symbol.
    pub(super) fn is_killed(&self, session: u16, symbol: u16) -> bool {
        let scopes = self.scopes(session, symbol);
        scopes.iter().any(|scope| self.killed.contains(scope))
    }

    /// The scopes that an order is in.
    fn scopes(&self, session: u16, symbol: u16) -> [(u8, u32); 4] {
        [
            (ALL, 0),
            (ACCOUNT, self.account(session).unwrap_or(0)),
            (SESSION, u32::from(session)),
            (SYMBOL, u32::from(symbol)),
        ]
    }

    /// All live orders, in the order in which they leave together.
    pub(super) fn all_orders(&self) -> Vec<Resting> {
        let orders_of = |symbol| {
            let buys = self.orders(symbol, Side::Buy);
            let sells = self.orders(symbol, Side::Sell);
            buys.chain(sells).chain(self.parked(symbol))
        };
        self.symbols().flat_map(orders_of).copied().collect()
    }

    pub(super) fn take_off(&mut self, orders: &[Resting], reason: Reason) -> Vec<Event> {
        orders.iter().for_each(|order| self.books.remove(order));
        let leave = |order| canceled(order, reason, order.place());
        orders.iter().map(leave).collect()
    }
}

/// An event that tells how many orders left.
fn counted(command: &Command, kind: EventKind, orders: usize) -> Event {
    Event {
        quantity: u32::try_from(orders).unwrap_or(u32::MAX),
        ..about(command, kind, Reason::None)
    }
}
