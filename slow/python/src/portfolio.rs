//! `wirecross.portfolio`: what to hold.

use std::borrow::Cow;
use std::fmt::Display;

use numpy::{PyArray1, PyArray2, PyUntypedArrayMethods};
use pyo3::prelude::*;
use quant::Fault;
use quant::portfolio::{
    Covariance, Equality, MeanVariance, Target, View, frontier_watched, ledoit_wolf, pairwise,
    sample, weighted,
};

use crate::arrays::{Each, Numbers, Table, flat, refused, row, rows};
use crate::interrupted::Interrupted;

/// Corners of a frontier after which Python is asked whether it was interrupted.
const CORNERS: u64 = 16;

/// How assets move together.
#[derive(FromPyObject)]
pub(crate) enum Moves<'py> {
    /// Loadings (assets by factors), variances of factors, variances of assets' own.
    #[pyo3(transparent, annotation = "(loadings, variances, specific)")]
    Factors((Table<'py>, Numbers<'py>, Numbers<'py>)),
    /// A matrix.
    #[pyo3(transparent, annotation = "matrix")]
    Dense(Table<'py>),
}

/// The numbers behind a covariance.
enum Held<'a> {
    Factors([Cow<'a, [f64]>; 3]),
    Dense(Cow<'a, [f64]>, usize),
}

impl Moves<'_> {
    fn held(&self) -> PyResult<Held<'_>> {
        match self {
            Self::Dense(matrix) => {
                let [count, columns] = [matrix.shape()[0], matrix.shape()[1]];
                if count != columns {
                    let what = format!("covariance: {count} rows of {columns} numbers: not square");
                    return Err(refused(what));
                }
                Ok(Held::Dense(flat("covariance", matrix)?, count))
            }
            Self::Factors((loadings, variances, specific)) => Ok(Held::Factors([
                flat("loadings", loadings)?,
                flat("variances", variances)?,
                flat("specific", specific)?,
            ])),
        }
    }

    /// Checks the numbers and works with them, beside Python.
    pub(crate) fn work<T: Send, E: From<Fault> + Display + Send>(
        &self,
        py: Python<'_>,
        work: impl FnOnce(&Covariance<'_>) -> Result<T, E> + Send,
    ) -> PyResult<T> {
        let held = self.held()?;
        let found = py.detach(|| {
            let covariance = match &held {
                Held::Dense(matrix, count) => Covariance::dense(matrix, *count),
                Held::Factors([loadings, variances, specific]) => {
                    Covariance::factors(loadings, variances, specific)
                }
            };
            work(&covariance?)
        });
        found.map_err(refused)
    }

    pub(crate) fn count(&self) -> usize {
        match self {
            Self::Dense(matrix) => matrix.shape()[0],
            Self::Factors((_, _, specific)) => specific.len(),
        }
    }
}

/// A portfolio, and the proof that it is the best.
#[pyclass(frozen, get_all, module = "wirecross.portfolio")]
pub(crate) struct Solution {
    /// How much of each asset.
    weights: Py<PyArray1<f64>>,
    /// How much the objective would change with the budget, and with each equality.
    multipliers: Py<PyArray1<f64>>,
    /// Sets of assets that were tried.
    steps: usize,
    /// By how much the weights miss 1, or an equality its value, at worst.
    equality: f64,
    /// By how much a weight is outside its bounds, at worst.
    bound: f64,
    /// The worst of what an asset could still gain and how far it could still move.
    stationarity: f64,
    /// By how much the objective may be above the best at most.
    gap: f64,
}

impl Solution {
    fn new(py: Python<'_>, found: quant::portfolio::Solution) -> Self {
        Self {
            weights: row(py, found.weights),
            multipliers: row(py, found.multipliers),
            steps: found.steps,
            equality: found.certificate.equality,
            bound: found.certificate.bound,
            stationarity: found.certificate.stationarity,
            gap: found.certificate.gap,
        }
    }
}

/// The least of aversion / 2 * w'Sw - mean'w with weights that add up to 1, within bounds.
///
/// covariance: a matrix, or (loadings, variances of factors, variances of assets' own); mean: none
/// for the least variance; lower, upper: a number or one for each asset; equalities: pairs of
/// coefficients and what they come to (a target return: (mean, 0.05)); start: weights near the
/// answer.
#[pyfunction]
#[pyo3(signature = (covariance, mean=None, *, aversion=1.0, lower=Each::All(0.0),
    upper=Each::All(1.0), equalities=vec![], start=None),
    text_signature = "(covariance, mean=None, *, aversion=1.0, lower=0.0, upper=1.0, \
    equalities=(), start=None)")]
