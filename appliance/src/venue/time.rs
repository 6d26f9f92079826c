//! The venue's time: one looks at the system clock and tells all threads how to follow it.
//!
//! What the tracker decides crosses to the tiles in two counters that only grow, one for each
//! direction: a look changes one of them, so a reader between the two is at most a look behind.

use nic::{Correction, Drift, RealSource, SteeredClock, Tracker};
use queue::{Counter, CounterSet, Error, Watch};

/// Looks between two questions to the system about its own clock: about a second.
const LOOKS_A_QUESTION: u32 = 500;

/// The correction as the tiles' threads read it.
#[derive(Clone, Debug)]
pub(super) struct Corrected {
    forward: Watch,
    back: Watch,
}

impl Correction for Corrected {
    fn correction_ns(&self) -> i64 {
        (self.forward.get() as i64).wrapping_sub(self.back.get() as i64)
    }
}

/// Looks, and tells what it saw.
pub(super) struct Timekeeper {
    tracker: Tracker<RealSource>,
    looks: u32,
    forward: Counter,
    back: Counter,
    divergence_ns: Counter,
    divergence_ns_max: Counter,
    over_line: Counter,
    steps: Counter,
    unsound: Counter,
    system_error_ns: Counter,
    system_unsynchronised: Counter,
}

impl Timekeeper {
    pub(super) fn new(tracker: Tracker<RealSource>, set: &mut CounterSet) -> Result<Self, Error> {
        set.counter("clock.granularity_ns")?
            .set(tracker.granularity_ns());
        Ok(Self {
            tracker,
            looks: 0,
            forward: set.counter("clock.forward_ns")?,
            back: set.counter("clock.back_ns")?,
            divergence_ns: set.counter("clock.divergence_ns")?,
            divergence_ns_max: set.counter("clock.divergence_ns_max")?,
            over_line: set.counter("clock.over_line")?,
            steps: set.counter("clock.steps")?,
            unsound: set.counter("clock.unsound")?,
            system_error_ns: set.counter("clock.system_error_ns")?,
            system_unsynchronised: set.counter("clock.system_unsynchronised")?,
        })
    }

    /// The clock of every thread; each takes a copy.
    pub(super) fn clock(&self) -> SteeredClock<RealSource, Corrected> {
        self.tracker.clock(Corrected {
            forward: self.forward.watch(),
            back: self.back.watch(),
        })
    }

    /// One look; every few milliseconds.
    pub(super) fn look(&mut self) {
        let drift = self.tracker.look();
        self.tell(&drift);
        if self.looks.is_multiple_of(LOOKS_A_QUESTION)
            && let Some(state) = self.tracker.system_state()
        {
            self.system_error_ns.set(state.error_ns_max);
            let is_unsynchronised = u64::from(state.is_unsynchronised);
            self.system_unsynchronised.set(is_unsynchronised);
        }
        self.looks = self.looks.wrapping_add(1);
    }

    fn tell(&mut self, drift: &Drift) {
        self.forward.set(drift.forward_ns);
        self.back.set(drift.back_ns);
        self.divergence_ns.set(drift.divergence_ns.unsigned_abs());
        self.divergence_ns_max.set(drift.divergence_ns_max);
        self.over_line.set(u64::from(drift.is_over_line()));
        self.steps.set(drift.steps);
        self.unsound.set(drift.unsound);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tiles::{COUNTERS, HISTOGRAMS};
    use nic::Clock;

    #[test]
    fn what_the_tracker_decides_reaches_the_clocks_and_the_gauges() {
        let mut set = CounterSet::anonymous(COUNTERS, HISTOGRAMS).unwrap();
        let tracker = Tracker::new(RealSource::new());
        let mut time = Timekeeper::new(tracker, &mut set).unwrap();
        let clock = time.clock();
        let read = |name: &str| set.watch(name).unwrap().get();
        let drift = Drift {
            divergence_ns: -3_600_000_000_000,
            divergence_ns_max: 3_600_000_000_000,
            steps: 1,
            forward_ns: 3_600_000_000_000,
            ..Drift::default()
        };
        let before_ns = clock.now_ns();
        time.tell(&drift);
        assert!(clock.now_ns() - before_ns >= drift.forward_ns);
        assert_eq!(read("clock.divergence_ns"), drift.divergence_ns_max);
        assert_eq!((read("clock.over_line"), read("clock.steps")), (1, 1));
        time.look();
        assert_eq!((read("clock.over_line"), read("clock.steps")), (0, 0));
        // Time that was given is not taken back.
        assert!(clock.now_ns() - before_ns >= drift.forward_ns);
        assert!(read("clock.granularity_ns") > 0);
    }
}
