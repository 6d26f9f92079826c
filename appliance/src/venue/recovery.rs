//! From snapshot and journal back to the state: the newest snapshot that is whole, and every input
//! behind it once more; without a snapshot, every input of the day.

use super::kept::{Opened, Unusable, told};
use super::past::{begin_behind, beyond, cover};
use super::replay::{Kept, Outputs, Replay, State};
use super::{StartError, outputs_empty};
use crate::topology::Topology;
use journal::stream::{self, Name, Position};
use journal::{Files, Mark, Recovered, Segments, snapshot};
use matching::Engine;
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
    /// Messages behind the snapshot that streams held: they were counted and not made again.
    pub messages_skipped: u64,
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
    /// Reading the snapshot.
    pub snapshot: Duration,
    /// Building the engine from it, and meanwhile reading all streams through.
    pub restore: Duration,
    /// Reading the journal behind it and applying its inputs.
    pub replay: Duration,
}

/// A state to go on from, and where.
pub(super) struct Start<'m> {
    pub state: State<'m>,
    pub mark: Mark,
    pub streams: Ends,
    pub definitions_seen: usize,
    pub refused: Vec<String>,
    pub split: Split,
    /// Messages that the streams hold behind the snapshot.
    pub messages_skipped: u64,
}

/// Where streams end.
type Ends = Vec<(Name, Position)>;

/// What is known of where the streams end.
#[derive(Clone, Copy)]
pub(super) enum Extent<'a> {
    /// Nothing: they are read through.
    Unknown,
    /// They were looked at.
    Known(&'a [(Name, Position)]),
    /// What is behind the snapshot is of no use.
    Snapshot,
}

/// The state of the newest snapshot that can be used, or that of a new day, in an empty engine.
pub(super) fn start<'m>(
    topology: &Topology,
    session: [u8; 10],
    mut engine: Engine<'m>,
    files: Option<&mut (dyn Files + 'static)>,
    extent: Extent<'_>,
) -> Result<Start<'m>, StartError> {
    let mut search = Search {
        topology,
        session,
        extent,
        refused: Vec::new(),
        split: Split::default(),
    };
    let found = match files {
        Some(files) => search.newest(files, &mut engine)?,
        None => None,
    };
    let mut messages_skipped = 0;
    let (mut outputs, mark, streams, definitions_seen) = match found {
        Some((opened, outputs, streams)) => {
            messages_skipped = messages(&streams).saturating_sub(messages(&opened.streams));
            (outputs, opened.mark, streams, opened.definitions_seen)
        }
        None => {
            let ends = match extent {
                Extent::Known(ends) => ends.to_vec(),
                Extent::Unknown | Extent::Snapshot => Vec::new(),
            };
            (outputs_empty(topology, session)?, Mark::START, ends, 0)
        }
    };
    cover(topology, &mut outputs, &streams);
    Ok(Start {
        state: State { engine, outputs },
        mark,
        streams,
        definitions_seen,
        refused: search.refused,
        split: search.split,
        messages_skipped,
    })
}

fn messages(streams: &[(Name, Position)]) -> u64 {
    streams.iter().map(|(_, position)| position.messages).sum()
}

