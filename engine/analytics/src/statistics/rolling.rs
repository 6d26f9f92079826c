//! Mean and variance of the last numbers.
//!
//! Sums of differences from an anchor, to which the new number is added and from which the oldest
//! is taken. What that rounds away would stay for ever: so with each turn of the window sums are
//! made anew beside them, of its new numbers alone and from a better anchor, and take their place
//! when the turn ends; the work for each number is always the same. Only when a number leaves that
//! was so great, or the mean is so far from the anchor, that the sums have lost digits of the
//! others, all numbers are summed up again: for a series of outliers, each of which is a hundredth
//! of the one before, that is each time.

use super::ring::Ring;
use super::{NotFinite, OutOfRange, checked};

/// What is so many times the numbers' squared differences, squared itself, has cost them digits.
pub(super) const OUTLIER: f64 = 1e4;

/// A number of the whole window and one of this turn alone, in a register.
type Both = [f64; 2];

/// Mean, variance and z-score of the last numbers.
#[derive(Clone, Debug, PartialEq)]
pub struct Rolling {
    ring: Ring<f64>,
    sums: Sums,
}

/// Sums of differences from anchors: of all numbers, and of those of this turn.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
#[repr(align(16))]
struct Sums {
    anchors: Both,
    sums: Both,
    squares: Both,
}

/// Where numbers are, and how far apart.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Spread {
    /// Their mean.
    pub(crate) mean: f64,
    /// The sum of squared differences from it.
    pub(crate) squares: f64,
}

impl Sums {
    fn from(anchor: f64) -> Self {
        Self {
            anchors: [anchor; 2],
            ..Self::default()
        }
    }

    /// Adds a number to both, and takes one off those of the window: by how much it differed, and
    /// that squared.
    #[inline(always)]
    fn add(&mut self, x: f64, [gone, gone_squared]: [f64; 2]) {
        let [all, turn] = self.anchors.map(|anchor| x - anchor);
        self.sums[0] += all - gone;
        self.sums[1] += turn;
        self.squares[0] += all * all - gone_squared;
        self.squares[1] += turn * turn;
    }

    /// Says where all numbers are, each of which is `inverse` of them, and whether a square so
    /// great has cost the sums digits.
    #[inline(always)]
    fn spread(&self, gone_squared: f64, inverse: f64) -> (Spread, bool) {
        let [sum, _] = self.sums;
        let far = sum * sum * inverse;
        let squares = self.squares[0] - far;
        let greatest = if gone_squared > far {
            gone_squared
        } else {
            far
        };
        let spread = Spread {
            mean: self.anchors[0] + sum * inverse,
            squares: if squares < 0.0 { 0.0 } else { squares },
        };
        (spread, greatest > OUTLIER * squares)
    }
}

impl Rolling {
    /// A window of so many numbers.
    ///
    /// # Errors
    /// None, or more than [`WINDOW_MAX`](super::WINDOW_MAX).
    pub fn new(length: usize) -> Result<Self, OutOfRange> {
        Ok(Self {
            ring: Ring::new(length)?,
            sums: Sums::default(),
        })
    }

    /// Takes a number, for the oldest one if the window is full.
    ///
    /// # Errors
    /// It is not finite.
    #[inline]
    pub fn push(&mut self, x: f64) -> Result<(), NotFinite> {
        self.push_finite(checked(x)?);
        Ok(())
    }

    /// Takes a number that is finite; says where all of them are now.
    #[inline(always)]
    pub(crate) fn push_finite(&mut self, x: f64) -> Spread {
        let Some(gone) = self.ring.replace(x) else {
            return self.grow(x);
        };
        let gone = gone - self.sums.anchors[0];
        self.sums.add(x, [gone, gone * gone]);
        let (spread, is_worn) = self.sums.spread(gone * gone, self.ring.inverse);
        if is_worn | self.ring.is_turned() {
            return self.settle(is_worn);
        }
        spread
    }

    /// Takes a number for which there is room.
    #[cold]
    fn grow(&mut self, x: f64) -> Spread {
        if self.ring.all().is_empty() {
            self.sums = Sums::from(x);
        }
        self.ring.grow(x);
        self.sums.add(x, [0.0; 2]);
        self.settle(false)
    }

    /// At the end of a turn its sums are those of all numbers; worn ones are made anew.
    #[inline(never)]
    fn settle(&mut self, mut is_worn: bool) -> Spread {
        if self.ring.is_turned() {
            let mean = self.spread().mean;
            let of_turn = |both: &mut Both, next: f64| *both = [both[1], next];
            of_turn(&mut self.sums.anchors, mean);
            of_turn(&mut self.sums.sums, 0.0);
            of_turn(&mut self.sums.squares, 0.0);
            is_worn |= self.sums.spread(0.0, self.ring.inverse).1;
        }
        if is_worn {
            self.refresh();
        }
        self.spread()
    }

    #[inline(always)]
    fn spread(&self) -> Spread {
        self.sums.spread(0.0, self.ring.inverse).0
    }

    /// Makes the sums anew.
    #[cold]
    fn refresh(&mut self) {
        let [anchor, _] = self.sums.anchors;
        let sum: f64 = self.ring.all().iter().map(|x| x - anchor).sum();
        let anchor = anchor + sum * self.ring.inverse;
        let of = |numbers: &[f64]| {
            let mut sums = Sums::from(anchor);
            numbers.iter().for_each(|x| sums.add(*x, [0.0; 2]));
            sums
        };
        let (all, turn) = (of(self.ring.all()), of(self.ring.of_this_turn()));
        self.sums = all;
        (self.sums.sums[1], self.sums.squares[1]) = (turn.sums[1], turn.squares[1]);
    }

    /// Whether as many numbers came as the window holds.
    #[inline]
    #[must_use]
    pub fn is_full(&self) -> bool {
        self.ring.is_full()
    }

    /// How many numbers there are.
    #[must_use]
    pub fn count(&self) -> usize {
        self.ring.all().len()
    }

    /// Their mean, 0 of none.
    #[inline]
    #[must_use]
    pub fn mean(&self) -> f64 {
        self.spread().mean
    }

    /// Their variance, the sum divided by `count - ddof`; `None` unless that is positive.
    #[inline]
    #[must_use]
    pub fn variance(&self, ddof: usize) -> Option<f64> {
        let count = self.ring.all().len();
        let Spread { squares, .. } = self.spread();
        (count > ddof).then(|| {
            if ddof == 0 {
                squares * self.inverse()
            } else {
                squares / (count - ddof) as f64
            }
        })
    }

    /// 1 by how many there are.
    #[inline(always)]
    pub(crate) fn inverse(&self) -> f64 {
        self.ring.inverse
    }

    /// How many standard deviations the newest number is from the mean; `None` if all are the
    /// same, or too few.
    #[must_use]
    pub fn z_score(&self, ddof: usize) -> Option<f64> {
        let deviation = self.variance(ddof)?.sqrt();
        let newest = self.ring.newest()?;
        (deviation > 0.0).then(|| (newest - self.mean()) / deviation)
    }
}
