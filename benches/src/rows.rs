//! The rows, one file each.

pub mod journal;
pub mod matching;
pub mod regimes;
pub mod ring;
pub mod roundtrip;