#[expect(clippy::too_many_arguments, reason = "by name, as Python has them")]
pub(crate) fn optimise(
    py: Python<'_>,
    covariance: Moves<'_>,
    mean: Option<Numbers<'_>>,
    aversion: f64,
    lower: Each<'_>,
    upper: Each<'_>,
    equalities: Vec<(Numbers<'_>, f64)>,
    start: Option<Numbers<'_>>,
) -> PyResult<Solution> {
    let count = covariance.count();
    let (lower, upper) = (
        lower.numbers("lower", count)?,
        upper.numbers("upper", count)?,
    );
    let mean = optional("mean", mean.as_ref())?;
    let start = optional("start", start.as_ref())?;
    let rows: PyResult<Vec<_>> = equalities
        .iter()
        .map(|(coefficients, value)| Ok((flat("equality", coefficients)?, *value)))
        .collect();
    let rows = rows?;
    let found = covariance.work(py, |covariance| {
        let equalities: Vec<Equality<'_>> = rows
            .iter()
            .map(|(coefficients, value)| Equality {
                coefficients,
                value: *value,
            })
            .collect();
        let program = MeanVariance {
            covariance,
            mean: mean.as_deref().unwrap_or(&[]),
            aversion,
            lower: &lower,
            upper: &upper,
            equalities: &equalities,
        };
        program.solve(start.as_deref())
    })?;
    Ok(Solution::new(py, found))
}

pub(crate) fn optional<'a>(
    what: &str,
    numbers: Option<&'a Numbers<'_>>,
) -> PyResult<Option<Cow<'a, [f64]>>> {
    numbers.map(|numbers| flat(what, numbers)).transpose()
}

/// The long-only portfolio with the most return above `riskless` for its deviation.
#[pyfunction]
#[pyo3(signature = (covariance, mean, *, riskless=0.0, start=None))]
pub(crate) fn max_sharpe(
    py: Python<'_>,
    covariance: Moves<'_>,
    mean: Numbers<'_>,
    riskless: f64,
    start: Option<Numbers<'_>>,
) -> PyResult<Solution> {
    let (mean, start) = (flat("mean", &mean)?, optional("start", start.as_ref())?);
    let found = covariance.work(py, |covariance| {
        quant::portfolio::max_sharpe(covariance, &mean, riskless, start.as_deref())
    })?;
    Ok(Solution::new(py, found))
}

/// A portfolio whose assets make shares of the variance as budgets say.
#[pyclass(frozen, get_all, module = "wirecross.portfolio")]
pub(crate) struct Parity {
    /// How much of each asset.
    weights: Py<PyArray1<f64>>,
    /// By how much an asset's share of the variance misses what it was given, at worst.
    error: f64,
    /// Turns over all assets.
    turns: usize,
}

/// The long-only portfolio in which assets make shares of the variance in proportion to `budgets`;
/// without these, equal ones.
#[pyfunction]
#[pyo3(signature = (covariance, budgets=None))]
pub(crate) fn risk_parity(
    py: Python<'_>,
    covariance: Moves<'_>,
    budgets: Option<Numbers<'_>>,
) -> PyResult<Parity> {
    let budgets = match &budgets {
        Some(budgets) => flat("budgets", budgets)?,
        None => Cow::Owned(vec![1.0; covariance.count()]),
    };
    let found = covariance.work(py, |covariance| {
        quant::portfolio::risk_parity(covariance, &budgets)
    })?;
    Ok(Parity {
        weights: row(py, found.weights),
        error: found.error,
        turns: found.turns,
    })
}

/// The efficient portfolios, from the least variance to the greatest return.
#[pyclass(frozen, module = "wirecross.portfolio")]
pub(crate) struct Frontier(quant::portfolio::Frontier);

#[pymethods]
impl Frontier {
    /// The weights of the corners, one a row; between two of them weights are on a line.
    #[getter]
    fn weights(&self, py: Python<'_>) -> PyResult<Py<PyArray2<f64>>> {
        let corners = &self.0.corners;
        let width = corners.first().map_or(0, |corner| corner.weights.len());
        let all = corners.iter().flat_map(|corner| corner.weights.clone());
        rows(py, all.collect(), width)
    }

    /// What the corners are expected to return.
    #[getter]
    fn means(&self, py: Python<'_>) -> Py<PyArray1<f64>> {
        row(
            py,
            self.0.corners.iter().map(|corner| corner.mean).collect(),
        )
    }

    /// The variances of the corners.
    #[getter]
    fn variances(&self, py: Python<'_>) -> Py<PyArray1<f64>> {
        let all = self.0.corners.iter().map(|corner| corner.variance);
        row(py, all.collect())
    }

