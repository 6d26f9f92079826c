//! Many orders leave at once: a mass cancel, a kill switch, the end of the day.
//!
//! One way through all books, by symbol, buys before sells, price-time, then the parked orders by
//! number, that takes off what fits.
//! It is cut into steps: each looks at a bounded number of symbols, levels and orders.

use wire::ring::{Command, CommandKind, Event, EventKind, MASS_OF_USER, PRICE_MAX, Reason, Side};

use crate::answers::{about, refused};
use crate::books::{Walk, rank};
use crate::engine::Pending;
use crate::slab::{NONE, Order};
use crate::{Engine, Events, Step};

/// Looks of a step: a symbol without orders is one, a level or an order is [`LOOKS_AN_ORDER`].
const LOOKS_A_STEP_MAX: u32 = 1024;
const LOOKS_AN_ORDER: u32 = 4;

/// What of an order must fit: bits of a `MassCancel`'s first letter.
pub(crate) const SESSION: u8 = 1;
pub(crate) const ACCOUNT: u8 = 2;
pub(crate) const SIDE: u8 = 4;
pub(crate) const SYMBOL: u8 = 8;
const PRICE: u8 = 16;

const KNOWN: u8 = SESSION | ACCOUNT | SIDE | SYMBOL | PRICE;

/// Orders that are leaving.
#[derive(Clone, Copy)]
pub(crate) struct Mass {
    /// What asked for it, and what an order's session, account, side, symbol and price must be.
    command: Command,
    /// Which of them.
    fits: u8,
    reason: Reason,
    /// The symbol and side that the way is at, up to the last symbol.
    symbol: u16,
    symbol_last: u16,
    side: Side,
    /// It is behind both sides, at the symbol's parked orders.
    is_parked: bool,
    /// The rest of that side.
    walk: Walk,
    /// The level's price, and its next order.
    price: u32,
    order: u32,
    /// Orders that left.
    count: u32,
}

