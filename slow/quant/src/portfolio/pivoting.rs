//! Block principal pivoting with bounds (J. Judice, F. Pires, Computers and Operations Research 21,
//! 1994; for the fall-back, K. Murty, 1974).
//!
//! Each asset is at a bound or free. With free ones as equations demand, some break a bound and
//! some at a bound would gain by leaving it: all of the former and the worst of the latter change
//! sides, and the equations are solved anew. They are as many as assets are held, mostly few. If
//! the number of those that are wrong does not fall for long, one at a time changes.

use super::covariance::{Covariance, System};
use super::optimum::{Certificate, Solution};
use crate::Fault;

/// How often the number of wrong assets may fail to fall before they change one at a time.
const PATIENCE: usize = 10;
/// Steps after which it is given up, for each asset and at least.
const STEPS_EACH: usize = 20;
const STEPS_LEAST: usize = 200;
/// Assets that a search begins with, as many allowing.
const COLD: usize = 24;
/// What is taken for 0, of the greatest gradient and of weights.
const ROUNDING: f64 = 1e-14;

/// Where an asset is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum State {
    Lower,
    Free,
    Upper,
}

/// A program whose inputs have been checked; upper bounds may be infinite.
pub(super) struct Program<'a> {
    pub covariance: &'a Covariance<'a>,
    pub mean: &'a [f64],
    pub aversion: f64,
    pub lower: &'a [f64],
    pub upper: &'a [f64],
    /// Coefficients and values.
    pub equalities: Vec<(&'a [f64], f64)>,
}

/// What the equations of some free assets say.
struct Point {
    weights: Vec<f64>,
    /// By aversion.
    multipliers: Vec<f64>,
    /// The gradient less what equalities pay for.
    reduced: Vec<f64>,
    /// The greatest number that went into a reduced gradient.
    scale: f64,
}

/// An asset that is on the wrong side, where it belongs, and by how much.
struct Wrong {
    asset: usize,
    to: State,
    by: f64,
}

