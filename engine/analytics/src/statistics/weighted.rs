//! Exponentially weighted statistics: each new pair weighs `alpha`, all before the rest (pandas'
//! `ewm(alpha, adjust=False)`).

use super::{NotFinite, OutOfRange, checked, checked_alpha};

/// Exponentially weighted means, variances, covariance and correlation of pairs.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct WeightedPair {
    alpha: f64,
    /// The sum of the squares of all weights, which add up to 1.
    weights_squared: f64,
    count: u64,
    mean: [f64; 2],
    variance: [f64; 2],
    covariance: f64,
}

impl WeightedPair {
    /// # Errors
    /// `alpha` is not in (0, 1].
    pub fn new(alpha: f64) -> Result<Self, OutOfRange> {
        let alpha = checked_alpha(alpha)?;
        Ok(Self {
            alpha,
            weights_squared: 1.0,
            count: 0,
            mean: [0.0; 2],
            variance: [0.0; 2],
            covariance: 0.0,
        })
    }

    /// Takes a pair. Who has only one number passes it twice.
    ///
    /// # Errors
    /// One of them is not finite.
    pub fn push(&mut self, x: f64, y: f64) -> Result<(), NotFinite> {
        let pair = [checked(x)?, checked(y)?];
        self.count += 1;
        if self.count == 1 {
            self.mean = pair;
            return Ok(());
        }
        let (alpha, keep) = (self.alpha, 1.0 - self.alpha);
        let [dx, dy] = [pair[0] - self.mean[0], pair[1] - self.mean[1]];
        self.mean = [self.mean[0] + alpha * dx, self.mean[1] + alpha * dy];
        let [xx, yy] = self.variance;
        self.variance = [keep * (xx + alpha * dx * dx), keep * (yy + alpha * dy * dy)];
        self.covariance = keep * (self.covariance + alpha * dx * dy);
        self.weights_squared = keep * keep * self.weights_squared + alpha * alpha;
        Ok(())
    }

    /// The means, 0 of no pairs.
    #[must_use]
    pub fn mean(&self) -> [f64; 2] {
        self.mean
    }

    /// The weighted means of the squared differences from the means (`bias=True`).
    #[must_use]
    pub fn variance(&self) -> [f64; 2] {
        self.variance
    }

    /// As [`WeightedPair::variance`], made greater so that it is right on average (`bias=False`);
    /// `None` before the second pair.
    #[must_use]
    pub fn variance_unbiased(&self) -> Option<[f64; 2]> {
        let rest = 1.0 - self.weights_squared;
        (self.count > 1 && rest > 0.0).then(|| self.variance.map(|variance| variance / rest))
    }

    /// The weighted covariance (`bias=True`).
    #[must_use]
    pub fn covariance(&self) -> f64 {
        self.covariance
    }

    /// Their correlation; `None` if one of both never moved.
    #[must_use]
    pub fn correlation(&self) -> Option<f64> {
        let [xx, yy] = self.variance;
        let both = xx.sqrt() * yy.sqrt();
        (both > 0.0).then(|| (self.covariance / both).clamp(-1.0, 1.0))
    }
}
