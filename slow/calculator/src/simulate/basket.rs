//! Options on several assets.

use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};
use quant::Fault;
use quant::montecarlo::{
    Asset, Basket, Estimate, Gbm, Grid, Kind, Payoff as _, Simulation, Together,
};

use super::fan::fan;
use super::{Contract, Found, Moves, Simulate};
use crate::Refused;
use crate::table::Table;
use crate::watch::Watch;

/// Times of the picture at most: as many of all assets are the numbers of a path.
const DRAWN_MAX: usize = 1_024;
/// What the columns of --assets are called.
const COLUMNS: [&str; 4] = ["start", "dividend", "volatility", "weight"];

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Of {
    /// All together, as a basket; a spread if a weight is below 0.
    Sum,
    /// The one that is worth the most.
    Best,
    /// The one that is worth the least.
    Worst,
}

/// Several assets in the place of one.
#[derive(Debug, Args)]
#[command(next_help_heading = "Several assets, with --option european on --model gbm")]
pub(super) struct Assets {
    /// The option is on these: rows of a name, with columns start, volatility, dividend (0 without
    /// it) and weight (1 without it), by which each price counts.
    #[arg(
        long,
        value_name = "FILE.csv",
        conflicts_with_all = ["start", "dividend", "volatility"]
    )]
    assets: Option<PathBuf>,
    /// How they move together: a row and a column for each asset.
    ///
    /// If its columns or rows have names, these are the assets', in any order.
    #[arg(long, value_name = "FILE.csv", requires = "assets")]
    correlations: Option<PathBuf>,
    /// What the option looks at of the assets' prices, each times its weight.
    #[arg(long, value_enum, default_value = "sum", requires = "assets")]
    together: Of,
}

/// Assets that were read.
struct Given {
    table: Table,
    assets: Vec<Asset>,
    weights: Vec<f64>,
    /// Row by row.
    correlations: Vec<f64>,
    /// Where they were read; none of one asset.
    matrix: Option<Table>,
}

impl Assets {
    pub fn are_given(&self) -> bool {
        self.assets.is_some()
    }

    fn read(&self, file: &Path) -> Result<Given, Refused> {
        let table = Table::read(file)?;
        table.whole()?;
        let is_known = |name: &String| COLUMNS.iter().any(|it| it.eq_ignore_ascii_case(name));
        if let Some(name) = table.names.iter().find(|name| !is_known(name)) {
            let all = COLUMNS.join(", ");
            return Err(table.blame(&format!("a column {name:?}; there may be: {all}")));
        }
        let is_twice = |at: &usize| table.find(&table.names[*at]).is_ok_and(|first| first < *at);
        if let Some(at) = (0..table.names.len()).find(is_twice) {
            return Err(table.blame(&format!("two columns {:?}", table.names[at])));
        }
        let needed = |name: &str| {
            let column = table.find(name)?;
            Ok::<Vec<f64>, Refused>(table.column(column).collect())
        };
        let or = |name: &str, without: f64| match table.find(name) {
            Ok(column) => table.column(column).collect(),
            Err(_) => vec![without; table.height()],
        };
        let (starts, volatilities) = (needed("start")?, needed("volatility")?);
        let dividends = or("dividend", 0.0);
        let assets = (0..table.height()).map(|at| Asset {
            start: starts[at],
            dividend: dividends[at],
            volatility: volatilities[at],
        });
        let weights = or("weight", 1.0);
        check_weights(&weights, &table)?;
        let (correlations, matrix) = self.correlations(&table)?;
        Ok(Given {
            assets: assets.collect(),
            weights,
            correlations,
            matrix,
            table,
        })
    }

    fn correlations(&self, assets: &Table) -> Result<(Vec<f64>, Option<Table>), Refused> {
        let count = assets.height();
        let Some(file) = &self.correlations else {
            if count == 1 {
                return Ok((vec![1.0], None));
            }
            let what = format!("--correlations: is missing: how {count} assets move together");
            return Err(Refused(what));
        };
        let table = Table::read(file)?;
        table.whole()?;
        if [table.height(), table.width] != [count; 2] {
            let [rows, columns] = [table.height(), table.width];
            return Err(table.blame(&format!(
                "{rows} rows of {columns} numbers, there are {count} assets"
            )));
        }
        let by_columns = order(assets, &table, &table.names)?;
        let by_rows = order(assets, &table, table.labels.as_deref().unwrap_or(&[]))?;
        let plain: Vec<usize> = (0..count).collect();
        let rows = by_rows.as_ref().or(by_columns.as_ref()).unwrap_or(&plain);
        let columns = by_columns.as_ref().or(by_rows.as_ref()).unwrap_or(&plain);
        let cell = |row: usize, column: usize| table.numbers[rows[row] * count + columns[column]];
        let mut all = Vec::with_capacity(count * count);
        for (row, column) in plain.iter().flat_map(|x| plain.iter().map(|y| (*x, *y))) {
            let found = cell(row, column);
            let wrong = |what: &str| Err(table.blame_cell(rows[row], columns[column], what));
            match found {
                _ if !(-1.0..=1.0).contains(&found) => {
                    return wrong("a correlation is between -1 and 1");
                }
                _ if row == column && found != 1.0 => {
                    return wrong("an asset's correlation with itself is 1");
                }
                _ if found != cell(column, row) => {
                    return wrong("is not the correlation the other way round");
                }
                _ => all.push(found),
            }
        }
        Ok((all, Some(table)))
    }
}