impl Program<'_> {
    /// States of weights: free between bounds.
    pub fn near(&self, weights: &[f64]) -> Vec<State> {
        let state = |asset: usize| {
            if weights[asset] <= self.lower[asset] {
                State::Lower
            } else if weights[asset] >= self.upper[asset] {
                State::Upper
            } else {
                State::Free
            }
        };
        let mut states: Vec<State> = (0..weights.len()).map(state).collect();
        self.hold_enough(&mut states);
        states
    }

    /// States to begin with: the assets that are best alone, as many as can carry the whole.
    pub fn cold(&self) -> Vec<State> {
        let count = self.mean.len();
        let mut states = vec![State::Lower; count];
        let mut room = 2.0 * (1.0 - self.lower.iter().sum::<f64>());
        for (place, asset) in self.by_merit().into_iter().enumerate() {
            if place >= COLD && room <= 0.0 {
                break;
            }
            states[asset] = State::Free;
            room -= self.upper[asset] - self.lower[asset];
        }
        states
    }

    /// Assets by what they would be worth alone.
    fn by_merit(&self) -> Vec<usize> {
        let alone = |asset: usize| {
            let risk = 0.5 * self.aversion * self.covariance.variance(asset);
            (risk - self.mean[asset], asset)
        };
        let mut merits: Vec<(f64, usize)> = (0..self.mean.len()).map(alone).collect();
        merits.sort_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
        merits.into_iter().map(|(_, asset)| asset).collect()
    }

    /// Frees assets until the equalities can be fulfilled.
    fn hold_enough(&self, states: &mut [State]) {
        let needed = self.equalities.len();
        let free = states.iter().filter(|state| **state == State::Free);
        let missing = needed.saturating_sub(free.count());
        if missing > 0 {
            let bound = self.by_merit().into_iter();
            let bound: Vec<usize> = bound.filter(|at| states[*at] != State::Free).collect();
            bound
                .into_iter()
                .take(missing)
                .for_each(|at| states[at] = State::Free);
        }
    }

    /// Changes states until none is wrong.
    pub fn solve(&self, mut states: Vec<State>) -> Result<Solution, Fault> {
        let limit = STEPS_LEAST + STEPS_EACH * states.len();
        let (mut best, mut patience) = (usize::MAX, PATIENCE);
        for step in 1..=limit {
            let free: Vec<usize> = self.free(&states);
            let system = self.covariance.system(&free)?;
            let point = self.point(&states, &free, &system)?;
            let mut wrong = self.wrong(&states, &point);
            if wrong.is_empty() {
                let point = self.polished(&states, &free, &system, point)?;
                return Ok(self.solution(point, step));
            }
            if wrong.len() < best {
                (best, patience) = (wrong.len(), PATIENCE);
            } else {
                patience = patience.saturating_sub(1);
            }
            if patience == 0 {
                // The last one of all, as Murty's rule has it: it cannot come round in a circle.
                wrong.drain(..wrong.len() - 1);
            } else {
                Self::worst(&mut wrong, free.len());
            }
            wrong
                .iter()
                .for_each(|wrong| states[wrong.asset] = wrong.to);
            self.hold_enough(&mut states);
        }
        Err(Fault::Unsettled {
            what: "portfolio",
            steps: limit,
        })
    }

    fn free(&self, states: &[State]) -> Vec<usize> {
        let all = 0..states.len();
        all.filter(|asset| states[*asset] == State::Free).collect()
    }

    /// Leaves all that break a bound, and the worst of the others, as many as are free now.
    fn worst(wrong: &mut Vec<Wrong>, free: usize) {
        let most = free.max(COLD / 2);
        let mut gains: Vec<f64> = wrong
            .iter()
            .filter(|wrong| wrong.to == State::Free)
            .map(|wrong| wrong.by)
            .collect();
        if gains.len() <= most {
            return;
        }
        let (_, least, _) = gains.select_nth_unstable_by(most - 1, |a, b| b.total_cmp(a));
        let least = *least;
        wrong.retain(|wrong| wrong.to != State::Free || wrong.by >= least);
    }

    /// Where equations put the free assets, and what the others would gain.
    fn point(&self, states: &[State], free: &[usize], system: &System<'_>) -> Result<Point, Fault> {
        let mut weights: Vec<f64> = (0..states.len())
            .map(|asset| match states[asset] {
                State::Lower => self.lower[asset],
                State::Free => 0.0,
                State::Upper => self.upper[asset],
            })
            .collect();
        let is_held = weights.iter().any(|weight| *weight != 0.0);
        let fixed = is_held.then(|| self.covariance.times(&weights));
        let pull = |asset: &usize| {
            let held = fixed.as_ref().map_or(0.0, |fixed| fixed[*asset]);
            self.mean[*asset] / self.aversion - held
        };
        let pull: Vec<f64> = free.iter().map(pull).collect();
        let missing = self
            .equalities
            .iter()
            .map(|(row, value)| value - row.iter().zip(&weights).map(|(c, w)| c * w).sum::<f64>());
        let missing: Vec<f64> = missing.collect();
        let (found, multipliers) = self.equations(free, system, pull, missing)?;
        free.iter()
            .zip(found)
            .for_each(|(asset, weight)| weights[*asset] = weight);
        Ok(self.reduced(weights, multipliers))
    }

    /// Solves `S w = pull + E' m`, `E w = value` of the free assets: weights and multipliers.
    fn equations(
        &self,
        free: &[usize],
        system: &System<'_>,
        mut pull: Vec<f64>,
        mut value: Vec<f64>,
    ) -> Result<(Vec<f64>, Vec<f64>), Fault> {
        let picked = |row: &[f64]| -> Vec<f64> { free.iter().map(|asset| row[*asset]).collect() };
        let rows: Vec<Vec<f64>> = self.equalities.iter().map(|(row, _)| picked(row)).collect();
        let mut solved = rows.clone();
        solved.iter_mut().for_each(|row| system.solve(row));
        system.solve(&mut pull);
        for (value, row) in value.iter_mut().zip(&rows) {
            *value -= dot(row, &pull);
        }
        let matrix = rows
            .iter()
            .map(|row| solved.iter().map(|z| dot(row, z)).collect());
        let multipliers = small(matrix.collect(), value)?;
        for (solved, multiplier) in solved.iter().zip(&multipliers) {
            for (weight, z) in pull.iter_mut().zip(solved) {
                *weight += multiplier * z;
            }
        }
        Ok((pull, multipliers))
    }

    fn reduced(&self, weights: Vec<f64>, multipliers: Vec<f64>) -> Point {
        let mut reduced = self.covariance.times(&weights);
        let mut scale = 0.0f64;
        for (asset, reduced) in reduced.iter_mut().enumerate() {
            let parts = self.equalities.iter().zip(&multipliers);
            let paid: f64 = parts.map(|((row, _), m)| row[asset] * m).sum();
            let pull = self.mean[asset] / self.aversion;
            scale = scale.max(reduced.abs()).max(pull.abs());
            *reduced -= pull + paid;
        }
        Point {
            weights,
            multipliers,
            reduced,
            scale,
        }
    }

    /// The assets that are on the wrong side, in order.
    fn wrong(&self, states: &[State], point: &Point) -> Vec<Wrong> {
        let near = ROUNDING * point.scale;
        let judge = |asset: usize| {
            let (weight, reduced) = (point.weights[asset], point.reduced[asset]);
            let [under, over] = [self.lower[asset] - weight, weight - self.upper[asset]];
            let (to, by) = match states[asset] {
                State::Free if under > ROUNDING => (State::Lower, under),
                State::Free if over > ROUNDING => (State::Upper, over),
                State::Lower if -reduced > near => (State::Free, -reduced),
                State::Upper if reduced > near => (State::Free, reduced),
                _ => return None,
            };
            // Bounds that are one leave nowhere to go.
            let is_fixed = self.lower[asset] == self.upper[asset] && to == State::Free;
            (!is_fixed).then_some(Wrong { asset, to, by })
        };
        (0..states.len()).filter_map(judge).collect()
    }

    /// The same point after a step of refinement, and within its bounds.
    fn polished(
        &self,
        states: &[State],
        free: &[usize],
        system: &System<'_>,
        point: Point,
    ) -> Result<Point, Fault> {
        let left = free.iter().map(|asset| -point.reduced[*asset]).collect();
        let missing = self.equalities.iter();
        let missing = missing.map(|(row, value)| value - dot(row, &point.weights));
        let (moves, more) = self.equations(free, system, left, missing.collect())?;
        let (mut weights, mut multipliers) = (point.weights, point.multipliers);
        for (asset, by) in free.iter().zip(moves) {
            let moved = weights[*asset] + by;
            weights[*asset] = moved.clamp(self.lower[*asset], self.upper[*asset]);
        }
        debug_assert_eq!(weights.len(), states.len());
        multipliers
            .iter_mut()
            .zip(more)
            .for_each(|(m, more)| *m += more);
        Ok(self.reduced(weights, multipliers))
    }

    fn solution(&self, point: Point, steps: usize) -> Solution {
        let certificate = self.certificate(&point);
        let multipliers = point.multipliers.iter().map(|m| m * self.aversion);
        Solution {
            multipliers: multipliers.collect(),
            weights: point.weights,
            steps,
            certificate,
        }
    }

    fn certificate(&self, point: &Point) -> Certificate {
        let misses = self.equalities.iter();
        let misses = misses.map(|(row, value)| (value - dot(row, &point.weights)).abs());
        let whole: f64 = point.weights.iter().map(|weight| weight.abs()).sum();
        let mut found = Certificate {
            equality: misses.fold(0.0, f64::max),
            bound: 0.0,
            stationarity: 0.0,
            gap: 0.0,
        };
        for (asset, weight) in point.weights.iter().enumerate() {
            let [down, up] = [weight - self.lower[asset], self.upper[asset] - weight];
            found.bound = found.bound.max(-down).max(-up);
            let reduced = self.aversion * point.reduced[asset];
            let way = if reduced > 0.0 { down } else { up.min(whole) };
            found.stationarity = found.stationarity.max(reduced.abs().min(way));
            found.gap += reduced.abs() * way.max(0.0);
        }
        found
    }
}

