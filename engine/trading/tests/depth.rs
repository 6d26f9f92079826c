//! A book by levels against ordered maps, and at its limit.

#![allow(clippy::unwrap_used)]

use std::collections::BTreeMap;

use proptest::collection::vec;
use proptest::prelude::*;
use trading::{Depth, Standing, What};
use wire::ring::Side;

const SIDES: [Side; 2] = [Side::Buy, Side::Sell];

const fn level(side: Side, price: i64, quantity: u64) -> What {
    What::Level {
        side,
        price,
        quantity,
    }
}

/// The levels of a map, best first.
fn sorted(map: &BTreeMap<i64, u64>, side: Side) -> Vec<Standing> {
    let mut all: Vec<_> = map
        .iter()
        .map(|(&price, &quantity)| Standing { price, quantity })
        .collect();
    if side == Side::Buy {
        all.reverse();
    }
    all
}

proptest! {
    #[test]
    fn a_book_is_two_ordered_maps(changes in vec((0_usize..2, -20_i64..20, 0_u64..4), 0..300)) {
        let mut depth = Depth::new(64);
        let mut maps = [BTreeMap::new(), BTreeMap::new()];
        for (side, price, quantity) in changes {
            let map = &mut maps[side];
            let before = map.insert(price, quantity).unwrap_or(0);
            map.retain(|_, quantity| *quantity > 0);
            let side = SIDES[side];
            let change = depth.apply(&level(side, price, quantity));
            prop_assert_eq!(change.is_some(), before != quantity);
            if let Some(change) = change {
                prop_assert_eq!((change.before, change.after), (before, quantity));
                let better = sorted(map, side).iter().position(|it| match side {
                    Side::Buy => it.price <= price,
                    Side::Sell => it.price >= price,
                });
                prop_assert_eq!(change.rank, better.unwrap_or(map.len()));
            }
            prop_assert_eq!(depth.at(side, price), quantity);
            for (side, map) in SIDES.into_iter().zip(&maps) {
                prop_assert_eq!(depth.levels(side).collect::<Vec<_>>(), sorted(map, side));
                prop_assert_eq!(depth.best(side), sorted(map, side).first().copied());
            }
        }
        prop_assert_eq!(depth.forgotten(), 0);
    }

    #[test]
    fn a_full_side_keeps_the_best(prices in vec(-30_i64..30, 0..100), room in 1_usize..8) {
        for side in SIDES {
            let mut depth = Depth::new(room);
            let mut map = BTreeMap::new();
            for &price in &prices {
                map.insert(price, 1);
                depth.apply(&level(side, price, 1));
                let best: Vec<_> = sorted(&map, side).into_iter().take(room).collect();
                prop_assert_eq!(depth.levels(side).collect::<Vec<_>>(), best);
            }
            prop_assert_eq!(depth.forgotten() > 0, map.len() > room);
        }
    }
}

#[test]
fn a_book_is_settled_when_all_was_told_and_void_when_cleared() {
    let mut depth = Depth::default();
    assert!(!depth.is_settled());
    depth.apply(&level(Side::Buy, 10, 5));
    depth.apply(&level(Side::Sell, 9, 5));
    assert!(depth.is_crossed() && !depth.is_settled());
    depth.apply(&level(Side::Buy, 10, 0));
    depth.apply(&What::End);
    assert!(!depth.is_crossed() && depth.is_settled());
    let quote = Standing {
        price: 1,
        quantity: 1,
    };
    let quote = What::Quote {
        bid: quote,
        offer: quote,
    };
    assert_eq!(depth.apply(&quote), None);
    assert!(depth.is_settled());
    depth.apply(&What::Clear);
    assert!(!depth.is_settled());
    assert_eq!(depth.best(Side::Sell), None);
}
