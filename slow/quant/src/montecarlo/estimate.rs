//! What samples say: a mean, and how far off it may be.

use analytics::arch::{Backend, Kernel, LANES, Lanes};
use analytics::kernels::total;

/// So many samples that differ from their controls tell how far off a mean may be. Fewer do not:
/// far from the strike hardly any path has what is left to chance, and then much of it.
const TOLD_FROM: f64 = 30.0;
/// Standard errors that 95 % lie within.
const SURE: f64 = 1.96;

/// What a simulation found.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Estimate {
    /// What is expected.
    pub value: f64,
    /// The standard error of that: two thirds of simulations are off by less. Infinite if there is
    /// but one sample to tell from, or a control of which too few differ to tell anything.
    pub error: f64,
    /// How many paths it was made of.
    pub paths: u64,
    /// Whether these are all that were asked for: not if the simulation was stopped.
    pub complete: bool,
}

/// Sums over some samples: all that is kept of a part of a simulation.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Tally {
    pub(super) count: f64,
    /// Means of the payoff and of its control.
    pub(super) means: [f64; 2],
    /// Squared differences of the payoff, products, squared differences of the control.
    pub(super) squares: [f64; 3],
    /// Samples that are not their control, and those that are not 0, if there are controls.
    differing: f64,
    paying: f64,
}

impl Tally {
    pub(super) const NONE: Self = Self {
        count: 0.0,
        means: [0.0; 2],
        squares: [0.0; 3],
        differing: 0.0,
        paying: 0.0,
    };

    /// Of samples and their controls, if there are.
    pub(super) fn of(backend: Backend, samples: &[f64], controls: &[f64]) -> Self {
        if controls.is_empty() {
            return backend.run(Alone(samples));
        }
        let Some(both) = backend.co_moments(samples, controls) else {
            return Self::NONE;
        };
        Self {
            count: samples.len() as f64,
            means: [both.x.mean, both.y.mean],
            squares: [both.x.squares, both.products, both.y.squares],
            differing: count(samples.iter().zip(controls), |(x, y)| x != y),
            paying: count(samples.iter(), |x| **x != 0.0),
        }
    }

    /// Of pairs of samples, each pair from a stratum of its own: only what differs within pairs
    /// counts as error. `halves` are half the differences.
    pub(super) fn of_strata(backend: Backend, means: [&[f64]; 2], halves: [&[f64]; 2]) -> Self {
        let [samples, controls] = means;
        let whole = Self::of(backend, samples, controls);
        let within = Self::of(backend, halves[0], halves[1]);
        let [y, x] = within.means;
        // Around 0, and in the place of what is divided by the count less one.
        let less = (whole.count - 1.0) / whole.count;
        let squares = [y * y, x * y, x * x];
        let around = [0, 1, 2].map(|at| within.squares[at] + whole.count * squares[at]);
        Self {
            squares: around.map(|square| square * less),
            ..whole
        }
    }

    /// Of samples and controls that are so many times as great.
    pub(super) fn times(self, scale: f64) -> Self {
        Self {
            means: self.means.map(|mean| mean * scale),
            squares: self.squares.map(|square| square * (scale * scale)),
            ..self
        }
    }

    /// Of both (T. Chan, G. Golub, R. LeVeque 1983). Between strata nothing is error.
    pub(super) fn and(self, other: Self, strata: bool) -> Self {
        let count = self.count + other.count;
        if count == 0.0 {
            return self;
        }
        let share = other.count / count;
        let apart = [0, 1].map(|at| other.means[at] - self.means[at]);
        let weight = if strata { 0.0 } else { self.count * share };
        let products = [
            apart[0] * apart[0],
            apart[0] * apart[1],
            apart[1] * apart[1],
        ];
        Self {
            count,
            means: [0, 1].map(|at| self.means[at] + apart[at] * share),
            squares: [0, 1, 2]
                .map(|at| self.squares[at] + other.squares[at] + products[at] * weight),
            differing: self.differing + other.differing,
            paying: self.paying + other.paying,
        }
    }

    /// Whether nearly all samples are their control, and too few differ to tell what is left.
    fn is_alike(&self) -> bool {
        self.differing < TOLD_FROM && 2.0 * self.differing < self.count
    }

    /// How much of the control to take off the payoff: all where they are alike, else what leaves
    /// the least variance.
    pub(super) fn slope(&self) -> f64 {
        let [_, product, square] = self.squares;
        match square > 0.0 {
            _ if self.is_alike() => 1.0,
            true => product / square,
            false => 0.0,
        }
    }

    /// The mean when so much of a control that is `expected` on average is taken off.
    pub(super) fn controlled(&self, slope: f64, expected: f64) -> f64 {
        self.means[0] - slope * (self.means[1] - expected)
    }

    /// The mean and its standard error, of samples that are independent.
    pub(super) fn estimate(&self, expected: f64) -> (f64, f64) {
        let slope = self.slope();
        let [own, product, square] = self.squares;
        let left = match self.is_alike() {
            true => own - 2.0 * product + square,
            false => own - slope * product,
        };
        (self.controlled(slope, expected), self.error(left))
    }

    /// The standard error of the payoff's own mean.
    pub(super) fn error_alone(&self) -> f64 {
        self.error(self.squares[0])
    }

    fn error(&self, squares: f64) -> f64 {
        if self.count > 1.0 {
            (squares.max(0.0) / (self.count * (self.count - 1.0))).sqrt()
        } else {
            f64::INFINITY
        }
    }

    /// The standard error of a mean, if that is what samples with controls say, and `alone` that
    /// of the payoff's own mean. Where samples are their controls but for a few, what is left is
    /// no more than the payoff itself leaves, if enough of that pays, and than what is known of it.
    pub(super) fn honest(&self, error: f64, alone: f64, rest_max: impl Fn() -> f64) -> f64 {
        if !self.is_alike() {
            return error;
        }
        let alone = if self.paying < TOLD_FROM {
            f64::INFINITY
        } else {
            alone
        };
        error.max(alone.min(rest_max() / SURE))
    }
}

fn count<T>(all: impl Iterator<Item = T>, is_one: impl Fn(&T) -> bool) -> f64 {
    all.filter(is_one).count() as f64
}

/// The mean of samples without a control, and how far they are from it. Of their differences from
/// the first one, so that one pass is enough: what a sum of squares loses is small beside theirs.
struct Alone<'a>(&'a [f64]);

impl Kernel for Alone<'_> {
    type Output = Tally;

    #[inline(always)]
    fn run<L: Lanes>(self, lanes: L) -> Tally {
        let Self(samples) = self;
        let Some(first) = samples.first() else {
            return Tally::NONE;
        };
        let base = lanes.splat(*first);
        let (mut sums, mut squares) = (lanes.splat(0.0), lanes.splat(0.0));
        let (tiles, rest) = samples.as_chunks::<LANES>();
        let mut last = [*first; LANES];
        last[..rest.len()].copy_from_slice(rest);
        for tile in tiles.iter().chain([&last]) {
            let off = lanes.sub(lanes.load(tile), base);
            sums = lanes.add(sums, off);
            squares = lanes.mul_add(off, off, squares);
        }
        let count = samples.len() as f64;
        let (sum, square) = (total(lanes, sums), total(lanes, squares));
        let off = sum / count;
        Tally {
            count,
            means: [first + off, 0.0],
            squares: [(square - sum * off).max(0.0), 0.0, 0.0],
            ..Tally::NONE
        }
    }
}
