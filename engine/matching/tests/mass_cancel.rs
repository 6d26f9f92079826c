//! Mass cancels and kill switches: who leaves, in which order, and who is refused afterwards.

mod common;

use common::{ROOMY, Rig, answers, cancel, day, of, replace, say};
use matching::{EVENTS_MAX, Limits};
use wire::ring::Side::{self, Buy, Sell};
use wire::ring::{Command, CommandKind, Event, EventKind, PRICE_MARKET, PRICE_MAX, Reason};

const SESSION: u8 = 1;
const ACCOUNT: u8 = 2;
const SIDE: u8 = 4;
const SYMBOL: u8 = 8;
const PRICE: u8 = 16;

/// Accounts of the sessions 1 to 4.
const ACCOUNTS: [u32; 4] = [10, 10, 20, 30];

fn session(session: u16, account: u32) -> Command {
    Command {
        session,
        user_ref: account,
        ..of(CommandKind::DefineSession)
    }
}

/// Symbols 1 to 3, sessions 1 to 4 with their accounts, an open day.
fn rig(limits: Limits) -> Rig {
    let mut rig = Rig::new(limits);
    for symbol in 1..=3 {
        rig.apply(Command {
            symbol,
            ..of(CommandKind::DefineSymbol)
        });
    }
    for (number, account) in (1..).zip(ACCOUNTS) {
        rig.apply(session(number, account));
    }
    rig.apply(of(CommandKind::OpenDay));
    rig
}

/// Orders of all sessions, symbols and sides, at 7 prices a side.
fn filled() -> Rig {
    let mut rig = rig(ROOMY);
    for number in 1..=240_u32 {
        let side = if number % 2 == 0 { Buy } else { Sell };
        let away = i64::from(number * 7919 % 7) * 50;
        let price = if side == Buy {
            9_900 - away
        } else {
            10_100 + away
        };
        rig.apply(Command {
            session: (number / 3 % 4 + 1) as u16,
            symbol: (number / 2 % 3 + 1) as u16,
            ..day(number, side, number % 9 + 1, price)
        });
    }
    rig
}

/// What a mass cancel asks to fit: `fits`, and an order of session 2, account 10, buying symbol 2
/// from 9,700 to 9,850.
fn mass(fits: u8) -> Command {
    Command {
        letters: [fits, 0, 0, 0],
        session: 2,
        user_ref: 10,
        side: Buy as u8,
        symbol: 2,
        old_user_ref: 9_700,
        price: 9_850,
        ..of(CommandKind::MassCancel)
    }
}

fn kill(scope: u8, flags: u8) -> Command {
    Command {
        letters: [scope, 0, 0, 0],
        flags,
        session: 2,
        user_ref: 10,
        symbol: 2,
        ..of(CommandKind::Kill)
    }
}

/// All live orders in the stated order: order number, session, symbol, side, price.
fn standing(rig: &Rig) -> Vec<(u64, u16, u16, Side, i64)> {
    let mut all = Vec::new();
    for symbol in 1..=3 {
        for side in [Buy, Sell] {
            rig.engine.orders(symbol, side, |order| {
                all.push((order.order_ref, order.session, symbol, side, order.price));
            });
        }
    }
    all
}

/// Checks that the orders which fit left, in their order and for a reason, and that the others
/// stand.
fn check_left(
    rig: &mut Rig,
    command: Command,
    reason: Reason,
    fits: impl Fn(u16, u16, Side, i64) -> bool,
) {
    let before = standing(rig);
    let (gone, stay): (Vec<_>, Vec<_>) = before
        .into_iter()
        .partition(|(_, session, symbol, side, price)| fits(*session, *symbol, *side, *price));
    let events = rig.apply(command);
    let (answer, left) = events.split_last().expect("events");
    let refs: Vec<u64> = left.iter().map(|event| event.order_ref).collect();
    let expected: Vec<u64> = gone.iter().map(|order| order.0).collect();
    assert_eq!(refs, expected, "{command:?}");
    for event in left {
        let found = (event.kind, event.reason, event.flags, event.leaves);
        let canceled = EventKind::Canceled as u8;
        assert_eq!(found, (canceled, reason as u8, Event::BOOKED, 0));
    }
    assert_eq!(answer.quantity as usize, gone.len());
    assert_eq!(
        (answer.session, answer.user_ref),
        (command.session, command.user_ref)
    );
    assert_eq!(standing(rig), stay, "{command:?}");
}

