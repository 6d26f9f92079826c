//! The lower triangle of a small symmetric matrix, that may be on the edge of being none.

use crate::Fault;

/// A pivot this little of its number on the diagonal, or less, counts as 0.
const PIVOT_MIN: f64 = 1e-12;

/// One this much below 0 makes the matrix indefinite.
const INDEFINITE: f64 = 1e-9;

/// `L` of a matrix `L L'`, row by row (Cholesky). Rows that follow from those before them get no
/// number of their own.
///
/// # Errors
/// `Collinear`, with the row that makes the matrix indefinite.
pub fn lower_triangle(what: &'static str, matrix: &[f64], order: usize) -> Result<Vec<f64>, Fault> {
    let mut lower = vec![0.0; order * order];
    for row in 0..order {
        for column in 0..=row {
            let of = |row: usize| &lower[row * order..][..column];
            let known: f64 = of(row).iter().zip(of(column)).map(|(a, b)| a * b).sum();
            let whole = matrix[row * order + column];
            let left = whole - known;
            let pivot = lower[column * order + column];
            let tiny = PIVOT_MIN * matrix[row * order + row];
            lower[row * order + column] = if row == column {
                if left < -INDEFINITE * matrix[row * order + row] {
                    return Err(Fault::Collinear { what, column: row });
                }
                if left > tiny { left.sqrt() } else { 0.0 }
            } else if pivot > 0.0 {
                left / pivot
            } else if left.abs() > INDEFINITE.sqrt() * matrix[row * order + row].sqrt() {
                return Err(Fault::Collinear { what, column: row });
            } else {
                0.0
            };
        }
    }
    Ok(lower)
}
