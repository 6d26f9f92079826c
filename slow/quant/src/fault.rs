//! What is wrong with an input.

use std::error::Error;
use std::fmt::{self, Display, Formatter};

/// Numbers further from 0 are refused: their squares and cubes must not overflow.
pub const MAGNITUDE_MAX: f64 = 1e100;

/// Why there is no answer. `what` is the argument's name.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Fault {
    /// Fewer numbers than the computation needs.
    TooShort {
        /// Of which argument.
        what: &'static str,
        /// How many there are.
        found: usize,
        /// How many there must be.
        needed: usize,
    },
    /// Two arguments that go together differ in length.
    Lengths {
        /// Of which argument.
        what: &'static str,
        /// How many there are.
        found: usize,
        /// How many there must be.
        wanted: usize,
    },
    /// NaN, infinite, or beyond [`MAGNITUDE_MAX`].
    NotFinite {
        /// In which argument.
        what: &'static str,
        /// Where, from 0.
        place: usize,
    },
    /// All numbers are the same where they must differ.
    Constant {
        /// Which argument.
        what: &'static str,
    },
    /// Columns of a regression, or assets, of which one follows from the others.
    Collinear {
        /// The computation.
        what: &'static str,
        /// Which of its columns, from 0.
        column: usize,
    },
    /// A regression that leaves no residual, so that nothing can be said of one.
    Exact {
        /// The computation.
        what: &'static str,
    },
    /// A search that did not end: the input is degenerate.
    Unsettled {
        /// The computation.
        what: &'static str,
        /// How many steps it took.
        steps: usize,
    },
    /// Arguments of which one is for others than the one it came with.
    Unfit {
        /// Which argument.
        what: &'static str,
        /// What it is for.
        wanted: &'static str,
    },
    /// An argument that is outside its limits.
    Outside {
        /// Which argument.
        what: &'static str,
        /// What it is.
        found: f64,
        /// The least that it may be.
        least: f64,
        /// The most that it may be.
        most: f64,
    },
}

impl Display for Fault {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooShort {
                what,
                found,
                needed,
            } => write!(f, "{what}: {found} numbers, at least {needed} are needed"),
            Self::Lengths {
                what,
                found,
                wanted,
            } => write!(f, "{what}: {found} numbers beside {wanted}"),
            Self::NotFinite { what, place } => {
                let most = MAGNITUDE_MAX;
                write!(
                    f,
                    "{what}[{place}]: no number up to {most:e}; leave out what is missing"
                )
            }
            Self::Constant { what } => write!(f, "{what}: all numbers are the same"),
            Self::Collinear { what, column } => {
                write!(f, "{what}: column {column} follows from those before it")
            }
            Self::Exact { what } => write!(f, "{what}: the regression leaves no residual"),
            Self::Unfit { what, wanted } => write!(f, "{what}: is for {wanted}"),
            Self::Unsettled { what, steps } => write!(f, "{what}: no end after {steps} steps"),
            Self::Outside {
                what,
                found,
                least,
                most,
            } => {
                let positive = *least == f64::MIN_POSITIVE;
                write!(f, "{what}: {found} is not ")?;
                match (*least, *most) {
                    (f64::MIN, most) => write!(f, "at most {most}"),
                    (_, f64::MAX) if positive => write!(f, "above 0"),
                    (least, f64::MAX) => write!(f, "at least {least}"),
                    (least, most) => write!(f, "between {least} and {most}"),
                }
            }
        }
    }
}

impl Error for Fault {}

/// Refuses a series that is too short, or has a number that is none.
pub(crate) fn series(what: &'static str, xs: &[f64], needed: usize) -> Result<(), Fault> {
    let bad = |x: &f64| x.is_nan() || x.abs() > MAGNITUDE_MAX;
    if let Some(place) = xs.iter().position(bad) {
        return Err(Fault::NotFinite { what, place });
    }
    if xs.len() < needed {
        return Err(Fault::TooShort {
            what,
            found: xs.len(),
            needed,
        });
    }
    Ok(())
}

/// Refuses what is not as long as something else.
pub(crate) fn same_length(what: &'static str, found: usize, wanted: usize) -> Result<(), Fault> {
    if found == wanted {
        return Ok(());
    }
    Err(Fault::Lengths {
        what,
        found,
        wanted,
    })
}

/// Refuses a series that never moves.
pub(crate) fn moving(what: &'static str, xs: &[f64]) -> Result<(), Fault> {
    if xs.windows(2).any(|pair| pair[0] != pair[1]) {
        return Ok(());
    }
    Err(Fault::Constant { what })
}

/// Refuses a number outside its limits, and what is no number.
pub(crate) fn within(what: &'static str, found: f64, least: f64, most: f64) -> Result<(), Fault> {
    if (least..=most).contains(&found) {
        return Ok(());
    }
    Err(Fault::Outside {
        what,
        found,
        least,
        most,
    })
}
