//! From statistics to p-values and critical values, by published polynomials.

use super::regression::Trend;
use super::tables::{
    CRITICAL_CONSTANT, CRITICAL_NONE, CRITICAL_SERIES_MAX, CRITICAL_TREND, P_CONSTANT, P_NONE,
    P_SERIES_MAX, P_TREND,
};
use crate::distribution::normal_below;

/// MacKinnon's p-value (1994) of a Dickey-Fuller statistic, of `series` series: 1 for a unit root
/// test, 2 and more for Engle and Granger's. `None` for more than 6, or none.
#[must_use]
pub fn p_value(statistic: f64, trend: Trend, series: usize) -> Option<f64> {
    let all: &[_; P_SERIES_MAX] = match trend {
        Trend::None => &P_NONE,
        Trend::Constant => &P_CONSTANT,
        Trend::Linear => &P_TREND,
    };
    let surface = all.get(series.checked_sub(1)?)?;
    if statistic > surface.most {
        return Some(1.0);
    }
    if statistic < surface.least {
        return Some(0.0);
    }
    let coefficients = if statistic <= surface.turn {
        &surface.left[..]
    } else {
        &surface.right
    };
    Some(normal_below(polynomial(coefficients, statistic)))
}

/// MacKinnon's critical values (2010) at 1, 5 and 10 %, for so many observations. `None` for more
/// than 12 series, or none; without a constant for more than 1.
#[must_use]
pub fn critical(trend: Trend, series: usize, observations: usize) -> Option<[f64; 3]> {
    const { assert!(CRITICAL_CONSTANT.len() == CRITICAL_SERIES_MAX) };
    let all: &[_] = match trend {
        Trend::None => &CRITICAL_NONE,
        Trend::Constant => &CRITICAL_CONSTANT,
        Trend::Linear => &CRITICAL_TREND,
    };
    let levels = all.get(series.checked_sub(1)?)?;
    let share = 1.0 / observations as f64;
    Some(levels.map(|coefficients| polynomial(&coefficients, share)))
}

/// The constant coefficient first.
fn polynomial(coefficients: &[f64], x: f64) -> f64 {
    coefficients.iter().rev().fold(0.0, |sum, c| sum * x + c)
}
