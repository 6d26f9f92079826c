//! Auctions: the price, and the trades at it.

mod common;

use common::{Rig, answers, day, of};
use matching::Limits;
use proptest::prelude::*;
use wire::ring::Side::{self, Buy, Sell};
use wire::ring::{Command, CommandKind, EXTRA_HIDDEN, Event, EventKind, MarketState, PRICE_MARKET};

/// Room for the books here.
const FEW: Limits = Limits {
    symbols: 3,
    sessions: 3,
    orders: 16,
    special: 16,
    price_groups: 16,
    accounts: 3,
};

/// Puts symbol 1 into a state.
fn state(state: MarketState) -> Command {
    Command {
        symbol: 1,
        flags: state as u8,
        ..of(CommandKind::SetState)
    }
}

fn indicate() -> Command {
    Command {
        symbol: 1,
        ..of(CommandKind::Indicate)
    }
}

/// What the next order of session 1 asks, all else zero.
fn extra() -> Command {
    Command {
        session: 1,
        ..of(CommandKind::Extra)
    }
}

/// Side, units and price of an order.
type Order = (Side, u32, i64);

/// Price, volume, imbalance and its side.
type Cross = (i64, u32, u32, Side);

fn cross_of(event: &Event) -> Cross {
    let side = Side::from_byte(event.side).expect("a side");
    (event.price, event.quantity, event.leaves, side)
}

/// An engine whose symbol 1 is in an opening auction, with orders numbered from 1.
fn called(limits: Limits, reference: i64, orders: &[Order]) -> Rig {
    let mut rig = Rig::open(limits);
    rig.apply(Command {
        price: reference,
        ..state(MarketState::OpeningAuction)
    });
    for (user_ref, (side, quantity, price)) in (1..).zip(orders) {
        let accepted = rig.apply(day(user_ref, *side, *quantity, *price));
        assert!(accepted[0].has(Event::BOOKED), "{accepted:?}");
    }
    rig
}

const MARKET: i64 = PRICE_MARKET;
const NOTHING: Cross = (0, 0, 0, Buy);

/// Reference price, book, and what the auction comes to.
const BOOKS: &[(i64, &[Order], Cross)] = &[
    (0, &[], NOTHING),
    (500, &[(Buy, 5, 100), (Sell, 5, 101)], NOTHING),
    // Orders at any price alone have no price but the reference.
    (0, &[(Buy, 5, MARKET), (Sell, 5, MARKET)], NOTHING),
    (70, &[(Buy, 5, MARKET), (Sell, 3, MARKET)], (70, 3, 2, Buy)),
    (70, &[(Buy, 5, MARKET)], NOTHING),
    // One level decides.
    (0, &[(Buy, 5, 100), (Sell, 5, 100)], (100, 5, 0, Buy)),
    (0, &[(Buy, 5, 100), (Sell, 8, MARKET)], (100, 5, 3, Sell)),
    (0, &[(Buy, 9, MARKET), (Sell, 8, 100)], (100, 8, 1, Buy)),
    // The greatest volume.
    (
        0,
        &[(Buy, 5, 103), (Buy, 5, 102), (Sell, 5, 100), (Sell, 5, 102)],
        (102, 10, 0, Buy),
    ),
    // The least imbalance.
    (
        0,
        &[(Buy, 5, 103), (Buy, 2, 101), (Sell, 5, 100), (Sell, 9, 103)],
        (101, 5, 2, Buy),
    ),
    // More demand at all: the highest. More supply: the lowest.
    (100, &[(Buy, 9, 105), (Sell, 5, 101)], (105, 5, 4, Buy)),
    (110, &[(Buy, 5, 105), (Sell, 9, 101)], (101, 5, 4, Sell)),
    // Neither: nearest to the reference, which may itself be the price.
    (100, &[(Buy, 5, 105), (Sell, 5, 101)], (101, 5, 0, Buy)),
    (103, &[(Buy, 5, 105), (Sell, 5, 101)], (103, 5, 0, Buy)),
    (109, &[(Buy, 5, 105), (Sell, 5, 101)], (105, 5, 0, Buy)),
    (0, &[(Buy, 5, 105), (Sell, 5, 101)], (101, 5, 0, Buy)),
    // As much too many buys at 102 as sells at 104; two equally near: the higher.
    (
        103,
        &[
            (Buy, 5, MARKET),
            (Buy, 2, 102),
            (Sell, 5, MARKET),
            (Sell, 2, 104),
        ],
        (103, 5, 0, Buy),
    ),
    (
        0,
        &[
            (Buy, 5, MARKET),
            (Buy, 2, 102),
            (Sell, 5, MARKET),
            (Sell, 2, 104),
        ],
        (102, 5, 2, Buy),
    ),
    (
        200,
        &[
            (Buy, 5, MARKET),
            (Buy, 2, 102),
            (Sell, 5, MARKET),
            (Sell, 2, 104),
        ],
        (200, 5, 2, Sell),
    ),
    // Prices off the cent, and at both ends.
    (
        0,
        &[(Buy, 1, 10_001), (Sell, 2, 9_999)],
        (9_999, 1, 1, Sell),
    ),
    (
        0,
        &[(Buy, 3, MARKET - 1), (Sell, 2, 1)],
        (MARKET - 1, 2, 1, Buy),
    ),
];

