//! `matching`: the engine against the naive reference model on generated flow.
//!
//! Before anything is timed, both answer the whole flow and every event and the books at the end
//! are compared. A timed turn must give the same number of events and leave the same orders.

use flow::{Generator, Naive, Sequencer, Shape};
use matching::{Engine, Events, Limits, Line, Step};
use quanta::Clock;
use wire::ring::{Event, Input, Side};

use crate::compare::{Case, Subject, compare};
use crate::memory::engine_memory;
use crate::stats::Samples;
use crate::{BenchError, Options, Row};

/// The row.
pub const ROW: Row = Row {
    name: "matching",
    about: "commands of generated flow: the engine, the naive reference model",
    run,
};

/// Commands that are timed together in the second case.
pub(super) const BURST: usize = 32;

/// Standing orders, and the names of the two cases.
const BOOKS: [(u32, [&str; 2]); 3] = [
    (
        5_000,
        [
            "5k orders, each command",
            "5k orders, bursts of 32, per command",
        ],
    ),
    (
        100_000,
        [
            "100k orders, each command",
            "100k orders, bursts of 32 looked ahead, per command",
        ],
    ),
    (
        500_000,
        [
            "500k orders, each command",
            "500k orders, bursts of 32 looked ahead, per command",
        ],
    ),
];

/// Commands with what must come of them.
pub(super) struct Flow {
    pub(super) limits: Limits,
    /// Definitions and the orders that stand when the clock starts.
    pub(super) before: Vec<Input>,
    pub(super) timed: Vec<Input>,
    events: usize,
    live: usize,
    /// Of the events of the timed commands.
    pub(super) digest: EventDigest,
}

fn run(options: &Options) -> Result<Vec<Case>, BenchError> {
    let commands = options.effort.pick(2_000, 50_000, 500_000);
    let mut cases = Vec::new();
    for (standing, names) in &BOOKS[..options.effort.pick(1, 2, 3)] {
        let standing = if options.effort == crate::Effort::Tiny {
            500
        } else {
            *standing
        };
        let flow = Flow::make(standing, commands)?;
        let mut memory = engine_memory(&flow.limits)?;
        let ours = || turn_engine(&flow, &mut memory);
        let subjects = vec![
            Subject::new("ours", ours),
            Subject::new("naive model", || turn_naive(&flow)),
        ];
        cases.extend(compare(
            names.as_slice(),
            options.effort.rounds(),
            subjects,
        )?);
    }
    Ok(cases)
}

impl Flow {
    /// Generates flow and compares the engine's answers with the model's.
    pub(super) fn make(standing: u32, commands: usize) -> Result<Self, BenchError> {
        let shape = Shape {
            standing,
            ..Shape::default()
        };
        let mut generator =
            Generator::new(&shape).map_err(|error| BenchError::failed("the flow", error))?;
        let limits = Limits {
            symbols: shape.symbols,
            sessions: shape.sessions,
            orders: standing * 2,
            special: Limits::special_of(standing * 2),
            price_groups: 16_384,
            accounts: 0,
        };
        let mut memory = engine_memory(&limits)?;
        let mut engine = engine(limits, &mut memory)?;
        let mut naive = Naive::new();
        let mut sequencer = Sequencer::new(0);
        let mut flow = Self {
            limits,
            before: Vec::new(),
            timed: Vec::new(),
            events: 0,
            live: 0,
            digest: EventDigest::default(),
        };
        let mut opening = generator.opening();
        while flow.timed.len() < commands {
            let is_timed = generator.is_filled();
            let (gap_ns, command) = match opening.next() {
                Some(command) => (0, command),
                None => {
                    let item = generator.next_item();
                    (item.gap_ns, item.command)
                }
            };
            let input = sequencer.number(gap_ns, command);
            let expected = naive.apply(&input);
            let mut found: Vec<Event> = Vec::new();
            apply(&mut engine, &input, &mut Events::new(), |events| {
                found.extend(events)
            });
            if found != expected {
                let what = format!("{input:?}: {found:?} instead of {expected:?}");
                return Err(BenchError::WrongAnswer(what));
            }
            expected.iter().for_each(|event| generator.on_event(event));
            if is_timed {
                flow.events += expected.len();
                expected.iter().for_each(|event| flow.digest.add(event));
                flow.timed.push(input);
            } else {
                flow.before.push(input);
            }
        }
        flow.live = naive.live_orders();
        compare_books(&engine, &naive)?;
        Ok(flow)
    }

