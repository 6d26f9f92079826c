//! Definitions, and the day's beginning and end.

use wire::ring::{Command, Event, EventKind, PRICE_MAX, Reason};

use super::market::Market;
use super::{Day, Mode, Naive, Session, increments};
use crate::answer::about;

impl Naive {
    pub(super) fn define_symbol(&mut self, command: &Command) -> Event {
        let ticks = self.offers(increments::BASIC);
        let price = if ticks { command.price } else { 0 };
        if command.symbol == 0 || !(0..=PRICE_MAX).contains(&price) {
            return about(command, EventKind::Refused, Reason::InvalidField);
        }
        if self.symbols.contains_key(&command.symbol) {
            return about(command, EventKind::Refused, Reason::TableFull);
        }
        if let Err(reason) = self.check_room() {
            return about(command, EventKind::Refused, reason);
        }
        self.symbols
            .insert(command.symbol, Market::new(price.max(1)));
        let mut name = [0; 8];
        name.copy_from_slice(&command.client_id[..8]);
        Event {
            related: u64::from_le_bytes(name),
            ..about(command, EventKind::SymbolDefined, Reason::None)
        }
    }

    pub(super) fn define_session(&mut self, command: &Command) -> Event {
        let prevents = self.offers(increments::SELF_TRADE);
        let mode = Mode::from_byte(if prevents { command.letters[0] } else { 0 });
        let (Some(mode), free @ 0..=1, 1..) = (mode, command.letters[1], command.session) else {
            return about(command, EventKind::Refused, Reason::InvalidField);
        };
        if self.sessions.contains_key(&command.session) {
            return about(command, EventKind::Refused, Reason::TableFull);
        }
        if let Err(reason) = self.check_room() {
            return about(command, EventKind::Refused, reason);
        }
        let session = Session::new(command.session, command.user_ref, mode, free == 1);
        self.sessions.insert(command.session, session);
        about(command, EventKind::SessionDefined, Reason::None)
    }

    pub(super) fn open_day(&mut self, command: &Command) -> Event {
        if self.day != Day::Before {
            return about(command, EventKind::Refused, Reason::NotOpen);
        }
        self.day = Day::Open;
        about(command, EventKind::DayOpened, Reason::None)
    }

    pub(super) fn close_day(&mut self, command: &Command) -> Vec<Event> {
        if self.day != Day::Open {
            return vec![about(command, EventKind::Refused, Reason::NotOpen)];
        }
        self.day = Day::Closed;
        let orders = self.all_orders();
        let mut events = self.take_off(&orders, Reason::DayClosed);
        events.push(about(command, EventKind::DayClosed, Reason::None));
        events
    }

    /// Takes off the orders whose time is over.
    pub(super) fn expire(&mut self, now_ns: u64) -> Vec<Event> {
        let expired = self.books.expired(now_ns);
        self.take_off(&expired, Reason::Expired)
    }
}
