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

    /// Puts one in the oldest one's place, which it gives if the ring was full.
    #[inline(always)]
    pub(super) fn push(&mut self, one: T) -> Option<T> {
        let gone = match self.all.get_mut(self.at) {
            Some(place) => Some(core::mem::replace(place, one)),
            None => {
                self.all.push(one);
                self.inverse = 1.0 / self.all.len() as f64;
                None
            }
        };
        self.at += 1;
        if self.at == self.length {
            self.at = 0;
        }
        gone
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

    /// All of them, in no order.
    pub(super) fn all(&self) -> &[T] {
        &self.all
    }
}
