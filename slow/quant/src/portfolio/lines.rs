//! Lines on which efficient portfolios move, changed by an asset at a time.
//!
//! When an asset becomes free or stops at a bound, weights and reduced gradients change along one
//! direction, which the inverse of the free assets' covariance gives, and the inverse changes by a
//! product of two vectors: so a corner costs one product of the free assets' rows with a vector.
//! What rounding adds is gone when all is made anew, which it is now and then.

use analytics::arch::{Kernel, LANES, Lanes};

use super::covariance::Covariance;
use crate::Fault;

/// Changes after which all is made anew.
const CHANGES: usize = 64;
/// A variance that free assets leave of another's, of its own, that is taken for none.
const VARIANCE_MIN: f64 = 1e-13;

/// Weights as `fixed + t * moving`, and reduced gradients in the same way.
pub(super) struct Lines<'a> {
    covariance: &'a Covariance<'a>,
    /// What moves the free assets, and the greatest of it.
    pull: &'a [f64],
    pull_max: f64,
    /// In the order of the inverse.
    pub free: Vec<usize>,
    pub weights: [Vec<f64>; 2],
    pub reduced: [Vec<f64>; 2],
    /// Of the budget.
    pub prices: [f64; 2],
    inverse: Vec<Vec<f64>>,
    /// The inverse times ones and times pulls.
    carried: Vec<f64>,
    drawn: Vec<f64>,
    /// The greatest of what was drawn since all was made anew: what rounding is a part of.
    drawn_max: f64,
    changes: usize,
}

impl<'a> Lines<'a> {
    /// Lines of free assets, others being where `fixed` says.
    pub fn new(
        covariance: &'a Covariance<'a>,
        pull: &'a [f64],
        free: Vec<usize>,
        mut fixed: Vec<f64>,
    ) -> Result<Self, Fault> {
        let system = covariance.system(&free)?;
        free.iter().for_each(|asset| fixed[*asset] = 0.0);
        let solved = |numbers: &dyn Fn(usize) -> f64| {
            let mut numbers: Vec<f64> = free.iter().map(|asset| numbers(*asset)).collect();
            system.solve(&mut numbers);
            numbers
        };
        let held = covariance.times(&fixed);
        let carried = solved(&|_| 1.0);
        let drawn = solved(&|asset| pull[asset]);
        let parts = [solved(&|asset| -held[asset]), drawn.clone()];
        let budgets = [1.0 - fixed.iter().sum::<f64>(), 0.0];
        let mut weights = [fixed, vec![0.0; pull.len()]];
        let mut prices = [0.0; 2];
        for (part, alone) in parts.into_iter().enumerate() {
            let missing = budgets[part] - alone.iter().sum::<f64>();
            prices[part] = missing / carried.iter().sum::<f64>();
            for ((asset, weight), one) in free.iter().zip(alone).zip(&carried) {
                weights[part][*asset] = weight + prices[part] * one;
            }
        }
        let mut reduced = [0, 1].map(|part: usize| covariance.times(&weights[part]));
        reduced[0].iter_mut().for_each(|x| *x -= prices[0]);
        let moving = reduced[1].iter_mut().zip(pull);
        moving.for_each(|(x, pull)| *x -= pull + prices[1]);
        let ones: Vec<(usize, &[f64])> = (0..free.len()).map(|at| (at, &[1.0][..])).collect();
        Ok(Self {
            inverse: whole(&system.gram(&ones)),
            covariance,
            pull,
            pull_max: greatest(pull),
            free,
            weights,
            reduced,
            prices,
            carried,
            drawn_max: greatest(&drawn),
            drawn,
            changes: 0,
        })
    }

    /// The greatest numbers that moving weights and reduced gradients are the differences of.
    pub fn scale(&self) -> [f64; 2] {
        [self.drawn_max, self.pull_max.max(self.prices[1].abs())]
    }

    /// Frees an asset; whether it could be done, else lines have to be made anew.
    pub fn enter(&mut self, asset: usize) -> bool {
        let backend = self.covariance.backend;
        let column = self.covariance.between(asset, &self.free);
        let by = self.inverse.iter().map(|row| backend.dot(row, &column));
        let by: Vec<f64> = by.collect();
        let variance = self.covariance.variance(asset);
        let left = variance - backend.dot(&column, &by);
        if self.changes == CHANGES || left.is_nan() || left <= VARIANCE_MIN * variance {
            return false;
        }
        let price = (by.iter().sum::<f64>() - 1.0) / self.carried.iter().sum::<f64>();
        let ways = by.iter().zip(&self.carried);
        let ways = ways.map(|(by, carried)| price * carried - by);
        let mut direction: Vec<(usize, f64)> = self.free.iter().copied().zip(ways).collect();
        direction.push((asset, 1.0));
        let covariances = self.along(&direction, price);
        let by_own = |reduced: &Vec<f64>| -reduced[asset] / covariances[asset];
        let steps = [by_own(&self.reduced[0]), by_own(&self.reduced[1])];
        self.free.push(asset);
        self.step(&direction, &covariances, price, steps);
        backend.run(Raise {
            rows: &mut self.inverse,
            by: &by,
            factor: 1.0 / left,
        });
        let mut last: Vec<f64> = by.iter().map(|by| -by / left).collect();
        for (row, x) in self.inverse.iter_mut().zip(&last) {
            row.push(*x);
        }
        last.push(1.0 / left);
        self.inverse.push(last);
        for (solved, sum, own) in [
            (&mut self.carried, by.iter().sum::<f64>(), 1.0),
            (
                &mut self.drawn,
                self.free
                    .iter()
                    .zip(&by)
                    .map(|(at, by)| self.pull[*at] * by)
                    .sum(),
                self.pull[asset],
            ),
        ] {
            let found = (own - sum) / left;
            solved
                .iter_mut()
                .zip(&by)
                .for_each(|(x, by)| *x -= found * by);
            solved.push(found);
        }
        self.drawn_max = self.drawn_max.max(greatest(&self.drawn));
        self.changes += 1;
        true
    }

