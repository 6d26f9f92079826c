//! `wirecross.forecasting`: what comes next.

use numpy::PyArray1;
use pyo3::prelude::*;
use quant::forecasting::{Method, Weights};

use crate::arrays::{Numbers, flat, refused, row};

/// How good forecasts were.
#[pyclass(frozen, get_all, module = "wirecross.forecasting")]
pub(crate) struct Score {
    /// The mean absolute error.
    mae: f64,
    /// The same by the mean absolute change from season to season in what was learnt from.
    mase: f64,
    /// How many numbers were forecast.
    count: usize,
}

fn method(name: &str, season: usize, weights: Weights) -> PyResult<Method> {
    match name {
        "seasonal-naive" => Ok(Method::SeasonalNaive { season }),
        "simple" => Ok(Method::Simple {
            weight: weights.level,
        }),
        "holt" => Ok(Method::Holt { weights }),
        "holt-winters" => Ok(Method::HoltWinters { weights, season }),
        _ => Err(refused(format!(
            "method: {name:?} is none of seasonal-naive, simple, holt, holt-winters"
        ))),
    }
}

/// The next `steps` numbers of a series.
///
/// method: "seasonal-naive", "simple", "holt", "holt-winters"; level, trend and seasonal weigh what
/// is new, damping is what a trend keeps from step to step.
#[pyfunction]
#[pyo3(signature = (series, steps, method="seasonal-naive", *, season=1, level=0.3, trend=0.1,
    seasonal=0.1, damping=1.0))]
#[expect(clippy::too_many_arguments, reason = "by name, as Python has them")]
pub(crate) fn forecast(
    py: Python<'_>,
    series: Numbers<'_>,
    steps: usize,
    method: &str,
    season: usize,
    level: f64,
    trend: f64,
    seasonal: f64,
    damping: f64,
) -> PyResult<Py<PyArray1<f64>>> {
    let series = flat("series", &series)?;
    let weights = Weights {
        level,
        trend,
        season: seasonal,
        damping,
    };
    let method = self::method(method, season, weights)?;
    let found = py.detach(|| quant::forecasting::forecast(&series, method, steps));
    Ok(row(py, found.map_err(refused)?))
}

/// How good a method would have been: it learns from the first `train` numbers and forecasts the
/// others, `horizon` at a time, each time from all that came before.
#[pyfunction]
#[pyo3(signature = (series, train, horizon, method="seasonal-naive", *, season=1, level=0.3,
    trend=0.1, seasonal=0.1, damping=1.0))]
#[expect(clippy::too_many_arguments, reason = "by name, as Python has them")]
pub(crate) fn backtest(
    py: Python<'_>,
    series: Numbers<'_>,
    train: usize,
    horizon: usize,
    method: &str,
    season: usize,
    level: f64,
    trend: f64,
    seasonal: f64,
    damping: f64,
) -> PyResult<Score> {
    let series = flat("series", &series)?;
    let weights = Weights {
        level,
        trend,
        season: seasonal,
        damping,
    };
    let method = self::method(method, season, weights)?;
    let found = py.detach(|| quant::forecasting::backtest(&series, train, horizon, season, method));
    let found = found.map_err(refused)?;
    Ok(Score {
        mae: found.mae,
        mase: found.mase,
        count: found.count,
    })
}
