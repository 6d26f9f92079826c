//! From the caller's names of connections to their slots.
//!
//! Open addressing with a fixed hash, at most half full, never walked: a name costs a probe or two,
//! and nothing depends on where it lies.

/// Slots by name.
pub(super) struct Handles {
    /// A power of two of them.
    entries: Vec<Option<(u32, u16)>>,
    shift: u32,
}

const _: () = assert!(super::CONNECTIONS_MAX <= u16::MAX as usize);

impl Handles {
    /// Room for so many names.
    pub(super) fn new(names: usize) -> Self {
        let count = (2 * names).next_power_of_two();
        Self {
            entries: vec![None; count],
            shift: u32::BITS - count.trailing_zeros(),
        }
    }

    pub(super) fn get(&self, conn: u32) -> Option<usize> {
        let (_, slot) = self.entries[self.place(conn)]?;
        Some(usize::from(slot))
    }

    /// Adds a name; there is room.
    pub(super) fn insert(&mut self, conn: u32, slot: usize) {
        let place = self.place(conn);
        self.entries[place] = Some((conn, slot as u16));
    }

    /// Takes a name out and closes the gap, so that those behind it are still found.
    pub(super) fn remove(&mut self, conn: u32) {
        let mut gap = self.place(conn);
        let mut at = gap;
        loop {
            at = self.next(at);
            let Some((other, _)) = self.entries[at].filter(|_| self.entries[gap].is_some()) else {
                break;
            };
            let mask = self.entries.len() - 1;
            let from_home = at.wrapping_sub(self.home(other)) & mask;
            if from_home >= at.wrapping_sub(gap) & mask {
                self.entries[gap] = self.entries[at];
                gap = at;
            }
        }
        self.entries[gap] = None;
    }

    /// Where a name is, or would go.
    fn place(&self, conn: u32) -> usize {
        let mut at = self.home(conn);
        while self.entries[at].is_some_and(|(other, _)| other != conn) {
            at = self.next(at);
        }
        at
    }

    /// The golden ratio spreads names that count up, and those that count in their high bits.
    const fn home(&self, conn: u32) -> usize {
        (conn.wrapping_mul(0x9E37_79B9) >> self.shift) as usize
    }

    fn next(&self, at: usize) -> usize {
        (at + 1) & (self.entries.len() - 1)
    }
}

#[cfg(test)]
mod tests {
    use super::Handles;
    use proptest::prelude::{any, prop_oneof, proptest};
    use std::collections::BTreeMap;

    proptest! {
        #[test]
        fn names_are_found_as_in_a_tree(
            names in 1..20_usize,
            steps in proptest::collection::vec(
                (prop_oneof![0..30_u32, any::<u32>()], any::<bool>()),
                1..300,
            ),
        ) {
            let (mut handles, mut tree) = (Handles::new(names), BTreeMap::new());
            for (step, (conn, is_in)) in steps.into_iter().enumerate() {
                if is_in && tree.len() < names {
                    handles.insert(conn, step);
                    tree.insert(conn, step);
                } else {
                    handles.remove(conn);
                    tree.remove(&conn);
                }
                assert_eq!(handles.get(conn), tree.get(&conn).copied());
                for (conn, slot) in &tree {
                    assert_eq!(handles.get(*conn), Some(*slot));
                }
            }
        }
    }
}
