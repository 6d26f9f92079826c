//! Cholesky factors of symmetric matrices of any size.
//!
//! A factor lies in tiles of sixteen rows, all columns of a tile one after the other: what the
//! innermost loop reads is in a row in memory. Four columns are made at a time, each tile of them
//! from all columns before: so almost all work is one product of tiles that stays in registers.

use analytics::arch::{Backend, Kernel, LANES, Lanes};
use analytics::kernels::total;

/// A pivot below this part of its number on the diagonal is taken for none.
const PIVOT_MIN: f64 = 1e-13;
/// Columns at a time.
const PANEL: usize = 4;

const _: () = assert!(LANES.is_multiple_of(PANEL));

/// The lower triangle L of a matrix L L'.
#[derive(Debug)]
pub struct Cholesky {
    backend: Backend,
    /// Rows, and what they are with those that fill the last tile.
    order: usize,
    padded: usize,
    /// Column by column within a tile, tile by tile.
    tiles: Vec<[f64; LANES]>,
}

impl Cholesky {
    /// Factors a matrix, of which only rows from the diagonal down are asked for: `row(i)` gives
    /// numbers for the columns `0..=i`.
    ///
    /// # Errors
    /// The row that follows from those before it, or makes the matrix indefinite.
    pub fn new<I: Iterator<Item = f64>>(
        backend: Backend,
        order: usize,
        row: impl Fn(usize) -> I,
    ) -> Result<Self, usize> {
        let padded = order.next_multiple_of(LANES);
        let mut tiles = vec![[0.0; LANES]; padded / LANES * padded];
        for at in 0..padded {
            let tile = &mut tiles[at / LANES * padded..][..=at];
            if at < order {
                for (column, x) in tile.iter_mut().zip(row(at)) {
                    column[at % LANES] = x;
                }
            } else {
                tile[at][at % LANES] = 1.0;
            }
        }
        let mut factor = Self {
            backend,
            order,
            padded,
            tiles,
        };
        let diagonal: Vec<f64> = (0..padded)
            .map(|at| factor.tile(at / LANES)[at][at % LANES])
            .collect();
        let failed = backend.run(Factor(&mut factor, &diagonal));
        failed.map_or(Ok(factor), Err)
    }

    /// Solves `L L' x = b` in place.
    pub fn solve(&self, b: &mut [f64]) {
        debug_assert_eq!(b.len(), self.order);
        let mut x = b.to_vec();
        x.resize(self.padded, 0.0);
        self.backend.run(Solve(self, &mut x));
        b.copy_from_slice(&x[..self.order]);
    }

    fn tile(&self, tile: usize) -> &[[f64; LANES]] {
        &self.tiles[tile * self.padded..][..self.padded]
    }
}

/// Makes the factor of a matrix with such a diagonal; the row that fails.
struct Factor<'a>(&'a mut Cholesky, &'a [f64]);

impl Kernel for Factor<'_> {
    type Output = Option<usize>;

    #[inline(always)]
    fn run<L: Lanes>(self, lanes: L) -> Option<usize> {
        let padded = self.0.padded;
        for first in (0..padded).step_by(PANEL) {
            let own = first / LANES;
            let (above, below) = self.0.tiles.split_at_mut((own + 1) * padded);
            let head = &mut above[own * padded..];
            let (left, panel) = head.split_at_mut(first);
            let (left, panel) = (&*left, &mut panel[..PANEL]);
            let rows = first % LANES;
            take_off(lanes, left, left, rows, panel);
            if let Some(row) = corner(panel, rows, &self.1[first..]) {
                return Some(first + row);
            }
            let corner: [[f64; PANEL]; PANEL] =
                std::array::from_fn(|c| std::array::from_fn(|r| panel[c][rows + r]));
            for tile in below.chunks_exact_mut(padded) {
                let (theirs, panel) = tile.split_at_mut(first);
                take_off(lanes, theirs, left, rows, &mut panel[..PANEL]);
                divide(&mut panel[..PANEL], &corner);
            }
        }
        None
    }
}

/// Takes off a panel what all columns before it explain: those of its own rows times those of the
/// rows that it is the columns of.
#[inline(always)]
fn take_off<L: Lanes>(
    lanes: L,
    own: &[[f64; LANES]],
    head: &[[f64; LANES]],
    rows: usize,
    panel: &mut [[f64; LANES]],
) {
    let mut sums = [lanes.splat(0.0); PANEL];
    for (own, head) in own.iter().zip(head) {
        let x = lanes.load(own);
        for (sum, factor) in sums.iter_mut().zip(&head[rows..rows + PANEL]) {
            *sum = lanes.mul_add(x, lanes.splat(*factor), *sum);
        }
    }
    for (column, sum) in panel.iter_mut().zip(sums) {
        let left = lanes.sub(lanes.load(column), sum);
        lanes.store(left, column);
    }
}

