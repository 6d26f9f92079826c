//! `wirecross.montecarlo`: what options are worth.

use pyo3::prelude::*;
use quant::Fault;
use quant::montecarlo::{
    Asian, Average, Barrier, Conditioned, Construction, European, Kind, Knock, LeastSquares,
    Lookback, Model, Payoff, Precision, Sampling, Settings, Simulation,
};

use crate::arrays::refused;
use crate::baskets::Basket;
use crate::montecarlo::{Moves, asking};

/// What an option pays on.
#[derive(Clone, Copy, PartialEq)]
enum Style {
    European,
    American,
    Asian,
    Lookback,
    Knock(Knock, f64),
}

/// An option.
#[pyclass(frozen, module = "wirecross.montecarlo")]
#[derive(Clone, Copy)]
pub(crate) struct Contract {
    style: Style,
    kind: Kind,
    strike: f64,
}

#[pymethods]
impl Contract {
    /// style: "european", "american", "asian" (the arithmetic average of all times), "lookback",
    /// "knock-out", "knock-in" (at a `barrier`); kind: "call" or "put".
    #[new]
    #[pyo3(signature = (style="european", kind="call", strike=100.0, *, barrier=None))]
    fn new(style: &str, kind: &str, strike: f64, barrier: Option<f64>) -> PyResult<Self> {
        let kind = self::kind(kind)?;
        let style = match (style, barrier) {
            ("european", None) => Style::European,
            ("american", None) => Style::American,
            ("asian", None) => Style::Asian,
            ("lookback", None) => Style::Lookback,
            ("knock-out", Some(level)) => Style::Knock(Knock::Out, level),
            ("knock-in", Some(level)) => Style::Knock(Knock::In, level),
            ("european" | "american" | "asian" | "lookback" | "knock-out" | "knock-in", _) => {
                return Err(refused("barrier: goes with knock-out and knock-in"));
            }
            _ => {
                return Err(refused(format!(
                    "style: {style:?} is none of european, american, asian, lookback, knock-out, \
                     knock-in"
                )));
            }
        };
        European { kind, strike }.check(1).map_err(refused)?;
        Ok(Self {
            style,
            kind,
            strike,
        })
    }
}

/// The right to buy or to sell.
pub(crate) fn kind(name: &str) -> PyResult<Kind> {
    match name {
        "call" => Ok(Kind::Call),
        "put" => Ok(Kind::Put),
        _ => Err(refused(format!("kind: {name:?} is neither call nor put"))),
    }
}

/// What a simulation found.
#[pyclass(frozen, get_all, module = "wirecross.montecarlo")]
pub(crate) struct Estimate {
    /// What is expected.
    value: f64,
    /// The standard error of that.
    error: f64,
    /// How many paths it was made of.
    paths: u64,
}

/// What is priced.
#[derive(FromPyObject)]
pub(crate) enum Terms<'py> {
    #[pyo3(transparent, annotation = "Contract")]
    Contract(Bound<'py, Contract>),
    #[pyo3(transparent, annotation = "Basket")]
    Basket(Bound<'py, Basket>),
}

/// What an option on a model is worth now, with the standard error: a Contract of one asset, or a
/// Basket on CorrelatedGbm.
///
/// sampling: "plain", "antithetic", "stratified", "sobol" (by so many replicates); precision:
/// "double", or "single" for European options on Gbm. The same seed gives the same bits.
#[pyfunction]
#[pyo3(signature = (model, contract, paths=100_000, *, seed=1, sampling="antithetic",
    precision="double", replicates=16))]
#[expect(clippy::too_many_arguments, reason = "by name, as Python has them")]
pub(crate) fn price(
    py: Python<'_>,
    model: Moves<'_>,
    contract: Terms<'_>,
    paths: u64,
    seed: u64,
    sampling: &str,
    precision: &str,
    replicates: u32,
) -> PyResult<Estimate> {
    let settings = settings((paths, seed), sampling, precision, replicates)?;
    let found = match (&model, &contract) {
        (Moves::Correlated(model), Terms::Basket(basket)) => {
            let (model, basket) = (&model.get().0, basket.get());
            py.detach(|| basket.on(model, settings))
        }
        (_, Terms::Basket(_)) => Err(refused("model: a Basket is on CorrelatedGbm")),
        (_, Terms::Contract(contract)) => contract.get().of(py, &model, settings),
    }?;
    Ok(Estimate {
        value: found.value,
        error: found.error,
        paths: found.paths,
    })
}

