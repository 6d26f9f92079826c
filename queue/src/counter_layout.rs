//! Where things stand in a set of counters.
//!
//! ```text
//! byte     0  magic, layout hash, counters, histograms, process id
//! byte  4096  one entry of 128 bytes for each counter, then for each histogram:
//!             value (8) | unused (56) | name (64)
//! after them  the histograms, one after the other
//! ```

use crate::histogram;
use crate::layout::hash_of;

/// Bytes of the longest name.
pub const NAME_BYTES: usize = 64;

/// Counters or histograms of the largest set.
pub(crate) const ENTRIES_MAX: usize = 4096;

pub(crate) const MAGIC: u64 = u64::from_le_bytes(*b"wxcount1");
pub(crate) const WORD_MAGIC: usize = 0;
pub(crate) const WORD_LAYOUT: usize = 1;
pub(crate) const WORD_COUNTERS: usize = 2;
pub(crate) const WORD_HISTOGRAMS: usize = 3;
pub(crate) const WORD_PROCESS: usize = 4;
pub(crate) const WORD_ENTRIES: usize = 512;
pub(crate) const ENTRY_WORDS: usize = 16;
pub(crate) const ENTRY_NAME: usize = 8;

const _: () = assert!((ENTRY_WORDS - ENTRY_NAME) * 8 == NAME_BYTES);

pub(crate) fn name_fits(name: &str) -> bool {
    (1..=NAME_BYTES).contains(&name.len()) && name.bytes().all(|byte| byte.is_ascii_graphic())
}

pub(crate) const fn entry(index: usize) -> usize {
    WORD_ENTRIES + index * ENTRY_WORDS
}

pub(crate) const fn histogram_start(counters: usize, histograms: usize, index: usize) -> usize {
    entry(counters + histograms) + index * histogram::WORDS
}

pub(crate) const fn set_words(counters: usize, histograms: usize) -> usize {
    histogram_start(counters, histograms, histograms)
}

pub(crate) fn layout_hash() -> u64 {
    hash_of(
        "counters",
        &[WORD_ENTRIES, ENTRY_WORDS, ENTRY_NAME, histogram::WORDS],
    )
}
