//! Prices that contradict each other: around three currencies, between venues, between two series.
//!
//! Whether there is something to gain is decided in integers, without rounding: floating point only
//! says where it is not worth looking. What is found depends on the updates alone, so that a day
//! run again finds the same.

mod cross;
mod pairs;
mod triangular;
mod wide;

pub use cross::{Crossing, CrossingKind, Venues};
pub use pairs::{PairsRule, PairsSignal, PairsTrade, Stance};
pub use triangular::{Direction, Leg, Opportunity, Pair, TriangleError, Triangles};

/// Parts of a million: the unit of fees.
pub const PPM: u32 = 1_000_000;

/// The best prices of a book, in ticks, and what stands there. A price of 0 is none.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Quote {
    /// The highest price that somebody pays.
    pub bid: u32,
    /// Units wanted there.
    pub bid_units: u32,
    /// The lowest price that somebody takes.
    pub ask: u32,
    /// Units offered there.
    pub ask_units: u32,
    /// When it became so, in the time of the feed.
    pub time_ns: u64,
}
