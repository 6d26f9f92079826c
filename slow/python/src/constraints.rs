//! `wirecross.portfolio`: portfolios within constraints, a limit on turnover, and costs.

use std::borrow::Cow;

use numpy::{PyArray1, PyUntypedArrayMethods};
use pyo3::prelude::*;
use quant::portfolio::{Constrained, Constraint, Method, Trading};

use crate::arrays::{Each, Numbers, Table, flat, refused, row, same_length};
use crate::portfolio::{Moves, optional};

/// A portfolio within constraints, and the proof that it is the best.
#[pyclass(frozen, get_all, module = "wirecross.portfolio")]
pub(crate) struct ConstrainedSolution {
    /// How much of each asset.
    weights: Py<PyArray1<f64>>,
    /// How much the objective would change with the budget, and with the limit of each constraint
    /// that binds.
    multipliers: Py<PyArray1<f64>>,
    /// What is bought and sold together.
    turnover: f64,
    /// How much the objective would fall with the limit on turnover.
    turnover_multiplier: f64,
    /// What found it: "active-set", "settled" or "interior".
    method: &'static str,
    /// By how much the weights miss 1.
    budget: f64,
    /// By how much a constraint is missed, at worst.
    constraint: f64,
    /// By how much a weight is outside its bounds, at worst.
    bound: f64,
    /// By how much turnover is beyond its limit.
    turnover_beyond: f64,
    /// The worst of how far an asset would move by its reduced gradient and the cost of trading.
    stationarity: f64,
    /// The worst of what a limit is worth and how far it is away: the lesser of both.
    slackness: f64,
    /// By how much the objective may be above the best at most.
    gap: f64,
}

impl ConstrainedSolution {
    fn new(py: Python<'_>, found: quant::portfolio::ConstrainedSolution) -> Self {
        let proof = found.proof;
        Self {
            weights: row(py, found.weights),
            multipliers: row(py, found.multipliers),
            turnover: found.turnover,
            turnover_multiplier: found.turnover_multiplier,
            method: match found.method {
                Method::ActiveSet => "active-set",
                Method::Settled => "settled",
                Method::Interior => "interior",
            },
            budget: proof.budget,
            constraint: proof.constraint,
            bound: proof.bound,
            turnover_beyond: proof.turnover,
            stationarity: proof.stationarity,
            slackness: proof.slackness,
            gap: proof.gap,
        }
    }
}

/// What is between two limits: rows of coefficients, lower and upper limits.
type Given<'py> = (Table<'py>, Each<'py>, Each<'py>);

/// The rows of constraints, as they lie in memory.
struct Rows<'a> {
    coefficients: Cow<'a, [f64]>,
    lower: Cow<'a, [f64]>,
    upper: Cow<'a, [f64]>,
    names: Vec<String>,
}

impl<'a> Rows<'a> {
    fn of(
        given: Option<&'a Given<'_>>,
        names: Option<Vec<String>>,
        assets: usize,
    ) -> PyResult<Self> {
        let Some((table, lower, upper)) = given else {
            return Ok(Self {
                coefficients: Cow::Borrowed(&[]),
                lower: Cow::Borrowed(&[]),
                upper: Cow::Borrowed(&[]),
                names: names.unwrap_or_default(),
            })
            .and_then(|rows| rows.named(0));
        };
        let [count, width] = [table.shape()[0], table.shape()[1]];
        if width != assets {
            let what = format!("constraints: rows of {width} numbers, there are {assets} assets");
            return Err(refused(what));
        }
        let all = (0..count).map(|at| format!("constraint {at}"));
        let rows = Self {
            coefficients: flat("constraints", table)?,
            lower: lower.numbers("constraints: lower", count)?,
            upper: upper.numbers("constraints: upper", count)?,
            names: names.unwrap_or_else(|| all.collect()),
        };
        rows.named(count)
    }

    fn named(self, count: usize) -> PyResult<Self> {
        for (what, found) in [
            ("constraints: lower", self.lower.len()),
            ("constraints: upper", self.upper.len()),
            ("names", self.names.len()),
        ] {
            same_length(what, found, "constraints", count)?;
        }
        Ok(self)
    }

    fn constraints(&self, assets: usize) -> Vec<Constraint<'_>> {
        let of = |at: usize| Constraint {
            name: &self.names[at],
            coefficients: &self.coefficients[at * assets..][..assets],
            lower: self.lower[at],
            upper: self.upper[at],
        };
        (0..self.names.len()).map(of).collect()
    }
}

/// The least of aversion / 2 * w'Sw - mean'w + cost * |w - held| with weights that add up to 1,
/// within bounds and constraints.
///
/// covariance: a matrix, or (loadings, variances of factors, variances of assets' own); mean: none
/// for the least variance; lower, upper: a number or one for each asset; constraints: (rows of
/// coefficients, lower limits, upper limits), limits a number or one for each row, infinite for
/// none, both alike for an equality; names: of the constraints, by which they are blamed; held: the
/// weights now; turnover: the most that is bought and sold together, none for no limit; cost: of
/// what is traded, in parts of it.
#[pyfunction]
#[pyo3(signature = (covariance, mean=None, *, aversion=1.0, lower=Each::All(0.0),
    upper=Each::All(1.0), constraints=None, names=None, held=None, turnover=None, cost=0.0),
    text_signature = "(covariance, mean=None, *, aversion=1.0, lower=0.0, upper=1.0, \
    constraints=None, names=None, held=None, turnover=None, cost=0.0)")]
#[expect(clippy::too_many_arguments, reason = "by name, as Python has them")]
pub(crate) fn constrained(
    py: Python<'_>,
    covariance: Moves<'_>,
    mean: Option<Numbers<'_>>,
    aversion: f64,
    lower: Each<'_>,
    upper: Each<'_>,
    constraints: Option<Given<'_>>,
    names: Option<Vec<String>>,
    held: Option<Numbers<'_>>,
    turnover: Option<f64>,
    cost: f64,
) -> PyResult<ConstrainedSolution> {
    let count = covariance.count();
    let (lower, upper) = (
        lower.numbers("lower", count)?,
        upper.numbers("upper", count)?,
    );
    let mean = optional("mean", mean.as_ref())?;
    let rows = Rows::of(constraints.as_ref(), names, count)?;
    if held.is_none() && (turnover.is_some() || cost != 0.0) {
        return Err(refused("held: turnover and cost need what is held"));
    }
    let held = optional("held", held.as_ref())?;
    let found = covariance.work(py, |covariance| {
        let program = Constrained {
            covariance,
            mean: mean.as_deref().unwrap_or(&[]),
            aversion,
            lower: &lower,
            upper: &upper,
            constraints: &rows.constraints(count),
            trading: held.as_deref().map(|held| Trading {
                held,
                turnover: turnover.unwrap_or(f64::INFINITY),
                cost,
            }),
        };
        program.solve()
    })?;
    Ok(ConstrainedSolution::new(py, found))
}
