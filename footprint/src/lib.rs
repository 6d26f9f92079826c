//! What a process takes of the machine, most of all of its memory, told by itself.
//!
//! A confined process reaches no `/proc` any more, and of another user's process it may not be
//! asked how much lies on huge pages. So each process opens its own files there before its walls
//! are up ([`Source`]), and a thread of its own reads them again and again and writes what they say
//! into a page of shared memory ([`Teller`]), which whoever may read the folder reads ([`read`]).
#![forbid(unsafe_code)]

mod figures;
mod page;
mod source;

pub use figures::{Area, FIGURES, Figure, Footprint};
pub use page::{EVERY, FILE, Seen, Teller, Telling, read};
pub use source::{Machine, Source};

/// Held by a test that takes and gives back much memory: one at a time.
#[cfg(test)]
static ALONE: std::sync::Mutex<()> = std::sync::Mutex::new(());
