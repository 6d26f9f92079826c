//! When each connection's clocks must be looked at next.
//!
//! A tree of minimums over the slots: its root says whether anything is due, and setting a time
//! walks up only as far as that changes a minimum. Unlike a heap it needs no search for the slot's
//! entry and leaves no stale ones.

/// One time for each slot.
pub(super) struct Deadlines {
    /// The root at 1, the children of `n` at `2n` and `2n + 1`, the slots from `leaves`.
    least_ns: Vec<u64>,
    leaves: usize,
}

impl Deadlines {
    /// Nothing is due, ever.
    pub(super) fn new(slots: usize) -> Self {
        let leaves = slots.next_power_of_two();
        Self {
            least_ns: vec![u64::MAX; 2 * leaves],
            leaves,
        }
    }

    pub(super) fn get(&self, slot: usize) -> u64 {
        self.least_ns[self.leaves + slot]
    }

    pub(super) fn set(&mut self, slot: usize, due_ns: u64) {
        let mut at = self.leaves + slot;
        self.least_ns[at] = due_ns;
        while at > 1 {
            at /= 2;
            let least_ns = self.least_ns[2 * at].min(self.least_ns[2 * at + 1]);
            if self.least_ns[at] == least_ns {
                return;
            }
            self.least_ns[at] = least_ns;
        }
    }

    /// The slot whose time came first, if any came; of equal ones the first slot.
    pub(super) fn first(&self, now_ns: u64) -> Option<usize> {
        let least_ns = self.least_ns[1];
        if least_ns > now_ns {
            return None;
        }
        let mut at = 1;
        while at < self.leaves {
            at *= 2;
            at += usize::from(self.least_ns[at] != least_ns);
        }
        Some(at - self.leaves)
    }
}

#[cfg(test)]
mod tests {
    use super::Deadlines;
    use proptest::prelude::proptest;

    proptest! {
        #[test]
        fn the_first_is_what_a_scan_finds(
            slots in 1..70_usize,
            steps in proptest::collection::vec((0..70_usize, 0..40_u64), 1..200),
            now_ns in 0..40_u64,
        ) {
            let (mut deadlines, mut plain) = (Deadlines::new(slots), vec![u64::MAX; slots]);
            for (slot, due_ns) in steps {
                deadlines.set(slot % slots, due_ns);
                plain[slot % slots] = due_ns;
                let first = (0..slots).min_by_key(|slot| plain[*slot]);
                let due = first.filter(|slot| plain[*slot] <= now_ns);
                assert_eq!(deadlines.first(now_ns), due);
                assert_eq!(deadlines.get(slot % slots), due_ns);
            }
        }
    }
}
