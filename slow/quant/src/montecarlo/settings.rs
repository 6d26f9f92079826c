//! How to simulate: where random numbers come from, what they are made in, what is taken off.

use std::sync::Arc;

use analytics::arch::{Backend, LANES};

use super::averages::Rest;
use super::construction::Construction;
use super::ends::Precision;
use super::paths::{Payoff, Tile};
use crate::fault::Fault;

/// Where random numbers come from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sampling {
    /// Each path for itself.
    Plain,
    /// Pairs of a path and its mirror image (J. Hammersley, K. Morton 1956).
    Antithetic,
    /// Pairs of paths whose first number is from the same of many equal parts: of the end of the
    /// path, with another [`Construction`] than by steps.
    Stratified,
    /// Scrambles of Sobol's points, whose means give the error: 8 to 32 are enough. Points of each
    /// are rounded up to a power of two. Dimensions beyond [`super::SOBOL_DIMENSIONS_MAX`] are
    /// random.
    Sobol {
        /// How many scrambles: 2 to 4,096.
        replicates: u32,
    },
}

/// How to simulate.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Settings {
    /// At least so many paths: up to [`super::PATHS_MAX`].
    pub paths: u64,
    /// Other seeds give other paths.
    pub seed: u64,
    /// Where random numbers come from.
    pub sampling: Sampling,
    /// In which order they make a path.
    pub construction: Construction,
    /// What they are made and summed in.
    pub precision: Precision,
    /// What to compute with; the result is the same with all.
    pub backend: Backend,
}

impl Settings {
    /// Plain sampling by steps, in `f64`, with the fastest instructions.
    #[must_use]
    pub fn new(paths: u64, seed: u64) -> Self {
        Self {
            paths,
            seed,
            sampling: Sampling::Plain,
            construction: Construction::Steps,
            precision: Precision::Double,
            backend: Backend::best(),
        }
    }
}

/// A payoff whose worth is known, to take off what it shares with another one.
#[derive(Clone, Debug)]
pub struct Control<C> {
    /// The payoff.
    pub payoff: C,
    /// What it is worth now.
    pub worth: f64,
    /// How much more than that the other may be worth, if it is known.
    pub(super) rest: Option<Arc<Rest>>,
}

impl<C> Control<C> {
    /// Of which nothing else is known than what it is worth.
    pub const fn new(payoff: C, worth: f64) -> Self {
        Self {
            payoff,
            worth,
            rest: None,
        }
    }

    /// As a [`super::Simulation`] takes it.
    #[must_use]
    pub fn as_ref(&self) -> Control<&C> {
        Control {
            payoff: &self.payoff,
            worth: self.worth,
            rest: self.rest.clone(),
        }
    }

    /// How much more than the control the other may be worth at most; infinite where that is not
    /// known. It is the error where too few samples differ from their controls to tell one, and
    /// takes as long as thousands of paths: it is found when it is asked for first.
    #[must_use]
    pub fn rest_max(&self) -> f64 {
        self.rest
            .as_ref()
            .map_or(f64::INFINITY, |rest| rest.at_most())
    }
}

/// No control.
#[derive(Clone, Copy, Debug)]
pub struct Uncontrolled;

impl Payoff for Uncontrolled {
    const LAST_ONLY: bool = true;

    fn check(&self, _: usize) -> Result<(), Fault> {
        Ok(())
    }

    fn value(&self, _: Backend, _: &Tile<'_>) -> [f64; LANES] {
        [0.0; LANES]
    }
}

/// How far a simulation is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Progress {
    /// Parts that are done.
    pub done: u64,
    /// Parts that there are.
    pub parts: u64,
}
