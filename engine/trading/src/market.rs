//! What a market says, whichever venue says it: one type of event for every feed.
//!
//! Prices and quantities are whole numbers: how many ticks and lots, exact, and cheap to compare.
//! What a tick and a lot are is said once, by the [`Instrument`].

use core::fmt;

use analytics::book::Standing;
use wire::ring::Side;

/// One thing that happened on a market.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Event {
    /// When it happened by the venue's clock, in ns. Where the venue says no time, the latest that
    /// its feed told before, and 0 before any. Streams of a venue overtake each other, and so it
    /// may fall from one event to the next.
    pub event_ns: u64,
    /// When it came in by our clock, in ns. The two clocks may differ by more than the way took.
    pub received_ns: u64,
    /// The dense number, from 0, of an instrument on a venue.
    pub symbol: u32,
    /// What happened.
    pub what: What,
}

/// What happened. A change that takes several levels is told level by level, and between them the
/// book is no market that ever was: [`What::End`] says when it is one again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum What {
    /// So much stands at a price now.
    Level {
        /// Whose.
        side: Side,
        /// In ticks.
        price: i64,
        /// In lots; 0 for nothing.
        quantity: u64,
    },
    /// The best prices, from a stream of their own that runs beside the levels, often ahead.
    Quote {
        /// The best bid.
        bid: Standing,
        /// The best offer.
        offer: Standing,
    },
    /// A trade.
    Trade {
        /// In ticks.
        price: i64,
        /// In lots.
        quantity: u64,
        /// The side that arrived and traded, where the venue says it.
        aggressor: Option<Side>,
    },
    /// All levels and quotes told so far are void.
    Clear,
    /// All that belongs together has been told: the book may be acted upon.
    End,
}

/// What is traded where, and in which steps.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Instrument {
    /// The venue's name of it, such as `ETHUSDT`.
    pub name: String,
    /// The venue, such as `binance-spot`.
    pub venue: String,
    /// What a price of one is.
    pub tick: Step,
    /// What a quantity of one is.
    pub lot: Step,
}

/// A decimal step: `units` / 10^`decimals`. Half a cent is 5 units with 3 decimals.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Step {
    units: u32,
    decimals: u8,
}

/// The most decimals of a [`Step`].
pub const DECIMALS_MAX: u8 = 12;

// Powers of ten up to the limit, and any `units` multiplied by one, are far inside of i128.
const _: () = assert!(10_i128.pow(DECIMALS_MAX as u32) < i64::MAX as i128);

/// Why a decimal number is not so many steps.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NotSteps {
    /// It is no decimal number of digits, with at most one point and one minus.
    Number,
    /// It lies between two multiples of the step.
    Between,
    /// It has more steps than 63 bits count.
    TooMany,
}

impl fmt::Display for NotSteps {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(match self {
            Self::Number => "is no decimal number",
            Self::Between => "is no multiple of the step",
            Self::TooMany => "has more steps than 63 bits count",
        })
    }
}

impl Step {
    /// A step of one.
    pub const ONE: Self = Self {
        units: 1,
        decimals: 0,
    };

    /// The step of `units` / 10^`decimals`; `None` for no units or decimals beyond
    /// [`DECIMALS_MAX`].
    #[must_use]
    pub const fn new(units: u32, decimals: u8) -> Option<Self> {
        if units == 0 || decimals > DECIMALS_MAX {
            return None;
        }
        Some(Self { units, decimals })
    }

