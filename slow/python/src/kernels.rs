//! `wirecross.kernels`: sums, moments, prices by volume.

use analytics::arch::Backend;
use analytics::kernels::Returns;
use numpy::{PyArray1, PyReadonlyArray1};
use pyo3::prelude::*;

use crate::arrays::{Numbers, aside, flat, refused, row, same_length};

/// What a kernel says of no numbers, or too few.
const TOO_FEW: &str = "too few numbers";

/// The sum; `compensated`: as if it were rounded once, whatever cancels.
#[pyfunction]
#[pyo3(signature = (x, *, compensated=false))]
pub(crate) fn sum(py: Python<'_>, x: Numbers<'_>, compensated: bool) -> PyResult<f64> {
    let x = flat("x", &x)?;
    let backend = Backend::best();
    Ok(aside(py, x.len(), || match compensated {
        true => backend.sum_compensated(&x),
        false => backend.sum(&x),
    }))
}

/// The mean.
#[pyfunction]
pub(crate) fn mean(py: Python<'_>, x: Numbers<'_>) -> PyResult<f64> {
    let x = flat("x", &x)?;
    let found = aside(py, x.len(), || Backend::best().moments(&x));
    Ok(found.ok_or_else(|| refused(format!("x: {TOO_FEW}")))?.mean)
}

/// The variance, divided by the count less `ddof`.
#[pyfunction]
#[pyo3(signature = (x, *, ddof=0))]
pub(crate) fn variance(py: Python<'_>, x: Numbers<'_>, ddof: usize) -> PyResult<f64> {
    let x = flat("x", &x)?;
    let found = aside(py, x.len(), || Backend::best().moments(&x));
    let found = found.and_then(|moments| moments.variance(ddof));
    found.ok_or_else(|| refused(format!("x: {TOO_FEW}")))
}

/// The sum of products.
#[pyfunction]
pub(crate) fn dot(py: Python<'_>, x: Numbers<'_>, y: Numbers<'_>) -> PyResult<f64> {
    let (x, y) = (flat("x", &x)?, flat("y", &y)?);
    same_length("y", y.len(), "x", x.len())?;
    Ok(aside(py, x.len(), || Backend::best().dot(&x, &y)))
}

/// The covariance of two series, divided by the count less `ddof`.
#[pyfunction]
#[pyo3(signature = (x, y, *, ddof=0))]
pub(crate) fn covariance(
    py: Python<'_>,
    x: Numbers<'_>,
    y: Numbers<'_>,
    ddof: usize,
) -> PyResult<f64> {
    let found = both(py, &x, &y)?;
    let found = found.covariance(ddof);
    found.ok_or_else(|| refused(format!("x: {TOO_FEW}")))
}

/// Pearson's correlation of two series; nan if one is constant.
#[pyfunction]
pub(crate) fn correlation(py: Python<'_>, x: Numbers<'_>, y: Numbers<'_>) -> PyResult<f64> {
    Ok(both(py, &x, &y)?.correlation().unwrap_or(f64::NAN))
}

/// Slope and intercept of the least squares line that gives y for x.
#[pyfunction]
pub(crate) fn regression(py: Python<'_>, x: Numbers<'_>, y: Numbers<'_>) -> PyResult<(f64, f64)> {
    let line = both(py, &x, &y)?.line_of_y();
    line.ok_or_else(|| refused("x: all numbers are the same"))
}

fn both(
    py: Python<'_>,
    x: &Numbers<'_>,
    y: &Numbers<'_>,
) -> PyResult<analytics::kernels::CoMoments> {
    let (x, y) = (flat("x", x)?, flat("y", y)?);
    same_length("y", y.len(), "x", x.len())?;
    let found = aside(py, x.len(), || Backend::best().co_moments(&x, &y));
    found.ok_or_else(|| refused(format!("x: {TOO_FEW}")))
}

/// The least and the greatest number.
#[pyfunction]
pub(crate) fn extremes(py: Python<'_>, x: Numbers<'_>) -> PyResult<(f64, f64)> {
    let x = flat("x", &x)?;
    let found = aside(py, x.len(), || Backend::best().extremes(&x));
    let found = found.ok_or_else(|| refused(format!("x: {TOO_FEW}")))?;
    Ok((found.min, found.max))
}

/// The volume-weighted average price.
#[pyfunction]
pub(crate) fn vwap(py: Python<'_>, prices: Numbers<'_>, volumes: Numbers<'_>) -> PyResult<f64> {
    let (prices, volumes) = (flat("prices", &prices)?, flat("volumes", &volumes)?);
    same_length("volumes", volumes.len(), "prices", prices.len())?;
    let found = aside(py, prices.len(), || Backend::best().vwap(&prices, &volumes));
    found.ok_or_else(|| refused("volumes: nothing was traded"))
}

/// From each price to the next one: next / last - 1, or its logarithm.
#[pyfunction]
#[pyo3(signature = (prices, *, log=false))]
pub(crate) fn returns(
    py: Python<'_>,
    prices: Numbers<'_>,
    log: bool,
) -> PyResult<Py<PyArray1<f64>>> {
    let prices = flat("prices", &prices)?;
    let kind = if log { Returns::Log } else { Returns::Simple };
    let mut found = vec![0.0; prices.len().saturating_sub(1)];
    aside(py, prices.len(), || kind.series(&prices, &mut found));
    Ok(row(py, found))
}

/// What trades come to; prices are in ticks.
#[pyclass(frozen, get_all, module = "wirecross.kernels")]
pub(crate) struct Bar {
    /// Price of the first trade.
    open: u32,
    /// The highest price.
    high: u32,
    /// The lowest price.
    low: u32,
    /// Price of the last trade.
    close: u32,
    /// Units traded.
    volume: u64,
    /// Ticks times units, exact.
    value: u128,
    /// Trades.
    count: u64,
    /// The volume-weighted average price, rounded once.
    vwap: f64,
}

/// The bar of trades: prices in ticks and units, both arrays of uint32.
#[pyfunction]
pub(crate) fn bar(
    py: Python<'_>,
    prices: PyReadonlyArray1<'_, u32>,
    units: PyReadonlyArray1<'_, u32>,
) -> PyResult<Bar> {
    let (prices, units) = (flat("prices", &prices)?, flat("units", &units)?);
    same_length("units", units.len(), "prices", prices.len())?;
    let found = aside(py, prices.len(), || Backend::best().bar(&prices, &units));
    let found = found.ok_or_else(|| refused(format!("prices: {TOO_FEW}")))?;
    Ok(Bar {
        open: found.open,
        high: found.high,
        low: found.low,
        close: found.close,
        volume: found.volume,
        value: found.value,
        count: found.count,
        vwap: found.vwap(),
    })
}
