//! What is known of a symbol: its tick, how it shares orders out, its last price.

use wire::ring::{Command, Event, EventKind, Reason, Side};

use super::allocation::Allocation;
use super::{Naive, increments};
use crate::answer::about;

/// What is known of a symbol.
pub(super) struct Market {
    pub(super) tick: i64,
    pub(super) allocation: Allocation,
    /// Price of the last trade.
    pub(super) price_last: Option<i64>,
}

impl Market {
    pub(super) const fn new(tick: i64) -> Self {
        Self {
            tick,
            allocation: Allocation::Time,
            price_last: None,
        }
    }
}

/// A trade: units at a price between two sessions.
pub(super) struct Trade {
    pub(super) symbol: u16,
    pub(super) quantity: u32,
    pub(super) price: i64,
    pub(super) buyer: u16,
    pub(super) seller: u16,
}

impl Naive {
    pub(super) fn set_allocation(&mut self, command: &Command) -> Event {
        if !self.offers(increments::ALLOCATION) {
            return about(command, EventKind::Refused, Reason::InvalidField);
        }
        let Some(market) = self.symbols.get_mut(&command.symbol) else {
            return about(command, EventKind::Refused, Reason::UnknownSymbol);
        };
        let Some(allocation) = Allocation::of(command.flags, command.quantity) else {
            return about(command, EventKind::Refused, Reason::InvalidField);
        };
        market.allocation = allocation;
        about(command, EventKind::Configured, Reason::None)
    }

    /// Tick of a symbol that is defined.
    pub(super) fn tick(&self, symbol: u16) -> i64 {
        self.symbols.get(&symbol).map_or(1, |market| market.tick)
    }

    /// Whether orders of a symbol trade as they arrive.
    pub(super) fn is_continuous(&self, symbol: u16) -> bool {
        self.symbols.contains_key(&symbol)
    }

    pub(super) fn allocation(&self, symbol: u16) -> Allocation {
        let market = self.symbols.get(&symbol);
        market.map_or(Allocation::Time, |market| market.allocation)
    }

    pub(super) fn price_last(&self, symbol: u16) -> Option<i64> {
        self.symbols.get(&symbol)?.price_last
    }

    /// What follows from a trade for its symbol and its accounts.
    pub(super) fn traded(&mut self, trade: &Trade) {
        if let Some(market) = self.symbols.get_mut(&trade.symbol) {
            market.price_last = Some(trade.price);
        }
        for (session, side) in [(trade.buyer, Side::Buy), (trade.seller, Side::Sell)] {
            self.count_trade(session, side, trade);
        }
    }
}
