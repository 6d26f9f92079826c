//! Block principal pivoting with bounds (J. Judice, F. Pires, Computers and Operations Research 21,
//! 1994; for the fall-back, K. Murty, 1974).
//!
//! Each asset is at a bound or free. With free ones as equations demand, some break a bound and
//! some at a bound would gain by leaving it: all of the former and the worst of the latter change
//! sides, and the equations are solved anew. They are as many as assets are held, mostly few. If
//! the number of those that are wrong does not fall for long, one at a time changes.

use super::covariance::Covariance;
use super::gradients::{Prove, Reduce};
use super::held::{HELD, Held};
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

impl State {
    /// Of a weight: free between its bounds.
    pub(super) fn of(weight: f64, lower: f64, upper: f64) -> Self {
        if weight <= lower {
            Self::Lower
        } else if weight >= upper {
            Self::Upper
        } else {
            Self::Free
        }
    }

    /// The weight at a bound; 0 of a free one.
    pub(super) fn weight(self, lower: f64, upper: f64) -> f64 {
        match self {
            Self::Lower => lower,
            Self::Free => 0.0,
            Self::Upper => upper,
        }
    }
}

/// A program whose inputs have been checked; upper bounds may be infinite.
pub(super) struct Program<'a> {
    pub covariance: &'a Covariance<'a>,
    /// Expected returns by aversion.
    pub pull: Vec<f64>,
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
    /// States of weights, in which equalities can be fulfilled.
    pub fn near(&self, weights: &[f64]) -> Vec<State> {
        let mut states = self.near_bounds(weights);
        self.hold_enough(&mut states);
        states
    }

    /// States of weights: free between bounds.
    pub(super) fn near_bounds(&self, weights: &[f64]) -> Vec<State> {
        let state = |at: usize| State::of(weights[at], self.lower[at], self.upper[at]);
        (0..weights.len()).map(state).collect()
    }

    /// States to begin with: the assets that are best alone, as many as can carry the whole.
    pub fn cold(&self) -> Vec<State> {
        let count = self.pull.len();
        let mut states = vec![State::Lower; count];
        let mut room = 2.0 * (1.0 - self.lower.iter().sum::<f64>());
        let span = |asset: &usize| self.upper[*asset] - self.lower[*asset];
        let mut order = self.by_merit(COLD);
        if order.iter().map(span).sum::<f64>() < room {
            order = self.by_merit(count);
        }
        for (place, asset) in order.into_iter().enumerate() {
            if place >= COLD && room <= 0.0 {
                break;
            }
            states[asset] = State::Free;
            room -= span(&asset);
        }
        states
    }

    /// So many assets that would be worth most alone, the best first.
    fn by_merit(&self, most: usize) -> Vec<usize> {
        let alone = |asset: usize| {
            let risk = 0.5 * self.covariance.variance(asset);
            (risk - self.pull[asset], asset)
        };
        let mut merits: Vec<(f64, usize)> = (0..self.pull.len()).map(alone).collect();
        let order = |a: &(f64, usize), b: &(f64, usize)| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1));
        if most < merits.len() {
            merits.select_nth_unstable_by(most, order);
            merits.truncate(most);
        }
        merits.sort_unstable_by(order);
        merits.into_iter().map(|(_, asset)| asset).collect()
    }

    /// Frees assets until the equalities can be fulfilled: first those whose bound leaves room on
    /// the side where the whole must go, the best of those that are to gain, the worst of those
    /// that are to lose.
    fn hold_enough(&self, states: &mut [State]) {
        let needed = self.equalities.len();
        let free = states.iter().filter(|state| **state == State::Free);
        let missing = needed.saturating_sub(free.count());
        if missing == 0 {
            return;
        }
        let bounds: Vec<f64> = (0..states.len()).map(|at| self.bound(states, at)).collect();
        let is_short = self.missing(&bounds)[0] >= 0.0;
        let mut order = self.by_merit(states.len());
        if !is_short {
            order.reverse();
        }
        order.retain(|at| states[*at] != State::Free);
        let from = if is_short { State::Lower } else { State::Upper };
        order.sort_by_key(|at| states[*at] != from);
        for at in order.into_iter().take(missing) {
            states[at] = State::Free;
        }
    }

    /// Where an asset stands that is at a bound; 0 for a free one.
    fn bound(&self, states: &[State], asset: usize) -> f64 {
        states[asset].weight(self.lower[asset], self.upper[asset])
    }

    /// Finds the answer, from these states on.
    pub fn solve(&self, states: Vec<State>) -> Result<Solution, Fault> {
        let found = self.pivoted(states);
        match found {
            // Too few are held for the equalities, though all together may meet them.
            Err(Fault::Collinear { what: HELD, .. } | Fault::Unsettled { .. })
                if !self.equalities.is_empty() =>
            {
                self.priced().or(found)
            }
            found => found,
        }
    }

    /// Changes states until none is wrong. Beside equalities that may never be; without, it is.
    pub(super) fn pivoted(&self, states: Vec<State>) -> Result<Solution, Fault> {
        let each = if self.equalities.is_empty() {
            STEPS_EACH
        } else {
            0
        };
        let limit = STEPS_LEAST + each * states.len();
        self.pivoted_within(states, limit)
    }

    pub(super) fn pivoted_within(
        &self,
        mut states: Vec<State>,
        limit: usize,
    ) -> Result<Solution, Fault> {
        let (mut best, mut patience) = (usize::MAX, PATIENCE);
        let mut before = None;
        for step in 1..=limit {
            let mut held = self.held(&states, before)?;
            let mut point = self.point(&states, &held);
            if point.is_err() && !held.pinned.is_empty() {
                held = self.held(&states, None)?;
                point = self.point(&states, &held);
            }
            let point = point?;
            let mut wrong = self.wrong(&states, &point);
            if wrong.is_empty() {
                let point = self.polished(&held, point)?;
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
                Self::worst(&mut wrong, held.free);
            }
            wrong
                .iter()
                .for_each(|wrong| states[wrong.asset] = wrong.to);
            self.hold_enough(&mut states);
            before = Some(held.system);
        }
        Err(Fault::Unsettled {
            what: "portfolio",
            steps: limit,
        })
    }

    pub(super) fn free(&self, states: &[State]) -> Vec<usize> {
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
    fn point(&self, states: &[State], held: &Held<'_>) -> Result<Point, Fault> {
        let assets = held.system.assets();
        let bound = |asset: usize| self.bound(states, asset);
        let mut weights: Vec<f64> = (0..states.len()).map(bound).collect();
        let pins = held.pinned.iter().map(|place| bound(assets[*place]));
        let pins: Vec<f64> = pins.collect();
        assets.iter().for_each(|asset| weights[*asset] = 0.0);
        let is_held = weights.iter().any(|weight| *weight != 0.0);
        let fixed = is_held.then(|| self.covariance.times(&weights));
        let pull = |asset: &usize| {
            let held = fixed.as_ref().map_or(0.0, |fixed| fixed[*asset]);
            self.pull[*asset] - held
        };
        let pull = assets.iter().map(pull).collect();
        let missing = self.missing(&weights).into_iter();
        let values = missing.chain(pins.iter().copied()).collect();
        let (found, mut multipliers) = held.equations(pull, values)?;
        for (asset, weight) in assets.iter().zip(found) {
            weights[*asset] = weight;
        }
        for (place, pin) in held.pinned.iter().zip(pins) {
            weights[assets[*place]] = pin;
        }
        multipliers.truncate(self.equalities.len());
        Ok(self.reduced(weights, multipliers))
    }

    /// What equalities lack.
    pub(super) fn missing(&self, weights: &[f64]) -> Vec<f64> {
        let backend = self.covariance.backend;
        let equalities = self.equalities.iter();
        let missing = equalities.map(|(row, value)| value - backend.dot(row, weights));
        missing.collect()
    }

    fn reduced(&self, weights: Vec<f64>, multipliers: Vec<f64>) -> Point {
        let mut reduced = self.covariance.times(&weights);
        let scale = self.covariance.backend.run(Reduce {
            held: &mut reduced,
            pull: &self.pull,
            equalities: &self.equalities,
            multipliers: &multipliers,
        });
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
    fn polished(&self, held: &Held<'_>, point: Point) -> Result<Point, Fault> {
        let assets = held.system.assets();
        let left = assets.iter().map(|asset| -point.reduced[*asset]).collect();
        let missing = self.missing(&point.weights).into_iter();
        let still = held.pinned.iter().map(|_| 0.0);
        let (moves, more) = held.equations(left, missing.chain(still).collect())?;
        let (mut weights, mut multipliers) = (point.weights, point.multipliers);
        for (asset, by) in assets.iter().zip(moves) {
            let moved = weights[*asset] + by;
            weights[*asset] = moved.clamp(self.lower[*asset], self.upper[*asset]);
        }
        for place in &held.pinned {
            let asset = assets[*place];
            let [lower, upper] = [self.lower[asset], self.upper[asset]];
            // A pin is on one of them, but for rounding.
            let is_lower = weights[asset] - lower <= upper - weights[asset];
            weights[asset] = if is_lower { lower } else { upper };
        }
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

    /// Weights with what equalities cost, whoever found them.
    pub(super) fn proved(&self, weights: Vec<f64>, prices: Vec<f64>, steps: usize) -> Solution {
        self.solution(self.reduced(weights, prices), steps)
    }

    fn certificate(&self, point: &Point) -> Certificate {
        let misses = self.missing(&point.weights).into_iter();
        let found = self.covariance.backend.run(Prove {
            weights: &point.weights,
            reduced: &point.reduced,
            lower: self.lower,
            upper: self.upper,
            aversion: self.aversion,
            whole: point.weights.iter().map(|weight| weight.abs()).sum(),
        });
        Certificate {
            equality: misses.map(f64::abs).fold(0.0, f64::max),
            ..found
        }
    }
}
