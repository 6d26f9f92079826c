//! `wirecross.montecarlo`: how prices move.

use std::sync::{Mutex, PoisonError};

use numpy::{PyArray1, PyArrayMethods};
use pyo3::prelude::*;
use quant::montecarlo::{
    Asset, Custom, Grid, Jumps, Kind, Model, Path, Settings, Simulation, Variance,
};

use crate::arrays::refused;
use crate::baskets::CorrelatedGbm;
use crate::interrupted::Interrupted;
use crate::pricing::kind;

/// Prices that are drawn at once, at most: 2 GB.
const PRICES_MAX: usize = 1 << 28;
/// Parts of a simulation after which Python is asked whether it was interrupted, at most; and
/// numbers of a path that so many parts in all may have.
const PARTS: u64 = 16;
const NUMBERS: u64 = 1 << 12;

/// Geometric Brownian motion: rates and volatility a year's, compounded all the time.
#[pyclass(frozen, module = "wirecross.montecarlo")]
pub(crate) struct Gbm(pub quant::montecarlo::Gbm);

/// The same, and jumps: so many a year, with such a mean and deviation of their logarithm.
#[pyclass(frozen, module = "wirecross.montecarlo")]
pub(crate) struct Merton(pub quant::montecarlo::Merton);

/// With a variance that moves by itself: volatility is its root now, mean_variance where it comes
/// back to by `reversion`, variance_volatility how much it moves, correlation how it moves with the
/// price.
#[pyclass(frozen, module = "wirecross.montecarlo")]
pub(crate) struct Heston(pub quant::montecarlo::Heston);

#[pymethods]
impl Gbm {
    #[new]
    #[pyo3(signature = (start=100.0, volatility=0.2, *, rate=0.0, dividend=0.0, years=1.0,
        steps=12))]
    fn new(
        start: f64,
        volatility: f64,
        rate: f64,
        dividend: f64,
        years: f64,
        steps: usize,
    ) -> PyResult<Self> {
        let asset = Asset {
            start,
            dividend,
            volatility,
        };
        let made = Grid::even(years, steps)
            .and_then(|grid| quant::montecarlo::Gbm::new(asset, rate, grid));
        made.map(Self).map_err(refused)
    }

    /// What a European option is worth, without simulation (Black and Scholes).
    #[pyo3(signature = (kind="call", strike=100.0))]
    fn european(&self, kind: &str, strike: f64) -> PyResult<f64> {
        self.exactly(kind, strike, quant::montecarlo::Gbm::european)
    }

    /// What an option on the geometric average is worth, without simulation (Kemna and Vorst).
    #[pyo3(signature = (kind="call", strike=100.0))]
    fn geometric_asian(&self, kind: &str, strike: f64) -> PyResult<f64> {
        self.exactly(kind, strike, quant::montecarlo::Gbm::geometric_asian)
    }
}

impl Gbm {
    fn exactly(
        &self,
        name: &str,
        strike: f64,
        worth: impl Fn(&quant::montecarlo::Gbm, Kind, f64) -> f64,
    ) -> PyResult<f64> {
        if !(strike > 0.0 && strike <= 1e12) {
            return Err(refused(format!(
                "strike: {strike} is not between 0 and 1e12"
            )));
        }
        Ok(worth(&self.0, kind(name)?, strike))
    }
}

#[pymethods]
impl Merton {
    #[new]
    #[pyo3(signature = (start=100.0, volatility=0.2, *, jumps=1.0, jump_mean=-0.1,
        jump_deviation=0.15, rate=0.0, dividend=0.0, years=1.0, steps=12))]
    #[expect(clippy::too_many_arguments, reason = "by name, as Python has them")]
    fn new(
        start: f64,
        volatility: f64,
        jumps: f64,
        jump_mean: f64,
        jump_deviation: f64,
        rate: f64,
        dividend: f64,
        years: f64,
        steps: usize,
    ) -> PyResult<Self> {
        let asset = Asset {
            start,
            dividend,
            volatility,
        };
        let jumps = Jumps {
            intensity: jumps,
            mean: jump_mean,
            deviation: jump_deviation,
        };
        let made = Grid::even(years, steps)
            .and_then(|grid| quant::montecarlo::Merton::new(asset, jumps, rate, grid));
        made.map(Self).map_err(refused)
    }
}

