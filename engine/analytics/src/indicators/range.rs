//! Average true range (Wilder, New Concepts in Technical Trading Systems, 1978).

use super::smoothing::Smoothing;
use super::{Indicator, OutOfRange, checked_period};

/// What a bar must have for it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Candle {
    /// The highest price.
    pub high: f64,
    /// The lowest one.
    pub low: f64,
    /// The last one.
    pub close: f64,
}

/// How far prices go in a bar, from the last close on, smoothed as Wilder does: first the mean of
/// `period` ranges, from then on each new one weighs `1 / period`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Atr {
    period: usize,
    /// Bars so far, up to one more than the period.
    seen: usize,
    close: f64,
    sum: f64,
    smoothing: Smoothing,
}

/// How far prices went since a close.
#[inline(always)]
pub(super) fn true_range(before: f64, candle: Candle) -> f64 {
    let Candle { high, low, .. } = candle;
    let greater = |a: f64, b: f64| if a > b { a } else { b };
    let from_close = greater((high - before).abs(), (low - before).abs());
    greater(high - low, from_close)
}

impl Atr {
    /// Usual is 14.
    ///
    /// # Errors
    /// The period is 0 or too long.
    pub fn new(period: usize) -> Result<Self, OutOfRange> {
        let period = checked_period(period, 1)?;
        Ok(Self {
            period,
            seen: 0,
            close: 0.0,
            sum: 0.0,
            smoothing: Smoothing::new(1.0 / period as f64),
        })
    }

    pub(super) fn smoothing(&self) -> &Smoothing {
        &self.smoothing
    }

    #[cold]
    fn warm(&mut self, range: f64) -> Option<f64> {
        // The first bar has no close before it, and so no range.
        self.sum += if self.seen > 0 { range } else { 0.0 };
        self.seen += 1;
        (self.seen > self.period).then(|| {
            let first = self.sum / self.period as f64;
            self.smoothing.begin(first, self.seen);
            first
        })
    }
}

impl Indicator for Atr {
    type Input = Candle;
    type Output = f64;
    const NONE: f64 = f64::NAN;

    #[inline]
    fn next(&mut self, candle: Candle) -> Option<f64> {
        let Candle { high, low, close } = candle;
        if !(high.is_finite() && low.is_finite() && close.is_finite()) {
            return None;
        }
        let before = self.close;
        self.close = close;
        let range = true_range(before, candle);
        if self.seen <= self.period {
            return self.warm(range);
        }
        Some(self.smoothing.next(range))
    }
}
