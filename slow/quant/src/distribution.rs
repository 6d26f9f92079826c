//! The normal distribution.

use std::f64::consts::{FRAC_1_SQRT_2, PI};

/// The probability that a standard normal number is below `x`. Both tails keep all digits.
#[must_use]
pub fn normal_below(x: f64) -> f64 {
    0.5 * libm::erfc(-x * FRAC_1_SQRT_2)
}

/// The density of a standard normal number.
#[must_use]
pub fn normal_density(x: f64) -> f64 {
    (-0.5 * x * x).exp() / (2.0 * PI).sqrt()
}

/// The number below which a standard normal one is with probability `p`: infinite for 0 and 1, NaN
/// outside.
///
/// A rational guess (M. Abramowitz, I. Stegun, 26.2.23) and steps of Halley's on the tail that `p`
/// is in, so that small probabilities keep their digits.
#[must_use]
pub fn normal_quantile(p: f64) -> f64 {
    if p.is_nan() || !(0.0..=1.0).contains(&p) {
        return f64::NAN;
    }
    if p > 0.5 {
        return -normal_quantile(1.0 - p);
    }
    if p == 0.0 {
        return f64::NEG_INFINITY;
    }
    let t = (-2.0 * p.ln()).sqrt();
    let above = 2.515_517 + t * (0.802_853 + t * 0.010_328);
    let below = 1.0 + t * (1.432_788 + t * (0.189_269 + t * 0.001_308));
    let mut x = above / below - t;
    for _ in 0..4 {
        let density = normal_density(x);
        // Beyond all densities the guess is as good as it gets.
        if density == 0.0 {
            break;
        }
        let step = (normal_below(x) - p) / density;
        x -= step / (1.0 + 0.5 * x * step);
    }
    x
}
