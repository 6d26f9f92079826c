//! What follows from an input, once its own events are out.

use wire::ring::{Condition, Event, EventKind, PRICE_MARKET};

use super::Naive;
use crate::answer::about_order;
use crate::book::Resting;

impl Naive {
    /// Works off all that follows, symbol by symbol.
    pub(super) fn consequences(&mut self) -> Vec<Event> {
        let banded = self.symbols.iter().filter(|(_, one)| one.bands.is_some());
        let mut symbols = self.books.symbols_waiting();
        symbols.extend(banded.map(|(symbol, _)| *symbol));
        let symbols = symbols.into_iter();
        let trading = symbols.filter(|symbol| self.is_continuous(*symbol));
        let symbols: Vec<u16> = trading.collect();
        let follow = |symbol| self.follow(symbol);
        symbols.into_iter().flat_map(follow).collect()
    }

    fn follow(&mut self, symbol: u16) -> Vec<Event> {
        let mut events = Vec::new();
        loop {
            let more = if let Some(stop) = self.elected_first(symbol) {
                self.trigger(stop)
            } else if let Some(order) = self.whole_first(symbol) {
                self.trigger(order)
            } else {
                self.reprice(symbol)
            };
            if more.is_empty() {
                events.extend(self.look_at_limit_state(symbol));
                return events;
            }
            events.extend(more);
        }
    }

    /// The first all-or-none order that can trade.
    fn whole_first(&self, symbol: u16) -> Option<Resting> {
        let mut parked = self.parked(symbol);
        let fits = |order: &&Resting| order.whole && self.fits_whole(order);
        parked.find(fits).copied()
    }

    /// Whether there are enough units for an order to trade at once.
    pub(super) fn fits_whole(&self, order: &Resting) -> bool {
        self.is_continuous(order.symbol) && self.units_for(order) >= u64::from(order.open)
    }

    /// A parked order comes to life.
    fn trigger(&mut self, old: Resting) -> Vec<Event> {
        self.books.remove(&old);
        let order = Resting {
            order_ref: self.order_ref_next(),
            condition: Condition::None,
            elected: None,
            price: if old.is_stop() {
                self.price_to_rest(&old)
            } else {
                old.price
            },
            ..old
        };
        let triggered = Event {
            related: old.order_ref,
            ..about_order(&order, EventKind::Triggered, 0)
        };
        self.arrive(order, order.price != PRICE_MARKET, triggered)
    }
}
