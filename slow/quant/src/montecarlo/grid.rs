//! When the prices of a path are looked at.

use crate::fault::{Fault, series, within};

/// Steps of a path at most.
pub const STEPS_MAX: usize = 1 << 14;
/// Years at most, and at least between two looks.
const YEARS_MAX: f64 = 200.0;
const STEP_MIN: f64 = 1e-9;

/// Times in years from now, ascending.
#[derive(Clone, Debug, PartialEq)]
pub struct Grid {
    times: Vec<f64>,
}

impl Grid {
    /// At such times.
    ///
    /// # Errors
    /// `TooShort` for none, `Outside` for a time that is not after the one before it, for more than
    /// 200 years, or for more than [`STEPS_MAX`] times.
    pub fn new(times: &[f64]) -> Result<Self, Fault> {
        series("times", times, 1)?;
        within("times: how many", times.len() as f64, 1.0, STEPS_MAX as f64)?;
        let mut before = 0.0;
        for &time in times {
            within(
                "times: one after another",
                time,
                before + STEP_MIN,
                YEARS_MAX,
            )?;
            before = time;
        }
        Ok(Self {
            times: times.to_vec(),
        })
    }

    /// At the ends of so many equal parts of so many years.
    ///
    /// # Errors
    /// As [`Grid::new`].
    pub fn even(years: f64, steps: usize) -> Result<Self, Fault> {
        within("years", years, STEP_MIN, YEARS_MAX)?;
        within("steps", steps as f64, 1.0, STEPS_MAX as f64)?;
        let time = |step: usize| years * step as f64 / steps as f64;
        Self::new(&(1..=steps).map(time).collect::<Vec<f64>>())
    }

    /// The last time alone.
    pub(super) fn at_end(&self) -> Self {
        Self {
            times: vec![self.end()],
        }
    }

    /// The times.
    #[must_use]
    pub fn times(&self) -> &[f64] {
        &self.times
    }

    /// How many there are.
    #[must_use]
    pub fn steps(&self) -> usize {
        self.times.len()
    }

    /// The last one.
    #[must_use]
    pub fn end(&self) -> f64 {
        self.times.last().copied().unwrap_or(0.0)
    }

    /// What money of the end is worth now, where it counts less by `rate`, a year, compounded all
    /// the time.
    #[must_use]
    pub fn discount(&self, rate: f64) -> f64 {
        (-rate * self.end()).exp()
    }

    /// From each time before, or now, to the next.
    pub fn lengths(&self) -> impl Iterator<Item = f64> + '_ {
        let before = std::iter::once(&0.0).chain(&self.times);
        self.times
            .iter()
            .zip(before)
            .map(|(time, before)| time - before)
    }
}
