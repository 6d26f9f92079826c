//! Engle and Granger's test for cointegration (Econometrica 55, 1987): the residual of one series
//! regressed on the others is tested for a unit root.

use super::adf::{Lags, dickey_fuller};
use super::regression::{Ols, Trend, ols};
use super::surface::{critical, p_value};
use crate::Fault;
use crate::fault::moving;

/// A regression that leaves so little of the squares tells nothing of its residual's roots: the
/// series are taken for cointegrated, as statsmodels does.
pub(super) const LEFT_MIN: f64 = 100.0 * 1.490_116_119_384_765_6e-8;

/// What Engle and Granger's test found.
#[derive(Clone, Debug, PartialEq)]
pub struct EngleGranger {
    /// Dickey and Fuller's statistic of the residual; minus infinity if there is next to none.
    pub statistic: f64,
    /// The probability of a lesser one without cointegration; `None` for more than 6 series.
    pub p_value: Option<f64>,
    /// Critical values at 1, 5 and 10 %; `None` without a constant or for more than 12 series.
    pub critical: Option<[f64; 3]>,
    /// Lagged differences that were used.
    pub lags: usize,
    /// The regression: what to hold of each series, and the spread.
    pub regression: Ols,
}

/// Tests whether `y` keeps together with `xs`.
///
/// # Errors
/// As those of [`ols`] and [`super::adf()`]; and a series that is constant.
pub fn engle_granger(
    y: &[f64],
    xs: &[&[f64]],
    trend: Trend,
    lags: Lags,
) -> Result<EngleGranger, Fault> {
    let regression = ols(y, xs, trend)?;
    moving("y", y)?;
    for x in xs {
        moving("x", x)?;
    }
    let count = xs.len() + 1;
    let (statistic, lags) = if regression.explained < 1.0 - LEFT_MIN {
        let (statistic, lags, _) = dickey_fuller(&regression.residuals, Trend::None, lags)?;
        (statistic, lags)
    } else {
        (f64::NEG_INFINITY, 0)
    };
    let has_table = trend != Trend::None;
    Ok(EngleGranger {
        statistic,
        p_value: p_value(statistic, trend, count),
        critical: critical(trend, count, y.len() - 1).filter(|_| has_table),
        lags,
        regression,
    })
}
