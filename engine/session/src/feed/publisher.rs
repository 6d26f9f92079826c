//! The feed of orders: events in, ITCH 5.0 messages out.

use wire::mold::BLOCK_HEADER_BYTES;
use wire::ring::{Event, EventKind, MarketState};

use super::market;
use super::messages::{self, Head, MESSAGES_MAX};
use super::stream::{HISTORY_MIN, HistoryFull, MESSAGE_BYTES_MAX, PublisherConfig, Stream};
use crate::DAY_NS;

const _: () = assert!(MESSAGES_MAX * (BLOCK_HEADER_BYTES + MESSAGE_BYTES_MAX) < HISTORY_MIN);

/// What the feed remembers of a symbol.
#[derive(Clone, Copy)]
pub(super) struct Symbol {
    pub(super) name: [u8; 8],
    pub(super) state: MarketState,
}

/// Turns events into the messages of the feed.
pub struct Orders {
    /// By number.
    pub(super) symbols: Vec<Symbol>,
}

/// The feed's sender and its re-request server.
pub type Publisher = Stream<Orders>;

impl Stream<Orders> {
    /// Takes all memory.
    ///
    /// # Errors
    /// Names the field that is outside its limits.
    pub fn new(config: PublisherConfig) -> Result<Self, &'static str> {
        let unknown = Symbol {
            name: [b' '; 8],
            state: MarketState::Continuous,
        };
        let symbols = vec![unknown; usize::from(config.symbols) + 1];
        Self::of(Orders { symbols }, config)
    }

    /// The name of a symbol, blank before it was told.
    #[must_use]
    pub fn name(&self, symbol: u16) -> [u8; 8] {
        let known = self.source.symbols.get(usize::from(symbol));
        known.map_or([b' '; 8], |symbol| symbol.name)
    }

    /// Hands out what the feed said of its symbols, as messages that say it again: of the day's
    /// beginning, of each symbol and of its state.
    pub fn picture(&self, time_ns: u64, on: &mut dyn FnMut(&[u8])) {
        let timestamp = time_ns % DAY_NS;
        let mut out = [0; MESSAGE_BYTES_MAX];
        let mut tell = |written: messages::Written, out: &[u8]| {
            if let Ok(bytes) = written {
                on(&out[..bytes]);
            }
        };
        tell(messages::opening(timestamp, &mut out), &out);
        for (number, symbol) in (0..=u16::MAX).zip(&self.source.symbols) {
            if symbol.name == [b' '; 8] {
                continue;
            }
            let head = Head {
                stock: symbol.name,
                state: symbol.state,
                timestamp,
            };
            tell(messages::directory(number, &head, &mut out), &out);
            tell(market::action(number, &head, &mut out), &out);
        }
    }

    /// Takes an event of the engine, in order; `time_ns` is its input's.
    ///
    /// # Errors
    /// There is no room; nothing was changed.
    pub fn on_event(&mut self, event: &Event, time_ns: u64) -> Result<(), HistoryFull> {
        if !self.has_room(MESSAGES_MAX) {
            return Err(HistoryFull);
        }
        let Some(kind) = EventKind::from_byte(event.kind) else {
            return Ok(());
        };
        let timestamp = time_ns % DAY_NS;
        if self.sequence_next() == 1 {
            self.write(|out| Some(messages::opening(timestamp, out)));
        }
        for letter in messages::turns(kind) {
            self.write(|out| Some(messages::system(*letter, timestamp, out)));
        }
        let Some(symbol) = self.source.symbols.get_mut(usize::from(event.symbol)) else {
            self.counters.events_unknown += 1;
            return Ok(());
        };
        match kind {
            EventKind::SymbolDefined => symbol.name = event.related.to_le_bytes(),
            EventKind::StateChanged => {
                let state = u8::try_from(event.quantity).ok();
                symbol.state = state
                    .and_then(MarketState::from_byte)
                    .unwrap_or(symbol.state);
            }
            _ => {}
        }
        let head = Head {
            stock: symbol.name,
            state: symbol.state,
            timestamp,
        };
        self.write(|out| match kind {
            EventKind::SymbolDefined => Some(messages::directory(event.symbol, &head, out)),
            EventKind::StateChanged | EventKind::Indicative | EventKind::Uncrossed => {
                Some(market::message(event, kind, &head, out))
            }
            _ => messages::order(event, kind, &head, out),
        });
        Ok(())
    }
}
