//! What a model loses and gains when it is pruned, measured on its rows.

use std::time::Instant;

use quant::models::Forest;
use quant::training::Booster;
use serde_json::{Value, json};

use crate::Refused;
use crate::answer::{facts, number, percent};
use crate::asked::likeliest;

/// Runs of which the quickest counts.
const RUNS: usize = 7;

/// A model beside what it was.
pub(crate) struct Pruned {
    leaves: [usize; 2],
    /// By how much a sum of a row is off at most.
    off: f64,
    /// Rows whose likeliest result is another one.
    changed: usize,
    rows: usize,
    /// Nanoseconds of a row among many, before and after.
    ns: [f64; 2],
}

impl Pruned {
    /// Prunes a model and compares it with itself.
    ///
    /// # Errors
    /// What may not be so far off.
    pub fn of(booster: &mut Booster, rows: &[f32], off: f64) -> Result<Self, Refused> {
        let (whole, before) = (read(booster)?, booster.leaves());
        booster.prune(off)?;
        let less = read(booster)?;
        let (count, classes) = (rows.len() / whole.features(), whole.outputs());
        let mut sums = [vec![0.0; count * classes], vec![0.0; count * classes]];
        let mut ns = [f64::INFINITY; 2];
        // By turns, so that both have the same machine.
        for _ in 0..RUNS {
            for ((forest, sums), ns) in [&whole, &less].into_iter().zip(&mut sums).zip(&mut ns) {
                let start = Instant::now();
                forest.margins(rows, sums)?;
                *ns = ns.min(start.elapsed().as_nanos() as f64 / count as f64);
            }
        }
        let [one, other] = &sums;
        let pairs = one.iter().zip(other);
        let off = pairs.map(|(x, y)| (x - y).abs()).fold(0.0, f64::max);
        let rows = one.chunks_exact(classes).zip(other.chunks_exact(classes));
        let changed = rows.filter(|(x, y)| likeliest(x) != likeliest(y)).count();
        Ok(Self {
            leaves: [before, booster.leaves()],
            off,
            changed,
            rows: count,
            ns,
        })
    }

    pub fn text(&self) -> String {
        let [before, after] = self.leaves;
        let [slow, quick] = self.ns;
        let changed = self.changed as f64 / self.rows as f64;
        facts(&[
            ("leaves", format!("{after} of {before}")),
            ("a sum is off by at most", number(self.off)),
            ("answers that change", percent(changed)),
            ("time of a row", format!("{quick:.0} ns of {slow:.0}")),
        ])
    }

    pub fn json(&self) -> Value {
        json!({
            "leaves": self.leaves[1], "leaves_before": self.leaves[0], "off": self.off,
            "changed": self.changed, "rows": self.rows, "row_ns": self.ns[1],
            "row_ns_before": self.ns[0],
        })
    }
}

fn read(booster: &Booster) -> Result<Forest, Refused> {
    Forest::lightgbm(&booster.text(&[])).map_err(|error| Refused(format!("the model: {error}")))
}
