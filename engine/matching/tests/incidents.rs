//! What went wrong at exchanges and their members, as far as an engine alone can show it.

mod common;

use common::{ROOMY, Rig, cancel, day, of};
use matching::{Events, Step};
use wire::ring::{Command, CommandKind, EventKind, Input, MarketState, Reason, Side};

/// Orders that the runaway member sent in its three quarters of an hour, in millions.
const RUNAWAY_ORDERS: u32 = 4_000_000;

/// Cancels and new orders around an auction: 100,000 of each.
const STORM: u32 = 100_000;

/// Knight Capital, 1 August 2012: four million orders by a program that nobody stopped, and no
/// control between it and the market.
#[test]
fn knight() {
    const TAKEN: u32 = 1_000;
    let mut rig = Rig::new(ROOMY);
    let (units, price) = (10, 100);
    for command in [
        Command {
            symbol: 1,
            ..of(CommandKind::DefineSymbol)
        },
        Command {
            session: 1,
            user_ref: 7,
            ..of(CommandKind::DefineSession)
        },
        Command {
            session: 2,
            user_ref: 8,
            ..of(CommandKind::DefineSession)
        },
        // Gross credit, to the last unit of what so many orders are worth.
        Command {
            user_ref: 7,
            flags: 6,
            price: i64::from(TAKEN) * i64::from(units) * price,
            ..of(CommandKind::SetLimit)
        },
        of(CommandKind::OpenDay),
    ] {
        rig.apply(command);
    }
    let (mut events, mut taken, mut last) = (Events::new(), 0, 0);
    for user_ref in 1..=RUNAWAY_ORDERS {
        let input = Input {
            sequence: user_ref.into(),
            time_ns: 1_000_000 + u64::from(user_ref),
            command: day(user_ref, Side::Buy, units, price),
        };
        assert_eq!(rig.engine.apply(&input, &mut events), Step::Done);
        let event = events.as_slice()[0];
        if event.kind == EventKind::Accepted as u8 {
            (taken, last) = (taken + 1, user_ref);
        } else {
            assert_eq!(event.reason, Reason::GrossCredit as u8);
        }
    }
    assert_eq!(
        (taken, last),
        (TAKEN, TAKEN),
        "stopped exactly at the limit"
    );
    // The operator's switch: what rests leaves, nothing comes after, and others go on.
    let kill = Command {
        user_ref: 7,
        flags: 1,
        letters: [1, 0, 0, 0],
        ..of(CommandKind::Kill)
    };
    let left = rig.apply_at(u64::MAX / 2, kill);
    assert_eq!(left.len(), TAKEN as usize + 1);
    let mut after = |session, user_ref| {
        let order = Command {
            session,
            ..day(user_ref, Side::Buy, 1, 1)
        };
        rig.apply_at(u64::MAX / 2, order)[0]
    };
    assert_eq!(after(1, RUNAWAY_ORDERS + 1).reason, Reason::Killed as u8);
    assert_eq!(after(2, 1).kind, EventKind::Accepted as u8);
}

/// Nasdaq and Facebook, 18 May 2012: cancels that came while the cross was computed made it begin
/// again, for ever.
#[test]
fn facebook() {
    const PAIRS: u32 = 5_000;
    let mut rig = Rig::open(ROOMY);
    let turned = |state: MarketState| Command {
        symbol: 1,
        flags: state as u8,
        ..of(CommandKind::SetState)
    };
    rig.apply(turned(MarketState::Halt));
    rig.apply(turned(MarketState::Reopening));
    let mut user_ref = 0;
    let mut enter = |rig: &mut Rig, side| {
        user_ref += 1;
        let events = rig.apply(day(user_ref, side, 1, 100));
        assert_eq!((events[0].kind, rig.steps), (EventKind::Accepted as u8, 1));
        user_ref
    };
    for _ in 0..PAIRS {
        enter(&mut rig, Side::Buy);
        enter(&mut rig, Side::Sell);
    }
    let mut newest = enter(&mut rig, Side::Buy);
    for _ in 0..STORM {
        let left = rig.apply(cancel(newest, 0));
        assert_eq!((left[0].kind, rig.steps), (EventKind::Canceled as u8, 1));
        newest = enter(&mut rig, Side::Buy);
    }
    // The cross is one input: whatever comes meanwhile stands behind it, and it is over after a
    // number of steps that its orders give.
    let crossed = rig.apply(turned(MarketState::Continuous));
    let trades = crossed
        .iter()
        .filter(|it| it.kind == EventKind::Executed as u8);
    assert_eq!(trades.count(), 2 * PAIRS as usize);
    assert!(rig.steps <= 2 * PAIRS as usize, "{} steps", rig.steps);
    let left = rig.apply(cancel(newest, 0));
    assert_eq!(
        (left[0].kind, rig.engine.live_orders()),
        (EventKind::Canceled as u8, 0)
    );
}
