//! From target weights to orders in whole lots.
//!
//! The rule, in integers: `total` is cash and the value of all positions. A position's target is
//! `floor(total * target_ppm / 1e6)`, in units `floor(target / (price * lot)) * lot`. It is left
//! alone if it has these units already, if the order's notional is below `min_notional`, or if its
//! value is within `total * band_ppm / 1e6` of the target. Sells come first, the greatest notional
//! before others and the lesser index on ties, then buys in the same way; each pays
//! `ceil(notional * fee_ppm / 1e6)`. A buy that cash does not cover is cut to as many lots as it
//! does, and dropped if these are below `min_notional`. So cash is never negative.

mod plain;
mod quick;

pub use plain::rebalance_plainly;
pub use quick::rebalance;

use crate::Fault;
use crate::fault::{same_length, within};

/// The most that a lot, a position, cash, or all of them together may be worth, in ticks: so that
/// their quotients are exact in `f64`.
pub const VALUE_MAX: i64 = 1 << 50;
/// The most units of a position, and ticks of a price.
pub const NUMBER_MAX: i64 = 1 << 40;
/// The most positions.
pub const POSITIONS_MAX: usize = 1 << 20;
/// Parts of a whole.
const MILLION: i64 = 1_000_000;

const _: () = assert!(VALUE_MAX < 1 << (f64::MANTISSA_DIGITS - 1));
// A target's units and those held come together without overflow.
const _: () = assert!((VALUE_MAX as u128) * 8 < i64::MAX as u128);

/// Positions, side by side.
#[derive(Clone, Copy, Debug)]
pub struct Holdings<'a> {
    /// Ticks a unit, at least 1.
    pub price: &'a [i64],
    /// Units that are traded at once, at least 1.
    pub lot: &'a [i64],
    /// Units held, negative if sold short.
    pub quantity: &'a [i64],
    /// Parts of a million of the total; together at most a million.
    pub target_ppm: &'a [u32],
}

/// What trading costs, and what is not worth it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rules {
    /// Parts of a million of a notional, at most a million.
    pub fee_ppm: u32,
    /// How far from its target a position may be, in parts of a million of the total.
    pub band_ppm: u32,
    /// The least notional of an order, in ticks, from 0.
    pub min_notional: i64,
}

/// An order of a plan.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Order {
    /// Which position.
    pub position: usize,
    /// Units: negative to sell.
    pub quantity: i64,
}

/// Orders that bring positions to their targets.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Plan {
    /// What all is worth before, in ticks.
    pub total: i64,
    /// First these.
    pub sells: Vec<Order>,
    /// Then these.
    pub buys: Vec<Order>,
    /// Cash after all of them, in ticks.
    pub cash_after: i64,
}

/// Refuses what is outside its limits; what all is worth.
fn checked(holdings: &Holdings<'_>, cash: i64, rules: Rules) -> Result<i64, Fault> {
    let count = holdings.price.len();
    within("positions", count as f64, 0.0, POSITIONS_MAX as f64)?;
    same_length("lot", holdings.lot.len(), count)?;
    same_length("quantity", holdings.quantity.len(), count)?;
    same_length("target_ppm", holdings.target_ppm.len(), count)?;
    amount("cash", cash, 0)?;
    amount("min_notional", rules.min_notional, 0)?;
    within("fee_ppm", f64::from(rules.fee_ppm), 0.0, MILLION as f64)?;
    within("band_ppm", f64::from(rules.band_ppm), 0.0, MILLION as f64)?;
    let (mut total, mut gross, mut targets, mut is_bad) = (cash, cash as f64, 0u64, false);
    let prices = holdings.price.iter().zip(holdings.lot);
    let wishes = holdings.quantity.iter().zip(holdings.target_ppm);
    for ((price, lot), (quantity, target)) in prices.zip(wishes) {
        is_bad |= !(1..=NUMBER_MAX).contains(price) | !(1..=NUMBER_MAX).contains(lot);
        is_bad |= !(-NUMBER_MAX..=NUMBER_MAX).contains(quantity);
        is_bad |= *price as f64 * *lot as f64 > VALUE_MAX as f64;
        // Only believed if the sums below are within their limits.
        let value = price.wrapping_mul(*quantity);
        gross += (*price as f64 * *quantity as f64).abs();
        total = total.wrapping_add(value);
        targets += u64::from(*target);
    }
    if is_bad {
        return Err(blame(holdings));
    }
    within("value of all", gross, 0.0, VALUE_MAX as f64)?;
    within("target_ppm of all", targets as f64, 0.0, MILLION as f64)?;
    amount("value of all", total, 0)?;
    Ok(total)
}

fn amount(what: &'static str, found: i64, least: i64) -> Result<(), Fault> {
    within(what, found as f64, least as f64, VALUE_MAX as f64)
}

/// Which number is outside its limits.
#[cold]
fn blame(holdings: &Holdings<'_>) -> Fault {
    let number = NUMBER_MAX as f64;
    let find = |what, all: &[i64], least: f64| {
        let bad = all.iter().map(|x| within(what, *x as f64, least, number));
        bad.filter_map(Result::err).next()
    };
    let prices = holdings.price.iter().zip(holdings.lot);
    let lots = prices.map(|(price, lot)| {
        let worth = *price as f64 * *lot as f64;
        within("price * lot", worth, 1.0, VALUE_MAX as f64)
    });
    let mut lots = lots.filter_map(Result::err);
    let first = find("price", holdings.price, 1.0)
        .or_else(|| find("lot", holdings.lot, 1.0))
        .or_else(|| find("quantity", holdings.quantity, -number));
    first.or_else(|| lots.next()).unwrap_or(Fault::Exact {
        what: "rebalancing",
    })
}
