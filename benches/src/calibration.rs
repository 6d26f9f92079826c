//! What this machine charges for a cache line's way from one core to another and back.
//!
//! On shared machines it changes between 80 ns and 500 ns as virtual processors move, and every
//! figure between two threads changes with it.

use std::cell::{Cell, RefCell};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use serde::Serialize;

use crate::stats::{Samples, Stats};
use crate::threads::{Stop, pair};
use crate::{BenchError, Effort};

/// A word on a pair of lines of its own.
#[repr(align(128))]
struct Word(AtomicU64);

/// The ping-pong before and after the rows ran, in nanoseconds a round trip.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Calibration {
    /// Before the first row.
    pub before: Stats,
    /// After the last row.
    pub after: Stats,
}

/// Measures round trips of a cache line between the first two processors.
pub fn ping_pong(effort: Effort) -> Result<Stats, BenchError> {
    // Round trips that make one sample: 10 or 100.
    let trips = effort.pick(10, 100, 100) as u64;
    stats(round_trips(effort.pick(5, 500, 2_000) as u64, trips)?)
}

fn stats(times: Samples) -> Result<Stats, BenchError> {
    Stats::of(times).ok_or_else(|| BenchError::Failed("calibration has no samples".to_string()))
}

/// So many samples of so many round trips each.
pub fn round_trips(samples: u64, trips: u64) -> Result<Samples, BenchError> {
    let (ping, pong) = (Word(AtomicU64::new(0)), Word(AtomicU64::new(0)));
    // Acquire and Release: each side goes on only after the other one's store.
    let wait_for = |stop: &Stop, word: &Word, number: u64| {
        stop.wait(|| (word.0.load(Ordering::Acquire) == number).then_some(()))
    };
    let here = |stop: &Stop| {
        let mut times = Vec::new();
        for sample in 0..samples {
            let start = Instant::now();
            for trip in 1..=trips {
                let number = sample * trips + trip;
                ping.0.store(number, Ordering::Release);
                wait_for(stop, &pong, number)?;
            }
            times.push(start.elapsed().as_nanos() as u64 * 1_000 / trips);
        }
        Ok(times)
    };
    let there = |stop: &Stop| {
        for number in 1..=samples * trips {
            wait_for(stop, &ping, number)?;
            pong.0.store(number, Ordering::Release);
        }
        Ok(())
    };
    pair(here, there)
}

/// Samples and round trips of a look at the mode: below a millisecond.
const LOOK: (u64, u64) = (15, 100);
/// Medians of one mode differ by less than this factor: the modes are about 4 apart.
const MODE_FACTOR: f64 = 1.8;
/// Runs that are thrown away before one is kept whatever the mode.
const REPEATS_MAX: u32 = 5;
/// Longer runs are not repeated: the mode rarely holds so long.
const REPEATED_MAX: Duration = Duration::from_secs(2);

/// Keeps runs of one mode of the machine: the round trip of a line is measured before and after
/// each run, and a run is repeated when one of them is far from that of the first.
#[derive(Default)]
pub struct Gate {
    reference: Cell<f64>,
    kept: Cell<u32>,
    /// The looks before and after each kept run.
    looks: RefCell<Vec<[f64; 2]>>,
    repeated: Cell<u32>,
    strays: Cell<u32>,
}

impl Gate {
    /// A gate whose first look sets the mode. Of [`Effort::Tiny`] runs it keeps all without a
    /// look: they are tests of answers.
    pub fn new(effort: Effort) -> Result<Self, BenchError> {
        let gate = Self::default();
        if effort == Effort::Tiny {
            return Ok(gate);
        }
        // The middle of three: a look may fall on a change.
        let mut looks = [look()?, look()?, look()?];
        looks.sort_unstable_by(f64::total_cmp);
        gate.reference.set(looks[1]);
        Ok(gate)
    }

    /// Runs until the mode held through a run; after `REPEATS_MAX` repeats it takes the run as
    /// it is and counts it as a stray.
    pub fn run<T>(&self, mut work: impl FnMut() -> Result<T, BenchError>) -> Result<T, BenchError> {
        if self.reference.get() == 0.0 {
            self.kept.set(self.kept.get() + 1);
            return work();
        }
        for attempt in 0.. {
            let before = look()?;
            let start = Instant::now();
            let result = work()?;
            let is_long = start.elapsed() > REPEATED_MAX;
            let after = look()?;
            let holds = self.is_usual(before) && self.is_usual(after);
            if holds || is_long || attempt == REPEATS_MAX {
                self.kept.set(self.kept.get() + 1);
                self.strays.set(self.strays.get() + u32::from(!holds));
                self.looks.borrow_mut().push([before, after]);
                return Ok(result);
            }
            self.repeated.set(self.repeated.get() + 1);
        }
        Err(BenchError::Failed("no run was kept".to_string()))
    }

    /// What was done, for the report.
    #[must_use]
    pub fn note(&self) -> String {
        format!(
            "line there and back {:.0} ns before a run, {:.0} ns after it: \
             {} runs kept, {} repeated, {} strays",
            self.median(0),
            self.median(1),
            self.kept.get(),
            self.repeated.get(),
            self.strays.get()
        )
    }

    /// The bare line there and back in nanoseconds, before and after the runs that were kept;
    /// none when nobody looked.
    #[must_use]
    pub fn floor(&self) -> Option<f64> {
        let floor = f64::midpoint(self.median(0), self.median(1));
        (floor > 0.0).then_some(floor)
    }

    /// The middle of the looks before (0) or after (1) the runs; 0 without any.
    fn median(&self, side: usize) -> f64 {
        let mut looks: Vec<f64> = self.looks.borrow().iter().map(|look| look[side]).collect();
        looks.sort_unstable_by(f64::total_cmp);
        looks.get(looks.len() / 2).copied().unwrap_or(0.0)
    }

    fn is_usual(&self, median: f64) -> bool {
        let factor = median / self.reference.get();
        factor < MODE_FACTOR && factor > 1.0 / MODE_FACTOR
    }
}

fn look() -> Result<f64, BenchError> {
    Ok(stats(round_trips(LOOK.0, LOOK.1)?)?.median)
}
