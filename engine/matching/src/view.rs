//! Looking at the engine's state between inputs.

use wire::ring::{Condition, Side, TimeInForce};

use crate::Engine;
use crate::books::{Book, limit, rank};
use crate::parked::Wait;
use crate::parts::Part;
use crate::slab::NONE;

/// A live order, as [`Engine::orders`] and [`Engine::parked`] show it.
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
    /// Its limit, in 1/10,000, or the market price; a peg's present price, 0 for none.
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
    /// Whether it trades whole or not at all.
    pub is_whole: bool,
    /// How long it lives: at the open or at the close if it is only for that auction.
    pub life: TimeInForce,
    /// What it waits for or follows.
    pub condition: Condition,
    /// Trigger, distance or offset of that.
    pub amount: i32,
    /// The limit of a peg, or the market price for none; 0 for other orders.
    pub cap: i64,
    /// The price that a trailing stop's trigger keeps its distance from, 0 for none yet.
    pub mark: i64,
}

impl Engine<'_> {
    /// Number of live orders, on books and parked.
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
                show(self.resting(handle, limit(price)));
                handle = self.slab.orders[handle as usize].next;
            }
        });
    }

    /// Shows a symbol's parked orders by number.
    pub fn parked(&self, symbol: u16, mut show: impl FnMut(RestingOrder)) {
        self.for_parked(symbol, |handle| {
            show(self.resting(handle, self.price_of(handle)))
        });
    }

    pub(crate) fn for_parked(&self, symbol: u16, mut show: impl FnMut(u32)) {
        let watch = self.watches.get(usize::from(symbol));
        let mut handle = watch.map_or(NONE, |watch| watch.parked.head);
        while handle != NONE {
            show(handle);
            handle = self.slab.orders[handle as usize].next;
        }
    }

    fn resting(&self, handle: u32, price: u32) -> RestingOrder {
        let order = &self.slab.orders[handle as usize];
        let who = order.identity();
        let part = self.slab.part_of(handle);
        let wait = part.map_or(Wait::NONE, Part::wait);
        RestingOrder {
            order_ref: who.order_ref,
            symbol: who.symbol(),
            session: who.session(),
            user_ref: who.user_ref,
            side: who.side(),
            price: i64::from(price),
            quantity: order.open(),
            executed: self.slab.executed(order),
            tip: self.tip(handle),
            displayed: part.map_or(0, |part| part.displayed),
            expiry_ns: part.map_or(0, |part| part.expiry_ns),
            is_hidden: who.is_hidden(),
            is_whole: wait.is_whole,
            life: TimeInForce::from_byte(wait.life).unwrap_or(TimeInForce::Day),
            condition: Condition::from_byte(wait.condition).unwrap_or(Condition::None),
            amount: wait.amount,
            cap: if wait.is_peg() { wait.cap.into() } else { 0 },
            mark: part.map_or(0, |part| part.mark.into()),
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
