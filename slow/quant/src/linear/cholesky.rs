//! Cholesky factors of symmetric matrices of any size, which grow.
//!
//! A factor lies in tiles of sixteen rows, all columns of a tile one after the other: what the
//! innermost loop reads is in a row in memory. A tile of rows is made at a time, a few columns at
//! once from all before them: almost all work is one product of tiles that stays in registers, and
//! rows that are added later cost what they would have cost at once.

use std::ops::{Deref, DerefMut};

use analytics::arch::{Backend, Kernel, LANES, Lanes};

mod solve;

use solve::Solve;

/// A pivot below this part of its number on the diagonal is taken for none.
const PIVOT_MIN: f64 = 1e-13;
/// Columns at a time: as many as registers hold, of which there are 32 of 512 bits, 16 of 256. They
/// give the same bits, for what is taken off a number is so in the order of columns.
const PANEL_WIDE: usize = 8;
const PANEL: usize = 4;

const _: () = assert!(LANES.is_multiple_of(PANEL) && LANES.is_multiple_of(PANEL_WIDE));

/// Sixteen numbers of a column, in whole lines of the cache.
#[derive(Clone, Copy, Debug, PartialEq)]
#[repr(align(64))]
struct Column([f64; LANES]);

impl Column {
    const ZERO: Self = Self([0.0; LANES]);
}

impl Deref for Column {
    type Target = [f64; LANES];

    fn deref(&self) -> &[f64; LANES] {
        &self.0
    }
}

impl DerefMut for Column {
    fn deref_mut(&mut self) -> &mut [f64; LANES] {
        &mut self.0
    }
}

/// The lower triangle L of a matrix L L'.
#[derive(Debug)]
pub struct Cholesky {
    backend: Backend,
    order: usize,
    /// Column by column within a tile, tile by tile, each with the columns up to its last row's.
    tiles: Vec<Column>,
    /// Of each column, one by its number on the diagonal.
    inverses: Vec<f64>,
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
        let columns = order.next_multiple_of(LANES);
        let mut factor = Self {
            backend,
            order: 0,
            tiles: Vec::with_capacity(start(columns / LANES)),
            inverses: Vec::with_capacity(columns),
        };
        factor.grow(order, row)?;
        Ok(factor)
    }

    /// The factor of a matrix that has more rows below those of before, up to `order`. Rows of the
    /// last sixteen may be asked for again.
    ///
    /// # Errors
    /// As those of [`Self::new`]; the factor is of no use then.
    pub fn grow<I: Iterator<Item = f64>>(
        &mut self,
        order: usize,
        row: impl Fn(usize) -> I,
    ) -> Result<(), usize> {
        let first = self.order / LANES;
        self.tiles.truncate(start(first));
        self.inverses.truncate(first * LANES);
        self.order = order;
        for tile in first..order.div_ceil(LANES) {
            let from = tile * LANES;
            self.tiles.resize(start(tile + 1), Column::ZERO);
            self.inverses.resize(from + LANES, 1.0);
            let own = &mut self.tiles[start(tile)..];
            for at in from..from + LANES {
                if at < order {
                    for (column, x) in own.iter_mut().zip(row(at)) {
                        column[at - from] = x;
                    }
                } else {
                    own[at][at - from] = 1.0;
                }
            }
            if let Some(row) = self.backend.run(Factor(self, tile)) {
                return Err(row);
            }
        }
        Ok(())
    }

    /// Solves `L L' x = b` in place.
    pub fn solve(&self, b: &mut [f64]) {
        debug_assert_eq!(b.len(), self.order);
        let mut x = b.to_vec();
        x.resize(self.inverses.len(), 0.0);
        self.backend.run(Solve(self, &mut x));
        b.copy_from_slice(&x[..self.order]);
    }

    /// `R S^-1 R'` of rows R and the matrix S, its lower triangle row by row; a row is where its
    /// numbers begin, and these.
    pub fn gram(&self, rows: &[(usize, &[f64])]) -> Vec<Vec<f64>> {
        let columns = self.inverses.len();
        let tiles = rows.chunks(LANES).map(|rows| {
            let mut tile = vec![Column::ZERO; columns];
            for (at, (first, numbers)) in rows.iter().enumerate() {
                for (column, x) in tile[*first..].iter_mut().zip(*numbers) {
                    column[at] = *x;
                }
            }
            let first = rows.iter().map(|(first, _)| *first).min().unwrap_or(0);
            self.backend.run(Explain(self, first, &mut tile));
            tile
        });
        let tiles: Vec<Vec<Column>> = tiles.collect();
        let mut found = vec![Vec::new(); rows.len()];
        for (at, own) in tiles.iter().enumerate() {
            for (across, other) in tiles[..=at].iter().enumerate() {
                let products = self.backend.run(Products(own, other));
                let rows = found.iter_mut().skip(at * LANES).take(LANES);
                for (row, into) in rows.enumerate() {
                    let columns = (0..LANES).map(|column| products[column][row]);
                    let until = at * LANES + row - across * LANES;
                    into.extend(columns.take(until + 1));
                }
            }
        }
        found
    }

    fn tile(&self, tile: usize) -> &[Column] {
        &self.tiles[start(tile)..start(tile + 1)]
    }
}

