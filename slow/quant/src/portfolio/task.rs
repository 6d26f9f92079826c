//! Constraints that were checked, and portfolios within them by turns of the quick search.

use super::constrained::{Constraint, Method, Trading, Unsolved};
use super::covariance::Covariance;
use super::optimum::{Equality, MeanVariance, WEIGHT_MAX, reach};
use super::proof::Candidate;
use crate::Fault;
use crate::fault::{same_length, series, within};

/// The most constraints.
const CONSTRAINTS_MAX: usize = 256;
/// The least and greatest of a constraint's largest coefficient.
const SIZES: [f64; 2] = [1e-9, 1e9];
/// What is wrong with a portfolio may be so much, of the program's scale.
pub(super) const NEAR: f64 = 1e-12;
/// How often constraints change sides before it is left to the interior-point method.
const TURNS: usize = 24;

/// A constraint, or the budget.
#[derive(Clone, Copy)]
pub(super) struct Row<'a> {
    pub coefficients: &'a [f64],
    /// Without limits that nothing reaches.
    pub lower: f64,
    pub upper: f64,
    /// The largest coefficient.
    pub size: f64,
}

/// A program whose inputs have been checked; the first row is the budget.
pub(super) struct Task<'a> {
    pub covariance: &'a Covariance<'a>,
    pub mean: &'a [f64],
    pub aversion: f64,
    pub lower: &'a [f64],
    pub upper: &'a [f64],
    pub rows: Vec<Row<'a>>,
    /// If trading costs something or is limited.
    pub held: Option<&'a [f64]>,
    pub turnover: f64,
    pub cost: f64,
}

/// The side of what is held that an asset is on.
#[derive(Clone, Copy, PartialEq)]
pub(super) enum Side {
    Sold,
    Left,
    Bought,
}

