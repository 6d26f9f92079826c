//! Strategies that come with the desk.

mod accuracy;
mod maker;
mod pairs;
mod signal;
mod triangular;

use core::fmt;

pub use accuracy::{Judge, LabelRule};
pub use maker::{Maker, MakerRule};
pub use pairs::{Pairs, PairsLeg, PairsPlan};
pub use signal::{Class, Model, Signal, SignalRule};
pub use triangular::{Triangular, TriangularRule};

/// A parameter that makes no sense.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BadParameter {
    /// Which one, as the strategy's file calls it.
    pub name: &'static str,
    /// What is wrong, and what is allowed.
    pub why: String,
}

impl BadParameter {
    fn unless(is_good: bool, name: &'static str, why: &str) -> Result<(), Self> {
        let bad = || Self {
            name,
            why: why.to_owned(),
        };
        is_good.then_some(()).ok_or_else(bad)
    }
}

impl fmt::Display for BadParameter {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}: {}", self.name, self.why)
    }
}

impl core::error::Error for BadParameter {}
