//! The depth: events in, levels and tops of books out.
//!
//! What an event takes off a level follows from what its order showed, so every shown order is
//! remembered. An event of an order that is not remembered was about a hidden or a parked one.

mod ladder;
mod orders;
mod publisher;
mod state;

pub use publisher::DepthPublisher;

use wire::ring::{Event, EventKind, PRICE_MARKET, Side};

use ladder::Ladder;
use orders::{Orders, Shown};

/// Levels and symbols that one input may touch before their lists take more memory.
const LISTED: usize = 1_024;

/// Best price and units there, of buys and of sells.
type Best = [(i64, u64); 2];

/// Something that is to be told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Change {
    /// What stands at a price.
    Level(u16, Side, i64, ladder::Units),
    /// What stands at the best prices.
    Top(u16, Best),
}

/// A symbol's book.
struct Book {
    sides: [Ladder; 2],
    told: Best,
    is_listed: bool,
}

/// The shown part of all books.
pub struct Depth {
    orders: Orders,
    /// By symbol.
    books: Vec<Book>,
    /// Levels that this input touched, and how many of them were looked at since it ended.
    levels: Vec<(u16, Side, i64)>,
    levels_seen: usize,
    /// Symbols of levels that were told, and how many of them were looked at.
    tops: Vec<u16>,
    tops_seen: usize,
    /// When the input was that is being told.
    timestamp: u64,
    /// Its last event came, and not all of it was told.
    is_ended: bool,
}

impl Depth {
    fn new(symbols: u16, orders_max: usize) -> Self {
        let book = || Book {
            sides: [Side::Buy, Side::Sell].map(Ladder::new),
            told: Best::default(),
            is_listed: false,
        };
        Self {
            orders: Orders::new(orders_max),
            books: (0..=symbols).map(|_| book()).collect(),
            levels: Vec::with_capacity(LISTED),
            levels_seen: 0,
            tops: Vec::with_capacity(LISTED),
            tops_seen: 0,
            timestamp: 0,
            is_ended: false,
        }
    }

    /// Takes an event; `false` when it could not: its symbol is not in the table, or there are
    /// more orders than there can be.
    fn take(&mut self, event: &Event, kind: EventKind) -> bool {
        let is_shown = event.has(Event::BOOKED) && !event.has(Event::HIDDEN);
        match kind {
            EventKind::Replaced => {
                self.reduce(event.related, u32::MAX);
                !is_shown || self.add(event)
            }
            EventKind::Accepted
            | EventKind::Booked
            | EventKind::Refreshed
            | EventKind::Triggered
            | EventKind::Repriced
                if is_shown =>
            {
                self.add(event)
            }
            EventKind::Executed if event.has(Event::MAKER) => {
                self.reduce(event.order_ref, event.quantity);
                true
            }
            EventKind::Reduced => {
                let held_back = u32::try_from(event.related).unwrap_or(u32::MAX);
                self.reduce(event.order_ref, event.quantity.saturating_sub(held_back));
                true
            }
            EventKind::Canceled => {
                self.reduce(event.order_ref, u32::MAX);
                true
            }
            _ => true,
        }
    }

    fn add(&mut self, event: &Event) -> bool {
        let Some(side) = Side::from_byte(event.side) else {
            return false;
        };
        let market = event.price == PRICE_MARKET && side == Side::Sell;
        let price = if market { 0 } else { event.price };
        let shown = Shown {
            symbol: event.symbol,
            side,
            price,
            units: event.quantity,
        };
        self.put(event.order_ref, shown)
    }

    /// Puts a shown order on its book.
    fn put(&mut self, order_ref: u64, shown: Shown) -> bool {
        let Shown {
            symbol,
            side,
            price,
            units,
        } = shown;
        let Some(book) = self.books.get_mut(usize::from(symbol)) else {
            return false;
        };
        if units == 0 || !self.orders.insert(order_ref, shown) {
            return false;
        }
        if book.sides[side as usize].add(price, units) {
            self.levels.push((symbol, side, price));
        }
        true
    }

    fn reduce(&mut self, order_ref: u64, units: u32) {
        let Some(shown) = self.orders.reduce(order_ref, units).filter(|_| units > 0) else {
            return;
        };
        let Shown {
            symbol,
            side,
            price,
            units: before,
        } = shown;
        let units = units.min(before);
        let ladder = &mut self.books[usize::from(symbol)].sides[side as usize];
        if ladder.take(price, units, units == before) {
            self.levels.push((symbol, side, price));
        }
    }

    /// The next thing to be told of the input that ended.
    fn change_next(&mut self) -> Option<Change> {
        while let Some(&(symbol, side, price)) = self.levels.get(self.levels_seen) {
            self.levels_seen += 1;
            let book = &mut self.books[usize::from(symbol)];
            if let Some(units) = book.sides[side as usize].look(price) {
                if !core::mem::replace(&mut book.is_listed, true) {
                    self.tops.push(symbol);
                }
                return Some(Change::Level(symbol, side, price, units));
            }
        }
        while let Some(&symbol) = self.tops.get(self.tops_seen) {
            self.tops_seen += 1;
            let book = &mut self.books[usize::from(symbol)];
            book.is_listed = false;
            let [bids, offers] = &book.sides;
            let best = [bids.best(), offers.best()];
            if core::mem::replace(&mut book.told, best) != best {
                return Some(Change::Top(symbol, best));
            }
        }
        self.levels.clear();
        self.tops.clear();
        (self.levels_seen, self.tops_seen) = (0, 0);
        None
    }
}
