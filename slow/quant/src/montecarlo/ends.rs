//! Last prices that a sum of normal numbers decides: made in registers from random bits to the
//! price, with no path in memory.
//!
//! In `f64` these are the paths of [`super::normal`], four steps to a block of bits. In `f32` a
//! block gives one step of six paths, so that none is left over however many steps there are.

use analytics::arch::{Backend, Kernel, LANES, Lanes};

use super::functions::exp;
use super::normal::{self, Place};
use super::philox::{Counter, Philox};
use super::single;

/// Blocks that are made side by side.
const SIDES: usize = 2;

/// What the numbers of a path are made and summed in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Precision {
    /// `f64`.
    Double,
    /// `f32`, but for what paths are worth: a third of the time, and prices within some millionths
    /// of what their numbers say. Of payoffs on the last price of one asset, sampled plainly or
    /// with mirror images, by steps.
    Single,
}

/// The last price of a path is `start * exp(drift + sum)`, with the sum over the steps of a weight
/// times a standard normal number.
#[derive(Clone, Debug, PartialEq)]
pub struct Ends {
    /// The price now.
    pub start: f64,
    /// The time of the last price.
    pub time: f64,
    /// What its logarithm gets for certain.
    pub drift: f64,
    /// What it gets of each step's number.
    pub weights: Vec<f64>,
}

/// Where last prices come from.
pub(super) struct Terminal {
    pub ends: Ends,
    precision: Precision,
    /// The weights, those of a block together; the last one is filled up with weights of 0.
    weights: Vec<[f64; normal::BLOCK]>,
    /// The same in `f32`, one by one.
    narrow: Vec<f32>,
}

impl Terminal {
    pub fn new(ends: Ends, precision: Precision) -> Self {
        let narrow = ends.weights.iter().map(|weight| *weight as f32).collect();
        let block = |some: &[f64]| std::array::from_fn(|at| some.get(at).copied().unwrap_or(0.0));
        let weights = ends.weights.chunks(normal::BLOCK).map(block).collect();
        Self {
            ends,
            precision,
            weights,
            narrow,
        }
    }

    /// How many rows of sixteen paths are made at once.
    const fn rows(&self) -> usize {
        match self.precision {
            Precision::Double => SIDES,
            Precision::Single => SIDES * single::BLOCK,
        }
    }

    /// Samples of a part at most, given that it would be `usual`.
    pub const fn part(&self, usual: u64) -> u64 {
        usual.next_multiple_of((self.rows() * LANES) as u64)
    }

    /// The last prices of so many paths from one on that begins a part, and more up to whole rows;
    /// and of their mirror images, if asked.
    pub fn prices(
        &self,
        backend: Backend,
        philox: &Philox,
        (first, count): (u64, usize),
        is_mirrored: bool,
    ) -> [Vec<[f64; LANES]>; 2] {
        let rows = count.div_ceil(LANES).next_multiple_of(self.rows());
        let mut prices = vec![[0.0; LANES]; rows];
        let mut mirrored = vec![[0.0; LANES]; if is_mirrored { rows } else { 0 }];
        let Ends { start, drift, .. } = self.ends;
        let to = Prices {
            start,
            drift,
            rows: &mut prices,
            mirrored: &mut mirrored,
        };
        match self.precision {
            Precision::Double => backend.run(Double {
                philox,
                first,
                weights: &self.weights,
                to,
            }),
            Precision::Single => backend.run(Single {
                philox,
                // A block makes six paths of a counter.
                first: first / single::BLOCK as u64,
                weights: &self.narrow,
                to,
            }),
        }
        [prices, mirrored]
    }
}

/// Where prices go, and what they are made of besides sums.
struct Prices<'a> {
    start: f64,
    drift: f64,
    rows: &'a mut [[f64; LANES]],
    mirrored: &'a mut [[f64; LANES]],
}

impl Prices<'_> {
    /// Rows that are made at once, with those of their mirror images.
    #[inline(always)]
    fn tiles<const ROWS: usize>(
        &mut self,
    ) -> impl Iterator<Item = (&mut [[f64; LANES]; ROWS], Option<&mut [[f64; LANES]; ROWS]>)> {
        let (tiles, _) = self.rows.as_chunks_mut();
        let (mirrored, _) = self.mirrored.as_chunks_mut();
        let mirrored = mirrored.iter_mut().map(Some);
        tiles
            .iter_mut()
            .zip(mirrored.chain(std::iter::repeat_with(|| None)))
    }
}

