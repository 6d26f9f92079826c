//! What one command may cost: steps of the worst that each operation can be made to do, against the
//! table in `docs/latency-budget.md`. A step is a bounded amount of work, so steps are counted and
//! no time is.

mod common;

use common::{Rig, day, ioc, of};
use matching::{Limits, WHOLE_MAX};
use wire::ring::Side::{self, Buy, Sell};
use wire::ring::{
    Command, CommandKind, Condition, EXTRA_ALL_OR_NONE, EXTRA_HIDDEN, Event, EventKind,
    MarketState, PRICE_MARKET, QUANTITY_MAX,
};

const LIMITS: Limits = Limits {
    symbols: 1_500,
    sessions: 8,
    orders: 20_000,
    special: 20_000,
    price_groups: 1_000,
    accounts: 8,
};

/// Levels or orders that a piece of work among the consequences looks at.
const PIECE_LOOKS: usize = 16;
/// Pieces of a step.
const STEP_PIECES: usize = 64;
/// Fills that fit a step, each of three events.
const STEP_FILLS: usize = 20;
/// Levels or orders that other steps look at.
const STEP_LOOKS: usize = 256;

/// An engine with open day; session 1 is of account 1, session 2 of account 2, and session 3 of
/// account 1 too and trades with itself never.
fn open() -> Rig {
    let mut rig = Rig::new(LIMITS);
    rig.apply(Command {
        symbol: 1,
        ..of(CommandKind::DefineSymbol)
    });
    for (session, account, mode) in [(1, 1, 0), (2, 2, 0), (3, 1, 2)] {
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

/// Session 1's next order has these attributes.
fn extra(rig: &mut Rig, asks: Command) {
    rig.apply(Command {
        session: 1,
        kind: CommandKind::Extra as u8,
        ..asks
    });
}

fn flags(flags: u8) -> Command {
    Command {
        flags,
        ..of(CommandKind::Extra)
    }
}

fn condition(condition: Condition, amount: i64) -> Command {
    of(CommandKind::Extra).with_condition(condition, amount as i32)
}

fn turn(state: MarketState) -> Command {
    Command {
        symbol: 1,
        flags: state as u8,
        ..of(CommandKind::SetState)
    }
}

/// One unit of session 1 at each of so many prices from 1,000,000 on, a cent apart.
fn levels(rig: &mut Rig, side: Side, first_ref: u32, count: u32) {
    let away = if side == Sell { 100 } else { -100 };
    for level in 0..count {
        let price = 1_000_000 + away * i64::from(level);
        rig.apply(day(first_ref + level, side, 1, price));
    }
}

fn count(events: &[Event], kind: EventKind) -> usize {
    let is_it = |event: &&Event| event.kind == kind as u8;
    events.iter().filter(is_it).count()
}

/// The command was as hard as it was meant to be, and took no more steps than the table says.
fn check(rig: &Rig, bound: usize) {
    let steps = rig.steps;
    assert!(steps <= bound, "{steps} steps instead of {bound}");
    assert!(
        steps > 4 && steps > bound / 8,
        "{steps} steps is no hard case for {bound}"
    );
}

#[test]
fn all_or_none_orders_that_an_order_helps_none_of() {
    const LEVELS: usize = 4_000;
    let mut rig = open();
    levels(&mut rig, Sell, 1, LEVELS as u32);
    for waiting in 0..WHOLE_MAX {
        extra(&mut rig, flags(EXTRA_ALL_OR_NONE));
        let whole = day(5_000 + waiting, Buy, QUANTITY_MAX, 9_000_000);
        assert!(rig.apply(whole)[0].has(Event::PARKED));
    }
    let events = rig.apply(day(6_000, Sell, 1, 8_000_000));
    assert_eq!(events.len(), 1);
    let pass = (LEVELS + 1) / PIECE_LOOKS + 1;
    check(&rig, pass + 1);
}

/// Each that trades elects a stop that comes to rest, and so all are tried again from the first.
#[test]
fn all_or_none_orders_that_are_tried_again_and_again() {
    const LEVELS: usize = 1_000;
    let half = WHOLE_MAX / 2;
    let mut rig = open();
    rig.apply(turn(MarketState::PreOpen));
    for waiting in 0..WHOLE_MAX {
        let units = if waiting < half { QUANTITY_MAX } else { 1 };
        extra(&mut rig, flags(EXTRA_ALL_OR_NONE));
        rig.apply(day(1 + waiting, Buy, units, 9_000_000));
    }
    levels(&mut rig, Sell, 100, LEVELS as u32);
    for stop in 0..i64::from(half) {
        extra(&mut rig, condition(Condition::Stop, 1_000_000 + 100 * stop));
        rig.apply(day(2_000 + stop as u32, Buy, 1, 100));
    }
    let events = rig.apply(turn(MarketState::Continuous));
    assert_eq!(count(&events, EventKind::Triggered), 2 * half as usize);
    let passes = half as usize + 1;
    let pass = LEVELS / PIECE_LOOKS + 1;
    // And at most 16 pieces for each order that came to life.
    check(
        &rig,
        passes * pass + 2 * half as usize * 16 / STEP_PIECES + 1,
    );
}

#[test]
fn stops_that_elect_each_other() {
    const STOPS: usize = 1_000;
    let mut rig = open();
    levels(&mut rig, Sell, 1, STOPS as u32 + 1);
    for stop in 0..STOPS {
        let price = 1_000_000 + 100 * stop as i64;
        extra(&mut rig, condition(Condition::Stop, price));
        rig.apply(day(2_000 + stop as u32, Buy, 1, PRICE_MARKET));
    }
    let events = rig.apply(ioc(1, Buy, 1, 1_000_000));
    assert_eq!(count(&events, EventKind::Triggered), STOPS);
    check(&rig, STOPS * 16 / STEP_PIECES + events.len() / 60 + 1);
}

#[test]
fn trailing_stops_that_a_trade_moves() {
    const STOPS: usize = 5_000;
    let mut rig = open();
    rig.apply(day(1, Sell, 1, 1_000_000));
    rig.apply(ioc(1, Buy, 1, 1_000_000));
    for stop in 0..STOPS {
        extra(&mut rig, condition(Condition::TrailingStop, 50_000));
        rig.apply(day(2 + stop as u32, Sell, 1, PRICE_MARKET));
    }
    rig.apply(day(8_000, Sell, 1, 1_000_100));
    let events = rig.apply(ioc(2, Buy, 1, 1_000_100));
    assert_eq!(events.len(), 3);
    check(&rig, STOPS / STEP_PIECES + 2);
}

#[test]
fn pegs_that_a_quote_moves() {
    const PEGS: usize = 3_000;
    const DARK: usize = 2_000;
    let mut rig = open();
    rig.apply(day(1, Buy, 1, 1_000_000));
    for peg in 0..PEGS {
        extra(&mut rig, condition(Condition::PrimaryPeg, -50_000));
        rig.apply(day(2 + peg as u32, Buy, 1, PRICE_MARKET));
    }
    // Hidden ones stand ahead of the quote and are looked past.
    for dark in 0..DARK {
        extra(&mut rig, flags(EXTRA_HIDDEN));
        let price = 1_000_200 + 100 * dark as i64;
        rig.apply(day(6_000 + dark as u32, Buy, 1, price));
    }
    let events = rig.apply(day(9_000, Buy, 1, 1_000_100));
    assert_eq!(count(&events, EventKind::Repriced), PEGS);
    // They are looked for once more at the end.
    let pieces = PEGS + 2 * (DARK / PIECE_LOOKS + 2);
    check(&rig, pieces / STEP_PIECES + events.len() / 60 + 2);
}

#[test]
fn a_minimum_that_needs_every_level_or_order() {
    const LEVELS: usize = 6_000;
    let mut rig = open();
    levels(&mut rig, Sell, 1, LEVELS as u32);
    for (session, user_ref) in [(2, 1), (3, 1)] {
        rig.apply(Command {
            session,
            quantity: QUANTITY_MAX,
            ..of(CommandKind::Extra)
        });
        let order = Command {
            session,
            ..ioc(user_ref, Buy, QUANTITY_MAX, PRICE_MARKET)
        };
        assert_eq!(rig.apply(order).len(), 2);
        // Where own orders do not count they are looked at one by one: as many, here.
        check(&rig, LEVELS / STEP_LOOKS + 1);
    }
}

#[test]
fn an_order_that_is_shared_out() {
    const ORDERS: usize = 4_000;
    let mut rig = open();
    rig.apply(Command {
        symbol: 1,
        flags: 1,
        ..of(CommandKind::SetAllocation)
    });
    for order in 1..=ORDERS {
        rig.apply(day(order as u32, Sell, 10, 1_000_000));
    }
    let order = Command {
        session: 3,
        ..day(1, Buy, 1, 1_000_000)
    };
    // Of its own account, so that they are looked at once more: one unit leaves none of them.
    assert_eq!(rig.apply(order).len(), ORDERS + 2);
    assert!(rig.steps <= 4 * ORDERS / STEP_LOOKS + ORDERS / 60 + 1);
    for order in 1..=ORDERS {
        rig.apply(day((ORDERS + order) as u32, Sell, 10, 900_000));
    }
    let events = rig.apply(ioc(1, Buy, 1, 900_000));
    assert_eq!(events.len(), 3);
    check(&rig, 4 * ORDERS / STEP_LOOKS + 1);
}

#[test]
fn an_iceberg_that_shows_one_unit_at_a_time() {
    const UNITS: u32 = 9_999;
    let mut rig = open();
    let shows_one = Command {
        old_user_ref: 1,
        price: i64::MAX,
        ..of(CommandKind::Extra)
    };
    extra(&mut rig, shows_one);
    rig.apply(day(1, Sell, UNITS, 1_000_000));
    let events = rig.apply(ioc(1, Buy, QUANTITY_MAX, 1_000_000));
    assert_eq!(count(&events, EventKind::Refreshed), UNITS as usize - 1);
    check(&rig, UNITS as usize / STEP_FILLS + 2);
}

#[test]
fn orders_that_expire_together() {
    const ORDERS: usize = 5_000;
    let mut rig = open();
    let expires = Command {
        price: 1_000_000,
        ..of(CommandKind::Extra)
    };
    for order in 1..=ORDERS {
        extra(&mut rig, expires);
        rig.apply(day(order as u32, Sell, 1, 100 * order as i64));
    }
    rig.sequence = 1_000_000;
    assert_eq!(rig.apply(of(CommandKind::Time)).len(), ORDERS + 1);
    check(&rig, ORDERS / 56 + 2);
}

#[test]
fn an_uncross_and_its_indication() {
    const LEVELS: usize = 3_000;
    let mut rig = open();
    rig.apply(turn(MarketState::OpeningAuction));
    for level in 0..LEVELS {
        let away = 100 * level as i64;
        rig.apply(day(1 + 2 * level as u32, Buy, 1, 1_500_000 - away));
        rig.apply(day(2 + 2 * level as u32, Sell, 1, 500_000 + away));
    }
    let indicate = Command {
        symbol: 1,
        ..of(CommandKind::Indicate)
    };
    assert_eq!(rig.apply(indicate).len(), 1);
    check(&rig, 2 * LEVELS / STEP_LOOKS + 1);
    let events = rig.apply(turn(MarketState::Continuous));
    let fills = count(&events, EventKind::Executed) / 2;
    assert_eq!(fills, LEVELS);
    check(&rig, 2 * LEVELS / STEP_LOOKS + fills / 15 + 3);
}

#[test]
fn orders_that_leave_together_and_those_that_are_looked_at_for_nothing() {
    const ORDERS: usize = 6_000;
    let mut rig = open();
    levels(&mut rig, Sell, 1, ORDERS as u32);
    let cancel = |session, fits| Command {
        session,
        letters: [fits, 0, 0, 0],
        ..of(CommandKind::MassCancel)
    };
    let kill = |session| Command {
        flags: 1,
        ..Command {
            kind: CommandKind::Kill as u8,
            ..cancel(session, 2)
        }
    };
    // A level and an order are four looks each, and an empty symbol one, of 1,024 a step.
    let looks = 8 * ORDERS + LIMITS.symbols as usize;
    for command in [cancel(2, 1), kill(2)] {
        assert_eq!(rig.apply(command).len(), 1);
        check(&rig, looks / 1_024 + 2);
    }
    assert_eq!(rig.apply(kill(1)).len(), ORDERS + 1);
    check(&rig, looks / 1_024 + ORDERS / 60 + 2);
}
