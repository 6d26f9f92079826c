//! Time that moves only when the simulation says so.

use std::cell::Cell;
use std::rc::Rc;

use nic::Clock;

/// A clock and its hand: copies show the same time.
#[derive(Clone, Debug)]
pub struct SimClock(Rc<Cell<u64>>);

impl SimClock {
    /// A clock that stands at `now_ns`.
    #[must_use]
    pub fn new(now_ns: u64) -> Self {
        Self(Rc::new(Cell::new(now_ns)))
    }

    /// Moves time on.
    pub fn advance(&self, by_ns: u64) {
        self.0.set(self.0.get().saturating_add(by_ns));
    }
}

impl Clock for SimClock {
    fn now_ns(&self) -> u64 {
        self.0.get()
    }
}
