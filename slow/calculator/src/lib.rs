//! What the crates `quant` and `scale` compute, of tables and recorded markets: reads them, asks,
//! and shows answers as text, JSON or a picture.
#![forbid(unsafe_code)]

mod answer;
mod ask;
mod asked;
mod check;
mod constraints;
mod entered;
mod features;
mod forecast;
mod market;
mod picture;
mod portfolio;
mod predict;
mod program;
mod pruned;
mod rebalance;
mod registry;
mod risk;
mod rows;
mod scale;
mod sheet;
mod simulate;
mod table;
mod train;
mod views;
mod watch;
mod worth;

pub use ask::{ASKED, Parameter, Unanswered, ask, parameters};
pub use program::main;
pub use watch::Stop;

use std::error::Error;
use std::fmt::{self, Display, Formatter};

/// Why there is no answer, with the file and place if it has one.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Refused(String);

impl Display for Refused {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl Error for Refused {}

impl From<quant::Fault> for Refused {
    fn from(fault: quant::Fault) -> Self {
        Self(fault.to_string())
    }
}

impl From<quant::portfolio::Unsolved> for Refused {
    fn from(why: quant::portfolio::Unsolved) -> Self {
        Self(why.to_string())
    }
}