fn settings(
    (paths, seed): (u64, u64),
    sampling: &str,
    precision: &str,
    replicates: u32,
) -> PyResult<Settings> {
    let (sampling, construction) = match sampling {
        "plain" => (Sampling::Plain, Construction::Steps),
        "antithetic" => (Sampling::Antithetic, Construction::Steps),
        "stratified" => (Sampling::Stratified, Construction::Bridge),
        "sobol" => (Sampling::Sobol { replicates }, Construction::Bridge),
        _ => {
            return Err(refused(format!(
                "sampling: {sampling:?} is none of plain, antithetic, stratified, sobol"
            )));
        }
    };
    let precision = match precision {
        "double" => Precision::Double,
        "single" => Precision::Single,
        _ => {
            let what = format!("precision: {precision:?} is neither double nor single");
            return Err(refused(what));
        }
    };
    Ok(Settings {
        sampling,
        construction,
        precision,
        ..Settings::new(paths, seed)
    })
}

pub(crate) type Found = quant::montecarlo::Estimate;

impl Contract {
    fn of(self, py: Python<'_>, model: &Moves<'_>, settings: Settings) -> PyResult<Found> {
        match model {
            Moves::Gbm(model) => {
                let model = &model.get().0;
                py.detach(|| self.on_gbm(model, settings))
            }
            Moves::Merton(model) => {
                let model = &model.get().0;
                py.detach(|| self.on(model, settings))
            }
            Moves::Heston(model) => {
                let model = &model.get().0;
                py.detach(|| self.on(model, settings))
            }
            Moves::Correlated(_) => Err(refused("contract: on several assets it is a Basket")),
        }
    }

    fn asian(&self) -> Asian {
        Asian {
            kind: self.kind,
            strike: self.strike,
            average: Average::Arithmetic,
        }
    }

    /// An average has the option that the geometric one exercises as control: its worth is known.
    fn on_gbm(&self, model: &quant::montecarlo::Gbm, settings: Settings) -> PyResult<Found> {
        if self.style != Style::Asian {
            return self.on(model, settings);
        }
        let (kind, strike) = (self.kind, self.strike);
        let control = Conditioned { kind, strike }.control(model);
        let average = self.asian();
        let simulation = Simulation::controlled(model, &average, control.as_ref(), settings);
        let mut watch = asking(model);
        let found = simulation.map(|simulation| simulation.run(|_| watch.ask()));
        watch.end(found)
    }

    fn on<M: Model>(&self, model: &M, settings: Settings) -> PyResult<Found> {
        let (kind, strike) = (self.kind, self.strike);
        match self.style {
            Style::European => run(model, &European { kind, strike }, settings),
            Style::Asian => run(model, &self.asian(), settings),
            Style::Lookback => run(model, &Lookback { kind, strike }, settings),
            Style::Knock(knock, level) => {
                let barrier = Barrier {
                    kind,
                    strike,
                    level,
                    knock,
                    watched: None,
                };
                run(model, &barrier, settings)
            }
            Style::American => self.early(model, settings),
        }
    }

    fn early<M: Model>(&self, model: &M, settings: Settings) -> PyResult<Found> {
        if settings.precision == Precision::Single {
            return Err(refused("precision: single is for European options"));
        }
        let (kind, strike) = (self.kind, self.strike);
        let pays = |prices: &[f64]| match kind {
            Kind::Call => (prices[0] - strike).max(0.0),
            Kind::Put => (strike - prices[0]).max(0.0),
        };
        let mut watch = asking(model);
        let squares = LeastSquares::new(settings.paths, settings.seed);
        let found: Result<_, Fault> = squares.american_watched(model, pays, |_| watch.ask());
        watch.end(found)
    }
}

pub(crate) fn run<M: Model, P: Payoff>(
    model: &M,
    payoff: &P,
    settings: Settings,
) -> PyResult<Found> {
    let mut watch = asking(model);
    let simulation = Simulation::new(model, payoff, settings);
    let found = simulation.map(|simulation| simulation.run(|_| watch.ask()));
    watch.end(found)
}
