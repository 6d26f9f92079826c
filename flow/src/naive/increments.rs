//! The increments of `docs/matching.md` as bits of a set: what an engine offers.

/// Tick, minimum quantity, post-only, hidden.
pub const BASIC: u16 = 1 << 0;
/// Icebergs.
pub const ICEBERG: u16 = 1 << 1;
/// Expiry.
pub const EXPIRY: u16 = 1 << 2;
/// Self-trade prevention.
pub const SELF_TRADE: u16 = 1 << 3;
/// Stops and trailing stops.
pub const STOPS: u16 = 1 << 4;
/// Market-to-limit and all-or-none.
pub const WHOLE: u16 = 1 << 5;
/// Pegs.
pub const PEGS: u16 = 1 << 6;
/// Market states and auctions.
pub const STATES: u16 = 1 << 7;
/// Price bands.
pub const BANDS: u16 = 1 << 8;
/// Allocation.
pub const ALLOCATION: u16 = 1 << 9;
/// Pre-trade risk.
pub const RISK: u16 = 1 << 10;
/// Kill switch and mass cancel.
pub const KILL: u16 = 1 << 11;
/// Trades that are taken back.
pub const BUST: u16 = 1 << 12;
/// Several accounts of a user.
pub const MANDATES: u16 = 1 << 13;

/// What the engine offers, and [`Naive::new`](super::Naive::new) with it.
pub const OFFERED: u16 = first(14);

/// What the reference model knows.
pub const KNOWN: u16 = first(14);

const _: () = assert!(OFFERED & !KNOWN == 0, "only what both know is offered");

/// The first so many increments.
#[must_use]
pub const fn first(count: u8) -> u16 {
    (1 << count) - 1
}
