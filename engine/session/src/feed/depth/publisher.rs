//! The depth as a stream of packets.

use wire::depth::fields::{Directory, Level, Top};
use wire::ring::{Event, EventKind, Side};

use super::super::messages::{Written, price4};
use super::super::stream::{HistoryFull, PublisherConfig, Stream};
use super::{Change, Depth};
use crate::DAY_NS;

/// The depth's sender and its re-request server.
pub type DepthPublisher = Stream<Depth>;

impl Stream<Depth> {
    /// Takes all memory but what sides with very many levels will need; `orders_max` orders may
    /// rest at a time.
    ///
    /// # Errors
    /// Names the field that is outside its limits.
    pub fn new(config: PublisherConfig, orders_max: usize) -> Result<Self, &'static str> {
        Self::of(Depth::new(config.symbols, orders_max), config)
    }

    /// Takes an event of the engine, in order; `time_ns` is its input's. The messages of an input
    /// are written behind its last event.
    ///
    /// # Errors
    /// There is no room; nothing was changed.
    pub fn on_event(&mut self, event: &Event, time_ns: u64) -> Result<(), HistoryFull> {
        if !self.is_ready() {
            return Err(HistoryFull);
        }
        if let Some(kind) = EventKind::from_byte(event.kind) {
            self.source.timestamp = time_ns % DAY_NS;
            if kind == EventKind::SymbolDefined {
                self.directory(event);
            } else if !self.source.take(event, kind) {
                self.counters.events_unknown += 1;
            }
        }
        if event.has(Event::LAST) {
            self.source.is_ended = true;
            self.tell();
        }
        Ok(())
    }

    /// Whether it takes an event now.
    pub fn is_ready(&mut self) -> bool {
        self.tell() && self.has_room(1)
    }

    /// Writes what the history had no room for, as far as it has room now; whether all is written.
    pub fn tell(&mut self) -> bool {
        while self.source.is_ended {
            if !self.has_room(1) {
                return false;
            }
            let timestamp = self.source.timestamp;
            match self.source.change_next() {
                Some(change) => self.write(|out| Some(message(&change, timestamp, out))),
                None => self.source.is_ended = false,
            }
        }
        true
    }

    fn directory(&mut self, event: &Event) {
        let entry = Directory {
            stock_locate: event.symbol,
            timestamp: self.source.timestamp,
            stock: event.related.to_le_bytes(),
        };
        self.write(|out| Some(entry.encode(out)));
    }
}

fn message(change: &Change, timestamp: u64, out: &mut [u8]) -> Written {
    match *change {
        Change::Level(stock_locate, side, price, shown) => Level {
            stock_locate,
            timestamp,
            side: if side == Side::Buy { b'B' } else { b'S' },
            price: price4(price),
            units: shown.units,
            orders: shown.orders,
        }
        .encode(out),
        Change::Top(stock_locate, [bid, offer]) => Top {
            stock_locate,
            timestamp,
            bid_price: price4(bid.0),
            bid_units: bid.1,
            offer_price: price4(offer.0),
            offer_units: offer.1,
        }
        .encode(out),
    }
}
