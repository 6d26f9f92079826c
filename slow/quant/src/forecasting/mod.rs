//! What comes next: exponential smoothing, seasons, and how good a forecast was.
//!
//! Recursions and names of weights are those of R. Hyndman and G. Athanasopoulos, Forecasting:
//! Principles and Practice, chapter 8, in the form of statsmodels 0.15.

mod backtest;
mod smoothing;

pub use backtest::{Method, Score, backtest, choose, choose_watched, forecast};
pub use smoothing::{Smoothing, Weights};

use crate::Fault;
use crate::fault::{series, within};

/// The longest season, and the furthest forecast.
pub const STEPS_MAX: usize = 1 << 20;

/// A forecast that repeats the last season.
#[derive(Clone, Debug, PartialEq)]
pub struct SeasonalNaive {
    last: Vec<f64>,
    next: usize,
}

impl SeasonalNaive {
    /// Begins with the last `season` numbers of a series; a season of 1 repeats the last number.
    ///
    /// # Errors
    /// A season of 0 or beyond [`STEPS_MAX`], a series that is shorter, numbers that are none.
    pub fn new(past: &[f64], season: usize) -> Result<Self, Fault> {
        within("season", season as f64, 1.0, STEPS_MAX as f64)?;
        series("series", past, season)?;
        let last = past[past.len() - season..].to_vec();
        Ok(Self { last, next: 0 })
    }

    /// Takes in the next number.
    ///
    /// # Errors
    /// A number that is none: then nothing has changed.
    pub fn push(&mut self, x: f64) -> Result<(), Fault> {
        series("series", &[x], 1)?;
        self.last[self.next] = x;
        self.next = (self.next + 1) % self.last.len();
        Ok(())
    }

    /// The next `steps` numbers.
    #[must_use]
    pub fn forecast(&self, steps: usize) -> Vec<f64> {
        let places = (self.next..).map(|at| at % self.last.len());
        places.map(|at| self.last[at]).take(steps).collect()
    }
}
