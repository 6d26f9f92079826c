//! Price bands: how far from a reference orders may go, and what happens at the edge.

use wire::ring::{
    Command, CommandKind, Event, EventKind, MarketState, PRICE_MARKET, PRICE_MAX, Reason, Side,
    TimeInForce,
};

use super::{Naive, increments};
use crate::answer::about;
use crate::book::Resting;
use crate::command::command;

/// What widths are parts of.
const WHOLE: i64 = 10_000;

/// Nanoseconds of a millisecond.
const MS: u64 = 1_000_000;

/// How old the dynamic reference is when a trade takes its place.
const DYNAMIC_AGE_NS: u64 = 30_000_000_000;

/// The bands of a symbol; what is 0 is not there.
#[derive(Clone, Copy, Default)]
pub(super) struct Bands {
    width_static: i64,
    width_dynamic: i64,
    limit_ms: u64,
    auction_ms: u64,
}

/// The prices between which orders stay.
#[derive(Clone, Copy)]
pub(super) struct Edges {
    lower: i64,
    upper: i64,
}

impl Edges {
    /// Edges around a reference.
    fn around(reference: i64, width: i64, tick: i64) -> Self {
        let distance = reference * width / WHOLE;
        let upper = reference + distance;
        let lower = reference - distance;
        Self {
            lower: (lower + (tick - lower % tick) % tick).min(PRICE_MAX - PRICE_MAX % tick),
            upper: (upper - upper % tick).max(tick),
        }
    }

    /// A price of an order, or its edge if the price is beyond that.
    fn bound(self, side: Side, price: i64) -> i64 {
        match side {
            Side::Buy => price.min(self.upper),
            Side::Sell => price.max(self.lower),
        }
    }

    /// Where orders of a side end.
    const fn edge(self, side: Side) -> i64 {
        match side {
            Side::Buy => self.upper,
            Side::Sell => self.lower,
        }
    }

    const fn is_beyond(self, side: Side, price: i64) -> bool {
        match side {
            Side::Buy => price > self.upper,
            Side::Sell => price < self.lower,
        }
    }
}

impl Naive {
    pub(super) fn set_bands(&mut self, command: &Command) -> Event {
        let times = [i64::from(command.user_ref), command.price].map(u32::try_from);
        let widths = [command.quantity, command.old_user_ref].map(i64::from);
        let refused = |reason| about(command, EventKind::Refused, reason);
        if !self.offers(increments::BANDS) {
            return refused(Reason::InvalidField);
        }
        let Some(market) = self.symbols.get_mut(&command.symbol) else {
            return refused(Reason::UnknownSymbol);
        };
        let [Ok(limit_ms), Ok(auction_ms)] = times else {
            return refused(Reason::InvalidField);
        };
        if widths.iter().any(|width| *width > WHOLE) {
            return refused(Reason::InvalidField);
        }
        market.bands = Some(Bands {
            width_static: widths[0],
            width_dynamic: widths[1],
            limit_ms: u64::from(limit_ms),
            auction_ms: u64::from(auction_ms),
        });
        about(command, EventKind::Configured, Reason::None)
    }

    /// The edges within which arriving orders trade now.
    fn edges_dynamic(&self, symbol: u16) -> Option<Edges> {
        let market = self.symbols.get(&symbol)?;
        let (reference, _) = market.price_dynamic?;
        let width = market.bands?.width_dynamic;
        let holds = width != 0 && self.is_continuous(symbol);
        holds.then(|| Edges::around(reference, width, market.tick))
    }

    /// Where arriving orders of a side end now, if its dynamic band holds.
    pub(crate) fn edge_dynamic(&self, symbol: u16, side: Side) -> Option<i64> {
        let edges = self.edges_dynamic(symbol);
        edges.map(|edges| edges.edge(side))
    }

    fn edges_static(&self, symbol: u16) -> Option<Edges> {
        let market = self.symbols.get(&symbol)?;
        let reference = market.price_reference?;
        let width = market.bands?.width_static;
        let holds = width != 0 && self.is_continuous(symbol);
        holds.then(|| Edges::around(reference, width, market.tick))
    }

    /// The price up to which an arriving order trades now: its own, or the edge.
    pub(super) fn price_bounded(&self, order: &Resting) -> i64 {
        match self.edges_dynamic(order.symbol) {
            None => order.price,
            Some(edges) if order.price == PRICE_MARKET => edges.edge(order.side),
            Some(edges) => edges.bound(order.side, order.price),
        }
    }

    /// The price of a peg, or the edge.
    pub(super) fn peg_bounded(&self, symbol: u16, side: Side, price: i64) -> i64 {
        let edges = self.edges_dynamic(symbol);
        edges.map_or(price, |edges| edges.bound(side, price))
    }

    /// The price of an order that is to rest: limits do not go beyond the edge.
    pub(super) fn price_to_rest(&self, order: &Resting) -> i64 {
        if order.price == PRICE_MARKET || order.life != TimeInForce::Day {
            return order.price;
        }
        self.price_bounded(order)
    }

    pub(super) fn check_static_band(&self, order: &Resting) -> Result<(), Reason> {
        let has_limit = order.price != PRICE_MARKET && !order.is_peg();
        let edges = self.edges_static(order.symbol).filter(|_| has_limit);
        if edges.is_some_and(|edges| edges.is_beyond(order.side, order.price)) {
            return Err(Reason::PriceBand);
        }
        Ok(())
    }

    /// Takes a trade's price as the reference if the one there is too old.
    pub(super) fn age_dynamic_reference(&mut self, symbol: u16, price: i64) {
        let now_ns = self.now_ns;
        let market = self.symbols.get_mut(&symbol);
        if let Some(market) = market.filter(|market| market.bands.is_some()) {
            match market.price_dynamic {
                Some((_, since_ns)) if now_ns - since_ns < DYNAMIC_AGE_NS => {}
                _ => market.price_dynamic = Some((price, now_ns)),
            }
        }
    }

    fn bands(&self, symbol: u16) -> Bands {
        let market = self.symbols.get(&symbol);
        market.and_then(|market| market.bands).unwrap_or_default()
    }

    /// When a volatility auction that a timer begins is over; 0 for never.
    pub(super) fn auction_end_ns(&self, symbol: u16, now_ns: u64) -> u64 {
        match self.bands(symbol).auction_ms {
            0 => 0,
            auction_ms => now_ns + auction_ms * MS,
        }
    }

    /// Enters or leaves the limit state, if the best prices say so.
    pub(super) fn look_at_limit_state(&mut self, symbol: u16) -> Vec<Event> {
        let limit_ms = self.bands(symbol).limit_ms;
        let edges = self.edges_dynamic(symbol).filter(|_| limit_ms != 0);
        let is_at_edge = |side| {
            let best = self.best(symbol, side).map(|(price, _)| price);
            let edge = edges.map(|edges| edges.edge(side));
            match (best, edge, side) {
                (Some(best), Some(edge), Side::Buy) => best >= edge,
                (Some(best), Some(edge), Side::Sell) => best <= edge,
                _ => false,
            }
        };
        let (state, end_ns) = if is_at_edge(Side::Buy) || is_at_edge(Side::Sell) {
            (MarketState::LimitState, self.now_ns + limit_ms * MS)
        } else {
            (MarketState::Continuous, 0)
        };
        if state == self.state(symbol) {
            return Vec::new();
        }
        let command = Command {
            symbol,
            ..command(CommandKind::SetState)
        };
        self.change_state(&command, state, end_ns)
    }
}
