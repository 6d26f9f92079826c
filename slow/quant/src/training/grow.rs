//! One tree, grown leaf by leaf: of all leaves the one is split that gains most (G. Ke et al.,
//! "LightGBM", NIPS 2017), by sums of gradients over bins.

use std::ops::Range;

use super::Growth;
use super::bins::{BINS, Bins, MISSING};

/// Second derivatives of a leaf at least.
const CURVATURE_MIN: f64 = 1e-3;
/// Gains of a split at least.
const GAIN_MIN: f64 = 1e-9;

/// Sums over rows.
#[derive(Clone, Copy, Default)]
struct Sums {
    gradient: f64,
    curvature: f64,
    count: u32,
}

/// A question that divides rows.
#[derive(Clone, Copy)]
pub(super) struct Split {
    pub feature: usize,
    /// Up to this bin to the left.
    pub bin: u8,
    /// Where rows go that have no number.
    pub is_missing_left: bool,
    pub gain: f64,
    /// Splits from 0; leaves as their complements, from -1 down.
    pub children: [i32; 2],
}

pub(super) struct Leaf {
    pub value: f64,
    pub rows: Range<usize>,
}

/// A tree and the rows of its leaves.
pub(super) struct Grown {
    pub splits: Vec<Split>,
    pub leaves: Vec<Leaf>,
    /// Rows in the order of their leaves.
    pub order: Vec<u32>,
}

/// A leaf that may yet be split.
struct Open {
    rows: Range<usize>,
    sums: Sums,
    bins: Vec<Sums>,
    best: Option<Split>,
    /// The split above, and on which side of it.
    parent: Option<(usize, usize)>,
}

/// What trees grow on: rows as bins, feature by feature.
pub(super) struct Ground<'a> {
    pub bins: &'a Bins,
    pub columns: &'a [Vec<u8>],
    pub growth: Growth,
}

