//! A heap of what ends at a time, the next one at hand.
//!
//! Adding, taking out and moving an entry costs as many steps as the number of entries has bits,
//! whatever the times. What is in it knows its place, so that it is taken out without a search.

use crate::memory::cleared;

/// Things that end at a time, by their numbers.
pub(crate) trait Timed {
    /// When one ends; then what decides between two that end at once.
    fn key(&self, one: u32) -> (u64, u64);
    /// Where it keeps its place in the heap.
    fn place(&mut self, one: u32) -> &mut u32;
}

/// The numbers of those that end, by their keys.
pub(crate) struct Heap<'m> {
    pub(crate) all: &'m mut [u32],
    pub(crate) len: usize,
    /// The earliest time, the greatest number if there is none.
    pub(crate) next_ns: u64,
}

impl<'m> Heap<'m> {
    /// Room for as many as there are entries.
    pub(crate) fn new(all: &'m mut [u32]) -> Self {
        Self {
            all,
            len: 0,
            next_ns: u64::MAX,
        }
    }

    /// Forgets all of them.
    pub(crate) fn clear(&mut self) {
        *self = Self::new(cleared(&mut self.all));
    }

    /// The next one that ends by a time, if there is one.
    pub(crate) fn due(&self, time_ns: u64) -> Option<u32> {
        let first = self.all[..self.len].first().copied();
        first.filter(|_| self.next_ns <= time_ns)
    }

    /// Adds one, whose key is set.
    pub(crate) fn add(&mut self, keys: &mut impl Timed, one: u32) {
        self.all[self.len] = one;
        self.len += 1;
        self.rise(keys, self.len - 1);
        self.look(keys);
    }

    /// Takes one out.
    pub(crate) fn remove(&mut self, keys: &mut impl Timed, one: u32) {
        let at = *keys.place(one) as usize;
        assert!(
            at < self.len && self.all[at] == one,
            "what ends is not in its heap"
        );
        self.len -= 1;
        if at < self.len {
            self.all[at] = self.all[self.len];
            self.rise(keys, at);
            let at = *keys.place(self.all[at]) as usize;
            self.sink(keys, at);
        }
        self.look(keys);
    }

    /// Puts one whose key is greater than before where it belongs now.
    pub(crate) fn delay(&mut self, keys: &mut impl Timed, one: u32) {
        let at = *keys.place(one) as usize;
        self.sink(keys, at);
        self.look(keys);
    }

    /// Moves an entry up to where it belongs.
    fn rise(&mut self, keys: &mut impl Timed, mut at: usize) {
        let one = self.all[at];
        while at > 0 && keys.key(one) < keys.key(self.all[(at - 1) / 2]) {
            self.put(keys, at, self.all[(at - 1) / 2]);
            at = (at - 1) / 2;
        }
        self.put(keys, at, one);
    }

    /// Moves an entry down to where it belongs.
    fn sink(&mut self, keys: &mut impl Timed, mut at: usize) {
        let one = self.all[at];
        loop {
            let children = 2 * at + 1..(2 * at + 3).min(self.len);
            let least = children.min_by_key(|child| keys.key(self.all[*child]));
            match least.filter(|child| keys.key(self.all[*child]) < keys.key(one)) {
                Some(child) => {
                    self.put(keys, at, self.all[child]);
                    at = child;
                }
                None => break,
            }
        }
        self.put(keys, at, one);
    }

    fn put(&mut self, keys: &mut impl Timed, at: usize, one: u32) {
        self.all[at] = one;
        *keys.place(one) = at as u32;
    }

    fn look(&mut self, keys: &impl Timed) {
        let first = self.all[..self.len].first();
        self.next_ns = first.map_or(u64::MAX, |one| keys.key(*one).0);
    }
}
