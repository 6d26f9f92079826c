//! Samples and the five figures that are shown of them.

use serde::Serialize;

/// Durations in picoseconds.
pub type Samples = Vec<u64>;

/// What is shown of many samples, in nanoseconds. Percentiles are samples, not interpolations.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Stats {
    /// How many samples.
    pub count: usize,
    /// The greatest.
    pub max: f64,
    /// 999 of 1,000 are not above it.
    pub p999: f64,
    /// 99 of 100 are not above it.
    pub p99: f64,
    /// Half of them are not above it.
    pub median: f64,
    /// The least.
    pub min: f64,
}

impl Stats {
    /// Sorts samples and reads the figures off; none without samples.
    #[must_use]
    pub fn of(mut samples: Samples) -> Option<Self> {
        samples.sort_unstable();
        let (min, max) = (*samples.first()?, *samples.last()?);
        let nanoseconds = |picoseconds: u64| picoseconds as f64 / 1_000.0;
        let at = |thousandths: usize| {
            let place = (samples.len() * thousandths).div_ceil(1_000).max(1) - 1;
            nanoseconds(samples[place])
        };
        Some(Self {
            count: samples.len(),
            max: nanoseconds(max),
            p999: at(999),
            p99: at(990),
            median: at(500),
            min: nanoseconds(min),
        })
    }
}
