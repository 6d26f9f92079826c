//! From snapshot and journal back to the state: the newest snapshot that is whole, and every input
//! behind it once more; without a snapshot, every input of the day.

use super::kept::{Opened, Unusable, store_of, told};
use super::replay::{Kept, Outputs, Replay, State};
use super::{StartError, engine_limits, outputs_empty};
use crate::topology::Topology;
use journal::stream::{self, Kind, Name, Position};
use journal::{Files, Mark, Recovered, Segments, snapshot};
use matching::{Engine, Line};
use std::collections::VecDeque;
use std::time::{Duration, Instant};
use wire::ring::Command;

/// What recovery found, for the operator.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Recovery {
    /// Inputs of the day so far; 0 for a new day.
    pub inputs: u64,
    /// Those of them that a snapshot stood for.
    pub inputs_skipped: u64,
    /// The last life closed the journal.
    pub is_clean: bool,
    /// A tail that was cut, in words.
    pub torn: Option<String>,
    /// Snapshots that were refused, in words.
    pub refused: Vec<String>,
    /// Hash of the state behind the last input.
    pub state_hash: u64,
    /// Orders on the books.
    pub live_orders: u32,
    /// Definitions that are still to be journaled.
    pub definitions_left: usize,
    /// Where the time went.
    pub split: Split,
}

/// Where the time of a recovery went.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Split {
    /// Reading the snapshot, and earlier replies and messages from the streams.
    pub snapshot: Duration,
    /// Building the engine from it.
    pub restore: Duration,
    /// Reading the journal behind it and applying its inputs.
    pub replay: Duration,
}

/// A state to go on from, and where.
pub(super) struct Start<'m> {
    pub state: State<'m>,
    pub mark: Mark,
    pub streams: Vec<(Name, Position)>,
    pub definitions_seen: usize,
    pub refused: Vec<String>,
    pub split: Split,
}

/// Who keeps what was told before the snapshot.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Past {
    /// The venue itself, in memory: it is read from the streams.
    Memory,
    /// The streams.
    Streams,
}

/// The state of the newest snapshot that can be used, or that of a new day.
pub(super) fn start<'m>(
    topology: &Topology,
    session: [u8; 10],
    lines: &'m mut [Line],
    files: Option<&mut (dyn Files + 'static)>,
    past: Past,
) -> Result<Start<'m>, StartError> {
    let mut engine = Engine::new(engine_limits(topology), lines)
        .map_err(|e| StartError::of("matching engine", &e))?;
    let mut search = Search {
        topology,
        session,
        past,
        refused: Vec::new(),
        split: Split::default(),
    };
    let found = match files {
        Some(files) => search.newest(files, &mut engine)?,
        None => None,
    };
    let (outputs, mark, streams, definitions_seen) = match found {
        Some((opened, outputs)) => {
            let seen = opened.definitions_seen;
            (outputs, opened.mark, opened.streams, seen)
        }
        None => (
            outputs_empty(topology, session)?,
            Mark::START,
            Vec::new(),
            0,
        ),
    };
    Ok(Start {
        state: State { engine, outputs },
        mark,
        streams,
        definitions_seen,
        refused: search.refused,
        split: search.split,
    })
}

/// Looks for the newest snapshot that can be used.
struct Search<'t> {
    topology: &'t Topology,
    session: [u8; 10],
    past: Past,
    /// Those that cannot, in words.
    refused: Vec<String>,
    /// What was spent on the one that can, or on the last one that was tried.
    split: Split,
}