    /// Stops an asset at a bound; whether it could be done, else lines have to be made anew.
    pub fn leave(&mut self, asset: usize, bound: f64) -> bool {
        let place = self.free.iter().position(|free| *free == asset);
        let Some(place) = place.filter(|_| self.changes < CHANGES) else {
            return false;
        };
        let column = self.inverse[place].clone();
        let part = self.carried[place] / self.carried.iter().sum::<f64>();
        let own = column[place] - part * self.carried[place];
        if own.is_nan() || own <= VARIANCE_MIN * column[place] {
            return false;
        }
        let ways = column.iter().zip(&self.carried);
        let ways = ways.map(|(x, carried)| (x - part * carried) / own);
        let direction: Vec<(usize, f64)> = self.free.iter().copied().zip(ways).collect();
        let price = -part / own;
        let covariances = self.along(&direction, price);
        let steps = [bound - self.weights[0][asset], -self.weights[1][asset]];
        self.free.swap_remove(place);
        self.step(&direction, &covariances, price, steps);
        (self.weights[0][asset], self.weights[1][asset]) = (bound, 0.0);
        for solved in [&mut self.carried, &mut self.drawn] {
            let own = solved[place] / column[place];
            solved
                .iter_mut()
                .zip(&column)
                .for_each(|(x, by)| *x -= own * by);
            solved.swap_remove(place);
        }
        self.covariance.backend.run(Raise {
            rows: &mut self.inverse,
            by: &column,
            factor: -1.0 / column[place],
        });
        self.inverse.swap_remove(place);
        self.inverse.iter_mut().for_each(|row| {
            row.swap_remove(place);
        });
        self.drawn_max = self.drawn_max.max(greatest(&self.drawn));
        self.changes += 1;
        true
    }

    /// What a direction changes of reduced gradients.
    fn along(&self, direction: &[(usize, f64)], price: f64) -> Vec<f64> {
        let mut found = self.covariance.of(direction);
        found.iter_mut().for_each(|x| *x -= price);
        found
    }

    fn step(&mut self, direction: &[(usize, f64)], along: &[f64], price: f64, steps: [f64; 2]) {
        for (part, step) in steps.into_iter().enumerate() {
            for (asset, way) in direction {
                self.weights[part][*asset] += step * way;
            }
            let reduced = &mut self.reduced[part];
            reduced
                .iter_mut()
                .zip(along)
                .for_each(|(x, by)| *x += step * by);
            self.free.iter().for_each(|asset| reduced[*asset] = 0.0);
            self.prices[part] += step * price;
        }
    }
}

fn greatest(numbers: &[f64]) -> f64 {
    numbers.iter().fold(0.0, |most, x| most.max(x.abs()))
}

/// The whole of a symmetric matrix of which the lower triangle is known.
pub(super) fn whole(lower: &[Vec<f64>]) -> Vec<Vec<f64>> {
    let row = |(at, row): (usize, &Vec<f64>)| {
        let across = lower[at + 1..].iter().map(|row| row[at]);
        row.iter().copied().chain(across).collect()
    };
    lower.iter().enumerate().map(row).collect()
}

/// Adds a vector times itself and a factor to a matrix.
struct Raise<'a> {
    rows: &'a mut [Vec<f64>],
    by: &'a [f64],
    factor: f64,
}

impl Kernel for Raise<'_> {
    type Output = ();

    #[inline(always)]
    fn run<L: Lanes>(self, lanes: L) {
        let (whole, rest) = self.by.as_chunks::<LANES>();
        for (row, own) in self.rows.iter_mut().zip(self.by) {
            let factor = self.factor * own;
            let (into, tail) = row.as_chunks_mut::<LANES>();
            for (x, by) in into.iter_mut().zip(whole) {
                let sum = lanes.mul_add(lanes.load(by), lanes.splat(factor), lanes.load(x));
                lanes.store(sum, x);
            }
            tail.iter_mut()
                .zip(rest)
                .for_each(|(x, by)| *x += factor * by);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use analytics::arch::Backend;

    #[test]
    fn all_backends_raise_with_the_same_bits() {
        for count in [1, 15, 16, 17, 40, 100] {
            let number = |at: usize| ((at * 13) as f64).sin();
            let by: Vec<f64> = (0..count).map(number).collect();
            let row = |row: usize| (0..count).map(move |at| number(row * 31 + at));
            let before: Vec<Vec<f64>> = (0..count).map(|at| row(at).collect()).collect();
            let factor = -0.7;
            let due = before.iter().zip(&by).map(|(row, own)| {
                let whole = count / LANES * LANES;
                let sum = |(at, x): (usize, &f64)| match at < whole {
                    true => by[at].mul_add(factor * own, *x),
                    // What is behind whole registers is rounded twice.
                    false => x + factor * own * by[at],
                };
                row.iter().enumerate().map(sum).collect::<Vec<f64>>()
            });
            let due: Vec<Vec<f64>> = due.collect();
            for backend in Backend::all() {
                let mut rows = before.clone();
                backend.run(Raise {
                    rows: &mut rows,
                    by: &by,
                    factor,
                });
                assert_eq!(rows, due, "{count}");
            }
        }
    }
}
