//! Money, exact: so many 10^-24 of a currency, in 128 bits.
//!
//! A price in ticks times a quantity in lots times a fee in millionths has no more decimals than
//! that, and so nothing is ever rounded: sums do not depend on their order, and a profit is what it
//! is to the last digit.

use core::fmt;
use core::iter::Sum;
use core::ops::{Add, AddAssign, Mul, Neg, Sub, SubAssign};

use wire::ring::Side;

use crate::Instrument;

/// Decimals of [`Money`].
pub const MONEY_DECIMALS: u8 = 24;
/// Decimals that a tick and a lot may have together: six more are for fees.
pub const WORTH_DECIMALS_MAX: u8 = MONEY_DECIMALS - PPM_DECIMALS;
/// Parts of a million, the unit of fees.
const PPM_DECIMALS: u8 = 6;
const PPM: i128 = 10_i128.pow(PPM_DECIMALS as u32);

// A hundred thousand billions fit, with either sign.
const _: () = assert!(10_i128.pow(MONEY_DECIMALS as u32 + 14) < i128::MAX);

/// So much of a currency. Sums beyond what 128 bits hold stay at the bound.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Money(i128);

impl Money {
    /// Nothing.
    pub const ZERO: Self = Self(0);
    /// More than anything.
    pub const MAX: Self = Self(i128::MAX);

    /// So many 10^-24 of a currency.
    #[must_use]
    pub const fn of(units: i128) -> Self {
        Self(units)
    }

    /// In 10^-24 of a currency.
    #[must_use]
    pub const fn units(self) -> i128 {
        self.0
    }

    /// What a decimal text such as `-12.50` says; `None` for no such text, or too many digits.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let (is_negative, digits) = match text.strip_prefix('-') {
            Some(digits) => (true, digits),
            None => (false, text),
        };
        let (whole, part) = digits.split_once('.').unwrap_or((digits, ""));
        let is_number = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
        let missing = usize::from(MONEY_DECIMALS).checked_sub(part.len())?;
        if whole.is_empty() || !is_number(whole) || !is_number(part) {
            return None;
        }
        let number: i128 = format!("{whole}{part}").parse().ok()?;
        let units = number.checked_mul(10_i128.pow(missing as u32))?;
        Some(Self(if is_negative { -units } else { units }))
    }

    /// How much without its sign.
    #[must_use]
    pub const fn abs(self) -> Self {
        Self(self.0.saturating_abs())
    }

    /// For pictures and statistics; never to reckon with.
    #[must_use]
    pub fn to_f64(self) -> f64 {
        self.0 as f64 / 1e24
    }

    /// Times `numerator` by `denominator`, towards zero: for what another currency is worth, where
    /// nothing is exact.
    #[must_use]
    pub fn scaled(self, numerator: i128, denominator: i128) -> Self {
        if denominator == 0 {
            return Self::ZERO;
        }
        let whole = self.0 / denominator;
        // By a product: a second division would take as long as all else.
        let rest = self.0 - whole * denominator;
        let rest = rest.saturating_mul(numerator) / denominator;
        Self(whole.saturating_mul(numerator).saturating_add(rest))
    }
}

impl fmt::Display for Money {
    /// All digits that count, at least two decimals.
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let one = 10_u128.pow(MONEY_DECIMALS.into());
        let (whole, part) = (self.0.unsigned_abs() / one, self.0.unsigned_abs() % one);
        let part = format!("{part:0width$}", width = MONEY_DECIMALS.into());
        let part = part.trim_end_matches('0');
        let minus = if self.0 < 0 { "-" } else { "" };
        out.pad(&format!("{minus}{whole}.{part:0<2}"))
    }
}

impl Add for Money {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self(self.0.saturating_add(other.0))
    }
}

impl Sub for Money {
    type Output = Self;

    fn sub(self, other: Self) -> Self {
        Self(self.0.saturating_sub(other.0))
    }
}

impl Mul<i64> for Money {
    type Output = Self;

    fn mul(self, times: i64) -> Self {
        Self(self.0.saturating_mul(times.into()))
    }
}

impl Neg for Money {
    type Output = Self;

    fn neg(self) -> Self {
        Self(self.0.saturating_neg())
    }
}

impl AddAssign for Money {
    fn add_assign(&mut self, other: Self) {
        *self = *self + other;
    }
}

impl SubAssign for Money {
    fn sub_assign(&mut self, other: Self) {
        *self = *self - other;
    }
}

impl Sum for Money {
    fn sum<I: Iterator<Item = Self>>(all: I) -> Self {
        all.fold(Self::ZERO, Add::add)
    }
}

/// What a lot is worth at a price of one tick.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Worth(i128);

impl Worth {
    /// Of an instrument; `None` if its tick and lot have more than [`WORTH_DECIMALS_MAX`] decimals
    /// together.
    #[must_use]
    pub fn of(instrument: &Instrument) -> Option<Self> {
        let (tick, lot) = (instrument.tick, instrument.lot);
        let decimals = tick.decimals() + lot.decimals();
        let fees = WORTH_DECIMALS_MAX.checked_sub(decimals)?;
        let ten = 10_i128.pow(u32::from(fees + PPM_DECIMALS));
        Some(Self(
            i128::from(tick.units()) * i128::from(lot.units()) * ten,
        ))
    }

    /// What so many lots cost at a price.
    #[must_use]
    pub const fn value(self, price: i64, lots: i64) -> Money {
        Money(self.0.saturating_mul(price as i128 * lots as i128))
    }

    /// What so many lots are worth at a price of half so many ticks: the middle between two prices
    /// whose sum that is.
    #[must_use]
    pub const fn value_half(self, price_twice: i64, lots: i64) -> Money {
        // A multiple of a million, and so of two.
        Money((self.0 / 2).saturating_mul(price_twice as i128 * lots as i128))
    }

    /// What a fill costs as a fee of so many millionths; a negative one is paid to us.
    #[must_use]
    pub const fn fee(self, price: i64, lots: i64, fee_ppm: i32) -> Money {
        let value = price as i128 * lots as i128;
        Money((self.0 / PPM).saturating_mul(value.saturating_mul(fee_ppm as i128)))
    }
}

/// 1 for what is bought, -1 for what is sold.
#[must_use]
pub const fn sign(side: Side) -> i64 {
    match side {
        Side::Buy => 1,
        Side::Sell => -1,
    }
}
