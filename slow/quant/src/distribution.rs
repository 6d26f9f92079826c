//! The normal distribution.

/// The probability that a standard normal number is below `x`. Both tails keep all digits.
#[must_use]
pub fn normal_below(x: f64) -> f64 {
    0.5 * libm::erfc(-x * std::f64::consts::FRAC_1_SQRT_2)
}