    /// The step that a text such as `0.25` names; `None` where it names none, also for trailing
    /// zeros beyond [`DECIMALS_MAX`] decimals.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let decimals = text.split_once('.').map_or(0, |(_, after)| after.len());
        let decimals = u8::try_from(decimals).ok()?;
        let unit = Self::new(1, decimals)?;
        let units = u32::try_from(unit.count(text.as_bytes()).ok()?).ok()?;
        Self::new(units, decimals)
    }

    /// The numerator.
    #[must_use]
    pub const fn units(self) -> u32 {
        self.units
    }

    /// The decimals.
    #[must_use]
    pub const fn decimals(self) -> u8 {
        self.decimals
    }

    /// What one step is as a float: for display and statistics, never for money.
    #[must_use]
    pub fn value(self) -> f64 {
        f64::from(self.units) / 10_f64.powi(i32::from(self.decimals))
    }

    /// How many steps a decimal text is, exactly.
    ///
    /// # Errors
    /// [`NotSteps`].
    pub fn count(self, text: &[u8]) -> Result<i64, NotSteps> {
        let (negative, digits) = match text.split_first() {
            Some((b'-', digits)) => (true, digits),
            _ => (false, text),
        };
        let (mantissa, decimals) = mantissa(digits)?;
        let count = self.steps(mantissa, decimals)?;
        Ok(if negative { -count } else { count })
    }

    /// How many steps `mantissa` / 10^`decimals` is, exactly.
    ///
    /// # Errors
    /// [`NotSteps::Between`] and [`NotSteps::TooMany`].
    pub fn steps(self, mantissa: i64, decimals: u8) -> Result<i64, NotSteps> {
        let (up, down) = match self.decimals.checked_sub(decimals) {
            Some(up) => (up, 0),
            None => (0, decimals - self.decimals),
        };
        // What i128 does not hold is beyond any number of steps.
        let ten = |exponent: u8| 10_i128.checked_pow(exponent.into());
        let scaled = ten(up).and_then(|ten| i128::from(mantissa).checked_mul(ten));
        let step = ten(down).and_then(|ten| i128::from(self.units).checked_mul(ten));
        let (Some(scaled), Some(step)) = (scaled, step) else {
            return Err(NotSteps::TooMany);
        };
        if scaled % step != 0 {
            return Err(NotSteps::Between);
        }
        i64::try_from(scaled / step).map_err(|_| NotSteps::TooMany)
    }

    /// `count` steps as a decimal number that prints exactly.
    #[must_use]
    pub const fn times(self, count: i64) -> Decimal {
        Decimal {
            units: count as i128 * self.units as i128,
            decimals: self.decimals,
        }
    }
}

/// The digits of a number without its point, and how many stood behind it; zeros at the end count
/// for nothing, so that venues may write as many as they like.
fn mantissa(digits: &[u8]) -> Result<(i64, u8), NotSteps> {
    let mut mantissa: i64 = 0;
    let mut decimals: u8 = 0;
    let (mut seen, mut point, mut zeros) = (false, false, 0_u8);
    for &byte in digits {
        match byte {
            b'.' if !point => point = true,
            b'0' if point => {
                seen = true;
                zeros = zeros.checked_add(1).ok_or(NotSteps::Number)?;
            }
            b'0'..=b'9' => {
                seen = true;
                for _ in 0..zeros {
                    mantissa = mantissa.checked_mul(10).ok_or(NotSteps::TooMany)?;
                }
                let more = mantissa.checked_mul(10);
                let more = more.and_then(|it| it.checked_add(i64::from(byte - b'0')));
                mantissa = more.ok_or(NotSteps::TooMany)?;
                decimals = decimals.saturating_add(zeros).saturating_add(point.into());
                zeros = 0;
            }
            _ => return Err(NotSteps::Number),
        }
    }
    if seen {
        Ok((mantissa, decimals))
    } else {
        Err(NotSteps::Number)
    }
}

/// A decimal number, exact, to be printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Decimal {
    units: i128,
    decimals: u8,
}

impl fmt::Display for Decimal {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ten = 10_u128.pow(self.decimals.into());
        let (whole, part) = (
            self.units.unsigned_abs() / ten,
            self.units.unsigned_abs() % ten,
        );
        let minus = if self.units < 0 { "-" } else { "" };
        match self.decimals {
            0 => write!(out, "{minus}{whole}"),
            decimals => write!(
                out,
                "{minus}{whole}.{part:0width$}",
                width = decimals.into()
            ),
        }
    }
}
