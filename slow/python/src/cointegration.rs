//! `wirecross.cointegration`: which series keep together.

use numpy::{PyArray1, PyUntypedArrayMethods};
use pyo3::prelude::*;
use quant::cointegration::{Criterion, Lags, PairScan, Trend};

use crate::arrays::{Numbers, Table, flat, refused, row};

/// How many lagged differences: a number, "aic" or "bic".
#[derive(FromPyObject)]
pub(crate) enum Wanted {
    #[pyo3(transparent, annotation = "number")]
    Fixed(usize),
    #[pyo3(transparent, annotation = "name")]
    Best(String),
}

impl Wanted {
    fn lags(&self) -> PyResult<Lags> {
        let best = |by| Ok(Lags::Best { by, most: None });
        match self {
            Self::Fixed(count) => Ok(Lags::Fixed(*count)),
            Self::Best(name) if name == "aic" => best(Criterion::Aic),
            Self::Best(name) if name == "bic" => best(Criterion::Bic),
            Self::Best(name) => Err(refused(format!(
                "lags: {name:?} is no number, and neither \"aic\" nor \"bic\""
            ))),
        }
    }
}

fn trend(name: &str) -> PyResult<Trend> {
    match name {
        "n" => Ok(Trend::None),
        "c" => Ok(Trend::Constant),
        "ct" => Ok(Trend::Linear),
        _ => Err(refused(format!("trend: {name:?} is none of n, c, ct"))),
    }
}

/// What Dickey and Fuller's test found.
#[pyclass(frozen, get_all, module = "wirecross.cointegration")]
pub(crate) struct Adf {
    /// The further below 0, the less a unit root.
    statistic: f64,
    /// The probability of a lesser one if there is a unit root.
    p_value: f64,
    /// Lagged differences that were used.
    lags: usize,
    /// Observations that were used.
    observations: usize,
    /// Critical values at 1, 5 and 10 %.
    critical: [f64; 3],
}

/// Does a series wander? trend: "n", "c" (a constant), "ct" (and a trend); lags: a number, "aic" or
/// "bic".
#[pyfunction]
#[pyo3(signature = (series, trend="c", lags=Wanted::Best("aic".into())),
    text_signature = "(series, trend='c', lags='aic')")]
pub(crate) fn adf(py: Python<'_>, series: Numbers<'_>, trend: &str, lags: Wanted) -> PyResult<Adf> {
    let series = flat("series", &series)?;
    let (trend, lags) = (self::trend(trend)?, lags.lags()?);
    let found = py.detach(|| quant::cointegration::adf(&series, trend, lags));
    let found = found.map_err(refused)?;
    Ok(Adf {
        statistic: found.statistic,
        p_value: found.p_value,
        lags: found.lags,
        observations: found.observations,
        critical: found.critical,
    })
}

/// What Engle and Granger's test found.
#[pyclass(frozen, get_all, module = "wirecross.cointegration")]
pub(crate) struct EngleGranger {
    /// The further below 0, the more the series keep together.
    statistic: f64,
    /// The probability of a lesser one if they do not; None for more than 6 series.
    p_value: Option<f64>,
    /// Critical values at 1, 5 and 10 %; None without a constant.
    critical: Option<[f64; 3]>,
    /// Lagged differences that were used.
    lags: usize,
    /// The constant, the trend, what to hold of each series of x.
    coefficients: Py<PyArray1<f64>>,
}

/// Does y keep together with x, a series or a list of them?
#[pyfunction]
#[pyo3(signature = (y, x, trend="c", lags=Wanted::Best("aic".into())),
    text_signature = "(y, x, trend='c', lags='aic')")]
pub(crate) fn engle_granger(
    py: Python<'_>,
    y: Numbers<'_>,
    x: Several<'_>,
    trend: &str,
    lags: Wanted,
) -> PyResult<EngleGranger> {
    let y = flat("y", &y)?;
    let xs: PyResult<Vec<_>> = x.each().iter().map(|x| flat("x", x)).collect();
    let xs = xs?;
    let (trend, lags) = (self::trend(trend)?, lags.lags()?);
    let found = py.detach(|| {
        let xs: Vec<&[f64]> = xs.iter().map(|x| &x[..]).collect();
        quant::cointegration::engle_granger(&y, &xs, trend, lags)
    });
    let found = found.map_err(refused)?;
    Ok(EngleGranger {
        statistic: found.statistic,
        p_value: found.p_value,
        critical: found.critical,
        lags: found.lags,
        coefficients: row(py, found.regression.coefficients),
    })
}

/// One series, or several.
#[derive(FromPyObject)]
pub(crate) enum Several<'py> {
    #[pyo3(transparent, annotation = "series")]
    One(Numbers<'py>),
    #[pyo3(transparent, annotation = "list of series")]
    All(Vec<Numbers<'py>>),
}

impl<'py> Several<'py> {
    fn each(&self) -> &[Numbers<'py>] {
        match self {
            Self::One(series) => std::slice::from_ref(series),
            Self::All(series) => series,
        }
    }
}

type Columns = (
    Py<PyArray1<i64>>,
    Py<PyArray1<i64>>,
    Py<PyArray1<f64>>,
    Py<PyArray1<f64>>,
);

/// Engle and Granger's statistic, with a constant, of all pairs of series, one a row: columns of
/// the first and the second one's number, of the statistic of the better way round, and of how much
/// of the other series to hold against one of the explained.
#[pyfunction]
#[pyo3(signature = (series, lags=1))]
pub(crate) fn scan(py: Python<'_>, series: Table<'_>, lags: usize) -> PyResult<Columns> {
    let length = series.shape()[1];
    let series = flat("series", &series)?;
    let found = py.detach(|| {
        let series: Vec<&[f64]> = series.chunks_exact(length.max(1)).collect();
        let mut found = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
        PairScan::new(&series, lags)?.run(|pair| {
            let [first, second] = pair.series.map(|series| series as i64);
            let [one, other] = pair.statistic;
            // The explained series stands first.
            let (from, to, at) = if one <= other {
                (first, second, 0)
            } else {
                (second, first, 1)
            };
            found.0.push(from);
            found.1.push(to);
            found.2.push(pair.statistic[at]);
            found.3.push(pair.hedge[at]);
        })?;
        Ok::<_, quant::Fault>(found)
    });
    let (from, to, statistic, hedge) = found.map_err(refused)?;
    let numbers = |numbers| PyArray1::from_vec(py, numbers).unbind();
    Ok((
        numbers(from),
        numbers(to),
        row(py, statistic),
        row(py, hedge),
    ))
}
