//! Price bands: the edges, what stays within them, and the limit state.

mod common;

use common::{Rig, answers, cancel, day, ioc, of, replace};
use matching::Limits;
use wire::ring::Side::{self, Buy, Sell};
use wire::ring::{
    Command, CommandKind, Condition, EXTRA_POST_ONLY, EventKind, MarketState, PRICE_MARKET,
};

/// Room for the books here.
const FEW: Limits = Limits {
    symbols: 3,
    sessions: 3,
    orders: 64,
    special: 64,
    price_groups: 16,
    accounts: 3,
};

/// Nanoseconds of a millisecond.
const MS: u64 = 1_000_000;

/// Puts symbol 1 into a state; the reference price is given, too.
fn state(state: MarketState, reference: i64) -> Command {
    Command {
        symbol: 1,
        flags: state as u8,
        price: reference,
        ..of(CommandKind::SetState)
    }
}

/// Bands of symbol 1: widths in 1/10,000, times in milliseconds.
fn bands(fixed: u32, dynamic: u32, limit_ms: u32, auction_ms: i64) -> Command {
    Command {
        symbol: 1,
        quantity: fixed,
        old_user_ref: dynamic,
        user_ref: limit_ms,
        price: auction_ms,
        ..of(CommandKind::SetBands)
    }
}

/// An engine whose symbol 1 has these bands, and traded at a price.
fn banded(bands: Command, traded: i64) -> Rig {
    let mut rig = Rig::open(FEW);
    rig.apply(bands);
    rig.apply(day(1, Buy, 1, traded));
    rig.apply(ioc(1, Sell, 1, traded));
    rig
}

/// What the next order of session 1 asks, all else zero.
fn extra() -> Command {
    Command {
        session: 1,
        ..of(CommandKind::Extra)
    }
}

/// A command that only tells the time.
fn time(rig: &mut Rig, time_ns: u64) -> Vec<String> {
    rig.sequence = time_ns - 1;
    answers(rig, of(CommandKind::Time))
}

#[test]
fn a_static_band_refuses_limits_beyond_its_edges() {
    // Reference, width, tick, lower and upper edge.
    let cases = [
        (1_000, 100, 1, 990, 1_010),
        // The cut is a whole number, and edges move towards the reference.
        (1_099, 100, 1, 1_089, 1_109),
        (1_000, 250, 10, 980, 1_020),
        (1_000, 10_000, 1, 1, 2_000),
        (1_000, 1, 1, 1_000, 1_000),
    ];
    for (reference, width, tick, lower, upper) in cases {
        let mut rig = Rig::new(FEW);
        rig.apply(Command {
            symbol: 1,
            price: tick,
            ..of(CommandKind::DefineSymbol)
        });
        rig.apply(Command {
            session: 1,
            ..of(CommandKind::DefineSession)
        });
        rig.apply(of(CommandKind::OpenDay));
        rig.apply(state(MarketState::Continuous, reference));
        rig.apply(bands(width, 0, 0, 0));
        let orders = [
            (Buy, upper, true),
            (Buy, upper + tick, false),
            (Sell, lower, true),
            (Sell, lower - tick, lower == 1),
            // The other way every limit is good.
            (Buy, tick, true),
            (Sell, PRICE_MARKET - 10, true),
        ];
        for (user_ref, (side, price, is_good)) in (1..).zip(orders) {
            if price == 0 {
                continue;
            }
            let events = rig.apply(day(user_ref, side, 1, price));
            let refused = answers_price_band(&events);
            assert_eq!(refused, !is_good, "{reference} {width}: {side:?} {price}");
        }
    }
}

fn answers_price_band(events: &[wire::ring::Event]) -> bool {
    events
        .iter()
        .any(|event| event.reason == wire::ring::Reason::PriceBand as u8)
}

#[test]
fn a_static_band_follows_the_reference_price_and_holds_while_there_is_trading() {
    let mut rig = Rig::open(FEW);
    rig.apply(bands(100, 0, 0, 0));
    // No reference, no band.
    assert_eq!(
        answers(&mut rig, day(1, Buy, 1, 2_000)),
        ["Accepted 1:1 1@2000 left 1 booked"]
    );
    rig.apply(state(MarketState::PreOpen, 1_000));
    assert_eq!(
        answers(&mut rig, day(2, Buy, 1, 2_000)),
        ["Accepted 1:2 1@2000 left 1 booked"]
    );
    rig.apply(state(MarketState::Continuous, 0));
    assert_eq!(
        answers(&mut rig, replace(2, 3, 1, 1_011)),
        ["Rejected 1:3 1@1011 left 0 PriceBand"]
    );
    assert_eq!(
        answers(&mut rig, replace(2, 3, 1, 1_010)),
        ["Replaced 1:3 1@1010 left 1 booked"]
    );
}

