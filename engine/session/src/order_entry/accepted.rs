//! Finding an order among those that were accepted.

/// The place of `key` among keys that grow, `of` each entry.
///
/// Most keys in a row are used: a key stands where an even share of the gaps would have it, or
/// near. A search from the middle of millions would wait for memory at each step.
pub(super) fn find<T>(all: &[T], key: u32, of: impl Fn(&T) -> u32) -> Option<usize> {
    let (first, last) = (of(all.first()?), of(all.last()?));
    let (above, below) = (key.checked_sub(first)?, last.checked_sub(key)?);
    // Keys grow by one at least, which bounds the place from both sides.
    let mut low = (all.len() - 1).saturating_sub(below as usize);
    let mut high = (above as usize).min(all.len() - 1) + 1;
    let share = u64::from(above) * (all.len() - 1) as u64 / u64::from(last - first).max(1);
    let guess = (share as usize).clamp(low, high - 1);
    let mut reach = 4;
    while low < high && reach < all.len() {
        let from = guess.saturating_sub(reach).max(low);
        let to = (guess + reach).min(high);
        if of(&all[from]) > key {
            high = from;
        } else if of(&all[to - 1]) < key {
            low = to;
        } else {
            (low, high) = (from, to);
            break;
        }
        reach *= 4;
    }
    let near = all.get(low..high)?;
    let index = near.binary_search_by_key(&key, of).ok()?;
    Some(low + index)
}

#[cfg(test)]
mod tests {
    use super::find;
    use proptest::prelude::proptest;

    proptest! {
        #[test]
        fn a_key_is_found_where_a_search_finds_it(
            gaps in proptest::collection::vec(0..40_u32, 0..400),
            first in 0..100_u32,
            key in 0..9_000_u32,
        ) {
            // Mostly none, now and then many.
            let steps = gaps.iter().map(|gap| if *gap < 30 { 1 } else { *gap * 7 });
            let keys: Vec<u32> = steps.scan(first, |at, step| {
                *at += step;
                Some(*at)
            }).collect();
            assert_eq!(find(&keys, key, |key| *key), keys.binary_search(&key).ok());
            for (index, key) in keys.iter().enumerate() {
                assert_eq!(find(&keys, *key, |key| *key), Some(index));
            }
        }
    }
}
