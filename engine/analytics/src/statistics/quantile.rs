//! A quantile of all numbers so far from five markers (the P-square algorithm of Jain and Chlamtac,
//! Communications of the ACM 28, 1985): an estimate, in constant space.

use super::{NotFinite, OutOfRange, checked};

const MARKERS: usize = 5;

/// An estimate of a quantile of all numbers so far.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Quantile {
    wanted: f64,
    count: u64,
    heights: [f64; MARKERS],
    /// How many numbers are at or below each marker, and how many there should be.
    places: [f64; MARKERS],
    goals: [f64; MARKERS],
}

impl Quantile {
    /// Of 0.5 it is the median.
    ///
    /// # Errors
    /// It is not between 0 and 1.
    pub fn new(wanted: f64) -> Result<Self, OutOfRange> {
        if !(wanted > 0.0 && wanted < 1.0) {
            return Err(OutOfRange {
                what: "the quantile",
                min: f64::MIN_POSITIVE,
                max: 1.0f64.next_down(),
                given: wanted,
            });
        }
        Ok(Self {
            wanted,
            count: 0,
            heights: [0.0; MARKERS],
            places: [1.0, 2.0, 3.0, 4.0, 5.0],
            goals: [
                1.0,
                1.0 + 2.0 * wanted,
                1.0 + 4.0 * wanted,
                3.0 + 2.0 * wanted,
                5.0,
            ],
        })
    }

    /// Takes a number.
    ///
    /// # Errors
    /// It is not finite.
    pub fn push(&mut self, x: f64) -> Result<(), NotFinite> {
        let x = checked(x)?;
        if let Some(place) = self.heights.get_mut(self.count as usize) {
            *place = x;
            self.count += 1;
            let known = self.count as usize;
            self.heights[..known].sort_by(f64::total_cmp);
            return Ok(());
        }
        self.count += 1;
        let [least, .., greatest] = &mut self.heights;
        *least = least.min(x);
        *greatest = greatest.max(x);
        let inner = &self.heights[1..MARKERS - 1];
        let cell = inner.iter().take_while(|height| **height <= x).count();
        self.places[cell + 1..]
            .iter_mut()
            .for_each(|place| *place += 1.0);
        let half = self.wanted / 2.0;
        let steps = [0.0, half, self.wanted, 0.5 + half, 1.0];
        for (goal, step) in self.goals.iter_mut().zip(steps) {
            *goal += step;
        }
        (1..MARKERS - 1).for_each(|marker| self.settle(marker));
        Ok(())
    }

    /// Moves an inner marker by one place towards its goal.
    fn settle(&mut self, at: usize) {
        let (below, here, above) = (self.places[at - 1], self.places[at], self.places[at + 1]);
        let lack = self.goals[at] - here;
        let step = if lack >= 1.0 && above - here > 1.0 {
            1.0
        } else if lack <= -1.0 && below - here < -1.0 {
            -1.0
        } else {
            return;
        };
        let [low, height, high] = [-1, 0, 1].map(|by| self.heights[at.wrapping_add_signed(by)]);
        let up = (here - below + step) * (high - height) / (above - here);
        let down = (above - here - step) * (height - low) / (here - below);
        let curved = height + step / (above - below) * (up + down);
        self.heights[at] = if low < curved && curved < high {
            curved
        } else if step > 0.0 {
            height + (high - height) / (above - here)
        } else {
            height - (low - height) / (below - here)
        };
        self.places[at] += step;
    }

    /// The estimate, `None` of none; of up to five numbers one of them.
    #[must_use]
    pub fn value(&self) -> Option<f64> {
        let known = (self.count as usize).min(MARKERS);
        if self.count > MARKERS as u64 {
            return Some(self.heights[MARKERS / 2]);
        }
        let at = ((known as f64 * self.wanted).ceil() as usize).clamp(1, known.max(1)) - 1;
        self.heights[..known].get(at).copied()
    }
}