#[test]
fn the_price_of_an_auction_follows_the_rules() {
    for (reference, orders, expected) in BOOKS {
        let mut rig = called(FEW, *reference, orders);
        let indicative = rig.apply(indicate());
        assert_eq!(
            cross_of(&indicative[0]),
            *expected,
            "{reference} {orders:?}"
        );
        let events = rig.apply(state(MarketState::Continuous));
        let uncrossed = events[0];
        assert_eq!(uncrossed.kind, EventKind::Uncrossed as u8);
        assert_eq!(cross_of(&uncrossed), *expected, "{reference} {orders:?}");
        let traded = events.iter().filter(|event| event.has(Event::AUCTION));
        let units: u32 = traded.map(|event| event.quantity).sum();
        assert_eq!(units, 2 * expected.1, "{reference} {orders:?}");
        assert_uncrossed(&rig);
    }
}

/// No buy meets a sell, and nothing rests at any price.
fn assert_uncrossed(rig: &Rig) {
    let best = [Buy, Sell].map(|side| rig.engine.best(1, side));
    if let [Some((bid, _)), Some((ask, _))] = best {
        assert!(bid < ask, "{bid} meets {ask}");
    }
    for (price, _) in best.into_iter().flatten() {
        assert_ne!(price, MARKET);
    }
}

/// The rules to the letter: every candidate is looked at.
fn price_by_rule(reference: i64, orders: &[Order]) -> Cross {
    let limits = orders.iter().map(|(_, _, price)| *price);
    let candidates = limits
        .chain([reference])
        .filter(|price| (1..MARKET).contains(price));
    let units = |wanted: Side, accepts: &dyn Fn(i64) -> bool| -> i64 {
        let fitting = orders
            .iter()
            .filter(|(side, _, price)| *side == wanted && (*price == MARKET || accepts(*price)));
        fitting.map(|(_, quantity, _)| i64::from(*quantity)).sum()
    };
    let mut all: Vec<(i64, i64, i64)> = candidates
        .map(|price| {
            let demand = units(Buy, &|limit| limit >= price);
            let supply = units(Sell, &|limit| limit <= price);
            (price, demand, supply)
        })
        .filter(|(_, demand, supply)| *demand > 0 && *supply > 0)
        .collect();
    let volume = all
        .iter()
        .map(|(_, demand, supply)| *demand.min(supply))
        .max();
    all.retain(|(_, demand, supply)| Some(*demand.min(supply)) == volume);
    let imbalance = all
        .iter()
        .map(|(_, demand, supply)| (demand - supply).abs())
        .min();
    all.retain(|(_, demand, supply)| Some((demand - supply).abs()) == imbalance);
    let Some(lowest) = all.iter().min().copied() else {
        return NOTHING;
    };
    let chosen = if all.iter().all(|(_, demand, supply)| demand > supply) {
        all.iter().max().copied().unwrap_or(lowest)
    } else if all.iter().all(|(_, demand, supply)| demand < supply) || reference == 0 {
        lowest
    } else {
        let nearest = all
            .iter()
            .min_by_key(|one| ((one.0 - reference).abs(), -one.0));
        *nearest.unwrap_or(&lowest)
    };
    let (price, demand, supply) = chosen;
    let side = if demand >= supply { Buy } else { Sell };
    let units = |units: i64| u32::try_from(units).expect("few units");
    (
        price,
        units(demand.min(supply)),
        units((demand - supply).abs()),
        side,
    )
}

