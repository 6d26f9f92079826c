//! The rule in integers of 64 bits, without a division by what is not constant.

use super::{Holdings, MILLION, Order, Plan, Rules, VALUE_MAX, checked};
use crate::Fault;

/// Orders that bring positions to their targets, by the rule that stands above.
///
/// # Errors
/// Slices of different lengths; a price, lot or quantity outside its limits, cash that is negative;
/// values beyond [`VALUE_MAX`]; targets of more than a million together; a total below 0.
pub fn rebalance(holdings: &Holdings<'_>, cash: i64, rules: Rules) -> Result<Plan, Fault> {
    let total = checked(holdings, cash, rules)?;
    let mut wishes = Wishes::of(holdings, total, rules);
    let mut cash = cash;
    wishes.sells.sort_unstable();
    wishes.buys.sort_unstable();
    let mut sells = Vec::with_capacity(wishes.sells.len());
    for key in &wishes.sells {
        let (position, notional) = wish(*key);
        cash += notional - fee(notional, rules);
        let quantity = wishes.quantity[position];
        sells.push(Order { position, quantity });
    }
    let mut buys = Vec::with_capacity(wishes.buys.len());
    for key in &wishes.buys {
        // An order costs at least a tick, and its notional.
        if cash < rules.min_notional.max(1) {
            break;
        }
        let (position, mut notional) = wish(*key);
        let mut quantity = wishes.quantity[position];
        if notional + fee(notional, rules) > cash {
            let (price, lot) = (holdings.price[position], holdings.lot[position]);
            quantity = lots_for(cash, price * lot, rules) * lot;
            notional = quantity * price;
            if quantity == 0 || notional < rules.min_notional {
                continue;
            }
        }
        cash -= notional + fee(notional, rules);
        buys.push(Order { position, quantity });
    }
    Ok(Plan {
        total,
        sells,
        buys,
        cash_after: cash,
    })
}

/// What positions ask for.
struct Wishes {
    /// Units to trade, of each position.
    quantity: Vec<i64>,
    /// Keys whose order is that of trading.
    sells: Vec<u128>,
    buys: Vec<u128>,
}

/// Greatest notional first, then by position.
fn key(position: usize, notional: i64) -> u128 {
    (u128::from((4 * VALUE_MAX - notional) as u64) << 32) | position as u128
}

fn wish(key: u128) -> (usize, i64) {
    let position = key as u32 as usize;
    (position, 4 * VALUE_MAX - (key >> 32) as i64)
}

/// `floor(x * ppm / 1e6)` of what is not negative, without overflow.
fn share(x: i64, ppm: u32) -> i64 {
    let ppm = i64::from(ppm);
    x / MILLION * ppm + x % MILLION * ppm / MILLION
}

/// `ceil(notional * fee_ppm / 1e6)`.
fn fee(notional: i64, rules: Rules) -> i64 {
    let ppm = i64::from(rules.fee_ppm);
    notional / MILLION * ppm + (notional % MILLION * ppm + MILLION - 1) / MILLION
}

/// `floor(x / by)` of what is below 2^53. A quotient that is rounded up to a whole number would be
/// less than 2^-53 of itself below it; but it is at least `1 / by` below, and itself at most
/// `2^53 / by`.
fn quotient(x: i64, by: i64) -> i64 {
    let found = (x as f64 / by as f64) as i64;
    debug_assert_eq!(found, x / by);
    found
}

/// The most lots that cash covers with their fee.
fn lots_for(cash: i64, unit: i64, rules: Rules) -> i64 {
    let covers = |lots: i64| lots * unit + fee(lots * unit, rules) <= cash;
    let share = 1.0 + f64::from(rules.fee_ppm) / MILLION as f64;
    let mut lots = (cash as f64 / (unit as f64 * share)) as i64;
    // The fee is rounded up, and so is the estimate at times.
    while lots > 0 && !covers(lots) {
        lots -= 1;
    }
    while (lots + 1) * unit <= cash && covers(lots + 1) {
        lots += 1;
    }
    lots
}

impl Wishes {
    fn of(holdings: &Holdings<'_>, total: i64, rules: Rules) -> Self {
        let count = holdings.price.len();
        let band = share(total, rules.band_ppm);
        let mut found = Self {
            quantity: Vec::with_capacity(count),
            sells: Vec::with_capacity(count),
            buys: Vec::with_capacity(count),
        };
        let prices = holdings.price.iter().zip(holdings.lot);
        let targets = holdings.quantity.iter().zip(holdings.target_ppm);
        for (at, ((price, lot), (held, ppm))) in prices.zip(targets).enumerate() {
            let target = share(total, *ppm);
            let quantity = quotient(target, price * lot) * lot - held;
            let notional = quantity.abs() * price;
            let away = (price * held - target).abs();
            found.quantity.push(quantity);
            if quantity != 0 && notional >= rules.min_notional && away > band {
                let side = if quantity < 0 {
                    &mut found.sells
                } else {
                    &mut found.buys
                };
                side.push(key(at, notional));
            }
        }
        found
    }
}
