//! What was read once, kept in memory and in Redis until it changes.
//!
//! Three levels: L1 is memory of this process, L2 a Redis that several processes share, L3 whatever
//! the caller loads from. [`Cache::get_or_load`] asks them in this order and leaves what it found
//! in the levels above. A change is told by [`Cache::invalidate`] and its sisters; Redis'
//! client-side tracking carries it to the L1 of every process. What was being read while it changed
//! is given to who asked, and kept nowhere. Without Redis, or while it is away, two levels work.
//! `docs/cache.md` says what is promised.
#![forbid(unsafe_code)]

mod cache;
mod check;
mod counters;
mod entry;
mod heard;
mod history;
mod link;
mod local;
mod packing;
mod pattern;
mod settings;

pub use cache::{Cache, Entry, Loaded, Reach, Stored};
pub use check::{Checked, Difference};
pub use counters::{Counters, Level};
pub use history::History;
pub use settings::{Settings, SettingsError};

/// Bytes of a key at most; what has a longer one is not kept.
pub const KEY_BYTES_MAX: usize = 1_024;

/// Bytes of a value at most, before it is packed; a larger one is not kept.
pub const VALUE_BYTES_MAX: usize = 16 << 20;

/// Tags of an entry at most, and bytes of a tag; what has more is not kept.
pub const TAGS_MAX: usize = 16;
/// See [`TAGS_MAX`].
pub const TAG_BYTES_MAX: usize = 64;

/// Bytes of a pattern at most.
pub const PATTERN_BYTES_MAX: usize = 256;

// A tag's length and their number are a byte each in what Redis keeps.
const _: () = assert!(TAGS_MAX <= u8::MAX as usize);
const _: () = assert!(TAG_BYTES_MAX <= u8::MAX as usize);
