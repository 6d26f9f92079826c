//! Allocation: what each order of a level gets of an arriving one.

mod common;

use common::{ROOMY, Rig, answers, day, ioc, of, say};
use matching::Limits;
use wire::ring::Side::{Buy, Sell};
use wire::ring::{Command, CommandKind, Event, EventKind, Reason};

const PRO_RATA: u8 = 1;
const SPLIT: u8 = 2;

fn allocation(flags: u8, quantity: u32) -> Command {
    Command {
        symbol: 1,
        flags,
        quantity,
        ..of(CommandKind::SetAllocation)
    }
}

/// Sessions 1 and 3 are makers with accounts of their own, session 2 is the aggressor with account
/// 7 and a self-trade mode, session 4 has its account too; symbols 1 and 2; an open day.
fn rig(mode: u8, limits: Limits) -> Rig {
    let mut rig = Rig::new(limits);
    for symbol in 1..=2 {
        rig.apply(Command {
            symbol,
            ..of(CommandKind::DefineSymbol)
        });
    }
    for (session, account, mode) in [(1, 1, 0), (2, 7, mode), (3, 3, 0), (4, 7, 0)] {
        rig.apply(Command {
            session,
            user_ref: account,
            letters: [mode, 0, 0, 0],
            ..of(CommandKind::DefineSession)
        });
    }
    rig.apply(of(CommandKind::OpenDay));
    rig
}

/// A rig with sells of session 1 at 100, numbered from 1.
fn queue(allocation: Command, quantities: &[u32]) -> Rig {
    let mut rig = rig(0, ROOMY);
    rig.apply(allocation);
    for (user_ref, quantity) in (1..).zip(quantities) {
        rig.apply(day(user_ref, Sell, *quantity, 100));
    }
    rig
}

/// An iceberg of session 1.
fn iceberg(rig: &mut Rig, user_ref: u32, quantity: u32, displayed: u32) {
    rig.apply(Command {
        session: 1,
        old_user_ref: displayed,
        ..of(CommandKind::Extra)
    });
    rig.apply(day(user_ref, Sell, quantity, 100));
}

/// Makers' numbers and units, in the order of the trades.
fn parts(events: &[Event]) -> Vec<(u32, u32)> {
    let makers = events.iter().filter(|event| event.has(Event::MAKER));
    makers
        .map(|maker| (maker.user_ref, maker.quantity))
        .collect()
}

#[test]
fn parts_are_by_size_and_what_is_left_goes_to_the_first() {
    for (rule, makers, aggressor, expected) in [
        (
            allocation(PRO_RATA, 0),
            &[100, 200, 300][..],
            60,
            &[(1, 10), (2, 20), (3, 30)][..],
        ),
        (
            allocation(PRO_RATA, 0),
            &[100, 200, 300],
            600,
            &[(1, 100), (2, 200), (3, 300)],
        ),
        (
            allocation(PRO_RATA, 0),
            &[100, 200, 300],
            599,
            &[(1, 100), (2, 200), (3, 299)],
        ),
        // 16.67, 33.33, 50: one unit is left.
        (
            allocation(PRO_RATA, 0),
            &[100, 200, 300],
            100,
            &[(1, 17), (2, 33), (3, 50)],
        ),
        // 0.75 each: three units are left, and the first two have one each.
        (
            allocation(PRO_RATA, 0),
            &[1, 1, 1, 1],
            3,
            &[(1, 1), (2, 1), (3, 1)],
        ),
        (allocation(PRO_RATA, 0), &[1, 2, 500], 2, &[(1, 1), (3, 1)]),
        (allocation(PRO_RATA, 0), &[7], 5, &[(1, 5)]),
        (allocation(PRO_RATA, 0), &[7], 7, &[(1, 7)]),
        // 40 % of 100 first; then 60 of 60, 200, 300: 6.43, 21.43, 32.14.
        (
            allocation(SPLIT, 40),
            &[100, 200, 300],
            100,
            &[(1, 47), (2, 21), (3, 32)],
        ),
        // The top order has no more than 10: then 90 of 200, 300.
        (
            allocation(SPLIT, 40),
            &[10, 200, 300],
            100,
            &[(1, 10), (2, 36), (3, 54)],
        ),
        (allocation(SPLIT, 100), &[100, 200, 300], 60, &[(1, 60)]),
        (
            allocation(SPLIT, 100),
            &[100, 200, 300],
            150,
            &[(1, 100), (2, 20), (3, 30)],
        ),
        (
            allocation(SPLIT, 0),
            &[100, 200, 300],
            60,
            &[(1, 10), (2, 20), (3, 30)],
        ),
        // 0.99 is none.
        (allocation(SPLIT, 33), &[10, 10], 3, &[(1, 2), (2, 1)]),
        (
            allocation(SPLIT, 40),
            &[100, 200, 300],
            600,
            &[(1, 100), (2, 200), (3, 300)],
        ),
        (
            allocation(0, 0),
            &[100, 200, 300],
            150,
            &[(1, 100), (2, 50)],
        ),
        (
            allocation(PRO_RATA, 0),
            &[999_999, 999_999],
            999_999,
            &[(1, 500_000), (2, 499_999)],
        ),
    ] {
        let mut rig = queue(rule, makers);
        let events = rig.apply(ioc(1, Buy, aggressor, 100));
        assert_eq!(parts(&events), expected, "{rule:?} {makers:?} {aggressor}");
        let mut left = Vec::new();
        rig.engine
            .orders(1, Sell, |order| left.push((order.user_ref, order.quantity)));
        let given = |user_ref: u32| {
            let part = expected.iter().find(|(of, _)| *of == user_ref);
            part.map_or(0, |(_, units)| *units)
        };
        let rest: Vec<_> = (1..)
            .zip(makers)
            .map(|(user_ref, units)| (user_ref, units - given(user_ref)))
            .filter(|(_, units)| *units > 0)
            .collect();
        assert_eq!(left, rest, "{rule:?} {makers:?} {aggressor}");
    }
}

