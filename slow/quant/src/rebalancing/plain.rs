//! The rule as it is written down, in integers of 128 bits: what the quick form must equal, and is
//! measured against.

use std::cmp::Reverse;

use super::{Holdings, MILLION, Order, Plan, Rules, checked};
use crate::Fault;

/// An order that a position asks for.
struct Wish {
    position: usize,
    quantity: i128,
    notional: i128,
}

/// As [`super::rebalance`], straightforward and slower.
///
/// # Errors
/// As those of [`super::rebalance`].
pub fn rebalance_plainly(holdings: &Holdings<'_>, cash: i64, rules: Rules) -> Result<Plan, Fault> {
    let total = checked(holdings, cash, rules)?;
    let wishes = (0..holdings.price.len()).filter_map(|at| wish(holdings, at, total.into(), rules));
    let (mut sells, mut buys): (Vec<_>, Vec<_>) = wishes.partition(|wish| wish.quantity < 0);
    for wishes in [&mut sells, &mut buys] {
        wishes.sort_by_key(|wish| (Reverse(wish.notional), wish.position));
    }
    let mut cash = i128::from(cash);
    let mut plan = Plan {
        total,
        ..Plan::default()
    };
    for wish in sells {
        cash += wish.notional - fee(wish.notional, rules);
        plan.sells.push(order(&wish, wish.quantity));
    }
    for wish in buys {
        let price = i128::from(holdings.price[wish.position]);
        let lot = i128::from(holdings.lot[wish.position]);
        let quantity = affordable(&wish, price, lot, cash, rules);
        let notional = quantity * price;
        if quantity == 0 || notional < rules.min_notional.into() {
            continue;
        }
        cash -= notional + fee(notional, rules);
        plan.buys.push(order(&wish, quantity));
    }
    plan.cash_after = cash as i64;
    Ok(plan)
}

fn wish(holdings: &Holdings<'_>, at: usize, total: i128, rules: Rules) -> Option<Wish> {
    let price = i128::from(holdings.price[at]);
    let lot = i128::from(holdings.lot[at]);
    let held = i128::from(holdings.quantity[at]);
    let million = i128::from(MILLION);
    let target = total * i128::from(holdings.target_ppm[at]) / million;
    let quantity = target / (price * lot) * lot - held;
    let notional = quantity.abs() * price;
    let away = (price * held - target).abs();
    let is_near = away * million <= i128::from(rules.band_ppm) * total;
    let is_left = quantity == 0 || notional < rules.min_notional.into() || is_near;
    (!is_left).then_some(Wish {
        position: at,
        quantity,
        notional,
    })
}

fn fee(notional: i128, rules: Rules) -> i128 {
    let million = i128::from(MILLION);
    (notional * i128::from(rules.fee_ppm) + million - 1) / million
}

/// All of a wish, or the most whole lots that cash covers.
fn affordable(wish: &Wish, price: i128, lot: i128, cash: i128, rules: Rules) -> i128 {
    let covers = |quantity: i128| quantity * price + fee(quantity * price, rules) <= cash;
    if covers(wish.quantity) {
        return wish.quantity;
    }
    let (mut least, mut most) = (0, wish.quantity / lot);
    while least < most {
        let middle = (least + most + 1) / 2;
        if covers(middle * lot) {
            least = middle;
        } else {
            most = middle - 1;
        }
    }
    least * lot
}

fn order(wish: &Wish, quantity: i128) -> Order {
    Order {
        position: wish.position,
        quantity: quantity as i64,
    }
}