#[test]
fn every_set_of_filters_takes_off_what_fits_all_of_them() {
    for fits in 0..32_u8 {
        let asks = |bit: u8| fits & bit != 0;
        let mut rig = filled();
        let command = mass(fits);
        check_left(
            &mut rig,
            command,
            Reason::MassCancel,
            |session, symbol, side, price| {
                (!asks(SESSION) || session == 2)
                    && (!asks(ACCOUNT) || ACCOUNTS[usize::from(session) - 1] == 10)
                    && (!asks(SIDE) || side == Buy)
                    && (!asks(SYMBOL) || symbol == 2)
                    && (!asks(PRICE) || (9_700..=9_850).contains(&price))
            },
        );
        let again = rig.apply(command);
        assert_eq!(again.len(), 1);
        assert_eq!(
            (again[0].kind, again[0].quantity),
            (EventKind::MassCanceled as u8, 0)
        );
    }
}

#[test]
fn both_ends_of_a_price_range_fit_and_a_range_may_be_anything() {
    for (from, to, left) in [
        (9_900, 9_900, 1),
        (9_901, i64::MAX, 1),
        (9_850, 9_900, 2),
        (0, PRICE_MAX, 3),
        (9_851, 9_899, 0),
        (10_100, 9_000, 0),
        (0, i64::MIN, 0),
        (u32::MAX, PRICE_MARKET, 0),
    ] {
        let mut rig = rig(ROOMY);
        for (number, side, price) in [(1, Buy, 9_900), (2, Buy, 9_850), (3, Sell, 10_100)] {
            rig.apply(day(number, side, 5, price));
        }
        let events = rig.apply(Command {
            old_user_ref: from,
            price: to,
            ..mass(PRICE)
        });
        assert_eq!(events.len(), left + 1, "{from} to {to}");
    }
}

#[test]
fn who_does_not_exist_fits_nothing_and_what_makes_no_sense_is_refused() {
    let mut rig = filled();
    let live = rig.engine.live_orders();
    for (fits, session, account, symbol) in [
        (SESSION, 9, 10, 2),
        (SESSION, u16::MAX, 10, 2),
        (ACCOUNT, 2, 11, 2),
        (SYMBOL, 2, 10, 0),
        (SYMBOL, 2, 10, 4),
        (SYMBOL, 2, 10, u16::MAX),
        (SESSION | ACCOUNT, 3, 10, 2),
    ] {
        let nobody = Command {
            session,
            user_ref: account,
            symbol,
            ..mass(fits)
        };
        let events = rig.apply(nobody);
        assert_eq!((events.len(), events[0].quantity), (1, 0), "{nobody:?}");
        assert_eq!(events[0].kind, EventKind::MassCanceled as u8);
    }
    for (fits, side) in [
        (32, 0),
        (64 | SESSION, 0),
        (128, 0),
        (SIDE, 2),
        (SIDE | SYMBOL, 255),
    ] {
        let wrong = Command { side, ..mass(fits) };
        let answer = answers(&mut rig, wrong).remove(0);
        assert_eq!(answer, "Refused 2:10 0@9850 left 0 InvalidField");
    }
    let unasked = rig.apply(Command {
        side: 9,
        symbol: 0,
        ..mass(SYMBOL)
    });
    assert_eq!(unasked[0].kind, EventKind::MassCanceled as u8);
    assert_eq!(rig.engine.live_orders(), live);
}

#[test]
fn a_command_over_a_hundred_thousand_orders_is_cut_into_steps() {
    let orders = 100_000;
    let limits = Limits {
        orders,
        price_groups: 4_000,
        ..ROOMY
    };
    let mut rig = rig(limits);
    for number in 1..=orders {
        let side = if number % 2 == 0 { Buy } else { Sell };
        let away = i64::from(number * 7919 % 1_000) * 10;
        rig.apply(Command {
            session: (number % 4 + 1) as u16,
            symbol: (number / 7 % 3 + 1) as u16,
            ..day(
                number,
                side,
                1,
                if side == Buy {
                    90_000 - away
                } else {
                    110_000 + away
                },
            )
        });
    }
    for (command, left) in [
        (mass(SESSION), 25_000),
        (kill(1, 1), 25_000),
        (mass(0), 50_000),
    ] {
        let events = rig.apply(command);
        assert_eq!(events.len(), left + 1);
        assert!(rig.steps >= left / EVENTS_MAX, "{} steps", rig.steps);
    }
    assert_eq!(rig.engine.live_orders(), 0);
}