/// Books with few prices, so that many of them tie.
fn orders() -> impl Strategy<Value = Vec<Order>> {
    let side = prop_oneof![Just(Buy), Just(Sell)];
    let price = prop_oneof![1 => Just(MARKET), 7 => 95_i64..107];
    prop::collection::vec((side, 1_u32..5, price), 0..12)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn the_price_is_that_of_looking_at_every_candidate(
        reference in prop_oneof![1 => Just(0_i64), 2 => 95_i64..107],
        orders in orders(),
    ) {
        let mut rig = called(FEW, reference, &orders);
        let found = cross_of(&rig.apply(indicate())[0]);
        prop_assert_eq!(found, price_by_rule(reference, &orders));
        let uncrossed = rig.apply(state(MarketState::Continuous))[0];
        prop_assert_eq!(cross_of(&uncrossed), found);
        assert_uncrossed(&rig);
    }
}

#[test]
fn an_auction_trades_pair_by_pair_at_one_price() {
    let mut rig = called(
        FEW,
        0,
        &[
            (Buy, 4, 100),
            (Buy, 3, MARKET),
            (Sell, 2, 98),
            (Sell, 7, 100),
            (Buy, 1, 99),
        ],
    );
    assert_eq!(
        answers(&mut rig, state(MarketState::Continuous)),
        [
            "Uncrossed 0:0 7@100 left 2",
            "Executed 1:2 2@100 left 1 maker booked auction",
            "Executed 1:3 2@100 left 0 maker booked auction",
            "Executed 1:2 1@100 left 0 maker booked auction",
            "Executed 1:4 1@100 left 6 maker booked auction",
            "Executed 1:1 4@100 left 0 maker booked auction",
            "Executed 1:4 4@100 left 2 maker booked auction",
            "StateChanged 0:0 3@100 left 2",
        ]
    );
    assert_eq!(rig.engine.best(1, Buy), Some((99, 1)));
    assert_eq!(rig.engine.best(1, Sell), Some((100, 2)));
}

#[test]
fn icebergs_and_hidden_orders_trade_as_deep_as_they_show() {
    let mut rig = called(FEW, 0, &[(Buy, 3, 100)]);
    rig.apply(Command {
        old_user_ref: 2,
        ..extra()
    });
    rig.apply(day(2, Buy, 5, 100));
    rig.apply(Command {
        flags: EXTRA_HIDDEN,
        ..extra()
    });
    rig.apply(day(3, Sell, 7, 100));
    assert_eq!(
        answers(&mut rig, state(MarketState::Continuous)),
        [
            "Uncrossed 0:0 7@100 left 1",
            "Executed 1:1 3@100 left 0 maker booked auction",
            "Executed 1:3 3@100 left 4 maker booked hidden auction",
            "Executed 1:2 2@100 left 3 maker booked auction",
            "Executed 1:3 2@100 left 2 maker booked hidden auction",
            "Refreshed 1:2 2@100 left 3 booked",
            "Executed 1:2 2@100 left 1 maker booked auction",
            "Executed 1:3 2@100 left 0 maker booked hidden auction",
            "Refreshed 1:2 1@100 left 1 booked",
            "StateChanged 0:0 3@100 left 2",
        ]
    );
}

#[test]
fn a_long_auction_is_cut_into_steps() {
    let limits = Limits {
        orders: 2_000,
        price_groups: 64,
        ..FEW
    };
    let levels: i64 = 700;
    let mut orders = Vec::new();
    for price in 0..levels {
        orders.push((Buy, 1, 100 * (2_000 + price)));
        orders.push((Sell, 1, 100 * (1_000 + price)));
    }
    let mut rig = called(limits, 0, &orders);
    rig.apply(indicate());
    assert!(rig.steps > 1, "{} steps", rig.steps);
    let events = rig.apply(state(MarketState::Continuous));
    assert_eq!(events[0].quantity, 700);
    assert_eq!(events.len(), 2 * 700 + 2);
    assert!(
        rig.steps > 1_400 / matching::EVENTS_MAX,
        "{} steps",
        rig.steps
    );
    assert_eq!(rig.engine.live_orders(), 0);
}
