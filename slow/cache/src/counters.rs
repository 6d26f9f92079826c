//! What a cache did, counted.

use std::sync::atomic::{AtomicU64, Ordering};

/// What the counts say of a level that was asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Level {
    /// Lookups that it answered.
    pub hits: u64,
    /// Lookups that it passed on.
    pub misses: u64,
}

macro_rules! counters {
    ($($(#[doc = $help:literal])+ $name:ident,)+) => {
        /// What a cache did since it was made.
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
        pub struct Counters {
            $($(#[doc = $help])+ pub $name: u64,)+
        }

        /// The same while it does it.
        #[derive(Debug, Default)]
        pub(crate) struct Counts {
            $(pub(crate) $name: AtomicU64,)+
        }

        impl Counts {
            pub(crate) fn read(&self) -> Counters {
                // Relaxed: each is a figure of its own, and no other memory depends on it.
                Counters { $($name: self.$name.load(Ordering::Relaxed),)+ }
            }
        }

        impl Counters {
            /// Each with its name and what it counts.
            pub fn each(&self) -> impl Iterator<Item = (&'static str, &'static str, u64)> + use<> {
                [$((stringify!($name), concat!($($help),+), self.$name)),+].into_iter()
            }
        }
    };
}

counters! {
    /// Lookups that memory answered
    l1_hits,
    /// Lookups that memory did not answer
    l1_misses,
    /// Of these, those that took what another lookup of the same key brought
    joined,
    /// Lookups that Redis answered
    l2_hits,
    /// Lookups that Redis did not answer
    l2_misses,
    /// Lookups that waited until another process had loaded the same key
    l2_waits,
    /// Requests to Redis that failed, or took too long
    l2_errors,
    /// Values in Redis that made no sense, and were not used
    l2_damaged,
    /// Loads from below the cache
    l3_loads,
    /// Of these, those that failed
    l3_errors,
    /// Of these, those that found that there is no value
    l3_absent,
    /// Loaded values that were not kept, because something changed while they were loaded
    overtaken,
    /// Values that were not kept, because a newer version was known
    older,
    /// Values that were not kept for their size or the number of their tags
    oversized,
    /// Invalidations that this process made
    invalidations,
    /// Invalidations that Redis told this process of
    heard,
    /// Times that the link to Redis was made
    links_made,
    /// Times that it was lost, and memory emptied
    links_lost,
    /// Values that were compressed for Redis
    packed,
    /// Values that were large enough, and stayed as they were because compressing gained too little
    unpacked,
    /// Values whose compression was not tried, because it had gained too little before
    untried,
    /// Bytes of compressed values before
    packed_bytes_before,
    /// Bytes of compressed values after
    packed_bytes_after,
    /// Entries of the samples that were compared with the levels below
    checked,
    /// Of these, those that differed from a level below
    differed,
    /// Keys that were loaded before somebody asked
    warmed,
}

impl Counters {
    /// What L1 did.
    #[must_use]
    pub const fn l1(&self) -> Level {
        Level {
            hits: self.l1_hits,
            misses: self.l1_misses,
        }
    }

    /// What Redis did.
    #[must_use]
    pub const fn l2(&self) -> Level {
        Level {
            hits: self.l2_hits,
            misses: self.l2_misses,
        }
    }
}

/// One more.
pub(crate) fn count(counter: &AtomicU64) {
    add(counter, 1);
}

/// So many more.
pub(crate) fn add(counter: &AtomicU64, more: u64) {
    // Relaxed: as in `read`.
    counter.fetch_add(more, Ordering::Relaxed);
}
