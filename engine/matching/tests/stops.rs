//! Stops and trailing stops, through the public face.

mod common;

use common::{ROOMY, Rig, SMALL, answers, cancel, day, ioc, of, replace};
use matching::{EVENTS_MAX, Limits};
use wire::ring::Side::{Buy, Sell};
use wire::ring::{Command, CommandKind, Condition, Event, EventKind, PRICE_MARKET, Side};

/// Session 1's next order waits for this.
fn waits(condition: Condition, amount: i32) -> Command {
    Command {
        session: 1,
        ..of(CommandKind::Extra)
    }
    .with_condition(condition, amount)
}

/// An order of session 2.
fn other(user_ref: u32, side: Side, quantity: u32, price: i64) -> Command {
    Command {
        session: 2,
        ..day(user_ref, side, quantity, price)
    }
}

/// Session 3 trades a unit at a price where nobody else stands.
fn tick(rig: &mut Rig, user_ref: u32, price: i64) -> Vec<Event> {
    let by = |command: Command| Command {
        session: 3,
        ..command
    };
    rig.apply(by(day(user_ref, Buy, 1, price)));
    rig.apply(by(ioc(user_ref + 1, Sell, 1, price)))
}

#[test]
fn a_stop_sets_off_the_next_one_in_the_same_input() {
    let mut rig = Rig::open(ROOMY);
    for (user_ref, price) in [(1, 101), (2, 102), (3, 103)] {
        rig.apply(other(user_ref, Sell, 1, price));
    }
    for (user_ref, trigger) in [(1, 102), (2, 101)] {
        rig.apply(waits(Condition::Stop, trigger));
        let said = answers(&mut rig, day(user_ref, Buy, 1, PRICE_MARKET));
        assert_eq!(
            said,
            [format!("Accepted 1:{user_ref} 1@2000000000 left 1 parked")]
        );
    }
    let said = answers(
        &mut rig,
        Command {
            session: 3,
            ..day(1, Buy, 1, 101)
        },
    );
    assert_eq!(
        said,
        [
            "Accepted 3:1 1@101 left 1",
            "Executed 2:1 1@101 left 0 maker booked",
            "Executed 3:1 1@101 left 0",
            "Triggered 1:2 1@2000000000 left 1",
            "Executed 2:2 1@102 left 0 maker booked",
            "Executed 1:2 1@102 left 0",
            "Triggered 1:1 1@2000000000 left 1",
            "Executed 2:3 1@103 left 0 maker booked",
            "Executed 1:1 1@103 left 0",
        ]
    );
    assert_eq!(rig.engine.live_orders(), 0);
}

#[test]
fn ten_thousand_stops_come_to_life_in_bounded_steps_and_in_order() {
    let mut rig = Rig::open(ROOMY);
    for user_ref in 1..=10_000 {
        rig.apply(waits(Condition::Stop, 100 + (user_ref * 7919 % 5) as i32));
        rig.apply(day(user_ref, Buy, 1, 50));
    }
    let mut due: Vec<u32> = (1..=10_000).collect();
    due.sort_by_key(|user_ref| (user_ref * 7919 % 5, *user_ref));
    let events = tick(&mut rig, 1, 200);
    let triggered = events
        .iter()
        .filter(|event| event.kind == EventKind::Triggered as u8);
    let order: Vec<u32> = triggered.map(|event| event.user_ref).collect();
    assert_eq!(order, due);
    assert!(rig.steps >= 10_000 / EVENTS_MAX, "{} steps", rig.steps);
    assert_eq!(rig.engine.best(1, Buy), Some((50, 10_000)));
}

#[test]
fn a_trailing_stop_follows_the_market_one_way_only() {
    let mut rig = Rig::open(ROOMY);
    tick(&mut rig, 1, 1_000);
    rig.apply(waits(Condition::TrailingStop, 10));
    rig.apply(day(1, Sell, 3, 900));
    for (user_ref, price) in [(11, 1_005), (21, 1_020), (31, 1_011), (41, 1_015)] {
        assert_eq!(tick(&mut rig, user_ref, price).len(), 3, "{price}");
    }
    let said: Vec<_> = tick(&mut rig, 51, 1_010).iter().map(common::say).collect();
    assert_eq!(said[3..], ["Triggered 1:1 3@900 left 3 booked"]);
}

