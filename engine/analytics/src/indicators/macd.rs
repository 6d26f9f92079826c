//! Moving average convergence and divergence.

use super::smoothing::Smoothing;
use super::{Ema, Indicator, OutOfRange, checked_period};

/// What it says.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct MacdValue {
    /// The fast average less the slow one.
    pub macd: f64,
    /// Its own average.
    pub signal: f64,
    /// The difference of both.
    pub histogram: f64,
}

/// The difference of a fast and a slow exponential average, and its average. The fast one begins
/// late, with the mean of the last prices when the slow one begins.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Macd {
    fast_period: usize,
    slow_period: usize,
    seen: usize,
    sums: [f64; 2],
    fast: Smoothing,
    slow: Smoothing,
    signal: Ema,
}

impl Macd {
    /// Usual are 12, 26 and 9.
    ///
    /// # Errors
    /// A period is 0 or too long, or the slow one is not longer than the fast one.
    pub fn new(fast: usize, slow: usize, signal: usize) -> Result<Self, OutOfRange> {
        let fast = checked_period(fast, 1)?;
        let slow = checked_period(slow, fast + 1)?;
        let smoothing = |period: usize| Smoothing::new(2.0 / (period as f64 + 1.0));
        Ok(Self {
            fast_period: fast,
            slow_period: slow,
            seen: 0,
            sums: [0.0; 2],
            fast: smoothing(fast),
            slow: smoothing(slow),
            signal: Ema::behind(slow - 1, signal)?,
        })
    }

    /// The fast one, the slow one and the signal's.
    pub(super) fn smoothings(&self) -> [&Smoothing; 3] {
        [&self.fast, &self.slow, self.signal.smoothing()]
    }

    /// The difference, once both averages are there.
    #[cold]
    fn warm(&mut self, x: f64) -> Option<f64> {
        self.seen += 1;
        let [fast, slow] = &mut self.sums;
        *slow += x;
        if self.seen > self.slow_period - self.fast_period {
            *fast += x;
        }
        (self.seen == self.slow_period).then(|| {
            let [fast, slow] = self.sums;
            let fast = fast / self.fast_period as f64;
            let slow = slow / self.slow_period as f64;
            self.fast.begin(fast, self.seen);
            self.slow.begin(slow, self.seen);
            fast - slow
        })
    }
}

impl Indicator for Macd {
    type Input = f64;
    type Output = MacdValue;
    const NONE: MacdValue = MacdValue {
        macd: f64::NAN,
        signal: f64::NAN,
        histogram: f64::NAN,
    };

    #[inline]
    fn next(&mut self, x: f64) -> Option<MacdValue> {
        if !x.is_finite() {
            return None;
        }
        let macd = if self.seen < self.slow_period {
            self.warm(x)?
        } else {
            self.fast.next(x) - self.slow.next(x)
        };
        let signal = self.signal.next(macd)?;
        Some(MacdValue {
            macd,
            signal,
            histogram: macd - signal,
        })
    }
}
