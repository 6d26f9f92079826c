//! Mean and variance of the last numbers.
//!
//! Sums of differences from an anchor, to which the new number is added and from which the oldest
//! is taken. What that rounds away would stay for ever: so after each turn of the window the anchor
//! is the mean again and the sums are made anew; and when a number leaves that was so great, or the
//! mean is so far from the anchor, that the sums have lost digits of the others. That is a step of
//! work for each number, and the window's length only for a series of outliers, each of which is
//! a hundredth of the one before.

use super::ring::Ring;
use super::{NotFinite, OutOfRange, checked};

/// What is so many times the numbers' squared differences, squared itself, has cost them digits.
pub(super) const OUTLIER: f64 = 1e4;

/// Mean, variance and z-score of the last numbers.
#[derive(Clone, Debug, PartialEq)]
pub struct Rolling {
    ring: Ring<f64>,
    anchor: f64,
    sum: f64,
    squares: f64,
}

impl Rolling {
    /// A window of so many numbers.
    ///
    /// # Errors
    /// None, or more than [`WINDOW_MAX`](super::WINDOW_MAX).
    pub fn new(length: usize) -> Result<Self, OutOfRange> {
        Ok(Self {
            ring: Ring::new(length)?,
            anchor: 0.0,
            sum: 0.0,
            squares: 0.0,
        })
    }

    /// Takes a number, for the oldest one if the window is full.
    ///
    /// # Errors
    /// It is not finite.
    #[inline]
    pub fn push(&mut self, x: f64) -> Result<(), NotFinite> {
        let x = checked(x)?;
        if self.ring.all().is_empty() {
            self.anchor = x;
        }
        let add = x - self.anchor;
        self.sum += add;
        self.squares += add * add;
        let mut is_worn = false;
        if let Some(gone) = self.ring.push(x) {
            let gone = gone - self.anchor;
            self.sum -= gone;
            self.squares -= gone * gone;
            let far = self.sum * self.sum * self.ring.inverse;
            is_worn = (gone * gone).max(far) > OUTLIER * (self.squares - far);
        }
        if self.ring.is_turned() || is_worn {
            self.refresh();
        }
        Ok(())
    }

    /// Makes the sums anew.
    #[inline(never)]
    fn refresh(&mut self) {
        let sum: f64 = self.ring.all().iter().map(|x| x - self.anchor).sum();
        self.anchor += sum * self.ring.inverse;
        (self.sum, self.squares) = (0.0, 0.0);
        for x in self.ring.all() {
            let x = x - self.anchor;
            self.sum += x;
            self.squares += x * x;
        }
    }

    /// Whether as many numbers came as the window holds.
    #[inline]
    #[must_use]
    pub fn is_full(&self) -> bool {
        self.ring.is_full()
    }

    /// How many numbers there are.
    #[must_use]
    pub fn count(&self) -> usize {
        self.ring.all().len()
    }

    /// Their mean, 0 of none.
    #[inline]
    #[must_use]
    pub fn mean(&self) -> f64 {
        self.anchor + self.sum * self.ring.inverse
    }

    /// Their variance, the sum divided by `count - ddof`; `None` unless that is positive.
    #[inline]
    #[must_use]
    pub fn variance(&self, ddof: usize) -> Option<f64> {
        let count = self.ring.all().len();
        let squares = self.squares - self.sum * self.sum * self.ring.inverse;
        let squares = if squares < 0.0 { 0.0 } else { squares };
        (count > ddof).then(|| {
            if ddof == 0 {
                squares * self.ring.inverse
            } else {
                squares / (count - ddof) as f64
            }
        })
    }

    /// How many standard deviations the newest number is from the mean; `None` if all are the
    /// same, or too few.
    #[must_use]
    pub fn z_score(&self, ddof: usize) -> Option<f64> {
        let deviation = self.variance(ddof)?.sqrt();
        let newest = self.ring.newest()?;
        (deviation > 0.0).then(|| (newest - self.mean()) / deviation)
    }
}
