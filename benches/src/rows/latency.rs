//! `latency`: each operation by itself, on generated flow.
//!
//! The clock is read before and after each command; the median of two readings with nothing
//! between them is taken off each sample, and the note says how much that was. A clock that steps
//! in 10 ns shows nothing below. No ring: what the engine owes for one command. In bursts its look
//! at those to come is in the time of each.

use flow::Naive;
use matching::{Events, Line};
use quanta::Clock;
use wire::ring::{CommandKind, Input};

use super::matching::{BURST, Flow, apply, engine};
use crate::compare::{Case, Subject, compare};
use crate::memory::{engine_memory, pages_note};
use crate::stats::{Samples, Stats};
use crate::threads::{Stop, pair};
use crate::{BenchError, Effort, Options, Row};

/// The row.
pub const ROW: Row = Row {
    name: "latency",
    about: "new, cancel and replace one by one, the clock taken off: the engine, the naive model",
    run,
};

/// Standing orders.
const BOOKS: [u32; 3] = [100_000, 5_000, 500_000];
const KINDS: [(&str, CommandKind); 3] = [
    ("new", CommandKind::New),
    ("cancel", CommandKind::Cancel),
    ("replace", CommandKind::Replace),
];
/// Readings of the clock that its price is taken from.
const READINGS: usize = 20_001;

fn run(options: &Options) -> Result<Vec<Case>, BenchError> {
    let commands = options.effort.pick(2_000, 100_000, 500_000);
    let price = clock_price(&Clock::new());
    let mut cases = Vec::new();
    for standing in &BOOKS[..options.effort.pick(1, 1, 3)] {
        let is_tiny = options.effort == Effort::Tiny;
        let flow = Flow::make(if is_tiny { 500 } else { *standing }, commands)?;
        let mut lines = engine_memory(&flow.limits)?;
        let pages = pages_note(lines.bytes_huge());
        let named = |how| KINDS.map(|(name, _)| format!("{name}, {standing} orders, {how}"));
        let names = [named("one at a time"), named("in bursts of 32")].concat();
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        let ours = || {
            let mut samples = turn_engine(&flow, &mut lines, price, 1)?;
            samples.extend(turn_engine(&flow, &mut lines, price, BURST)?);
            Ok(samples)
        };
        let naive = || {
            let mut samples = turn_naive(&flow, price)?;
            samples.extend(turn_naive(&flow, price)?);
            Ok(samples)
        };
        let subjects = vec![
            Subject::new("ours", ours),
            Subject::new("naive model", naive),
        ];
        let found = compare(&names, options.effort.rounds(), subjects)?;
        cases.extend(found.into_iter().map(|case| case.noted(&pages)));
    }
    let price_ns = price as f64 / 1_000.0;
    let noted = |case: Case| {
        let pages = case.note.clone().unwrap_or_default();
        case.noted(&format!(
            "{price_ns:.1} ns of the clock taken off each sample; {pages}"
        ))
    };
    Ok(cases.into_iter().map(noted).collect())
}

/// Median of two readings with nothing between them, in picoseconds.
pub(super) fn clock_price(clock: &Clock) -> u64 {
    let readings = (0..READINGS).map(|_| {
        let start = clock.raw();
        let end = clock.raw();
        clock.delta_as_nanos(start, end) * 1_000
    });
    Stats::of(readings.collect()).map_or(0, |stats| (stats.median * 1_000.0) as u64)
}

/// Applies the timed commands, so many a burst, and sorts the times by kind.
fn timed(
    flow: &Flow,
    price: u64,
    group: usize,
    mut apply: impl FnMut(&[Input], usize),
) -> Vec<Samples> {
    let clock = Clock::new();
    let mut samples = vec![Samples::new(); KINDS.len()];
    for inputs in flow.timed.chunks(group) {
        for (at, input) in inputs.iter().enumerate() {
            let start = clock.raw();
            apply(inputs, at);
            let end = clock.raw();
            let time = (clock.delta_as_nanos(start, end) * 1_000).saturating_sub(price);
            let kind = |(_, kind): &(&str, CommandKind)| *kind as u8 == input.command.kind;
            if let Some(place) = KINDS.iter().position(kind) {
                samples[place].push(time);
            }
        }
    }
    samples
}

fn turn_engine(
    flow: &Flow,
    lines: &mut [Line],
    price: u64,
    group: usize,
) -> Result<Vec<Samples>, BenchError> {
    let here = |_: &Stop| {
        let mut engine = engine(flow.limits, lines)?;
        let mut events = Events::new();
        for input in &flow.before {
            apply(&mut engine, input, &mut events, |_| ());
        }
        let mut count = 0;
        let looks = group > 1 && engine.is_ahead_worthwhile();
        let samples = timed(flow, price, group, |inputs, at| {
            if looks {
                engine.look_ahead(inputs, at);
            }
            apply(&mut engine, &inputs[at], &mut events, |events| {
                count += events.len();
            });
        });
        flow.check(count, engine.live_orders() as usize)?;
        Ok(samples)
    };
    pair(here, |_| Ok(()))
}

fn turn_naive(flow: &Flow, price: u64) -> Result<Vec<Samples>, BenchError> {
    let here = |_: &Stop| {
        let mut naive = Naive::new();
        let before = |input: &Input| drop(naive.apply(input));
        flow.before.iter().for_each(before);
        let mut count = 0;
        let samples = timed(flow, price, 1, |inputs, at| {
            count += naive.apply(&inputs[at]).len();
        });
        flow.check(count, naive.live_orders())?;
        Ok(samples)
    };
    pair(here, |_| Ok(()))
}
