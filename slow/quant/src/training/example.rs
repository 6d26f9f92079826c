//! Rows whose best achievable rate of right answers is known.

use analytics::arch::Backend;

use super::Examples;
use crate::distribution::normal_below;
use crate::fault::{Fault, within};
use crate::montecarlo::fill_normals;

/// What the numbers of a row are called: what books tell, and one that says nothing.
const NAMES: [&str; 6] = ["imbalance", "flow", "momentum", "spread", "depth", "noise"];
/// Signals up to these, where spreads are narrow and wide, are to be left.
const NARROW: f64 = 0.2;
const WIDE: f64 = 0.4;
/// Where there is more depth, all are.
const DEEP: f64 = 1.5;
/// How much of a number stays from row to row.
const KEPT: f64 = 0.6;

/// Generated rows, the oldest first, of which each is worth selling (0), leaving (1) or buying (2).
/// What is so by the row's numbers is what its label says with probability `rate`; otherwise it
/// says one of the others, each as likely. No answer can be right more often than `rate`.
pub struct Example {
    rows: Vec<f32>,
    labels: Vec<u32>,
    best: Vec<u32>,
}

impl Example {
    /// So many rows, with such a best rate: at least 0.4.
    ///
    /// # Errors
    /// `Outside`, with the argument.
    pub fn new(count: usize, rate: f64, seed: u64) -> Result<Self, Fault> {
        within("rows", count as f64, 2.0, (1 << 24) as f64)?;
        within("rate", rate, 0.4, 1.0)?;
        let width = NAMES.len() + 1;
        let mut normals = vec![0.0; count * width];
        fill_normals(Backend::best(), seed, &mut normals);
        let mut example = Self {
            rows: Vec::with_capacity(count * NAMES.len()),
            labels: Vec::with_capacity(count),
            best: Vec::with_capacity(count),
        };
        let mut row = [0.0; NAMES.len()];
        for drawn in normals.chunks_exact(width) {
            for (number, drawn) in row.iter_mut().zip(drawn) {
                *number = KEPT * *number + (1.0 - KEPT * KEPT).sqrt() * drawn;
            }
            let shown = row.map(|number| number as f32);
            let best = class(&shown);
            // A share between 0 and 1 that the row's numbers know nothing of.
            let chance = normal_below(drawn[NAMES.len()]);
            let label = if chance < rate {
                best
            } else if chance < rate + (1.0 - rate) / 2.0 {
                (best + 1) % 3
            } else {
                (best + 2) % 3
            };
            example.rows.extend(shown);
            example.labels.push(label);
            example.best.push(best);
        }
        Ok(example)
    }

    /// What the numbers of a row are called.
    #[must_use]
    pub const fn names() -> &'static [&'static str] {
        &NAMES
    }

    /// The numbers, row by row.
    #[must_use]
    pub fn rows(&self) -> &[f32] {
        &self.rows
    }

    /// The labels, from 0.
    #[must_use]
    pub fn labels(&self) -> &[u32] {
        &self.labels
    }

    /// What the numbers say, which is the best answer.
    #[must_use]
    pub fn best(&self) -> &[u32] {
        &self.best
    }

    /// The same, checked.
    ///
    /// # Errors
    /// None: what was made is fit.
    pub fn examples(&self) -> Result<Examples<'_>, Fault> {
        Examples::new(&self.rows, &self.labels, NAMES.len(), 3)
    }
}

/// What is best by the numbers: imbalance counts more while flow goes its way, a little momentum is
/// added, more is asked for where spreads are wide, and too much depth moves nothing.
fn class(row: &[f32; NAMES.len()]) -> u32 {
    let [imbalance, flow, momentum, spread, depth, _] = row.map(f64::from);
    let with_flow = if imbalance * flow > 0.0 { 1.0 } else { 0.5 };
    let signal = with_flow * imbalance + 0.1 * momentum;
    let quiet = if spread < 0.0 { NARROW } else { WIDE };
    match signal {
        _ if depth > DEEP => 1,
        signal if signal > quiet => 2,
        signal if signal < -quiet => 0,
        _ => 1,
    }
}
