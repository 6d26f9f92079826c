//! `wirecross.montecarlo`: several assets that move together, and options on them.

use numpy::PyUntypedArrayMethods as _;
use pyo3::prelude::*;
use quant::montecarlo::{Asset, Grid, Kind, Payoff as _, Settings, Simulation, Together};

use crate::arrays::{Each, Numbers, Table, flat, refused, same_length};
use crate::montecarlo::asking;
use crate::pricing::{Found, kind, run};

/// Geometric Brownian motions of several assets that are correlated.
///
/// starts, volatilities: arrays, one number for each asset; correlations: a matrix; dividends: a
/// number or one for each asset. Rates and volatilities are a year's, compounded all the time.
#[pyclass(frozen, module = "wirecross.montecarlo")]
pub(crate) struct CorrelatedGbm(pub quant::montecarlo::Gbm);

/// A European option on the prices of several assets at the end, each times its weight.
///
/// together: "sum" (a basket; a spread if a weight is below 0), "best", "worst"; kind: "call" or
/// "put".
#[pyclass(frozen, module = "wirecross.montecarlo")]
pub(crate) struct Basket {
    weights: Vec<f64>,
    kind: Kind,
    strike: f64,
    together: Together,
}

#[pymethods]
impl CorrelatedGbm {
    #[new]
    #[pyo3(signature = (starts, volatilities, correlations, *, dividends=Each::All(0.0), rate=0.0,
        years=1.0, steps=1),
        text_signature = "(starts, volatilities, correlations, *, dividends=0.0, rate=0.0, \
        years=1.0, steps=1)")]
    fn new(
        starts: Numbers<'_>,
        volatilities: Numbers<'_>,
        correlations: Table<'_>,
        dividends: Each<'_>,
        rate: f64,
        years: f64,
        steps: usize,
    ) -> PyResult<Self> {
        let starts = flat("starts", &starts)?;
        let volatilities = flat("volatilities", &volatilities)?;
        let dividends = dividends.numbers("dividends", starts.len())?;
        for (what, numbers) in [("volatilities", &volatilities), ("dividends", &dividends)] {
            same_length(what, numbers.len(), "starts", starts.len())?;
        }
        let assets = starts.iter().zip(&*dividends).zip(&*volatilities);
        let assets = assets.map(|((start, dividend), volatility)| Asset {
            start: *start,
            dividend: *dividend,
            volatility: *volatility,
        });
        let assets: Vec<Asset> = assets.collect();
        let (shape, count) = (correlations.shape(), starts.len());
        if shape != [count; 2] {
            let [rows, columns] = [shape[0], shape[1]];
            return Err(refused(format!(
                "correlations: {rows} rows of {columns} numbers, there are {count} assets"
            )));
        }
        let correlations = flat("correlations", &correlations)?;
        let made = Grid::even(years, steps).and_then(|grid| {
            quant::montecarlo::Gbm::correlated(&assets, &correlations, rate, grid)
        });
        made.map(Self).map_err(refused)
    }

    /// What a basket is worth, without simulation: of one asset (Black and Scholes), and of
    /// exchanging one for another (Margrabe: a sum of two weights, one below 0, with a strike of
    /// 0). None of all others.
    fn exactly(&self, basket: &Basket) -> PyResult<Option<f64>> {
        let basket = basket.payoff();
        basket.check(self.assets()).map_err(refused)?;
        Ok(basket.exactly(&self.0))
    }

    /// How many assets there are.
    #[getter]
    pub(crate) fn assets(&self) -> usize {
        quant::montecarlo::Model::starts(&self.0).len()
    }
}

#[pymethods]
impl Basket {
    #[new]
    #[pyo3(signature = (weights, kind="call", strike=100.0, *, together="sum"))]
    fn new(weights: Numbers<'_>, kind: &str, strike: f64, together: &str) -> PyResult<Self> {
        let together = match together {
            "sum" => Together::Sum,
            "best" => Together::Best,
            "worst" => Together::Worst,
            _ => {
                let what = format!("together: {together:?} is none of sum, best, worst");
                return Err(refused(what));
            }
        };
        let basket = Self {
            weights: flat("weights", &weights)?.into_owned(),
            kind: self::kind(kind)?,
            strike,
            together,
        };
        let payoff = basket.payoff();
        payoff.check(basket.weights.len()).map_err(refused)?;
        Ok(basket)
    }
}

impl Basket {
    fn payoff(&self) -> quant::montecarlo::Basket<'_> {
        quant::montecarlo::Basket {
            kind: self.kind,
            strike: self.strike,
            weights: &self.weights,
            together: self.together,
        }
    }

    /// At the end alone; a sum of what is held has the basket that its geometric average exercises
    /// as control.
    pub(crate) fn on(&self, model: &quant::montecarlo::Gbm, settings: Settings) -> PyResult<Found> {
        let (basket, model) = (self.payoff(), &model.at_end());
        let Some(control) = basket.control(model) else {
            return run(model, &basket, settings);
        };
        let simulation = Simulation::controlled(model, &basket, control.as_ref(), settings);
        let mut watch = asking(model);
        let found = simulation.map(|simulation| simulation.run(|_| watch.ask()));
        watch.end(found)
    }
}
