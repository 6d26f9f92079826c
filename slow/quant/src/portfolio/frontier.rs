//! The whole efficient frontier by critical lines (H. Markowitz, Portfolio Selection, 1959;
//! A. Niedermayer, D. Niedermayer, 2007).
//!
//! For a tolerance `t`, the portfolio of least `variance / 2 - t * return`. From the least variance
//! (`t = 0`) on, free assets move on lines in `t` until one meets a bound, or one at a bound would
//! gain by leaving it: a corner. Between corners all is known without solving.

use std::ops::ControlFlow;

use super::corner::Corner;
use super::covariance::Covariance;
use super::gradients::Leave;
use super::held::dot;
use super::lines::Lines;
use super::optimum::MeanVariance;
use super::pivoting::State;
use crate::Fault;

/// Corners after which it is given up, for each asset.
const CORNERS_EACH: usize = 20;
/// What is taken for no movement, of what movements are the differences of.
const STILL: f64 = 1e-12;

/// The efficient portfolios, from the least variance to the greatest return.
#[derive(Clone, Debug, PartialEq)]
pub struct Frontier {
    /// Its corners; between two of them weights are on a line.
    pub corners: Vec<Corner>,
    /// Whether these are all: not if it was stopped, then those of greater returns are missing.
    pub complete: bool,
}

impl Frontier {
    /// The efficient portfolio of a return: weights and variance. Below the least variance's return
    /// that portfolio itself; `None` above the greatest return.
    #[must_use]
    pub fn at_mean(&self, mean: f64) -> Option<(Vec<f64>, f64)> {
        let above = self.corners.iter().position(|corner| corner.mean >= mean)?;
        let high = &self.corners[above];
        let Some(low) = above.checked_sub(1).map(|at| &self.corners[at]) else {
            return Some((high.weights.clone(), high.variance));
        };
        let share = (mean - low.mean) / (high.mean - low.mean);
        let between = |low: f64, high: f64| low + share * (high - low);
        let weights = low.weights.iter().zip(&high.weights);
        let weights = weights.map(|(low, high)| between(*low, *high)).collect();
        // With u = t^2 the variance is on a line: its slope in t is twice t by a constant.
        let square = |x: f64| x * x;
        let (from, to) = (low.tolerance, high.tolerance);
        let reached = square(between(from, to)) - square(from);
        let part = reached / (square(to) - square(from));
        Some((
            weights,
            low.variance + part * (high.variance - low.variance),
        ))
    }
}

/// By how much a variance may be below the one before, of the greatest of an asset.
const NOISE: f64 = 1e-9;

/// What happens next: when, to which asset, and where it goes.
struct Event {
    tolerance: f64,
    asset: usize,
    to: State,
}

/// Finds the frontier of long and short positions within bounds, with weights that add up to 1.
///
/// # Errors
/// As those of [`MeanVariance::solve`]; no expected returns; a covariance that is so near to a
/// singular one that equations lead nowhere; corners without an end, which degenerate inputs may
/// have.
pub fn frontier(
    covariance: &Covariance<'_>,
    mean: &[f64],
    lower: &[f64],
    upper: &[f64],
) -> Result<Frontier, Fault> {
    frontier_watched(
        covariance,
        mean,
        lower,
        upper,
        |_| ControlFlow::Continue(()),
    )
}

/// As [`frontier`]; `watch` is told before each next corner how many there are and may stop it.
///
/// # Errors
/// Those of [`frontier`].
pub fn frontier_watched(
    covariance: &Covariance<'_>,
    mean: &[f64],
    lower: &[f64],
    upper: &[f64],
    watch: impl FnMut(usize) -> ControlFlow<()>,
) -> Result<Frontier, Fault> {
    let count = covariance.count();
    crate::fault::series("mean", mean, 0)?;
    crate::fault::same_length("mean", mean.len(), count)?;
    let least = MeanVariance {
        covariance,
        mean: &[],
        aversion: 1.0,
        lower,
        upper,
        equalities: &[],
    };
    let start = least.solve(None)?.weights;
    // What all assets return alike moves nothing.
    let top = mean.iter().copied().fold(f64::MIN, f64::max);
    let walk = Walk {
        covariance,
        mean,
        pull: mean.iter().map(|mean| mean - top).collect(),
        lower,
        upper,
    };
    walk.corners(start, watch)
}

struct Walk<'a> {
    covariance: &'a Covariance<'a>,
    mean: &'a [f64],
    /// Means less the greatest.
    pull: Vec<f64>,
    lower: &'a [f64],
    upper: &'a [f64],
}

