//! What a feed is beside its messages, as bytes, and back.

use wire::ring::MarketState;

use super::publisher::{Orders, Publisher};
use super::stream::Stream;
use crate::state::{Reader, StateError, list};

impl Stream<Orders> {
    /// Writes what the messages to come depend on.
    pub fn state(&self, out: &mut Vec<u8>) {
        let symbols = self.source.symbols.iter();
        list(out, symbols, |out, symbol| {
            out.extend(symbol.name);
            out.extend([symbol.state as u8]);
        });
    }

    /// Takes the state from bytes, before anything else was done but [`Stream::begin`].
    ///
    /// # Errors
    /// The bytes are no state, or one with another number of symbols.
    pub fn restore(&mut self, bytes: &[u8]) -> Result<(), StateError> {
        let publisher: &mut Publisher = self;
        let mut from = Reader::new(bytes);
        let mut symbols = publisher.source.symbols.iter_mut();
        from.list("symbols", |from| {
            let name = from.take("symbol.name")?;
            let state = MarketState::from_byte(from.byte("symbol.state")?);
            match (symbols.next(), state) {
                (Some(symbol), Some(state)) => {
                    (symbol.name, symbol.state) = (name, state);
                    Ok(())
                }
                _ => from.require("symbol", false),
            }
        })?;
        from.require("symbols", symbols.next().is_none())?;
        from.end()
    }
}
