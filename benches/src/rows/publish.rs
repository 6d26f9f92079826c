//! `publish`: generated flow through the engine with every event put into a ring.
//!
//! A consumer on the other processor takes all events; their digest must be that of the naive
//! model's. One sample is the time from the first command to the last event published, by command,
//! of three runs piece by piece the least. The gate of the calibration keeps runs of one mode of
//! the machine.

use flow::Naive;
use matching::{Events, Line};
use wire::ring::{Event, Input};

use super::matching::{BURST, EventDigest, Flow, apply, engine};
use crate::calibration::Gate;
use crate::compare::{Case, Subject, compare};
use crate::memory::{engine_memory, pages_note};
use crate::pieces::{Pieces, sample};
use crate::threads::{Stop, pair};
use crate::{BenchError, Effort, Options, Row};

/// The row.
pub const ROW: Row = Row {
    name: "publish",
    about: "generated flow with all events through a ring: the engine, the naive model",
    run,
};

/// Slots of the ring: 64 KiB.
const DEPTH: usize = 1_024;
/// Events that the consumer takes at a time.
const TAKE_MAX: usize = 64;
/// Standing orders.
const BOOKS: [u32; 3] = [5_000, 100_000, 500_000];

fn run(options: &Options) -> Result<Vec<Case>, BenchError> {
    let commands = options.effort.pick(2_000, 100_000, 1_000_000);
    let gate = Gate::new(options.effort)?;
    let mut cases = Vec::new();
    for standing in &BOOKS[..options.effort.pick(1, 2, 3)] {
        let is_tiny = options.effort == Effort::Tiny;
        let flow = Flow::make(if is_tiny { 500 } else { *standing }, commands)?;
        let mut lines = engine_memory(&flow.limits)?;
        let pages = pages_note(lines.bytes_huge());
        let names = [
            format!("{standing} orders, one command at a time"),
            format!("{standing} orders, bursts of {BURST}"),
        ];
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        let ours = || {
            let mut turn =
                |group| sample(&gate, commands, || turn_engine(&flow, &mut lines, group));
            Ok(vec![turn(1)?, turn(BURST)?])
        };
        let naive = || {
            let turn = |group| sample(&gate, commands, || turn_naive(&flow, group));
            Ok(vec![turn(1)?, turn(BURST)?])
        };
        let subjects = vec![
            Subject::new("ours", ours),
            Subject::new("naive model", naive),
        ];
        let found = compare(&names, options.effort.rounds(), subjects)?;
        cases.extend(found.into_iter().map(|case| case.noted(&pages)));
    }
    let noted = |case: Case| {
        let pages = case.note.clone().unwrap_or_default();
        case.noted(&format!("{}; {pages}", gate.note()))
    };
    Ok(cases.into_iter().map(noted).collect())
}

fn turn_engine(flow: &Flow, lines: &mut [Line], group: usize) -> Result<Pieces, BenchError> {
    published(flow, |send| {
        let mut engine = engine(flow.limits, lines)?;
        let mut events = Events::new();
        for input in &flow.before {
            apply(&mut engine, input, &mut events, |_| ());
        }
        let looks = group > 1 && engine.is_ahead_worthwhile();
        let pieces = Pieces::timed(&flow.timed, |piece| {
            for inputs in piece.chunks(group) {
                for (at, input) in inputs.iter().enumerate() {
                    if looks {
                        engine.look_ahead(inputs, at);
                    }
                    apply(&mut engine, input, &mut events, |events| send.put(events));
                }
                send.publish();
            }
        });
        flow.check(flow.digest.count as usize, engine.live_orders() as usize)?;
        Ok(pieces)
    })
}

fn turn_naive(flow: &Flow, group: usize) -> Result<Pieces, BenchError> {
    published(flow, |send| {
        let mut naive = Naive::new();
        let before = |input: &Input| drop(naive.apply(input));
        flow.before.iter().for_each(before);
        let pieces = Pieces::timed(&flow.timed, |piece| {
            for inputs in piece.chunks(group) {
                for input in inputs {
                    send.put(&naive.apply(input));
                }
                send.publish();
            }
        });
        flow.check(flow.digest.count as usize, naive.live_orders())?;
        Ok(pieces)
    })
}

/// The writing side of the ring.
struct Send<'s> {
    writer: queue::Writer<Event, queue::SharedRing<Event>>,
    stop: &'s Stop,
    result: Result<(), BenchError>,
}

impl Send<'_> {
    #[inline]
    fn put(&mut self, events: &[Event]) {
        for event in events {
            if self.writer.put(0, event).is_err() && self.result.is_ok() {
                self.writer.publish();
                self.result = self.stop.wait(|| self.writer.put(0, event).ok());
            }
        }
    }

    #[inline]
    fn publish(&mut self) {
        self.writer.publish();
    }
}

/// Runs `work` with a ring whose reader checks all events; the sample is the time it gives.
fn published(
    flow: &Flow,
    work: impl FnOnce(&mut Send<'_>) -> Result<Pieces, BenchError> + std::marker::Send,
) -> Result<Pieces, BenchError> {
    let (writer, mut reader) =
        queue::ring::<Event>(DEPTH).map_err(|error| BenchError::failed("a ring", error))?;
    let here = |stop: &Stop| {
        let result = Ok(());
        let mut send = Send {
            writer,
            stop,
            result,
        };
        let pieces = work(&mut send)?;
        send.result.map(|()| pieces)
    };
    let there = |stop: &Stop| {
        let mut digest = EventDigest::default();
        while digest.count < flow.digest.count {
            stop.wait(|| {
                let found = reader.gather(TAKE_MAX, |_, event| digest.add(event)) > 0;
                if !found {
                    reader.rest();
                }
                found.then_some(())
            })?;
        }
        if digest == flow.digest {
            return Ok(());
        }
        let what = format!("{digest:?} instead of {:?}", flow.digest);
        Err(BenchError::WrongAnswer(what))
    };
    pair(here, there)
}
