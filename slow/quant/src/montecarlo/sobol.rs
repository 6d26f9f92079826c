//! Points that fill the cube more evenly than random ones: Sobol's sequence, and its scrambles.
//!
//! Direction numbers are those of Joe and Kuo (`joe_kuo.txt`), points come in Gray code's order
//! (I. Antonov, V. Saleev 1979), as in their program and in scipy.
//!
//! A scramble multiplies each coordinate's digits by a random lower triangular matrix and moves
//! them by random ones (J. Matoušek, J. Complexity 14, 1998): each point is uniform then, so that
//! the mean of the points has no bias, and means of several scrambles say by how much they err; the
//! evenness stays.

use analytics::arch::{LANES, Lanes};

use super::normal::uniform;
use super::philox::Philox;
use crate::fault::{Fault, within};

/// How many dimensions there are direction numbers for.
pub const SOBOL_DIMENSIONS_MAX: usize = 1_111;
const BITS: usize = 32;
/// What scrambles are drawn from: no path's numbers are.
const STREAM: u32 = u32::MAX;
const NUMBERS: &str = include_str!("joe_kuo.txt");

/// The sequence in some dimensions: one number for each binary digit of a point's place.
#[derive(Clone, Debug)]
pub struct Sobol {
    directions: Vec<[u32; BITS]>,
}

/// One coordinate of one scramble.
pub(super) struct Scrambled {
    /// As many of the directions as there are digits.
    directions: Vec<u32>,
    shift: u32,
    /// What the first four digits of a place add up to, in order.
    low: [u32; LANES],
}

impl Sobol {
    /// In so many dimensions, from 1 to [`SOBOL_DIMENSIONS_MAX`].
    ///
    /// # Errors
    /// `Outside` for any other.
    pub fn new(dimensions: usize) -> Result<Self, Fault> {
        let most = SOBOL_DIMENSIONS_MAX as f64;
        within("dimensions", dimensions as f64, 1.0, most)?;
        let first = std::array::from_fn(|bit| 1 << (BITS - 1 - bit));
        let lines = NUMBERS.lines().filter(|line| !line.starts_with('#'));
        let others = lines.map(directions);
        let directions = std::iter::once(first).chain(others).take(dimensions);
        Ok(Self {
            directions: directions.collect(),
        })
    }

    /// Point number `index`, from 0: coordinates from 0 to below 1, each a multiple of 2^-32.
    #[must_use]
    pub fn point(&self, index: u32) -> Vec<f64> {
        let gray = index ^ (index >> 1);
        let coordinate =
            |directions: &[u32; BITS]| f64::from(chosen(directions, gray)) / 2f64.powi(BITS as i32);
        self.directions.iter().map(coordinate).collect()
    }

    /// Scramble number `replicate` of the first `2^digits` points, at least sixteen.
    pub(super) fn scrambled(
        &self,
        philox: &Philox,
        replicate: u32,
        digits: usize,
    ) -> Vec<Scrambled> {
        let scramble = |(dimension, directions): (usize, &[u32; BITS])| {
            let mut random =
                (0..).flat_map(|block| philox.block([dimension as u32, replicate, block, STREAM]));
            let shift = random.next().unwrap_or(0);
            // A column for each digit, the highest first: itself and random ones below it.
            let mut columns = [0; BITS];
            for (digit, (column, random)) in columns.iter_mut().zip(random).take(digits).enumerate()
            {
                let own = 1 << (BITS - 1 - digit);
                *column = own | (random & (own - 1));
            }
            // The k-th direction has k digits.
            let directions: Vec<u32> = directions[..digits]
                .iter()
                .map(|direction| chosen(&columns, direction.reverse_bits()))
                .collect();
            let low = std::array::from_fn(|lane| {
                let lane = lane as u32;
                chosen(&directions, lane ^ (lane >> 1))
            });
            Scrambled {
                directions,
                shift,
                low,
            }
        };
        self.directions.iter().enumerate().map(scramble).collect()
    }
}

impl Scrambled {
    /// A coordinate of sixteen points from `first`, a multiple of sixteen: middles of parts.
    #[inline(always)]
    pub(super) fn sixteen<L: Lanes>(&self, lanes: L, first: u32) -> L::F {
        let base = self.shift ^ chosen(&self.directions, first ^ (first >> 1));
        let digits = lanes.xor(lanes.load_u32(&self.low), lanes.splat_u32(base));
        uniform(lanes, digits)
    }
}

/// The exclusive or of the numbers that bits choose.
fn chosen(numbers: &[u32], mut bits: u32) -> u32 {
    let mut sum = 0;
    while bits != 0 {
        sum ^= numbers.get(bits.trailing_zeros() as usize).unwrap_or(&0);
        bits &= bits - 1;
    }
    sum
}

/// A line of the table: the directions that its polynomial and first numbers make.
fn directions(line: &str) -> [u32; BITS] {
    let mut fields = line
        .split(' ')
        .filter_map(|field| field.parse::<u32>().ok());
    let mut next = || fields.next().unwrap_or(0);
    let (_, degree, inner) = (next(), next() as usize, next());
    let mut directions = [0; BITS];
    for (bit, to) in directions.iter_mut().enumerate().take(degree) {
        *to = next() << (BITS - 1 - bit);
    }
    for bit in degree..BITS {
        let before = directions[bit - degree];
        directions[bit] = (1..degree)
            .filter(|back| inner >> (degree - 1 - back) & 1 == 1)
            .fold(before ^ (before >> degree), |sum, back| {
                sum ^ directions[bit - back]
            });
    }
    directions
}