#[test]
fn trailing_stops_that_saw_no_price_wait_for_the_first_one() {
    let mut rig = Rig::open(ROOMY);
    for (user_ref, side, limit) in [(1, Buy, 5_000), (2, Sell, 10), (3, Buy, 5_000)] {
        rig.apply(waits(Condition::TrailingStop, 5));
        rig.apply(day(user_ref, side, 1, limit));
    }
    let mut marks = Vec::new();
    tick(&mut rig, 1, 100);
    rig.engine.parked(1, |order| marks.push(order.mark));
    assert_eq!(marks, [100, 100, 100]);
    tick(&mut rig, 11, 98);
    marks.clear();
    rig.engine.parked(1, |order| marks.push(order.mark));
    assert_eq!(marks, [98, 100, 98]);
    // 103 touches both buys; what rests then sells to nobody.
    let events = tick(&mut rig, 21, 103);
    let kinds = events
        .iter()
        .filter(|event| event.kind == EventKind::Triggered as u8);
    assert_eq!(
        kinds.map(|event| event.user_ref).collect::<Vec<_>>(),
        [1, 3]
    );
}

#[test]
fn parked_stops_are_lowered_replaced_cancelled_and_expire() {
    let mut rig = Rig::open(ROOMY);
    rig.apply(waits(Condition::Stop, 200));
    rig.apply(day(1, Buy, 9, 300));
    let said = answers(&mut rig, cancel(1, 4));
    assert_eq!(said, ["Reduced 1:1 5@300 left 4 parked User"]);
    let said = answers(&mut rig, replace(1, 2, 6, 250));
    assert_eq!(said, ["Replaced 1:2 6@250 left 6 booked old hidden"]);
    rig.apply(waits(Condition::Stop, 200));
    let said = answers(&mut rig, replace(2, 3, 6, PRICE_MARKET));
    assert_eq!(said, ["Replaced 1:3 6@2000000000 left 6 parked"]);
    assert_eq!(rig.engine.best(1, Buy), None);
    let said = answers(&mut rig, cancel(3, 0));
    assert_eq!(said, ["Canceled 1:3 6@2000000000 left 0 parked User"]);
    rig.apply(Command {
        price: rig.sequence as i64 + 3,
        ..waits(Condition::Stop, 200)
    });
    rig.apply(day(4, Buy, 9, 300));
    let said = answers(&mut rig, of(CommandKind::Time));
    assert_eq!(said[0], "Canceled 1:4 9@300 left 0 parked Expired");
    assert_eq!((said.len(), rig.engine.live_orders()), (2, 0));
    assert_eq!(tick(&mut rig, 1, 250).len(), 3, "no stop is left to elect");
}

#[test]
fn an_iceberg_that_waited_shows_its_tip_only_on_the_book() {
    let mut rig = Rig::open(ROOMY);
    rig.apply(Command {
        old_user_ref: 2,
        ..waits(Condition::Stop, 100)
    });
    let said = answers(&mut rig, day(1, Buy, 9, 120));
    assert_eq!(said, ["Accepted 1:1 2@120 left 9 parked"]);
    rig.apply(other(1, Sell, 1, 110));
    tick(&mut rig, 1, 105);
    let mut tips = Vec::new();
    rig.engine
        .orders(1, Buy, |order| tips.push((order.quantity, order.tip)));
    assert_eq!(tips, [(8, 2)]);
}

#[test]
fn a_stop_that_finds_no_room_on_the_ladder_is_told_so() {
    let mut rig = Rig::open(Limits {
        price_groups: 2,
        ..SMALL
    });
    rig.apply(waits(Condition::Stop, 100));
    rig.apply(day(1, Buy, 3, 1_000_000));
    rig.apply(other(1, Buy, 5, 100));
    rig.apply(other(2, Sell, 5, 2_000_000));
    let said = answers(
        &mut rig,
        Command {
            session: 3,
            ..ioc(1, Sell, 1, 100)
        },
    );
    assert_eq!(
        said[3..],
        [
            "Triggered 1:1 3@1000000 left 3",
            "Canceled 1:1 3@1000000 left 0 LadderFull"
        ]
    );
    assert_eq!(rig.engine.live_orders(), 2);
}
