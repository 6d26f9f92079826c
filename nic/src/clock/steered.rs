//! The clock of a venue's threads: the counter, and a correction that one tracker decides for all.

use std::cell::Cell;

use super::{Clock, Start, TimeSource};

/// What the tracker decided, as other threads see it. The tracker changes it by less than a clock
/// advances between two looks of the tracker.
pub trait Correction {
    /// Nanoseconds to add to the counter's time.
    fn correction_ns(&self) -> i64;
}

/// Time that follows the system clock without jumping. Each thread has its own copy; they agree
/// but for what a change of the correction takes to arrive.
#[derive(Clone, Debug)]
pub struct SteeredClock<S, C> {
    source: S,
    start: Start,
    correction: C,
    /// The last time given: a correction backwards must not be seen as one.
    last_ns: Cell<u64>,
}

impl<S: TimeSource, C: Correction> SteeredClock<S, C> {
    pub(super) fn new(source: S, start: Start, correction: C) -> Self {
        SteeredClock {
            source,
            start,
            correction,
            last_ns: Cell::new(0),
        }
    }
}

impl<S: TimeSource, C: Correction> Clock for SteeredClock<S, C> {
    fn now_ns(&self) -> u64 {
        let counted_ns = self.start.time_ns(self.source.counter_ns());
        let steered_ns = counted_ns.saturating_add_signed(self.correction.correction_ns());
        let time_ns = steered_ns.max(self.last_ns.get());
        self.last_ns.set(time_ns);
        time_ns
    }
}
