//! The defects that engines have with what is beyond the plain order, and with lack of room, a test
//! each.

mod common;

use common::{ROOMY, Rig, SMALL, answers, cancel, day, ioc, of, replace};
use matching::Limits;
use wire::ring::Side::{Buy, Sell};
use wire::ring::{Command, CommandKind, Condition, Event, EventKind, PRICE_MARKET, QUANTITY_MAX};

/// What session 1 asks for its next order.
fn extra() -> Command {
    Command {
        session: 1,
        ..of(CommandKind::Extra)
    }
}

fn of_session(session: u16, command: Command) -> Command {
    Command { session, ..command }
}

fn executed(events: &[Event]) -> impl Iterator<Item = &Event> {
    let executed = EventKind::Executed as u8;
    events.iter().filter(move |event| event.kind == executed)
}

#[test]
fn a_fill_or_kill_order_does_not_count_orders_of_its_own_account() {
    for (units, trades) in [(5, true), (6, false), (8, false)] {
        let mut rig = Rig::open(ROOMY);
        // Two sessions of account 9; the first one cancels the older order.
        for (session, mode) in [(4, 2), (5, 0)] {
            let letters = [mode, 0, 0, 0];
            rig.apply(Command {
                user_ref: 9,
                letters,
                ..of_session(session, of(CommandKind::DefineSession))
            });
        }
        rig.apply(of_session(5, day(1, Sell, 3, 100)));
        rig.apply(day(1, Sell, 5, 100));
        let fill_or_kill = Command {
            quantity: units,
            ..of_session(4, extra())
        };
        rig.apply(fill_or_kill);
        let said = answers(&mut rig, of_session(4, ioc(1, Buy, units, 100)));
        let expected: &[&str] = if trades {
            &[
                "Accepted 4:1 5@100 left 5",
                "Canceled 5:1 3@100 left 0 booked SelfTrade",
                "Executed 1:1 5@100 left 0 maker booked",
                "Executed 4:1 5@100 left 0",
            ]
        } else {
            let left = rig.engine.live_orders();
            assert_eq!(left, 2, "{units} units: nobody was touched");
            assert_eq!(said.len(), 2);
            assert!(said[1].ends_with("MinimumQuantity"), "{said:?}");
            continue;
        };
        assert_eq!(said, expected);
    }
}

#[test]
fn icebergs_refresh_behind_the_queue_in_the_order_in_which_their_tips_went() {
    let mut rig = Rig::open(ROOMY);
    for user_ref in 1..=3 {
        rig.apply(Command {
            old_user_ref: 2,
            ..extra()
        });
        rig.apply(day(user_ref, Sell, 4, 100));
    }
    rig.apply(of_session(2, day(1, Sell, 1, 100)));
    let events = rig.apply(of_session(3, ioc(1, Buy, 13, 100)));
    let makers = executed(&events).filter(|event| event.has(Event::MAKER));
    let makers: Vec<_> = makers
        .map(|event| (event.session, event.user_ref, event.quantity))
        .collect();
    let expected = [
        (1, 1, 2),
        (1, 2, 2),
        (1, 3, 2),
        (2, 1, 1),
        (1, 1, 2),
        (1, 2, 2),
        (1, 3, 2),
    ];
    assert_eq!(makers, expected);
    // The fresh tips are told with rising numbers, at the moment that each old one goes.
    let is_refreshed = |event: &&Event| event.kind == EventKind::Refreshed as u8;
    let numbers = events.iter().filter(is_refreshed);
    let numbers: Vec<_> = numbers
        .map(|event| (event.related, event.order_ref))
        .collect();
    assert_eq!(numbers, [(1, 6), (2, 7), (3, 8)]);
}

