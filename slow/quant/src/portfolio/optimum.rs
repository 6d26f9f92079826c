//! The portfolio of least `aversion / 2 * variance - return`, and how near it is to the best.

use super::covariance::Covariance;
use super::pivoting::{Program, State};
use crate::Fault;
use crate::fault::{same_length, series, within};

/// The most of an asset, long or short.
pub const WEIGHT_MAX: f64 = 1e6;
/// What is asked for may be so much beyond what can be reached, of the largest number: rounding.
const NEAR: f64 = 1e-9;
/// The most equalities beside the budget.
const EQUALITIES_MAX: usize = 64;

/// `coefficients * weights = value`.
#[derive(Clone, Copy, Debug)]
pub struct Equality<'a> {
    /// One for each asset.
    pub coefficients: &'a [f64],
    /// What they come to.
    pub value: f64,
}

/// The least of `aversion / 2 * w'Sw - mean'w` with weights that add up to 1, within bounds, and
/// with further equalities: a target return, exposures.
#[derive(Clone, Copy, Debug)]
pub struct MeanVariance<'a> {
    /// S.
    pub covariance: &'a Covariance<'a>,
    /// Expected returns; none for the least variance.
    pub mean: &'a [f64],
    /// How much a variance counts against a return: above 0.
    pub aversion: f64,
    /// The least of each asset.
    pub lower: &'a [f64],
    /// The most of each asset.
    pub upper: &'a [f64],
    /// Beside the budget.
    pub equalities: &'a [Equality<'a>],
}

/// A portfolio, and the proof that it is the best.
#[derive(Clone, Debug, PartialEq)]
pub struct Solution {
    /// How much of each asset.
    pub weights: Vec<f64>,
    /// How much the objective would change with the budget, and with each equality.
    pub multipliers: Vec<f64>,
    /// Sets of assets that were tried.
    pub steps: usize,
    /// How near it is.
    pub certificate: Certificate,
}

/// How near a portfolio is to the best one. Computed from the weights alone, whatever found them.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Certificate {
    /// By how much the weights miss 1, or an equality its value, at worst.
    pub equality: f64,
    /// By how much a weight is outside its bounds, at worst.
    pub bound: f64,
    /// The worst of what an asset could still gain and how far it could still move: the lesser of
    /// its reduced gradient and the way to its bound.
    pub stationarity: f64,
    /// By how much the objective may be above the best at most: reduced gradients times ways to
    /// bounds.
    pub gap: f64,
}

impl MeanVariance<'_> {
    /// Finds it. With `start`, weights near the answer, it is found sooner.
    ///
    /// # Errors
    /// Lengths that do not go together; numbers that are none; bounds beyond [`WEIGHT_MAX`], that
    /// cross, or between which no weights add up to 1; a covariance in which an asset follows from
    /// others that are held; equalities that nothing fulfils, `Outside` with what can be reached if
    /// that is known of one alone.
    pub fn solve(&self, start: Option<&[f64]>) -> Result<Solution, Fault> {
        self.check()?;
        let count = self.covariance.count();
        let ones = vec![1.0; count];
        let mut rows = vec![(&ones[..], 1.0)];
        rows.extend(
            self.equalities
                .iter()
                .map(|row| (row.coefficients, row.value)),
        );
        let pull = if self.mean.is_empty() {
            vec![0.0; count]
        } else {
            self.mean.iter().map(|mean| mean / self.aversion).collect()
        };
        let program = Program {
            covariance: self.covariance,
            pull,
            aversion: self.aversion,
            lower: self.lower,
            upper: self.upper,
            equalities: rows,
        };
        let states = match start {
            Some(weights) => {
                series("start", weights, 0)?;
                same_length("start", weights.len(), count)?;
                program.near(weights)
            }
            None => program.cold(),
        };
        program.solve(states)
    }

    pub(super) fn check(&self) -> Result<(), Fault> {
        let count = self.covariance.count();
        if !self.mean.is_empty() {
            series("mean", self.mean, 0)?;
            same_length("mean", self.mean.len(), count)?;
        }
        within("aversion", self.aversion, 1e-12, 1e12)?;
        same_length("lower", self.lower.len(), count)?;
        same_length("upper", self.upper.len(), count)?;
        for (lower, upper) in self.lower.iter().zip(self.upper) {
            within("lower", *lower, -WEIGHT_MAX, WEIGHT_MAX)?;
            within("upper", *upper, *lower, WEIGHT_MAX)?;
        }
        let [least, most] = [self.lower, self.upper].map(|bounds| bounds.iter().sum::<f64>());
        // Bounds of 1 / count each may miss 1 by their rounding.
        let rounding = f64::EPSILON * count as f64;
        within("sum of lower bounds", least, f64::MIN, 1.0 + rounding)?;
        within("sum of upper bounds", most, 1.0 - rounding, f64::MAX)?;
        within(
            "equalities",
            self.equalities.len() as f64,
            0.0,
            EQUALITIES_MAX as f64,
        )?;
        for row in self.equalities {
            series("equality", row.coefficients, 0)?;
            series("equality's value", &[row.value], 1)?;
            same_length("equality", row.coefficients.len(), count)?;
            let largest = |most: f64, c: &f64| most.max(c.abs());
            let size = row.coefficients.iter().fold(row.value.abs(), largest);
            let [least, most] = reach(row.coefficients, self.lower, self.upper);
            if !(least - NEAR * size..=most + NEAR * size).contains(&row.value) {
                within("equality's value", row.value, least, most)?;
            }
        }
        Ok(())
    }
}

