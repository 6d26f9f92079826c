//! Auctions: the price at which most units trade, found by trying every one, and the trades there.

use std::cmp::Reverse;
use std::collections::BTreeSet;

use wire::ring::{Command, Event, EventKind, MarketState, PRICE_MARKET, Reason, Side, TimeInForce};

use super::market::Trade;
use super::{Naive, increments};
use crate::answer::{about, about_order};
use crate::book::Resting;

/// A price that an auction may have, with the units that want to trade at it.
#[derive(Clone, Copy)]
struct Candidate {
    price: i64,
    demand: u64,
    supply: u64,
}

impl Candidate {
    fn volume(&self) -> u64 {
        self.demand.min(self.supply)
    }

    const fn imbalance(&self) -> u64 {
        self.demand.abs_diff(self.supply)
    }
}

impl Naive {
    pub(super) fn indicate(&self, command: &Command) -> Event {
        let reason = match command.symbol {
            _ if !self.offers(increments::STATES) => Reason::InvalidField,
            symbol if !self.symbols.contains_key(&symbol) => Reason::UnknownSymbol,
            symbol if !self.is_call(symbol) => Reason::NotInState,
            symbol => {
                let found = self.auction(symbol);
                return told(command, EventKind::Indicative, found.as_ref());
            }
        };
        about(command, EventKind::Refused, reason)
    }

    /// The auction that ends the state `old`. The events repeat a command's fields.
    pub(super) fn uncross(
        &mut self,
        command: &Command,
        old: MarketState,
        new: MarketState,
    ) -> Vec<Event> {
        let symbol = command.symbol;
        let found = self.auction(symbol);
        let mut events = vec![told(command, EventKind::Uncrossed, found.as_ref())];
        if let Some(Candidate { price, .. }) = found {
            while let Some((buy, sell)) = self.first_pair(symbol, price) {
                events.extend(self.trade_in_auction(buy, sell, price));
            }
            self.set_prices(symbol, price);
            if new == MarketState::Continuous {
                self.look_at_trade(symbol, price);
            }
        }
        let mut over: Vec<Resting> = self.booked(symbol).copied().collect();
        over.retain(|order| match order.life {
            _ if order.price == PRICE_MARKET => true,
            TimeInForce::AtOpen => true,
            TimeInForce::AtClose => old == MarketState::ClosingAuction,
            TimeInForce::Day | TimeInForce::ImmediateOrCancel => false,
        });
        over.sort_by_key(|order| order.order_ref);
        events.extend(self.take_off(&over, Reason::AuctionOver));
        events
    }

    /// What an auction would do now; nothing if nobody would trade.
    fn auction(&self, symbol: u16) -> Option<Candidate> {
        let limits = self.booked(symbol).map(|order| order.price);
        let reference = self.price_reference(symbol);
        let prices: BTreeSet<i64> = limits
            .filter(|price| *price != PRICE_MARKET)
            .chain(reference)
            .collect();
        let candidate = |price| Candidate {
            price,
            demand: self.units_at(symbol, Side::Buy, price),
            supply: self.units_at(symbol, Side::Sell, price),
        };
        let mut rest: Vec<Candidate> = prices.into_iter().map(candidate).collect();
        let greatest = rest.iter().map(Candidate::volume).max()?;
        rest.retain(|one| one.volume() == greatest && greatest > 0);
        let least = rest.iter().map(Candidate::imbalance).min()?;
        rest.retain(|one| one.imbalance() == least);
        // They are in the order of their prices.
        if rest.iter().all(|one| one.demand > one.supply) {
            return rest.last().copied();
        }
        if rest.iter().all(|one| one.supply > one.demand) {
            return rest.first().copied();
        }
        let Some(reference) = reference else {
            return rest.first().copied();
        };
        let distance = |one: &&Candidate| (one.price.abs_diff(reference), Reverse(one.price));
        rest.iter().min_by_key(distance).copied()
    }

    /// The open units of one side that accept a price.
    fn units_at(&self, symbol: u16, side: Side, price: i64) -> u64 {
        let orders = self.orders(symbol, side);
        let accepting = orders.filter(|order| accepts(order, price));
        accepting.map(|order| u64::from(order.open)).sum()
    }

    /// The first order of each side, if both accept a price.
    fn first_pair(&self, symbol: u16, price: i64) -> Option<(Resting, Resting)> {
        let first = |side| {
            let first = self.orders(symbol, side).next().copied();
            first.filter(|order| accepts(order, price))
        };
        Some((first(Side::Buy)?, first(Side::Sell)?))
    }

    /// Both trade as many units as both show.
    fn trade_in_auction(&mut self, mut buy: Resting, mut sell: Resting, price: i64) -> Vec<Event> {
        let quantity = buy.tip.min(sell.tip);
        self.matches += 1;
        let mut events = Vec::new();
        for order in [&mut buy, &mut sell] {
            order.open -= quantity;
            order.tip -= quantity;
            order.executed += quantity;
            self.books.store(order);
            let flags = Event::MAKER | Event::BOOKED | Event::AUCTION;
            events.push(Event {
                quantity,
                price,
                related: self.matches,
                ..about_order(order, EventKind::Executed, flags)
            });
        }
        self.traded(&Trade {
            symbol: buy.symbol,
            quantity,
            price,
            buyer: buy.session,
            seller: sell.session,
        });
        for order in [buy, sell] {
            if order.tip == 0 && order.open > 0 {
                events.push(self.refresh(order));
            }
        }
        events
    }

    fn booked(&self, symbol: u16) -> impl Iterator<Item = &Resting> {
        let buys = self.orders(symbol, Side::Buy);
        buys.chain(self.orders(symbol, Side::Sell))
    }
}

fn accepts(order: &Resting, price: i64) -> bool {
    match order.side {
        _ if order.price == PRICE_MARKET => true,
        Side::Buy => order.price >= price,
        Side::Sell => order.price <= price,
    }
}

/// Tells what an auction did or would do.
fn told(command: &Command, kind: EventKind, found: Option<&Candidate>) -> Event {
    let nothing = Candidate {
        price: 0,
        demand: 0,
        supply: 0,
    };
    let found = found.unwrap_or(&nothing);
    let fitting = |units| u32::try_from(units).unwrap_or(u32::MAX);
    let side = if found.supply > found.demand {
        Side::Sell
    } else {
        Side::Buy
    };
    Event {
        side: side as u8,
        price: found.price,
        quantity: fitting(found.volume()),
        leaves: fitting(found.imbalance()),
        ..about(command, kind, Reason::None)
    }
}