impl Engine<'_> {
    /// Takes off what a `MassCancel` asks for.
    #[cold]
    pub(crate) fn mass_cancel(&mut self, command: &Command, events: &mut Events) -> Step {
        let [fits, ..] = command.letters;
        let is_side = Side::from_byte(command.side).is_some();
        let is_known = match command.flags {
            0 => fits & !KNOWN == 0,
            MASS_OF_USER => fits & !(KNOWN & !PRICE) == 0 && fits & SESSION != 0,
            _ => false,
        };
        if !is_known || fits & SIDE != 0 && !is_side {
            events.push(refused(command, Reason::InvalidField));
            return Step::Done;
        }
        if command.flags != MASS_OF_USER {
            return self.leave_all(command, fits, Reason::MassCancel, events);
        }
        if let Err(reason) = self.take_mass_ref(command) {
            let mut event = refused(command, reason);
            event.flags |= Event::OF_USER;
            events.push(event);
            return Step::Done;
        }
        self.leave_all(command, fits, Reason::User, events)
    }

    /// Uses up the reference of a user's mass cancel, as an order uses up its own.
    fn take_mass_ref(&mut self, command: &Command) -> Result<(), Reason> {
        if !self.is_defined(command.session) {
            return Err(Reason::UnknownSession);
        }
        let user = usize::from(self.user_of(command.session));
        let session = &mut self.sessions[user];
        if command.old_user_ref <= session.user_ref_last {
            return Err(Reason::DuplicateUserRef);
        }
        session.take_ref(command.old_user_ref);
        Ok(())
    }

    /// Takes off all orders of which the named fields are those of the command; then answers it.
    pub(crate) fn leave_all(
        &mut self,
        command: &Command,
        fits: u8,
        reason: Reason,
        events: &mut Events,
    ) -> Step {
        let end = self.books.books.len();
        let (mut first, mut last) = (1, end - 1);
        if fits & SYMBOL != 0 {
            // A symbol that does not exist has the empty book of number 0.
            first = usize::from(command.symbol);
            first = if first < end { first } else { 0 };
            last = first;
        }
        let mass = Mass {
            command: *command,
            fits,
            reason,
            symbol: first as u16,
            symbol_last: last as u16,
            side: Side::Buy,
            is_parked: false,
            walk: self.books.books[first].walk(Side::Buy),
            price: 0,
            order: NONE,
            count: 0,
        };
        self.leave_on(mass, events)
    }

    /// Goes on taking off.
    pub(crate) fn leave_on(&mut self, mut mass: Mass, events: &mut Events) -> Step {
        let mut looks = 0;
        while looks < LOOKS_A_STEP_MAX && events.room() > 1 {
            if mass.order != NONE {
                self.look_at_order(&mut mass, events);
                looks += LOOKS_AN_ORDER;
                continue;
            }
            let book = &self.books.books[usize::from(mass.symbol)];
            if let Some((level, best)) = self.books.walk_on(book, &mut mass.walk) {
                mass.price = rank(mass.side, best);
                if mass.is_price() {
                    mass.order = self.books.levels[level as usize].head;
                }
                looks += LOOKS_AN_ORDER;
            } else if mass.side == Side::Buy {
                mass.side = Side::Sell;
                mass.walk = book.walk(Side::Sell);
            } else if !mass.is_parked {
                mass.is_parked = true;
                if !mass.asks(PRICE) {
                    mass.order = self.watches[usize::from(mass.symbol)].parked.head;
                }
            } else if mass.symbol == mass.symbol_last {
                if mass.command.kind == CommandKind::SetState as u8 {
                    return self.turned_closed(&mass.command, events);
                }
                events.push(mass.answer());
                return self.ended(Step::Done, events);
            } else {
                mass.symbol += 1;
                (mass.side, mass.is_parked) = (Side::Buy, false);
                mass.walk = self.books.books[usize::from(mass.symbol)].walk(Side::Buy);
                looks += 1;
            }
        }
        self.pending = Pending::Leave(mass);
        Step::More
    }

    /// Takes off the next order of the level if it fits. The way's other levels stay good: they
    /// have orders of their own.
    fn look_at_order(&mut self, mass: &mut Mass, events: &mut Events) {
        let handle = mass.order;
        let order = self.slab.orders[handle as usize];
        mass.order = order.next;
        let account = self.sessions[usize::from(order.session())].account;
        let user = self.user_of(order.session());
        if mass.is_fit(&order, user, account) {
            self.touch(mass.symbol);
            events.push_words(self.canceled(handle, mass.reason, 0));
            self.take_off(self.refs.find(self.slab.orders, handle));
            mass.count += 1;
        }
    }
}

impl Mass {
    fn asks(&self, what: u8) -> bool {
        self.fits & what != 0
    }

    /// Whether orders of this price fit; those at a market price fit none.
    fn is_price(&self) -> bool {
        let Command {
            side,
            old_user_ref,
            price: to,
            ..
        } = self.command;
        let (price, from) = (i64::from(self.price), i64::from(old_user_ref));
        let is_limit = (1..=PRICE_MAX).contains(&price);
        let is_price = !self.asks(PRICE) || is_limit && (from..=to).contains(&price);
        is_price && (!self.asks(SIDE) || side == self.side as u8)
    }

    fn is_fit(&self, order: &Order, user: u16, account: u32) -> bool {
        let side = order.identity().side() as u8;
        let is_session = [order.session(), user].contains(&self.command.session);
        (!self.asks(SESSION) || is_session)
            && (!self.asks(SIDE) || side == self.command.side)
            && (!self.asks(ACCOUNT) || account == self.command.user_ref)
    }

    fn answer(&self) -> Event {
        let kind = match CommandKind::from_byte(self.command.kind) {
            Some(CommandKind::CloseDay) => EventKind::DayClosed,
            Some(CommandKind::Kill) => EventKind::KillChanged,
            _ => EventKind::MassCanceled,
        };
        let mut event = about(&self.command, kind, Reason::None);
        if kind != EventKind::DayClosed {
            event.quantity = self.count;
        }
        if kind == EventKind::MassCanceled && self.command.flags == MASS_OF_USER {
            event.flags |= Event::OF_USER;
        }
        event
    }
}
