//! What answers of a trained model are worth: beside the majority's, and in gains.

use std::cmp::Reverse;

use quant::Fault;
use quant::training::{Quality, Walk};
use serde_json::{Value, json};

use crate::Refused;
use crate::answer::{facts, number};
use crate::table::Table;

/// For each class what answering it brings at each row, if anything.
pub(crate) struct Gains(Vec<Option<Vec<f64>>>);

impl Gains {
    /// Takes the columns that say so out of a table; none if there are no such columns.
    ///
    /// # Errors
    /// A label that no row has, a column that there is not, a row without a number there.
    pub fn take(
        table: &mut Table,
        names: &[String],
        earns: &[(String, String)],
    ) -> Result<Option<Self>, Refused> {
        if earns.is_empty() {
            return Ok(None);
        }
        let mut gains = vec![None; names.len()];
        for (label, column) in earns {
            let class = names.iter().position(|name| name == label);
            let place = class.and_then(|class| gains.get_mut(class));
            let Some(place) = place else {
                let all = names.join(", ");
                let what = format!("--earns {label}={column}: no such label; there are: {all}");
                return Err(table.blame(&what));
            };
            let column = table.find(column)?;
            if let Some(row) = table.column(column).position(|gain| !gain.is_finite()) {
                return Err(table.blame_cell(row, column, "there is no number"));
            }
            *place = Some(table.take(column));
        }
        Ok(Some(Self(gains)))
    }

    /// What the answers of all folds brought.
    pub fn earned(&self, found: &Walk) -> Earned {
        let mut earned = Earned::default();
        for ((fold, ..), answers) in found.folds.iter().zip(&found.answers) {
            for (row, answer) in fold.judged.clone().zip(answers) {
                earned.rows += 1;
                let gains = self.0.get(*answer as usize).and_then(Option::as_ref);
                let Some(gain) = gains.and_then(|gains| gains.get(row)) else {
                    continue;
                };
                earned.trades += 1;
                earned.won += u64::from(*gain > 0.0);
                earned.total += gain;
            }
        }
        earned
    }
}

/// What answers brought.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Earned {
    rows: u64,
    trades: u64,
    won: u64,
    total: f64,
}

impl Earned {
    fn mean(&self) -> Option<f64> {
        (self.trades > 0).then(|| self.total / self.trades as f64)
    }

    pub fn text(&self) -> String {
        let mean = self.mean().map_or("-".to_owned(), number);
        let verdict = match self.total {
            total if total > 0.0 => "more than not to trade",
            total if total < 0.0 => "less than not to trade",
            _ => "as much as not to trade",
        };
        facts(&[
            ("rows judged", self.rows.to_string()),
            ("of them traded", self.trades.to_string()),
            ("with a gain", self.won.to_string()),
            ("gain of all", format!("{}: {verdict}", number(self.total))),
            ("gain of each", mean),
        ])
    }

    pub fn json(&self) -> Value {
        json!({
            "rows": self.rows, "trades": self.trades, "won": self.won, "total": self.total,
            "mean": self.mean(),
        })
    }
}

/// A name and what it is of.
type Measure = (&'static str, fn(&Quality) -> f64);

/// What quality is measured by.
const MEASURES: [Measure; 3] = [
    ("accuracy", Quality::accuracy),
    ("balanced_accuracy", Quality::balanced_accuracy),
    ("macro_f1", Quality::macro_f1),
];

/// How much better answers are than always saying what was most often right before. It is only
/// said that they are if they are in every fold: rows near each other are no independent trials, so
/// that a fold counts as one.
pub(crate) struct Beats(Vec<Beat>);

struct Beat {
    name: &'static str,
    points: f64,
    folds_above: usize,
    folds: usize,
}

impl Beats {
    /// Of labels as numbers of so many classes.
    ///
    /// # Errors
    /// Labels that are not those of the rows.
    pub fn new(found: &Walk, labels: &[u32], classes: usize) -> Result<Self, Fault> {
        let mut usual = Vec::with_capacity(found.folds.len());
        for (fold, ..) in &found.folds {
            let mut counts = vec![0_usize; classes];
            let seen = labels.iter().take(fold.held_back.end);
            seen.for_each(|label| counts[*label as usize] += 1);
            let most = (0..classes).max_by_key(|class| (counts[*class], Reverse(*class)));
            let judged = labels.get(fold.judged.clone()).unwrap_or(&[]);
            let mut quality = Quality::new(classes)?;
            quality.add(judged, &vec![most.unwrap_or(0) as u32; judged.len()])?;
            usual.push(quality);
        }
        let beat = |(name, of): Measure| {
            let pairs = found.folds.iter().zip(&usual);
            let above = pairs.filter(|((_, _, quality), usual)| of(quality) > of(usual));
            Beat {
                name,
                points: (of(&found.all) - of(&found.majority)) * 100.0,
                folds_above: above.count(),
                folds: usual.len(),
            }
        };
        Ok(Self(MEASURES.map(beat).into()))
    }

    pub fn text(&self) -> String {
        let line = |beat: &Beat| {
            let name = beat.name.replace('_', " ");
            let Beat {
                points,
                folds_above,
                folds,
                ..
            } = *beat;
            let is_so = beat.is_so();
            let verdict = if is_so { "beats" } else { "does not beat" };
            format!(
                "{name}: {verdict} the majority: {points:+.3} points, above in {folds_above} of \
                 {folds} folds\n"
            )
        };
        self.0.iter().map(line).collect()
    }

    pub fn json(&self) -> Value {
        let each = self.0.iter().map(|beat| {
            let value = json!({
                "beats": beat.is_so(), "points": beat.points, "folds_above": beat.folds_above,
            });
            (beat.name.to_owned(), value)
        });
        Value::Object(each.collect())
    }
}

impl Beat {
    fn is_so(&self) -> bool {
        self.points > 0.0 && self.folds_above == self.folds
    }
}
