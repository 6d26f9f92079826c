//! Whether a model still lives in the world that it learnt in: whether its features are as they
//! were, and its answers as often right.

mod alarm;
mod drift;

pub use alarm::Alarm;
pub use drift::{BINS_MAX, Feature, Reference};