impl Walk<'_> {
    fn corners(
        &self,
        start: Vec<f64>,
        mut watch: impl FnMut(usize) -> ControlFlow<()>,
    ) -> Result<Frontier, Fault> {
        let mut states: Vec<State> = (0..start.len())
            .map(|at| State::of(start[at], self.lower[at], self.upper[at]))
            .collect();
        let sides = states.iter().enumerate();
        let mut sides: Vec<f64> = sides.map(|(at, state)| self.side(at, *state)).collect();
        let mut tolerance = 0.0;
        let held = self.covariance.times(&start);
        let mut corners = vec![self.corner(0.0, dot(&held, &start), start)];
        let mut lines = None;
        let limit = CORNERS_EACH * states.len() + CORNERS_EACH;
        let variances = (0..states.len()).map(|at| self.covariance.variance(at));
        let greatest = variances.fold(0.0, f64::max);
        let ended = |corners, complete| Ok(Frontier { corners, complete });
        for _ in 0..limit {
            if watch(corners.len()).is_break() {
                return ended(corners, false);
            }
            if !states.contains(&State::Free) {
                let Some((at, pair)) = self.exchange(&states, &corners) else {
                    return ended(corners, true);
                };
                tolerance = at.max(tolerance);
                for asset in pair {
                    (states[asset], sides[asset]) = (State::Free, 0.0);
                }
                lines = None;
            }
            let mut now = match lines.take() {
                Some(lines) => lines,
                None => self.lines(&states)?,
            };
            let Some(event) = self.next(&sides, &now, tolerance) else {
                return ended(corners, true);
            };
            tolerance = event.tolerance.max(tolerance);
            states[event.asset] = event.to;
            sides[event.asset] = self.side(event.asset, event.to);
            // Several changes at once are one corner.
            let is_same = corners
                .last()
                .is_some_and(|last| last.tolerance == tolerance);
            if is_same {
                corners.pop();
            }
            corners.push(self.reached(&now, tolerance));
            // More tolerance never buys less variance: the equations are not to be relied on.
            if let [.., before, last] = &corners[..]
                && last.variance < before.variance - NOISE * greatest
            {
                return Err(Fault::Collinear {
                    what: "covariance",
                    column: event.asset,
                });
            }
            let is_changed = match event.to {
                State::Free => now.enter(event.asset),
                State::Lower => now.leave(event.asset, self.lower[event.asset]),
                State::Upper => now.leave(event.asset, self.upper[event.asset]),
            };
            lines = is_changed.then_some(now);
        }
        Err(Fault::Unsettled {
            what: "frontier",
            steps: limit,
        })
    }

    fn corner(&self, tolerance: f64, variance: f64, weights: Vec<f64>) -> Corner {
        Corner {
            tolerance,
            mean: self.covariance.backend.dot(self.mean, &weights),
            variance,
            weights,
        }
    }

    /// The portfolio that lines lead to. Covariances with it are reduced gradients, and what these
    /// are reduced by.
    fn reached(&self, lines: &Lines<'_>, tolerance: f64) -> Corner {
        let [fixed, moving] = &lines.weights;
        let mut weights = fixed.clone();
        for asset in &lines.free {
            let weight = fixed[*asset] + tolerance * moving[*asset];
            weights[*asset] = weight.clamp(self.lower[*asset], self.upper[*asset]);
        }
        let with = |numbers: &[f64]| self.covariance.backend.dot(numbers, &weights);
        let [fixed, moving] = &lines.reduced;
        let variance = with(fixed)
            + lines.prices[0]
            + tolerance * (with(moving) + with(&self.pull) + lines.prices[1]);
        self.corner(tolerance, variance, weights)
    }

    /// Lines of such states.
    fn lines(&self, states: &[State]) -> Result<Lines<'_>, Fault> {
        let all = 0..states.len();
        let free = all.clone().filter(|asset| states[*asset] == State::Free);
        let bound = |at: usize| states[at].weight(self.lower[at], self.upper[at]);
        let fixed = all.clone().map(bound);
        Lines::new(self.covariance, &self.pull, free.collect(), fixed.collect())
    }

    /// With nothing free, two assets have to change places: when the first exchange gains.
    fn exchange(&self, states: &[State], corners: &[Corner]) -> Option<(f64, [usize; 2])> {
        let held = self.covariance.times(&corners.last()?.weights);
        let is_loose = |asset: &usize| self.lower[*asset] < self.upper[*asset];
        let of = |state: State| {
            let all = (0..states.len()).filter(is_loose);
            all.filter(move |asset| states[*asset] == state)
        };
        let mut first: Option<(f64, [usize; 2])> = None;
        for from in of(State::Upper) {
            for to in of(State::Lower) {
                let more = self.mean[to] - self.mean[from];
                let at = (held[to] - held[from]) / more;
                if more > 0.0 && first.is_none_or(|(first, _)| at < first) {
                    first = Some((at, [from, to]));
                }
            }
        }
        first
    }

    /// The first event from a tolerance on.
    fn next(&self, sides: &[f64], lines: &Lines<'_>, from: f64) -> Option<Event> {
        let still = lines.scale().map(|scale| STILL * scale);
        let leave = self.covariance.backend.run(Leave {
            reduced: [&lines.reduced[0], &lines.reduced[1]],
            sides,
            still: still[1],
            from,
        });
        let mut first = leave.map(|(tolerance, asset)| Event {
            tolerance,
            asset,
            to: State::Free,
        });
        for asset in lines.free.iter().copied() {
            let [fixed, moving] = [0, 1].map(|part: usize| lines.weights[part][asset]);
            let (bound, to) = if moving < -still[0] {
                (self.lower[asset], State::Lower)
            } else if moving > still[0] {
                (self.upper[asset], State::Upper)
            } else {
                continue;
            };
            let tolerance = ((bound - fixed) / moving).max(from);
            let is_first = first
                .as_ref()
                .is_none_or(|first| (tolerance, asset) < (first.tolerance, first.asset));
            if is_first {
                first = Some(Event {
                    tolerance,
                    asset,
                    to,
                });
            }
        }
        first
    }

    /// Which way an asset's reduced gradient keeps it where it is: 0 if nothing does, or bounds
    /// that are one.
    fn side(&self, asset: usize, state: State) -> f64 {
        match state {
            _ if self.lower[asset] == self.upper[asset] => 0.0,
            State::Lower => 1.0,
            State::Free => 0.0,
            State::Upper => -1.0,
        }
    }
}
