//! What a memory could do that knows the future.

use std::collections::BinaryHeap;

/// Hits of it: of what is held, what is used last goes first (Belady, 1966). Keys are numbers below
/// `keys`, of which `held` have a place; what is not asked for again takes none.
pub fn best(trace: &[u32], keys: usize, held_max: usize) -> usize {
    const NEVER: usize = usize::MAX;
    let mut next = vec![NEVER; trace.len()];
    let mut last = vec![NEVER; keys];
    for (at, key) in trace.iter().enumerate().rev() {
        next[at] = last[*key as usize];
        last[*key as usize] = at;
    }
    // Where each held key is used next; those that are not used again need no place.
    let mut held = vec![NEVER; keys];
    let mut furthest = BinaryHeap::new();
    let (mut count, mut hits) = (0, 0);
    for (at, key) in trace.iter().enumerate() {
        let place = &mut held[*key as usize];
        if *place == at {
            hits += 1;
            count -= 1;
        }
        *place = next[at];
        if next[at] == NEVER {
            continue;
        }
        count += 1;
        furthest.push((next[at], *key));
        while count > held_max {
            let Some((used_at, gone)) = furthest.pop() else {
                break;
            };
            // What was used meanwhile stands in the heap again.
            if held[gone as usize] == used_at {
                held[gone as usize] = NEVER;
                count -= 1;
            }
        }
    }
    hits
}
