//! Least and greatest of the last numbers: queues of those that nothing later has beaten, so that
//! each number enters and leaves each of them once.

use super::{NotFinite, OutOfRange, checked, checked_window};

/// Least and greatest of the last numbers.
#[derive(Clone, Debug, PartialEq)]
pub struct RollingRange {
    length: usize,
    count: u64,
    least: Unbeaten,
    greatest: Unbeaten,
}

/// Numbers of which each is greater than all later ones, with their places in the series.
#[derive(Clone, Debug, PartialEq)]
struct Unbeaten {
    ring: Vec<(u64, f64)>,
    first: usize,
    count: usize,
}

impl Unbeaten {
    fn new(length: usize) -> Self {
        Self {
            ring: vec![(0, 0.0); length],
            first: 0,
            count: 0,
        }
    }

    fn place(&self, at: usize) -> usize {
        let at = self.first + at;
        if at < self.ring.len() {
            at
        } else {
            at - self.ring.len()
        }
    }

    fn push(&mut self, number: u64, x: f64) {
        let oldest = number + 1 - (self.ring.len() as u64).min(number + 1);
        if self.count > 0 && self.ring[self.first].0 < oldest {
            self.first = self.place(1);
            self.count -= 1;
        }
        while self.count > 0 && self.ring[self.place(self.count - 1)].1 <= x {
            self.count -= 1;
        }
        let place = self.place(self.count);
        self.ring[place] = (number, x);
        self.count += 1;
    }

    fn greatest(&self) -> Option<f64> {
        (self.count > 0).then(|| self.ring[self.first].1)
    }
}

impl RollingRange {
    /// A window of so many numbers.
    ///
    /// # Errors
    /// None, or more than [`WINDOW_MAX`](super::WINDOW_MAX).
    pub fn new(length: usize) -> Result<Self, OutOfRange> {
        let length = checked_window(length, 1)?;
        Ok(Self {
            length,
            count: 0,
            least: Unbeaten::new(length),
            greatest: Unbeaten::new(length),
        })
    }

    /// Takes a number, for the oldest one if the window is full.
    ///
    /// # Errors
    /// It is not finite.
    pub fn push(&mut self, x: f64) -> Result<(), NotFinite> {
        let x = checked(x)?;
        self.greatest.push(self.count, x);
        self.least.push(self.count, -x);
        self.count += 1;
        Ok(())
    }

    /// Whether as many numbers came as the window holds.
    #[must_use]
    pub fn is_full(&self) -> bool {
        self.count >= self.length as u64
    }

    /// The least of the last numbers, `None` of none.
    #[must_use]
    pub fn min(&self) -> Option<f64> {
        self.least.greatest().map(|x| -x)
    }

    /// The greatest of them.
    #[must_use]
    pub fn max(&self) -> Option<f64> {
        self.greatest.greatest()
    }
}
