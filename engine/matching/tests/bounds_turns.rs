//! What a turn of a state may cost, and what members can do about it: steps of the worst, as in
//! `bounds.rs`, against the table in `docs/latency-budget.md`.

mod common;

use common::{Rig, cancel, day, ioc, of};
use matching::Limits;
use wire::ring::Side::{Buy, Sell};
use wire::ring::{
    Command, CommandKind, Condition, Event, EventKind, MarketState, PRICE_MARKET, QUANTITY_MAX,
    TimeInForce,
};

const LIMITS: Limits = Limits {
    symbols: 1_500,
    sessions: 3,
    orders: 20_000,
    special: 20_000,
    price_groups: 4_000,
    accounts: 3,
};

/// Nanoseconds of a millisecond.
const MS: u64 = 1_000_000;

/// Pieces of work among the consequences, of a step.
const STEP_PIECES: usize = 64;
/// Levels that a step of a search looks at.
const STEP_LOOKS: usize = 256;
/// Orders that leave or come to life in a step.
const STEP_ORDERS: usize = 59;

/// An engine with open day and this many symbols.
fn open(symbols: u16) -> Rig {
    let mut rig = Rig::new(LIMITS);
    for symbol in 1..=symbols {
        rig.apply(Command {
            symbol,
            ..of(CommandKind::DefineSymbol)
        });
    }
    for session in 1..=2 {
        rig.apply(Command {
            session,
            ..of(CommandKind::DefineSession)
        });
    }
    rig.apply(of(CommandKind::OpenDay));
    rig
}

fn turn(state: MarketState) -> Command {
    Command {
        symbol: 1,
        flags: state as u8,
        ..of(CommandKind::SetState)
    }
}

fn indicate() -> Command {
    Command {
        symbol: 1,
        ..of(CommandKind::Indicate)
    }
}

fn for_auction(life: TimeInForce, order: Command) -> Command {
    Command {
        time_in_force: life as u8,
        ..order
    }
}

fn count(events: &[Event], kind: EventKind) -> usize {
    let is_it = |event: &&Event| event.kind == kind as u8;
    events.iter().filter(is_it).count()
}

/// As in `bounds.rs`.
fn check(rig: &Rig, bound: usize) {
    let steps = rig.steps;
    assert!(steps <= bound, "{steps} steps instead of {bound}");
    assert!(
        steps > 4 && steps > bound / 8,
        "{steps} steps is no hard case for {bound}"
    );
}

#[test]
fn orders_for_an_auction_that_come_to_life_and_leave_together() {
    const ORDERS: usize = 6_000;
    let mut rig = open(1);
    for user_ref in 1..=ORDERS as u32 {
        let order = day(user_ref, Buy, 1, 100 * i64::from(user_ref));
        rig.apply(for_auction(TimeInForce::AtClose, order));
    }
    let events = rig.apply(turn(MarketState::ClosingAuction));
    assert_eq!(count(&events, EventKind::Triggered), ORDERS);
    check(&rig, ORDERS / STEP_ORDERS + 2);
    let events = rig.apply(turn(MarketState::Continuous));
    assert_eq!(count(&events, EventKind::Canceled), ORDERS);
    check(&rig, ORDERS / STEP_ORDERS + 2);
}

#[test]
fn stops_that_an_uncross_touches() {
    const STOPS: usize = 6_000;
    let mut rig = open(1);
    rig.apply(turn(MarketState::OpeningAuction));
    rig.apply(day(1, Buy, 1, 1_000_000));
    rig.apply(day(2, Sell, 1, 1_000_000));
    for stop in 0..STOPS as u32 {
        let extra = Command {
            session: 1,
            ..of(CommandKind::Extra)
        };
        rig.apply(extra.with_condition(Condition::Stop, 1_000_000));
        rig.apply(day(3 + stop, Buy, 1, 100));
    }
    let events = rig.apply(turn(MarketState::Continuous));
    assert_eq!(count(&events, EventKind::Triggered), STOPS);
    // One piece to elect each, and one that it comes to life.
    check(&rig, 2 * STOPS / STEP_PIECES + events.len() / 60 + 3);
}

