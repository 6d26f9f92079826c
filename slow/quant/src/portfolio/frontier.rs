//! The whole efficient frontier by critical lines (H. Markowitz, Portfolio Selection, 1959;
//! A. Niedermayer, D. Niedermayer, 2007).
//!
//! For a tolerance `t`, the portfolio of least `variance / 2 - t * return`. From the least variance
//! (`t = 0`) on, free assets move on lines in `t` until one meets a bound, or one at a bound would
//! gain by leaving it: a corner. Between corners all is known without solving.

use super::covariance::Covariance;
use super::optimum::MeanVariance;
use super::pivoting::State;
use crate::Fault;

/// Corners after which it is given up, for each asset.
const CORNERS_EACH: usize = 20;
/// What is taken for no movement, of what movements are the differences of.
const STILL: f64 = 1e-12;

/// Where the set of assets that move changes.
#[derive(Clone, Debug, PartialEq)]
pub struct Corner {
    /// How much return counts against half of the variance.
    pub tolerance: f64,
    /// Expected.
    pub mean: f64,
    /// Of the return.
    pub variance: f64,
    /// How much of each asset.
    pub weights: Vec<f64>,
}

/// The efficient portfolios, from the least variance to the greatest return.
#[derive(Clone, Debug, PartialEq)]
pub struct Frontier {
    /// Its corners; between two of them weights are on a line.
    pub corners: Vec<Corner>,
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

/// Weights as `fixed + t * moving`, and reduced gradients in the same way.
struct Line {
    weights: [Vec<f64>; 2],
    reduced: [Vec<f64>; 2],
    /// The greatest numbers that moving weights and reduced gradients are the differences of.
    scale: [f64; 2],
}

/// What happens next: when, to which asset, and where it goes.
struct Event {
    tolerance: f64,
    asset: usize,
    to: State,
}

/// Finds the frontier of long and short positions within bounds, with weights that add up to 1.
///
/// # Errors
/// As those of [`MeanVariance::solve`]; no expected returns; corners without an end, which
/// degenerate inputs may have.
pub fn frontier(
    covariance: &Covariance<'_>,
    mean: &[f64],
    lower: &[f64],
    upper: &[f64],
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
    walk.corners(start)
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
    fn corners(&self, start: Vec<f64>) -> Result<Frontier, Fault> {
        let mut states: Vec<State> = (0..start.len())
            .map(|at| self.state(at, start[at]))
            .collect();
        let mut tolerance = 0.0;
        let mut corners = vec![self.corner(0.0, start)];
        let limit = CORNERS_EACH * states.len() + CORNERS_EACH;
        for _ in 0..limit {
            if !states.contains(&State::Free) {
                let Some((at, pair)) = self.exchange(&states, &corners) else {
                    return Ok(Frontier { corners });
                };
                tolerance = at.max(tolerance);
                pair.into_iter()
                    .for_each(|asset| states[asset] = State::Free);
            }
            let line = self.line(&states)?;
            let Some(event) = self.next(&states, &line, tolerance) else {
                return Ok(Frontier { corners });
            };
            tolerance = event.tolerance.max(tolerance);
            states[event.asset] = event.to;
            let at = |asset: usize| {
                let weight = line.weights[0][asset] + tolerance * line.weights[1][asset];
                weight.clamp(self.lower[asset], self.upper[asset])
            };
            let corner = self.corner(tolerance, (0..states.len()).map(at).collect());
            // Several changes at once are one corner.
            let is_same = corners
                .last()
                .is_some_and(|last| last.tolerance == tolerance);
            if is_same {
                corners.pop();
            }
            corners.push(corner);
        }
        Err(Fault::Unsettled {
            what: "frontier",
            steps: limit,
        })
    }

    fn state(&self, asset: usize, weight: f64) -> State {
        if weight <= self.lower[asset] {
            State::Lower
        } else if weight >= self.upper[asset] {
            State::Upper
        } else {
            State::Free
        }
    }

    fn corner(&self, tolerance: f64, weights: Vec<f64>) -> Corner {
        let held = self.covariance.times(&weights);
        Corner {
            tolerance,
            mean: dot(self.mean, &weights),
            variance: dot(&held, &weights),
            weights,
        }
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

    /// Solves the equations of the free assets for both parts of the line.
    fn line(&self, states: &[State]) -> Result<Line, Fault> {
        let free: Vec<usize> = (0..states.len())
            .filter(|asset| states[*asset] == State::Free)
            .collect();
        let system = self.covariance.system(&free)?;
        let fixed = |asset: usize| match states[asset] {
            State::Lower => self.lower[asset],
            State::Free => 0.0,
            State::Upper => self.upper[asset],
        };
        let mut weights = [
            (0..states.len()).map(fixed).collect::<Vec<f64>>(),
            vec![0.0; states.len()],
        ];
        let held = self.covariance.times(&weights[0]);
        let mut pulls = [
            free.iter().map(|asset| -held[*asset]).collect::<Vec<f64>>(),
            free.iter().map(|asset| self.pull[*asset]).collect(),
        ];
        let mut ones = vec![1.0; free.len()];
        system.solve(&mut ones);
        let carried: f64 = ones.iter().sum();
        let budgets = [1.0 - weights[0].iter().sum::<f64>(), 0.0];
        let (mut prices, mut fastest) = ([0.0; 2], 0.0f64);
        for part in 0..2 {
            system.solve(&mut pulls[part]);
            let missing = budgets[part] - pulls[part].iter().sum::<f64>();
            prices[part] = missing / carried;
            for ((asset, pull), one) in free.iter().zip(&pulls[part]).zip(&ones) {
                weights[part][*asset] = pull + prices[part] * one;
                fastest = if part == 1 {
                    fastest.max(pull.abs())
                } else {
                    0.0
                };
            }
        }
        let mut reduced = [0, 1].map(|part: usize| self.covariance.times(&weights[part]));
        reduced[0].iter_mut().for_each(|x| *x -= prices[0]);
        let moving = reduced[1].iter_mut().zip(&self.pull);
        moving.for_each(|(x, pull)| *x -= pull + prices[1]);
        let farthest = self
            .pull
            .iter()
            .fold(prices[1].abs(), |most, x| most.max(x.abs()));
        Ok(Line {
            weights,
            reduced,
            scale: [fastest, farthest],
        })
    }

    /// The first event from a tolerance on.
    fn next(&self, states: &[State], line: &Line, from: f64) -> Option<Event> {
        let still = line.scale.map(|scale| STILL * scale);
        let mut first: Option<Event> = None;
        for (asset, state) in states.iter().enumerate() {
            let [fixed, moving] = [0, 1].map(|part: usize| match state {
                State::Free => line.weights[part][asset],
                _ => line.reduced[part][asset],
            });
            let (bound, to) = match state {
                State::Free if moving < -still[0] => (self.lower[asset], State::Lower),
                State::Free if moving > still[0] => (self.upper[asset], State::Upper),
                State::Lower if moving < -still[1] => (0.0, State::Free),
                State::Upper if moving > still[1] => (0.0, State::Free),
                _ => continue,
            };
            if to == State::Free && self.lower[asset] == self.upper[asset] {
                continue;
            }
            let tolerance = ((bound - fixed) / moving).max(from);
            if first
                .as_ref()
                .is_none_or(|first| tolerance < first.tolerance)
            {
                first = Some(Event {
                    tolerance,
                    asset,
                    to,
                });
            }
        }
        first
    }
}

fn dot(xs: &[f64], ys: &[f64]) -> f64 {
    xs.iter().zip(ys).map(|(x, y)| x * y).sum()
}