/// Where a tile begins.
const fn start(tile: usize) -> usize {
    LANES * (tile * (tile + 1) / 2)
}

/// Whether there are registers for the wide panel: what stands in wide ones is aligned so.
const fn is_wide<L: Lanes>() -> bool {
    align_of::<L::F>() >= 64
}

/// Makes a tile of the factor from the matrix's numbers in it; the row that fails.
struct Factor<'a>(&'a mut Cholesky, usize);

impl Kernel for Factor<'_> {
    type Output = Option<usize>;

    #[inline(always)]
    fn run<L: Lanes>(self, lanes: L) -> Option<usize> {
        if is_wide::<L>() {
            factor::<L, PANEL_WIDE>(lanes, self.0, self.1)
        } else {
            factor::<L, PANEL>(lanes, self.0, self.1)
        }
    }
}

#[inline(always)]
fn factor<L: Lanes, const COUNT: usize>(
    lanes: L,
    whole: &mut Cholesky,
    tile: usize,
) -> Option<usize> {
    let (before, own) = whole.tiles.split_at_mut(start(tile));
    let from = tile * LANES;
    let diagonal: [f64; LANES] = std::array::from_fn(|at| own[from + at][at]);
    explain::<L, COUNT>(lanes, before, &whole.inverses[..from], 0, own);
    for rows in (0..LANES).step_by(COUNT) {
        let first = from + rows;
        let (done, panel) = own.split_at_mut(first);
        let mut left = [lanes.splat(0.0); COUNT];
        take_off(lanes, done, done, rows, panel, &mut left);
        for at in 0..COUNT {
            for (done, column) in panel[..at].iter().zip(left) {
                left[at] = lanes.mul_add(column, lanes.splat(-done[rows + at]), left[at]);
            }
            lanes.store(left[at], &mut panel[at]);
            let pivot = panel[at][rows + at];
            if pivot.is_nan() || pivot <= PIVOT_MIN * diagonal[rows + at] {
                return Some(first + at);
            }
            let inverse = 1.0 / pivot.sqrt();
            whole.inverses[first + at] = inverse;
            lanes.store(lanes.mul(left[at], lanes.splat(inverse)), &mut panel[at]);
            panel[at][..rows + at].fill(0.0);
            left[at] = lanes.load(&panel[at]);
        }
    }
    None
}

/// Divides a tile of rows by the transpose of a factor's tiles; columns before `first` are 0.
#[inline(always)]
fn explain<L: Lanes, const COUNT: usize>(
    lanes: L,
    tiles: &[Column],
    inverses: &[f64],
    first: usize,
    own: &mut [Column],
) {
    let zeros = first / COUNT * COUNT;
    for first in (zeros..inverses.len()).step_by(COUNT) {
        let (tile, rows) = (first / LANES, first % LANES);
        let head = &tiles[start(tile)..start(tile + 1)];
        let (done, panel) = own.split_at_mut(first);
        let mut left = [lanes.splat(0.0); COUNT];
        let (done, above) = (&done[zeros..], &head[zeros..first]);
        take_off(lanes, done, above, rows, panel, &mut left);
        let corner = &head[first..first + COUNT];
        for at in 0..COUNT {
            for (corner, column) in corner[..at].iter().zip(left) {
                left[at] = lanes.mul_add(column, lanes.splat(-corner[rows + at]), left[at]);
            }
            left[at] = lanes.mul(left[at], lanes.splat(inverses[first + at]));
            lanes.store(left[at], &mut panel[at]);
        }
    }
}