#[test]
fn orders_that_do_not_fit_end_a_step_too() {
    let mut rig = rig(ROOMY);
    for number in 1..=10_000 {
        rig.apply(day(number, Buy, 1, 9_000));
    }
    let events = rig.apply(Command {
        session: 3,
        ..mass(SESSION)
    });
    assert_eq!((events.len(), events[0].quantity), (1, 0));
    assert!(rig.steps > 10, "{} steps", rig.steps);
}

#[test]
fn a_kill_takes_the_scope_off_refuses_it_until_it_is_lifted_and_nobody_else() {
    let in_scope = |scope: u8, session: u16, symbol: u16| match scope {
        0 => true,
        1 => ACCOUNTS[usize::from(session) - 1] == 10,
        2 => session == 2,
        _ => symbol == 2,
    };
    for scope in 0..4 {
        let mut rig = filled();
        check_left(
            &mut rig,
            kill(scope, 1),
            Reason::Killed,
            |session, symbol, _, _| in_scope(scope, session, symbol),
        );
        let mut number = 1_000;
        for lifted in [false, true] {
            for (session, symbol) in (1..=4).flat_map(|one| (1..=3).map(move |two| (one, two))) {
                number += 1;
                let order = Command {
                    session,
                    symbol,
                    ..day(number, Buy, 3, 100)
                };
                let answer = answers(&mut rig, order).remove(0);
                let is_killed = !lifted && in_scope(scope, session, symbol);
                let expected = if is_killed {
                    format!("Rejected {session}:{number} 3@100 left 0 Killed")
                } else {
                    format!("Accepted {session}:{number} 3@100 left 3 booked")
                };
                assert_eq!(answer, expected, "scope {scope}");
            }
            if !lifted {
                let answer = answers(&mut rig, kill(scope, 0));
                assert_eq!(answer, ["KillChanged 2:10 0@0 left 0"]);
            }
        }
    }
}

#[test]
fn switches_are_set_and_lifted_each_by_itself() {
    for first in 0..4 {
        for second in (0..4).filter(|second| *second != first) {
            let mut rig = rig(ROOMY);
            for scope in [first, second, second] {
                rig.apply(kill(scope, 1));
            }
            let order = |number| Command {
                session: 2,
                symbol: 2,
                ..day(number, Buy, 3, 100)
            };
            rig.apply(kill(first, 0));
            let answer = answers(&mut rig, order(1)).remove(0);
            assert!(answer.ends_with("Killed"), "{first}, {second}: {answer}");
            rig.apply(kill(second, 0));
            let answer = answers(&mut rig, order(1)).remove(0);
            assert!(
                answer.starts_with("Accepted"),
                "{first}, {second}: {answer}"
            );
        }
    }
}

#[test]
fn killed_stands_behind_the_checks_of_a_plain_order_and_ahead_of_attributes() {
    let mut rig = rig(ROOMY);
    rig.apply(day(5, Buy, 3, 100));
    rig.apply(Command {
        symbol: 1,
        ..kill(3, 1)
    });
    rig.apply(Command {
        symbol: 3,
        session: 4,
        ..day(7, Buy, 3, 100)
    });
    rig.apply(Command {
        session: 4,
        ..kill(2, 1)
    });
    for (order, reason) in [
        (day(5, Buy, 3, 100), "DuplicateUserRef"),
        (day(6, Buy, 0, 100), "InvalidQuantity"),
        (day(6, Buy, 3, 0), "InvalidPrice"),
        (day(6, Buy, 3, 100), "Killed"),
        (replace(5, 6, 3, 100), "UnknownOrder"),
        (
            Command {
                session: 4,
                ..replace(7, 8, 3, 100)
            },
            "UnknownOrder",
        ),
        (
            Command {
                session: 4,
                symbol: 9,
                ..day(8, Buy, 3, 100)
            },
            "UnknownSymbol",
        ),
        (
            Command {
                session: 4,
                symbol: 2,
                ..day(8, Buy, 3, 100)
            },
            "Killed",
        ),
    ] {
        let answer = answers(&mut rig, order).remove(0);
        assert!(answer.ends_with(reason), "{answer} instead of {reason}");
        let extra = Command {
            session: order.session,
            flags: 128,
            ..of(CommandKind::Extra)
        };
        rig.apply(extra);
        let answer = answers(&mut rig, order).remove(0);
        assert!(answer.ends_with(reason), "{answer} instead of {reason}");
    }
    rig.apply(Command {
        symbol: 1,
        ..kill(3, 0)
    });
    let answer = answers(&mut rig, day(6, Buy, 3, 100)).remove(0);
    assert_eq!(answer, "Accepted 1:6 3@100 left 3 booked");
}