impl Search<'_> {
    /// Fills an empty engine, and outputs, from the newest snapshot with which all goes well.
    fn newest(
        &mut self,
        files: &mut (dyn Files + 'static),
        engine: &mut Engine<'_>,
    ) -> Result<Option<(Opened, Outputs)>, StartError> {
        let all = snapshot::list(files).map_err(|e| StartError::of("snapshots", &e))?;
        for sequence in all {
            let begun = Instant::now();
            let read = self.read(files, sequence);
            self.split.snapshot = begun.elapsed();
            let begun = Instant::now();
            let loaded = read.and_then(|(opened, outputs)| {
                opened.load(engine)?;
                Ok((opened, outputs))
            });
            self.split.restore = begun.elapsed();
            match loaded {
                Ok(found) => return Ok(Some(found)),
                Err(Unusable::Venue(error)) => return Err(error),
                Err(Unusable::Damaged(why)) => {
                    let name = files.path(&snapshot::file_name(sequence));
                    self.refused.push(format!("{name} is not used: {why}"));
                }
            }
        }
        Ok(None)
    }

    /// Reads a snapshot, all but the engine, and what was told before it.
    fn read(
        &self,
        files: &mut (dyn Files + 'static),
        sequence: u64,
    ) -> Result<(Opened, Outputs), Unusable> {
        let Self {
            topology, session, ..
        } = *self;
        let mut outputs = outputs_empty(topology, session).map_err(Unusable::Venue)?;
        let opened = Opened::read(topology, files, sequence)?;
        opened.restore(&mut outputs)?;
        for (name, position) in &opened.streams {
            remember(topology, files, &mut outputs, (*name, position), self.past)?;
        }
        Ok((opened, outputs))
    }
}

/// Tells outputs what was told before the snapshot, as far as they are to know it.
fn remember(
    topology: &Topology,
    files: &mut dyn Files,
    outputs: &mut Outputs,
    (name, position): (Name, &Position),
    past: Past,
) -> Result<(), Unusable> {
    let next = position.messages + 1;
    let from = match (name.kind, &outputs.depth) {
        _ if past == Past::Streams => next,
        (Kind::Feed, _) => first(next, outputs.publisher.history_messages()),
        (Kind::Depth, Some(depth)) => first(next, depth.history_messages()),
        _ => 1,
    };
    let store = store_of(topology, name).unwrap_or(0);
    match name.kind {
        Kind::Feed => outputs.publisher.begin(from),
        Kind::Depth => outputs.depth.iter_mut().for_each(|depth| depth.begin(from)),
        _ => outputs.entry.begin_behind(store, from - 1),
    }
    if from == next {
        return Ok(());
    }
    let mut is_kept = true;
    let read = stream::read(files, name, from, &mut |number, message| {
        is_kept &= match (name.kind, &mut outputs.depth) {
            (Kind::Feed, _) => outputs.publisher.again(message),
            (Kind::Depth, Some(depth)) => depth.again(message),
            _ => outputs.entry.again(store, message),
        };
        is_kept && number < position.messages
    });
    let read = read.map_err(|e| told(&e))?;
    if !is_kept {
        let remedy = "raise `order_entry.reply_mib`";
        let why = format!("the messages of {} do not fit: {remedy}", name.file());
        return Err(Unusable::Venue(StartError::new(why)));
    }
    if read != next {
        return Err(told(&format!(
            "{} ends at message {}",
            name.file(),
            read - 1
        )));
    }
    Ok(())
}

/// The first of the last `kept` messages before `next`.
const fn first(next: u64, kept: usize) -> u64 {
    let first = next.saturating_sub(kept as u64);
    if first == 0 { 1 } else { first }
}

/// Replays the journal behind a start; gives what it held, the state, and the definitions that are
/// still to be journaled.
pub(super) fn replay<'m, S: Segments>(
    topology: &Topology,
    start: Start<'m>,
    segments: &mut S,
) -> Result<(Recovered, State<'m>, VecDeque<Command>, Recovery), StartError> {
    let Start {
        state,
        mark,
        definitions_seen,
        refused,
        mut split,
        ..
    } = start;
    let begun = Instant::now();
    let mut replay = Replay::new(topology, state, definitions_seen, Kept);
    let journaled = journal::recover_from(segments, &mark, &mut |input| replay.take(input))
        .map_err(|e| StartError::of("recovery", &e))?;
    let (state, mut startup) = replay.finish()?;
    split.replay = begun.elapsed();
    let torn = journaled.torn.as_ref().map(|torn| {
        format!(
            "{} from byte {}: never acknowledged, cut",
            torn.file, torn.offset
        )
    });
    let recovery = Recovery {
        inputs: journaled.next_sequence - 1,
        inputs_skipped: mark.next_sequence - 1,
        is_clean: journaled.clean,
        torn,
        refused,
        state_hash: state.engine.state_hash(),
        live_orders: state.engine.live_orders(),
        definitions_left: startup.len(),
        split,
    };
    startup.extend(state.outputs.presences.lost());
    Ok((journaled, state, startup, recovery))
}
