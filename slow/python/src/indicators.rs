//! `wirecross.kernels`: indicators with TA-Lib's conventions.

use analytics::indicators::{Atr, Bollinger, Candle, Ema, Indicator, Macd, OutOfRange, Rsi, Sma};
use numpy::PyArray1;
use pyo3::prelude::*;

use crate::arrays::{Numbers, aside, flat, refused, row, same_length};

type Series = Py<PyArray1<f64>>;

/// A value for each price, nan where there is none yet.
fn series<I>(py: Python<'_>, x: &Numbers<'_>, of: Result<I, OutOfRange>) -> PyResult<Series>
where
    I: Indicator<Input = f64, Output = f64> + Send,
{
    let (x, mut of) = (flat("x", x)?, of.map_err(refused)?);
    let mut values = vec![f64::NAN; x.len()];
    aside(py, x.len(), || of.series(&x, &mut values));
    Ok(row(py, values))
}

/// Three values for each input.
fn three<I>(
    py: Python<'_>,
    inputs: &[I::Input],
    of: Result<I, OutOfRange>,
    apart: impl Fn(I::Output) -> [f64; 3] + Sync,
) -> PyResult<(Series, Series, Series)>
where
    I: Indicator + Send,
    I::Input: Sync,
{
    let mut of = of.map_err(refused)?;
    let values = aside(py, inputs.len(), || {
        let mut values = [(); 3].map(|()| vec![f64::NAN; inputs.len()]);
        for (at, input) in inputs.iter().enumerate() {
            if let Some(found) = of.next(*input) {
                let places = values.iter_mut().zip(apart(found));
                places.for_each(|(values, value)| values[at] = value);
            }
        }
        values
    });
    let [first, second, third] = values.map(|values| row(py, values));
    Ok((first, second, third))
}

/// The exponential moving average.
#[pyfunction]
pub(crate) fn ema(py: Python<'_>, x: Numbers<'_>, period: usize) -> PyResult<Series> {
    series(py, &x, Ema::new(period))
}

/// The moving average.
#[pyfunction]
pub(crate) fn sma(py: Python<'_>, x: Numbers<'_>, period: usize) -> PyResult<Series> {
    series(py, &x, Sma::new(period))
}

/// Wilder's relative strength index.
#[pyfunction]
#[pyo3(signature = (x, period=14))]
pub(crate) fn rsi(py: Python<'_>, x: Numbers<'_>, period: usize) -> PyResult<Series> {
    series(py, &x, Rsi::new(period))
}

/// MACD, its signal, and the first less the second.
#[pyfunction]
#[pyo3(signature = (x, fast=12, slow=26, signal=9))]
pub(crate) fn macd(
    py: Python<'_>,
    x: Numbers<'_>,
    fast: usize,
    slow: usize,
    signal: usize,
) -> PyResult<(Series, Series, Series)> {
    let x = flat("x", &x)?;
    three(py, &x, Macd::new(fast, slow, signal), |found| {
        [found.macd, found.signal, found.histogram]
    })
}

/// Bollinger's upper, middle and lower band.
#[pyfunction]
#[pyo3(signature = (x, period=20, width=2.0))]
pub(crate) fn bollinger(
    py: Python<'_>,
    x: Numbers<'_>,
    period: usize,
    width: f64,
) -> PyResult<(Series, Series, Series)> {
    let x = flat("x", &x)?;
    three(py, &x, Bollinger::new(period, width), |found| {
        [found.upper, found.middle, found.lower]
    })
}

/// Wilder's average true range.
#[pyfunction]
#[pyo3(signature = (high, low, close, period=14))]
pub(crate) fn atr(
    py: Python<'_>,
    high: Numbers<'_>,
    low: Numbers<'_>,
    close: Numbers<'_>,
    period: usize,
) -> PyResult<Series> {
    let (high, low) = (flat("high", &high)?, flat("low", &low)?);
    let close = flat("close", &close)?;
    same_length("low", low.len(), "high", high.len())?;
    same_length("close", close.len(), "high", high.len())?;
    let mut atr = Atr::new(period).map_err(refused)?;
    let mut values = vec![f64::NAN; close.len()];
    aside(py, values.len(), || {
        let bars = high.iter().zip(low.iter()).zip(close.iter());
        for (value, ((high, low), close)) in values.iter_mut().zip(bars) {
            let candle = Candle {
                high: *high,
                low: *low,
                close: *close,
            };
            *value = atr.next(candle).unwrap_or(f64::NAN);
        }
    });
    Ok(row(py, values))
}
