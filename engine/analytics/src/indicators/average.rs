//! Moving averages and deviations.

use super::smoothing::{BLOCK, Smoothing, in_blocks};
use super::{Indicator, OutOfRange, checked_period};
use crate::statistics::Rolling;

/// Exponential moving average: first the mean of `period` prices, from then on each new price
/// weighs `2 / (period + 1)`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Ema {
    period: usize,
    /// Prices so far, up to the period, and their sum.
    seen: usize,
    sum: f64,
    /// Numbers of the series from which these prices were made, before the first of them.
    before: usize,
    smoothing: Smoothing,
}

impl Ema {
    /// # Errors
    /// The period is 0 or too long.
    pub fn new(period: usize) -> Result<Self, OutOfRange> {
        Self::behind(0, period)
    }

    /// One of what a series says only behind so many numbers.
    pub(super) fn behind(before: usize, period: usize) -> Result<Self, OutOfRange> {
        let period = checked_period(period, 1)?;
        Ok(Self {
            period,
            before,
            seen: 0,
            sum: 0.0,
            smoothing: Smoothing::new(2.0 / (period as f64 + 1.0)),
        })
    }

    pub(super) fn smoothing(&self) -> &Smoothing {
        &self.smoothing
    }

    #[cold]
    fn warm(&mut self, x: f64) -> Option<f64> {
        self.seen += 1;
        self.sum += x;
        (self.seen == self.period).then(|| {
            let first = self.sum / self.period as f64;
            self.smoothing.begin(first, self.before + self.seen);
            first
        })
    }
}

impl Indicator for Ema {
    type Input = f64;
    type Output = f64;
    const NONE: f64 = f64::NAN;

    #[inline]
    fn next(&mut self, x: f64) -> Option<f64> {
        if !x.is_finite() {
            return None;
        }
        if self.seen < self.period {
            return self.warm(x);
        }
        Some(self.smoothing.next(x))
    }

    fn series(&mut self, xs: &[f64], values: &mut [f64]) {
        let one = |ema: &mut Self, x: f64| ema.next(x).unwrap_or(Self::NONE);
        in_blocks(self, xs, values, one, |ema, xs: &[f64; BLOCK]| {
            if ema.seen < ema.period || !xs.iter().all(|x| x.is_finite()) {
                return None;
            }
            ema.smoothing.block(xs)
        });
    }
}

/// Mean of the last `period` prices.
#[derive(Clone, Debug, PartialEq)]
pub struct Sma {
    window: Rolling,
}

impl Sma {
    /// # Errors
    /// The period is 0 or too long.
    pub fn new(period: usize) -> Result<Self, OutOfRange> {
        let window = Rolling::new(checked_period(period, 1)?)?;
        Ok(Self { window })
    }
}

impl Indicator for Sma {
    type Input = f64;
    type Output = f64;
    const NONE: f64 = f64::NAN;

    #[inline]
    fn next(&mut self, x: f64) -> Option<f64> {
        self.window.push(x).ok()?;
        self.window.is_full().then(|| self.window.mean())
    }
}

/// Standard deviation of the last `period` prices, the squares' sum divided by the period.
#[derive(Clone, Debug, PartialEq)]
pub struct StdDev {
    window: Rolling,
}

impl StdDev {
    /// # Errors
    /// The period is below 2 or too long.
    pub fn new(period: usize) -> Result<Self, OutOfRange> {
        let window = Rolling::new(checked_period(period, 2)?)?;
        Ok(Self { window })
    }
}

impl Indicator for StdDev {
    type Input = f64;
    type Output = f64;
    const NONE: f64 = f64::NAN;

    #[inline]
    fn next(&mut self, x: f64) -> Option<f64> {
        self.window.push(x).ok()?;
        let variance = self.window.variance(0)?;
        self.window.is_full().then(|| variance.sqrt())
    }
}
