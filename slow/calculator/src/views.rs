//! What assets are expected to return, by those who do not leave that to the past alone: what a
//! market's weights imply, and views.

use std::path::PathBuf;

use clap::Args;
use quant::Fault;
use quant::portfolio::{Covariance, View, black_litterman, implied_mean};
use serde_json::{Map, Value, json};

use crate::Refused;
use crate::answer::{columns, percent};
use crate::market::Market;
use crate::rows::Rows;

/// Where expected returns come from.
#[derive(Debug, Args)]
#[command(next_help_heading = "Expected returns (Black and Litterman)")]
pub(crate) struct Expected {
    /// Views: rows of a name, a return, how sure that is, and how much of each asset has it.
    ///
    /// The first line names the columns: name, return, deviation, and assets. What is in the
    /// columns of assets is a portfolio that is expected to return so much in a period, 1 and -1
    /// for one asset above another; the deviation is that of this expectation, and where it is
    /// empty the view is as sure as what it changes. An asset without a number, or without a
    /// column, is not in it.
    #[arg(long, value_name = "FILE.csv")]
    views: Option<PathBuf>,
    /// A market: rows of a name and a weight. Returns are then those that make it the best for
    /// --aversion, and not those of the past.
    #[arg(long, value_name = "FILE.csv")]
    market: Option<PathBuf>,
    /// How unsure the returns are that views change, as a part of the covariance.
    #[arg(
        long,
        default_value_t = 0.05,
        requires = "views",
        value_name = "PART",
        allow_negative_numbers = true
    )]
    tau: f64,
}

/// A row of the table.
struct Given {
    name: String,
    weights: Vec<f64>,
    mean: f64,
    variance: f64,
}

/// Views, and what came of them.
pub(crate) struct Held {
    /// Name, and returns of a period: as it was said, before, and behind.
    rows: Vec<(String, [f64; 3])>,
    periods: f64,
}

impl Expected {
    /// Puts the expected returns in the place of those of the past; the views, if there are some.
    pub fn apply(&self, market: &mut Market, aversion: f64) -> Result<Option<Held>, Refused> {
        let count = market.assets();
        let covariance = Covariance::dense(&market.estimate.matrix, count)?;
        let prior = match &self.market {
            Some(file) => implied_mean(&covariance, &market.weights(file)?, aversion)?,
            None => market.estimate.mean.clone(),
        };
        let Some(file) = &self.views else {
            market.estimate.mean = prior;
            return Ok(None);
        };
        if !(1e-9..=1e3).contains(&self.tau) {
            return Err(Refused("--tau: between 1e-9 and 1000".into()));
        }
        let rows = Rows::read(file, market, &["return", "deviation"])?;
        let given = self.given(&rows, &covariance)?;
        let views: Vec<View<'_>> = given
            .iter()
            .map(|given| View {
                weights: &given.weights,
                mean: given.mean,
                variance: given.variance,
            })
            .collect();
        let found = black_litterman(&covariance, &prior, self.tau, &views);
        let mean = found.map_err(|fault| match fault {
            Fault::Collinear {
                what: "views",
                column,
            } => {
                let name = &given[column].name;
                rows.table.blame(&format!(
                    "view {name:?} follows from others that are as sure: leave it out, or give \
                     it a deviation"
                ))
            }
            fault => rows.table.blame(&fault.to_string()),
        })?;
        let of = |mean: &[f64], given: &Given| -> f64 {
            let pairs = given.weights.iter().zip(mean);
            pairs.map(|(weight, mean)| weight * mean).sum()
        };
        let told = given.iter().map(|it| {
            let returns = [it.mean, of(&prior, it), of(&mean, it)];
            (it.name.clone(), returns)
        });
        let held = Held {
            rows: told.collect(),
            periods: market.periods,
        };
        market.estimate.mean = mean;
        Ok(Some(held))
    }

    fn given(&self, rows: &Rows, covariance: &Covariance<'_>) -> Result<Vec<Given>, Refused> {
        let [returns, deviations] = [0, 1].map(|at| &rows.taken[at]);
        let each = rows.each().enumerate().map(|(at, (name, weights))| {
            let mean = returns[at];
            if !mean.is_finite() {
                return Err(rows.blame(at, "return", "there is no number"));
            }
            let held = covariance.times(&weights);
            let own: f64 = weights.iter().zip(held).map(|(x, held)| x * held).sum();
            if own <= 0.0 {
                let what = format!("view {name:?} is of no asset");
                return Err(rows.blame(at, "name", &what));
            }
            let variance = match deviations[at] {
                none if none.is_nan() => self.tau * own,
                deviation => deviation * deviation,
            };
            if !(variance > 0.0 && variance.is_finite()) {
                return Err(rows.blame(at, "deviation", "has to be above 0"));
            }
            Ok(Given {
                name,
                weights,
                mean,
                variance,
            })
        });
        each.collect()
    }
}

impl Held {
    fn shown(&self) -> impl Iterator<Item = (&str, [f64; 3])> {
        let all = self.rows.iter();
        all.map(|(name, returns)| (name.as_str(), returns.map(|it| it * self.periods)))
    }

    /// For people.
    pub fn table(&self) -> String {
        let row = |(name, returns): (&str, [f64; 3])| {
            [vec![name.to_owned()], returns.map(percent).to_vec()].concat()
        };
        let rows: Vec<Vec<String>> = self.shown().map(row).collect();
        columns(&["view", "return", "before", "with all views"], &rows)
    }

    /// For programs, with what is expected of each asset now.
    pub fn json(&self, market: &Market) -> Map<String, Value> {
        let row = |(name, returns): (&str, [f64; 3])| {
            let [said, before, after] = returns;
            json!({"name": name, "return": said, "before": before, "after": after})
        };
        let means = market.names.iter().zip(&market.estimate.mean);
        let means = means.map(|(name, mean)| (name.clone(), json!(mean * market.periods)));
        let mut json = Map::new();
        json.insert("views".into(), self.shown().map(row).collect());
        json.insert("expected".into(), Value::Object(means.collect()));
        json
    }
}
