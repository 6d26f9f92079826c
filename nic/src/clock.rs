//! Time as every room counts it: nanoseconds since the Unix epoch, never going back.
//!
//! The processor's counter gives the intervals and the system clock says when it began. A
//! [`RealClock`] leaves it at that. A venue's clock is a [`SteeredClock`]: a [`Tracker`] compares
//! it with the system clock and lets it follow, slowly and without a jump.

mod drift;
mod source;
mod stamp;
mod steered;

pub use drift::{Drift, RED_LINE_NS, SLEW_PPM_MAX, Tracker};
pub use source::{RealSource, SystemState, TimeSource};
pub use stamp::{BeforeKick, FirstTouch, Hardware, KernelReceived, Point, Stamp};
pub use steered::{Correction, SteeredClock};

/// Where a tile gets its time from.
pub trait Clock {
    /// Nanoseconds since the Unix epoch; never less than what it gave before.
    fn now_ns(&self) -> u64;
}

/// Where the counter stood at which time.
#[derive(Clone, Copy, Debug)]
struct Start {
    counter_ns: u64,
    epoch_ns: u64,
}

impl Start {
    /// The time when the counter stands at `counter_ns`.
    fn time_ns(&self, counter_ns: u64) -> u64 {
        let passed_ns = counter_ns.saturating_sub(self.counter_ns);
        self.epoch_ns.saturating_add(passed_ns)
    }
}

/// The processor's time stamp counter, set against the system clock once at start.
///
/// It does not follow later corrections of the system clock: intervals stay true (about 20 ppm)
/// and time never jumps. Copies share the calibration. A read costs about 10 ns.
#[derive(Clone, Debug)]
pub struct RealClock {
    source: RealSource,
    start: Start,
}

impl RealClock {
    /// Calibrates the counter (up to 200 ms, the first time in a process); do it at start.
    pub fn new() -> RealClock {
        let source = RealSource::new();
        let start = source::sample(&source).start();
        RealClock { source, start }
    }
}

impl Default for RealClock {
    fn default() -> RealClock {
        RealClock::new()
    }
}

impl Clock for RealClock {
    fn now_ns(&self) -> u64 {
        self.start.time_ns(self.source.counter_ns())
    }
}
