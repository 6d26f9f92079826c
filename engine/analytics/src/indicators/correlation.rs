//! Correlation of two series.

use super::{Indicator, OutOfRange, checked_period};
use crate::statistics::RollingPair;

/// Pearson's correlation of the last `period` pairs; 0 if one of both is constant, as TA-Lib's.
#[derive(Clone, Debug, PartialEq)]
pub struct Correlation {
    window: RollingPair,
}

impl Correlation {
    /// # Errors
    /// The period is 0 or too long.
    pub fn new(period: usize) -> Result<Self, OutOfRange> {
        let window = RollingPair::new(checked_period(period, 1)?)?;
        Ok(Self { window })
    }
}

impl Indicator for Correlation {
    type Input = [f64; 2];
    type Output = f64;
    const NONE: f64 = f64::NAN;

    #[inline]
    fn next(&mut self, [x, y]: [f64; 2]) -> Option<f64> {
        self.window.push(x, y).ok()?;
        let found = self.window.correlation();
        self.window.is_full().then(|| found.unwrap_or(0.0))
    }
}