#[pymethods]
impl Heston {
    #[new]
    #[pyo3(signature = (start=100.0, volatility=0.2, *, reversion=2.0, mean_variance=0.04,
        variance_volatility=0.3, correlation=-0.7, rate=0.0, dividend=0.0, years=1.0, steps=12))]
    #[expect(clippy::too_many_arguments, reason = "by name, as Python has them")]
    fn new(
        start: f64,
        volatility: f64,
        reversion: f64,
        mean_variance: f64,
        variance_volatility: f64,
        correlation: f64,
        rate: f64,
        dividend: f64,
        years: f64,
        steps: usize,
    ) -> PyResult<Self> {
        let asset = Asset {
            start,
            dividend,
            volatility,
        };
        let variance = Variance {
            start: volatility * volatility,
            reversion,
            mean: mean_variance,
            volatility: variance_volatility,
            correlation,
        };
        let made = Grid::even(years, steps)
            .and_then(|grid| quant::montecarlo::Heston::new(asset, variance, rate, grid));
        made.map(Self).map_err(refused)
    }
}

/// How prices move.
#[derive(FromPyObject)]
pub(crate) enum Moves<'py> {
    #[pyo3(transparent, annotation = "Gbm")]
    Gbm(Bound<'py, Gbm>),
    #[pyo3(transparent, annotation = "Merton")]
    Merton(Bound<'py, Merton>),
    #[pyo3(transparent, annotation = "Heston")]
    Heston(Bound<'py, Heston>),
    #[pyo3(transparent, annotation = "CorrelatedGbm")]
    Correlated(Bound<'py, CorrelatedGbm>),
}

/// So many paths of a model: a row for each, its prices at the times of the grid; of several assets
/// those of all assets at each time.
#[pyfunction]
#[pyo3(signature = (model, count, *, seed=1))]
pub(crate) fn paths<'py>(
    py: Python<'py>,
    model: Moves<'py>,
    count: usize,
    seed: u64,
) -> PyResult<Bound<'py, PyAny>> {
    match &model {
        Moves::Gbm(model) => drawn(py, &model.get().0, count, seed),
        Moves::Merton(model) => drawn(py, &model.get().0, count, seed),
        Moves::Heston(model) => drawn(py, &model.get().0, count, seed),
        Moves::Correlated(model) => {
            let model = &model.get().0;
            let shape = [count, model.grid().steps(), model.starts().len()];
            let prices = drawn_prices(py, model, count, seed)?;
            Ok(PyArray1::from_vec(py, prices).reshape(shape)?.into_any())
        }
    }
}

fn drawn<'py, M: Model>(
    py: Python<'py>,
    model: &M,
    count: usize,
    seed: u64,
) -> PyResult<Bound<'py, PyAny>> {
    let steps = model.grid().steps();
    let prices = drawn_prices(py, model, count, seed)?;
    let array = PyArray1::from_vec(py, prices).reshape([count, steps])?;
    Ok(array.into_any())
}

/// Asks Python after as many parts as take some hundredths of a second: each price of a path is
/// made of as many numbers as there are assets.
pub(crate) fn asking<M: Model>(model: &M) -> Interrupted {
    let [steps, assets] = [model.grid().steps(), model.starts().len()].map(|count| count as u64);
    Interrupted::every((NUMBERS / (steps * assets * assets)).clamp(1, PARTS))
}

fn drawn_prices<M: Model>(
    py: Python<'_>,
    model: &M,
    count: usize,
    seed: u64,
) -> PyResult<Vec<f64>> {
    let each = model.grid().steps() * model.starts().len();
    if count == 0 || count > PRICES_MAX / each {
        let most = PRICES_MAX / each;
        return Err(refused(format!(
            "count: {count} is not between 1 and {most}"
        )));
    }
    py.detach(|| {
        let prices = Mutex::new(Vec::with_capacity(count * each));
        let look = Custom(|path: &Path<'_>| {
            let mut prices = prices.lock().unwrap_or_else(PoisonError::into_inner);
            for step in 0..path.steps() {
                prices.extend((0..path.assets()).map(|asset| path.price(step, asset)));
            }
            0.0
        });
        let mut watch = asking(model);
        let settings = Settings::new(count as u64, seed);
        let run = Simulation::new(model, &look, settings)
            .map(|simulation| simulation.run(|_| watch.ask()));
        watch.end(run)?;
        let mut prices = prices.into_inner().unwrap_or_else(PoisonError::into_inner);
        // Paths are drawn by sixteens.
        prices.truncate(count * each);
        Ok(prices)
    })
}
