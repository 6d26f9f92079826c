//! How good answers are where classes are not equally many.

use crate::fault::{Fault, same_length, within};

/// How often which class was taken for which.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Quality {
    classes: usize,
    /// Row by row: of the class, what was answered.
    counts: Vec<u64>,
}

impl Quality {
    /// Of no answer yet.
    ///
    /// # Errors
    /// `Outside` for no classes or more than there may be.
    pub fn new(classes: usize) -> Result<Self, Fault> {
        within("classes", classes as f64, 1.0, super::CLASSES_MAX as f64)?;
        Ok(Self {
            classes,
            counts: vec![0; classes * classes],
        })
    }

    /// Adds answers.
    ///
    /// # Errors
    /// `Lengths` if there are not as many of both, `Outside` for a class that there is not.
    pub fn add(&mut self, labels: &[u32], answers: &[u32]) -> Result<(), Fault> {
        same_length("answers", answers.len(), labels.len())?;
        let most = (self.classes - 1) as f64;
        for (label, answer) in labels.iter().zip(answers) {
            within("labels", f64::from(*label), 0.0, most)?;
            within("answers", f64::from(*answer), 0.0, most)?;
            self.counts[*label as usize * self.classes + *answer as usize] += 1;
        }
        Ok(())
    }

    /// How many answers there are.
    #[must_use]
    pub fn count(&self) -> u64 {
        self.counts.iter().sum()
    }

    fn right(&self, class: usize) -> f64 {
        self.counts[class * self.classes + class] as f64
    }

    /// How many are of a class.
    fn of(&self, class: usize) -> f64 {
        let row = &self.counts[class * self.classes..][..self.classes];
        row.iter().sum::<u64>() as f64
    }

    fn answered(&self, class: usize) -> f64 {
        let column = self.counts.iter().skip(class).step_by(self.classes);
        column.sum::<u64>() as f64
    }

    /// The share of right answers; NaN of none.
    #[must_use]
    pub fn accuracy(&self) -> f64 {
        (0..self.classes).map(|at| self.right(at)).sum::<f64>() / self.count() as f64
    }

    /// The mean over the classes that there are of the share of right answers.
    #[must_use]
    pub fn balanced_accuracy(&self) -> f64 {
        let seen = (0..self.classes).filter(|at| self.of(*at) > 0.0);
        mean(seen.map(|at| self.right(at) / self.of(at)))
    }

    /// The mean over the classes that there are, or that were answered, of F1: twice the right ones
    /// by those that are and those that were answered.
    #[must_use]
    pub fn macro_f1(&self) -> f64 {
        let both = |at: usize| self.of(at) + self.answered(at);
        let seen = (0..self.classes).filter(|at| both(*at) > 0.0);
        mean(seen.map(|at| 2.0 * self.right(at) / both(at)))
    }
}

fn mean(numbers: impl Iterator<Item = f64>) -> f64 {
    let (sum, count) = numbers.fold((0.0, 0.0), |(sum, count), x| (sum + x, count + 1.0));
    sum / count
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_are_those_of_a_small_table() {
        let mut quality = Quality::new(3).unwrap();
        // Of 0: two right, two taken for 1. Of 1: one right. None of 2, which is answered once.
        quality
            .add(&[0, 0, 0, 0, 1, 1], &[0, 0, 1, 1, 1, 2])
            .unwrap();
        assert!((quality.accuracy() - 0.5).abs() < 1e-15);
        assert!((quality.balanced_accuracy() - 0.5).abs() < 1e-15);
        let f1 = (2.0 * 2.0 / 6.0 + 2.0 / 5.0 + 0.0) / 3.0;
        assert!((quality.macro_f1() - f1).abs() < 1e-15);
        assert!(quality.add(&[3], &[0]).is_err() && quality.add(&[0], &[]).is_err());
    }
}
