//! The two clocks of a machine: a counter that runs evenly, and the system's idea of the time.

use std::time::{SystemTime, UNIX_EPOCH};

use super::Start;

/// Pairs of readings taken for one sample; the tightest counts.
const PAIRS: usize = 8;

/// What time is made from.
pub trait TimeSource {
    /// Nanoseconds of a counter that never goes back and that nobody sets.
    fn counter_ns(&self) -> u64;

    /// Nanoseconds since the Unix epoch as the system believes now; may go back.
    fn system_ns(&self) -> u64;

    /// What the system says of its own clock; `None` if it says nothing.
    fn system_state(&self) -> Option<SystemState> {
        None
    }
}

/// What the system says of its own clock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SystemState {
    /// Nobody disciplines it: its distance to the true time is unknown.
    pub is_unsynchronised: bool,
    /// How far it may be from the true time, by its own account.
    pub error_ns_max: u64,
}

/// The time stamp counter, scaled by quanta, and `CLOCK_REALTIME`.
#[derive(Clone, Debug)]
pub struct RealSource {
    counter: quanta::Clock,
    start: quanta::Instant,
}

impl RealSource {
    /// Calibrates the counter (up to 200 ms, the first time in a process); do it at start.
    pub fn new() -> RealSource {
        let counter = quanta::Clock::new();
        let start = counter.now();
        RealSource { counter, start }
    }
}

impl Default for RealSource {
    fn default() -> RealSource {
        RealSource::new()
    }
}

impl TimeSource for RealSource {
    fn counter_ns(&self) -> u64 {
        let passed = self.counter.now().saturating_duration_since(self.start);
        passed.as_nanos() as u64
    }

    /// A system clock set before 1970 counts as 1970.
    fn system_ns(&self) -> u64 {
        SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .map_or(0, |d| d.as_nanos() as u64)
    }

    fn system_state(&self) -> Option<SystemState> {
        // SAFETY: a structure of integers, for which zero is a value; it asks and sets nothing.
        let mut state: libc::timex = unsafe { std::mem::zeroed() };
        // SAFETY: the structure is writable.
        let answer = unsafe { libc::adjtimex(&mut state) };
        (answer >= 0).then(|| SystemState {
            is_unsynchronised: state.status & libc::STA_UNSYNC != 0,
            error_ns_max: u64::try_from(state.maxerror).unwrap_or(0) * 1_000,
        })
    }
}

/// Both clocks, read as closely together as was had.
#[derive(Clone, Copy, Debug)]
pub(super) struct Sample {
    pub counter_ns: u64,
    pub system_ns: u64,
    /// The counter's advance meanwhile: the pair is true to half of it.
    pub gap_ns: u64,
}

impl Sample {
    pub fn start(&self) -> Start {
        Start {
            counter_ns: self.counter_ns,
            epoch_ns: self.system_ns,
        }
    }
}

/// Reads both clocks a few times and keeps the pair read closest together, so that being scheduled
/// away between the two reads does not shift time.
pub(super) fn sample(source: &impl TimeSource) -> Sample {
    let pair = || {
        let before_ns = source.counter_ns();
        let system_ns = source.system_ns();
        let gap_ns = source.counter_ns().saturating_sub(before_ns);
        Sample {
            counter_ns: before_ns + gap_ns / 2,
            system_ns,
            gap_ns,
        }
    };
    let mut best = pair();
    for _ in 1..PAIRS {
        let next = pair();
        if next.gap_ns < best.gap_ns {
            best = next;
        }
    }
    best
}
