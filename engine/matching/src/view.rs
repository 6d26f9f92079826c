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

    fn defined_books(&self) -> impl Iterator<Item = (u16, &Book)> {
        (0..=u16::MAX)
            .zip(self.books.books.iter())
            .filter(|(_, book)| book.is_defined())
    }

    /// A hash of all that can be observed between inputs: definitions, the day, counters, orders
    /// and their priority. Two engines that applied the same inputs agree, also with other limits
    /// as long as neither refused for want of room. O(symbols + sessions + orders).
    #[must_use]
    pub fn state_hash(&self) -> u64 {
        let mut hash = Hash(self.day as u64 | u64::from(self.kills.all) << 8);
        hash.add(self.orders_taken);
        hash.add(self.matches);
        let sessions = self.sessions.iter().zip(self.asked.iter());
        for (session, (state, asked)) in (0u64..).zip(sessions) {
            if state.defined != 0 {
                hash.add(session << 32 | u64::from(state.user_ref_last));
                let firm = u32::from_le_bytes(state.firm);
                hash.add(u64::from(firm) << 32 | u64::from(state.account));
                hash.add(u64::from(state.extra) << 8 | u64::from(state.mode));
                if state.extra != 0 {
                    asked.words().into_iter().for_each(|word| hash.add(word));
                }
            }
        }
        for (symbol, book) in self.defined_books() {
            hash.add(u64::from(symbol));
            hash.add(book.name);
            hash.add(u64::from(book.tick));
            hash.add(u64::from(book.flags) << 32 | u64::from(book.last));
            let market = self.market(symbol).words();
            market.into_iter().for_each(|word| hash.add(word));
            for side in [Side::Buy, Side::Sell] {
                self.orders(symbol, side, |order| hash.add_order(&order));
            }
        }
        hash.0
    }
}

/// Mixes words in their order, so that order is part of the result.
struct Hash(u64);

impl Hash {
    fn add(&mut self, word: u64) {
        let mixed = (self.0 ^ word).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        self.0 = (mixed ^ mixed >> 29).wrapping_add(0x9E37_79B9_7F4A_7C15);
    }

    fn add_order(&mut self, order: &RestingOrder) {
        self.add(order.order_ref);
        self.add(u64::from(order.session) << 32 | u64::from(order.user_ref));
        self.add(u64::from(order.quantity) << 32 | u64::from(order.executed));
        self.add(u64::from(order.tip) << 32 | u64::from(order.displayed));
        self.add(order.expiry_ns);
        let hidden = u64::from(order.is_hidden);
        self.add((order.price as u64) << 2 | hidden << 1 | order.side as u64);
    }
}
