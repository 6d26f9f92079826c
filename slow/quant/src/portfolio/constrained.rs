//! Portfolios with sectors, exposures, a limit on turnover and costs of trading.
//!
//! Where few inequalities bind and trading is free, they are equalities of the quick search, found
//! by turns. All else goes to an interior-point method, and what that leaves open by its tolerance
//! is settled by the quick search, on the side of each limit where it ended.

use std::error::Error;
use std::fmt::{self, Display, Formatter};

use super::covariance::Covariance;
use super::optimum::MeanVariance;
use super::proof::{Candidate, Proof};
use super::task::Task;
use crate::Fault;

/// `lower <= coefficients * weights <= upper`: a sector, an exposure, a target return.
#[derive(Clone, Copy, Debug)]
pub struct Constraint<'a> {
    /// What it is called where it is at fault.
    pub name: &'a str,
    /// One for each asset.
    pub coefficients: &'a [f64],
    /// Minus infinity for none.
    pub lower: f64,
    /// Infinity for none; `lower` for an equality.
    pub upper: f64,
}

/// What is held now, and what leaving it takes.
#[derive(Clone, Copy, Debug)]
pub struct Trading<'a> {
    /// The weights that are held.
    pub held: &'a [f64],
    /// The most that may be bought and sold together, of the whole; infinity for no limit.
    pub turnover: f64,
    /// What buying or selling costs, of what is traded: it lessens the return.
    pub cost: f64,
}

/// The least of `aversion / 2 * w'Sw - mean'w + cost * |w - held|` with weights that add up to 1,
/// within bounds and constraints.
#[derive(Clone, Copy, Debug)]
pub struct Constrained<'a> {
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
    pub constraints: &'a [Constraint<'a>],
    /// None if trading is free.
    pub trading: Option<Trading<'a>>,
}

/// What found a portfolio.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Method {
    /// The search for active sets alone.
    ActiveSet,
    /// An interior-point method, and the search for active sets from where it ended.
    Settled,
    /// An interior-point method.
    Interior,
}

/// A portfolio within constraints, and the proof that it is the best.
#[derive(Clone, Debug, PartialEq)]
pub struct ConstrainedSolution {
    /// How much of each asset.
    pub weights: Vec<f64>,
    /// How much the objective would change with the budget, and with the limit of each constraint
    /// that binds.
    pub multipliers: Vec<f64>,
    /// How much the objective would fall with the limit on turnover.
    pub turnover_multiplier: f64,
    /// What is bought and sold together.
    pub turnover: f64,
    /// What found it.
    pub method: Method,
    /// How near it is.
    pub proof: Proof,
}

/// Why there is no portfolio.
#[derive(Clone, Debug, PartialEq)]
pub enum Unsolved {
    /// An argument is wrong.
    Fault(Fault),
    /// A constraint cannot be used.
    Constraint {
        /// Its name.
        name: String,
        /// What is wrong with it.
        what: String,
    },
    /// No weights fulfil all of these, the budget and the bounds: it was proved.
    Contradiction {
        /// Constraints.
        names: Vec<String>,
        /// Whether the limit on turnover is one of them.
        turnover: bool,
    },
    /// None was found that could be proved to be near the best.
    Unsettled {
        /// How far the best one that was found misses, of the scale of the program.
        miss: f64,
    },
}

impl Display for Unsolved {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::Fault(fault) => fault.fmt(f),
            Self::Constraint { name, what } => write!(f, "constraint {name:?}: {what}"),
            Self::Contradiction { names, turnover } => {
                let mut all: Vec<String> = names.iter().map(|name| format!("{name:?}")).collect();
                if *turnover {
                    all.push("the limit on turnover".into());
                }
                let all = all.join(", ");
                write!(
                    f,
                    "no weights that add up to 1 within their bounds fulfil {all} together"
                )
            }
            Self::Unsettled { miss } => write!(
                f,
                "no portfolio could be proved to be the best: limits may contradict each other \
                 by a hair, or numbers differ too much in size (off by {miss:.0e})"
            ),
        }
    }
}

impl Error for Unsolved {}

impl From<Fault> for Unsolved {
    fn from(fault: Fault) -> Self {
        Self::Fault(fault)
    }
}

impl Constrained<'_> {
    /// Finds it.
    ///
    /// # Errors
    /// Inputs that [`MeanVariance::solve`] refuses; a constraint that no weights can fulfil, alone
    /// or with others, that says the same as another one or as the budget, or that has no limit; a
    /// covariance in which an asset follows from others.
    pub fn solve(&self) -> Result<ConstrainedSolution, Unsolved> {
        let zeros = vec![0.0; self.covariance.count()];
        let mean = if self.mean.is_empty() {
            &zeros
        } else {
            self.mean
        };
        let portfolio = MeanVariance {
            covariance: self.covariance,
            mean,
            aversion: self.aversion,
            lower: self.lower,
            upper: self.upper,
            equalities: &[],
        };
        portfolio.check()?;
        let task = Task::new(portfolio, self.constraints, self.trading)?;
        let found = match task.by_turns()? {
            Some(found) => found,
            None => task.by_interior(self.constraints)?,
        };
        Ok(self.solution(&task, found))
    }

    fn solution(&self, task: &Task<'_>, found: Candidate) -> ConstrainedSolution {
        let (proof, _) = task.prove(&found);
        let turnover = self.trading.map_or(0.0, |trading| {
            let pairs = found.weights.iter().zip(trading.held);
            pairs.map(|(weight, held)| (weight - held).abs()).sum()
        });
        ConstrainedSolution {
            weights: found.weights,
            multipliers: found.multipliers,
            turnover_multiplier: found.turnover,
            turnover,
            method: found.method,
            proof,
        }
    }
}