/// Looks for the newest snapshot that can be used.
struct Search<'t> {
    topology: &'t Topology,
    session: [u8; 10],
    extent: Extent<'t>,
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
    ) -> Result<Option<(Opened, Outputs, Ends)>, StartError> {
        let all = snapshot::list(files).map_err(|e| StartError::of("snapshots", &e))?;
        for sequence in all {
            let begun = Instant::now();
            let read = self.read(files, sequence);
            self.split.snapshot = begun.elapsed();
            let begun = Instant::now();
            let loaded = read.and_then(|(opened, outputs)| {
                let streams = self.load(files, &opened, engine)?;
                Ok((opened, outputs, streams))
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
            begin_behind(topology, &mut outputs, *name, position.messages);
        }
        Ok((opened, outputs))
    }

    /// Fills the engine, and meanwhile looks where the streams end.
    fn load(
        &self,
        files: &mut (dyn Files + 'static),
        opened: &Opened,
        engine: &mut Engine<'_>,
    ) -> Result<Ends, Unusable> {
        let ends = match self.extent {
            Extent::Unknown => None,
            Extent::Known(ends) => Some(ends),
            Extent::Snapshot => Some(opened.streams.as_slice()),
        };
        if let Some(ends) = ends {
            let is_there = |at: &(Name, Position)| {
                let mut same = ends.iter().filter(|(name, _)| *name == at.0);
                same.any(|(_, end)| end.messages >= at.1.messages)
            };
            if !opened.streams.iter().all(is_there) {
                return Err(told(&"the streams end before it"));
            }
            return opened.load(engine).map(|()| ends.to_vec());
        }
        let (loaded, streams) = std::thread::scope(|scope| {
            let looking = scope.spawn(|| verified(files, &opened.streams));
            (opened.load(engine), looking.join())
        });
        loaded?;
        let streams = streams.map_err(|_| told(&"the streams could not be looked at"))?;
        if streams.is_err() {
            engine.clear();
        }
        streams
    }
}

/// Looks how far streams go that are whole up to where a snapshot saw them.
fn verified(files: &mut dyn Files, known: &[(Name, Position)]) -> Result<Ends, Unusable> {
    let verify = |(name, position): &(Name, Position)| {
        let end = stream::verify(files, *name, position).map_err(|e| told(&e))?;
        Ok((*name, end))
    };
    known.iter().map(verify).collect()
}

/// What a replay came to.
pub(super) struct Replayed<'m> {
    pub journaled: Recovered,
    pub state: State<'m>,
    /// Definitions that are still to be journaled.
    pub startup: VecDeque<Command>,
    /// Where the streams end now.
    pub streams: Ends,
    pub recovery: Recovery,
}

/// Why a replay came to nothing.
enum Failed<'m> {
    /// Whatever is done.
    Venue(StartError),
    /// The streams hold more than the journal makes: without that it goes well.
    Streams(Box<Engine<'m>>, String),
}

impl From<StartError> for Failed<'_> {
    fn from(error: StartError) -> Self {
        Self::Venue(error)
    }
}

/// The state behind the last input of the journal, in an empty engine.
pub(super) fn recover<'m, S: Segments>(
    topology: &Topology,
    session: [u8; 10],
    engine: Engine<'m>,
    segments: &mut S,
    mut files: Option<&mut (dyn Files + 'static)>,
) -> Result<Replayed<'m>, StartError> {
    let begun = start(
        topology,
        session,
        engine,
        files.as_deref_mut(),
        Extent::Unknown,
    )?;
    match replay(topology, begun, segments) {
        Ok(replayed) => Ok(replayed),
        Err(Failed::Venue(error)) => Err(error),
        Err(Failed::Streams(mut engine, why)) => {
            engine.clear();
            let extent = Extent::Snapshot;
            let mut begun = start(topology, session, *engine, files, extent)?;
            begun.refused.push(why);
            replay(topology, begun, segments).map_err(|failed| match failed {
                Failed::Venue(error) => error,
                Failed::Streams(_, why) => StartError::new(why),
            })
        }
    }
}

/// Replays the journal behind a start.
fn replay<'m, S: Segments>(
    topology: &Topology,
    start: Start<'m>,
    segments: &mut S,
) -> Result<Replayed<'m>, Failed<'m>> {
    let Start {
        state,
        mark,
        definitions_seen,
        refused,
        mut split,
        streams,
        messages_skipped,
    } = start;
    let begun = Instant::now();
    let mut replay = Replay::new(topology, state, definitions_seen, Kept);
    let journaled = journal::recover_from(segments, &mark, &mut |input| replay.take(input))
        .map_err(|e| StartError::of("recovery", &e))?;
    let (state, mut startup) = replay.finish()?;
    if let Some((name, held, told)) = beyond(topology, &state.outputs, &streams) {
        let why = format!(
            "{} holds {held} messages, of which the journal makes {told}: what streams hold \
             behind the snapshot is made again",
            name.file()
        );
        return Err(Failed::Streams(Box::new(state.engine), why));
    }
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
        messages_skipped,
        is_clean: journaled.clean,
        torn,
        refused,
        state_hash: state.engine.state_hash(),
        live_orders: state.engine.live_orders(),
        definitions_left: startup.len(),
        split,
    };
    startup.extend(state.outputs.presences.lost());
    Ok(Replayed {
        journaled,
        state,
        startup,
        streams,
        recovery,
    })
}
