//! Numbers as one of at most 255 bins of their feature, of equal numbers of rows as far as
//! possible: thresholds are looked for between bins only.

use super::Examples;

/// The most bins of a feature, but that of what is missing.
const BINS_MAX: usize = 255;
/// The bin of what is missing.
pub(super) const MISSING: u8 = 255;
/// All bins.
pub(super) const BINS: usize = 256;
/// What is this near to 0 is 0, as LightGBM has it.
const ZERO: f32 = 1e-35;

/// Between which numbers bins lie.
pub(super) struct Bins {
    /// Of each feature: a number is in the bin whose threshold is the first that is not below it.
    thresholds: Vec<Vec<f64>>,
}

impl Bins {
    /// By the numbers of examples.
    pub fn of(examples: &Examples<'_>) -> Self {
        let column = |feature: usize| {
            let numbers = examples.rows.iter().skip(feature);
            let numbers = numbers.step_by(examples.features).copied().map(settled);
            let mut numbers: Vec<f32> = numbers.filter(|x| !x.is_nan()).collect();
            numbers.sort_by(f32::total_cmp);
            between(&numbers)
        };
        Self {
            thresholds: (0..examples.features).map(column).collect(),
        }
    }

    /// The threshold above a bin.
    pub fn threshold(&self, feature: usize, bin: u8) -> f64 {
        self.thresholds[feature][usize::from(bin)]
    }

    /// How many thresholds a feature has.
    pub fn count(&self, feature: usize) -> usize {
        self.thresholds[feature].len()
    }

    /// The bins of rows, feature by feature.
    pub fn columns(&self, examples: &Examples<'_>) -> Vec<Vec<u8>> {
        let column = |(feature, thresholds): (usize, &Vec<f64>)| {
            let numbers = examples.rows.iter().skip(feature);
            let numbers = numbers.step_by(examples.features).copied().map(settled);
            let bin = |x: f32| match x.is_nan() {
                true => MISSING,
                false => thresholds.partition_point(|edge| *edge < f64::from(x)) as u8,
            };
            numbers.map(bin).collect()
        };
        self.thresholds.iter().enumerate().map(column).collect()
    }
}

fn settled(x: f32) -> f32 {
    if x.abs() <= ZERO { 0.0 } else { x }
}

/// Thresholds half way between neighbours, with as many of sorted numbers between two as there are
/// between others.
fn between(numbers: &[f32]) -> Vec<f64> {
    let changes = (1..numbers.len()).filter(|at| numbers[at - 1] < numbers[*at]);
    let middle = |at: usize| f64::midpoint(f64::from(numbers[at - 1]), f64::from(numbers[at]));
    if changes.clone().count() < BINS_MAX {
        return changes.map(middle).collect();
    }
    let share = numbers.len() as f64 / BINS_MAX as f64;
    let (mut thresholds, mut next) = (Vec::with_capacity(BINS_MAX), share);
    for at in changes {
        if at as f64 >= next && thresholds.len() < BINS_MAX - 1 {
            thresholds.push(middle(at));
            next = (at as f64 / share).floor() * share + share;
        }
    }
    thresholds
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_lie_between_the_thresholds_of_their_bins() {
        let few: Vec<f32> = [1.0, 2.0, 2.0, f32::NAN, -3.0, 1e-40].to_vec();
        let many: Vec<f32> = (0..5_000).map(|at| (at * 7 % 1_999) as f32).collect();
        for rows in [few, many] {
            let labels = vec![0; rows.len()];
            let examples = Examples::new(&rows, &labels, 1, 2).unwrap();
            let bins = Bins::of(&examples);
            let [column] = &bins.columns(&examples)[..] else {
                panic!("one feature has one column");
            };
            assert!(bins.count(0) < BINS_MAX);
            for (x, bin) in rows.iter().zip(column) {
                let (x, at) = (f64::from(*x), usize::from(*bin));
                assert_eq!(x.is_nan(), *bin == MISSING);
                let inside = at >= bins.count(0) || x <= bins.threshold(0, *bin);
                assert!(x.is_nan() || inside);
                assert!(x.is_nan() || at == 0 || x > bins.threshold(0, *bin - 1));
            }
        }
    }
}
