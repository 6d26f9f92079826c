//! Why a bench has no figures.

use std::fmt;

/// Why a bench has no figures.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum BenchError {
    /// The command line asks for something that is not there.
    Request(String),
    /// This machine or user cannot run it: the reason.
    Skipped(String),
    /// A subject gave a wrong answer: its figures mean nothing.
    WrongAnswer(String),
    /// The other side of a pair ended first: its own error says why.
    Stopped,
    /// The other side stopped answering, or the system refused something.
    Failed(String),
}

impl BenchError {
    /// A failure of the system, with what was being done.
    pub fn failed(what: &str, error: impl fmt::Display) -> Self {
        Self::Failed(format!("{what}: {error}"))
    }
}

impl fmt::Display for BenchError {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Request(what) => write!(to, "{what}"),
            Self::Skipped(why) => write!(to, "skipped: {why}"),
            Self::WrongAnswer(what) => write!(to, "wrong answer: {what}"),
            Self::Stopped => write!(to, "the other side ended first"),
            Self::Failed(what) => write!(to, "failed: {what}"),
        }
    }
}

impl std::error::Error for BenchError {}
