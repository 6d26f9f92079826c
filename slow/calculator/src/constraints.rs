//! Constraints of `optimise`: sectors and exposures from a table, turnover, costs of trading.

use std::path::{Path, PathBuf};

use clap::Args;
use quant::portfolio::{
    Constrained, ConstrainedSolution, Constraint, MeanVariance, Method, Trading, Unsolved,
};
use serde_json::{Map, Value, json};

use crate::Refused;
use crate::answer::{columns, percent};
use crate::market::Market;
use crate::portfolio::{Found, Goal};
use crate::rows::Rows;

/// What --target is called among constraints.
const TARGET: &str = "--target";

/// What weights have to fulfil beside their bounds.
#[derive(Debug, Args)]
#[command(next_help_heading = "Constraints, with --goal variance and utility")]
pub(crate) struct Limits {
    /// Sectors, exposures: rows of a name, the least and the most, and how much each asset counts.
    ///
    /// The first line names the columns: name, lower, upper, and assets. Weights times what is in
    /// their columns add up to something between lower and upper; an empty limit is none, both
    /// alike are an equality, and an asset without a number, or without a column, counts 0.
    #[arg(long, value_name = "FILE.csv")]
    constraints: Option<PathBuf>,
    /// What is held now: rows of a name and a weight. All else is not held.
    #[arg(long, value_name = "FILE.csv")]
    held: Option<PathBuf>,
    /// The most that may be bought and sold together: 0.2 moves a tenth from some to others.
    #[arg(
        long,
        value_name = "PART",
        requires = "held",
        allow_negative_numbers = true
    )]
    turnover: Option<f64>,
    /// What buying or selling costs, in hundredths of a per cent of what is traded, with --goal
    /// utility: it lessens the return of a period.
    #[arg(
        long,
        value_name = "BP",
        requires = "held",
        allow_negative_numbers = true
    )]
    cost_bp: Option<f64>,
}

/// A row of the table.
struct Given {
    name: String,
    coefficients: Vec<f64>,
    lower: f64,
    upper: f64,
}

/// How constraints and turnover came out.
pub(crate) struct Reached {
    /// Names, values, lower and upper limits, multipliers.
    rows: Vec<(String, f64, [f64; 2], f64)>,
    /// What is traded, what that costs, and what more of it would be worth.
    trading: Option<[f64; 3]>,
    method: &'static str,
}

impl Limits {
    pub fn are_none(&self) -> bool {
        self.constraints.is_none() && self.held.is_none()
    }

    /// Refuses what does not go together.
    pub fn fit(&self, goal: Goal) -> Result<(), Refused> {
        let refused = |what: &str| Err(Refused(what.into()));
        if !self.are_none() && !matches!(goal, Goal::Variance | Goal::Utility) {
            return refused("--constraints, --held: only with --goal variance and utility");
        }
        if self.cost_bp.is_some() && goal != Goal::Utility {
            return refused("--cost-bp: only with --goal utility, whose return it lessens");
        }
        if self.held.is_some() && self.turnover.is_none() && self.cost_bp.is_none() {
            return refused("--held: give --turnover or --cost-bp, too");
        }
        if self
            .turnover
            .is_some_and(|most| !(0.0..=1e6).contains(&most))
        {
            return refused("--turnover: between 0 and 1e6");
        }
        if self
            .cost_bp
            .is_some_and(|cost| !(0.0..=10_000.0).contains(&cost))
        {
            return refused("--cost-bp: between 0 and 10000");
        }
        Ok(())
    }