#[test]
fn a_part_is_a_trade_of_its_own_with_the_usual_events() {
    let mut rig = queue(allocation(PRO_RATA, 0), &[100, 200]);
    assert_eq!(
        answers(&mut rig, ioc(1, Buy, 90, 105)),
        [
            "Accepted 2:1 90@105 left 90",
            "Executed 1:1 30@100 left 70 maker booked",
            "Executed 2:1 30@100 left 60",
            "Executed 1:2 60@100 left 140 maker booked",
            "Executed 2:1 60@100 left 0",
        ]
    );
    let events = rig.apply(ioc(2, Buy, 3, 100));
    let matches: Vec<u64> = events[1..].iter().map(|event| event.related).collect();
    assert_eq!(matches, [3, 3, 4, 4]);
}

#[test]
fn levels_are_met_one_after_the_other_and_the_rest_is_booked_or_canceled() {
    for (order, end) in [
        (day(1, Buy, 40, 101), "Booked 2:1 10@101 left 10 booked"),
        (
            ioc(1, Buy, 40, 101),
            "Canceled 2:1 10@101 left 0 ImmediateOrCancel",
        ),
    ] {
        let mut rig = queue(allocation(PRO_RATA, 0), &[10, 5]);
        rig.apply(day(3, Sell, 8, 101));
        rig.apply(day(4, Sell, 7, 101));
        rig.apply(day(5, Sell, 7, 102));
        let order = Command {
            session: 2,
            ..order
        };
        let events = rig.apply(order);
        assert_eq!(parts(&events), [(1, 10), (2, 5), (3, 8), (4, 7)]);
        assert_eq!(events.last().map(say).as_deref(), Some(end));
    }
    let mut rig = queue(allocation(PRO_RATA, 0), &[10, 5]);
    rig.apply(day(3, Sell, 80, 101));
    rig.apply(day(4, Sell, 40, 101));
    let events = rig.apply(ioc(1, Buy, 30, 200));
    assert_eq!(parts(&events), [(1, 10), (2, 5), (3, 10), (4, 5)]);
}

#[test]
fn tips_of_icebergs_count_and_a_fresh_one_is_met_with_its_level() {
    let mut rig = queue(allocation(PRO_RATA, 0), &[30]);
    iceberg(&mut rig, 2, 100, 10);
    rig.apply(day(3, Sell, 20, 100));
    // 60 stand to be met: 15, 5, 10.
    let events = rig.apply(ioc(1, Buy, 30, 100));
    assert_eq!(parts(&events), [(1, 15), (2, 5), (3, 10)]);
    // 15, 5 and 10 stand: all of them, then the fresh tip of 10.
    let said = answers(&mut rig, ioc(2, Buy, 36, 100));
    assert_eq!(
        said,
        [
            "Accepted 2:2 36@100 left 36",
            "Executed 1:1 15@100 left 0 maker booked",
            "Executed 2:2 15@100 left 21",
            "Executed 1:2 5@100 left 90 maker booked",
            "Executed 2:2 5@100 left 16",
            "Refreshed 1:2 10@100 left 90 booked",
            "Executed 1:3 10@100 left 0 maker booked",
            "Executed 2:2 10@100 left 6",
            "Executed 1:2 6@100 left 84 maker booked",
            "Executed 2:2 6@100 left 0",
        ]
    );
}

