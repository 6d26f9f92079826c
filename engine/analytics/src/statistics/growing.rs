//! Statistics of all numbers so far (Welford, Technometrics 4, 1962; for pairs Chan, Golub and
//! LeVeque, 1983).

use super::{NotFinite, checked};

/// Mean and variance of all numbers so far.
///
/// The sum has a second word for what its additions round away (Neumaier, Zeitschrift für
/// Angewandte Mathematik und Mechanik 54, 1974): over a billion of numbers that would add up.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Growing {
    count: u64,
    sum: f64,
    /// What the sum lacks.
    lost: f64,
    /// The first number: squares are of differences from the mean of what differs from it, so that
    /// a series far from 0 loses nothing.
    anchor: f64,
    /// Mean of what differs from the anchor.
    shift: f64,
    squares: f64,
}

impl Growing {
    /// Takes a number.
    ///
    /// # Errors
    /// It is not finite.
    pub fn push(&mut self, x: f64) -> Result<(), NotFinite> {
        let x = checked(x)?;
        if self.count == 0 {
            self.anchor = x;
        }
        self.count += 1;
        let sum = self.sum + x;
        self.lost += if self.sum.abs() >= x.abs() {
            (self.sum - sum) + x
        } else {
            (x - sum) + self.sum
        };
        self.sum = sum;
        let before = self.differs(x);
        self.shift += before / self.count as f64;
        self.squares += before * self.differs(x);
        Ok(())
    }

    /// How much a number differs from the mean.
    fn differs(&self, x: f64) -> f64 {
        (x - self.anchor) - self.shift
    }

    /// How many numbers came.
    #[must_use]
    pub fn count(&self) -> u64 {
        self.count
    }

    /// Their mean, 0 of none.
    #[must_use]
    pub fn mean(&self) -> f64 {
        if self.count == 0 {
            return 0.0;
        }
        (self.sum + self.lost) / self.count as f64
    }

    /// Their variance, the sum divided by `count - ddof`; `None` unless that is positive.
    #[must_use]
    pub fn variance(&self, ddof: u64) -> Option<f64> {
        (self.count > ddof).then(|| self.squares / (self.count - ddof) as f64)
    }
}

/// Means, variances, covariance and regression of all pairs so far.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct GrowingPair {
    x: Growing,
    y: Growing,
    products: f64,
}

impl GrowingPair {
    /// Takes a pair.
    ///
    /// # Errors
    /// One of them is not finite.
    pub fn push(&mut self, x: f64, y: f64) -> Result<(), NotFinite> {
        let (x, y) = (checked(x)?, checked(y)?);
        // The first one's differences are 0 behind it, so what it is before does not matter.
        let before = self.x.differs(x);
        self.x.push(x)?;
        self.y.push(y)?;
        self.products += before * self.y.differs(y);
        Ok(())
    }

    /// Of the first numbers of the pairs.
    #[must_use]
    pub fn x(&self) -> &Growing {
        &self.x
    }

    /// Of the second ones.
    #[must_use]
    pub fn y(&self) -> &Growing {
        &self.y
    }

    /// Their covariance, the sum divided by `count - ddof`; `None` unless that is positive.
    #[must_use]
    pub fn covariance(&self, ddof: u64) -> Option<f64> {
        let count = self.x.count;
        (count > ddof).then(|| self.products / (count - ddof) as f64)
    }

    /// Pearson's; `None` if one of both is constant.
    #[must_use]
    pub fn correlation(&self) -> Option<f64> {
        let both = self.x.squares.sqrt() * self.y.squares.sqrt();
        (both > 0.0).then(|| (self.products / both).clamp(-1.0, 1.0))
    }
}