impl Ground<'_> {
    /// A tree for the derivatives of each row's loss.
    pub fn grow(&self, derivatives: &[[f64; 2]]) -> Grown {
        let mut order: Vec<u32> = (0..derivatives.len() as u32).collect();
        let bins = self.sums(&order, derivatives);
        let mut leaves = vec![self.open(0..order.len(), bins, None)];
        let mut splits: Vec<Split> = Vec::new();
        let mut spare = Vec::new();
        while leaves.len() < self.growth.leaves {
            let gain = |leaf: &Open| leaf.best.map_or(0.0, |best| best.gain);
            let (mut at, mut most) = (0, GAIN_MIN);
            for (place, leaf) in leaves.iter().enumerate() {
                if gain(leaf) > most {
                    (at, most) = (place, gain(leaf));
                }
            }
            let Some(split) = leaves[at].best.filter(|split| split.gain > GAIN_MIN) else {
                break;
            };
            let Open { rows, parent, .. } = &leaves[at];
            if let Some((above, side)) = *parent {
                splits[above].children[side] = splits.len() as i32;
            }
            let (rows, new) = (rows.clone(), splits.len());
            splits.push(split);
            let column = &self.columns[split.feature];
            let middle = rows.start + divide(&mut order[rows.clone()], column, split, &mut spare);
            let sides = [rows.start..middle, middle..rows.end];
            // The sums of the lesser side; the others are what is left.
            let lesser = usize::from(sides[1].len() < sides[0].len());
            let some = self.sums(&order[sides[lesser].clone()], derivatives);
            let mut rest = std::mem::take(&mut leaves[at].bins);
            for (rest, some) in rest.iter_mut().zip(&some) {
                rest.gradient -= some.gradient;
                rest.curvature -= some.curvature;
                rest.count -= some.count;
            }
            let mut bins = if lesser == 0 {
                [some, rest]
            } else {
                [rest, some]
            };
            for (side, rows) in sides.into_iter().enumerate() {
                let bins = std::mem::take(&mut bins[side]);
                let leaf = self.open(rows, bins, Some((new, side)));
                if side == 0 {
                    leaves[at] = leaf;
                } else {
                    leaves.push(leaf);
                }
            }
        }
        for (at, leaf) in leaves.iter().enumerate() {
            if let Some((above, side)) = leaf.parent {
                splits[above].children[side] = !(at as i32);
            }
        }
        let leaf = |leaf: Open| Leaf {
            value: -leaf.sums.gradient / (leaf.sums.curvature + self.growth.lambda),
            rows: leaf.rows,
        };
        Grown {
            splits,
            leaves: leaves.into_iter().map(leaf).collect(),
            order,
        }
    }

    fn open(&self, rows: Range<usize>, bins: Vec<Sums>, parent: Option<(usize, usize)>) -> Open {
        let mut sums = Sums::default();
        bins.iter().take(BINS).for_each(|bin| sums.add(bin));
        let features = bins.chunks_exact(BINS).enumerate();
        let mut best: Option<Split> = None;
        for (feature, bins) in features {
            let found = self.best(feature, bins, sums);
            if let Some(found) = found.filter(|x| best.is_none_or(|best| x.gain > best.gain)) {
                best = Some(found);
            }
        }
        Open {
            rows,
            sums,
            bins,
            best,
            parent,
        }
    }

    /// Sums of all features' bins.
    fn sums(&self, rows: &[u32], derivatives: &[[f64; 2]]) -> Vec<Sums> {
        let mut sums = vec![Sums::default(); self.columns.len() * BINS];
        for (sums, column) in sums.chunks_exact_mut(BINS).zip(self.columns) {
            for row in rows {
                let [gradient, curvature] = derivatives[*row as usize];
                sums[usize::from(column[*row as usize])].add(&Sums {
                    gradient,
                    curvature,
                    count: 1,
                });
            }
        }
        sums
    }

    /// The split of a feature that gains most.
    fn best(&self, feature: usize, bins: &[Sums], all: Sums) -> Option<Split> {
        let missing = bins[usize::from(MISSING)];
        let before = self.worth(all);
        let mut best: Option<Split> = None;
        let mut left = Sums::default();
        for (bin, sums) in bins.iter().enumerate().take(self.bins.count(feature)) {
            left.add(sums);
            for is_missing_left in [false, true] {
                let mut left = left;
                if is_missing_left {
                    if missing.count == 0 {
                        continue;
                    }
                    left.add(&missing);
                }
                let right = all.less(&left);
                let least = self.growth.least_rows;
                if left.count < least || right.count < least {
                    continue;
                }
                if left.curvature.min(right.curvature) < CURVATURE_MIN {
                    continue;
                }
                let gain = self.worth(left) + self.worth(right) - before;
                if gain > best.map_or(0.0, |best| best.gain) {
                    best = Some(Split {
                        feature,
                        bin: bin as u8,
                        is_missing_left,
                        gain,
                        children: [0; 2],
                    });
                }
            }
        }
        best
    }

    /// Twice what a leaf takes off the loss.
    fn worth(&self, sums: Sums) -> f64 {
        sums.gradient * sums.gradient / (sums.curvature + self.growth.lambda)
    }
}

impl Sums {
    fn add(&mut self, other: &Self) {
        self.gradient += other.gradient;
        self.curvature += other.curvature;
        self.count += other.count;
    }

    fn less(self, other: &Self) -> Self {
        Self {
            gradient: self.gradient - other.gradient,
            curvature: self.curvature - other.curvature,
            count: self.count - other.count,
        }
    }
}

/// Puts the rows that go to the left first, each side in its order; how many these are.
fn divide(rows: &mut [u32], column: &[u8], split: Split, spare: &mut Vec<u32>) -> usize {
    spare.clear();
    let mut left = 0;
    for at in 0..rows.len() {
        let row = rows[at];
        if split.is_left(column[row as usize]) {
            rows[left] = row;
            left += 1;
        } else {
            spare.push(row);
        }
    }
    rows[left..].copy_from_slice(spare);
    left
}

impl Split {
    /// Where a row with this bin goes.
    pub const fn is_left(&self, bin: u8) -> bool {
        if bin == MISSING {
            self.is_missing_left
        } else {
            bin <= self.bin
        }
    }
}
