//! How good forecasts were, and which method to take.
//!
//! MASE, the mean absolute scaled error (R. Hyndman, A. Koehler, International Journal of
//! Forecasting 22, 2006): below 1 a forecast is better than one that repeats the last season did in
//! the part that was learnt from.

use std::ops::ControlFlow;

use super::{STEPS_MAX, SeasonalNaive, Smoothing, Weights};
use crate::Fault;
use crate::fault::{series as checked, within};

/// A way to forecast.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Method {
    /// The last season again.
    SeasonalNaive {
        /// Its length.
        season: usize,
    },
    /// Simple smoothing.
    Simple {
        /// The level's weight.
        weight: f64,
    },
    /// Smoothing with a trend.
    Holt {
        /// The season's counts for nothing.
        weights: Weights,
    },
    /// Smoothing with a trend and seasons.
    HoltWinters {
        /// All of them.
        weights: Weights,
        /// A season's length.
        season: usize,
    },
}

/// How good a method's forecasts were.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Score {
    /// The mean absolute error.
    pub mae: f64,
    /// The same by the mean absolute change from a season to the next in what was learnt from; 0
    /// of no error, infinite of an error where there was no change.
    pub mase: f64,
    /// How many numbers were forecast.
    pub count: usize,
}

enum Forecaster {
    Naive(SeasonalNaive),
    Smoothing(Smoothing),
}

impl Forecaster {
    /// A method that has learnt from the past.
    fn learnt(method: Method, past: &[f64]) -> Result<Self, Fault> {
        let first = |place: usize| past.get(place).copied().unwrap_or(f64::NAN);
        let mut smoothing = match method {
            Method::SeasonalNaive { season } => {
                return SeasonalNaive::new(past, season).map(Self::Naive);
            }
            Method::Simple { weight } => Smoothing::simple(weight, first(0))?,
            Method::Holt { weights } => Smoothing::holt(weights, first(0), first(1) - first(0))?,
            Method::HoltWinters { weights, season } => {
                Smoothing::holt_winters(weights, past, season)?
            }
        };
        for x in past {
            smoothing.push(*x)?;
        }
        Ok(Self::Smoothing(smoothing))
    }

    fn push(&mut self, x: f64) -> Result<(), Fault> {
        match self {
            Self::Naive(naive) => naive.push(x),
            Self::Smoothing(smoothing) => smoothing.push(x).map(|_| ()),
        }
    }

    fn forecast(&self, steps: usize) -> Vec<f64> {
        match self {
            Self::Naive(naive) => naive.forecast(steps),
            Self::Smoothing(smoothing) => smoothing.forecast(steps),
        }
    }
}

/// What a method that has learnt from a series expects after it.
///
/// # Errors
/// What the method refuses.
pub fn forecast(series: &[f64], method: Method, steps: usize) -> Result<Vec<f64>, Fault> {
    checked("series", series, 1)?;
    within("steps", steps as f64, 1.0, STEPS_MAX as f64)?;
    Ok(Forecaster::learnt(method, series)?.forecast(steps))
}

/// Learns from the first `train` numbers and forecasts the others `horizon` at a time, each time
/// from all that came before. `season` is that of the scale.
///
/// # Errors
/// What the method refuses; `train` that leaves nothing to learn from or to forecast.
pub fn backtest(
    series: &[f64],
    train: usize,
    horizon: usize,
    season: usize,
    method: Method,
) -> Result<Score, Fault> {
    checked("series", series, 2)?;
    let most = (series.len() - 1) as f64;
    within("season", season as f64, 1.0, STEPS_MAX as f64)?;
    within("train", train as f64, season as f64 + 1.0, most)?;
    within("horizon", horizon as f64, 1.0, STEPS_MAX as f64)?;
    let (past, future) = series.split_at(train);
    let changes = past.iter().zip(&past[season..]).map(|(x, y)| (y - x).abs());
    let scale = changes.sum::<f64>() / (train - season) as f64;
    let mut forecaster = Forecaster::learnt(method, past)?;
    let mut errors = 0.0;
    for part in future.chunks(horizon) {
        let expected = forecaster.forecast(part.len());
        for (x, expected) in part.iter().zip(expected) {
            errors += (x - expected).abs();
            forecaster.push(*x)?;
        }
    }
    let mae = errors / future.len() as f64;
    Ok(Score {
        mae,
        // Nothing is as good as nothing.
        mase: if mae == 0.0 { 0.0 } else { mae / scale },
        count: future.len(),
    })
}

/// The method whose forecasts of the last `held` numbers, `horizon` at a time, were the best; ties
/// go to the earlier one. Methods that cannot learn from the series are passed over.
///
/// # Errors
/// Why the first method cannot learn, if none can.
pub fn choose(
    series: &[f64],
    held: usize,
    horizon: usize,
    season: usize,
    methods: &[Method],
) -> Result<(Method, Score), Fault> {
    choose_watched(series, (held, horizon, season), methods, |_| {
        ControlFlow::Continue(())
    })
}

/// As [`choose`], given `held`, `horizon` and `season`; `watch` is told after each method how many
/// were tried and may stop it: the answer is the best of these.
///
/// # Errors
/// Those of [`choose`].
pub fn choose_watched(
    series: &[f64],
    (held, horizon, season): (usize, usize, usize),
    methods: &[Method],
    mut watch: impl FnMut(usize) -> ControlFlow<()>,
) -> Result<(Method, Score), Fault> {
    let train = series.len().saturating_sub(held);
    let mut best: Option<(Method, Score)> = None;
    let mut refused = None;
    for (at, method) in methods.iter().enumerate() {
        match backtest(series, train, horizon, season, *method) {
            Err(fault) => refused = refused.or(Some(fault)),
            Ok(score) if best.is_some_and(|(_, best)| best.mae <= score.mae) => {}
            Ok(score) => best = Some((*method, score)),
        }
        if watch(at + 1).is_break() {
            break;
        }
    }
    best.ok_or(refused.unwrap_or(Fault::TooShort {
        what: "methods",
        found: 0,
        needed: 1,
    }))
}
