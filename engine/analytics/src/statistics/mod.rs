//! Statistics that are kept while numbers come: constant work for each, whatever came before.
//!
//! Nothing is allocated after a value is made. A number that is not finite is not taken: it says
//! so, and changes nothing.

mod growing;
mod matrix;
mod quantile;
mod range;
mod ring;
mod rolling;
mod rolling_pair;
mod weighted;

pub use growing::{Growing, GrowingPair};
pub use matrix::{SERIES_MAX, WeightedMatrix};
pub use quantile::Quantile;
pub use range::RollingRange;
pub use rolling::Rolling;
pub(crate) use rolling::Spread;
pub use rolling_pair::RollingPair;
pub use weighted::WeightedPair;

/// The most symbols that are kept side by side.
pub const SYMBOLS_MAX: usize = 1 << 16;
/// The most numbers that a window holds.
pub const WINDOW_MAX: usize = 1 << 20;

/// A number that is not finite.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct NotFinite(pub f64);

impl std::fmt::Display for NotFinite {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} is not a finite number: it was not taken", self.0)
    }
}

impl std::error::Error for NotFinite {}

/// A window, a period or a weight out of its range.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct OutOfRange {
    /// What it is.
    pub what: &'static str,
    /// The least that it may be.
    pub min: f64,
    /// The most.
    pub max: f64,
    /// What it was to be.
    pub given: f64,
}

impl std::fmt::Display for OutOfRange {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self {
            what,
            min,
            max,
            given,
        } = self;
        write!(f, "{what} is {given}: it must be from {min} to {max}")
    }
}

impl std::error::Error for OutOfRange {}

/// A window's length, if it may be so.
pub(crate) fn checked_window(length: usize, min: usize) -> Result<usize, OutOfRange> {
    checked_size("the window", length, min, WINDOW_MAX)
}

/// So many symbols, if there may be.
pub(crate) fn checked_symbols(symbols: usize) -> Result<usize, OutOfRange> {
    checked_size("the number of symbols", symbols, 1, SYMBOLS_MAX)
}

/// A weight of a new number, if it may be so.
fn checked_alpha(alpha: f64) -> Result<f64, OutOfRange> {
    if alpha > 0.0 && alpha <= 1.0 {
        return Ok(alpha);
    }
    Err(OutOfRange {
        what: "the weight of a new number",
        min: f64::MIN_POSITIVE,
        max: 1.0,
        given: alpha,
    })
}

fn checked_size(
    what: &'static str,
    size: usize,
    min: usize,
    max: usize,
) -> Result<usize, OutOfRange> {
    if (min..=max).contains(&size) {
        return Ok(size);
    }
    let [min, max, given] = [min, max, size].map(|size| size as f64);
    Err(OutOfRange {
        what,
        min,
        max,
        given,
    })
}

pub(crate) fn checked(x: f64) -> Result<f64, NotFinite> {
    if x.is_finite() {
        Ok(x)
    } else {
        Err(NotFinite(x))
    }
}

/// Whether both are finite: what is not, less itself, is no number. Two at a time cost as much as
/// one.
#[inline(always)]
pub(crate) fn are_finite(pair: [f64; 2]) -> bool {
    let same = pair;
    (pair[0] - same[0]) + (pair[1] - same[1]) == 0.0
}
