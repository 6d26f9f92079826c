//! What a strategy is, and what it may see and do.

use analytics::bars::EndedBar;
use wire::ring::Side;

use super::account::Position;
use super::floor::{Floor, Seat};
use super::ladder::Ladder;
use super::listing::Listings;
use super::order::{Fill, NewOrder, OrderId, OwnOrder};
use super::risk::Refusal;
use super::stopwatch::{Hop, Stopwatch};
use crate::Event;

/// A trade of the market.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Print {
    /// Number of the market.
    pub symbol: u32,
    /// In ticks.
    pub price: i64,
    /// In lots.
    pub quantity: u64,
    /// The side that arrived and traded, where the venue says it.
    pub aggressor: Option<Side>,
    /// When, by the venue's clock, in ns.
    pub event_ns: u64,
}

/// Decides what to trade. It knows nothing but what it is told here, and acts by its [`Context`]
/// alone: so it does the same live, in a backtest, and when a recorded day is run again.
///
/// Nothing may be allocated in a call, and no call may take longer than its budget.
pub trait Strategy: Send {
    /// The market whose every event it hears, by [`Strategy::on_event`]; none unless it says so.
    fn hears(&self) -> Option<u32> {
        None
    }

    /// Something is told of the market that it hears, all or a part of what belongs together. It
    /// may learn from it, and acts when it is called with a [`Context`]. No budget counts this.
    fn on_event(&mut self, _event: &Event) {}

    /// A book is another one than before, and whole.
    fn on_book(&mut self, _desk: &mut Context<'_>, _symbol: u32) {}

    /// Somebody traded.
    fn on_trade(&mut self, _desk: &mut Context<'_>, _trade: &Print) {}

    /// A bar ended.
    fn on_bar(&mut self, _desk: &mut Context<'_>, _bar: &EndedBar) {}

    /// An order of this strategy traded. Its position is the new one.
    fn on_fill(&mut self, _desk: &mut Context<'_>, _fill: &Fill) {}

    /// The venue took a trade of this strategy back. Its position is the new one.
    fn on_broken(&mut self, _desk: &mut Context<'_>, _fill: &Fill) {}

    /// The venue answered what was asked last of an order of this strategy, which lives on: it may
    /// be changed again.
    fn on_answer(&mut self, _desk: &mut Context<'_>, _order: OrderId) {}

    /// An order of this strategy is gone: filled, cancelled or refused.
    fn on_gone(&mut self, _desk: &mut Context<'_>, _order: OrderId) {}

    /// The time that it asked for has come.
    fn on_timer(&mut self, _desk: &mut Context<'_>) {}
}

/// What a strategy sees, and how it acts.
pub struct Context<'d> {
    pub(super) floor: &'d mut Floor,
    pub(super) seat: &'d mut Seat,
    pub(super) watch: &'d mut dyn Stopwatch,
}

impl Context<'_> {
    /// The time, in ns: that of what is happening.
    #[must_use]
    pub const fn now_ns(&self) -> u64 {
        self.floor.now_ns
    }

    /// The book of a market, without our own orders.
    #[must_use]
    pub fn book(&self, symbol: u32) -> &Ladder {
        &self.floor.books[symbol as usize]
    }

    /// The markets.
    #[must_use]
    pub const fn listings(&self) -> &Listings {
        &self.floor.listings
    }

    /// What this strategy holds of a market.
    #[must_use]
    pub fn position(&self, symbol: u32) -> Position {
        self.seat.account.position(symbol)
    }

    /// Orders of this strategy that live, in no order that means anything.
    pub fn orders(&self) -> impl Iterator<Item = &OwnOrder> {
        let number = self.seat.number;
        let all = self.floor.orders.iter();
        all.filter(move |order| order.seat == number)
    }

    /// An order of this strategy, if it lives.
    #[must_use]
    pub fn order(&self, id: OrderId) -> Option<&OwnOrder> {
        self.orders().find(|order| order.id == id)
    }

    /// Sends an order.
    ///
    /// # Errors
    /// Why it does not leave.
    pub fn send(&mut self, new: NewOrder) -> Result<OrderId, Refusal> {
        self.floor.send(self.seat, new)
    }

    /// Gives an order of this strategy another price, and so many lots that are open from then on.
    ///
    /// # Errors
    /// Why it stays as it is.
    pub fn replace(&mut self, id: OrderId, price: i64, open: u64) -> Result<(), Refusal> {
        self.floor.replace(self.seat, id, price, open)
    }

    /// Takes an order of this strategy off the book.
    ///
    /// # Errors
    /// There is none, or the venue has not answered what was asked last of it.
    pub fn cancel(&mut self, id: OrderId) -> Result<(), Refusal> {
        self.floor.cancel(self.seat, id)
    }

    /// Says that nothing leaves by the strategy's own judgement: it is counted like the desk's
    /// refusals, and told like them if there is an order.
    pub fn withhold(&mut self, new: Option<NewOrder>, why: Refusal) {
        self.floor.withhold(self.seat, new, why);
    }

    /// A part of the call is over, whose time is told to who measures.
    pub fn hop(&mut self, hop: Hop) {
        self.watch.hop(hop);
    }

    /// A part of the way took so long, by the times of inputs.
    pub fn took(&mut self, hop: Hop, ns: u64) {
        self.watch.hop_took(hop, ns);
    }

    /// Asks for a call at a time, in the place of the one asked for before.
    pub const fn timer_at(&mut self, time_ns: u64) {
        self.seat.timer_ns = Some(time_ns);
    }
}
