//! Benchmarks that check their answers and name their peers.
//!
//! A row is a comparison: ours and its peers do the same work, in turns, in the same run, and each
//! one's answer is checked. What counts is the ratio of the medians; the figures themselves move
//! with the machine, so a report carries the machine, the price of a cache line's way between two
//! cores before and after, and how far two runs of the same code differ (`noise`).
//!
//! Every row also runs tiny as a test.

pub mod calibration;
pub mod compare;
pub mod machine;
pub mod memory;
pub mod peers;
pub mod pieces;
pub mod random;
pub mod regimes;
pub mod report;
pub mod rows;
pub mod stats;
pub mod threads;

mod error;

pub use error::BenchError;

use std::path::PathBuf;

/// How much work a run does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Effort {
    /// Enough to check the answers: for tests.
    Tiny,
    /// Seconds.
    Quick,
    /// What is recorded.
    Full,
}

impl Effort {
    /// Chooses by effort.
    #[must_use]
    pub const fn pick(self, tiny: usize, quick: usize, full: usize) -> usize {
        match self {
            Self::Tiny => tiny,
            Self::Quick => quick,
            Self::Full => full,
        }
    }

    /// How often each subject gets its turn.
    #[must_use]
    pub const fn rounds(self) -> usize {
        self.pick(1, 3, 7)
    }
}

/// What a row may use.
#[derive(Clone, Debug)]
pub struct Options {
    /// How much work.
    pub effort: Effort,
    /// Where files may be written: on the disk to be measured.
    pub directory: PathBuf,
}

/// A row: one thing measured against its peers.
pub struct Row {
    /// What the command line calls it.
    pub name: &'static str,
    /// What it measures.
    pub about: &'static str,
    /// Runs it.
    pub run: fn(&Options) -> Result<Vec<compare::Case>, BenchError>,
}

/// All rows, in the order of the path of a packet.
pub const ROWS: &[Row] = &[
    rows::roundtrip::ROW,
    rows::packets::ROW,
    rows::venue::ROW,
    rows::ring::ROW,
    rows::matching::ROW,
    rows::risk::ROW,
    rows::leaving::ROW,
    rows::publish::ROW,
    rows::latency::ROW,
    rows::aapl::ROW,
    rows::regimes::ROW,
    rows::book::ROW,
    rows::numbers::ROW,
    rows::triangles::ROW,
    rows::desk::ROW,
    rows::cointegration::ROW,
    rows::rebalance::ROW,
    rows::portfolio::ROW,
    rows::montecarlo::ROW,
    rows::models::ROW,
    rows::journal::ROW,
    rows::durable::ROW,
];

/// Finds a row by its name; the error lists all names.
pub fn row(name: &str) -> Result<&'static Row, BenchError> {
    ROWS.iter().find(|row| row.name == name).ok_or_else(|| {
        let names: Vec<&str> = ROWS.iter().map(|row| row.name).collect();
        BenchError::Request(format!(
            "no bench is called {name:?}: there are {}",
            names.join(", ")
        ))
    })
}
