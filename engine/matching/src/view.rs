//! Looking at the engine's state between inputs.

use wire::ring::Side;

use crate::Engine;
use crate::books::{Book, limit, rank};
use crate::slab::NONE;

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
    /// Open units that it does not hold back: aggressors meet them before it loses its priority.
    pub tip: u32,
    /// Units of a fresh tip, 0 if it holds none back.
    pub displayed: u32,
    /// When it leaves the book, in nanoseconds since the Unix epoch, 0 for never.
    pub expiry_ns: u64,
    /// Whether it is not shown.
    pub is_hidden: bool,
}

impl Engine<'_> {
    /// Number of orders on all books.
    #[must_use]
    pub fn live_orders(&self) -> u32 {
        self.slab.live()
    }

    /// Best price of one side of a symbol's book and the open units there. O(1).
    #[must_use]
    pub fn best(&self, symbol: u16, side: Side) -> Option<(i64, u64)> {
        let book = self
            .books
            .books
            .get(usize::from(symbol))
            .filter(|book| book.is_defined())?;
        let (level, price) = book.best(side)?;
        Some((
            i64::from(limit(price)),
            self.books.levels[level as usize].quantity,
        ))
    }

    /// Best price of one side of a symbol's book at which something is shown, and the units shown
    /// there. O(levels that show nothing).
    #[must_use]
    pub fn best_shown(&self, symbol: u16, side: Side) -> Option<(i64, u64)> {
        let book = self.books.books.get(usize::from(symbol))?;
        let mut walk = book.walk(side);
        while let Some((level, best)) = self.books.walk_on(book, &mut walk) {
            if self.books.shown(level) > 0 {
                return Some((i64::from(limit(rank(side, best))), self.books.shown(level)));
            }
        }
        None
    }

    /// Shows the orders on one side of a symbol's book, best price first, then the oldest.
    pub fn orders(&self, symbol: u16, side: Side, mut show: impl FnMut(RestingOrder)) {
        self.books.for_levels(symbol, side, |level, price| {
            let mut handle = level.head;
            while handle != NONE {
                show(self.resting(handle, price));
                handle = self.slab.orders[handle as usize].next;
            }
        });
    }

    fn resting(&self, handle: u32, price: u32) -> RestingOrder {
        let order = &self.slab.orders[handle as usize];
        let who = order.identity();
        let part = self.slab.part_of(handle);
        RestingOrder {
            order_ref: who.order_ref,
            symbol: who.symbol(),
            session: who.session(),
            user_ref: who.user_ref,
            side: who.side(),
            price: i64::from(limit(price)),
            quantity: order.open(),
            executed: self.slab.executed(order),
            tip: self.tip(handle),
            displayed: part.map_or(0, |part| part.displayed),
            expiry_ns: part.map_or(0, |part| part.expiry_ns),
            is_hidden: who.is_hidden(),
        }
    }

    /// Numbers of the defined symbols, ascending.
    pub fn symbols(&self) -> impl Iterator<Item = u16> + '_ {
        self.defined_books().map(|(symbol, _)| symbol)
    }

    pub(crate) fn defined_books(&self) -> impl Iterator<Item = (u16, &Book)> {
        (0..=u16::MAX)
            .zip(self.books.books.iter())
            .filter(|(_, book)| book.is_defined())
    }
}