#[test]
fn an_iceberg_in_the_middle_whose_tip_goes_moves_behind_the_queue() {
    // 5 of 3, 1, 2: 2.5, 0.83, 1.67; two units are left for the first and the iceberg.
    let mut rig = queue(allocation(PRO_RATA, 0), &[3]);
    iceberg(&mut rig, 2, 50, 1);
    rig.apply(day(3, Sell, 2, 100));
    let said = answers(&mut rig, ioc(1, Buy, 5, 100));
    assert_eq!(
        said[3..],
        [
            "Executed 1:2 1@100 left 49 maker booked",
            "Executed 2:1 1@100 left 1",
            "Refreshed 1:2 1@100 left 49 booked",
            "Executed 1:3 1@100 left 1 maker booked",
            "Executed 2:1 1@100 left 0",
        ]
    );
    let mut queue = Vec::new();
    rig.engine.orders(1, Sell, |order| {
        queue.push((order.user_ref, order.quantity))
    });
    assert_eq!(queue, [(3, 1), (2, 49)]);
    // With the last order of the queue it stays where it is.
    let events = rig.apply(ioc(2, Buy, 2, 100));
    assert_eq!(parts(&events), [(3, 1), (2, 1)]);
}

#[test]
fn own_orders_of_a_level_are_met_first_where_that_is_wanted() {
    for (mode, expected) in [
        (0, &["3:1 10", "4:1 20", "3:2 30"][..]),
        (1, &["2:1 30 SelfTrade"]),
        (
            2,
            &["4:1 40 SelfTrade", "4:2 8 SelfTrade", "3:1 8", "3:2 22"],
        ),
        (3, &["4:1 40 SelfTrade", "2:1 30 SelfTrade"]),
        (4, &["4:1 30 SelfTrade", "2:1 30 SelfTrade"]),
    ] {
        let mut rig = rig(mode, ROOMY);
        rig.apply(allocation(PRO_RATA, 0));
        let makers = [(3, 1, 20), (4, 1, 40), (3, 2, 60), (4, 2, 8)];
        for (session, user_ref, quantity) in &makers[..if mode == 0 { 3 } else { 4 }] {
            rig.apply(Command {
                session: *session,
                ..day(*user_ref, Sell, *quantity, 100)
            });
        }
        let quantity = if mode == 0 { 60 } else { 30 };
        let events = rig.apply(ioc(1, Buy, quantity, 100));
        let told = events[1..]
            .iter()
            .filter(|event| event.kind != EventKind::Executed as u8 || event.has(Event::MAKER));
        let said: Vec<String> = told
            .map(|event| {
                let why = if event.reason == Reason::SelfTrade as u8 {
                    " SelfTrade"
                } else {
                    ""
                };
                format!(
                    "{}:{} {}{why}",
                    event.session, event.user_ref, event.quantity
                )
            })
            .collect();
        assert_eq!(said, expected, "mode {mode}");
    }
}

#[test]
fn a_level_of_own_orders_only_is_left_for_the_next() {
    let mut rig = rig(4, ROOMY);
    rig.apply(allocation(SPLIT, 50));
    for (session, user_ref, quantity, price) in [
        (4, 1, 5, 100),
        (4, 2, 6, 100),
        (3, 1, 10, 101),
        (3, 2, 10, 101),
    ] {
        rig.apply(Command {
            session,
            ..day(user_ref, Sell, quantity, price)
        });
    }
    let events = rig.apply(ioc(1, Buy, 20, 101));
    assert_eq!(parts(&events), [(1, 6), (2, 3)]);
    assert_eq!(rig.engine.best(1, Sell), Some((101, 11)));
}

