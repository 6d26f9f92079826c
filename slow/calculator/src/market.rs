//! How assets moved: what portfolios and risks start from.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};
use quant::Fault;
use quant::portfolio::{Estimate, Target, ledoit_wolf, pairwise, sample, weighted};

use crate::Refused;
use crate::table::Table;

/// How means and covariances are learnt from returns.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Estimator {
    /// The sample's, shrunk towards a multiple of the identity (Ledoit and Wolf).
    LedoitWolf,
    /// The sample's, shrunk towards a constant correlation (Ledoit and Wolf).
    ConstantCorrelation,
    /// The sample's.
    Sample,
    /// The latest count most: each return counts 1 - DECAY of the one after it.
    Weighted,
    /// Of pairs of assets, where both are known: returns may be missing.
    Pairwise,
}

/// What the commands on portfolios read.
#[derive(Debug, Args)]
pub(crate) struct Source {
    /// Returns: a row for each period, a column for each asset.
    #[arg(value_name = "RETURNS.csv")]
    pub file: PathBuf,
    /// The file has prices: returns are their changes.
    #[arg(long)]
    pub prices: bool,
    /// How means and covariances are learnt.
    #[arg(long, value_enum, default_value = "ledoit-wolf")]
    pub estimator: Estimator,
    /// The weight of the latest return with `--estimator weighted`.
    #[arg(long, default_value_t = 0.06, value_name = "DECAY")]
    pub decay: f64,
    /// Periods of what is shown: 252 shows days as years.
    #[arg(long, default_value_t = 1.0)]
    pub periods: f64,
}

/// Assets with their returns.
pub(crate) struct Market {
    pub table: Table,
    pub names: Vec<String>,
    /// Row by row.
    pub returns: Vec<f64>,
    /// Of a period.
    pub estimate: Estimate,
    pub periods: f64,
}

impl Source {
    pub fn market(&self) -> Result<Market, Refused> {
        if !(self.periods > 0.0 && self.periods <= 1e9) {
            return Err(Refused("--periods: between 0 and 1e9".into()));
        }
        let table = Table::read(&self.file)?;
        if self.estimator != Estimator::Pairwise || self.prices {
            table.whole()?;
        }
        let assets = table.width;
        unlike(&table)?;
        let returns = if self.prices {
            changes(&table)?
        } else {
            table.numbers.clone()
        };
        let estimate = match self.estimator {
            Estimator::LedoitWolf => ledoit_wolf(&returns, assets, Target::Identity),
            Estimator::ConstantCorrelation => {
                ledoit_wolf(&returns, assets, Target::ConstantCorrelation)
            }
            Estimator::Sample => sample(&returns, assets),
            Estimator::Weighted => weighted(&returns, assets, self.decay),
            Estimator::Pairwise => pairwise(&returns, assets),
        };
        let estimate = estimate.map_err(|fault| table.blame(&fault.to_string()))?;
        Ok(Market {
            names: (0..assets).map(|asset| table.name(asset)).collect(),
            returns,
            estimate,
            periods: self.periods,
            table,
        })
    }
}

impl Market {
    pub fn assets(&self) -> usize {
        self.names.len()
    }

    /// Weights from a file: rows of a name and a weight; 0 for assets without a row.
    pub fn weights(&self, file: &Path) -> Result<Vec<f64>, Refused> {
        let table = Table::read(file)?;
        table.whole()?;
        if table.labels.is_none() || table.width != 1 {
            return Err(table.blame("rows of a name and a weight are needed"));
        }
        let mut weights = vec![0.0; self.assets()];
        for row in 0..table.height() {
            let name = table.label(row);
            let asset = self.names.iter().position(|x| *x == name);
            let asset = asset.ok_or_else(|| {
                table.blame_cell(row, 0, &format!("there are no returns of {name:?}"))
            })?;
            weights[asset] += table.numbers[row];
        }
        Ok(weights)
    }

    /// What is wrong with these assets, by their names.
    pub fn refused(&self, fault: Fault) -> Refused {
        match fault {
            Fault::Collinear {
                what: "covariance",
                column,
            } if column < self.assets() => self.table.blame(&format!(
                "{:?} moves as a mixture of other assets does: leave it out, or shrink the \
                 covariance (--estimator ledoit-wolf)",
                self.names[column]
            )),
            fault => fault.into(),
        }
    }

    /// The return of weights, over the periods that are shown.
    pub fn mean(&self, weights: &[f64]) -> f64 {
        let pairs = weights.iter().zip(&self.estimate.mean);
        pairs.map(|(weight, mean)| weight * mean).sum::<f64>() * self.periods
    }

    /// What a deviation of a period is over those that are shown.
    pub fn deviation(&self, of_period: f64) -> f64 {
        of_period * self.periods.sqrt()
    }

    /// What weights would have gained, period by period.
    pub fn gains(&self, weights: &[f64]) -> Vec<f64> {
        let rows = self.returns.chunks_exact(self.assets());
        let gain = |row: &[f64]| row.iter().zip(weights).map(|(x, y)| x * y).sum();
        rows.map(gain).collect()
    }
}

/// Refuses two assets of one name: by names weights are given and told.
fn unlike(table: &Table) -> Result<(), Refused> {
    let mut seen = HashMap::new();
    for (column, name) in table.names.iter().enumerate() {
        if let Some(first) = seen.insert(name, column) {
            let [first, second] = [first, column].map(|at| table.place(at));
            let what = format!("columns {first} and {second} are both called {name:?}");
            return Err(table.blame(&what));
        }
    }
    Ok(())
}

/// From each price to the next one.
fn changes(table: &Table) -> Result<Vec<f64>, Refused> {
    if let Some(at) = table.numbers.iter().position(|price| *price <= 0.0) {
        let [row, column] = [at / table.width, at % table.width];
        return Err(table.blame_cell(row, column, "a price is above 0"));
    }
    let later = table.numbers.iter().skip(table.width);
    let pairs = table.numbers.iter().zip(later);
    Ok(pairs.map(|(price, next)| next / price - 1.0).collect())
}
