//! Training: gradient-boosted trees for classes, from rows in the order of time, and how good they
//! are on what came later.
//!
//! Trees are grown as LightGBM does (histograms of 255 bins, leaf by leaf, one tree for each class
//! and round, steps of Newton's) and written as its text, which [`crate::models::Forest`] and
//! LightGBM read. Nothing is random: the same rows give the same bytes.

mod bins;
mod boost;
mod example;
mod grow;
mod prune;
mod quality;
mod walk;
mod write;

pub use boost::Booster;
pub use example::Example;
pub use quality::Quality;
pub use walk::{Fold, Walk, walk};

use crate::fault::{Fault, same_length, within};
use crate::models::FEATURES_MAX;

/// Examples at most.
pub const EXAMPLES_MAX: usize = 1 << 26;
/// Classes at most.
pub const CLASSES_MAX: usize = 64;

/// Rows whose classes are known, the oldest first. What is missing is NaN.
#[derive(Clone, Copy, Debug)]
pub struct Examples<'a> {
    rows: &'a [f32],
    labels: &'a [u32],
    features: usize,
    classes: usize,
}

/// How trees grow.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Growth {
    /// Rounds at most: 1 to 10,000.
    pub rounds: usize,
    /// Rounds without a lesser loss on the held back rows after which it ends.
    pub patience: usize,
    /// Leaves of a tree at most: 2 to 4,096.
    pub leaves: usize,
    /// Rows of a leaf at least.
    pub least_rows: u32,
    /// How much of each tree counts: above 0, up to 1.
    pub rate: f64,
    /// Added to a leaf's second derivatives.
    pub lambda: f64,
    /// Whether all classes weigh the same, however many rows they have: answers are then right
    /// most often on average over the classes, not over the rows.
    pub is_balanced: bool,
}

impl Default for Growth {
    fn default() -> Self {
        Self {
            rounds: 500,
            patience: 20,
            leaves: 31,
            least_rows: 20,
            rate: 0.1,
            lambda: 1.0,
            is_balanced: false,
        }
    }
}

impl Growth {
    fn check(&self) -> Result<(), Fault> {
        within("rounds", self.rounds as f64, 1.0, 1e4)?;
        within("patience", self.patience as f64, 1.0, 1e4)?;
        within("leaves", self.leaves as f64, 2.0, 4_096.0)?;
        within("least rows", f64::from(self.least_rows), 1.0, 1e6)?;
        within("rate", self.rate, 1e-6, 1.0)?;
        within("lambda", self.lambda, 0.0, 1e6)
    }
}

impl<'a> Examples<'a> {
    /// Checks that these are rows of so many features with a class each, from 0.
    ///
    /// # Errors
    /// `Lengths`, `Outside` and `NotFinite` (only NaN may be in a row that is no number), with the
    /// argument.
    pub fn new(
        rows: &'a [f32],
        labels: &'a [u32],
        features: usize,
        classes: usize,
    ) -> Result<Self, Fault> {
        within("features", features as f64, 1.0, FEATURES_MAX as f64)?;
        within("classes", classes as f64, 2.0, CLASSES_MAX as f64)?;
        within("examples", labels.len() as f64, 2.0, EXAMPLES_MAX as f64)?;
        same_length("rows", rows.len(), labels.len() * features)?;
        for label in labels {
            within("labels", f64::from(*label), 0.0, (classes - 1) as f64)?;
        }
        if let Some(place) = rows.iter().position(|x| x.is_infinite()) {
            return Err(Fault::NotFinite {
                what: "rows",
                place,
            });
        }
        Ok(Self {
            rows,
            labels,
            features,
            classes,
        })
    }

    /// How many there are.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.labels.len()
    }

    /// Whether there are none.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.labels.is_empty()
    }

    /// The classes of all.
    #[must_use]
    pub const fn labels(&self) -> &'a [u32] {
        self.labels
    }

    /// Their numbers, row by row.
    #[must_use]
    pub const fn rows(&self) -> &'a [f32] {
        self.rows
    }

    fn part(&self, range: std::ops::Range<usize>) -> Self {
        Self {
            rows: &self.rows[range.start * self.features..range.end * self.features],
            labels: &self.labels[range],
            ..*self
        }
    }

    /// What a row of each class weighs; one of a class that has none, nothing.
    fn weights(&self, is_balanced: bool) -> Vec<f64> {
        let counts = self.counts();
        let seen = counts.iter().filter(|count| **count > 0).count();
        let weight = |count: &usize| match *count {
            0 => 0.0,
            count if is_balanced => self.len() as f64 / (seen * count) as f64,
            _ => 1.0,
        };
        counts.iter().map(weight).collect()
    }

    /// How many of each class there are.
    fn counts(&self) -> Vec<usize> {
        let mut counts = vec![0; self.classes];
        for label in self.labels {
            counts[*label as usize] += 1;
        }
        counts
    }
}
