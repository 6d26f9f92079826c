//! Whether a matrix is one of covariances: of numbers, that are the same across the diagonal.
//!
//! A thousand assets have a million of them, and most matrices are in order. So tiles are compared
//! with those across the diagonal first, by what surely is in order; only if something may not be,
//! numbers are looked at one by one, to say which it is.

use analytics::arch::{Backend, Kernel, LANES, Lanes};

use crate::Fault;
use crate::fault::{MAGNITUDE_MAX, series, within};

/// Two numbers that should be one may differ by this part of the two deviations.
const SYMMETRY: f64 = 1e-9;
/// A number below this is allowed, and so is what differs from it by what is allowed.
const SURE: f64 = MAGNITUDE_MAX / 2.0;

/// Sixteen rows of sixteen numbers.
type Tile = [[f64; LANES]; LANES];

/// Refuses what is no covariance; `matrix` has `count` rows of as many numbers.
///
/// # Errors
/// The first number that is none, or the first variance that is not above 0, or the first number
/// that differs from the one across the diagonal.
pub(super) fn check(backend: Backend, matrix: &[f64], count: usize) -> Result<(), Fault> {
    let variances = (0..count).map(|at| matrix[at * count + at]);
    let deviations: Vec<f64> = variances.clone().map(f64::sqrt).collect();
    let are_above = variances.clone().all(|x| x >= f64::MIN_POSITIVE);
    if are_above && backend.run(IsSure(matrix, &deviations)) {
        return Ok(());
    }
    series("covariance", matrix, 1)?;
    for variance in variances {
        within("variance", variance, f64::MIN_POSITIVE, f64::MAX)?;
    }
    for (row, numbers) in matrix.chunks_exact(count).enumerate() {
        for (column, x) in numbers.iter().enumerate().take(row) {
            let across = matrix[column * count + row];
            let allowed = SYMMETRY * deviations[row] * deviations[column];
            within("covariance - its transpose", x - across, -allowed, allowed)?;
        }
    }
    Ok(())
}

/// Whether a matrix surely is in order; with its deviations.
struct IsSure<'a>(&'a [f64], &'a [f64]);

impl Kernel for IsSure<'_> {
    type Output = bool;

    #[inline(always)]
    fn run<L: Lanes>(self, lanes: L) -> bool {
        let Self(matrix, deviations) = self;
        let zero = lanes.splat(0.0);
        let (mut below, mut across) = ([[0.0; LANES]; LANES], [[0.0; LANES]; LANES]);
        let mut doubts = zero;
        for row in (0..deviations.len()).step_by(LANES) {
            let own = several(deviations, row);
            for column in (0..=row).step_by(LANES) {
                copy(matrix, deviations.len(), [row, column], &mut below);
                copy(matrix, deviations.len(), [column, row], &mut across);
                let others = lanes.load(&several(deviations, column));
                for (at, numbers) in below.iter().enumerate() {
                    let mut turned = [0.0; LANES];
                    for (x, row) in turned.iter_mut().zip(&across) {
                        *x = row[at];
                    }
                    let (x, y) = (lanes.load(numbers), lanes.load(&turned));
                    let allowed = lanes.mul(lanes.splat(SYMMETRY * own[at]), others);
                    // What is no number is less than nothing.
                    doubts = lanes.where_less(size(lanes, x), lanes.splat(SURE), doubts, x);
                    let off = size(lanes, lanes.sub(x, y));
                    doubts = lanes.where_less(off, allowed, doubts, lanes.splat(1.0));
                }
            }
        }
        let mut all = [0.0; LANES];
        lanes.store(doubts, &mut all);
        all.iter().all(|doubt| *doubt == 0.0)
    }
}

/// Sixteen numbers from a place on, ones behind the last.
#[inline(always)]
fn several(numbers: &[f64], from: usize) -> [f64; LANES] {
    let rest = &numbers[from..];
    let mut all = [1.0; LANES];
    let count = rest.len().min(LANES);
    all[..count].copy_from_slice(&rest[..count]);
    all
}

/// The tile that begins in this row and column, zeros behind the last ones.
#[inline(always)]
fn copy(matrix: &[f64], count: usize, [row, column]: [usize; 2], to: &mut Tile) {
    let (height, width) = ((count - row).min(LANES), (count - column).min(LANES));
    if width == LANES && height == LANES {
        for (at, to) in to.iter_mut().enumerate() {
            to.copy_from_slice(&matrix[(row + at) * count + column..][..LANES]);
        }
        return;
    }
    *to = [[0.0; LANES]; LANES];
    for (at, to) in to[..height].iter_mut().enumerate() {
        to[..width].copy_from_slice(&matrix[(row + at) * count + column..][..width]);
    }
}

/// Without its sign.
#[inline(always)]
fn size<L: Lanes>(lanes: L, x: L::F) -> L::F {
    lanes.max(x, lanes.sub(lanes.splat(0.0), x))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Definite or not: nobody asks here.
    fn matrix(count: usize) -> Vec<f64> {
        let number = |row: usize, column: usize| {
            let wave =
                ((row * 7 + column * 13) as f64).sin() + ((column * 7 + row * 13) as f64).sin();
            if row == column { 3.0 } else { wave }
        };
        let all = 0..count * count;
        all.map(|at| number(at / count, at % count)).collect()
    }

    #[test]
    fn one_number_that_is_wrong_is_found_wherever_it_stands() {
        for backend in Backend::all() {
            for count in [1, 2, 15, 16, 17, 40] {
                let good = matrix(count);
                assert_eq!(check(backend, &good, count), Ok(()));
                for place in 0..count * count {
                    let [row, column] = [place / count, place % count];
                    let mut bad = good.clone();
                    for wrong in [f64::NAN, f64::NEG_INFINITY, 2.0 * MAGNITUDE_MAX] {
                        bad[place] = wrong;
                        let what = "covariance";
                        let found = check(backend, &bad, count);
                        assert_eq!(found, Err(Fault::NotFinite { what, place }));
                    }
                    bad[place] = good[place] * (1.0 + 1e-7);
                    let found = check(backend, &bad, count);
                    let is_refused = matches!(found, Err(Fault::Outside { .. }));
                    let differs = good[place].abs() > 0.1 && row != column;
                    assert!(is_refused || !differs, "{row} {column}");
                    bad[place] = good[place] + 2e-9;
                    assert_eq!(check(backend, &bad, count), Ok(()), "{row} {column}");
                }
            }
        }
    }

    #[test]
    fn great_and_small_numbers_are_judged_one_by_one() {
        let backend = Backend::best();
        // Allowed, and too great to be sure of.
        let most = MAGNITUDE_MAX;
        assert_eq!(check(backend, &[most, 0.0, 0.0, most], 2), Ok(()));
        // Nothing is less than what such deviations allow.
        let least = f64::MIN_POSITIVE;
        assert_eq!(check(backend, &[least, 0.0, 0.0, least], 2), Ok(()));
        assert!(check(backend, &[least, least, 0.0, least], 2).is_err());
    }
}