/// The least and the most that coefficients come to with weights that add up to 1 in bounds.
pub(super) fn reach(coefficients: &[f64], lower: &[f64], upper: &[f64]) -> [f64; 2] {
    let mut order: Vec<usize> = (0..coefficients.len()).collect();
    order.sort_by(|a, b| coefficients[*a].total_cmp(&coefficients[*b]));
    let lowest: f64 = coefficients.iter().zip(lower).map(|(c, w)| c * w).sum();
    let room = 1.0 - lower.iter().sum::<f64>();
    let filled = |order: &mut dyn Iterator<Item = &usize>| {
        let (mut value, mut room) = (lowest, room);
        for asset in order {
            let more = (upper[*asset] - lower[*asset]).min(room).max(0.0);
            value += coefficients[*asset] * more;
            room -= more;
        }
        value
    };
    [filled(&mut order.iter()), filled(&mut order.iter().rev())]
}

/// The long-only portfolio with the most return above `riskless` for its deviation: the least of
/// `y'Sy / 2 - (mean - riskless)'y` over `y >= 0`, scaled to 1. Its certificate is that of `y`.
///
/// # Errors
/// Lengths that do not go together, numbers that are none, no asset that returns more than
/// `riskless`, a covariance in which an asset follows from others that are held.
pub fn max_sharpe(
    covariance: &Covariance<'_>,
    mean: &[f64],
    riskless: f64,
    start: Option<&[f64]>,
) -> Result<Solution, Fault> {
    let count = covariance.count();
    series("mean", mean, 0)?;
    same_length("mean", mean.len(), count)?;
    series("riskless", &[riskless], 1)?;
    let excess: Vec<f64> = mean.iter().map(|mean| mean - riskless).collect();
    let best = excess.iter().copied().fold(f64::MIN, f64::max);
    within(
        "greatest return above riskless",
        best,
        f64::MIN_POSITIVE,
        f64::MAX,
    )?;
    let (lower, upper) = (vec![0.0; count], vec![f64::INFINITY; count]);
    let program = Program {
        covariance,
        pull: excess,
        aversion: 1.0,
        lower: &lower,
        upper: &upper,
        equalities: Vec::new(),
    };
    let states = match start {
        Some(weights) => {
            series("start", weights, 0)?;
            same_length("start", weights.len(), count)?;
            program.near(weights)
        }
        None => program.cold(),
    };
    debug_assert!(states.iter().all(|state| *state != State::Upper));
    let mut solution = program.solve(states)?;
    let whole: f64 = solution.weights.iter().sum();
    solution
        .weights
        .iter_mut()
        .for_each(|weight| *weight /= whole);
    Ok(solution)
}
