//! All-or-none and market-to-limit orders, through the public face.

mod common;

use common::{ROOMY, Rig, answers, cancel, day, of, replace};
use matching::WHOLE_MAX;
use wire::ring::Side::{Buy, Sell};
use wire::ring::{
    Command, CommandKind, EXTRA_ALL_OR_NONE, EXTRA_TO_LIMIT, Event, EventKind, PRICE_MARKET, Side,
};

fn flags(flags: u8) -> Command {
    Command {
        session: 1,
        flags,
        ..of(CommandKind::Extra)
    }
}

/// An order of session 2.
fn other(user_ref: u32, side: Side, quantity: u32, price: i64) -> Command {
    Command {
        session: 2,
        ..day(user_ref, side, quantity, price)
    }
}

#[test]
fn it_waits_until_there_are_enough_units_and_nobody_trades_with_it() {
    let mut rig = Rig::open(ROOMY);
    rig.apply(other(1, Sell, 4, 100));
    rig.apply(flags(EXTRA_ALL_OR_NONE));
    let said = answers(&mut rig, day(1, Buy, 9, 105));
    assert_eq!(said, ["Accepted 1:1 9@105 left 9 parked"]);
    let said = answers(&mut rig, other(2, Sell, 4, 105));
    assert_eq!(said, ["Accepted 2:2 4@105 left 4 booked"]);
    let said = answers(&mut rig, other(3, Sell, 1, 104));
    assert_eq!(
        said,
        [
            "Accepted 2:3 1@104 left 1 booked",
            "Triggered 1:1 9@105 left 9",
            "Executed 2:1 4@100 left 0 maker booked",
            "Executed 1:1 4@100 left 5",
            "Executed 2:3 1@104 left 0 maker booked",
            "Executed 1:1 1@104 left 4",
            "Executed 2:2 4@105 left 0 maker booked",
            "Executed 1:1 4@105 left 0",
        ]
    );
    assert_eq!(rig.engine.live_orders(), 0);
}

#[test]
fn it_is_tried_again_when_it_needs_fewer_units() {
    let mut rig = Rig::open(ROOMY);
    rig.apply(other(1, Sell, 4, 100));
    rig.apply(flags(EXTRA_ALL_OR_NONE));
    rig.apply(day(1, Buy, 9, 100));
    let said = answers(&mut rig, cancel(1, 4));
    assert_eq!(
        said[..2],
        [
            "Reduced 1:1 5@100 left 4 parked User",
            "Triggered 1:1 4@100 left 4"
        ]
    );
    assert_eq!((said.len(), rig.engine.live_orders()), (4, 0));
}

#[test]
fn units_of_its_own_account_do_not_count_when_it_would_not_trade_with_them() {
    let mut rig = Rig::new(ROOMY);
    rig.apply(Command {
        symbol: 1,
        ..of(CommandKind::DefineSymbol)
    });
    for session in [1, 2] {
        let letters = [2, 0, 0, 0];
        let account = u32::from(session != 1);
        rig.apply(Command {
            session,
            letters,
            user_ref: account,
            ..of(CommandKind::DefineSession)
        });
    }
    rig.apply(of(CommandKind::OpenDay));
    rig.apply(day(1, Sell, 5, 100));
    rig.apply(other(1, Sell, 5, 100));
    rig.apply(flags(EXTRA_ALL_OR_NONE));
    let said = answers(&mut rig, day(2, Buy, 6, 100));
    assert_eq!(said, ["Accepted 1:2 6@100 left 6 parked"]);
    rig.apply(flags(EXTRA_ALL_OR_NONE));
    let said = answers(&mut rig, replace(2, 3, 5, 100));
    assert_eq!(
        said,
        [
            "Replaced 1:3 5@100 left 5 old hidden",
            "Canceled 1:1 5@100 left 0 booked SelfTrade",
            "Executed 2:1 5@100 left 0 maker booked",
            "Executed 1:3 5@100 left 0",
        ]
    );
}

