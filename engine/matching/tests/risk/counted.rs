//! What counts towards limits: every way in and out of the book, trades, and sums of any size.

use wire::ring::Side::{Buy, Sell};
use wire::ring::{
    Command, CommandKind, Condition, EXTRA_ALL_OR_NONE, EventKind, MarketState, PRICE_MARKET,
    PRICE_MAX, QUANTITY_MAX, Reason,
};

use crate::common::{ROOMY, Rig, cancel, day, ioc, of, replace};
use crate::{
    GOOD, GROSS, LIVE_ORDERS, NET, POSITION, QUANTITY, by, check, defined, kind, limit, of_symbol,
    reason, rig, session,
};

/// Sets or lifts the kill switch of account 1.
fn kill(flags: u8) -> Command {
    Command {
        letters: [1, 0, 0, 0],
        user_ref: 1,
        flags,
        ..of(CommandKind::Kill)
    }
}

/// An `Extra` of session 1.
fn extra() -> Command {
    by(1, of(CommandKind::Extra))
}

/// An `Extra` with a condition and its amount.
fn conditional(condition: Condition, amount: i32) -> Command {
    let mut extra = extra();
    extra.letters[1] = condition as u8;
    extra.client_id[4..8].copy_from_slice(&amount.to_le_bytes());
    extra
}

fn state(state: MarketState) -> Command {
    Command {
        symbol: 1,
        flags: state as u8,
        ..of(CommandKind::SetState)
    }
}

/// Sends commands, none of which may be refused.
fn send(rig: &mut Rig, commands: &[Command]) {
    for command in commands {
        assert_eq!(reason_of_order(rig, *command), GOOD, "{command:?}");
    }
}

/// As [`reason`], for commands with events of other orders behind or ahead.
fn reason_of_order(rig: &mut Rig, command: Command) -> Reason {
    let events = rig.apply(command);
    let refused = events
        .iter()
        .find(|event| [EventKind::Rejected as u8, EventKind::Refused as u8].contains(&event.kind));
    refused.map_or(GOOD, |event| {
        Reason::from_byte(event.reason).expect("a reason")
    })
}

/// Room for one order of 10 at 100.
const ONE_ORDER: [[(u8, i64); 3]; 2] = [
    [(LIVE_ORDERS, 1), (POSITION, 10), (GROSS, 1_000)],
    [(LIVE_ORDERS, 1), (POSITION, 10), (NET, 1_000)],
];

/// Looks whether account 1 has nothing open and nothing traded: one order that fills [`ONE_ORDER`]
/// fits on either side, and nothing more.
fn expect_free(rig: &mut Rig, what: &str) {
    for side in [Buy, Sell] {
        let at = 1_000 + rig.sequence as u32;
        let too_many = reason(rig, day(at, side, 11, 1));
        assert_eq!(too_many, Reason::MaxPosition, "{what}");
        let too_much = reason(rig, day(at, side, 10, 101));
        assert!(
            [Reason::GrossCredit, Reason::NetCredit].contains(&too_much),
            "{what}: {too_much:?}"
        );
        assert_eq!(reason(rig, day(at, side, 10, 100)), GOOD, "{what}");
        let second = reason(rig, day(at + 1, side, 1, 1));
        assert_eq!(second, Reason::MaxOpenOrders, "{what}");
        assert_eq!(kind(rig, cancel(at, 0)), EventKind::Canceled);
    }
}

