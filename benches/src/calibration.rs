//! What this machine charges for a cache line's way from one core to another and back.
//!
//! On shared machines it changes between 80 ns and 500 ns as virtual processors move, and every
//! figure between two threads changes with it.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use serde::Serialize;

use crate::stats::Stats;
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
    let samples = effort.pick(5, 500, 2_000) as u64;
    // Round trips that make one sample.
    let trips = effort.pick(10, 100, 100) as u64;
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
    let times = pair(here, there)?;
    Stats::of(times).ok_or_else(|| BenchError::Failed("calibration has no samples".to_string()))
}
