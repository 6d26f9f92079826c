//! Price bands: how far orders may reach, and the limit state at their edges.
//!
//! A symbol that was ever given bands is not plain from then on. Its dynamic reference follows the
//! first trade of each arriving order: later ones of the same order find it fresh.

use wire::ring::{Command, Event, EventKind, MarketState, PRICE_MARKET, PRICE_MAX, Reason, Side};

use crate::answers::{about, refused};
use crate::books::{Book, rank};
use crate::heap::Timed;
use crate::market::{Market, is_trading};
use crate::states::of_symbol;
use crate::trade::Taker;
use crate::{Engine, Events, Step};

/// Widths are counted in these parts of a reference.
const PARTS: u32 = 10_000;

/// A dynamic reference of that age is replaced by the next trade.
const REFERENCE_AGE_NS: u64 = 30_000_000_000;

const MS: u64 = 1_000_000;

/// The lowest price to sell at, and the highest one to buy at.
#[derive(Clone, Copy)]
pub(crate) struct Edges {
    pub(crate) lower: u32,
    pub(crate) upper: u32,
}

impl Edges {
    /// The band of a width around a reference, which may be off the tick; none if either is 0.
    /// Edges are good prices where orders may take them as theirs.
    fn of(reference: u32, width: u16, tick: u32) -> Option<Self> {
        if reference == 0 || width == 0 {
            return None;
        }
        let cut = u64::from(reference) * u64::from(width) / u64::from(PARTS);
        let reach = cut as u32;
        Some(Self {
            lower: (reference - reach)
                .next_multiple_of(tick)
                .min(PRICE_MAX as u32 / tick * tick),
            upper: ((reference + reach) / tick * tick).max(tick),
        })
    }

    /// A side's price, or the edge if that is beyond; the market price is.
    pub(crate) fn within(&self, side: Side, price: u32) -> u32 {
        match side {
            Side::Buy => price.min(self.upper),
            Side::Sell if i64::from(price) == PRICE_MARKET => self.lower,
            Side::Sell => price.max(self.lower),
        }
    }
}

/// A reference is at most a good price, which doubled still is a price's number.
const _: () = assert!(2 * PRICE_MARKET <= u32::MAX as i64);

/// The symbols, as those whose states end.
pub(crate) struct Timers<'a>(pub(crate) &'a mut [Market]);

impl Timed for Timers<'_> {
    fn key(&self, symbol: u32) -> (u64, u64) {
        (self.0[symbol as usize].ends_ns, u64::from(symbol))
    }

    fn place(&mut self, symbol: u32) -> &mut u32 {
        &mut self.0[symbol as usize].timer_at
    }
}

