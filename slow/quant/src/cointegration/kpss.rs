//! The KPSS test for a series that wanders around a constant or a trend (D. Kwiatkowski,
//! P. Phillips, P. Schmidt, Y. Shin, Journal of Econometrics 54, 1992).

use super::regression::{Trend, ols};
use super::tables::{KPSS_CONSTANT, KPSS_P, KPSS_TREND};
use crate::Fault;
use crate::fault::{moving, within};

/// What a KPSS test found.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Kpss {
    /// The further above 0, the less stationary.
    pub statistic: f64,
    /// Between the four published values; 0.01 or 0.1 stand for all beyond.
    pub p_value: f64,
    /// Lags of the residual's long-run variance.
    pub lags: usize,
    /// Critical values at 10, 5, 2.5 and 1 %.
    pub critical: [f64; 4],
}

/// Tests whether a series is stationary around a constant ([`Trend::Constant`]) or a linear trend.
/// Without `lags`, as many as B. Hobijn, P. Franses and M. Ooms choose (Statistica Neerlandica 58,
/// 2004).
///
/// # Errors
/// No trend, a series that is constant or too short, lags that are not fewer than its numbers,
/// numbers that are none.
pub fn kpss(series: &[f64], trend: Trend, lags: Option<usize>) -> Result<Kpss, Fault> {
    within("terms of the trend", trend.terms() as f64, 1.0, 2.0)?;
    let residuals = ols(series, &[], trend)?.residuals;
    moving("series", series)?;
    let length = series.len();
    let most = length - 1;
    let lags = lags.unwrap_or_else(|| chosen(&residuals).min(most));
    within("lags", lags as f64, 0.0, most as f64)?;
    let sums = residuals.iter().scan(0.0, |sum, x| {
        *sum += x;
        Some(*sum * *sum)
    });
    let wandered = sums.sum::<f64>() / (length as f64 * length as f64);
    let statistic = wandered / long_run_variance(&residuals, lags);
    if !statistic.is_finite() {
        return Err(Fault::Exact { what: "KPSS" });
    }
    let critical = match trend {
        Trend::Linear => KPSS_TREND,
        _ => KPSS_CONSTANT,
    };
    Ok(Kpss {
        statistic,
        p_value: between(&critical, statistic),
        lags,
        critical,
    })
}

/// Newey and West's, with Bartlett's weights.
fn long_run_variance(residuals: &[f64], lags: usize) -> f64 {
    let weighted = (1..=lags).map(|lag| {
        let weight = 1.0 - lag as f64 / (lags + 1) as f64;
        2.0 * weight * products(residuals, lag)
    });
    (products(residuals, 0) + weighted.sum::<f64>()) / residuals.len() as f64
}

fn products(residuals: &[f64], lag: usize) -> f64 {
    let later = &residuals[lag..];
    later.iter().zip(residuals).map(|(x, y)| x * y).sum()
}

fn chosen(residuals: &[f64]) -> usize {
    let length = residuals.len() as f64;
    let (mut zero, mut one) = (products(residuals, 0) / length, 0.0);
    for lag in 1..=length.powf(2.0 / 9.0) as usize {
        let product = products(residuals, lag) / (length / 2.0);
        zero += product;
        one += lag as f64 * product;
    }
    let ratio = one / zero;
    (1.1447 * (ratio * ratio).cbrt() * length.cbrt()) as usize
}

/// The p-value on the line between the two statistics next to it.
fn between(critical: &[f64; 4], statistic: f64) -> f64 {
    let [most, .., least] = KPSS_P;
    let above = critical.iter().position(|x| *x > statistic);
    match above {
        Some(0) => most,
        None => least,
        Some(at) => {
            let share = (statistic - critical[at - 1]) / (critical[at] - critical[at - 1]);
            KPSS_P[at - 1] + share * (KPSS_P[at] - KPSS_P[at - 1])
        }
    }
}
