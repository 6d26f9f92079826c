//! How long the calls of strategies take, and the parts of a decision.

/// A part of the way from what a market said to a fill, where a strategy tells them apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Hop {
    /// What is known becomes the numbers of a row.
    Features,
    /// A model is asked.
    Inference,
    /// Its answer becomes what is wanted.
    Signal,
    /// What is wanted passes what the strategy and the desk allow, and is an order.
    Validation,
    /// From the order's leaving the strategy to its first fill.
    Fill,
}

/// How many [`Hop`]s there are.
pub const HOPS: usize = Hop::Fill as usize + 1;

/// Tells how long calls of strategies took.
pub trait Stopwatch {
    /// A call begins.
    fn start(&mut self);
    /// How long it took, in ns; calls are numbered from 1.
    fn took_ns(&mut self, call: u64) -> u64;
    /// A part of the call is over: it began with the call, or where the part before ended.
    fn hop(&mut self, _hop: Hop) {}
    /// A part of the way took so long, in ns.
    fn hop_took(&mut self, _hop: Hop, _ns: u64) {}
}

/// No time passes in any call: for backtests.
#[derive(Clone, Copy, Debug, Default)]
pub struct Timeless;

impl Stopwatch for Timeless {
    fn start(&mut self) {}

    fn took_ns(&mut self, _call: u64) -> u64 {
        0
    }
}

/// A strategy that took longer than its budget.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Overrun {
    /// Number of the call, from 1, over all strategies.
    pub call: u64,
    /// How long it took, in ns.
    pub took_ns: u64,
}
