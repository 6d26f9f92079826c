//! Singular values by one-sided rotations (J. Demmel, K. Veselic, SIAM J. Matrix Anal. Appl. 13,
//! 1992): small ones keep their digits.

/// Turns over all pairs after which it is given up: ten is much already.
const TURNS_MAX: usize = 60;

/// Singular values of a square matrix, greatest first, and the right singular vectors. A matrix is
/// its columns.
pub fn singular(mut columns: Vec<Vec<f64>>) -> Vec<(f64, Vec<f64>)> {
    let order = columns.len();
    let unit = |at: usize| (0..order).map(move |row| f64::from(u8::from(row == at)));
    let mut vectors: Vec<Vec<f64>> = (0..order).map(|at| unit(at).collect()).collect();
    for _ in 0..TURNS_MAX {
        let mut is_still = true;
        for right in 1..order {
            for left in 0..right {
                is_still &= !rotate(&mut columns, &mut vectors, left, right);
            }
        }
        if is_still {
            break;
        }
    }
    let lengths = columns.iter().map(|column| dot(column, column).sqrt());
    let mut found: Vec<_> = lengths.zip(vectors).collect();
    found.sort_by(|a, b| b.0.total_cmp(&a.0));
    found
}

fn dot(xs: &[f64], ys: &[f64]) -> f64 {
    xs.iter().zip(ys).map(|(x, y)| x * y).sum()
}

/// Makes two columns orthogonal; whether they were not.
fn rotate(columns: &mut [Vec<f64>], vectors: &mut [Vec<f64>], left: usize, right: usize) -> bool {
    let a = dot(&columns[left], &columns[left]);
    let b = dot(&columns[right], &columns[right]);
    let c = dot(&columns[left], &columns[right]);
    if c == 0.0 || c.abs() <= f64::EPSILON * (a * b).sqrt() {
        return false;
    }
    let zeta = (b - a) / (2.0 * c);
    let tangent = zeta.signum() / (zeta.abs() + zeta.hypot(1.0));
    let cosine = 1.0 / tangent.hypot(1.0);
    let sine = cosine * tangent;
    for pairs in [columns, vectors] {
        let (head, tail) = pairs.split_at_mut(right);
        for (x, y) in head[left].iter_mut().zip(&mut tail[0]) {
            (*x, *y) = (cosine * *x - sine * *y, sine * *x + cosine * *y);
        }
    }
    true
}
