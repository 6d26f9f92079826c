//! Bollinger bands.

use super::{Indicator, OutOfRange, checked_period};
use crate::statistics::{Rolling, Spread};

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

    /// Takes a price that is finite; its bands if the window is full.
    #[inline(always)]
    pub(super) fn next_finite(&mut self, x: f64) -> Bands {
        let Spread { mean, squares } = self.window.push_finite(x);
        let away = self.width * (squares * self.window.inverse()).sqrt();
        Bands {
            upper: mean + away,
            middle: mean,
            lower: mean - away,
        }
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
        if !x.is_finite() {
            return None;
        }
        let bands = self.next_finite(x);
        self.window.is_full().then_some(bands)
    }
}
