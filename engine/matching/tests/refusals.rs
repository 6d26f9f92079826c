//! What is wrong, or has no room, is refused with its reason; all else goes on.

mod common;

use common::{Rig, SMALL, answers, cancel, day, ioc, of, replace, say};
use matching::{Engine, LimitError, Limits, Line};
use wire::ring::Side::{Buy, Sell};
use wire::ring::{Command, CommandKind, QUANTITY_MAX};

#[test]
fn a_full_pool_refuses_what_would_rest_and_nothing_else() {
    let mut rig = Rig::open(SMALL);
    for user_ref in 1..=4 {
        rig.apply(day(user_ref, Buy, 10, 100));
    }
    let full = answers(&mut rig, day(5, Buy, 10, 100));
    assert_eq!(full, ["Rejected 1:5 10@100 left 0 PoolFull"]);
    let full = answers(
        &mut rig,
        Command {
            symbol: 2,
            ..day(5, Sell, 10, 100)
        },
    );
    assert_eq!(full, ["Rejected 1:5 10@100 left 0 PoolFull"]);
    // The reference is still free; replacing and trading need no further record.
    assert_eq!(
        answers(&mut rig, replace(1, 5, 10, 200)),
        ["Replaced 1:5 10@200 left 10 booked"]
    );
    let trade = answers(
        &mut rig,
        Command {
            session: 2,
            ..day(1, Sell, 15, 150)
        },
    );
    assert_eq!(
        trade.last().map(String::as_str),
        Some("Booked 2:1 5@150 left 5 booked")
    );
    assert_eq!(rig.engine.live_orders(), 4);
    assert_eq!(answers(&mut rig, ioc(2, Sell, 5, 100)).len(), 3);
    rig.apply(cancel(2, 0));
    let room = answers(&mut rig, day(6, Buy, 1, 100));
    assert_eq!(room, ["Accepted 1:6 1@100 left 1 booked"]);
}

#[test]
fn a_full_ladder_refuses_new_groups_and_nothing_else() {
    let mut rig = Rig::open(SMALL);
    rig.apply(day(1, Buy, 1, 100));
    rig.apply(day(2, Buy, 1, 1_000_000));
    let full = answers(&mut rig, day(3, Buy, 1, 900_000));
    assert_eq!(full, ["Rejected 1:3 1@900000 left 0 LadderFull"]);
    let full = answers(&mut rig, replace(1, 3, 1, 900_000));
    assert_eq!(full, ["Rejected 1:3 1@900000 left 0 LadderFull"]);
    let near = answers(&mut rig, day(3, Buy, 1, 200));
    assert_eq!(near, ["Accepted 1:3 1@200 left 1 booked"]);
    rig.apply(cancel(2, 0));
    let room = answers(&mut rig, day(4, Buy, 1, 900_000));
    assert_eq!(room, ["Accepted 1:4 1@900000 left 1 booked"]);
    assert_eq!(rig.engine.best(1, Buy), Some((900_000, 1)));
}

#[test]
fn tables_refuse_numbers_beyond_them() {
    let mut rig = Rig::open(SMALL);
    let cases = [
        (
            Command {
                symbol: 4,
                ..of(CommandKind::DefineSymbol)
            },
            "TableFull",
        ),
        (
            Command {
                symbol: 3,
                ..of(CommandKind::DefineSymbol)
            },
            "TableFull",
        ),
        (of(CommandKind::DefineSymbol), "InvalidField"),
        (
            Command {
                session: 4,
                ..of(CommandKind::DefineSession)
            },
            "TableFull",
        ),
        (
            Command {
                session: 1,
                ..of(CommandKind::DefineSession)
            },
            "TableFull",
        ),
        (of(CommandKind::DefineSession), "InvalidField"),
        (
            Command {
                symbol: 4,
                ..day(1, Buy, 1, 100)
            },
            "UnknownSymbol",
        ),
        (
            Command {
                symbol: 0,
                ..day(1, Buy, 1, 100)
            },
            "UnknownSymbol",
        ),
        (
            Command {
                session: 4,
                ..day(1, Buy, 1, 100)
            },
            "UnknownSession",
        ),
        (
            Command {
                session: 0,
                ..day(1, Buy, 1, 100)
            },
            "UnknownSession",
        ),
        (
            Command {
                session: u16::MAX,
                ..cancel(1, 0)
            },
            "UnknownOrder",
        ),
        (
            Command {
                side: 2,
                ..day(1, Buy, 1, 100)
            },
            "InvalidField",
        ),
        (
            Command {
                time_in_force: 4,
                ..day(1, Buy, 1, 100)
            },
            "InvalidField",
        ),
        (day(1, Buy, QUANTITY_MAX + 1, 100), "InvalidQuantity"),
        (day(1, Buy, 1, 0), "InvalidPrice"),
        (day(1, Buy, 1, -1), "InvalidPrice"),
        (day(1, Buy, 1, i64::MIN), "InvalidPrice"),
        (day(1, Buy, 1, wire::ring::PRICE_MARKET + 1), "InvalidPrice"),
        (day(0, Buy, 1, 100), "DuplicateUserRef"),
        (
            Command {
                kind: 99,
                ..day(1, Buy, 1, 100)
            },
            "InvalidField",
        ),
    ];
    for (command, reason) in cases {
        let events = rig.apply(command);
        assert!(say(&events[0]).ends_with(reason), "{command:?}: {events:?}");
        assert_eq!(events[0].order_ref, 0);
    }
    assert_eq!(rig.engine.live_orders(), 0);
}

#[test]
fn limits_out_of_range_and_too_little_memory_are_errors() {
    let good = SMALL;
    let cases = [
        (Limits { symbols: 0, ..good }, "symbols"),
        (
            Limits {
                sessions: 0,
                ..good
            },
            "sessions",
        ),
        (Limits { orders: 0, ..good }, "orders"),
        (
            Limits {
                orders: u32::MAX,
                ..good
            },
            "orders",
        ),
        (Limits { special: 0, ..good }, "special"),
        (
            Limits {
                special: 1 << 20,
                ..good
            },
            "special",
        ),
        (
            Limits {
                price_groups: 0,
                ..good
            },
            "price_groups",
        ),
        (
            Limits {
                price_groups: 1 << 22,
                ..good
            },
            "price_groups",
        ),
    ];
    for (limits, field) in cases {
        let error = Engine::new(limits, &mut [])
            .err()
            .map(|error| error.to_string());
        assert!(
            error.is_some_and(|error| error.contains(field)),
            "{limits:?}"
        );
    }
    let needed = good.lines();
    let mut memory = vec![Line::ZERO; needed - 1];
    let error = Engine::new(good, &mut memory).err();
    assert_eq!(
        error,
        Some(LimitError::TooFewLines {
            needed,
            given: needed - 1
        })
    );
}
