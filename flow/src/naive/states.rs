//! Market states: what a symbol does with orders, and what happens when that changes.

use wire::ring::{
    Command, CommandKind, Event, EventKind, MarketState, PRICE_MAX, Reason, TimeInForce,
};

use super::attributes::Attributes;
use super::{Naive, increments};
use crate::answer::{about, about_order, canceled};
use crate::book::Resting;
use crate::command::command;

impl Naive {
    pub(super) fn set_state(&mut self, command: &Command) -> Vec<Event> {
        let state = match self.check_state(command) {
            Ok(state) => state,
            Err(reason) => return vec![about(command, EventKind::Refused, reason)],
        };
        if command.price != 0
            && let Some(market) = self.symbols.get_mut(&command.symbol)
        {
            market.price_reference = Some(command.price);
        }
        self.change_state(command, state, 0)
    }

    fn check_state(&self, command: &Command) -> Result<MarketState, Reason> {
        if !self.offers(increments::STATES) {
            return Err(Reason::InvalidField);
        }
        let market = self.symbols.get(&command.symbol);
        let market = market.ok_or(Reason::UnknownSymbol)?;
        let is_good = (1..=PRICE_MAX).contains(&command.price) && command.price % market.tick == 0;
        match MarketState::from_byte(command.flags) {
            None | Some(MarketState::LimitState) => Err(Reason::InvalidField),
            Some(_) if command.price != 0 && !is_good => Err(Reason::InvalidField),
            Some(_) if market.state == MarketState::Closed => Err(Reason::NotOpen),
            Some(state) => Ok(state),
        }
    }

    /// Puts a symbol into a state that a timer ends, or none if that is 0. The events repeat a
    /// command's fields.
    pub(super) fn change_state(
        &mut self,
        command: &Command,
        new: MarketState,
        end_ns: u64,
    ) -> Vec<Event> {
        let symbol = command.symbol;
        let old = self.state(symbol);
        let uncrosses = match new {
            MarketState::Continuous => !is_continuous(old),
            MarketState::Closed => old == MarketState::ClosingAuction,
            _ => false,
        };
        let mut events = Vec::new();
        if uncrosses {
            events.extend(self.uncross(command, old, new));
        }
        if new == MarketState::Closed {
            let mut orders = self.all_orders();
            orders.retain(|order| order.symbol == symbol);
            events.extend(self.take_off(&orders, Reason::DayClosed));
        }
        events.push(self.enter_state(command, new, end_ns));
        if new == MarketState::ClosingAuction {
            events.extend(self.rest_at_close(symbol));
        }
        events
    }

    /// Notes a state and tells of it.
    fn enter_state(&mut self, command: &Command, new: MarketState, end_ns: u64) -> Event {
        let mut event = Event {
            quantity: new as u32,
            related: end_ns,
            ..about(command, EventKind::StateChanged, Reason::None)
        };
        if let Some(market) = self.symbols.get_mut(&command.symbol) {
            event.leaves = market.state as u32;
            event.price = market.price_reference.unwrap_or(0);
            market.state = new;
            market.end_ns = end_ns;
        }
        event
    }

    /// The orders at the close come to rest when the closing auction begins.
    fn rest_at_close(&mut self, symbol: u16) -> Vec<Event> {
        let parked = self.parked(symbol).copied();
        let at_close: Vec<Resting> = parked
            .filter(|order| order.life == TimeInForce::AtClose)
            .collect();
        let rest = |old: Resting| {
            self.books.remove(&old);
            let order = Resting {
                order_ref: self.order_ref_next(),
                parked: false,
                ..old
            };
            let triggered = |flags| Event {
                related: old.order_ref,
                ..about_order(&order, EventKind::Triggered, flags)
            };
            if self.lack.has_no_level(&order) {
                return vec![triggered(0), canceled(&order, Reason::LadderFull, 0)];
            }
            self.books.store(&order);
            vec![triggered(Event::BOOKED)]
        };
        at_close.into_iter().flat_map(rest).collect()
    }

    /// Changes the states whose time is over.
    pub(super) fn change_timed_states(&mut self, now_ns: u64) -> Vec<Event> {
        let markets = self.symbols.iter();
        let due = markets.filter(|(_, market)| (1..=now_ns).contains(&market.end_ns));
        let mut due: Vec<(u64, u16)> = due.map(|(symbol, one)| (one.end_ns, *symbol)).collect();
        due.sort_unstable();
        let change = |(_, symbol)| {
            let command = Command {
                symbol,
                ..command(CommandKind::SetState)
            };
            if self.state(symbol) == MarketState::VolatilityAuction {
                return self.change_state(&command, MarketState::Continuous, 0);
            }
            let end_ns = self.auction_end_ns(symbol, now_ns);
            self.change_state(&command, MarketState::VolatilityAuction, end_ns)
        };
        due.into_iter().flat_map(change).collect()
    }

    pub(super) fn state(&self, symbol: u16) -> MarketState {
        let market = self.symbols.get(&symbol);
        market.map_or(MarketState::Continuous, |market| market.state)
    }

    /// Whether orders of a symbol trade as they arrive.
    pub(super) fn is_continuous(&self, symbol: u16) -> bool {
        is_continuous(self.state(symbol))
    }

    /// Whether orders of a symbol rest until an auction.
    pub(super) fn is_call(&self, symbol: u16) -> bool {
        is_call(self.state(symbol))
    }

    /// Whether a symbol takes orders, and its session's.
    pub(super) fn check_switches(&self, session: u16, symbol: u16) -> Result<(), Reason> {
        if matches!(self.state(symbol), MarketState::Halt | MarketState::Closed) {
            return Err(Reason::Halted);
        }
        if !self.may_enter(session) {
            return Err(Reason::NotPermitted);
        }
        if self.is_killed(session, symbol) {
            return Err(Reason::Killed);
        }
        Ok(())
    }

    /// Whether a symbol's state is one for such an order.
    pub(super) fn check_in_state(
        &self,
        order: &Resting,
        attributes: Attributes,
    ) -> Result<(), Reason> {
        let state = self.state(order.symbol);
        let before_open = [MarketState::PreOpen, MarketState::OpeningAuction];
        let is_late = order.life == TimeInForce::AtOpen && !before_open.contains(&state);
        if is_late || is_call(state) && attributes.look_at_others(order) {
            return Err(Reason::NotInState);
        }
        Ok(())
    }
}

const fn is_continuous(state: MarketState) -> bool {
    matches!(state, MarketState::Continuous | MarketState::LimitState)
}

const fn is_call(state: MarketState) -> bool {
    use MarketState::{
        Closed, ClosingAuction, Continuous, Halt, LimitState, OpeningAuction, PreOpen, Reopening,
        VolatilityAuction,
    };
    match state {
        PreOpen | OpeningAuction | VolatilityAuction | Reopening | ClosingAuction => true,
        Continuous | LimitState | Halt | Closed => false,
    }
}
