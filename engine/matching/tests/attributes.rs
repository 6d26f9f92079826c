//! Orders that are not plain: what an `Extra` ahead of them does.

mod common;

#[path = "common/limits.rs"]
mod limits;

use common::{ROOMY, Rig, answers, day, ioc, of, replace};
use flow::Naive;
use flow::hostile::Hostile;
use flow::naive::{Lack, OFFERED};
use limits::LIMITS;
use matching::Step;
use wire::ring::Side::{Buy, Sell};
use wire::ring::{Command, CommandKind, EXTRA_HIDDEN, EXTRA_POST_ONLY, EXTRA_SLIDE, Reason, Side};

/// What session 1 asks for its next order.
fn extra() -> Command {
    Command {
        session: 1,
        ..of(CommandKind::Extra)
    }
}

fn flags(flags: u8) -> Command {
    Command { flags, ..extra() }
}

fn minimum(quantity: u32) -> Command {
    Command {
        quantity,
        ..extra()
    }
}

/// An order of session 2.
fn other(user_ref: u32, side: Side, quantity: u32, price: i64) -> Command {
    Command {
        session: 2,
        ..day(user_ref, side, quantity, price)
    }
}

/// Applies commands and says what came of the last of them.
fn last(rig: &mut Rig, commands: impl IntoIterator<Item = Command>) -> Vec<String> {
    let each = commands.into_iter().map(|command| answers(rig, command));
    each.last().unwrap_or_default()
}

#[test]
fn a_minimum_is_met_or_the_order_leaves() {
    let mut rig = Rig::open(ROOMY);
    rig.apply(other(1, Sell, 3, 100));
    rig.apply(other(2, Sell, 4, 200));
    assert_eq!(
        last(&mut rig, [minimum(8), day(1, Buy, 9, 200)]),
        [
            "Accepted 1:1 9@200 left 9",
            "Canceled 1:1 9@200 left 0 MinimumQuantity"
        ]
    );
    assert_eq!(rig.engine.live_orders(), 2);
    assert_eq!(last(&mut rig, [minimum(7), day(2, Buy, 9, 200)]).len(), 6);
    assert_eq!(rig.engine.best(1, Buy), Some((200, 2)));
}

#[test]
fn a_minimum_is_looked_for_in_bounded_steps() {
    for (levels, is_met) in [(1_000, true), (999, false), (256, false), (255, false)] {
        let mut rig = Rig::open(ROOMY);
        for level in 1..=levels {
            rig.apply(other(
                level,
                Sell,
                1,
                100 * i64::from(level) + i64::from(level % 2),
            ));
        }
        rig.apply(minimum(1_000));
        let events = rig.apply(day(1, Buy, 1_000, 1_000_000));
        assert!(rig.steps > levels as usize / 256);
        assert_eq!(events.len(), if is_met { 2_001 } else { 2 }, "{levels}");
    }
}

#[test]
fn post_only_orders_keep_off_the_other_side() {
    let mut rig = Rig::open(ROOMY);
    rig.apply(other(1, Sell, 3, 101));
    let post_only = flags(EXTRA_POST_ONLY);
    let slide = flags(EXTRA_POST_ONLY | EXTRA_SLIDE);
    assert_eq!(
        last(&mut rig, [post_only, day(1, Buy, 1, 101)]),
        ["Rejected 1:1 1@101 left 0 WouldTrade"]
    );
    assert_eq!(
        last(&mut rig, [post_only, day(1, Buy, 1, 100)]),
        ["Accepted 1:1 1@100 left 1 booked"]
    );
    assert_eq!(
        last(&mut rig, [slide, replace(1, 2, 4, 500)]),
        ["Replaced 1:2 4@100 left 4 booked"]
    );
    rig.apply(other(2, Sell, 1, 1_900_000_000));
    rig.apply(other(3, Buy, 3, 101));
    rig.apply(other(4, Sell, 4, 1));
    rig.apply(other(5, Sell, 1, 1));
    assert_eq!(
        last(&mut rig, [slide, day(3, Buy, 1, 500)]),
        ["Rejected 1:3 1@500 left 0 WouldTrade"]
    );
}

