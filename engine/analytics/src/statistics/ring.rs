//! The last so many things.

use super::{OutOfRange, checked_window};

/// The last so many things, in a ring.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Ring<T> {
    all: Vec<T>,
    length: usize,
    /// Where the next one goes.
    at: usize,
    /// 1 by how many there are: a division takes as long as all else.
    pub(super) inverse: f64,
}

impl<T: Copy> Ring<T> {
    pub(super) fn new(length: usize) -> Result<Self, OutOfRange> {
        let length = checked_window(length, 1)?;
        Ok(Self {
            all: Vec::with_capacity(length),
            length,
            at: 0,
            inverse: 0.0,
        })
    }

    /// Puts one in the oldest one's place, which it gives; changes nothing if the ring is not full.
    #[inline(always)]
    pub(super) fn replace(&mut self, one: T) -> Option<T> {
        let place = self.all.get_mut(self.at)?;
        let gone = core::mem::replace(place, one);
        self.step();
        Some(gone)
    }

    /// Adds one to a ring that is not full.
    pub(super) fn grow(&mut self, one: T) {
        self.all.push(one);
        self.inverse = 1.0 / self.all.len() as f64;
        self.step();
    }

    #[inline(always)]
    fn step(&mut self) {
        self.at += 1;
        if self.at == self.length {
            self.at = 0;
        }
    }

    /// Whether a turn of the ring ended with the newest one.
    #[inline]
    pub(super) fn is_turned(&self) -> bool {
        self.at == 0
    }

    #[inline]
    pub(super) fn is_full(&self) -> bool {
        self.all.len() == self.length
    }

    pub(super) fn newest(&self) -> Option<&T> {
        let at = self.at.checked_sub(1).unwrap_or(self.length - 1);
        self.all.get(at)
    }

    /// Those that came since a turn ended.
    pub(super) fn of_this_turn(&self) -> &[T] {
        &self.all[..self.at]
    }

    /// All of them, in no order.
    pub(super) fn all(&self) -> &[T] {
        &self.all
    }
}
