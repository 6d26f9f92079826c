//! Limits of accounts: each at its value and one beyond, and what counts towards it.

mod carried;
#[path = "../common/mod.rs"]
mod common;
mod counted;

use common::{ROOMY, Rig, cancel, day, ioc, of, replace};
use matching::Limits;
use wire::ring::Side::{Buy, Sell};
use wire::ring::{Command, CommandKind, EventKind, MarketState, PRICE_MARKET, Reason};

const QUANTITY: u8 = 1;
const NOTIONAL: u8 = 2;
const DISTANCE: u8 = 3;
const LIVE_ORDERS: u8 = 4;
const POSITION: u8 = 5;
const GROSS: u8 = 6;
const NET: u8 = 7;
const RATE: u8 = 8;
const RESTRICTED: u8 = 9;

fn session(session: u16, account: u32) -> Command {
    Command {
        session,
        user_ref: account,
        ..of(CommandKind::DefineSession)
    }
}

/// Sets a limit of account 1.
fn limit(flags: u8, price: i64) -> Command {
    Command {
        user_ref: 1,
        flags,
        price,
        ..of(CommandKind::SetLimit)
    }
}

/// Symbols 1 to 3; sessions 1 and 3 of account 1, session 2 of account 2; no day.
fn defined(limits: Limits) -> Rig {
    let mut rig = Rig::new(limits);
    for symbol in 1..=3 {
        rig.apply(Command {
            symbol,
            ..of(CommandKind::DefineSymbol)
        });
    }
    for (number, account) in [(1, 1), (2, 2), (3, 1)] {
        rig.apply(session(number, account));
    }
    rig
}

/// An open day with limits of account 1.
fn rig(limits: &[(u8, i64)]) -> Rig {
    let mut rig = defined(ROOMY);
    for (flags, price) in limits {
        assert_eq!(kind(&mut rig, limit(*flags, *price)), EventKind::Configured);
    }
    rig.apply(of(CommandKind::OpenDay));
    rig
}

fn kind(rig: &mut Rig, command: Command) -> EventKind {
    EventKind::from_byte(rig.apply(command)[0].kind).expect("a kind")
}

/// Why a command is refused or an order is rejected; `None` if it is not.
fn reason(rig: &mut Rig, command: Command) -> Reason {
    let first = rig.apply(command)[0];
    let kind = EventKind::from_byte(first.kind).expect("a kind");
    match kind {
        EventKind::Rejected | EventKind::Refused => {
            Reason::from_byte(first.reason).expect("a reason")
        }
        _ => GOOD,
    }
}

fn by(session: u16, command: Command) -> Command {
    Command { session, ..command }
}

fn of_symbol(symbol: u16, command: Command) -> Command {
    Command { symbol, ..command }
}

/// Commands and what each is answered, in turn.
fn check(limits: &[(u8, i64)], lines: &[(Command, Reason)]) {
    let mut rig = rig(limits);
    for (at, (command, expected)) in lines.iter().enumerate() {
        let found = reason(&mut rig, *command);
        assert_eq!(found, *expected, "line {at}: {command:?}");
    }
}

const GOOD: Reason = Reason::None;

#[test]
fn units_of_an_order() {
    check(
        &[(QUANTITY, 10)],
        &[
            (day(1, Buy, 10, 50), GOOD),
            (day(2, Buy, 11, 50), Reason::MaxQuantity),
            (by(3, day(1, Sell, 11, 60)), Reason::MaxQuantity),
            (by(2, day(1, Buy, 11, 50)), GOOD),
            // Units that traded already are none of the new order's.
            (ioc(2, Sell, 15, 50), GOOD),
            (day(2, Buy, 10, 50), GOOD),
            (ioc(4, Sell, 10, 50), GOOD),
            (replace(2, 3, 15, 50), Reason::MaxQuantity),
            (replace(2, 3, 14, 50), GOOD),
        ],
    );
}