struct Double<'a> {
    philox: &'a Philox,
    first: u64,
    weights: &'a [[f64; normal::BLOCK]],
    to: Prices<'a>,
}

impl Kernel for Double<'_> {
    type Output = ();

    #[inline(always)]
    fn run<L: Lanes>(mut self, lanes: L) {
        let mut place = Place {
            first: self.first,
            stream: 0,
        };
        let (start, drift) = (lanes.splat(self.to.start), lanes.splat(self.to.drift));
        for (rows, mirrored) in self.to.tiles::<SIDES>() {
            let next = Place {
                first: place.first + LANES as u64,
                ..place
            };
            let mut sums = [lanes.splat(0.0); SIDES];
            for (block, weights) in self.weights.iter().enumerate() {
                let counters = [place, next].map(|place| place.counter(block));
                let [one, other] = self.philox.side_by_side(lanes, counters);
                // Not in a loop, which might stay one, with words in memory.
                sums[0] = add_steps(lanes, sums[0], one, weights);
                sums[1] = add_steps(lanes, sums[1], other, weights);
            }
            for (row, sum) in rows.iter_mut().zip(sums) {
                let power = exp(lanes, lanes.add(drift, sum));
                lanes.store(lanes.mul(power, start), row);
            }
            for (row, sum) in mirrored.into_iter().flatten().zip(sums) {
                let power = exp(lanes, lanes.sub(drift, sum));
                lanes.store(lanes.mul(power, start), row);
            }
            place.first += (SIDES * LANES) as u64;
        }
    }
}

/// Adds the steps of a block to sixteen sums.
#[inline(always)]
fn add_steps<L: Lanes>(
    lanes: L,
    sum: L::F,
    words: [L::I; 4],
    weights: &[f64; normal::BLOCK],
) -> L::F {
    let numbers = normal::of_block(lanes, words);
    let steps = numbers.into_iter().zip(weights);
    steps.fold(sum, |sum, (number, weight)| {
        lanes.mul_add(number, lanes.splat(*weight), sum)
    })
}

struct Single<'a> {
    philox: &'a Philox,
    first: u64,
    weights: &'a [f32],
    to: Prices<'a>,
}

impl Kernel for Single<'_> {
    type Output = ();

    #[inline(always)]
    fn run<L: Lanes>(mut self, lanes: L) {
        let mut first = self.first;
        let start = lanes.splat(self.to.start);
        let drift = lanes.splat_f32(self.to.drift as f32);
        for (rows, mirrored) in self.to.tiles::<{ SIDES * single::BLOCK }>() {
            let mut sums = [[lanes.splat_f32(0.0); single::BLOCK]; SIDES];
            for (block, weight) in (0..).zip(self.weights) {
                let counter = |first| Counter {
                    first,
                    block,
                    stream: 0,
                };
                let counters = [counter(first), counter(first + LANES as u64)];
                let [one, other] = self.philox.side_by_side(lanes, counters);
                let weight = lanes.splat_f32(*weight);
                add_step(lanes, &mut sums[0], one, weight);
                add_step(lanes, &mut sums[1], other, weight);
            }
            let sums = sums.as_flattened();
            for (row, sum) in rows.iter_mut().zip(sums) {
                let power = single::exp(lanes, lanes.add_f32(drift, *sum));
                lanes.store(lanes.mul(lanes.widen(power), start), row);
            }
            for (row, sum) in mirrored.into_iter().flatten().zip(sums) {
                let power = single::exp(lanes, lanes.sub_f32(drift, *sum));
                lanes.store(lanes.mul(lanes.widen(power), start), row);
            }
            first += (SIDES * LANES) as u64;
        }
    }
}

/// Adds a step of six times sixteen paths to their sums.
#[inline(always)]
fn add_step<L: Lanes>(lanes: L, sums: &mut [L::S; single::BLOCK], words: [L::I; 4], weight: L::S) {
    for (sum, number) in sums.iter_mut().zip(single::of_block(lanes, words)) {
        *sum = lanes.mul_add_f32(number, weight, *sum);
    }
}