#[test]
fn hidden_orders_say_so_until_they_are_replaced() {
    let mut rig = Rig::open(ROOMY);
    assert_eq!(
        last(&mut rig, [flags(EXTRA_HIDDEN), day(1, Buy, 5, 100)]),
        ["Accepted 1:1 5@100 left 5 booked hidden"]
    );
    assert_eq!(
        last(&mut rig, [ioc(1, Sell, 2, 100)])[1..],
        [
            "Executed 1:1 2@100 left 3 maker booked hidden",
            "Executed 2:1 2@100 left 0"
        ]
    );
    assert_eq!(
        last(&mut rig, [replace(1, 2, 9, 100)]),
        ["Replaced 1:2 7@100 left 7 booked old hidden"]
    );
}

fn displayed(quantity: u32) -> Command {
    Command {
        old_user_ref: quantity,
        ..extra()
    }
}

#[test]
fn an_iceberg_shows_its_tip_and_loses_its_place_with_it() {
    let mut rig = Rig::open(ROOMY);
    assert_eq!(
        last(&mut rig, [displayed(3), day(1, Sell, 8, 100)]),
        ["Accepted 1:1 3@100 left 8 booked"]
    );
    rig.apply(other(1, Sell, 2, 100));
    let events = rig.apply(Command {
        session: 3,
        ..day(1, Buy, 11, 100)
    });
    let said: Vec<String> = events.iter().map(common::say).collect();
    assert_eq!(
        said,
        [
            "Accepted 3:1 11@100 left 11",
            "Executed 1:1 3@100 left 5 maker booked",
            "Executed 3:1 3@100 left 8",
            "Refreshed 1:1 3@100 left 5 booked",
            "Executed 2:1 2@100 left 0 maker booked",
            "Executed 3:1 2@100 left 6",
            "Executed 1:1 3@100 left 2 maker booked",
            "Executed 3:1 3@100 left 3",
            "Refreshed 1:1 2@100 left 2 booked",
            "Executed 1:1 2@100 left 0 maker booked",
            "Executed 3:1 2@100 left 1",
            "Booked 3:1 1@100 left 1 booked",
        ]
    );
    let refreshes = [3, 8].map(|at| (events[at].related, events[at].order_ref));
    assert_eq!(refreshes, [(1, 4), (4, 5)]);
}

#[test]
fn a_reduction_takes_held_back_units_first() {
    let mut rig = Rig::open(ROOMY);
    last(&mut rig, [displayed(4), day(1, Buy, 10, 100)]);
    for (total, related, tip) in [(7, 3, 4), (3, 3, 3), (2, 0, 2)] {
        let events = rig.apply(common::cancel(1, total));
        assert_eq!((events[0].leaves, events[0].related), (total, related));
        let mut tips = Vec::new();
        rig.engine.orders(1, Buy, |order| tips.push(order.tip));
        assert_eq!(tips, [tip]);
    }
}

#[test]
fn an_iceberg_that_takes_every_step_ends_rightly() {
    for quantity in 1..=150 {
        let mut rig = Rig::open(ROOMY);
        last(&mut rig, [displayed(1), day(1, Buy, 150, 100)]);
        let events = rig.apply(ioc(1, Sell, quantity, 100));
        let refreshes = quantity - u32::from(quantity == 150);
        assert_eq!(events.len() as u32, 1 + 2 * quantity + refreshes);
        assert_eq!(rig.engine.live_orders(), u32::from(quantity < 150));
    }
}

fn expiry(time_ns: i64) -> Command {
    Command {
        price: time_ns,
        ..extra()
    }
}