#[test]
fn value_of_an_order() {
    check(
        &[(NOTIONAL, 1_000)],
        &[
            (day(1, Buy, 10, 100), GOOD),
            (day(2, Buy, 7, 143), Reason::MaxNotional),
            (day(2, Buy, 1, 1_000), GOOD),
            (day(3, Buy, 1, 1_001), Reason::MaxNotional),
            // A market order has no value before there is a last price.
            (by(3, day(1, Sell, 500, PRICE_MARKET)), GOOD),
            (day(3, Buy, 10, PRICE_MARKET), GOOD),
            (ioc(1, Sell, 1, 100), GOOD),
            (day(4, Buy, 10, 100), GOOD),
            (ioc(2, Sell, 1, 100), GOOD),
            (day(5, Buy, 11, PRICE_MARKET), Reason::MaxNotional),
            (day(5, Buy, 10, PRICE_MARKET), GOOD),
        ],
    );
}

#[test]
fn distance_of_a_limit_beyond_the_last_price() {
    check(
        &[(DISTANCE, 100)],
        &[
            // Nothing is far from nothing.
            (day(1, Buy, 5, 9_000), GOOD),
            (ioc(1, Sell, 1, 9_000), GOOD),
            (day(2, Buy, 1, 9_091), Reason::FatFinger),
            (day(2, Buy, 1, 9_090), GOOD),
            (day(3, Sell, 1, 8_909), Reason::FatFinger),
            (day(3, Sell, 1, 20_000), GOOD),
            (day(4, Buy, 1, 1), GOOD),
            (day(5, Buy, 1, PRICE_MARKET), GOOD),
            (of_symbol(2, day(6, Buy, 1, 90_000)), GOOD),
            (replace(4, 7, 1, 20_201), Reason::FatFinger),
            (by(2, day(2, Buy, 1, 90_000)), GOOD),
        ],
    );
}

#[test]
fn the_reference_price_serves_before_the_first_trade() {
    let state = |state: MarketState, price| Command {
        symbol: 1,
        flags: state as u8,
        price,
        ..of(CommandKind::SetState)
    };
    check(
        &[(DISTANCE, 100)],
        &[
            (state(MarketState::Continuous, 1_000), GOOD),
            (day(1, Sell, 1, 989), Reason::FatFinger),
            (day(1, Sell, 1, 990), GOOD),
            (ioc(1, Buy, 1, 990), GOOD),
            (day(2, Buy, 1, 1_000), Reason::FatFinger),
            (day(2, Buy, 1, 999), GOOD),
        ],
    );
}

#[test]
fn live_orders() {
    check(
        &[(LIVE_ORDERS, 2)],
        &[
            (day(1, Buy, 5, 50), GOOD),
            (by(3, of_symbol(2, day(1, Sell, 5, 51))), GOOD),
            (day(2, Buy, 5, 50), Reason::MaxOpenOrders),
            (by(1, ioc(2, Buy, 5, 50)), Reason::MaxOpenOrders),
            // The replaced one does not count.
            (replace(1, 2, 5, 50), GOOD),
            (replace(2, 3, 5, 50), GOOD),
            (ioc(1, Sell, 5, 50), GOOD),
            (day(4, Buy, 5, 50), GOOD),
            (cancel(4, 1), GOOD),
            (day(5, Buy, 5, 50), Reason::MaxOpenOrders),
            (cancel(4, 0), GOOD),
            (day(5, Buy, 5, 50), GOOD),
        ],
    );
}

#[test]
fn position_with_open_orders() {
    check(
        &[(POSITION, 100)],
        &[
            (day(1, Buy, 60, 50), GOOD),
            (by(3, day(1, Buy, 41, 50)), Reason::MaxPosition),
            (by(3, day(1, Buy, 40, 50)), GOOD),
            (of_symbol(2, day(2, Buy, 100, 50)), GOOD),
            (day(3, Sell, 101, 60), Reason::MaxPosition),
            (day(3, Sell, 100, 60), GOOD),
            // As if the replaced 40 were gone.
            (by(3, replace(1, 2, 41, 50)), Reason::MaxPosition),
            (by(3, replace(1, 2, 39, 50)), GOOD),
            (day(4, Buy, 1, 50), GOOD),
            (day(5, Buy, 1, 50), Reason::MaxPosition),
        ],
    );
}