#[test]
fn a_level_of_any_length_is_shared_out_in_steps() {
    let limits = Limits {
        orders: 100_000,
        price_groups: 100,
        ..ROOMY
    };
    let makers: u32 = 60_000;
    let mut rig = rig(2, limits);
    rig.apply(allocation(PRO_RATA, 0));
    for user_ref in 1..=makers {
        rig.apply(day(user_ref, Sell, 10 + user_ref % 3, 100));
    }
    rig.apply(Command {
        session: 4,
        ..day(1, Sell, 10, 100)
    });
    let events = rig.apply(ioc(1, Buy, 2 * makers, 100));
    let parts = parts(&events);
    assert!(rig.steps > 100, "{} steps", rig.steps);
    let sum: u32 = parts.iter().map(|(_, units)| units).sum();
    assert_eq!(sum, 2 * makers);
    assert!(parts.iter().is_sorted());
    // 2 x 10 / 11 is 1: what is left goes to the first ones.
    assert_eq!(parts[0], (1, 11));
    assert_eq!(parts.last(), Some(&(makers, 1)));
    // All of them.
    let events = rig.apply(ioc(2, Buy, 999_999, 100));
    assert!(events.len() > 100_000 && rig.engine.live_orders() == 0);
}

#[test]
fn levels_around_a_step_are_shared_out_rightly() {
    for makers in (2..40).chain(250..262) {
        for less in [0, 1, 2] {
            let mut rig = queue(allocation(PRO_RATA, 0), &vec![2; makers as usize]);
            let open = 2 * makers - less;
            let events = rig.apply(ioc(1, Buy, open + 1, 99));
            assert_eq!(events.len(), 2);
            let events = rig.apply(ioc(2, Buy, open, 100));
            let parts = parts(&events);
            let sum: u32 = parts.iter().map(|(_, units)| units).sum();
            assert_eq!(sum, open);
            let cut = parts.iter().filter(|(_, units)| *units < 2).count();
            let nothing = makers as usize - parts.len();
            assert_eq!(cut + 2 * nothing, less as usize, "{makers} makers");
        }
    }
}

#[test]
fn an_allocation_is_of_its_symbol_and_lasts_until_it_is_set_again() {
    let mut rig = queue(allocation(PRO_RATA, 0), &[10, 10]);
    for user_ref in 11..=12 {
        rig.apply(Command {
            symbol: 2,
            ..day(user_ref, Sell, 10, 100)
        });
    }
    let of_two = Command {
        symbol: 2,
        ..ioc(1, Buy, 4, 100)
    };
    assert_eq!(parts(&rig.apply(of_two)), [(11, 4)]);
    assert_eq!(parts(&rig.apply(ioc(2, Buy, 4, 100))), [(1, 2), (2, 2)]);
    rig.apply(allocation(0, 0));
    assert_eq!(parts(&rig.apply(ioc(3, Buy, 4, 100))), [(1, 4)]);
    let hash = rig.engine.state_hash();
    for rule in [
        allocation(PRO_RATA, 0),
        allocation(SPLIT, 0),
        allocation(SPLIT, 1),
    ] {
        rig.apply(rule);
        assert_ne!(rig.engine.state_hash(), hash);
    }
    rig.apply(allocation(0, 0));
    assert_eq!(rig.engine.state_hash(), hash);
}

#[test]
fn an_allocation_that_makes_no_sense_is_refused() {
    let mut rig = rig(0, ROOMY);
    for (command, kind, reason) in [
        (allocation(0, 0), EventKind::Configured, Reason::None),
        (allocation(SPLIT, 100), EventKind::Configured, Reason::None),
        (
            allocation(SPLIT, 101),
            EventKind::Refused,
            Reason::InvalidField,
        ),
        (
            allocation(SPLIT, u32::MAX),
            EventKind::Refused,
            Reason::InvalidField,
        ),
        (
            allocation(PRO_RATA, 1),
            EventKind::Refused,
            Reason::InvalidField,
        ),
        (allocation(0, 1), EventKind::Refused, Reason::InvalidField),
        (allocation(3, 0), EventKind::Refused, Reason::InvalidField),
        (
            Command {
                symbol: 0,
                ..allocation(0, 0)
            },
            EventKind::Refused,
            Reason::UnknownSymbol,
        ),
        (
            Command {
                symbol: 3,
                ..allocation(9, 0)
            },
            EventKind::Refused,
            Reason::UnknownSymbol,
        ),
        (
            Command {
                symbol: u16::MAX,
                ..allocation(0, 0)
            },
            EventKind::Refused,
            Reason::UnknownSymbol,
        ),
    ] {
        let events = rig.apply(command);
        let found = (events[0].kind, events[0].reason, events[0].quantity);
        assert_eq!(
            found,
            (kind as u8, reason as u8, command.quantity),
            "{command:?}"
        );
    }
}
