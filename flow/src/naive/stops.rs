//! Stops: their triggers, and which trades touch them.

use wire::ring::{Condition, Event, EventKind, MarketState, PRICE_MAX, Side, TimeInForce};

use super::Naive;
use crate::book::Resting;

impl Naive {
    /// Gives a new order what its condition asks for: a stop its trigger, a peg its price.
    pub(super) fn set_condition(&self, order: &mut Resting) {
        match order.condition {
            Condition::None => {}
            Condition::Stop => order.trigger = Some(order.amount),
            Condition::TrailingStop => {
                let price = self.price_touching(order.symbol);
                order.trigger = price.and_then(|price| trailed(order, price));
            }
            Condition::PrimaryPeg | Condition::MarketPeg | Condition::MidpointPeg => {
                order.price = self.peg_price(order).unwrap_or(0);
            }
        }
        let is_early = order.life == TimeInForce::AtClose
            && self.state(order.symbol) != MarketState::ClosingAuction;
        order.parked = order.is_stop() || order.price == 0 || is_early;
    }

    /// Elects a new stop that the last price touches.
    pub(super) fn elect_on_entry(&mut self, order: &mut Resting) {
        let price = self.price_touching(order.symbol);
        if price.is_some_and(|price| is_touched(order, price)) {
            order.elected = Some(self.election_next());
        }
    }

    /// The price that new stops are looked at with.
    fn price_touching(&self, symbol: u16) -> Option<i64> {
        self.price_last(symbol)
            .filter(|_| self.is_continuous(symbol))
    }

    /// Looks at the trades of an order that arrived, among all its events.
    pub(super) fn look_at_trades(&mut self, symbol: u16, events: &[Event]) {
        let executed = |event: &&Event| event.kind == EventKind::Executed as u8;
        let makers = events
            .iter()
            .filter(executed)
            .filter(|event| event.has(Event::MAKER));
        makers.for_each(|event| self.look_at_trade(symbol, event.price));
    }

    /// Moves the triggers of trailing stops, then elects the stops that a trade touches.
    pub(super) fn look_at_trade(&mut self, symbol: u16, price: i64) {
        let parked = self.parked(symbol).copied();
        let mut waiting: Vec<Resting> = parked
            .filter(|order| order.is_stop() && order.elected.is_none())
            .collect();
        for stop in &mut waiting {
            if stop.condition == Condition::TrailingStop {
                stop.trigger = moved(stop, price);
                self.books.store(stop);
            }
        }
        waiting.retain(|stop| is_touched(stop, price));
        // Stable: within a trigger they stay in the order of their numbers.
        waiting.sort_by_key(|stop| match (stop.side, stop.trigger.unwrap_or(0)) {
            (Side::Buy, trigger) => (stop.side as u8, trigger),
            (Side::Sell, trigger) => (stop.side as u8, -trigger),
        });
        for stop in &waiting {
            let elected = Some(self.election_next());
            self.books.store(&Resting { elected, ..*stop });
        }
    }

    /// The stop that comes to life next.
    pub(super) fn elected_first(&self, symbol: u16) -> Option<Resting> {
        let elected = self.parked(symbol).filter(|order| order.elected.is_some());
        elected.min_by_key(|order| order.elected).copied()
    }

    fn election_next(&mut self) -> u64 {
        self.elections += 1;
        self.elections
    }
}

/// Where a trade puts the trigger of a trailing stop that had none.
fn trailed(stop: &Resting, price: i64) -> Option<i64> {
    let trigger = match stop.side {
        Side::Buy => price + stop.amount,
        Side::Sell => price - stop.amount,
    };
    (1..=PRICE_MAX).contains(&trigger).then_some(trigger)
}

/// The trigger of a trailing stop after a trade: it never moves away from the market.
fn moved(stop: &Resting, price: i64) -> Option<i64> {
    let triggers = [stop.trigger, trailed(stop, price)].into_iter().flatten();
    match stop.side {
        Side::Buy => triggers.min(),
        Side::Sell => triggers.max(),
    }
}

fn is_touched(stop: &Resting, price: i64) -> bool {
    match (stop.trigger, stop.side) {
        (Some(trigger), Side::Buy) => stop.is_stop() && price >= trigger,
        (Some(trigger), Side::Sell) => stop.is_stop() && price <= trigger,
        (None, _) => false,
    }
}
