//! The reference follows a real engine that lacks room: by hand.

use flow::Naive;
use flow::naive::{KNOWN, Lack};
use wire::ring::{Command, CommandKind, Condition, Event, EventKind, Input, Reason, Side};

/// The day is open, with symbol 1 and session 1.
fn open() -> (Naive, u64) {
    let mut naive = Naive::offering(KNOWN);
    let define = |kind: CommandKind| Command {
        kind: kind as u8,
        symbol: 1,
        session: 1,
        ..Command::BLANK
    };
    let kinds = [
        CommandKind::DefineSymbol,
        CommandKind::DefineSession,
        CommandKind::OpenDay,
    ];
    for (sequence, kind) in (1..).zip(kinds) {
        naive.apply(&input(sequence, define(kind)));
    }
    (naive, kinds.len() as u64)
}

fn input(sequence: u64, command: Command) -> Input {
    Input {
        sequence,
        time_ns: sequence,
        command,
    }
}

fn order(user_ref: u32, side: Side, price: i64) -> Command {
    Command {
        kind: CommandKind::New as u8,
        side: side as u8,
        symbol: 1,
        session: 1,
        user_ref,
        quantity: 10,
        price,
        ..Command::BLANK
    }
}

fn told(kind: EventKind, reason: Reason, order_ref: u64) -> Lack {
    let any = Naive::new().apply(&input(1, Command::BLANK));
    Lack::told(&[Event {
        kind: kind as u8,
        reason: reason as u8,
        order_ref,
        ..any[0]
    }])
}

fn kinds(events: &[Event]) -> Vec<(EventKind, Reason)> {
    let kind = |event: &Event| {
        let kind = EventKind::from_byte(event.kind).expect("a kind");
        (kind, Reason::from_byte(event.reason).expect("a reason"))
    };
    events.iter().map(kind).collect()
}

#[test]
fn a_full_pool_is_the_last_reason_and_leaves_nothing_behind() {
    let (mut naive, at) = open();
    let full = || told(EventKind::Rejected, Reason::PoolFull, 0);
    let good = input(at + 1, order(1, Side::Buy, 100));
    let events = naive.apply_lacking(&good, full());
    assert_eq!(kinds(&events), [(EventKind::Rejected, Reason::PoolFull)]);
    assert_eq!(naive.live_orders(), 0);
    // It is told of one input only, and the reference number is free still.
    let events = naive.apply(&input(at + 2, order(1, Side::Buy, 100)));
    assert_eq!(kinds(&events), [(EventKind::Accepted, Reason::None)]);
    assert_eq!(events[0].order_ref, 1);
    let bad = input(at + 3, order(2, Side::Buy, -1));
    let events = naive.apply_lacking(&bad, full());
    let expected = [(EventKind::Rejected, Reason::InvalidPrice)];
    assert_eq!(kinds(&events), expected);
}

#[test]
fn a_full_table_refuses_definitions_and_limits() {
    let (mut naive, at) = open();
    for kind in [
        CommandKind::DefineSymbol,
        CommandKind::DefineSession,
        CommandKind::SetLimit,
    ] {
        let command = Command {
            kind: kind as u8,
            symbol: 2,
            session: 2,
            ..Command::BLANK
        };
        let full = told(EventKind::Refused, Reason::TableFull, 0);
        let events = naive.apply_lacking(&input(at + 1, command), full);
        assert_eq!(kinds(&events), [(EventKind::Refused, Reason::TableFull)]);
    }
    assert_eq!(naive.symbols().collect::<Vec<_>>(), [1]);
}

#[test]
fn a_stop_that_finds_no_level_leaves_as_it_comes_to_life() {
    let (mut naive, at) = open();
    let stop = Command {
        kind: CommandKind::Extra as u8,
        session: 1,
        ..Command::BLANK
    };
    let stop = stop.with_condition(Condition::Stop, 100);
    let commands = [
        stop,
        order(1, Side::Buy, 90),
        order(2, Side::Buy, 100),
        order(3, Side::Sell, 100),
    ];
    let last = at + commands.len() as u64;
    let mut events = Vec::new();
    for (sequence, command) in (at + 1..).zip(commands) {
        // Orders 1 to 3 are those above; the stop becomes order 4.
        let lack = told(EventKind::Canceled, Reason::LadderFull, 4);
        let lack = if sequence == last {
            lack
        } else {
            Lack::default()
        };
        events = naive.apply_lacking(&input(sequence, command), lack);
    }
    let expected = [
        (EventKind::Accepted, Reason::None),
        (EventKind::Executed, Reason::None),
        (EventKind::Executed, Reason::None),
        (EventKind::Triggered, Reason::None),
        (EventKind::Canceled, Reason::LadderFull),
    ];
    assert_eq!(kinds(&events), expected);
    assert_eq!(events[3].flags & (Event::BOOKED | Event::PARKED), 0);
    assert_eq!((events[4].quantity, events[4].leaves), (10, 0));
    assert_eq!(naive.live_orders(), 0);
}
