//! `leaving`: every resting order taken off by one kill switch, against a cancel for each of them.
//!
//! The switch is one input that is worked off in bounded steps; between them the engine takes
//! nothing else. Both must leave empty books and tell of every order, and an order behind the
//! switch must be refused.

use matching::{Engine, Events, Line, Step};
use quanta::Clock;
use wire::ring::{Command, CommandKind, EventKind, Input, Reason, Side};

use super::matching::{Flow, apply, engine};
use crate::compare::{Case, Subject, compare};
use crate::stats::Samples;
use crate::{BenchError, Options, Row};

/// The row.
pub const ROW: Row = Row {
    name: "leaving",
    about: "every resting order off the books: one kill switch, and a cancel for each order",
    run,
};

const CASES: [&str; 2] = [
    "from the command to the last cancellation",
    "one step of it, one cancel",
];

fn run(options: &Options) -> Result<Vec<Case>, BenchError> {
    let standing = options.effort.pick(500, 100_000, 100_000);
    let flow = Flow::make(standing as u32, 1)?;
    let mut memory = vec![Line::ZERO; flow.limits.lines()];
    let mut memory_too = vec![Line::ZERO; flow.limits.lines()];
    let subjects = vec![
        Subject::new("kill switch", || killed(&flow, &mut memory)),
        Subject::new("cancel by cancel", || cancelled(&flow, &mut memory_too)),
    ];
    compare(&CASES, options.effort.rounds(), subjects)
}

/// An engine with the flow's resting orders, and the time of its last input.
fn standing<'m>(flow: &Flow, memory: &'m mut [Line]) -> Result<(Engine<'m>, u64), BenchError> {
    let mut engine = engine(flow.limits, memory)?;
    for input in &flow.before {
        apply(&mut engine, input, &mut Events::new(), |_| ());
    }
    Ok((engine, flow.before.last().map_or(0, |input| input.time_ns)))
}

fn input(time_ns: u64, command: Command) -> Input {
    Input {
        sequence: 0,
        time_ns,
        command,
    }
}

fn killed(flow: &Flow, memory: &mut [Line]) -> Result<Vec<Samples>, BenchError> {
    let (mut engine, time_ns) = standing(flow, memory)?;
    let live = engine.live_orders() as usize;
    let kill = Command {
        kind: CommandKind::Kill as u8,
        flags: 1,
        ..Command::BLANK
    };
    let (clock, mut events, mut left) = (Clock::new(), Events::new(), 0);
    let mut steps = Samples::with_capacity(live);
    let begun = clock.raw();
    let mut last = begun;
    let mut step = engine.apply(&input(time_ns, kill), &mut events);
    loop {
        left += count(&events);
        let now = clock.raw();
        steps.push(clock.delta_as_nanos(last, now) * 1_000);
        last = now;
        if step == Step::Done {
            break;
        }
        step = engine.resume(&mut events);
    }
    let whole = clock.delta_as_nanos(begun, last) * 1_000;
    let late = Command {
        kind: CommandKind::New as u8,
        side: Side::Buy as u8,
        symbol: 1,
        session: 1,
        user_ref: u32::MAX,
        quantity: 1,
        price: 100,
        ..Command::BLANK
    };
    let mut refused = None;
    apply(&mut engine, &input(time_ns, late), &mut events, |events| {
        refused = events.first().map(|event| event.reason);
    });
    if refused != Some(Reason::Killed as u8) {
        let what = format!("an order behind the switch got {refused:?}");
        return Err(BenchError::WrongAnswer(what));
    }
    all_left(&engine, left, live)?;
    Ok(vec![vec![whole], steps])
}

fn cancelled(flow: &Flow, memory: &mut [Line]) -> Result<Vec<Samples>, BenchError> {
    let (mut engine, time_ns) = standing(flow, memory)?;
    let live = engine.live_orders() as usize;
    let mut cancels = Vec::with_capacity(live);
    for symbol in engine.symbols().collect::<Vec<_>>() {
        for side in [Side::Buy, Side::Sell] {
            engine.orders(symbol, side, |order| {
                let cancel = Command {
                    kind: CommandKind::Cancel as u8,
                    session: order.session,
                    user_ref: order.user_ref,
                    ..Command::BLANK
                };
                cancels.push(input(time_ns, cancel));
            });
        }
    }
    let (clock, mut events, mut left) = (Clock::new(), Events::new(), 0);
    let mut each = Samples::with_capacity(live);
    let begun = clock.raw();
    let mut last = begun;
    for cancel in &cancels {
        apply(&mut engine, cancel, &mut events, |_| ());
        left += count(&events);
        let now = clock.raw();
        each.push(clock.delta_as_nanos(last, now) * 1_000);
        last = now;
    }
    let whole = clock.delta_as_nanos(begun, last) * 1_000;
    all_left(&engine, left, live)?;
    Ok(vec![vec![whole], each])
}

/// Cancellations among events.
fn count(events: &Events) -> usize {
    let is_left = |kind: u8| kind == EventKind::Canceled as u8;
    let kinds = events.as_slice().iter().map(|event| event.kind);
    kinds.filter(|kind| is_left(*kind)).count()
}

fn all_left(engine: &Engine<'_>, left: usize, live: usize) -> Result<(), BenchError> {
    if (left, engine.live_orders()) == (live, 0) {
        return Ok(());
    }
    let stay = engine.live_orders();
    let what = format!("{left} of {live} orders were told of, and {stay} stay");
    Err(BenchError::WrongAnswer(what))
}
