//! Our engine, through the safe face of the crate behind the C interface.

use wire::ring::Side;
use wirecross_capi::{Book, BookLimits, Message, Report};

use super::{Room, Venue};
use crate::BenchError;

/// Groups of 64 prices: more than the window of the regimes has, twice.
const PRICE_GROUPS: u32 = 4_096;

/// Our engine.
pub struct Ours(Book);

impl Venue for Ours {
    const NAME: &'static str = "ours";

    fn open(room: Room) -> Result<Self, BenchError> {
        let limits = BookLimits {
            orders: room.orders,
            price_groups: PRICE_GROUPS,
        };
        let book = Book::new(limits).map_err(|error| BenchError::failed("our book", error))?;
        Ok(Self(book))
    }

    #[inline]
    fn apply(&mut self, message: &Message, on: impl FnMut(&Report)) {
        self.0.apply(message, on);
    }

    fn apply_all(&mut self, messages: &[Message], on: impl FnMut(&Report)) {
        self.0.apply_all(messages, on);
    }

    fn levels(&self, side: Side) -> Vec<(i64, u64)> {
        let depth = self.0.depth(side);
        depth
            .iter()
            .map(|level| (level.price, level.quantity))
            .collect()
    }
}