/// What columns of a panel have left when all before them are taken off: those of its own rows
/// times those of the rows that it is the columns of.
#[inline(always)]
fn take_off<L: Lanes, const COUNT: usize>(
    lanes: L,
    own: &[Column],
    head: &[Column],
    rows: usize,
    panel: &[Column],
    left: &mut [L::F; COUNT],
) {
    for (left, column) in left.iter_mut().zip(panel) {
        *left = lanes.load(column);
    }
    let mut sums = *left;
    for (own, head) in own.iter().zip(head) {
        let x = lanes.load(own);
        for (sum, factor) in sums.iter_mut().zip(&head[rows..rows + COUNT]) {
            *sum = lanes.mul_add(x, lanes.splat(-*factor), *sum);
        }
    }
    *left = sums;
}

/// Rows divided by the transpose of a factor, of which columns before the given one are 0.
struct Explain<'a>(&'a Cholesky, usize, &'a mut [Column]);

impl Kernel for Explain<'_> {
    type Output = ();

    #[inline(always)]
    fn run<L: Lanes>(self, lanes: L) {
        let Self(by, first, rows) = self;
        if is_wide::<L>() {
            explain::<L, PANEL_WIDE>(lanes, &by.tiles, &by.inverses, first, rows);
        } else {
            explain::<L, PANEL>(lanes, &by.tiles, &by.inverses, first, rows);
        }
    }
}

/// Products of sixteen rows with sixteen others: a column for each of the latter.
struct Products<'a>(&'a [Column], &'a [Column]);

impl Kernel for Products<'_> {
    type Output = [[f64; LANES]; LANES];

    #[inline(always)]
    fn run<L: Lanes>(self, lanes: L) -> Self::Output {
        let mut found = [[0.0; LANES]; LANES];
        for (at, columns) in found.as_chunks_mut::<PANEL>().0.iter_mut().enumerate() {
            let mut sums = [lanes.splat(0.0); PANEL];
            for (own, other) in self.0.iter().zip(self.1) {
                let x = lanes.load(own);
                for (sum, y) in sums.iter_mut().zip(&other[at * PANEL..]) {
                    *sum = lanes.mul_add(x, lanes.splat(*y), *sum);
                }
            }
            for (column, sum) in columns.iter_mut().zip(sums) {
                lanes.store(sum, column);
            }
        }
        found
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

    #[test]
    fn what_grows_is_what_is_made_at_once() {
        let row = |row: usize| (0..=row).map(move |column| number(row, column));
        for backend in Backend::all() {
            let mut grown = Cholesky::new(backend, 0, row).unwrap();
            for order in [1, 7, 16, 17, 40, 64, 97] {
                grown.grow(order, row).unwrap();
                let once = Cholesky::new(backend, order, row).unwrap();
                assert_eq!(grown.tiles, once.tiles);
                assert_eq!(grown.inverses, once.inverses);
            }
        }
    }

    #[test]
    fn products_by_the_inverse_are_those_of_solving() {
        let row = |row: usize| (0..=row).map(move |column| number(row, column));
        for (order, count) in [(5, 2), (40, 3), (97, 35)] {
            let rows: Vec<Vec<f64>> = (0..count)
                .map(|at| (at..order).map(|place| number(at, place) + 1.0).collect())
                .collect();
            let rows: Vec<(usize, &[f64])> = rows.iter().map(|row| &row[..]).enumerate().collect();
            let mut first: Option<Vec<Vec<f64>>> = None;
            for backend in Backend::all() {
                let factor = Cholesky::new(backend, order, row).unwrap();
                let found = factor.gram(&rows);
                for (at, (place, numbers)) in rows.iter().enumerate() {
                    let mut solved = vec![0.0; order];
                    solved[*place..].copy_from_slice(numbers);
                    factor.solve(&mut solved);
                    for ((place, numbers), found) in rows[..=at].iter().zip(&found[at]) {
                        let pairs = solved[*place..].iter().zip(*numbers);
                        let wanted: f64 = pairs.map(|(x, y)| x * y).sum();
                        assert!((found - wanted).abs() <= 1e-12 * order as f64);
                    }
                    assert_eq!(found[at].len(), at + 1);
                }
                assert_eq!(*first.get_or_insert_with(|| found.clone()), found);
            }
        }
    }
}
