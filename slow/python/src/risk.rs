//! `wirecross.portfolio`: what may be lost.

use numpy::PyArray1;
use pyo3::prelude::*;
use quant::portfolio::risk;

use crate::arrays::{Numbers, flat, refused, row};
use crate::portfolio::Moves;

/// Value at risk and expected shortfall of gains that were made, losses above 0.
#[pyfunction]
#[pyo3(signature = (gains, level=0.99))]
pub(crate) fn historical_risk(
    py: Python<'_>,
    gains: Numbers<'_>,
    level: f64,
) -> PyResult<(f64, f64)> {
    let gains = flat("gains", &gains)?;
    let found = py.detach(|| risk::historical(&gains, level));
    let found = found.map_err(refused)?;
    Ok((found.value_at_risk, found.shortfall))
}

/// Value at risk and expected shortfall of normal gains, losses above 0.
#[pyfunction]
#[pyo3(signature = (mean, deviation, level=0.99))]
pub(crate) fn gaussian_risk(mean: f64, deviation: f64, level: f64) -> PyResult<(f64, f64)> {
    let found = risk::gaussian(mean, deviation, level).map_err(refused)?;
    Ok((found.value_at_risk, found.shortfall))
}

/// What each asset makes of the deviation of weights.
#[pyfunction]
pub(crate) fn contributions(
    py: Python<'_>,
    covariance: Moves<'_>,
    weights: Numbers<'_>,
) -> PyResult<Py<PyArray1<f64>>> {
    let weights = flat("weights", &weights)?;
    let found = covariance.work(py, |covariance| risk::contributions(covariance, &weights))?;
    Ok(row(py, found))
}

/// The worst fall of a value from a peak: its depth as a part of the peak, where that was, and
/// where the fall ended.
#[pyfunction]
pub(crate) fn drawdown(py: Python<'_>, values: Numbers<'_>) -> PyResult<(f64, usize, usize)> {
    let values = flat("values", &values)?;
    let found = py.detach(|| risk::drawdown(&values)).map_err(refused)?;
    Ok((found.depth, found.peak, found.trough))
}