#[test]
fn no_order_trades_beyond_the_dynamic_edges() {
    // Lots of sells around the upper edge of 1,010.
    let sells: [(Side, i64); 3] = [(Sell, 1_005), (Sell, 1_010), (Sell, 1_011)];
    let cases: [(Command, &[&str]); 3] = [
        (
            day(20, Buy, 9, 1_500),
            &[
                "Accepted 1:20 9@1010 left 9",
                "Executed 1:2 2@1005 left 0 maker booked",
                "Executed 1:20 2@1005 left 7",
                "Executed 1:3 2@1010 left 0 maker booked",
                "Executed 1:20 2@1010 left 5",
                "Booked 1:20 5@1010 left 5 booked",
            ],
        ),
        (
            ioc(20, Buy, 9, 1_500),
            &[
                "Accepted 2:20 9@1500 left 9",
                "Executed 1:2 2@1005 left 0 maker booked",
                "Executed 2:20 2@1005 left 7",
                "Executed 1:3 2@1010 left 0 maker booked",
                "Executed 2:20 2@1010 left 5",
                "Canceled 2:20 5@1500 left 0 ImmediateOrCancel",
            ],
        ),
        (
            day(20, Buy, 9, PRICE_MARKET),
            &[
                "Accepted 1:20 9@2000000000 left 9",
                "Executed 1:2 2@1005 left 0 maker booked",
                "Executed 1:20 2@1005 left 7",
                "Executed 1:3 2@1010 left 0 maker booked",
                "Executed 1:20 2@1010 left 5",
                "Canceled 1:20 5@2000000000 left 0 ImmediateOrCancel",
            ],
        ),
    ];
    for (command, expected) in cases {
        let mut rig = banded(bands(0, 100, 0, 0), 1_000);
        for (user_ref, (side, price)) in (2..).zip(sells) {
            rig.apply(day(user_ref, side, 2, price));
        }
        assert_eq!(answers(&mut rig, command), expected);
    }
}

/// A peg may trade off the tick, and then no multiple of the tick may be as near.
#[test]
fn edges_are_good_prices_where_prices_end() {
    for (side, tick, cap, offset, edge) in [
        (Buy, 5, [10, 15], 10, 5),
        (
            Sell,
            1_000_000,
            [1_998_000_000, 1_999_000_000],
            1_499_999,
            1_999_000_000,
        ),
    ] {
        let mut rig = Rig::new(FEW);
        for command in [
            Command {
                symbol: 1,
                price: tick,
                ..of(CommandKind::DefineSymbol)
            },
            Command {
                session: 1,
                ..of(CommandKind::DefineSession)
            },
            of(CommandKind::OpenDay),
            bands(0, 2, 0, 0),
            day(1, Buy, 1, cap[0]),
            day(2, Sell, 1, cap[1]),
            extra().with_condition(Condition::MidpointPeg, offset),
            day(3, side, 1, PRICE_MARKET),
            state(MarketState::Reopening, 0),
            day(4, side.opposite(), 2, PRICE_MARKET),
            state(MarketState::Continuous, 0),
        ] {
            rig.apply(command);
        }
        assert_eq!(rig.engine.live_orders(), 1);
        let events = rig.apply(day(5, side, 7, 1_000_000));
        assert_eq!((events[0].price, events[0].leaves), (edge, 7));
        let best = rig.engine.best(1, side);
        assert_eq!(best, Some((edge, 7)), "{events:?}");
    }
}

#[test]
fn a_post_only_order_takes_the_edge_before_it_looks_at_the_book() {
    let mut rig = banded(bands(0, 100, 0, 0), 1_000);
    rig.apply(day(2, Sell, 2, 1_011));
    rig.apply(Command {
        flags: EXTRA_POST_ONLY,
        ..extra()
    });
    assert_eq!(
        answers(&mut rig, day(3, Buy, 1, 1_500)),
        ["Accepted 1:3 1@1010 left 1 booked"]
    );
}