#[test]
fn every_way_out_frees_what_an_order_held() {
    let order = day(1, Buy, 10, 100);
    let sell = day(1, Sell, 10, 100);
    let iceberg = Command {
        old_user_ref: 3,
        ..extra()
    };
    let whole = Command {
        flags: EXTRA_ALL_OR_NONE,
        ..extra()
    };
    let stop = conditional(Condition::Stop, 500);
    let mass_cancel = of(CommandKind::MassCancel);
    let ways: [&[Command]; 9] = [
        &[order, cancel(1, 0)],
        &[order, cancel(1, 4), cancel(1, 0)],
        &[
            sell,
            replace(1, 2, 3, 50),
            replace(2, 3, 10, 100),
            cancel(3, 0),
        ],
        &[order, kill(1), kill(0)],
        &[sell, mass_cancel],
        &[iceberg, order, cancel(1, 6), cancel(1, 2), mass_cancel],
        &[whole, order, cancel(1, 4), cancel(1, 0)],
        &[stop, order, cancel(1, 4), mass_cancel],
        &[
            order,
            state(MarketState::Halt),
            cancel(1, 0),
            state(MarketState::Continuous),
        ],
    ];
    for limits in ONE_ORDER {
        for (at, way) in ways.iter().enumerate() {
            let mut rig = rig(&limits);
            expect_free(&mut rig, "at first");
            // Numbers of a session only grow.
            let later = |command: &Command| Command {
                user_ref: if command.session == 1 {
                    command.user_ref + 5_000
                } else {
                    1
                },
                old_user_ref: match command.old_user_ref {
                    old if command.kind == CommandKind::Replace as u8 => old + 5_000,
                    other => other,
                },
                ..*command
            };
            send(&mut rig, &way.iter().map(later).collect::<Vec<_>>());
            rig.sequence += 10_000;
            expect_free(&mut rig, &format!("way {at}"));
        }
    }
}

#[test]
fn an_order_that_expires_frees_what_it_held() {
    for limits in ONE_ORDER {
        let mut rig = rig(&limits);
        let short_lived = Command {
            price: 500,
            ..extra()
        };
        send(&mut rig, &[short_lived, day(1, Buy, 10, 100)]);
        assert_eq!(reason(&mut rig, day(2, Buy, 1, 1)), Reason::MaxOpenOrders);
        let events = rig.apply_at(500, day(2, Buy, 10, 100));
        let kinds: Vec<u8> = events.iter().map(|event| event.kind).collect();
        let expected = [EventKind::Canceled as u8, EventKind::Accepted as u8];
        assert_eq!(kinds, expected);
        rig.sequence = 501;
        send(&mut rig, &[cancel(2, 0)]);
        expect_free(&mut rig, "expired");
    }
}

#[test]
fn an_icebergs_fresh_tips_count_once() {
    let iceberg = Command {
        old_user_ref: 3,
        ..extra()
    };
    check(
        &[(POSITION, 10), (LIVE_ORDERS, 2), (GROSS, 2_717)],
        &[
            (iceberg, GOOD),
            (day(1, Buy, 10, 100), GOOD),
            (ioc(1, Sell, 7, 100), GOOD),
            (day(2, Buy, 1, 1), Reason::MaxPosition),
            (day(2, Sell, 18, 101), Reason::MaxPosition),
            (day(2, Sell, 17, 102), Reason::GrossCredit),
            (day(2, Sell, 17, 101), GOOD),
            (day(3, Sell, 1, 103), Reason::MaxOpenOrders),
        ],
    );
}

#[test]
fn trades_within_an_account_count_on_both_sides() {
    check(
        &[(POSITION, 10), (NET, 1_000), (GROSS, 3_000)],
        &[
            (day(1, Sell, 10, 100), GOOD),
            // Bought and sold: even, but for 2,000 of trades.
            (by(3, day(1, Buy, 10, 100)), GOOD),
            (day(2, Buy, 11, 50), Reason::MaxPosition),
            (day(2, Buy, 10, 101), Reason::GrossCredit),
            (day(2, Buy, 10, 100), GOOD),
            (day(3, Sell, 1, 101), Reason::GrossCredit),
        ],
    );
}