fn dot(xs: &[f64], ys: &[f64]) -> f64 {
    xs.iter().zip(ys).map(|(x, y)| x * y).sum()
}

/// Solves a few equations by elimination with pivots.
fn small(mut matrix: Vec<Vec<f64>>, mut value: Vec<f64>) -> Result<Vec<f64>, Fault> {
    let order = value.len();
    let whole = matrix
        .iter()
        .flatten()
        .fold(0.0f64, |most, x| most.max(x.abs()));
    for at in 0..order {
        let size = |row: &usize| matrix[*row][at].abs();
        let pivot = (at..order)
            .max_by(|a, b| size(a).total_cmp(&size(b)))
            .unwrap_or(at);
        matrix.swap(at, pivot);
        value.swap(at, pivot);
        let own = matrix[at][at];
        if own.is_nan() || own.abs() <= 1e-13 * whole {
            return Err(Fault::Collinear {
                what: "equalities of what is held",
                column: at,
            });
        }
        let (done, rest) = matrix.split_at_mut(at + 1);
        let head = &done[at];
        for (below, row) in rest.iter_mut().enumerate() {
            let factor = row[at] / own;
            row.iter_mut().zip(head).for_each(|(x, y)| *x -= factor * y);
            value[at + 1 + below] -= factor * value[at];
        }
    }
    for at in (0..order).rev() {
        let known = (at + 1..order)
            .map(|k| matrix[at][k] * value[k])
            .sum::<f64>();
        value[at] = (value[at] - known) / matrix[at][at];
    }
    Ok(value)
}