#[test]
fn the_oldest_that_can_trade_comes_first_and_a_look_is_cut_into_steps() {
    let mut rig = Rig::open(ROOMY);
    for user_ref in 1..=WHOLE_MAX {
        rig.apply(flags(EXTRA_ALL_OR_NONE));
        rig.apply(day(user_ref, Buy, if user_ref == 1 { 50 } else { 3 }, 100));
    }
    let events = rig.apply(other(1, Sell, 7, 100));
    let triggered = events
        .iter()
        .filter(|event| event.kind == EventKind::Triggered as u8);
    assert_eq!(
        triggered.map(|event| event.user_ref).collect::<Vec<_>>(),
        [2, 3]
    );
    assert!(events.last().is_some_and(|event| event.has(Event::LAST)));
    assert!(rig.steps > 1, "{} steps", rig.steps);
    assert_eq!(rig.engine.best(1, Sell), Some((100, 1)));
}

#[test]
fn no_more_than_64_wait_in_a_symbol() {
    assert_eq!(WHOLE_MAX, 64);
    let mut rig = Rig::open(ROOMY);
    let mut whole = |command| {
        rig.apply(flags(EXTRA_ALL_OR_NONE));
        answers(&mut rig, command)
    };
    for user_ref in 1..=64 {
        let said = whole(day(user_ref, Buy, 9, 100));
        assert_eq!(said, [format!("Accepted 1:{user_ref} 9@100 left 9 parked")]);
    }
    let in_symbol_2 = Command {
        symbol: 2,
        ..day(66, Buy, 9, 100)
    };
    let said = [
        whole(day(65, Buy, 9, 100)),
        whole(day(65, Sell, 9, 101)),
        whole(replace(64, 65, 8, 100)),
        whole(in_symbol_2),
        whole(day(67, Buy, 9, PRICE_MARKET)),
    ];
    let expected: [&[&str]; 5] = [
        &["Rejected 1:65 9@100 left 0 PoolFull"],
        &["Rejected 1:65 9@101 left 0 PoolFull"],
        &["Replaced 1:65 8@100 left 8 old hidden parked"],
        &["Accepted 1:66 9@100 left 9 parked"],
        &[
            "Accepted 1:67 9@2000000000 left 9",
            "Canceled 1:67 9@2000000000 left 0 MinimumQuantity",
        ],
    ];
    assert_eq!(said.each_ref().map(Vec::as_slice), expected);
    // It would trade at once; then one leaves.
    rig.apply(other(1, Sell, 1, 200));
    for (command, kind) in [
        (day(68, Buy, 1, 200), EventKind::Rejected),
        (cancel(1, 0), EventKind::Canceled),
        (day(68, Buy, 1, 200), EventKind::Accepted),
    ] {
        rig.apply(flags(EXTRA_ALL_OR_NONE));
        assert_eq!(rig.apply(command)[0].kind, kind as u8, "{command:?}");
    }
}

#[test]
fn a_market_order_takes_the_best_price_as_its_limit() {
    let mut rig = Rig::open(ROOMY);
    rig.apply(flags(EXTRA_TO_LIMIT));
    let said = answers(&mut rig, day(1, Buy, 5, PRICE_MARKET));
    assert_eq!(said, ["Rejected 1:1 5@2000000000 left 0 NoLiquidity"]);
    rig.apply(other(1, Sell, 2, 100));
    rig.apply(other(2, Sell, 2, 101));
    rig.apply(flags(EXTRA_TO_LIMIT));
    let said = answers(&mut rig, day(1, Buy, 5, PRICE_MARKET));
    assert_eq!(
        said,
        [
            "Accepted 1:1 5@100 left 5",
            "Executed 2:1 2@100 left 0 maker booked",
            "Executed 1:1 2@100 left 3",
            "Booked 1:1 3@100 left 3 booked",
        ]
    );
}
