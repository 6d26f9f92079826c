//! Sets of small numbers, walked in rising order at a cost of their members alone.
//!
//! A bit for each number, and a bit for each word of them that has any: whoever looks for the next
//! member reads two words at most, however many numbers there are.

/// Numbers are below it: one word of bits says which words of bits to read.
pub(super) const PLACES_MAX: usize = WORD * WORD;

const WORD: usize = u64::BITS as usize;

const _: () = assert!(super::CONNECTIONS_MAX <= PLACES_MAX && super::MEMBERS_MAX <= PLACES_MAX);

/// A set of numbers below [`PLACES_MAX`].
pub(super) struct Places {
    words: [u64; WORD],
    /// Which words have a bit.
    groups: u64,
}

impl Places {
    pub(super) const EMPTY: Self = Self {
        words: [0; WORD],
        groups: 0,
    };

    /// Adds a number; whether it is new.
    pub(super) const fn insert(&mut self, place: usize) -> bool {
        let (group, bit) = (place / WORD, 1 << (place % WORD));
        let is_new = self.words[group] & bit == 0;
        self.words[group] |= bit;
        self.groups |= 1 << group;
        is_new
    }

    /// Takes a number out, if it is there.
    pub(super) const fn remove(&mut self, place: usize) {
        let (group, bit) = (place / WORD, 1 << (place % WORD));
        self.words[group] &= !bit;
        if self.words[group] == 0 {
            self.groups &= !(1 << group);
        }
    }

    /// Whether a number is in.
    pub(super) const fn has(&self, place: usize) -> bool {
        self.words[place / WORD] & 1 << (place % WORD) != 0
    }

    /// Adds a number or takes it out.
    pub(super) const fn put(&mut self, place: usize, is_in: bool) {
        if is_in {
            self.insert(place);
        } else {
            self.remove(place);
        }
    }

    /// The least number that is not below `at`.
    pub(super) const fn from(&self, at: usize) -> Option<usize> {
        if at >= PLACES_MAX {
            return None;
        }
        let group = at / WORD;
        let here = self.words[group] & (u64::MAX << (at % WORD));
        if here != 0 {
            return Some(group * WORD + here.trailing_zeros() as usize);
        }
        let later = self.groups >> group >> 1;
        if later == 0 {
            return None;
        }
        let next = group + 1 + later.trailing_zeros() as usize;
        Some(next * WORD + self.words[next].trailing_zeros() as usize)
    }
}

#[cfg(test)]
mod tests {
    use super::{PLACES_MAX, Places};
    use proptest::prelude::{Just, any, prop_oneof, proptest};
    use std::collections::BTreeSet;

    proptest! {
        #[test]
        fn a_set_is_what_a_tree_says(
            steps in proptest::collection::vec(
                (prop_oneof![0..PLACES_MAX, 0..130_usize, Just(PLACES_MAX - 1)], any::<bool>()),
                1..200,
            ),
            from in 0..=PLACES_MAX,
        ) {
            let (mut places, mut tree) = (Places::EMPTY, BTreeSet::new());
            for (place, is_in) in steps {
                if is_in {
                    assert_eq!(places.insert(place), tree.insert(place));
                } else {
                    places.put(place, false);
                    tree.remove(&place);
                }
                assert_eq!(places.has(place), tree.contains(&place));
                assert_eq!(places.from(from), tree.range(from..).next().copied());
            }
            let mut at = 0;
            for place in tree {
                assert_eq!(places.from(at), Some(place));
                at = place + 1;
            }
            assert_eq!(places.from(at), None);
        }
    }
}
