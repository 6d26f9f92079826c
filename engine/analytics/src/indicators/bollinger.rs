//! Bollinger bands.

use super::{Indicator, OutOfRange, checked_period};
use crate::statistics::Rolling;

/// A mean and what lies so many standard deviations above and below.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Bands {
    /// Above.
    pub upper: f64,
    /// The mean of the last prices.
    pub middle: f64,
    /// Below.
    pub lower: f64,
}

/// Bands around the mean of the last `period` prices (population standard deviation).
#[derive(Clone, Debug, PartialEq)]
pub struct Bollinger {
    window: Rolling,
    width: f64,
}

impl Bollinger {
    /// Bands `width` standard deviations away; usual are a period of 20 and 2.
    ///
    /// # Errors
    /// The period is below 2 or too long.
    pub fn new(period: usize, width: f64) -> Result<Self, OutOfRange> {
        let window = Rolling::new(checked_period(period, 2)?)?;
        Ok(Self { window, width })
    }
}

impl Indicator for Bollinger {
    type Input = f64;
    type Output = Bands;
    const NONE: Bands = Bands {
        upper: f64::NAN,
        middle: f64::NAN,
        lower: f64::NAN,
    };

    #[inline]
    fn next(&mut self, x: f64) -> Option<Bands> {
        self.window.push(x).ok()?;
        if !self.window.is_full() {
            return None;
        }
        let middle = self.window.mean();
        let away = self.width * self.window.variance(0)?.sqrt();
        Some(Bands {
            upper: middle + away,
            middle,
            lower: middle - away,
        })
    }
}
