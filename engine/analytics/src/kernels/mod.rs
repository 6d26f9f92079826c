//! Reductions over whole series.
//!
//! Each takes slices of any length and alignment. A sum goes to sixteen places in turn, and these
//! are added as a tree: the result is the same on every processor, and its error grows with a
//! sixteenth of the length. What is no number (NaN) makes every result that looks at it none.

mod bar;
mod extremes;
mod moments;
mod series;
mod sums;
mod vwap;

pub use bar::Bar;
pub use extremes::Extremes;
pub use moments::{CoMoments, Moments};
pub use series::Returns;

use crate::arch::{LANES, Lanes};

/// The first numbers of slices that are as long as the shortest.
fn common<'a>(xs: &'a [f64], ys: &'a [f64]) -> (&'a [f64], &'a [f64]) {
    let length = xs.len().min(ys.len());
    (&xs[..length], &ys[..length])
}

/// Sixteen numbers from the end of a series, which has fewer: `filler` in place of others.
#[inline(always)]
fn tail<T: Copy>(from: &[T], filler: T) -> [T; LANES] {
    let mut lanes = [filler; LANES];
    lanes[..from.len()].copy_from_slice(from);
    lanes
}

/// The sum of all lanes, as a tree.
#[inline(always)]
pub fn total<L: Lanes>(lanes: L, sums: L::F) -> f64 {
    let mut all = [0.0; LANES];
    lanes.store(sums, &mut all);
    let mut half = LANES / 2;
    while half > 0 {
        for lane in 0..half {
            all[lane] += all[lane + half];
        }
        half /= 2;
    }
    let [sum, ..] = all;
    sum
}
