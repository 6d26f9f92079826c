//! Spreads: how fast they close, and a hedge ratio that moves.

use super::regression::{Trend, ols};
use crate::Fault;
use crate::fault::{moving, series, within};

/// How fast a spread closes.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct HalfLife {
    /// `b` of `dx[t] = a + b * x[t-1]`.
    pub slope: f64,
    /// Steps until half is closed, `-ln 2 / ln(1 + b)`. `None` unless `b` is between -1 and 0: it
    /// does not close, or it overshoots.
    pub steps: Option<f64>,
}

/// Measures how fast a spread closes.
///
/// # Errors
/// Fewer than 4 numbers, numbers that are none, a constant spread.
pub fn half_life(spread: &[f64]) -> Result<HalfLife, Fault> {
    series("spread", spread, 4)?;
    moving("spread", spread)?;
    let differences: Vec<f64> = spread.windows(2).map(|pair| pair[1] - pair[0]).collect();
    let levels = &spread[..differences.len()];
    let regression = ols(&differences, &[levels], Trend::Constant)?;
    let slope = regression.coefficients[1];
    let closes = slope > -1.0 && slope < 0.0;
    Ok(HalfLife {
        slope,
        steps: closes.then(|| -std::f64::consts::LN_2 / slope.ln_1p()),
    })
}

/// A hedge ratio that is followed by a Kalman filter (E. Chan, Algorithmic Trading, 2013, ch. 3).
///
/// `y = slope * x + intercept + noise`, where slope and intercept walk: before each observation but
/// the first, `delta / (1 - delta)` is added to the variance of both.
#[derive(Clone, Debug, PartialEq)]
pub struct KalmanHedge {
    walk: f64,
    noise: f64,
    state: [f64; 2],
    /// Variances of slope and intercept, and their covariance between.
    spread: [f64; 3],
    is_first: bool,
}

/// One observation's part in a followed hedge ratio.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct HedgeStep {
    /// The hedge ratio, with this observation.
    pub slope: f64,
    /// The constant, with this observation.
    pub intercept: f64,
    /// The observation less what was expected of it: the spread to trade.
    pub error: f64,
    /// The variance that was expected of this error.
    pub variance: f64,
}

impl KalmanHedge {
    /// A filter that knows nothing: slope and intercept 0. `delta` is how fast they walk, `noise`
    /// the variance of what is observed.
    ///
    /// # Errors
    /// `delta` outside 0 to 0.999, `noise` outside 1e-30 to 1e30.
    pub fn new(delta: f64, noise: f64) -> Result<Self, Fault> {
        within("delta", delta, 0.0, 0.999)?;
        within("noise", noise, 1e-30, 1e30)?;
        Ok(Self {
            walk: delta / (1.0 - delta),
            noise,
            state: [0.0; 2],
            spread: [0.0; 3],
            is_first: true,
        })
    }

    /// Takes in an observation.
    ///
    /// # Errors
    /// A number that is none, or a result that is: then nothing has changed.
    pub fn next(&mut self, y: f64, x: f64) -> Result<HedgeStep, Fault> {
        series("y", &[y], 1)?;
        series("x", &[x], 1)?;
        let walk = if self.is_first { 0.0 } else { self.walk };
        let [slope, both, intercept] = self.spread;
        let (slope, intercept) = (slope + walk, intercept + walk);
        // What the observation shares with either.
        let shared = [slope * x + both, both * x + intercept];
        let variance = shared[0] * x + shared[1] + self.noise;
        let error = y - (self.state[0] * x + self.state[1]);
        let gain = shared.map(|shared| shared / variance);
        let state = [
            self.state[0] + gain[0] * error,
            self.state[1] + gain[1] * error,
        ];
        let spread = [
            slope - gain[0] * shared[0],
            both - gain[0] * shared[1],
            intercept - gain[1] * shared[1],
        ];
        let all = [state[0], state[1], spread[0], spread[1], spread[2], error];
        series("state", &all, 0)?;
        (self.state, self.spread, self.is_first) = (state, spread, false);
        Ok(HedgeStep {
            slope: state[0],
            intercept: state[1],
            error,
            variance,
        })
    }
}