    pub(super) fn check(&self, events: usize, live: usize) -> Result<(), BenchError> {
        if (events, live) == (self.events, self.live) {
            return Ok(());
        }
        let what = format!(
            "{events} events and {live} orders instead of {} and {}",
            self.events, self.live
        );
        Err(BenchError::WrongAnswer(what))
    }
}

/// What two runs must agree about: every event, in order.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct EventDigest {
    /// Events.
    pub(super) count: u64,
    hash: u64,
}

impl EventDigest {
    #[inline]
    pub(super) fn add(&mut self, event: &Event) {
        self.count += 1;
        let words: [u64; 6] = bytemuck::cast(*event);
        let mixed = words.iter().fold(0, |mixed: u64, word| {
            (mixed.rotate_left(11) ^ word).wrapping_mul(0x9e37_79b9_7f4a_7c15)
        });
        self.hash = (self.hash.rotate_left(5) ^ mixed).wrapping_mul(0xd6e8_feb8_6659_fd93);
    }
}

pub(super) fn engine(limits: Limits, memory: &mut [Line]) -> Result<Engine<'_>, BenchError> {
    Engine::new(limits, memory).map_err(|error| BenchError::failed("making an engine", error))
}

#[inline]
pub(super) fn apply(
    engine: &mut Engine<'_>,
    input: &Input,
    to: &mut Events,
    mut on: impl FnMut(&[Event]),
) {
    let mut step = engine.apply(input, to);
    on(to.as_slice());
    while step == Step::More {
        step = engine.resume(to);
        on(to.as_slice());
    }
}

pub(super) fn compare_books(engine: &Engine<'_>, naive: &Naive) -> Result<(), BenchError> {
    for symbol in naive.symbols() {
        for side in [Side::Buy, Side::Sell] {
            let mut found = Vec::new();
            engine.orders(symbol, side, |order| {
                found.push((order.order_ref, order.price, order.quantity, order.executed));
            });
            let orders = naive.orders(symbol, side);
            let expected: Vec<_> = orders
                .map(|order| (order.order_ref, order.price, order.open, order.executed))
                .collect();
            if found != expected {
                let what = format!("the books of symbol {symbol} differ on the side {side:?}");
                return Err(BenchError::WrongAnswer(what));
            }
        }
    }
    Ok(())
}

pub(super) fn turn_engine(flow: &Flow, memory: &mut [Line]) -> Result<Vec<Samples>, BenchError> {
    let mut cases = Vec::new();
    for group in [1, BURST] {
        let mut engine = engine(flow.limits, memory)?;
        let mut events = Events::new();
        let before = &mut |input: &Input| apply(&mut engine, input, &mut events, |_| ());
        flow.before.iter().for_each(before);
        let mut count = 0;
        let looks = group > 1 && engine.is_ahead_worthwhile();
        cases.push(timed(&flow.timed, group, |inputs| {
            for (at, input) in inputs.iter().enumerate() {
                if looks {
                    engine.look_ahead(inputs, at);
                }
                apply(&mut engine, input, &mut events, |events| {
                    count += events.len()
                });
            }
        }));
        flow.check(count, engine.live_orders() as usize)?;
    }
    Ok(cases)
}

fn turn_naive(flow: &Flow) -> Result<Vec<Samples>, BenchError> {
    let mut cases = Vec::new();
    for group in [1, BURST] {
        let mut naive = Naive::new();
        flow.before
            .iter()
            .for_each(|input| drop(naive.apply(input)));
        let mut count = 0;
        cases.push(timed(&flow.timed, group, |inputs| {
            count += inputs
                .iter()
                .map(|input| naive.apply(input).len())
                .sum::<usize>();
        }));
        flow.check(count, naive.live_orders())?;
    }
    Ok(cases)
}

/// Applies inputs and takes the time of each group, per input, the clock's own included.
pub(super) fn timed(inputs: &[Input], group: usize, mut apply: impl FnMut(&[Input])) -> Samples {
    let clock = Clock::new();
    let mut times = Samples::with_capacity(inputs.len() / group);
    let mut last = clock.raw();
    for inputs in inputs.chunks(group) {
        apply(inputs);
        let now = clock.raw();
        times.push(clock.delta_as_nanos(last, now) * 1_000 / inputs.len() as u64);
        last = now;
    }
    times
}
