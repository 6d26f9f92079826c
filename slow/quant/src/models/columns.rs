//! From the numbers of a row to their ranks among the thresholds of a model.
//!
//! A tree only asks whether a number is above a threshold. A model has few different thresholds
//! for a feature (its trainer binned it), so the question is the same of small integers: is the
//! count of thresholds below the number above the threshold's own place? What happens to missing
//! numbers differs from split to split; so a feature has a *slot* for each way, and its rank there
//! says it: 0 goes left everywhere, the greatest rank right.

use std::collections::{BTreeMap, BTreeSet};

use super::tree::{Missing, Node, Tree};

/// LightGBM takes numbers this close to 0 for 0.
const ZERO: f32 = 1e-35;

/// A rank, and what holds those of a row.
pub(super) trait Rank: Copy + PartialOrd + Default {
    /// Goes right at all splits.
    const GREATEST: Self;
    /// A number of thresholds, below the greatest.
    fn from_count(count: usize) -> Self;
}

impl Rank for u8 {
    const GREATEST: Self = Self::MAX;
    #[inline(always)]
    fn from_count(count: usize) -> Self {
        count as Self
    }
}

impl Rank for u16 {
    const GREATEST: Self = Self::MAX;
    #[inline(always)]
    fn from_count(count: usize) -> Self {
        count as Self
    }
}

/// A feature's thresholds.
#[derive(Clone, Debug)]
struct Column {
    feature: usize,
    /// Sorted, different, then infinite up to one less than a power of two.
    thresholds: Vec<f32>,
    /// The exponent of that power.
    steps: u32,
    /// How many are thresholds.
    count: usize,
}

/// A column as some splits see it.
#[derive(Clone, Copy, Debug)]
struct Slot {
    missing: Missing,
    /// How many thresholds are below 0.
    zero: usize,
}

/// All columns of a model, each with its slots.
#[derive(Clone, Debug)]
pub(super) struct Columns {
    columns: Vec<(Column, Vec<Slot>)>,
    /// Numbers near 0 are 0.
    has_zero_rule: bool,
    slots: usize,
}

/// Where the questions about a feature, asked in one way, find their rank.
pub(super) type SlotNumbers = BTreeMap<(usize, Missing), usize>;

impl Columns {
    pub fn new(trees: &[Tree], has_zero_rule: bool) -> (Self, SlotNumbers) {
        let mut asked: BTreeMap<usize, (Vec<f32>, BTreeSet<Missing>)> = BTreeMap::new();
        for node in trees.iter().flat_map(|tree| &tree.nodes) {
            if let Node::Split {
                feature,
                threshold,
                missing,
                ..
            } = *node
            {
                let (thresholds, ways) = asked.entry(feature).or_default();
                thresholds.push(threshold);
                ways.insert(missing);
            }
        }
        let mut numbers = SlotNumbers::new();
        let mut columns = Vec::new();
        for (feature, (thresholds, ways)) in asked {
            let column = Column::new(feature, thresholds);
            let [zero] = column.below([0.0]);
            for missing in &ways {
                numbers.insert((feature, *missing), numbers.len());
            }
            let slots = ways.into_iter().map(|missing| Slot { missing, zero });
            columns.push((column, slots.collect()));
        }
        let slots = numbers.len();
        let all = Self {
            columns,
            has_zero_rule,
            slots,
        };
        (all, numbers)
    }

    /// How many ranks a row has.
    pub fn slots(&self) -> usize {
        self.slots
    }

    /// The most thresholds of a feature.
    pub fn thresholds(&self) -> usize {
        let counts = self.columns.iter().map(|(column, _)| column.count);
        counts.max().unwrap_or(0)
    }

    /// The place of a threshold among those of its feature.
    pub fn place(&self, feature: usize, threshold: f32) -> usize {
        let at = |(column, _): &(Column, _)| column.feature.cmp(&feature);
        let found = self.columns.binary_search_by(at).ok();
        found.map_or(0, |at| self.columns[at].0.below([threshold])[0])
    }

    /// The ranks of rows, each with room for all slots: columns of one row one after the other,
    /// those of several rows side by side, because a step of a search waits for the one before it.
    #[inline]
    pub fn rank<R: Rank, Row: AsMut<[R]>, const ROWS: usize>(
        &self,
        rows: [&[f32]; ROWS],
        ranks: &mut [Row; ROWS],
    ) {
        let mut place = 0;
        for (column, slots) in &self.columns {
            let numbers = rows.map(|row| row[column.feature]);
            let zeros = numbers.map(|x| self.has_zero_rule && x.abs() <= ZERO);
            let mut shown = numbers;
            for (x, is_zero) in shown.iter_mut().zip(zeros) {
                *x = if is_zero { 0.0 } else { *x };
            }
            let below = column.below(shown);
            for (at, slot) in slots.iter().enumerate() {
                for (row, ranks) in ranks.iter_mut().enumerate() {
                    ranks.as_mut()[place + at] = slot.rank(numbers[row], zeros[row], below[row]);
                }
            }
            place += slots.len();
        }
    }
}

impl Slot {
    #[inline(always)]
    fn rank<R: Rank>(self, x: f32, is_zero: bool, below: usize) -> R {
        let known = R::from_count(below);
        let is_missing = x.is_nan();
        match self.missing {
            Missing::Left if is_missing => R::default(),
            Missing::Right if is_missing => R::GREATEST,
            Missing::AsZero if is_missing => R::from_count(self.zero),
            Missing::ZeroLeft if is_missing | is_zero => R::default(),
            Missing::ZeroRight if is_missing | is_zero => R::GREATEST,
            _ => known,
        }
    }
}

impl Column {
    fn new(feature: usize, mut thresholds: Vec<f32>) -> Self {
        // Both zeros are one, and what nothing is above has the last place of all.
        thresholds.iter_mut().for_each(|x| *x += 0.0);
        thresholds.sort_by(f32::total_cmp);
        thresholds.dedup();
        let count = thresholds.len();
        let steps = usize::BITS - count.leading_zeros();
        thresholds.resize((1 << steps) - 1, f32::INFINITY);
        Self {
            feature,
            thresholds,
            steps,
            count,
        }
    }

    /// How many thresholds are below each number; none below NaN.
    #[inline(always)]
    fn below<const COUNT: usize>(&self, numbers: [f32; COUNT]) -> [usize; COUNT] {
        let mut counts = [0; COUNT];
        for step in (0..self.steps).rev() {
            for (count, x) in counts.iter_mut().zip(numbers) {
                // Not a branch: which way it goes cannot be foreseen.
                let is_above = self.thresholds[*count + (1 << step) - 1] < x;
                *count += usize::from(is_above) << step;
            }
        }
        counts
    }
}
