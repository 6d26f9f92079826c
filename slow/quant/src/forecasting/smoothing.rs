//! Exponential smoothing: simple, with a trend that may be damped, and with additive seasons (Holt
//! and Winters).

use super::STEPS_MAX;
use crate::Fault;
use crate::fault::{series, within};

/// How much of what is new goes into a state, from 0 to 1.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Weights {
    /// Of a number, into the level.
    pub level: f64,
    /// Of a level's change, into the trend.
    pub trend: f64,
    /// Of what level and trend leave, into the season.
    pub season: f64,
    /// What a trend keeps from step to step: 1 for all.
    pub damping: f64,
}

/// A level, a trend and seasons that follow a series.
///
/// `expected = level + damping * trend`, then `level' = a * (x - season) + (1 - a) * expected`,
/// `trend' = b * (level' - level) + (1 - b) * damping * trend`,
/// `season' = c * (x - expected) + (1 - c) * season`.
#[derive(Clone, Debug, PartialEq)]
pub struct Smoothing {
    weights: Weights,
    level: f64,
    trend: f64,
    /// One for each step of a season; none without seasons.
    season: Vec<f64>,
    next: usize,
    /// What the season of the last number was before that number.
    before: f64,
}

impl Smoothing {
    /// Simple smoothing that begins with a level: commonly the first number.
    ///
    /// # Errors
    /// A weight outside 0 to 1, a level that is no number.
    pub fn simple(weight: f64, level: f64) -> Result<Self, Fault> {
        let weights = Weights {
            level: weight,
            trend: 0.0,
            season: 0.0,
            damping: 1.0,
        };
        Self::holt(weights, level, 0.0)
    }

    /// Smoothing with a trend; the season's weight counts for nothing.
    ///
    /// # Errors
    /// Weights outside 0 to 1, a level or trend that is no number.
    pub fn holt(weights: Weights, level: f64, trend: f64) -> Result<Self, Fault> {
        within("level's weight", weights.level, 0.0, 1.0)?;
        within("trend's weight", weights.trend, 0.0, 1.0)?;
        within("season's weight", weights.season, 0.0, 1.0)?;
        within("damping", weights.damping, 0.0, 1.0)?;
        series("level and trend", &[level, trend], 2)?;
        Ok(Self {
            weights,
            level,
            trend,
            season: Vec::new(),
            next: 0,
            before: 0.0,
        })
    }

    /// Smoothing with seasons. It begins with the mean of the first season as its level, what the
    /// second season's is above it, a step, as its trend, and what the first season's numbers are
    /// above the level; it has taken in no number then.
    ///
    /// # Errors
    /// Weights outside 0 to 1, a season of 0, a series of less than two seasons, numbers that are
    /// none.
    pub fn holt_winters(weights: Weights, past: &[f64], season: usize) -> Result<Self, Fault> {
        within("season", season as f64, 1.0, STEPS_MAX as f64)?;
        series("series", past, 2 * season)?;
        let count = season as f64;
        let mean = |numbers: &[f64]| numbers.iter().sum::<f64>() / count;
        let (first, second) = (&past[..season], &past[season..2 * season]);
        let level = mean(first);
        let mut smoothing = Self::holt(weights, level, (mean(second) - level) / count)?;
        smoothing.season = first.iter().map(|x| x - level).collect();
        smoothing.before = smoothing.season[season - 1];
        Ok(smoothing)
    }

    /// Takes in the next number; by how much it is above what was expected.
    ///
    /// # Errors
    /// A number that is none, or a state that would be: then nothing has changed.
    pub fn push(&mut self, x: f64) -> Result<f64, Fault> {
        let season = self.season.get(self.next).copied().unwrap_or(0.0);
        let weights = self.weights;
        let kept = weights.damping * self.trend;
        let expected = self.level + kept;
        let level = weights.level * (x - season) + (1.0 - weights.level) * expected;
        let trend = weights.trend * (level - self.level) + (1.0 - weights.trend) * kept;
        let learnt = weights.season * (x - expected) + (1.0 - weights.season) * season;
        series("series", &[x, level, trend, learnt], 0)?;
        (self.level, self.trend) = (level, trend);
        if let Some(place) = self.season.get_mut(self.next) {
            (self.before, *place) = (season, learnt);
            self.next = (self.next + 1) % self.season.len();
        }
        Ok(x - (expected + season))
    }

    /// The next `steps` numbers. A whole season ahead stands what the season was before the last
    /// number was taken in, as in statsmodels.
    #[must_use]
    pub fn forecast(&self, steps: usize) -> Vec<f64> {
        let (mut trend, mut sum) = (self.trend, self.level);
        let step = |ahead: usize| {
            trend *= self.weights.damping;
            sum += trend;
            sum + self.season_ahead(ahead)
        };
        (1..=steps).map(step).collect()
    }

    fn season_ahead(&self, ahead: usize) -> f64 {
        let length = self.season.len();
        if length == 0 {
            return 0.0;
        }
        if ahead.is_multiple_of(length) {
            return self.before;
        }
        self.season[(self.next + ahead - 1) % length]
    }

    /// The level after the last number.
    #[must_use]
    pub fn level(&self) -> f64 {
        self.level
    }

    /// The trend after the last number, a step.
    #[must_use]
    pub fn trend(&self) -> f64 {
        self.trend
    }
}
