//! Exponentially weighted covariances of many series at a time, kept tick by tick.
//!
//! A tick changes every pair: `c = keep * (c + alpha * dx * dy)`, where `d` is what differs from
//! the mean before it. It is bound by how fast the matrix is read and written, so only the half
//! below the diagonal is kept, in groups of sixteen.

use super::{NotFinite, OutOfRange, checked, checked_alpha, checked_size};
use crate::arch::{Backend, Kernel, LANES, Lanes};

/// The most series: 128 MiB of pairs.
pub const SERIES_MAX: usize = 4_096;

/// Covariances and correlations of all pairs of series.
#[derive(Clone, Debug, PartialEq)]
pub struct WeightedMatrix {
    alpha: f64,
    series: usize,
    count: u64,
    mean: Vec<f64>,
    /// What differs from the means, zeros up to a whole group.
    moved: Vec<[f64; LANES]>,
    /// Row by row, up to the group of the diagonal.
    pairs: Vec<[f64; LANES]>,
}

impl WeightedMatrix {
    /// So many series, each new number of which weighs `alpha`.
    ///
    /// # Errors
    /// There are none or too many, or `alpha` is not in (0, 1].
    pub fn new(series: usize, alpha: f64) -> Result<Self, OutOfRange> {
        let series = checked_size("the number of series", series, 1, SERIES_MAX)?;
        let groups: usize = (0..series).map(row_groups).sum();
        Ok(Self {
            alpha: checked_alpha(alpha)?,
            series,
            count: 0,
            mean: vec![0.0; series],
            moved: vec![[0.0; LANES]; series.div_ceil(LANES)],
            pairs: vec![[0.0; LANES]; groups],
        })
    }

    /// Takes a number of each series; those beyond the last one are not looked at.
    ///
    /// # Errors
    /// One of them is not finite, or missing: nothing is changed.
    pub fn push(&mut self, backend: Backend, row: &[f64]) -> Result<(), NotFinite> {
        let row = row.get(..self.series).ok_or(NotFinite(f64::NAN))?;
        for x in row {
            checked(*x)?;
        }
        self.count += 1;
        if self.count == 1 {
            self.mean.copy_from_slice(row);
            return Ok(());
        }
        let moved = self.moved.as_flattened_mut();
        for ((x, mean), moved) in row.iter().zip(&mut self.mean).zip(moved) {
            *moved = x - *mean;
            *mean += self.alpha * *moved;
        }
        backend.run(Tick {
            alpha: self.alpha,
            series: self.series,
            moved: &self.moved,
            pairs: &mut self.pairs,
        });
        Ok(())
    }

    /// The means, 0 before the first row.
    #[must_use]
    pub fn mean(&self) -> &[f64] {
        &self.mean
    }

    /// The weighted covariance of two series (`bias=True`), of one with itself its variance; `None`
    /// if there are not so many.
    #[must_use]
    pub fn covariance(&self, one: usize, other: usize) -> Option<f64> {
        let (row, column) = (one.max(other), one.min(other));
        if row >= self.series {
            return None;
        }
        let start = row_start(row);
        Some(self.pairs[start + column / LANES][column % LANES])
    }

    /// The correlation of two series; `None` if one of both never moved, or there are not so many.
    #[must_use]
    pub fn correlation(&self, one: usize, other: usize) -> Option<f64> {
        let both = self.covariance(one, one)?.sqrt() * self.covariance(other, other)?.sqrt();
        let covariance = self.covariance(one, other)?;
        (both > 0.0).then(|| (covariance / both).clamp(-1.0, 1.0))
    }
}

/// Groups of a row.
const fn row_groups(row: usize) -> usize {
    row / LANES + 1
}

/// Groups of all rows before one: sixteen rows each have one more than the sixteen before.
const fn row_start(row: usize) -> usize {
    let (whole, rest) = (row / LANES, row % LANES);
    LANES * whole * (whole + 1) / 2 + rest * (whole + 1)
}

struct Tick<'a> {
    alpha: f64,
    series: usize,
    moved: &'a [[f64; LANES]],
    pairs: &'a mut [[f64; LANES]],
}

impl Kernel for Tick<'_> {
    type Output = ();

    #[inline(always)]
    fn run<L: Lanes>(self, lanes: L) {
        let keep = lanes.splat(1.0 - self.alpha);
        let mut rest = self.pairs;
        for row in 0..self.series {
            let by = lanes.splat(self.alpha * self.moved[row / LANES][row % LANES]);
            let (now, later) = rest.split_at_mut(row_groups(row));
            for (pairs, moved) in now.iter_mut().zip(self.moved) {
                let grown = lanes.mul_add(by, lanes.load(moved), lanes.load(pairs));
                lanes.store(lanes.mul(keep, grown), pairs);
            }
            rest = later;
        }
    }
}
