//! Rebalancing: reference plans, and the quick form against the plain one.

#![allow(clippy::unwrap_used)] // helpers of tests, which the lint's own exemption misses

#[path = "../../../engine/analytics/tests/vectors/mod.rs"]
mod vectors;

use proptest::prelude::{Strategy, prop, prop_assert, prop_assert_eq, prop_assume, proptest};
use quant::Fault;
use quant::rebalancing::{Holdings, Order, Plan, Rules, rebalance, rebalance_plainly};
use serde_json::Value;
use vectors::text;

/// What positions and rules are made of.
#[derive(Clone, Debug)]
struct Case {
    price: Vec<i64>,
    lot: Vec<i64>,
    quantity: Vec<i64>,
    target_ppm: Vec<u32>,
    cash: i64,
    rules: Rules,
}

impl Case {
    fn holdings(&self) -> Holdings<'_> {
        Holdings {
            price: &self.price,
            lot: &self.lot,
            quantity: &self.quantity,
            target_ppm: &self.target_ppm,
        }
    }

    fn both(&self) -> [Result<Plan, Fault>; 2] {
        let holdings = self.holdings();
        [rebalance, rebalance_plainly].map(|plan| plan(&holdings, self.cash, self.rules))
    }
}

fn integers(value: &Value) -> Vec<i64> {
    let all = value.as_array().unwrap().iter();
    all.map(|x| x.as_i64().unwrap()).collect()
}

fn orders(value: &Value) -> Vec<Order> {
    let order = |pair: &Value| {
        let pair = integers(pair);
        Order {
            position: pair[0] as usize,
            quantity: pair[1],
        }
    };
    value.as_array().unwrap().iter().map(order).collect()
}

#[test]
fn plans_are_those_of_the_reference() {
    for count in [5, 100, 500, 1_000, 5_000] {
        let name = format!("market/rebalance_{count}.json");
        let all: Value = serde_json::from_str(&text(&name)).unwrap();
        let one = |key: &str| all[key].as_i64().unwrap();
        let targets = integers(&all["target_ppm"]).into_iter();
        let case = Case {
            price: integers(&all["price"]),
            lot: integers(&all["lot"]),
            quantity: integers(&all["qty"]),
            target_ppm: targets.map(|ppm| ppm as u32).collect(),
            cash: one("cash"),
            rules: Rules {
                fee_ppm: one("fee_ppm") as u32,
                band_ppm: one("band_ppm") as u32,
                min_notional: one("min_notional"),
            },
        };
        let wanted = &all["expected"];
        let wanted = Plan {
            total: wanted["total"].as_i64().unwrap(),
            sells: orders(&wanted["sells"]),
            buys: orders(&wanted["buys"]),
            cash_after: wanted["cash_after"].as_i64().unwrap(),
        };
        for plan in case.both() {
            assert_eq!(plan.as_ref(), Ok(&wanted), "{name}");
        }
    }
}

fn small() -> Case {
    Case {
        price: vec![10, 20],
        lot: vec![1, 5],
        quantity: vec![100, 0],
        target_ppm: vec![200_000, 800_000],
        cash: 0,
        rules: Rules {
            fee_ppm: 0,
            band_ppm: 0,
            min_notional: 0,
        },
    }
}

#[test]
fn what_cannot_be_planned_is_refused() {
    type Spoil = fn(&mut Case);
    let broken: [(&str, Spoil); 9] = [
        ("cash", |case| case.cash = -1),
        ("price", |case| case.price[1] = 0),
        ("lot", |case| case.lot[0] = -3),
        ("quantity", |case| case.quantity[0] = i64::MIN),
        ("price * lot", |case| {
            (case.price[0], case.lot[0]) = (1 << 40, 1 << 40)
        }),
        ("value of all", |case| {
            (case.price[0], case.quantity[0]) = (1 << 40, 1 << 40)
        }),
        ("value of all", |case| case.quantity[0] = -1),
        ("target_ppm of all", |case| case.target_ppm[0] = 200_001),
        ("fee_ppm", |case| case.rules.fee_ppm = 1_000_001),
    ];
    for (wanted, spoil) in broken {
        let mut case = small();
        spoil(&mut case);
        for plan in case.both() {
            let is_named = matches!(plan, Err(Fault::Outside { what, .. }) if what == wanted);
            assert!(is_named, "{wanted}: {plan:?}");
        }
    }
    let mut case = small();
    case.lot.pop();
    let shorter = Fault::Lengths {
        what: "lot",
        found: 1,
        wanted: 2,
    };
    assert_eq!(case.both(), [Err(shorter), Err(shorter)]);
    let none = Case {
        price: vec![],
        lot: vec![],
        quantity: vec![],
        target_ppm: vec![],
        ..small()
    };
    assert_eq!(none.both(), [Ok(Plan::default()), Ok(Plan::default())]);
}

fn any_case() -> impl Strategy<Value = Case> {
    let price = prop::strategy::Union::new([1i64..50, 1..200_000]);
    let lot = prop::sample::select(vec![1i64, 1, 3, 10, 100]);
    let position = (price, lot, -20i64..500, 0u32..60_000);
    let rules = (
        prop::sample::select(vec![0u32, 1, 50, 30_000, 1_000_000]),
        prop::sample::select(vec![0u32, 200, 100_000]),
        prop::sample::select(vec![0i64, 1, 5_000, 1_000_000]),
    );
    let cash = prop::strategy::Union::new([0i64..10, 0..10_000_000]);
    let positions = prop::collection::vec(position, 0..16);
    (positions, cash, rules).prop_map(
        |(positions, cash, (fee_ppm, band_ppm, min_notional))| Case {
            price: positions.iter().map(|p| p.0).collect(),
            lot: positions.iter().map(|p| p.1).collect(),
            quantity: positions.iter().map(|p| p.2).collect(),
            target_ppm: positions.iter().map(|p| p.3).collect(),
            cash,
            rules: Rules {
                fee_ppm,
                band_ppm,
                min_notional,
            },
        },
    )
}

proptest! {
    #[test]
    fn the_quick_plan_is_the_plain_one(case in any_case()) {
        let [quick, plain] = case.both();
        prop_assert_eq!(&quick, &plain);
        prop_assume!(quick.is_ok());
        let plan = quick.unwrap();
        prop_assert!(plan.cash_after >= 0);
        let value = |order: &Order| order.quantity * case.price[order.position];
        let paid: i64 = plan.sells.iter().chain(&plan.buys).map(value).sum();
        prop_assert!(plan.cash_after <= case.cash - paid);
    }
}