impl Engine<'_> {
    /// Gives a symbol its bands.
    #[cold]
    pub(crate) fn set_bands(&mut self, command: &Command, events: &mut Events) -> Step {
        events.push(self.bands_set(command));
        self.ended(Step::Done, events)
    }

    fn bands_set(&mut self, command: &Command) -> Event {
        let symbol = usize::from(command.symbol);
        let book = self.books.books.get(symbol);
        if !book.is_some_and(Book::is_defined) {
            return refused(command, Reason::UnknownSymbol);
        }
        let [static_width, dynamic_width] = [command.quantity, command.old_user_ref];
        let auction_ms = u32::try_from(command.price);
        let (true, Ok(auction_ms)) = (static_width.max(dynamic_width) <= PARTS, auction_ms) else {
            return refused(command, Reason::InvalidField);
        };
        if self.markets[symbol].has_bands == 0 {
            self.watch(command.symbol);
        }
        let market = &mut self.markets[symbol];
        market.static_width = static_width as u16;
        market.dynamic_width = dynamic_width as u16;
        (market.limit_ms, market.auction_ms) = (command.user_ref, auction_ms);
        market.has_bands = 1;
        self.wake(command.symbol);
        about(command, EventKind::Configured, Reason::None)
    }

    /// The edges of a symbol's dynamic band, where that holds now.
    pub(crate) fn dynamic_edges(&self, symbol: u16) -> Option<Edges> {
        let market = self.market(symbol);
        let tick = self.books.books[usize::from(symbol)].tick;
        let edges = Edges::of(market.dynamic, market.dynamic_width, tick);
        edges.filter(|_| is_trading(market.state()))
    }

    /// Lets an arriving order trade no further than to the edge.
    pub(crate) fn bound_reach(&self, taker: &mut Taker) {
        let side = taker.who.side();
        if let Some(edges) = self.dynamic_edges(taker.who.symbol()) {
            let edge = edges.within(side, PRICE_MARKET as u32);
            taker.reach = taker.reach.max(rank(side.opposite(), edge));
        }
    }

    /// Gives an arriving order the edge as its price if it rests and its limit is beyond.
    pub(crate) fn bound_price(&self, taker: &mut Taker) {
        let edges = self.dynamic_edges(taker.who.symbol());
        if let Some(edges) = edges.filter(|_| taker.rests) {
            taker.price = edges.within(taker.who.side(), taker.price);
        }
    }

    /// Whether a limit is within the static band.
    pub(crate) fn check_static(&self, taker: &Taker) -> Result<(), Reason> {
        let symbol = taker.who.symbol();
        let market = self.market(symbol);
        let tick = self.books.books[usize::from(symbol)].tick;
        let edges = Edges::of(market.reference, market.static_width, tick);
        let edges = edges.filter(|_| is_trading(market.state()));
        let is_limit = i64::from(taker.price) != PRICE_MARKET;
        let within = edges.map(|edges| edges.within(taker.who.side(), taker.price));
        if is_limit && within.is_some_and(|within| within != taker.price) {
            return Err(Reason::PriceBand);
        }
        Ok(())
    }

    /// Notes the first price at which an order traded as the dynamic reference, if that is due.
    pub(crate) fn note_trade(&mut self, symbol: u16, price: u32) {
        let market = &mut self.markets[usize::from(symbol)];
        let is_old = self.now_ns.saturating_sub(market.dynamic_since_ns) >= REFERENCE_AGE_NS;
        if market.has_bands != 0 && (market.dynamic == 0 || is_old) {
            (market.dynamic, market.dynamic_since_ns) = (price, self.now_ns);
            self.wake(symbol);
        }
    }

    /// Notes the price of an auction.
    pub(crate) fn note_uncross(&mut self, symbol: u16, price: u32) {
        self.books.books[usize::from(symbol)].last = price;
        let market = &mut self.markets[usize::from(symbol)];
        market.reference = price;
        if market.has_bands != 0 {
            (market.dynamic, market.dynamic_since_ns) = (price, self.now_ns);
        }
    }

    /// Looks whether a symbol, which trades, belongs into the limit state.
    pub(crate) fn look_at_limit(&mut self, symbol: u16, events: &mut Events) {
        let Market { limit_ms, .. } = *self.market(symbol);
        let is_limited = limit_ms != 0 && self.is_at_edge(symbol);
        let from = self.state(symbol);
        let to = if is_limited {
            MarketState::LimitState
        } else {
            MarketState::Continuous
        };
        if from == to {
            return;
        }
        self.end_never(symbol);
        if is_limited {
            self.end_in(symbol, limit_ms);
        }
        self.change_state(&of_symbol(symbol), to, events);
    }

    /// Whether the best order of a side is at its edge of the dynamic band, or beyond.
    fn is_at_edge(&self, symbol: u16) -> bool {
        let book = &self.books.books[usize::from(symbol)];
        let [bid, ask] = [Side::Buy, Side::Sell].map(|side| book.best(side));
        self.dynamic_edges(symbol).is_some_and(|edges| {
            bid.is_some_and(|(_, price)| price >= edges.upper)
                || ask.is_some_and(|(_, price)| price <= edges.lower)
        })
    }

    /// Lets a symbol's state end after a time, 0 for never.
    pub(crate) fn end_in(&mut self, symbol: u16, time_ms: u32) {
        if time_ms == 0 {
            return;
        }
        let ends_ns = self.now_ns.saturating_add(u64::from(time_ms) * MS);
        self.markets[usize::from(symbol)].ends_ns = ends_ns;
        self.timer_add(symbol);
    }

    /// Lets a symbol's state end when its market says.
    fn timer_add(&mut self, symbol: u16) {
        let mut timers = Timers(self.markets);
        self.timers.add(&mut timers, symbol.into());
        self.look_at_clock();
    }

    /// Watches a symbol whose market was read, and lets its state end.
    pub(crate) fn restore_market(&mut self, symbol: u16) {
        if self.market(symbol).has_bands != 0 {
            self.watch(symbol);
        }
        if self.market(symbol).ends_ns != 0 {
            self.timer_add(symbol);
        }
    }

    /// Lets a symbol's state not end by itself.
    pub(crate) fn end_never(&mut self, symbol: u16) {
        if self.market(symbol).ends_ns != 0 {
            let mut timers = Timers(self.markets);
            self.timers.remove(&mut timers, symbol.into());
            self.look_at_clock();
            self.markets[usize::from(symbol)].ends_ns = 0;
        }
    }
}