#[test]
fn self_trade_prevention_frees_without_a_trade() {
    let mut rig = defined(ROOMY);
    let decrements = Command {
        letters: [4, 0, 0, 0],
        ..session(4, 1)
    };
    let limits = [limit(POSITION, 10), limit(GROSS, 1_000)];
    send(&mut rig, &[&[decrements], &limits[..]].concat());
    rig.apply(of(CommandKind::OpenDay));
    send(&mut rig, &[day(1, Sell, 10, 50), by(4, day(1, Buy, 6, 50))]);
    // 4 are left of the 10 on offer, and nothing was bought.
    let lines = [
        (day(2, Buy, 11, 20), Reason::MaxPosition),
        (day(2, Sell, 7, 60), Reason::MaxPosition),
        (day(2, Buy, 10, 81), Reason::GrossCredit),
        (day(2, Sell, 6, 60), GOOD),
    ];
    for (command, expected) in lines {
        assert_eq!(reason(&mut rig, command), expected, "{command:?}");
    }
}

#[test]
fn an_auction_counts_its_price_in_the_limits_place() {
    let mut rig = rig(&[(GROSS, 1_300), (NET, 1_200), (POSITION, 20)]);
    let at_any_price = day(2, Buy, 4, PRICE_MARKET);
    let sells = by(2, day(1, Sell, 15, 80));
    // Without a last price a market order comes to nothing, while it is live and before.
    let call = [
        state(MarketState::PreOpen),
        day(1, Buy, 10, 120),
        at_any_price,
        sells,
    ];
    send(&mut rig, &call);
    assert_eq!(reason(&mut rig, day(3, Buy, 1, 1)), Reason::NetCredit);
    assert_eq!(reason(&mut rig, day(3, Sell, 1, 101)), Reason::GrossCredit);
    send(&mut rig, &[day(3, Sell, 1, 100), cancel(3, 0)]);
    // 14 bought at 80.
    send(&mut rig, &[state(MarketState::Continuous)]);
    let lines = [
        (day(4, Sell, 35, 1), Reason::MaxPosition),
        (day(4, Buy, 7, 1), Reason::MaxPosition),
        (day(4, Buy, 2, 41), Reason::NetCredit),
        (day(4, Buy, 2, 40), GOOD),
        (day(5, Sell, 1, 101), Reason::GrossCredit),
        (day(5, Sell, 1, 100), GOOD),
    ];
    for (command, expected) in lines {
        assert_eq!(reason(&mut rig, command), expected, "{command:?}");
    }
}

#[test]
fn a_peg_counts_with_the_price_that_it_has() {
    let mut rig = rig(&[(GROSS, 1_000)]);
    let bid = |user_ref, price| by(2, day(user_ref, Buy, 1, price));
    let away = |price| of_symbol(2, day(9, Buy, 1, price));
    let peg = conditional(Condition::PrimaryPeg, 0);
    send(&mut rig, &[bid(1, 90), peg, day(1, Buy, 10, PRICE_MARKET)]);
    assert_eq!(reason(&mut rig, away(101)), Reason::GrossCredit);
    // It follows to 95, and beyond the limit, too.
    send(&mut rig, &[bid(2, 95)]);
    assert_eq!(reason(&mut rig, away(51)), Reason::GrossCredit);
    send(&mut rig, &[bid(3, 130)]);
    assert_eq!(reason(&mut rig, away(1)), Reason::GrossCredit);
    // Parked it has no price.
    send(&mut rig, &[1, 2, 3].map(|number| by(2, cancel(number, 0))));
    assert_eq!(reason(&mut rig, away(1_001)), Reason::GrossCredit);
    assert_eq!(reason(&mut rig, away(1_000)), GOOD);
}