    pub fn solve(
        &self,
        market: &Market,
        portfolio: MeanVariance<'_>,
        target: Option<f64>,
    ) -> Result<Found, Refused> {
        let mut given = match &self.constraints {
            Some(file) => read(file, market)?,
            None => Vec::new(),
        };
        given.extend(target.map(|value| Given {
            name: TARGET.into(),
            coefficients: market.estimate.mean.clone(),
            lower: value,
            upper: value,
        }));
        let constraints = given.iter().map(|given| Constraint {
            name: &given.name,
            coefficients: &given.coefficients,
            lower: given.lower,
            upper: given.upper,
        });
        let held = self
            .held
            .as_ref()
            .map(|file| market.weights(file))
            .transpose()?;
        let cost = self.cost_bp.unwrap_or(0.0) * 1e-4;
        let trading = held.as_ref().map(|held| Trading {
            held,
            turnover: self.turnover.unwrap_or(f64::INFINITY),
            cost,
        });
        let problem = Constrained {
            covariance: portfolio.covariance,
            mean: portfolio.mean,
            aversion: portfolio.aversion,
            lower: portfolio.lower,
            upper: portfolio.upper,
            constraints: &constraints.collect::<Vec<_>>(),
            trading,
        };
        let solution = problem.solve().map_err(|why| match why {
            Unsolved::Fault(fault) => market.refused(fault),
            why => why.into(),
        })?;
        let reached = Reached::of(&given, &solution, trading.map(|trading| trading.cost));
        let proof = solution.proof;
        let mut parts = vec![
            ("sum misses 1 by", proof.budget),
            ("weights miss bounds by", proof.bound),
            ("constraints are missed by", proof.constraint),
        ];
        if self.turnover.is_some() {
            parts.push(("turnover is beyond its limit by", proof.turnover));
        }
        parts.extend([
            ("an asset could still gain", proof.stationarity),
            ("a limit that does not bind is worth", proof.slackness),
            ("the best is at most better by", proof.gap),
        ]);
        Ok(Found {
            weights: solution.weights,
            proof: parts,
            limits: Some(reached),
        })
    }
}

/// The table of constraints.
fn read(file: &Path, market: &Market) -> Result<Vec<Given>, Refused> {
    let rows = Rows::read(file, market, &["lower", "upper"])?;
    let limit = |limit: f64, none: f64| if limit.is_nan() { none } else { limit };
    let all = rows.each().enumerate().map(|(row, (name, coefficients))| {
        let [lower, upper] = [0, 1].map(|at| rows.taken[at][row]);
        Given {
            name,
            coefficients,
            lower: limit(lower, f64::NEG_INFINITY),
            upper: limit(upper, f64::INFINITY),
        }
    });
    Ok(all.collect())
}

impl Reached {
    fn of(given: &[Given], solution: &ConstrainedSolution, cost: Option<f64>) -> Self {
        let multipliers = solution.multipliers.iter().skip(1);
        let rows = given.iter().zip(multipliers).map(|(given, multiplier)| {
            let pairs = given.coefficients.iter().zip(&solution.weights);
            let value = pairs.map(|(c, w)| c * w).sum();
            (
                given.name.clone(),
                value,
                [given.lower, given.upper],
                *multiplier,
            )
        });
        let traded = solution.turnover;
        Self {
            rows: rows.collect(),
            trading: cost.map(|cost| [traded, cost * traded, solution.turnover_multiplier]),
            method: match solution.method {
                Method::ActiveSet => "active sets",
                Method::Settled => "interior point, then active sets",
                Method::Interior => "interior point",
            },
        }
    }

    /// Lines for people.
    pub fn facts(&self) -> Vec<(&'static str, String)> {
        let mut lines = Vec::new();
        if let Some([traded, cost, _]) = self.trading {
            lines.push(("bought and sold", percent(traded)));
            lines.push(("costs of that", percent(cost)));
        }
        lines.push(("found by", self.method.into()));
        lines
    }

    pub fn table(&self) -> String {
        if self.rows.is_empty() {
            return String::new();
        }
        let told = |x: f64| {
            if x.is_finite() {
                format!("{x:.6}")
            } else {
                "-".into()
            }
        };
        let row = |(name, value, [lower, upper], multiplier): &(String, f64, [f64; 2], f64)| {
            let multiplier = format!("{multiplier:.2e}");
            vec![
                name.clone(),
                told(*lower),
                told(*value),
                told(*upper),
                multiplier,
            ]
        };
        let rows: Vec<Vec<String>> = self.rows.iter().map(row).collect();
        let head = [
            "constraint",
            "lower",
            "value",
            "upper",
            "what one more would cost",
        ];
        columns(&head, &rows)
    }

    pub fn json(&self) -> Map<String, Value> {
        let limit = |x: f64| if x.is_finite() { json!(x) } else { Value::Null };
        let rows = self
            .rows
            .iter()
            .map(|(name, value, [lower, upper], multiplier)| {
                json!({
                    "name": name, "value": value, "multiplier": multiplier,
                    "lower": limit(*lower), "upper": limit(*upper),
                })
            });
        let mut json = Map::new();
        json.insert("constraints".into(), rows.collect());
        json.insert("method".into(), self.method.into());
        if let Some([traded, cost, multiplier]) = self.trading {
            json.insert("turnover".into(), json!(traded));
            json.insert("cost".into(), json!(cost));
            json.insert("turnover_multiplier".into(), json!(multiplier));
        }
        json
    }
}
