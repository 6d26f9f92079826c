//! Smaller trees whose sums are nearly those of the whole ones.

use super::boost::{Booster, Kept};
use crate::fault::{Fault, within};

/// What hangs below a place of a tree.
#[derive(Clone, Copy)]
struct Below {
    least: f64,
    most: f64,
    /// Values times rows, and rows.
    sum: f64,
    rows: usize,
}

impl Below {
    fn and(self, other: Self) -> Self {
        Self {
            least: self.least.min(other.least),
            most: self.most.max(other.most),
            sum: self.sum + other.sum,
            rows: self.rows + other.rows,
        }
    }

    /// One value for all, the mean of the rows that it was learnt from, if none is off by more.
    fn one(self, off_max: f64) -> Option<f64> {
        let mean = self.sum / self.rows as f64;
        let mean = mean.clamp(self.least, self.most);
        let off = (mean - self.least).max(self.most - mean);
        (off <= off_max).then_some(mean)
    }
}

impl Booster {
    /// Cuts off what hangs below a split where one value in its place is off by no more than
    /// `off_max` for any row: a sum of a row is then off by no more than that for each round.
    ///
    /// # Errors
    /// `Outside` for `off_max` that is not between 0 and 1,000.
    pub fn prune(&mut self, off_max: f64) -> Result<(), Fault> {
        within("off at most", off_max, 0.0, 1e3)?;
        for tree in &mut self.trees {
            *tree = tree.pruned(off_max);
        }
        Ok(())
    }

    /// Leaves of all trees.
    #[must_use]
    pub fn leaves(&self) -> usize {
        self.trees.iter().map(|tree| tree.leaves.len()).sum()
    }
}

impl Kept {
    fn pruned(&self, off_max: f64) -> Self {
        // Children of a split come behind it, so that one way back sees them before it.
        let mut below: Vec<Option<Below>> = vec![None; self.splits.len()];
        for (at, split) in self.splits.iter().enumerate().rev() {
            let [left, right] = split.children.map(|child| self.below(child, &below));
            below[at] = left.zip(right).map(|(left, right)| left.and(right));
        }
        let mut tree = Self {
            splits: Vec::new(),
            leaves: Vec::new(),
            counts: Vec::new(),
        };
        let root = if self.splits.is_empty() { !0 } else { 0 };
        self.copy(root, &below, off_max, &mut tree);
        tree
    }

    fn below(&self, child: i32, below: &[Option<Below>]) -> Option<Below> {
        if let Ok(split) = usize::try_from(child) {
            return below[split];
        }
        let leaf = !child as usize;
        let (value, rows) = (self.leaves[leaf], self.counts[leaf]);
        Some(Below {
            least: value,
            most: value,
            sum: value * rows as f64,
            rows,
        })
    }

    /// Copies what hangs at a place, cut as far as it may be; where it is in the other tree.
    fn copy(&self, child: i32, below: &[Option<Below>], off_max: f64, to: &mut Self) -> i32 {
        let all = self.below(child, below);
        let one = all.and_then(|all| all.one(off_max));
        match (usize::try_from(child), one, all) {
            (Ok(split), None, _) => {
                let at = to.splits.len();
                to.splits.push(self.splits[split]);
                for side in 0..2 {
                    let child = self.splits[split].children[side];
                    to.splits[at].children[side] = self.copy(child, below, off_max, to);
                }
                at as i32
            }
            (_, value, all) => {
                to.leaves.push(value.unwrap_or(0.0));
                to.counts.push(all.map_or(0, |all| all.rows));
                !(to.leaves.len() as i32 - 1)
            }
        }
    }
}