#[test]
fn position_after_trades_on_both_sides() {
    let sells = by(2, day(1, Sell, 70, 50));
    check(
        &[(POSITION, 100)],
        &[
            // Bought 60 as the maker: 40 more, or 160 the other way.
            (day(1, Buy, 60, 50), GOOD),
            (sells, GOOD),
            (day(2, Buy, 41, 40), Reason::MaxPosition),
            (day(2, Sell, 161, 60), Reason::MaxPosition),
            (day(2, Sell, 160, 60), GOOD),
            // Sold 90 of these (10 were their own): short by 30 with 70 on offer.
            (by(2, day(2, Buy, 100, 60)), GOOD),
            (day(3, Sell, 1, 60), Reason::MaxPosition),
            // Bought 10 of the 70 as the aggressor: short by 20, so 120 are left to buy.
            (by(2, day(3, Sell, 10, 50)), GOOD),
            (by(3, day(1, Buy, 10, 50)), GOOD),
            (day(4, Buy, 121, 40), Reason::MaxPosition),
            (day(4, Buy, 120, 40), GOOD),
            (day(5, Sell, 11, 60), Reason::MaxPosition),
            (day(5, Sell, 10, 60), GOOD),
        ],
    );
}

#[test]
fn gross_credit() {
    check(
        &[(GROSS, 10_000)],
        &[
            (day(1, Buy, 60, 100), GOOD),
            (
                by(3, of_symbol(2, day(1, Sell, 1, 4_001))),
                Reason::GrossCredit,
            ),
            (by(3, of_symbol(2, day(1, Sell, 1, 4_000))), GOOD),
            // A trade stays, on whatever side.
            (ioc(1, Sell, 60, 100), GOOD),
            (day(2, Buy, 1, 1), Reason::GrossCredit),
            (by(3, cancel(1, 0)), GOOD),
            (day(2, Sell, 41, 100), Reason::GrossCredit),
            (day(2, Sell, 40, 100), GOOD),
            (replace(2, 3, 4, 1_001), Reason::GrossCredit),
            (replace(2, 3, 4, 1_000), GOOD),
            (day(4, Buy, 1, PRICE_MARKET), Reason::GrossCredit),
        ],
    );
}

#[test]
fn net_credit() {
    check(
        &[(NET, 10_000)],
        &[
            (day(1, Buy, 60, 100), GOOD),
            (of_symbol(2, day(2, Buy, 1, 4_001)), Reason::NetCredit),
            (of_symbol(2, day(2, Buy, 1, 4_000)), GOOD),
            (day(3, Sell, 100, 101), Reason::NetCredit),
            (day(3, Sell, 50, 200), GOOD),
            // Bought for 6,000: sells of 16,000 come to 10,000.
            (ioc(1, Sell, 60, 100), GOOD),
            (day(4, Sell, 31, 200), Reason::NetCredit),
            (day(4, Sell, 30, 200), GOOD),
            // Sold for 2,000: that much more to buy.
            (by(2, day(2, Buy, 10, 200)), GOOD),
            (day(5, Buy, 21, 100), Reason::NetCredit),
            (day(5, Buy, 20, 100), GOOD),
        ],
    );
}

#[test]
fn rate_fills_up_with_time() {
    const SECOND_NS: u64 = 1_000_000_000;
    let mut rig = defined(ROOMY);
    let two_at_once = Command {
        quantity: 2,
        ..limit(RATE, 10)
    };
    rig.apply(two_at_once);
    rig.apply(of(CommandKind::OpenDay));
    let mut user_ref = 0;
    let mut at = |rig: &mut Rig, time_ns: u64| {
        user_ref += 1;
        rig.apply_at(time_ns, day(user_ref, Buy, 1, 10))[0].reason == Reason::RateLimit as u8
    };
    // Two at once, then one each tenth of a second.
    let start = 5 * SECOND_NS;
    assert!(!at(&mut rig, start));
    assert!(!at(&mut rig, start));
    assert!(at(&mut rig, start));
    assert!(at(&mut rig, start + SECOND_NS / 10 - 1));
    assert!(!at(&mut rig, start + SECOND_NS / 10));
    assert!(at(&mut rig, start + SECOND_NS / 10));
    assert!(!at(&mut rig, start + SECOND_NS / 5));
    // After a pause as many as at first, and no more.
    assert!(!at(&mut rig, 9 * SECOND_NS));
    assert!(!at(&mut rig, 9 * SECOND_NS));
    assert!(at(&mut rig, 9 * SECOND_NS));
}

