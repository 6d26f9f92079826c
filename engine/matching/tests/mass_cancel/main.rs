//! Mass cancels and kill switches: who leaves, in which order, and who is refused afterwards.

#[path = "../common/mod.rs"]
mod common;
mod kill;

use common::{ROOMY, Rig, answers, cancel, day, of, replace, say};
use matching::{EVENTS_MAX, Limits};
use wire::ring::Side::{self, Buy, Sell};
use wire::ring::{
    Command, CommandKind, Event, EventKind, MASS_OF_USER, PRICE_MARKET, PRICE_MAX, Reason,
};

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

/// What the user of session 2 asks for as `user_ref`.
fn of_user(fits: u8, user_ref: u32) -> Command {
    Command {
        flags: MASS_OF_USER,
        old_user_ref: user_ref,
        price: 0,
        ..mass(fits)
    }
}

#[test]
fn a_users_mass_cancel_uses_up_a_reference_of_its_orders() {
    let mut rig = filled();
    let command = of_user(SESSION | ACCOUNT | SYMBOL, 1_000);
    check_left(&mut rig, command, Reason::User, |session, symbol, _, _| {
        session == 2 && symbol == 2
    });
    let answered = |events: &[Event]| {
        let [event] = events else {
            panic!("{events:?}");
        };
        (event.kind, event.reason, event.flags, event.old_user_ref)
    };
    let before = standing(&rig);
    let refused = EventKind::Refused as u8;
    let asked = Event::LAST | Event::OF_USER;
    for (command, reason, flags) in [
        (command, Reason::DuplicateUserRef, asked),
        (of_user(SESSION, 999), Reason::DuplicateUserRef, asked),
        (of_user(ACCOUNT, 1_001), Reason::InvalidField, Event::LAST),
        (
            of_user(SESSION | PRICE, 1_001),
            Reason::InvalidField,
            Event::LAST,
        ),
        (
            Command {
                session: 9,
                ..of_user(SESSION, 1_001)
            },
            Reason::UnknownSession,
            asked,
        ),
        (
            Command {
                flags: 2,
                ..of_user(SESSION, 1_001)
            },
            Reason::InvalidField,
            Event::LAST,
        ),
    ] {
        let events = rig.apply(command);
        let expected = (refused, reason as u8, flags, command.old_user_ref);
        assert_eq!(answered(&events), expected);
    }
    assert_eq!(standing(&rig), before);
    let order = Command {
        session: 2,
        symbol: 2,
        ..day(1_000, Buy, 1, 9_900)
    };
    let rejected = rig.apply(order);
    assert_eq!(rejected[0].reason, Reason::DuplicateUserRef as u8);
    let taken = rig.apply(Command {
        user_ref: 1_001,
        ..order
    });
    assert_eq!(taken[0].kind, EventKind::Accepted as u8);
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