/// Factors the panel's own tile; the row of the tile's panel that fails.
#[inline(always)]
fn corner(panel: &mut [[f64; LANES]], rows: usize, diagonals: &[f64]) -> Option<usize> {
    for (at, whole) in diagonals.iter().enumerate().take(PANEL) {
        let (done, rest) = panel.split_at_mut(at);
        let column = &mut rest[0];
        let diagonal = rows + at;
        for done in &*done {
            let factor = done[diagonal];
            for (x, done) in column.iter_mut().zip(done) {
                *x -= factor * done;
            }
        }
        let pivot = column[diagonal];
        if pivot.is_nan() || pivot <= PIVOT_MIN * whole {
            return Some(at);
        }
        let root = pivot.sqrt();
        column[..diagonal].fill(0.0);
        column[diagonal..].iter_mut().for_each(|x| *x /= root);
    }
    None
}

/// Divides a panel's rows below by its corner.
#[inline(always)]
fn divide(panel: &mut [[f64; LANES]], corner: &[[f64; PANEL]; PANEL]) {
    for (at, own) in corner.iter().enumerate() {
        let (done, rest) = panel.split_at_mut(at);
        for (corner, done) in corner.iter().zip(&*done) {
            let factor = corner[at];
            for (x, done) in rest[0].iter_mut().zip(done) {
                *x -= factor * done;
            }
        }
        rest[0].iter_mut().for_each(|x| *x /= own[at]);
    }
}

struct Solve<'a>(&'a Cholesky, &'a mut [f64]);

impl Kernel for Solve<'_> {
    type Output = ();

    #[inline(always)]
    fn run<L: Lanes>(self, lanes: L) {
        let Self(factor, x) = self;
        let (x, _) = x.as_chunks_mut::<LANES>();
        for at in 0..x.len() {
            let (done, rest) = x.split_at_mut(at);
            let (before, own) = factor.tile(at).split_at(at * LANES);
            let mut sums = [lanes.splat(0.0); 2];
            for (pair, y) in before
                .chunks_exact(2)
                .zip(done.as_flattened().chunks_exact(2))
            {
                for ((sum, column), y) in sums.iter_mut().zip(pair).zip(y) {
                    *sum = lanes.mul_add(lanes.load(column), lanes.splat(*y), *sum);
                }
            }
            let left = lanes.sub(lanes.load(&rest[0]), lanes.add(sums[0], sums[1]));
            lanes.store(left, &mut rest[0]);
            forward(&mut rest[0], own);
        }
        for at in (0..x.len()).rev() {
            let (done, rest) = x.split_at_mut(at);
            let (before, own) = factor.tile(at).split_at(at * LANES);
            backward(&mut rest[0], own);
            let found = lanes.load(&rest[0]);
            for (column, y) in before.iter().zip(done.as_flattened_mut()) {
                *y -= total(lanes, lanes.mul(lanes.load(column), found));
            }
        }
    }
}

/// Solves with the triangle on the diagonal.
fn forward(x: &mut [f64; LANES], triangle: &[[f64; LANES]]) {
    for (at, column) in triangle.iter().take(LANES).enumerate() {
        x[at] /= column[at];
        let known = x[at];
        for row in at + 1..LANES {
            x[row] -= column[row] * known;
        }
    }
}

/// Solves with that triangle the other way round.
fn backward(x: &mut [f64; LANES], triangle: &[[f64; LANES]]) {
    for (at, column) in triangle.iter().take(LANES).enumerate().rev() {
        let known: f64 = (at + 1..LANES).map(|row| column[row] * x[row]).sum();
        x[at] = (x[at] - known) / column[at];
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Numbers that make a matrix of any order definite.
    fn number(row: usize, column: usize) -> f64 {
        let wave = ((row * 7 + column * 13) as f64).sin() + ((column * 7 + row * 13) as f64).sin();
        if row == column { 40.0 } else { wave / 4.0 }
    }

    #[test]
    fn all_backends_solve_with_the_same_bits() {
        for order in [1, 3, 4, 15, 16, 17, 50, 97] {
            let wanted: Vec<f64> = (0..order).map(|at| at as f64 - 2.5).collect();
            let right = |row: usize| (0..order).map(|at| number(row, at) * wanted[at]).sum();
            let mut first: Option<Vec<f64>> = None;
            for backend in Backend::all() {
                let row = |row: usize| (0..=row).map(move |column| number(row, column));
                let factor = Cholesky::new(backend, order, row).unwrap();
                let mut found: Vec<f64> = (0..order).map(right).collect();
                factor.solve(&mut found);
                for (found, wanted) in found.iter().zip(&wanted) {
                    assert!((found - wanted).abs() <= 1e-12 * order as f64);
                }
                assert_eq!(*first.get_or_insert_with(|| found.clone()), found);
            }
        }
    }

    #[test]
    fn a_row_that_follows_from_others_is_named() {
        for same in 1..40 {
            let like = move |at: usize| if at == same { 0 } else { at };
            let row = |row: usize| (0..=row).map(move |column| number(like(row), like(column)));
            let failed = Cholesky::new(Backend::best(), 40, row).err();
            assert_eq!(failed, Some(same));
        }
    }
}
