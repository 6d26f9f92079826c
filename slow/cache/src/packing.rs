//! Values are compressed for Redis where that pays: it is found out by doing it, and given up for a
//! while where it gains nothing.

use crate::VALUE_BYTES_MAX;
use crate::counters::{Counts, add, count};
use std::borrow::Cow;
use std::sync::atomic::{AtomicU32, Ordering};

/// The level of zstd: values are read from a database faster than higher ones compress.
const LEVEL: i32 = 1;

/// What is left may be at most so many hundredths of what was there.
const LEFT_MAX_PERCENT: usize = 85;

/// After so many values in a row that did not get smaller, most are not tried any more.
const FAILURES_MAX: u32 = 8;

/// Then one in so many is.
const TRIED_EVERY: u32 = 64;

/// How the bytes of a value stand in Redis.
pub(crate) const RAW: u8 = 0;
/// Compressed by zstd.
pub(crate) const ZSTD: u8 = 1;

/// Decides and compresses.
#[derive(Debug)]
pub(crate) struct Packer {
    from: usize,
    /// Values in a row that did not get smaller, and those that were not tried since.
    failures: AtomicU32,
}

impl Packer {
    pub(crate) const fn new(from: usize) -> Self {
        Self {
            from,
            failures: AtomicU32::new(0),
        }
    }

    /// A value as Redis shall have it, and which of both ways that is.
    pub(crate) fn packed<'v>(&self, value: &'v [u8], counts: &Counts) -> (u8, Cow<'v, [u8]>) {
        if value.len() < self.from {
            return (RAW, value.into());
        }
        // Relaxed: a guess about values to come; two threads may both try.
        let failures = self.failures.load(Ordering::Relaxed);
        if failures >= FAILURES_MAX && !(failures - FAILURES_MAX + 1).is_multiple_of(TRIED_EVERY) {
            self.failures.fetch_add(1, Ordering::Relaxed);
            count(&counts.untried);
            return (RAW, value.into());
        }
        let packed = zstd::bulk::compress(value, LEVEL).unwrap_or_default();
        if packed.is_empty() || packed.len() > value.len() / 100 * LEFT_MAX_PERCENT {
            // It begins to count anew before it is too large to be counted.
            let next = if failures > u32::MAX / 2 {
                0
            } else {
                failures + 1
            };
            self.failures.store(next, Ordering::Relaxed);
            count(&counts.unpacked);
            return (RAW, value.into());
        }
        self.failures.store(0, Ordering::Relaxed);
        count(&counts.packed);
        add(&counts.packed_bytes_before, value.len() as u64);
        add(&counts.packed_bytes_after, packed.len() as u64);
        (ZSTD, packed.into())
    }
}

/// A value as it was; none where the bytes are not what they say.
pub(crate) fn unpacked(way: u8, bytes: &[u8]) -> Option<Vec<u8>> {
    match way {
        RAW => (bytes.len() <= VALUE_BYTES_MAX).then(|| bytes.to_vec()),
        ZSTD => {
            // What it says of its size is not believed beyond the bound.
            let size = zstd::zstd_safe::get_frame_content_size(bytes).ok()??;
            let size = usize::try_from(size).ok()?;
            let size = (size <= VALUE_BYTES_MAX).then_some(size)?;
            zstd::bulk::decompress(bytes, size).ok()
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Bytes that nothing can compress.
    fn noise(length: usize, seed: u64) -> Vec<u8> {
        let mut state = seed | 1;
        let mut next = || {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            state as u8
        };
        (0..length).map(|_| next()).collect()
    }

    #[test]
    fn what_gets_smaller_is_packed_and_comes_back() {
        let (packer, counts) = (Packer::new(100), Counts::default());
        let text = br#"{"symbol":"AAPL","price":1000000,"units":5},"#.repeat(100);
        let (way, bytes) = packer.packed(&text, &counts);
        assert!(way == ZSTD && bytes.len() < text.len() / 4);
        assert_eq!(unpacked(way, &bytes).as_deref(), Some(&text[..]));
        let (way, bytes) = packer.packed(&text[..99], &counts);
        assert_eq!((way, bytes.len()), (RAW, 99));
        let seen = counts.read();
        assert_eq!(
            (seen.packed, seen.packed_bytes_before),
            (1, text.len() as u64)
        );
    }

    #[test]
    fn noise_stays_raw_and_is_soon_not_tried() {
        let (packer, counts) = (Packer::new(100), Counts::default());
        let rounds = u64::from(FAILURES_MAX + 3 * TRIED_EVERY);
        for seed in 0..rounds {
            let value = noise(2_000, seed);
            let (way, bytes) = packer.packed(&value, &counts);
            assert_eq!((way, &*bytes), (RAW, &value[..]));
        }
        let seen = counts.read();
        assert_eq!(seen.unpacked, u64::from(FAILURES_MAX) + 3);
        assert_eq!(seen.unpacked + seen.untried, rounds);
        // One that gets smaller is found again, and then all are tried.
        let text = [b'a'; 2_000];
        let tried = (0..=TRIED_EVERY).filter(|_| packer.packed(&text, &counts).0 == ZSTD);
        assert!(tried.count() >= 1 && packer.packed(&text, &counts).0 == ZSTD);
    }

    #[test]
    fn bytes_of_others_are_refused() {
        assert_eq!(unpacked(2, b"x"), None);
        assert_eq!(unpacked(ZSTD, b"no frame"), None);
        // A frame that says it is larger than it may be.
        let bomb = zstd::bulk::compress(&vec![0; VALUE_BYTES_MAX + 1], 1).unwrap_or_default();
        assert!(bomb.len() < 10_000);
        assert_eq!(unpacked(ZSTD, &bomb), None);
        let mut cut = zstd::bulk::compress(&[7; 5_000], 1).unwrap_or_default();
        cut.truncate(cut.len() - 3);
        assert_eq!(unpacked(ZSTD, &cut), None);
    }
}