#[test]
fn a_killed_order_is_not_there_for_a_replacement_or_a_cancel() {
    let mut rig = rig(ROOMY);
    rig.apply(day(1, Buy, 3, 100));
    assert_eq!(rig.apply(kill(1, 1)).len(), 2);
    let answer = answers(&mut rig, replace(1, 2, 3, 100)).remove(0);
    assert_eq!(answer, "Rejected 1:2 3@100 left 0 UnknownOrder");
    let answer = answers(&mut rig, cancel(1, 0)).remove(0);
    assert_eq!(answer, "CancelRejected 1:1 0@0 left 0 UnknownOrder");
}

#[test]
fn who_is_defined_later_is_killed_with_the_rest() {
    let mut rig = rig(ROOMY);
    rig.apply(kill(1, 1));
    rig.apply(session(5, 10));
    rig.apply(session(6, 20));
    let order = |session, number| Command {
        session,
        ..day(number, Buy, 3, 100)
    };
    let is_killed = |rig: &mut Rig, order| answers(rig, order).remove(0).ends_with("Killed");
    assert!(is_killed(&mut rig, order(5, 1)));
    assert!(!is_killed(&mut rig, order(6, 1)));
    rig.apply(kill(0, 1));
    rig.apply(session(7, 40));
    for one in [1, 5, 6, 7] {
        assert!(is_killed(&mut rig, order(one, 2)), "session {one}");
    }
    rig.apply(kill(0, 0));
    for (one, killed) in [(1, true), (5, true), (6, false), (7, false)] {
        assert_eq!(is_killed(&mut rig, order(one, 2)), killed, "session {one}");
    }
    rig.apply(kill(1, 0));
    rig.apply(session(8, 10));
    for one in [1, 5, 8] {
        assert!(!is_killed(&mut rig, order(one, 3)), "session {one}");
    }
}

#[test]
fn kills_of_what_is_not_there_are_refused_and_the_day_does_not_matter() {
    let mut rig = rig(ROOMY);
    for (command, reason) in [
        (kill(4, 1), Reason::InvalidField),
        (kill(0, 2), Reason::InvalidField),
        (kill(2, 255), Reason::InvalidField),
        (
            Command {
                user_ref: 11,
                ..kill(1, 1)
            },
            Reason::UnknownSession,
        ),
        (
            Command {
                session: 0,
                ..kill(2, 1)
            },
            Reason::UnknownSession,
        ),
        (
            Command {
                session: 9,
                ..kill(2, 0)
            },
            Reason::UnknownSession,
        ),
        (
            Command {
                session: u16::MAX,
                ..kill(2, 0)
            },
            Reason::UnknownSession,
        ),
        (
            Command {
                symbol: 0,
                ..kill(3, 1)
            },
            Reason::UnknownSymbol,
        ),
        (
            Command {
                symbol: 4,
                ..kill(3, 1)
            },
            Reason::UnknownSymbol,
        ),
        (
            Command {
                symbol: u16::MAX,
                ..kill(3, 0)
            },
            Reason::UnknownSymbol,
        ),
    ] {
        let events = rig.apply(command);
        let found = (events[0].kind, events[0].reason);
        assert_eq!(
            found,
            (EventKind::Refused as u8, reason as u8),
            "{command:?}"
        );
    }
    let mut early = Rig::new(ROOMY);
    for command in [kill(0, 1), mass(0)] {
        let events = early.apply(command);
        assert!(
            events.len() == 1 && events[0].quantity == 0,
            "{}",
            say(&events[0])
        );
    }
    rig.apply(of(CommandKind::CloseDay));
    assert_eq!(
        answers(&mut rig, kill(0, 1)),
        ["KillChanged 2:10 0@0 left 0"]
    );
}

#[test]
fn a_state_hash_knows_of_every_switch() {
    let mut hashes = vec![rig(ROOMY).engine.state_hash()];
    for scope in 0..4 {
        let mut rig = rig(ROOMY);
        rig.apply(kill(scope, 1));
        hashes.push(rig.engine.state_hash());
        rig.apply(kill(scope, 0));
        assert_eq!(rig.engine.state_hash(), hashes[0], "scope {scope}");
    }
    let empty = Rig::new(ROOMY).engine.state_hash();
    let mut killed = Rig::new(ROOMY);
    killed.apply(kill(0, 1));
    assert_ne!(killed.engine.state_hash(), empty);
    let count = hashes.len();
    hashes.sort_unstable();
    hashes.dedup();
    assert_eq!(hashes.len(), count);
}
