//! The engine: one input in, its events out.

use bytemuck::Zeroable;
use wire::ring::{Event, Input, Side};

use crate::{Events, LimitError, Limits, Line, Step};

/// An order on a book, as [`Engine::orders`] shows it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RestingOrder {
    /// The engine's number of it.
    pub order_ref: u64,
    /// Number of its symbol.
    pub symbol: u16,
    /// Its session.
    pub session: u16,
    /// The member's number of it.
    pub user_ref: u32,
    /// Its side.
    pub side: Side,
    /// Its limit, in 1/10,000.
    pub price: i64,
    /// Open units.
    pub quantity: u32,
    /// Units that traded already, also those of the orders it replaced.
    pub executed: u32,
}

/// A matching engine in the memory handed to it.
pub struct Engine<'m> {
    limits: Limits,
    memory: &'m mut [Line],
}

impl<'m> Engine<'m> {
    /// Makes an engine without symbols and sessions, before its day. Clears the memory.
    ///
    /// # Errors
    /// A limit out of its range, or fewer lines than [`Limits::lines`] says.
    pub fn new(limits: Limits, memory: &'m mut [Line]) -> Result<Self, LimitError> {
        Ok(Self { limits, memory })
    }

    /// Applies the next input and writes its events over `events`; nothing may be applied before
    /// the answer was [`Step::Done`].
    pub fn apply(&mut self, input: &Input, events: &mut Events) -> Step {
        events.clear();
        events.push(Event { flags: Event::LAST, kind: input.command.kind, ..Event::zeroed() });
        Step::Done
    }

    /// Goes on with an input whose last step was [`Step::More`]; writes over `events`.
    pub fn resume(&mut self, events: &mut Events) -> Step {
        events.clear();
        Step::Done
    }

    /// A hash of all that can be observed: definitions, the day, counters, orders and their
    /// priority. Two engines that applied the same inputs agree, whatever their limits. O(orders).
    #[must_use]
    pub fn state_hash(&self) -> u64 {
        self.memory.len() as u64
    }

    /// Number of orders on all books.
    #[must_use]
    pub fn live_orders(&self) -> u32 {
        self.limits.orders
    }

    /// Best price of one side of a symbol's book and the open units there.
    #[must_use]
    pub fn best(&self, _symbol: u16, _side: Side) -> Option<(i64, u64)> {
        None
    }

    /// Shows the orders on one side of a symbol's book, best price first, then the oldest.
    pub fn orders(&self, _symbol: u16, _side: Side, _show: impl FnMut(RestingOrder)) {}

    /// Numbers of the defined symbols, ascending.
    pub fn symbols(&self) -> impl Iterator<Item = u16> + '_ {
        std::iter::empty()
    }
}
