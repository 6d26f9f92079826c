//! The numbers of a watched instrument are those of its book after all that belongs together.

#![allow(clippy::unwrap_used)]

use analytics::book::{imbalance, quantity_within};
use proptest::collection::vec;
use proptest::prelude::*;
use trading::{Depth, Event, Standing, Touch, Watch, WatchRule, What};
use wire::ring::Side;

const RULE: WatchRule = WatchRule {
    levels: 2,
    ticks: 3,
    flow_ns: 6_400,
    sample_ns: 100,
    samples: 4,
    levels_max: 32,
};

const fn at(event_ns: u64, what: What) -> Event {
    Event {
        event_ns,
        received_ns: event_ns,
        symbol: 0,
        what,
    }
}

const fn level(side: Side, price: i64, quantity: u64) -> What {
    What::Level {
        side,
        price,
        quantity,
    }
}

const fn trade(price: i64, quantity: u64, aggressor: Option<Side>) -> What {
    What::Trade {
        price,
        quantity,
        aggressor,
    }
}

#[test]
fn numbers_by_hand() {
    let mut watch = Watch::new(RULE).unwrap();
    let mut on = |now, what| watch.on(&at(now, what)).then(|| *watch.numbers());
    assert_eq!(on(1, level(Side::Buy, 100, 30)), None);
    assert_eq!(on(1, level(Side::Buy, 97, 5)), None);
    assert_eq!(on(1, level(Side::Buy, 96, 50)), None);
    assert_eq!(on(1, level(Side::Sell, 102, 10)), None);
    let it = on(1, What::End).unwrap();
    assert_eq!((it.microprice, it.imbalance), (Some(101.5), Some(0.5)));
    assert_eq!(it.imbalance_levels, imbalance(35, 10));
    assert_eq!((it.near, it.order_flow, it.volatility), ([35, 10], 0, None));

    // The bid is taken away: what stood before says that a seller did it, also at a later time.
    on(5, level(Side::Buy, 100, 0));
    let it = on(5, What::End).unwrap();
    assert_eq!(it.order_flow, -30);
    let it = on(5, trade(100, 30, None)).unwrap();
    assert_eq!((it.taken, it.last_price, it.trades), ([0, 30], 100, 1));
    let it = on(6, trade(103, 2, Some(Side::Buy))).unwrap();
    assert_eq!(it.taken, [2, 30]);

    // Quotes run ahead of the levels, and stay the touch until all is void.
    let quote = |price, quantity| Standing { price, quantity };
    let (bid, offer) = (quote(99, 4), quote(102, 10));
    let it = on(7, What::Quote { bid, offer }).unwrap();
    assert_eq!((it.touch.bid, it.order_flow), (bid, -30 + 4));
    let it = on(8, What::End).unwrap();
    assert_eq!(it.touch.bid, bid);
    assert_eq!(on(9, What::Clear), None);
    on(9, level(Side::Sell, 50, 1));
    let it = on(9, What::End).unwrap();
    assert_eq!((it.touch.offer.price, it.microprice), (50, None));
    assert_eq!(it.order_flow, -26, "a new book's first touch is no flow");
    assert_eq!(it.updates, 7);
}

#[test]
fn volatility_is_that_of_the_middle() {
    let mut watch = Watch::new(RULE).unwrap();
    for (now, price) in [(50, 100), (150, 200), (250, 100), (350, 100)] {
        watch.on(&at(now, What::Clear));
        watch.on(&at(now, level(Side::Buy, price, 1)));
        watch.on(&at(now, level(Side::Sell, price, 1)));
        watch.on(&at(now, What::End));
    }
    // Up by two and down again.
    let wanted = (2.0 * 2_f64.ln().powi(2)).sqrt();
    assert!((watch.numbers().volatility.unwrap() - wanted).abs() < 1e-12);
    assert!(Watch::new(WatchRule { samples: 0, ..RULE }).is_err());
}

proptest! {
    #[test]
    fn numbers_of_levels_are_those_of_the_book(
        changes in vec((any::<bool>(), -9_i64..9, 0_u64..4, any::<bool>()), 0..200),
    ) {
        let mut watch = Watch::new(RULE).unwrap();
        let mut depth = Depth::new(RULE.levels_max);
        for (now, (is_buy, price, quantity, is_last)) in (0..).zip(changes) {
            let what = level(if is_buy { Side::Buy } else { Side::Sell }, price, quantity);
            let before = *watch.numbers();
            depth.apply(&what);
            prop_assert!(!watch.on(&at(now, what)));
            prop_assert_eq!(*watch.numbers(), before);
            if !is_last {
                continue;
            }
            prop_assert!(watch.on(&at(now, What::End)));
            let (it, touch): (_, Touch) = (watch.numbers(), depth.touch());
            prop_assert_eq!((it.touch, it.microprice), (touch, touch.microprice()));
            prop_assert_eq!(it.imbalance, touch.imbalance());
            let sides = [Side::Buy, Side::Sell];
            prop_assert_eq!(it.near, sides.map(|side| quantity_within(depth.levels(side), 3)));
            let [bids, offers] = sides.map(|side| -> u64 {
                depth.levels(side).take(2).map(|level| level.quantity).sum()
            });
            prop_assert_eq!(it.imbalance_levels, imbalance(bids, offers));
        }
    }
}