#[test]
fn units_beyond_the_edge_count_for_no_minimum() {
    let mut rig = banded(bands(0, 100, 0, 0), 1_000);
    rig.apply(day(2, Sell, 2, 1_010));
    rig.apply(day(3, Sell, 2, 1_011));
    rig.apply(Command {
        quantity: 3,
        ..extra()
    });
    assert_eq!(
        answers(&mut rig, day(4, Buy, 4, 1_500)),
        [
            "Accepted 1:4 4@1010 left 4",
            "Canceled 1:4 4@1010 left 0 MinimumQuantity"
        ]
    );
}

#[test]
fn the_dynamic_reference_lasts_for_half_a_minute() {
    let trades = [
        // Time of a trade at 1,005, and the edge thereafter.
        (29_999 * MS, 1_010),
        (30_000 * MS, 1_015),
        (31_000 * MS, 1_015),
    ];
    for (later_ns, upper) in trades {
        let mut rig = banded(bands(0, 100, 0, 0), 1_000);
        rig.sequence += later_ns - 1;
        rig.apply(day(2, Buy, 1, 1_005));
        rig.sequence -= 1;
        rig.apply(ioc(2, Sell, 1, 1_005));
        let accepted = rig.apply(day(3, Buy, 1, 1_500));
        assert_eq!(accepted[0].price, upper, "{later_ns}");
    }
}

#[test]
fn what_traded_before_the_first_bands_is_no_reference() {
    let mut rig = Rig::open(FEW);
    rig.apply(day(1, Buy, 1, 1_000));
    rig.apply(ioc(1, Sell, 1, 1_000));
    rig.apply(bands(0, 100, 0, 0));
    assert_eq!(rig.apply(day(2, Buy, 1, 1_500))[0].price, 1_500);
}

#[test]
fn a_best_price_at_the_edge_limits_the_symbol_until_it_goes() {
    let mut rig = banded(bands(0, 100, 5, 0), 1_000);
    let at_ns = rig.sequence + 1;
    let events = rig.apply(day(2, Buy, 3, 1_500));
    assert_eq!((events[1].quantity, events[1].leaves), (9, 3));
    assert_eq!(events[1].related, at_ns + 5 * MS);
    assert_eq!(
        answers(&mut rig, ioc(2, Sell, 1, PRICE_MARKET)),
        [
            "Accepted 2:2 1@2000000000 left 1",
            "Executed 1:2 1@1010 left 2 maker booked",
            "Executed 2:2 1@1010 left 0",
        ]
    );
    assert_eq!(
        answers(&mut rig, cancel(2, 0)),
        [
            "Canceled 1:2 2@1010 left 0 booked User",
            "StateChanged 0:0 3@0 left 9"
        ]
    );
    // The timer is gone with the state.
    assert_eq!(time(&mut rig, at_ns + 5 * MS), ["Noted 0:0 0@0 left 0"]);
}

#[test]
fn the_limit_state_begins_at_either_edge_and_with_bands_that_are_set() {
    // A side and price that rests, and whether the symbol is in the limit state then.
    let cases = [
        (Buy, 1_009, false),
        (Buy, 1_010, true),
        (Sell, 991, false),
        (Sell, 990, true),
    ];
    for (side, price, is_limited) in cases {
        let expected: &[&str] = if is_limited {
            &["StateChanged 0:0 9@0 left 3"]
        } else {
            &[]
        };
        let mut rig = banded(bands(0, 100, 5, 0), 1_000);
        assert_eq!(answers(&mut rig, day(2, side, 3, price))[1..], *expected);
        let mut rig = banded(bands(0, 0, 5, 0), 1_000);
        assert_eq!(answers(&mut rig, day(2, side, 3, price)).len(), 1);
        let said = answers(&mut rig, bands(0, 100, 5, 0));
        assert_eq!(said[1..], *expected, "{side:?} {price}");
    }
}

