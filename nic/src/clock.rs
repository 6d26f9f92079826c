//! Time as every room counts it: nanoseconds since the Unix epoch, never going back.

use std::time::{SystemTime, UNIX_EPOCH};

/// Where a tile gets its time from.
pub trait Clock {
    /// Nanoseconds since the Unix epoch; never less than what it gave before.
    fn now_ns(&self) -> u64;
}

/// The processor's time stamp counter, set against the system clock once at start.
///
/// It does not follow later corrections of the system clock: intervals stay true (about 20 ppm)
/// and time never jumps. Copies share the calibration. A read costs about 10 ns.
#[derive(Clone, Debug)]
pub struct RealClock {
    counter: quanta::Clock,
    counter_start: quanta::Instant,
    epoch_start_ns: u64,
}

impl RealClock {
    /// Calibrates the counter (up to 200 ms, the first time in a process); do it at start.
    pub fn new() -> RealClock {
        let counter = quanta::Clock::new();
        let (counter_start, epoch_start_ns) = Self::pair_tightest(&counter);
        RealClock {
            counter,
            counter_start,
            epoch_start_ns,
        }
    }

    /// Reads both clocks a few times and keeps the pair read closest together, so that being
    /// scheduled away between the two reads does not shift time.
    fn pair_tightest(counter: &quanta::Clock) -> (quanta::Instant, u64) {
        let mut best = (counter.now(), Self::system_ns());
        let mut best_ns = u128::MAX;
        for _ in 0..16 {
            let before = counter.now();
            let system_ns = Self::system_ns();
            let gap_ns = counter.now().saturating_duration_since(before).as_nanos();
            if gap_ns < best_ns {
                best_ns = gap_ns;
                best = (before, system_ns);
            }
        }
        best
    }

    /// A system clock set before 1970 counts as 1970.
    fn system_ns() -> u64 {
        SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .map_or(0, |d| d.as_nanos() as u64)
    }
}

impl Default for RealClock {
    fn default() -> RealClock {
        RealClock::new()
    }
}

impl Clock for RealClock {
    fn now_ns(&self) -> u64 {
        let passed = self
            .counter
            .now()
            .saturating_duration_since(self.counter_start);
        self.epoch_start_ns + passed.as_nanos() as u64
    }
}
