//! Inputs with more events than one step holds, and the day's end.

mod common;

use common::{ROOMY, Rig, SMALL, answers, day, ioc, of, say};
use matching::{EVENTS_MAX, Limits};
use wire::ring::Side::{Buy, Sell};
use wire::ring::{Command, CommandKind, Event, EventKind};

#[test]
fn a_sweep_over_more_orders_than_events_goes_on() {
    let mut rig = Rig::open(ROOMY);
    let makers: u32 = 300;
    for maker in 1..=makers {
        rig.apply(day(maker, Sell, 2, 10_000 + 50 * i64::from(maker / 7)));
    }
    let events = rig.apply(Command {
        session: 2,
        ..day(1, Buy, 700, 100_000)
    });
    assert!(
        rig.steps >= 2 * makers as usize / EVENTS_MAX,
        "{} steps",
        rig.steps
    );
    assert_eq!(events.len(), 2 * makers as usize + 2);
    for (maker, fill) in (1..).zip(events[1..].chunks_exact(2)) {
        assert_eq!(
            (fill[0].user_ref, fill[0].quantity, fill[0].leaves),
            (maker, 2, 0)
        );
        assert_eq!((fill[1].session, fill[1].leaves), (2, 700 - 2 * maker));
        assert_eq!(fill[0].related, u64::from(maker));
    }
    let rest = events.last().map(say);
    assert_eq!(
        rest.as_deref(),
        Some("Booked 2:1 100@100000 left 100 booked")
    );
    assert_eq!(rig.engine.best(1, Buy), Some((100_000, 100)));
    assert_eq!(
        (rig.engine.best(1, Sell), rig.engine.live_orders()),
        (None, 1)
    );
}

#[test]
fn sweeps_of_every_length_around_a_step_end_rightly() {
    for makers in 25..=100 {
        for rest in [0, 1] {
            let mut rig = Rig::open(Limits {
                orders: 100,
                ..SMALL
            });
            for maker in 1..=makers {
                rig.apply(day(maker, Buy, 1, 500));
            }
            let events = rig.apply(ioc(1, Sell, makers + rest, 500));
            assert_eq!(events.len() as u32, 1 + 2 * makers + rest);
        }
    }
}

#[test]
fn closing_the_day_takes_every_order_off_in_the_stated_order() {
    let mut rig = Rig::open(ROOMY);
    for user_ref in 1..=300 {
        let side = if user_ref % 2 == 0 { Buy } else { Sell };
        let away = i64::from(user_ref * 7919 % 40);
        let price = if side == Buy {
            10_000 - away
        } else {
            10_100 + away
        };
        let symbol = (user_ref % 3 + 1) as u16;
        rig.apply(Command {
            symbol,
            ..day(user_ref, side, 3, price)
        });
    }
    let mut expected = Vec::new();
    for symbol in 1..=3 {
        for side in [Buy, Sell] {
            rig.engine
                .orders(symbol, side, |order| expected.push(order.order_ref));
        }
    }
    let events = rig.apply(of(CommandKind::CloseDay));
    assert!(rig.steps >= 300 / EVENTS_MAX);
    let (day_closed, canceled) = events.split_last().expect("events");
    assert_eq!(say(day_closed), "DayClosed 0:0 0@0 left 0");
    assert_eq!(
        canceled
            .iter()
            .map(|event| event.order_ref)
            .collect::<Vec<_>>(),
        expected
    );
    assert!(
        canceled
            .iter()
            .all(|event| event.kind == EventKind::Canceled as u8
                && event.has(Event::BOOKED)
                && event.quantity == 3)
    );
    assert_eq!(rig.engine.live_orders(), 0);
    for command in [of(CommandKind::CloseDay), of(CommandKind::OpenDay)] {
        assert_eq!(
            answers(&mut rig, command),
            ["Refused 0:0 0@0 left 0 NotOpen"]
        );
    }
    let late = answers(&mut rig, day(301, Buy, 1, 100));
    assert_eq!(late, ["Rejected 1:301 1@100 left 0 NotOpen"]);
}

#[test]
fn a_day_with_every_number_of_orders_around_a_step_ends_rightly() {
    for orders in 60..=130 {
        let mut rig = Rig::open(Limits {
            orders: 130,
            ..SMALL
        });
        for order in 1..=orders {
            rig.apply(day(order, Sell, 1, 500));
        }
        let events = rig.apply(of(CommandKind::CloseDay));
        assert_eq!(events.len() as u32, orders + 1);
    }
}

#[test]
fn closing_a_day_with_more_symbols_than_a_step_looks_at_ends() {
    let limits = Limits {
        symbols: u16::MAX,
        sessions: 1,
        orders: 4,
        special: 1,
        price_groups: 4,
        accounts: 0,
    };
    let mut rig = Rig::new(limits);
    for symbol in [1, 1024, 1025, u16::MAX] {
        rig.apply(Command {
            symbol,
            ..of(CommandKind::DefineSymbol)
        });
    }
    rig.apply(Command {
        session: 1,
        ..of(CommandKind::DefineSession)
    });
    rig.apply(of(CommandKind::OpenDay));
    for (user_ref, symbol) in (1..).zip([u16::MAX, 1025, 1024, 1]) {
        rig.apply(Command {
            symbol,
            ..day(user_ref, Buy, 1, 100)
        });
    }
    let events = rig.apply(of(CommandKind::CloseDay));
    let symbols: Vec<u16> = events.iter().map(|event| event.symbol).collect();
    assert_eq!(symbols, [1, 1024, 1025, u16::MAX, 0]);
    assert!(rig.steps >= 64);
}