#[test]
fn states_that_end_together() {
    let symbols = LIMITS.symbols - 1;
    let mut rig = open(symbols);
    let of_symbol = |symbol, command| Command { symbol, ..command };
    let bands = Command {
        old_user_ref: 100,
        user_ref: 1_000,
        price: 1_000,
        ..of(CommandKind::SetBands)
    };
    for symbol in 1..=symbols {
        let user_ref = 2 * u32::from(symbol);
        rig.apply(of_symbol(symbol, bands));
        rig.apply(of_symbol(symbol, day(user_ref, Buy, 1, 1_000)));
        rig.apply(of_symbol(symbol, ioc(user_ref, Sell, 1, 1_000)));
        let events = rig.apply(of_symbol(symbol, day(user_ref + 1, Buy, 1, 2_000)));
        assert_eq!(count(&events, EventKind::StateChanged), 1);
        assert_eq!(rig.steps, 1);
    }
    let symbols = usize::from(symbols);
    // Into the auction: one event each. Out of it: at least a step each, and as the buys are still
    // at their edges, the limit state follows.
    let follows = 2 * symbols / STEP_PIECES + symbols / 60;
    for (turns, bound) in [(1, symbols / 56 + 2), (2, symbols + follows + 2)] {
        rig.sequence += 2_000 * MS;
        let events = rig.apply(of(CommandKind::Time));
        assert_eq!(count(&events, EventKind::StateChanged), turns * symbols);
        check(&rig, bound);
    }
}

#[test]
fn a_storm_of_cancels_does_not_stall_a_call() {
    const ORDERS: u32 = 8_000;
    let mut rig = open(1);
    rig.apply(turn(MarketState::OpeningAuction));
    // Buys above sells: all cross, and those at any price are ahead of them.
    let price = |user_ref: u32| match user_ref % 4 {
        0 | 1 => PRICE_MARKET,
        2 => 2_000_000 - 100 * i64::from(user_ref / 4),
        _ => 500_000 + 100 * i64::from(user_ref / 4),
    };
    for user_ref in 1..=ORDERS {
        let side = if user_ref % 2 == 0 { Buy } else { Sell };
        rig.apply(day(user_ref, side, 1, price(user_ref)));
        assert_eq!(rig.steps, 1);
    }
    rig.apply(indicate());
    check(&rig, ORDERS as usize / 2 / STEP_LOOKS + 1);
    for user_ref in 1..=ORDERS {
        rig.apply(cancel(user_ref, 0));
        assert_eq!(rig.steps, 1);
        if user_ref % 1_000 == 0 {
            let events = rig.apply(indicate());
            assert!(rig.steps <= ORDERS as usize / 2 / STEP_LOOKS + 1);
            assert_eq!(events[0].quantity, (ORDERS - user_ref) / 2);
        }
    }
    assert_eq!(rig.apply(turn(MarketState::Continuous)).len(), 2);
    assert_eq!(rig.steps, 1);
}

#[test]
fn units_that_do_not_fit_are_told_as_the_most_that_fit() {
    const ORDERS: u32 = 4_400;
    let mut rig = open(1);
    rig.apply(turn(MarketState::OpeningAuction));
    for order in 0..ORDERS {
        rig.apply(day(1 + 3 * order, Buy, QUANTITY_MAX, 100));
        rig.apply(day(2 + 3 * order, Buy, QUANTITY_MAX, 101));
        rig.apply(day(3 + 3 * order, Sell, QUANTITY_MAX, 100));
    }
    let [told] = rig.apply(indicate())[..] else {
        panic!("more than the answer");
    };
    assert_eq!((told.price, told.quantity, told.side), (101, u32::MAX, 0));
    assert_eq!(told.leaves, 0);
    for order in 0..100 {
        rig.apply(day(20_000 + order, Sell, QUANTITY_MAX, 100));
    }
    let [told] = rig.apply(indicate())[..] else {
        panic!("more than the answer");
    };
    assert_eq!((told.price, told.quantity), (100, u32::MAX));
    assert_eq!((told.leaves, told.side), (u32::MAX, 0));
}