impl<'a> Task<'a> {
    pub fn new(
        portfolio: MeanVariance<'a>,
        constraints: &'a [Constraint<'a>],
        trading: Option<Trading<'a>>,
    ) -> Result<Self, Unsolved> {
        let count = portfolio.covariance.count();
        within(
            "constraints",
            constraints.len() as f64,
            0.0,
            CONSTRAINTS_MAX as f64,
        )?;
        let mut task = Self {
            covariance: portfolio.covariance,
            mean: portfolio.mean,
            aversion: portfolio.aversion,
            lower: portfolio.lower,
            upper: portfolio.upper,
            rows: vec![Row {
                coefficients: ones(count),
                lower: 1.0,
                upper: 1.0,
                size: 1.0,
            }],
            held: None,
            turnover: f64::INFINITY,
            cost: 0.0,
        };
        for (at, constraint) in constraints.iter().enumerate() {
            let row = task.row(constraint, &constraints[..at])?;
            task.rows.push(row);
        }
        if let Some(trading) = trading {
            task.trade(trading)?;
        }
        Ok(task)
    }

    fn trade(&mut self, trading: Trading<'a>) -> Result<(), Fault> {
        series("held", trading.held, 0)?;
        same_length("held", trading.held.len(), self.mean.len())?;
        for held in trading.held {
            within("held", *held, -WEIGHT_MAX, WEIGHT_MAX)?;
        }
        within("turnover", trading.turnover, 0.0, f64::INFINITY)?;
        within("cost", trading.cost, 0.0, 1.0)?;
        if trading.cost > 0.0 || trading.turnover.is_finite() {
            self.held = Some(trading.held);
            (self.turnover, self.cost) = (trading.turnover, trading.cost);
        }
        Ok(())
    }

    fn row(
        &self,
        constraint: &Constraint<'a>,
        earlier: &[Constraint<'_>],
    ) -> Result<Row<'a>, Unsolved> {
        let Constraint {
            name,
            coefficients,
            lower,
            upper,
        } = *constraint;
        let refused = |what: String| Unsolved::Constraint {
            name: name.to_owned(),
            what,
        };
        same_length("constraint", coefficients.len(), self.mean.len())
            .and_then(|()| series("coefficients", coefficients, 0))
            .map_err(|fault| refused(fault.to_string()))?;
        let size = coefficients
            .iter()
            .fold(0.0f64, |most, c| most.max(c.abs()));
        if size == 0.0 {
            return Err(refused("all coefficients are 0".into()));
        }
        within("its largest coefficient", size, SIZES[0], SIZES[1])
            .map_err(|fault| refused(fault.to_string()))?;
        if lower.is_nan() || upper.is_nan() || lower > upper {
            return Err(refused(format!(
                "its lower limit {lower} is above its upper one {upper}"
            )));
        }
        if lower == f64::INFINITY || upper == f64::NEG_INFINITY {
            return Err(refused("a limit is infinite on the wrong side".into()));
        }
        if lower.is_infinite() && upper.is_infinite() {
            return Err(refused("it has neither a lower nor an upper limit".into()));
        }
        if earlier.iter().any(|other| other.name == name) {
            return Err(refused("there are two of this name".into()));
        }
        if is_same(coefficients, self.rows[0].coefficients) {
            let what = "all coefficients are the same, and weights add up to 1 anyway";
            return Err(refused(what.into()));
        }
        if let Some(other) = earlier
            .iter()
            .find(|other| is_same(coefficients, other.coefficients))
        {
            let what = "its coefficients are those of";
            return Err(refused(format!(
                "{what} {:?}, or multiples: make one of both",
                other.name
            )));
        }
        let [least, most] = reach(coefficients, self.lower, self.upper);
        let rounding = 1e-12 * size;
        if lower > most + rounding {
            return Err(refused(format!(
                "at least {lower} is asked for, weights within their bounds reach at most {most}"
            )));
        }
        if upper < least - rounding {
            return Err(refused(format!(
                "at most {upper} is asked for, weights within their bounds reach at least {least}"
            )));
        }
        let is_equality = lower == upper;
        let reached = |limit: f64, is_there: bool, none: f64| {
            if is_equality || is_there { limit } else { none }
        };
        Ok(Row {
            coefficients,
            lower: reached(lower, lower > least, f64::NEG_INFINITY),
            upper: reached(upper, upper < most, f64::INFINITY),
            size,
        })
    }

    /// The portfolio by the quick search, with inequalities that bind as equalities: what is broken
    /// joins them, what pulls the wrong way leaves. None if that does not end soon, or trading
    /// costs something.
    pub fn by_turns(&self) -> Result<Option<Candidate>, Fault> {
        if self.cost > 0.0 {
            return Ok(None);
        }
        let fixed = |row: &Row<'_>| (row.lower == row.upper).then_some(row.lower);
        let mut binding: Vec<Option<f64>> = self.rows.iter().map(fixed).collect();
        let mut start: Option<Vec<f64>> = None;
        for _ in 0..TURNS {
            let found = match self.settled(&binding, None, start.as_deref()) {
                Ok(found) => found,
                Err(
                    fault @ Fault::Collinear {
                        what: "covariance", ..
                    },
                ) => return Err(fault),
                Err(_) => return Ok(None),
            };
            if self.prove(&found).1 <= NEAR {
                return Ok(Some(found));
            }
            if !self.turn(&mut binding, &found) {
                return Ok(None);
            }
            start = Some(found.weights);
        }
        Ok(None)
    }

    /// Lets go of rows that pull the wrong way, and takes the one that is broken most.
    fn turn(&self, binding: &mut [Option<f64>], found: &Candidate) -> bool {
        let mut is_changed = false;
        let mut worst = (NEAR, None);
        for (at, row) in self.rows.iter().enumerate() {
            let multiplier = found.multipliers[at];
            let value = row.value(&found.weights);
            match binding[at] {
                Some(_) if row.lower == row.upper => {}
                Some(limit) if (limit == row.lower) != (multiplier > 0.0) => {
                    binding[at] = None;
                    is_changed = true;
                }
                None if row.miss(value) / row.size > worst.0 => {
                    let limit = if value < row.lower {
                        row.lower
                    } else {
                        row.upper
                    };
                    worst = (row.miss(value) / row.size, Some((at, limit)));
                }
                _ => {}
            }
        }
        if let (_, Some((at, limit))) = worst {
            binding[at] = Some(limit);
            is_changed = true;
        }
        is_changed
    }

    /// The portfolio whose rows bind as told, with assets on the sides of what is held as told;
    /// there the limit on turnover holds if it is told.
    pub fn settled(
        &self,
        binding: &[Option<f64>],
        sides: Option<(&[Side], bool)>,
        start: Option<&[f64]>,
    ) -> Result<Candidate, Fault> {
        let rows = self.rows.iter().zip(binding).skip(1);
        let rows = rows.filter_map(|(row, limit)| {
            limit.map(|value| Equality {
                coefficients: row.coefficients,
                value,
            })
        });
        let mut equalities: Vec<Equality<'_>> = rows.collect();
        let (mut mean, mut signs) = (self.mean.to_vec(), vec![0.0; self.mean.len()]);
        let (mut lower, mut upper) = (self.lower.to_vec(), self.upper.to_vec());
        let mut is_full = false;
        if let (Some((sides, full)), Some(held)) = (sides, self.held) {
            is_full = full;
            for (asset, side) in sides.iter().enumerate() {
                let held = held[asset];
                match side {
                    Side::Sold => upper[asset] = upper[asset].min(held),
                    Side::Bought => lower[asset] = lower[asset].max(held),
                    Side::Left => (lower[asset], upper[asset]) = (held, held),
                }
                signs[asset] = f64::from(*side as i8 - 1);
                mean[asset] -= self.cost * signs[asset];
            }
            if is_full {
                let before: f64 = signs.iter().zip(held).map(|(sign, held)| sign * held).sum();
                equalities.push(Equality {
                    coefficients: &signs,
                    value: self.turnover + before,
                });
            }
        }
        let portfolio = MeanVariance {
            covariance: self.covariance,
            mean: &mean,
            aversion: self.aversion,
            lower: &lower,
            upper: &upper,
            equalities: &equalities,
        };
        let found = portfolio.solve(start)?;
        let mut given = found.multipliers.into_iter();
        let own = binding
            .iter()
            .map(|limit| limit.and_then(|_| given.next()).unwrap_or(0.0));
        let multipliers = own.collect();
        let turnover = if is_full {
            -given.next().unwrap_or(0.0)
        } else {
            0.0
        };
        Ok(Candidate {
            weights: found.weights,
            multipliers,
            turnover,
            method: Method::ActiveSet,
        })
    }
}

/// Ones, for a budget.
fn ones<'a>(count: usize) -> &'a [f64] {
    static ONES: [f64; super::ASSETS_MAX] = [1.0; super::ASSETS_MAX];
    &ONES[..count]
}

/// Whether one is a multiple of the other.
fn is_same(xs: &[f64], ys: &[f64]) -> bool {
    let place = (0..xs.len()).max_by(|a, b| xs[*a].abs().total_cmp(&xs[*b].abs()));
    let Some(place) = place.filter(|place| ys[*place] != 0.0) else {
        return false;
    };
    let factor = ys[place] / xs[place];
    let near = 1e-12 * ys[place].abs();
    xs.iter()
        .zip(ys)
        .all(|(x, y)| (factor * x - y).abs() <= near)
}
