//! What is known of a symbol: its tick, how it shares orders out, its last price.

use wire::ring::{Command, Event, EventKind, MarketState, Reason, Side};

use super::allocation::Allocation;
use super::bands::Bands;
use super::{Naive, increments};
use crate::answer::about;

/// What is known of a symbol.
pub(super) struct Market {
    pub(super) tick: i64,
    pub(super) allocation: Allocation,
    pub(super) state: MarketState,
    /// When a timer ends the state; 0 for never.
    pub(super) end_ns: u64,
    pub(super) bands: Option<Bands>,
    /// Price of the last trade.
    pub(super) price_last: Option<i64>,
    pub(super) price_reference: Option<i64>,
    /// Reference of the dynamic bands, and since when.
    pub(super) price_dynamic: Option<(i64, u64)>,
}

impl Market {
    pub(super) const fn new(tick: i64) -> Self {
        Self {
            tick,
            allocation: Allocation::Time,
            state: MarketState::Continuous,
            end_ns: 0,
            bands: None,
            price_last: None,
            price_reference: None,
            price_dynamic: None,
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

    pub(super) fn allocation(&self, symbol: u16) -> Allocation {
        let market = self.symbols.get(&symbol);
        market.map_or(Allocation::Time, |market| market.allocation)
    }

    pub(super) fn price_last(&self, symbol: u16) -> Option<i64> {
        self.symbols.get(&symbol)?.price_last
    }

    /// The last price, or the reference price before there is one.
    pub(super) fn price_reference(&self, symbol: u16) -> Option<i64> {
        let market = self.symbols.get(&symbol)?;
        market.price_last.or(market.price_reference)
    }

    /// What follows from the price of an auction.
    pub(super) fn set_prices(&mut self, symbol: u16, price: i64) {
        let now_ns = self.now_ns;
        if let Some(market) = self.symbols.get_mut(&symbol) {
            market.price_last = Some(price);
            market.price_reference = Some(price);
            market.price_dynamic = market.bands.map(|_| (price, now_ns));
        }
    }

    /// What follows from a trade for its symbol and its accounts.
    pub(super) fn traded(&mut self, trade: &Trade) {
        if let Some(market) = self.symbols.get_mut(&trade.symbol) {
            market.price_last = Some(trade.price);
        }
        self.age_dynamic_reference(trade.symbol, trade.price);
        for (session, side) in [(trade.buyer, Side::Buy), (trade.seller, Side::Sell)] {
            self.count_trade(session, side, trade);
        }
    }
}