/// All stops that a trade touches are elected before the first one comes to life; those that its
/// trades touch come behind them.
#[test]
fn a_stop_cascade_elects_by_trades_and_not_in_one_pass_over_the_stops() {
    let mut rig = Rig::open(ROOMY);
    for (user_ref, price) in (1..).zip([100, 101, 103, 104]) {
        rig.apply(of_session(2, day(user_ref, Sell, 1, price)));
    }
    // By number 1, 2, 3, by trigger 2, 3, 1: stop 2 is elected first and its trade elects 1, which
    // stands behind 3 that was elected with 2.
    for (user_ref, trigger) in [(1, 101), (2, 99), (3, 100)] {
        rig.apply(extra().with_condition(Condition::Stop, trigger));
        rig.apply(day(user_ref, Buy, 1, PRICE_MARKET));
    }
    let events = rig.apply(of_session(3, ioc(1, Buy, 1, 100)));
    let is_aggressor = |event: &&Event| event.session == 1;
    let trades = executed(&events).filter(is_aggressor);
    let trades: Vec<_> = trades.map(|event| (event.user_ref, event.price)).collect();
    assert_eq!(trades, [(2, 101), (3, 103), (1, 104)]);
    assert_eq!(rig.engine.live_orders(), 0);
}

#[test]
fn no_trade_has_zero_units() {
    let mut rig = Rig::open(ROOMY);
    rig.apply(Command {
        symbol: 1,
        flags: 1,
        ..of(CommandKind::SetAllocation)
    });
    // Shares of less than one unit, a tip that is just gone, and an order that is just filled.
    for user_ref in 1..=5 {
        rig.apply(Command {
            old_user_ref: 1,
            ..extra()
        });
        rig.apply(day(user_ref, Sell, 2, 100));
    }
    for (user_ref, units) in (1..).zip([1, 2, 1, 5, 1]) {
        let events = rig.apply(ioc(user_ref, Buy, units, 100));
        assert!(executed(&events).all(|event| event.quantity > 0));
        let traded: u32 = executed(&events).map(|event| event.quantity).sum();
        assert_eq!(traded, 2 * units, "{events:?}");
    }
    let events = rig.apply(ioc(6, Buy, 1, 100));
    assert_eq!(executed(&events).count(), 0);
    let zero = [day(6, Sell, 0, 100), replace(5, 6, 0, 100)];
    for command in zero {
        let said = answers(&mut rig, command);
        assert!(said[0].starts_with("Rejected"), "{said:?}");
    }
}

#[test]
fn an_order_that_finds_no_room_is_refused_and_nothing_else_is_lost() {
    let roomy = Limits {
        orders: 3,
        price_groups: 2,
        ..SMALL
    };
    let mut rig = Rig::open(roomy);
    for (command, answer) in [
        (day(1, Buy, 1, 6_400), "Accepted 1:1 1@6400 left 1 booked"),
        (day(2, Buy, 1, 12_800), "Accepted 1:2 1@12800 left 1 booked"),
        // A third group of prices, though there is a record; and with no harm to its reference.
        (
            day(3, Buy, 1, 1_000_000),
            "Rejected 1:3 1@1000000 left 0 LadderFull",
        ),
        (day(3, Buy, 1, 6_500), "Accepted 1:3 1@6500 left 1 booked"),
        (day(4, Buy, 1, 6_500), "Rejected 1:4 1@6500 left 0 PoolFull"),
        // Those that take no room go on.
        (ioc(1, Sell, 1, 12_800), "Accepted 2:1 1@12800 left 1"),
        (replace(1, 4, 2, 6_500), "Replaced 1:4 2@6500 left 2 booked"),
        (day(5, Buy, 1, 6_500), "Accepted 1:5 1@6500 left 1 booked"),
        (cancel(3, 0), "Canceled 1:3 1@6500 left 0 booked User"),
    ] {
        assert_eq!(answers(&mut rig, command)[0], answer);
    }
    let said = answers(&mut rig, ioc(2, Sell, QUANTITY_MAX, 1));
    assert_eq!(said.len(), 1 + 2 * 2 + 1, "{said:?}");
    assert_eq!(rig.engine.live_orders(), 0);
}