#[test]
fn orders_expire_by_time_then_number_in_bounded_steps() {
    let mut rig = Rig::open(ROOMY);
    let mut expected = Vec::new();
    for user_ref in 1..=300 {
        let at = 100_000 + i64::from(user_ref * 7_919 % 40);
        rig.apply(expiry(at));
        let events = rig.apply(day(user_ref, Buy, 1, 100 + i64::from(user_ref % 7)));
        expected.push((at, events[0].order_ref, user_ref));
    }
    // One is cancelled, one traded and one replaced by an order that stays.
    rig.apply(common::cancel(5, 0));
    rig.apply(ioc(1, Sell, 1, 106));
    rig.apply(replace(8, 301, 1, 50));
    expected.retain(|(_, _, user_ref)| ![5, 6, 8].contains(user_ref));
    expected.sort_unstable();
    rig.sequence = 100_017;
    let events = rig.apply(common::cancel(9, 0));
    let (own, expired) = events.split_last().expect("events");
    let told: Vec<u64> = expired.iter().map(|event| event.order_ref).collect();
    let due: Vec<u64> = expected
        .iter()
        .take_while(|(at, ..)| *at <= 100_018)
        .map(|(_, order_ref, _)| *order_ref)
        .collect();
    assert_eq!(told, due);
    assert!(told.len() > 100 && rig.steps > told.len() / matching::EVENTS_MAX);
    assert_eq!(own.user_ref, 9);
    rig.sequence = 200_000;
    rig.apply(of(CommandKind::Time));
    assert_eq!(rig.engine.live_orders(), 1);
}

#[test]
fn an_order_does_not_enter_after_its_time() {
    let mut rig = Rig::open(ROOMY);
    rig.sequence = 999;
    assert_eq!(
        last(&mut rig, [expiry(1_001), day(1, Buy, 1, 100)]),
        ["Rejected 1:1 1@100 left 0 Expired"]
    );
    assert_eq!(
        last(&mut rig, [expiry(1_004), day(1, Buy, 1, 100)]),
        ["Accepted 1:1 1@100 left 1 booked"]
    );
    // It expires before the order that would have met it.
    rig.sequence = 1_003;
    assert_eq!(
        answers(&mut rig, ioc(1, Sell, 1, 100)),
        [
            "Canceled 1:1 1@100 left 0 booked Expired",
            "Accepted 2:1 1@100 left 1",
            "Canceled 2:1 1@100 left 0 ImmediateOrCancel"
        ]
    );
}

#[test]
fn ticks_are_of_symbols() {
    let mut rig = Rig::open(ROOMY);
    for (symbol, tick) in [(4, 5), (5, -1), (6, i64::from(u32::MAX))] {
        rig.apply(Command {
            symbol,
            price: tick,
            ..of(CommandKind::DefineSymbol)
        });
    }
    let orders = [(4, 1, 10), (4, 2, 12), (5, 3, 10), (6, 4, 10)];
    let answers = orders.map(|(symbol, user_ref, price)| {
        let order = Command {
            symbol,
            ..day(user_ref, Buy, 1, price)
        };
        last(&mut rig, [order])
    });
    let expected = [
        "Accepted 1:1 1@10 left 1 booked",
        "Rejected 1:2 1@12 left 0 InvalidPrice",
        "Rejected 1:3 1@10 left 0 UnknownSymbol",
        "Rejected 1:4 1@10 left 0 UnknownSymbol",
    ];
    assert_eq!(answers, expected.map(|answer| vec![answer.to_string()]));
}

/// Sessions 4 and 5 of one account, the first with a self-trade mode, and 5 with an order of 5 to
/// sell at 100, and 3 of it shown; then session 2 with one of 4 at the same price.
fn rig_of_mode(mode: u8) -> Rig {
    let mut rig = Rig::open(ROOMY);
    for (session, mode) in [(4, mode), (5, 0)] {
        rig.apply(Command {
            session,
            user_ref: 77,
            letters: [mode, 0, 0, 0],
            ..of(CommandKind::DefineSession)
        });
    }
    let of_5 = |command| Command {
        session: 5,
        ..command
    };
    last(
        &mut rig,
        [
            of_5(displayed(3)),
            of_5(day(1, Sell, 5, 100)),
            other(1, Sell, 4, 100),
        ],
    );
    rig
}

fn of_4(quantity: u32) -> Command {
    Command {
        session: 4,
        ..day(1, Buy, quantity, 100)
    }
}