#[test]
fn an_operator_ends_the_limit_state_without_an_auction() {
    for to in [MarketState::Continuous, MarketState::Halt] {
        let mut rig = banded(bands(0, 100, 5, 7), 1_000);
        rig.apply(day(2, Buy, 3, 1_500));
        let at_ns = rig.sequence + 1;
        let said = answers(&mut rig, state(to, 0));
        let is_back = to == MarketState::Continuous;
        let mut expected = vec![format!("StateChanged 0:0 {}@0 left 9", to as u8)];
        if is_back {
            // The buy is at the edge as before, and the time begins anew.
            expected.push("StateChanged 0:0 9@0 left 3".to_owned());
        }
        assert_eq!(said, expected);
        let ended = time(&mut rig, at_ns + 5 * MS);
        assert_eq!(ended.len(), if is_back { 2 } else { 1 }, "{ended:?}");
    }
}

#[test]
fn a_limit_state_ends_in_an_auction_which_ends_by_itself() {
    let mut rig = banded(bands(0, 100, 5, 7), 1_000);
    let from_ns = rig.sequence + 1;
    rig.apply(day(2, Buy, 3, 1_500));
    rig.apply(day(3, Sell, 3, 1_020));
    assert_eq!(
        time(&mut rig, from_ns + 5 * MS - 1),
        ["Noted 0:0 0@0 left 0"]
    );
    assert_eq!(
        time(&mut rig, from_ns + 5 * MS),
        ["StateChanged 0:0 5@0 left 9", "Noted 0:0 0@0 left 0"]
    );
    // In the auction a buy at any price meets the sell.
    assert_eq!(
        answers(&mut rig, day(4, Buy, 2, PRICE_MARKET)),
        ["Accepted 1:4 2@2000000000 left 2 booked"]
    );
    assert_eq!(
        time(&mut rig, from_ns + 12 * MS),
        [
            "Uncrossed 0:0 2@1020 left 1",
            "Executed 1:4 2@1020 left 0 maker booked auction",
            "Executed 1:3 2@1020 left 1 maker booked auction",
            "StateChanged 0:0 3@1020 left 5",
            "Noted 0:0 0@0 left 0",
        ]
    );
    // The uncross is the new reference.
    assert_eq!(rig.apply(day(5, Buy, 1, 1_500))[0].price, 1_030);
}

#[test]
fn timers_run_out_by_time_then_number() {
    let mut rig = Rig::open(FEW);
    for symbol in 1..=3 {
        let first = 10 * u32::from(symbol);
        let limit_ms = if symbol == 3 { 1 } else { 2 };
        for command in [
            bands(0, 100, limit_ms, 0),
            day(first, Buy, 1, 1_000),
            ioc(first, Sell, 1, 1_000),
        ] {
            rig.apply(Command { symbol, ..command });
        }
    }
    // The first two of them at one time, and the last one later, for a shorter time.
    let now = rig.sequence;
    for (symbol, later_ns) in [(2, 0), (1, 0), (3, 5)] {
        rig.sequence = now + later_ns;
        let events = rig.apply(Command {
            symbol,
            ..day(
                100 - u32::from(symbol) + 10 * later_ns as u32,
                Buy,
                1,
                1_500,
            )
        });
        assert_eq!(events[1].kind, EventKind::StateChanged as u8, "{events:?}");
    }
    rig.sequence += 10 * MS;
    let events = rig.apply(of(CommandKind::Time));
    let symbols: Vec<u16> = events.iter().map(|event| event.symbol).collect();
    assert_eq!(symbols, [3, 1, 2, 0]);
}

#[test]
fn bands_are_refused_for_a_reason() {
    let mut rig = Rig::open(FEW);
    for (command, reason) in [
        (
            Command {
                symbol: 4,
                ..bands(1, 1, 1, 1)
            },
            "UnknownSymbol",
        ),
        (
            Command {
                symbol: 0,
                ..bands(1, 1, 1, 1)
            },
            "UnknownSymbol",
        ),
        (bands(10_001, 0, 0, 0), "InvalidField"),
        (bands(0, 10_001, 0, 0), "InvalidField"),
        (bands(0, 0, 0, -1), "InvalidField"),
        (bands(0, 0, 0, 1 << 32), "InvalidField"),
    ] {
        let said = answers(&mut rig, command);
        assert!(
            said[0].starts_with("Refused") && said[0].ends_with(reason),
            "{said:?}"
        );
    }
    let said = answers(&mut rig, bands(10_000, 10_000, u32::MAX, (1 << 32) - 1));
    assert!(said[0].starts_with("Configured"), "{said:?}");
}
