//! `aapl`: a morning of real flow, whose fills the exchange itself has published.
//!
//! 17,848 commands made from Nasdaq's own messages for AAPL; every one of the 803 fills must be
//! the recorded one, maker by maker, before anything is timed, and a timed turn must give as many
//! events and leave as many orders.

use std::path::Path;

use flow::recorded::{Recorded, Replay, read};
use flow::{Naive, Sequencer};
use matching::{Events, Limits, Line};
use quanta::Clock;
use wire::ring::{Event, Input};

use super::matching::{apply, compare_books, engine};
use crate::compare::{Case, Subject, compare};
use crate::memory::engine_memory;
use crate::stats::Samples;
use crate::{BenchError, Options, Row};

/// The row.
pub const ROW: Row = Row {
    name: "aapl",
    about: "recorded AAPL flow with the exchange's fills: the engine, the naive model",
    run,
};

/// Beside the repository: see its `README.md`.
const FILE: &str = "../../shared/data/itch50/AAPL_20191230_0935_first20k.replay.csv";
const LIMITS: Limits = Limits {
    symbols: 1,
    sessions: 2,
    orders: 20_000,
    special: Limits::special_of(20_000),
    price_groups: 4_096,
    accounts: 0,
};

/// The commands and what comes of them.
struct Record {
    inputs: Vec<Input>,
    events: usize,
    live: u32,
    fills: usize,
}

fn run(options: &Options) -> Result<Vec<Case>, BenchError> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(FILE);
    let Ok(text) = std::fs::read_to_string(&path) else {
        let why = format!("{} is not there", path.display());
        return Err(BenchError::Skipped(why));
    };
    let lines = read(&text).map_err(|error| BenchError::failed("the record", error))?;
    let record = Record::check(&lines)?;
    let mut memory = engine_memory(&LIMITS)?;
    let subjects = vec![
        Subject::new("ours", || turn_engine(&record, &mut memory)),
        Subject::new("naive model", || turn_naive(&record)),
    ];
    let cases = compare(&["each command"], options.effort.rounds(), subjects)?;
    let note = format!(
        "all {} fills are those of the exchange, {} orders rest at the end",
        record.fills, record.live
    );
    Ok(cases.into_iter().map(|case| case.noted(&note)).collect())
}

impl Record {
    /// Compares the engine's fills with the exchange's, and its books with the model's.
    fn check(lines: &[Recorded]) -> Result<Self, BenchError> {
        let mut memory = engine_memory(&LIMITS)?;
        let mut engine = engine(LIMITS, &mut memory)?;
        let (mut naive, mut sequencer) = (Naive::new(), Sequencer::new(0));
        let mut record = Self {
            inputs: Vec::new(),
            events: 0,
            live: 0,
            fills: 0,
        };
        let mut replay = Replay::new();
        let mut answer = |command, record: &mut Self| {
            let input = sequencer.number(1, command);
            let mut found: Vec<Event> = Vec::new();
            apply(&mut engine, &input, &mut Events::new(), |events| {
                found.extend(events)
            });
            naive.apply(&input);
            record.inputs.push(input);
            record.events += found.len();
            found
        };
        Replay::opening().for_each(|command| drop(answer(command, &mut record)));
        for (number, line) in lines.iter().enumerate() {
            let command = replay
                .command(line)
                .map_err(|error| BenchError::failed("the record", error))?;
            let found = replay.fills(&answer(command, &mut record));
            let expected: &[(u64, u32)] = match line {
                Recorded::Aggressor { fills, .. } => fills,
                _ => &[],
            };
            if found != expected {
                let what = format!("line {}: {found:?} instead of {expected:?}", number + 1);
                return Err(BenchError::WrongAnswer(what));
            }
            record.fills += found.len();
        }
        record.live = engine.live_orders();
        compare_books(&engine, &naive)?;
        Ok(record)
    }

    fn agrees(&self, events: usize, live: u32) -> Result<(), BenchError> {
        if (events, live) == (self.events, self.live) {
            return Ok(());
        }
        let what = format!("{events} events and {live} orders at the end");
        Err(BenchError::WrongAnswer(what))
    }

    fn timed(&self, mut apply: impl FnMut(&Input)) -> Samples {
        let clock = Clock::new();
        let mut times = Samples::with_capacity(self.inputs.len());
        let mut last = clock.raw();
        for input in &self.inputs {
            apply(input);
            let now = clock.raw();
            times.push(clock.delta_as_nanos(last, now) * 1_000);
            last = now;
        }
        times
    }
}

fn turn_engine(record: &Record, memory: &mut [Line]) -> Result<Vec<Samples>, BenchError> {
    let mut engine = engine(LIMITS, memory)?;
    let mut events = Events::new();
    let mut count = 0;
    let times = record.timed(|input| {
        apply(&mut engine, input, &mut events, |events| {
            count += events.len()
        })
    });
    record.agrees(count, engine.live_orders())?;
    Ok(vec![times])
}

fn turn_naive(record: &Record) -> Result<Vec<Samples>, BenchError> {
    let mut naive = Naive::new();
    let mut count = 0;
    let times = record.timed(|input| count += naive.apply(input).len());
    record.agrees(count, naive.live_orders() as u32)?;
    Ok(vec![times])
}
