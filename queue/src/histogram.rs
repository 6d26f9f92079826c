//! Latency histograms in shared memory: written by one thread, read by another process.
//!
//! Log-linear, like HdrHistogram: each power of two is cut into 32 equal buckets, so a value read
//! back is at most 1/32 (3.1 %) above the one recorded. The greatest value is kept exactly. Every
//! `u64` has its bucket: nothing is ever out of range.

use crate::region::Region;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// Buckets of one power of two.
const SUB: usize = 32;
const SUB_LOG2: u32 = SUB.ilog2();
/// Buckets in all: one for each value below 32, then 32 for each power of two.
pub(crate) const BUCKETS: usize = SUB + (64 - SUB_LOG2 as usize) * SUB;
/// Words of a histogram: sum, greatest value, buckets; padded to 128 bytes.
pub(crate) const WORDS: usize = (BUCKET_FIRST + BUCKETS).next_multiple_of(16);

const SUM: usize = 0;
const MAX: usize = 1;
const BUCKET_FIRST: usize = 2;

/// The writing side of one histogram. One thread owns it.
#[derive(Debug)]
pub struct Histogram {
    pub(crate) region: Arc<Region>,
    pub(crate) start: usize,
    pub(crate) sum: u64,
    pub(crate) max: u64,
}

impl Histogram {
    /// Counts one value, for example nanoseconds.
    #[inline]
    pub fn record(&mut self, value: u64) {
        let words = &self.region.words()[self.start..self.start + WORDS];
        self.sum = self.sum.wrapping_add(value);
        words[SUM].store(self.sum, Ordering::Relaxed);
        if value > self.max {
            self.max = value;
            words[MAX].store(value, Ordering::Relaxed);
        }
        let bucket = &words[BUCKET_FIRST + bucket_of(value)];
        // Relaxed throughout: only this thread writes, and readers only count.
        bucket.store(
            bucket.load(Ordering::Relaxed).wrapping_add(1),
            Ordering::Relaxed,
        );
    }

    /// What was recorded so far.
    #[must_use]
    pub fn buckets(&self) -> Buckets {
        Buckets::read(&self.region.words()[self.start..self.start + WORDS])
    }
}

/// The counts of a histogram at one moment, give or take what was recorded meanwhile.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Buckets {
    counts: Vec<u64>,
    sum: u64,
    max: u64,
}

/// The figures people ask for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Summary {
    /// Values recorded.
    pub count: u64,
    /// Their sum.
    pub sum: u64,
    /// Half are no greater.
    pub p50: u64,
    /// 99 in 100 are no greater.
    pub p99: u64,
    /// 999 in 1,000 are no greater.
    pub p99_9: u64,
    /// The greatest.
    pub max: u64,
}

impl Buckets {
    pub(crate) fn read(words: &[AtomicU64]) -> Self {
        let load = |word: &AtomicU64| word.load(Ordering::Relaxed);
        let counts = words[BUCKET_FIRST..BUCKET_FIRST + BUCKETS]
            .iter()
            .map(load)
            .collect();
        Self {
            counts,
            sum: load(&words[SUM]),
            max: load(&words[MAX]),
        }
    }

    /// What was recorded after `earlier`. The greatest value stays that of the whole time, cut to
    /// the highest bucket in use.
    #[must_use]
    pub fn since(&self, earlier: &Self) -> Self {
        let pairs = self.counts.iter().zip(&earlier.counts);
        let counts: Vec<u64> = pairs.map(|(now, then)| now.saturating_sub(*then)).collect();
        let highest = counts
            .iter()
            .rposition(|count| *count > 0)
            .map_or(0, greatest_of);
        let sum = self.sum.wrapping_sub(earlier.sum);
        Self {
            counts,
            sum,
            max: self.max.min(highest),
        }
    }

    /// Values counted.
    #[must_use]
    pub fn count(&self) -> u64 {
        self.counts
            .iter()
            .fold(0, |sum, count| sum.saturating_add(*count))
    }

    /// Values in buckets that hold none greater than `value`: all that are no greater than it,
    /// where it is one below a power of two.
    #[must_use]
    pub fn no_greater(&self, value: u64) -> u64 {
        let counts = self.counts.iter().enumerate();
        counts
            .take_while(|(bucket, _)| greatest_of(*bucket) <= value)
            .fold(0, |sum, (_, count)| sum.saturating_add(*count))
    }

    /// The value that a part `q` (0 to 1) of all values does not exceed; 0 when there is none.
    #[must_use]
    pub fn quantile(&self, q: f64) -> u64 {
        let count = self.count();
        let rank = ((count as f64 * q.clamp(0.0, 1.0)).ceil() as u64).max(1);
        let mut below = 0u64;
        for (bucket, in_bucket) in self.counts.iter().enumerate() {
            below = below.saturating_add(*in_bucket);
            if below >= rank {
                return greatest_of(bucket).min(self.max);
            }
        }
        0
    }

    /// Where the values are spans that follow one another: what one who comes at any time waits for
    /// the end of the span that is there. A part of the whole time that a span of `g` has more than
    /// `w` of is `g - w`, and so long spans weigh more than there are of them.
    #[must_use]
    pub fn waits(&self) -> Summary {
        let [p50, p99, p99_9] = [0.5, 0.99, 0.999].map(|q| self.wait(q));
        Summary {
            p50,
            p99,
            p99_9,
            ..self.summary()
        }
    }

    /// What at most a part `1 - q` of all who come wait longer than.
    fn wait(&self, q: f64) -> u64 {
        let length = |at: usize| greatest_of(at).min(self.max) as f64;
        let spans = self.counts.iter().enumerate().rev();
        let spans = spans.map(|(at, count)| (length(at), *count as f64));
        let whole: f64 = spans.clone().map(|(length, count)| length * count).sum();
        let allowed = whole * (1.0 - q.clamp(0.0, 1.0));
        // From the longest on: how many, and all their time. Beyond a wait `w` is `time - seen w`.
        let (mut seen, mut time) = (0.0, 0.0);
        for (length, count) in spans {
            if time - seen * length > allowed {
                break;
            }
            seen += count;
            time += count * length;
        }
        if seen > 0.0 {
            ((time - allowed) / seen) as u64
        } else {
            0
        }
    }

    /// The usual figures.
    #[must_use]
    pub fn summary(&self) -> Summary {
        let (count, sum) = (self.count(), self.sum);
        let [p50, p99, p99_9] = [0.5, 0.99, 0.999].map(|q| self.quantile(q));
        Summary {
            count,
            sum,
            p50,
            p99,
            p99_9,
            max: self.max,
        }
    }
}

fn bucket_of(value: u64) -> usize {
    if value < SUB as u64 {
        return value as usize;
    }
    let shift = value.ilog2() - SUB_LOG2;
    (shift as usize) * SUB + (value >> shift) as usize
}

/// The greatest value of a bucket.
fn greatest_of(bucket: usize) -> u64 {
    if bucket < 2 * SUB {
        return bucket as u64;
    }
    let shift = (bucket / SUB - 1) as u32;
    let lowest = ((SUB + bucket % SUB) as u64) << shift;
    lowest + ((1 << shift) - 1)
}

const _: () = assert!(BUCKETS == 60 * SUB, "bucket_of(u64::MAX) is the last one");
