//! Technical indicators, with the conventions of TA-Lib.
//!
//! Each takes one price, or one bar, at a time, and says nothing before it has seen enough: the
//! first value comes where TA-Lib's does. The forms over whole series do the same operations in the
//! same order, so their bits are those of the form for single prices. A price that is not finite is
//! passed over: it gives no value and changes nothing. Constant prices give what the formulas give;
//! where these divide by nothing, each says what it gives.

mod average;
mod bollinger;
mod correlation;
mod macd;
mod panel;
mod range;
mod rows;
mod rsi;
mod smoothing;

pub use average::{Ema, Sma, StdDev};
pub use bollinger::{Bands, Bollinger};
pub use correlation::Correlation;
pub use macd::{Macd, MacdValue};
pub use panel::{Panel, PanelRule, PanelValue, VolumeCandle};
pub use range::{Atr, Candle};
pub use rows::{EmaRows, RsiRows};
pub use rsi::Rsi;

pub use crate::statistics::OutOfRange;
use crate::statistics::checked_window;

/// An indicator of a series.
pub trait Indicator {
    /// What it is fed with.
    type Input: Copy;
    /// What it says.
    type Output: Copy;
    /// What stands for no value in a series.
    const NONE: Self::Output;

    /// Takes the next price or bar; says its value if it has seen enough.
    fn next(&mut self, input: Self::Input) -> Option<Self::Output>;

    /// Goes on over a series: a value for each of its places, [`Indicator::NONE`] where there is
    /// none; as many as the shorter slice has.
    #[inline]
    fn series(&mut self, inputs: &[Self::Input], values: &mut [Self::Output]) {
        for (input, value) in inputs.iter().zip(values) {
            *value = self.next(*input).unwrap_or(Self::NONE);
        }
    }
}

/// A period, if it may be so.
fn checked_period(period: usize, min: usize) -> Result<usize, OutOfRange> {
    let what = "the period";
    checked_window(period, min).map_err(|error| OutOfRange { what, ..error })
}