#[test]
fn an_order_that_another_check_refuses_used_its_turn() {
    let mut rig = rig(&[(QUANTITY, 10)]);
    let one_at_once = Command {
        quantity: 1,
        ..limit(RATE, 1)
    };
    assert_eq!(reason(&mut rig, one_at_once), GOOD);
    let restricted = of_symbol(3, limit(RESTRICTED, 1));
    assert_eq!(reason(&mut rig, restricted), GOOD);
    // Ahead of the rate: no turn.
    let order = of_symbol(3, day(1, Buy, 1, 10));
    assert_eq!(reason(&mut rig, order), Reason::Restricted);
    // Ahead of all risk: no turn.
    assert_eq!(
        reason(&mut rig, day(1, Buy, 0, 10)),
        Reason::InvalidQuantity
    );
    assert_eq!(reason(&mut rig, day(1, Buy, 11, 10)), Reason::MaxQuantity);
    assert_eq!(reason(&mut rig, day(1, Buy, 1, 10)), Reason::RateLimit);
}

#[test]
fn an_order_without_room_takes_one_turn() {
    let mut rig = defined(Limits { orders: 1, ..ROOMY });
    for at_once in [2, 1] {
        rig.apply(Command {
            quantity: at_once,
            ..limit(RATE, 1)
        });
    }
    rig.apply(of(CommandKind::OpenDay));
    rig.apply(by(2, day(1, Buy, 1, 10)));
    let [second_ns, mut time_ns] = [1_000_000_000, 1_000_000_000];
    // The second one is one turn, of the two that may be taken at once, too early.
    for expected in [Reason::PoolFull, Reason::RateLimit] {
        let found = rig.apply_at(time_ns, day(1, Buy, 1, 10))[0].reason;
        assert_eq!(found, expected as u8);
        time_ns += second_ns - 1;
    }
    let found = rig.apply_at(2 * second_ns, day(1, Buy, 1, 10))[0].reason;
    assert_eq!(found, Reason::PoolFull as u8);
}

#[test]
fn restricted_symbols() {
    check(
        &[],
        &[(of_symbol(2, limit(RESTRICTED, 1)), Reason::NotOpen)],
    );
    check(
        &[(0, 0)],
        &[
            (of_symbol(2, day(1, Buy, 1, 10)), GOOD),
            (of_symbol(2, limit(RESTRICTED, 1)), GOOD),
            (of_symbol(2, limit(RESTRICTED, 1)), GOOD),
            (of_symbol(2, day(2, Buy, 1, 10)), Reason::Restricted),
            (replace(1, 2, 2, 10), Reason::Restricted),
            (by(3, of_symbol(2, day(1, Buy, 1, 10))), Reason::Restricted),
            (by(2, of_symbol(2, day(1, Buy, 1, 10))), GOOD),
            (day(2, Buy, 1, 10), GOOD),
            (of_symbol(3, limit(RESTRICTED, 1)), GOOD),
            (of_symbol(2, limit(RESTRICTED, 0)), GOOD),
            (of_symbol(3, day(3, Buy, 1, 10)), Reason::Restricted),
            (of_symbol(2, day(3, Buy, 1, 10)), GOOD),
        ],
    );
}

#[test]
fn what_a_limit_command_can_be_refused_for() {
    let mut rig = defined(ROOMY);
    let of_nobody = Command {
        user_ref: 3,
        ..limit(QUANTITY, 1)
    };
    let cases = [
        (of_nobody, Reason::UnknownSession),
        (limit(10, 1), Reason::InvalidField),
        (limit(GROSS, -1), Reason::InvalidField),
        (limit(RATE, 1), Reason::InvalidField),
        (of_symbol(1, limit(RESTRICTED, 2)), Reason::InvalidField),
        (of_symbol(4, limit(RESTRICTED, 1)), Reason::UnknownSymbol),
    ];
    for (command, expected) in cases {
        assert_eq!(reason(&mut rig, command), expected, "{command:?}");
    }
    // None of these keeps accounts.
    rig.apply(of(CommandKind::OpenDay));
    assert_eq!(reason(&mut rig, limit(QUANTITY, 1)), Reason::NotOpen);
}