fn check_weights(weights: &[f64], table: &Table) -> Result<(), Refused> {
    let Ok(column) = table.find("weight") else {
        return Ok(());
    };
    for (row, weight) in weights.iter().enumerate() {
        let alone = Basket {
            kind: Kind::Call,
            strike: 0.0,
            weights: &[*weight],
            together: Together::Sum,
        };
        let checked = alone.check(1);
        checked.map_err(|fault| table.blame_cell(row, column, &fault.to_string()))?;
    }
    Ok(())
}

/// Where each asset stands among names, if both have any.
fn order(assets: &Table, table: &Table, names: &[String]) -> Result<Option<Vec<usize>>, Refused> {
    let Some(labels) = assets.labels.as_ref().filter(|_| !names.is_empty()) else {
        return Ok(None);
    };
    let place = |label: &String| {
        let found = names.iter().position(|name| name == label);
        found.ok_or_else(|| {
            let all = names.join(", ");
            table.blame(&format!("no asset {label:?}; there are: {all}"))
        })
    };
    labels.iter().map(place).collect::<Result<_, _>>().map(Some)
}

impl Given {
    fn model(&self, rate: f64, grid: Grid) -> Result<Gbm, Refused> {
        // What is wrong with the rate is no asset's fault.
        let calm = Asset {
            start: 1.0,
            dividend: 0.0,
            volatility: 0.0,
        };
        Gbm::new(calm, rate, grid.clone())?;
        for (row, asset) in self.assets.iter().enumerate() {
            let label = self.table.label(row);
            if (0..row).any(|earlier| self.table.label(earlier) == label) {
                let what = format!("there are two assets {label:?}");
                return Err(self.table.blame(&what));
            }
            Gbm::new(*asset, rate, grid.clone())
                .map_err(|fault| self.table.blame(&format!("{label}: {fault}")))?;
        }
        let made = Gbm::correlated(&self.assets, &self.correlations, rate, grid);
        made.map_err(|fault| match (fault, &self.matrix) {
            (Fault::Collinear { column, .. }, Some(matrix)) => {
                let label = self.table.label(column);
                matrix.blame(&format!(
                    "no prices can move together so: {label:?} does not go with those before it"
                ))
            }
            (fault, _) => fault.into(),
        })
    }
}

impl Simulate {
    /// The option on several assets, whose prices are looked at at the end alone.
    pub(super) fn on_basket(&self, watch: &Watch) -> Result<Found, Refused> {
        let refused = |what: &str| Err(Refused(what.into()));
        let Some(file) = &self.basket.assets else {
            return refused("--assets: is missing");
        };
        if self.option != Contract::European {
            return refused("--assets: several assets go with --option european");
        }
        if self.model != Moves::Gbm {
            return refused("--assets: several assets go with --model gbm");
        }
        let given = self.basket.read(file)?;
        let model = given.model(self.rate, Grid::even(self.years, 1)?)?;
        let basket = Basket {
            kind: self.kind.kind(),
            strike: self.strike,
            weights: &given.weights,
            together: self.basket.together.together(),
        };
        Grid::even(self.years, self.steps)?;
        let times = Grid::even(self.years, self.steps.min(DRAWN_MAX))?;
        let drawn = given.model(self.rate, times)?;
        watch.begin()?;
        let estimate = self.basket_worth(&model, &basket, watch)?;
        let picture = fan(&drawn, self.seed, watch, |prices| {
            let held = prices
                .zip(&given.weights)
                .map(|(price, weight)| price * weight);
            match basket.together {
                Together::Sum => held.sum(),
                Together::Best => held.fold(f64::NEG_INFINITY, f64::max),
                Together::Worst => held.fold(f64::INFINITY, f64::min),
            }
        })?;
        Ok(Found {
            estimate,
            exactly: basket.exactly(&model),
            picture,
        })
    }

    /// A sum of what is held has the basket that its geometric average exercises as control.
    fn basket_worth(
        &self,
        model: &Gbm,
        basket: &Basket<'_>,
        watch: &Watch,
    ) -> Result<Estimate, Refused> {
        let Some(control) = basket.control(model) else {
            return Ok(self.run(model, basket, watch)?);
        };
        let settings = self.settings();
        let simulation = Simulation::controlled(model, basket, control.as_ref(), settings)?;
        Ok(simulation.run(|progress| watch.on(progress)))
    }
}

impl Of {
    fn together(self) -> Together {
        match self {
            Self::Sum => Together::Sum,
            Self::Best => Together::Best,
            Self::Worst => Together::Worst,
        }
    }
}
