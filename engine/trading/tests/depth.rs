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
            }
            prop_assert_eq!(depth.at(side, price), quantity);
            for (side, map) in SIDES.into_iter().zip(&maps) {
                prop_assert_eq!(depth.levels(side).collect::<Vec<_>>(), sorted(map, side));
                prop_assert_eq!(depth.best(side), sorted(map, side).first().copied());
            }
        }
        prop_assert_eq!(depth.forgotten(), 0);
    }

    /// Many levels in many blocks, which split as they come and become one as they go.
    #[test]
    fn a_deep_book_is_two_ordered_maps(
        seed: u64, ups in vec((0_usize..900, 1_i64..900), 1..12),
    ) {
        const ROOM: usize = 2_048;
        let mut depth = Depth::new(ROOM);
        let mut maps = [BTreeMap::new(), BTreeMap::new()];
        let mut state = seed | 1;
        let mut random = || {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(99_991);
            (state >> 33) as i64
        };
        for (turn, (count, spread)) in ups.into_iter().enumerate() {
            for _ in 0..count {
                let side = (random() % 2) as usize;
                let price = random() % spread;
                // Mostly more levels in one turn, mostly fewer in the next.
                let is_gone = random() % 8 < if turn % 2 == 0 { 1 } else { 7 };
                let quantity = if is_gone { 0 } else { 1 + (random() % 5) as u64 };
                maps[side].insert(price, quantity);
                maps[side].retain(|_, quantity| *quantity > 0);
                depth.apply(&level(SIDES[side], price, quantity));
            }
            for (side, map) in SIDES.into_iter().zip(&maps) {
                prop_assert_eq!(depth.levels(side).collect::<Vec<_>>(), sorted(map, side));
                prop_assert_eq!(depth.levels(side).len(), map.len());
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