#[test]
fn a_limit_below_what_is_open_stops_what_adds_to_it() {
    let mut rig = rig(&[(0, 0)]);
    send(&mut rig, &[1, 2, 3].map(|number| day(number, Buy, 20, 50)));
    send(&mut rig, &[ioc(1, Sell, 20, 50)]);
    send(&mut rig, &[limit(LIVE_ORDERS, 1), limit(POSITION, 30)]);
    // Nothing leaves by itself; what takes nothing more is judged all the same.
    assert_eq!(rig.engine.live_orders(), 2);
    let lines = [
        (replace(2, 4, 1, 50), Reason::MaxOpenOrders),
        (cancel(2, 0), GOOD),
        (replace(3, 4, 20, 50), Reason::MaxPosition),
        (replace(3, 4, 10, 50), GOOD),
        (day(5, Sell, 1, 60), Reason::MaxOpenOrders),
        (limit(LIVE_ORDERS, 0), GOOD),
        (day(5, Buy, 1, 50), Reason::MaxPosition),
        (day(5, Sell, 51, 60), Reason::MaxPosition),
        (day(5, Sell, 50, 60), GOOD),
    ];
    for (command, expected) in lines {
        assert_eq!(reason_of_order(&mut rig, command), expected, "{command:?}");
    }
}

#[test]
fn a_killed_account_is_told_so_first_and_keeps_its_trades() {
    let mut rig = rig(&[(QUANTITY, 10), (POSITION, 10), (LIVE_ORDERS, 1)]);
    send(
        &mut rig,
        &[day(1, Buy, 10, 50), ioc(1, Sell, 6, 50), kill(1)],
    );
    assert_eq!(reason(&mut rig, day(2, Buy, 11, 50)), Reason::Killed);
    let lines = [
        (kill(0), GOOD),
        (day(2, Buy, 5, 50), Reason::MaxPosition),
        (day(2, Buy, 4, 50), GOOD),
    ];
    for (command, expected) in lines {
        assert_eq!(reason_of_order(&mut rig, command), expected, "{command:?}");
    }
}

#[test]
fn sums_beyond_63_bits_are_exact() {
    let value = i128::from(QUANTITY_MAX) * i128::from(PRICE_MAX);
    let fitting = i128::from(i64::MAX) / value;
    let rest = i128::from(i64::MAX) % value;
    let mut rig = rig(&[(GROSS, i64::MAX), (NET, i64::MAX)]);
    let largest = |number: u32| day(number, Buy, QUANTITY_MAX, PRICE_MAX);
    for number in 1..=fitting as u32 {
        assert_eq!(reason(&mut rig, largest(number)), GOOD);
    }
    let next = fitting as u32 + 1;
    assert_eq!(reason(&mut rig, largest(next)), Reason::GrossCredit);
    // What is left to the last unit: a whole number of them, then less than one.
    let units = (rest / i128::from(PRICE_MAX)) as u32;
    let left = (rest % i128::from(PRICE_MAX)) as i64;
    let lines = [
        (day(next, Buy, units, PRICE_MAX), GOOD),
        (day(next + 1, Buy, 1, left + 1), Reason::GrossCredit),
        (day(next + 1, Buy, 1, left), GOOD),
        (limit(GROSS, 0), GOOD),
        (day(next + 2, Buy, 1, 1), Reason::NetCredit),
        (limit(NET, 0), GOOD),
        (day(next + 2, Buy, QUANTITY_MAX, PRICE_MAX), GOOD),
        (limit(GROSS, i64::MAX), GOOD),
        (day(next + 3, Buy, 1, 1), Reason::GrossCredit),
        (cancel(next + 2, 0), GOOD),
        (day(next + 3, Buy, 1, 1), Reason::GrossCredit),
        (cancel(next + 1, 0), GOOD),
        (day(next + 3, Buy, 1, left), GOOD),
    ];
    for (command, expected) in lines {
        assert_eq!(reason_of_order(&mut rig, command), expected, "{command:?}");
    }
    // No limit is none, however great the sum: beyond 64 bits.
    send(&mut rig, &[limit(GROSS, 0)]);
    for number in next + 4..3 * next {
        assert_eq!(reason(&mut rig, largest(number)), GOOD);
    }
}
