//! How far a venue's time is from the system clock, and how it follows.
//!
//! The rule is one: time follows at no more than [`SLEW_PPM_MAX`], whatever the system clock does.
//! A clock that drifts is followed within a microsecond. A clock that is set (`settimeofday`,
//! `adjtimex`) is followed as slowly: orders must not expire because somebody mistyped a year, and
//! input times must not stand still because somebody corrected a minute. Until the distance is
//! gone it is shown, and the red line with it; who wants it gone at once starts the venue again.

use super::Start;
use super::source::{Sample, SystemState, TimeSource, sample};
use super::steered::{Correction, SteeredClock};

/// Distance from the system clock that must not be exceeded: 100 us, the divergence that MiFID II
/// RTS 25 (table 2) allows a venue whose gateway-to-gateway latency is 1 ms or less.
pub const RED_LINE_NS: u64 = 100_000;
/// The granularity that the same table demands: 1 us.
const GRANULARITY_LINE_NS: u64 = 1_000;
/// How fast time may run ahead of the counter or behind it, in parts per million: what the kernel
/// allows itself, so intervals stay true to 0.05 %.
pub const SLEW_PPM_MAX: u64 = 500;
/// One look changes the correction by what this long allows, however long ago the last one was.
const LOOK_NS_MAX: u64 = 10_000_000;
/// Readings further apart than this say nothing: the thread was interrupted between them.
const GAP_NS_MAX: u64 = 2_000;
/// Part of the distance that one look takes away: noise of readings is damped, and a drift of 20
/// parts per million, looked at every 2 ms, leaves 160 ns.
const GAIN: i64 = 4;
/// The system clock was set if it left the counter by more than this between two looks, and by
/// more than any oscillator or discipline would.
const STEP_NS_MIN: u64 = 10_000;
const STEP_PPM_MIN: u64 = 1_000;

const _: () = assert!(STEP_PPM_MIN >= 2 * SLEW_PPM_MAX);
const _: () = assert!(GAP_NS_MAX < STEP_NS_MIN && STEP_NS_MIN < RED_LINE_NS);

const MILLION: u64 = 1_000_000;

/// What is known of the distance between a venue's time and the system clock.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Drift {
    /// Our time minus the system clock's at the last look.
    pub divergence_ns: i64,
    /// The greatest distance since the start, either way.
    pub divergence_ns_max: u64,
    /// Times that the system clock was set.
    pub steps: u64,
    /// By how much, the last time: forward is positive.
    pub step_last_ns: i64,
    /// Looks that said nothing because the readings were too far apart.
    pub unsound: u64,
    /// All corrections forward, and all backward.
    pub forward_ns: u64,
    /// See `forward_ns`.
    pub back_ns: u64,
}

impl Drift {
    /// Whether the red line is crossed now.
    #[must_use]
    pub fn is_over_line(&self) -> bool {
        self.divergence_ns.unsigned_abs() > RED_LINE_NS
    }

    /// The correction so far.
    #[must_use]
    pub fn correction_ns(&self) -> i64 {
        (self.forward_ns as i64).wrapping_sub(self.back_ns as i64)
    }
}

/// Looks at both clocks from time to time and decides the correction. One for a venue.
#[derive(Debug)]
pub struct Tracker<S> {
    source: S,
    start: Start,
    last: Sample,
    drift: Drift,
    granularity_ns: u64,
}

impl<S: TimeSource + Clone> Tracker<S> {
    /// Begins with our time equal to the system clock's.
    pub fn new(source: S) -> Self {
        let last = sample(&source);
        let granularity_ns = granularity_ns(&source);
        Tracker {
            source,
            start: last.start(),
            last,
            drift: Drift::default(),
            granularity_ns,
        }
    }

    /// A clock for another thread, which reads the correction through `correction`.
    pub fn clock<C: Correction>(&self, correction: C) -> SteeredClock<S, C> {
        SteeredClock::new(self.source.clone(), self.start, correction)
    }

    /// Looks once; every few milliseconds is enough.
    pub fn look(&mut self) -> Drift {
        let now = sample(&self.source);
        if now.gap_ns > GAP_NS_MAX {
            self.drift.unsound += 1;
            return self.drift;
        }
        let elapsed_ns = now.counter_ns.saturating_sub(self.last.counter_ns);
        self.step_count(&now, elapsed_ns);
        let counted_ns = self.start.time_ns(now.counter_ns);
        let ours_ns = counted_ns.saturating_add_signed(self.drift.correction_ns());
        let divergence_ns = difference(ours_ns, now.system_ns);
        let slew_ns = (elapsed_ns.min(LOOK_NS_MAX) * SLEW_PPM_MAX / MILLION) as i64;
        let change_ns = (-divergence_ns / GAIN).clamp(-slew_ns, slew_ns);
        self.last = now;
        let drift = &mut self.drift;
        match change_ns >= 0 {
            true => drift.forward_ns += change_ns.unsigned_abs(),
            false => drift.back_ns += change_ns.unsigned_abs(),
        }
        drift.divergence_ns = divergence_ns;
        drift.divergence_ns_max = drift.divergence_ns_max.max(divergence_ns.unsigned_abs());
        self.drift
    }

    /// Notes it if the system clock was set since the last look.
    fn step_count(&mut self, now: &Sample, elapsed_ns: u64) {
        let expected_ns = self.last.system_ns.saturating_add(elapsed_ns);
        let step_ns = difference(now.system_ns, expected_ns);
        let drifted_ns_max = (elapsed_ns / MILLION).saturating_mul(STEP_PPM_MIN);
        if step_ns.unsigned_abs() > STEP_NS_MIN.saturating_add(drifted_ns_max) {
            self.drift.steps += 1;
            self.drift.step_last_ns = step_ns;
        }
    }

    /// The two clocks it compares.
    pub fn source(&self) -> &S {
        &self.source
    }

    /// What the system says of its own clock; a system call.
    pub fn system_state(&self) -> Option<SystemState> {
        self.source.system_state()
    }

    /// The smallest step of time, as found at start.
    pub fn granularity_ns(&self) -> u64 {
        self.granularity_ns
    }

    /// Whether that is as fine as the rule demands.
    pub fn is_fine(&self) -> bool {
        self.granularity_ns <= GRANULARITY_LINE_NS
    }
}

/// The smallest advance between two readings among many.
fn granularity_ns(source: &impl TimeSource) -> u64 {
    let mut last_ns = source.counter_ns();
    let mut least_ns = u64::MAX;
    for _ in 0..256 {
        let now_ns = source.counter_ns();
        if now_ns > last_ns {
            least_ns = least_ns.min(now_ns - last_ns);
        }
        last_ns = now_ns;
    }
    least_ns
}

/// `left - right`, bounded.
fn difference(left: u64, right: u64) -> i64 {
    let wide = i128::from(left) - i128::from(right);
    wide.clamp(i128::from(-i64::MAX), i128::from(i64::MAX)) as i64
}
