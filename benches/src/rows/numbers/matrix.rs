//! Covariances of many series at a time.

use std::hint::black_box;

use analytics::arch::Backend;
use analytics::statistics::WeightedMatrix;

use super::{Series, failed, repeated, used, wrong};
use crate::compare::{Case, Subject, compare};
use crate::{BenchError, Effort};

/// Series whose covariances are kept, and the rows that are fed again and again.
const SERIES: usize = 100;
const ROWS: usize = 10;
/// What a new row weighs.
const ALPHA: f64 = 0.06;

/// Covariances of all pairs of series: the peer is the plain loop over the half below the diagonal.
pub(super) fn covariances(series: &Series, effort: Effort) -> Result<Vec<Case>, BenchError> {
    let rows: Vec<&[f64]> = series.prices.chunks_exact(SERIES).take(ROWS).collect();
    // A tick is thousands of numbers.
    let ticks = effort.pick(1, 1_000, 5_000);
    let best = Backend::best();
    let mut ours = WeightedMatrix::new(SERIES, ALPHA).map_err(failed)?;
    let mut plain = PlainMatrix::new(rows[0]);
    for (at, row) in rows.iter().enumerate() {
        ours.push(best, row).map_err(failed)?;
        if at > 0 {
            plain.push(ALPHA, row);
        }
    }
    let (one, other) = (SERIES - 1, SERIES / 2);
    let found = ours.covariance(one, other).unwrap_or(f64::NAN);
    wrong("a covariance", found, plain.pairs[one * SERIES + other])?;
    let subjects = vec![
        Subject::new("ours", || {
            let mut matrix = ours.clone();
            Ok(vec![repeated(rows.len(), ticks, effort, || {
                for row in &rows {
                    used(matrix.push(best, black_box(row)));
                }
            })])
        }),
        Subject::new("plain loop", || {
            let mut matrix = plain.clone();
            Ok(vec![repeated(rows.len(), ticks, effort, || {
                rows.iter()
                    .for_each(|row| matrix.push(ALPHA, black_box(row)));
                used(matrix.pairs[0]);
            })])
        }),
    ];
    compare(
        &["covariances of 100 series, a tick"],
        effort.rounds(),
        subjects,
    )
}

/// Weighted covariances as one writes them down.
#[derive(Clone)]
struct PlainMatrix {
    mean: Vec<f64>,
    pairs: Vec<f64>,
}

impl PlainMatrix {
    fn new(first: &[f64]) -> Self {
        Self {
            mean: first.to_vec(),
            pairs: vec![0.0; SERIES * SERIES],
        }
    }

    fn push(&mut self, alpha: f64, row: &[f64]) {
        let moved: Vec<f64> = row
            .iter()
            .zip(&self.mean)
            .map(|(x, mean)| x - mean)
            .collect();
        for (at, x) in moved.iter().enumerate() {
            self.mean[at] += alpha * x;
            for (other, y) in moved[..=at].iter().enumerate() {
                let pair = &mut self.pairs[at * SERIES + other];
                *pair = (1.0 - alpha) * (*pair + alpha * x * y);
            }
        }
    }
}
