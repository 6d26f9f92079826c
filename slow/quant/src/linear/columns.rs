//! Least squares by Householder reflections (G. Golub, C. Van Loan, Matrix Computations, 5.2).
//!
//! A column's part that is orthogonal to those before it is on the diagonal of the triangle, so
//! that nested regressions share one factorisation: the first `k` columns have the first `k` rows.

use crate::Fault;

/// A column is collinear when this little of its length is orthogonal to those before it.
const ORTHOGONAL_MIN: f64 = 1e-12;

/// Columns of the same length, side by side.
pub struct Columns {
    rows: usize,
    numbers: Vec<f64>,
}

/// What reflections make of columns: an upper triangle.
#[derive(Debug)]
pub struct Triangle {
    order: usize,
    /// Column by column, `order` rows each.
    numbers: Vec<f64>,
}

impl Columns {
    /// No columns yet, of so many rows.
    pub fn new(rows: usize) -> Self {
        let numbers = Vec::new();
        Self { rows, numbers }
    }

    /// Adds a column; it must give as many numbers as there are rows.
    pub fn push(&mut self, column: impl IntoIterator<Item = f64>) {
        self.numbers.extend(column);
        debug_assert_eq!(self.numbers.len() % self.rows.max(1), 0);
    }

    /// The triangle of the columns, and of one more behind them that may follow from them.
    pub fn triangle_with_last(
        mut self,
        last: impl IntoIterator<Item = f64>,
        what: &'static str,
    ) -> Result<Triangle, Fault> {
        self.push(last);
        self.triangle(what, 1)
    }

    /// The triangle R of the columns, without the signs being fixed. The last `free` columns may be
    /// anything; of the others each must have a part of its own.
    pub fn triangle(mut self, what: &'static str, free: usize) -> Result<Triangle, Fault> {
        let order = self.numbers.len() / self.rows.max(1);
        if self.rows < order {
            return Err(Fault::TooShort {
                what,
                found: self.rows,
                needed: order,
            });
        }
        let mut triangle = Triangle {
            order,
            numbers: vec![0.0; order * order],
        };
        for at in 0..order {
            let (done, rest) = self.numbers.split_at_mut((at + 1) * self.rows);
            let column = &mut done[at * self.rows..];
            triangle.numbers[at * order..][..at].copy_from_slice(&column[..at]);
            let whole = norm(column);
            let own = norm(&column[at..]);
            let is_collinear = own <= ORTHOGONAL_MIN * whole;
            if is_collinear && at + free < order {
                return Err(Fault::Collinear { what, column: at });
            }
            triangle.numbers[at * order + at] = reflect(&mut column[at..], own);
            for other in rest.chunks_exact_mut(self.rows) {
                apply(&column[at..], &mut other[at..]);
            }
        }
        Ok(triangle)
    }
}

fn norm(xs: &[f64]) -> f64 {
    xs.iter().map(|x| x * x).sum::<f64>().sqrt()
}

/// Makes a column the unit vector of the reflection that leaves of it its first place only; what
/// stands there then.
fn reflect(column: &mut [f64], length: f64) -> f64 {
    let Some(first) = column.first_mut() else {
        return 0.0;
    };
    let left = if *first > 0.0 { -length } else { length };
    *first -= left;
    let size = norm(column);
    if size == 0.0 {
        return 0.0;
    }
    column.iter_mut().for_each(|x| *x /= size);
    left
}

fn apply(unit: &[f64], column: &mut [f64]) {
    let along: f64 = unit.iter().zip(&*column).map(|(u, x)| u * x).sum();
    let twice = 2.0 * along;
    for (x, u) in column.iter_mut().zip(unit) {
        *x -= twice * u;
    }
}

impl Triangle {
    /// The number in a row and a column.
    pub fn at(&self, row: usize, column: usize) -> f64 {
        self.numbers[column * self.order + row]
    }

    /// The sum of squares that the first `from` columns leave of a column.
    pub fn left(&self, column: usize, from: usize) -> f64 {
        let rows = &self.numbers[column * self.order..][from..=column];
        rows.iter().map(|x| x * x).sum()
    }

    /// The coefficients of the first `count` columns for another one.
    pub fn solve(&self, column: usize, count: usize) -> Vec<f64> {
        let mut found = self.numbers[column * self.order..][..count].to_vec();
        self.back(&mut found);
        found
    }

    /// Solves `R x = b` in place, of the first rows of R.
    pub fn back(&self, b: &mut [f64]) {
        for row in (0..b.len()).rev() {
            let known: f64 = (row + 1..b.len()).map(|k| self.at(row, k) * b[k]).sum();
            b[row] = (b[row] - known) / self.at(row, row);
        }
    }

    /// The diagonal of the inverse of the normal matrix of the first `count` columns: variances of
    /// coefficients by that of the residuals.
    pub fn variances(&self, count: usize) -> Vec<f64> {
        let mut sums = vec![0.0; count];
        for column in 0..count {
            let mut unit = vec![0.0; column + 1];
            unit[column] = 1.0;
            self.back(&mut unit);
            for (sum, x) in sums.iter_mut().zip(unit) {
                *sum += x * x;
            }
        }
        sums
    }
}