    /// Weights and variance of the efficient portfolio of a return.
    fn at_mean(&self, py: Python<'_>, mean: f64) -> PyResult<(Py<PyArray1<f64>>, f64)> {
        let found = self.0.at_mean(mean);
        let found = found.ok_or_else(|| refused(format!("mean: {mean} is above the greatest")));
        found.map(|(weights, variance)| (row(py, weights), variance))
    }

    fn __len__(&self) -> usize {
        self.0.corners.len()
    }
}

/// All efficient portfolios within bounds.
#[pyfunction]
#[pyo3(signature = (covariance, mean, *, lower=Each::All(0.0), upper=Each::All(1.0)),
    text_signature = "(covariance, mean, *, lower=0.0, upper=1.0)")]
pub(crate) fn frontier(
    py: Python<'_>,
    covariance: Moves<'_>,
    mean: Numbers<'_>,
    lower: Each<'_>,
    upper: Each<'_>,
) -> PyResult<Frontier> {
    let count = covariance.count();
    let (lower, upper) = (
        lower.numbers("lower", count)?,
        upper.numbers("upper", count)?,
    );
    let mean = flat("mean", &mean)?;
    let mut interrupted = Interrupted::every(CORNERS);
    let found = covariance.work(py, |covariance| {
        let watch = |_| interrupted.ask();
        Ok::<_, Fault>(frontier_watched(covariance, &mean, &lower, &upper, watch))
    })?;
    Ok(Frontier(interrupted.end(found)?))
}

/// Returns that make a market's weights the best ones.
#[pyfunction]
#[pyo3(signature = (covariance, weights, *, aversion=1.0))]
pub(crate) fn implied_mean(
    py: Python<'_>,
    covariance: Moves<'_>,
    weights: Numbers<'_>,
    aversion: f64,
) -> PyResult<Py<PyArray1<f64>>> {
    let weights = flat("weights", &weights)?;
    let found = covariance.work(py, |covariance| {
        quant::portfolio::implied_mean(covariance, &weights, aversion)
    })?;
    Ok(row(py, found))
}

/// Expected returns after views: (weights, expected return, variance of that) each.
#[pyfunction]
#[pyo3(signature = (covariance, prior, views, *, t=0.05))]
pub(crate) fn black_litterman(
    py: Python<'_>,
    covariance: Moves<'_>,
    prior: Numbers<'_>,
    views: Vec<(Numbers<'_>, f64, f64)>,
    t: f64,
) -> PyResult<Py<PyArray1<f64>>> {
    let prior = flat("prior", &prior)?;
    let views: PyResult<Vec<_>> = views
        .iter()
        .map(|(weights, mean, variance)| Ok((flat("view", weights)?, *mean, *variance)))
        .collect();
    let views = views?;
    let found = covariance.work(py, |covariance| {
        let views: Vec<View<'_>> = views
            .iter()
            .map(|(weights, mean, variance)| View {
                weights,
                mean: *mean,
                variance: *variance,
            })
            .collect();
        quant::portfolio::black_litterman(covariance, &prior, t, &views)
    })?;
    Ok(row(py, found))
}

/// Means and covariances of assets.
#[pyclass(frozen, get_all, module = "wirecross.portfolio")]
pub(crate) struct Estimate {
    /// Of each asset.
    mean: Py<PyArray1<f64>>,
    /// A matrix.
    covariance: Py<PyArray2<f64>>,
    /// How much of the target is in the matrix, from 0 to 1.
    shrinkage: f64,
}

/// Means and covariances from returns, a row for each period.
///
/// method: "ledoit-wolf", "constant-correlation", "sample", "weighted" (by `weight`, the latest
/// return's), "pairwise" (nan where one is missing).
#[pyfunction]
#[pyo3(signature = (returns, method="ledoit-wolf", *, weight=0.06))]
pub(crate) fn estimate(
    py: Python<'_>,
    returns: Table<'_>,
    method: &str,
    weight: f64,
) -> PyResult<Estimate> {
    let assets = returns.shape()[1];
    let returns = flat("returns", &returns)?;
    let found = py.detach(|| match method {
        "ledoit-wolf" => Some(ledoit_wolf(&returns, assets, Target::Identity)),
        "constant-correlation" => Some(ledoit_wolf(&returns, assets, Target::ConstantCorrelation)),
        "sample" => Some(sample(&returns, assets)),
        "weighted" => Some(weighted(&returns, assets, weight)),
        "pairwise" => Some(pairwise(&returns, assets)),
        _ => None,
    });
    let unknown = || {
        refused(format!(
            "method: {method:?} is none of ledoit-wolf, constant-correlation, sample, weighted, \
             pairwise"
        ))
    };
    let found = found.ok_or_else(unknown)?.map_err(refused)?;
    Ok(Estimate {
        mean: row(py, found.mean),
        covariance: rows(py, found.matrix, assets)?,
        shrinkage: found.shrinkage,
    })
}