#[test]
fn orders_of_one_account_do_not_trade() {
    let gone = "Canceled 5:1 5@100 left 0 booked SelfTrade";
    let cases: [(u8, u32, &[&str]); 6] = [
        (1, 6, &["Canceled 4:1 6@100 left 0 SelfTrade"]),
        (
            2,
            6,
            &[
                gone,
                "Executed 2:1 4@100 left 0 maker booked",
                "Executed 4:1 4@100 left 2",
                "Booked 4:1 2@100 left 2 booked",
            ],
        ),
        (3, 6, &[gone, "Canceled 4:1 6@100 left 0 SelfTrade"]),
        (
            4,
            6,
            &[
                gone,
                "Reduced 4:1 5@100 left 1 SelfTrade",
                "Executed 2:1 1@100 left 3 maker booked",
                "Executed 4:1 1@100 left 0",
            ],
        ),
        (4, 5, &[gone, "Canceled 4:1 5@100 left 0 SelfTrade"]),
        (
            4,
            3,
            &[
                "Reduced 5:1 3@100 left 2 booked SelfTrade",
                "Canceled 4:1 3@100 left 0 SelfTrade",
            ],
        ),
    ];
    for (mode, quantity, expected) in cases {
        let mut rig = rig_of_mode(mode);
        let said = answers(&mut rig, of_4(quantity));
        assert_eq!(
            said[0],
            format!("Accepted 4:1 {quantity}@100 left {quantity}")
        );
        assert_eq!(said[1..], *expected, "mode {mode}, {quantity} units");
    }
    let mut rig = rig_of_mode(0);
    assert_eq!(answers(&mut rig, of_4(9)).len(), 8);
    // A mode that is none: the session is not there.
    let mut rig = rig_of_mode(5);
    assert_eq!(
        answers(&mut rig, of_4(1)),
        ["Rejected 4:1 1@100 left 0 UnknownSession"]
    );
}

#[test]
fn a_minimum_counts_no_orders_of_the_same_account() {
    for (mode, quantity, is_met) in [(0, 9, true), (2, 4, true), (2, 5, false)] {
        let mut rig = rig_of_mode(mode);
        rig.apply(Command {
            session: 4,
            ..minimum(quantity)
        });
        let left = answers(&mut rig, of_4(9)).pop().unwrap_or_default();
        assert_eq!(left.contains("MinimumQuantity"), !is_met, "{left}");
    }
}

#[test]
fn hostile_days_are_answered_as_the_reference_answers() {
    for seed in 1_001..=1_006 {
        let mut rig = Rig::new(LIMITS);
        let mut naive = Naive::new();
        for input in Hostile::new(seed, OFFERED).take(10_000) {
            let mut events = matching::Events::new();
            let mut found = Vec::new();
            let mut step = rig.engine.apply(&input, &mut events);
            found.extend_from_slice(events.as_slice());
            while step == Step::More {
                step = rig.engine.resume(&mut events);
                found.extend_from_slice(events.as_slice());
            }
            let expected = naive.apply_lacking(&input, Lack::told(&found));
            assert_eq!(found, expected, "seed {seed}: {input:?}");
        }
        assert_eq!(rig.engine.live_orders() as usize, naive.live_orders());
    }
}

#[test]
fn an_order_that_the_venue_refused_is_answered_and_changes_nothing_but_what_was_asked_for_it() {
    let refuse = |reason: u8, order: Command| Command {
        kind: CommandKind::Refuse as u8,
        flags: reason,
        ..order
    };
    let full = Reason::DiskFull as u8;
    let mut rig = Rig::open(ROOMY);
    rig.apply(other(1, Sell, 3, 100));
    rig.apply(day(1, Buy, 5, 90));
    assert_eq!(
        last(&mut rig, [minimum(8), refuse(full, day(2, Buy, 9, 200))]),
        ["Rejected 1:2 9@200 left 0 DiskFull"]
    );
    assert_eq!(
        answers(&mut rig, refuse(full, replace(1, 2, 9, 200))),
        ["Rejected 1:2 9@200 left 0 DiskFull"]
    );
    assert_eq!(
        rig.engine.live_orders(),
        2,
        "the order to be replaced stays"
    );
    // The reference is still free, and the next order is a plain one.
    assert_eq!(
        last(&mut rig, [day(2, Buy, 4, 100)])
            .last()
            .map(String::as_str),
        Some("Booked 1:2 1@100 left 1 booked")
    );
    for no_reason in [0, 255] {
        let told = answers(&mut rig, refuse(no_reason, day(3, Buy, 1, 90)));
        assert!(told[0].starts_with("Refused") && told[0].ends_with("InvalidField"));
    }
}
