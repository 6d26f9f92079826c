//! Inputs of the journal through the engine, and its events through order entry and feeds: what a
//! start does with the tail, and the shadow with everything.

use super::StartError;
use super::definitions::{definitions, told};
use super::presence::Presences;
use super::schedule::Schedule;
use crate::topology::Topology;
use matching::{Engine, Events, Step};
use session::feed::{DepthPublisher, Publisher};
use session::order_entry::OrderEntry;
use std::collections::VecDeque;
use wire::ring::{Command, Event, Input};

/// All that follows from the inputs.
pub(super) struct State<'m> {
    pub engine: Engine<'m>,
    pub outputs: Outputs,
}

/// What follows from the engine's events.
pub(super) struct Outputs {
    pub entry: OrderEntry,
    pub publisher: Publisher,
    pub depth: Option<DepthPublisher>,
    pub schedule: Option<Schedule>,
    pub presences: Presences,
}

/// Where outputs go for which there is no more memory.
pub(super) trait Overflow {
    /// Takes replies before others push them out of memory.
    fn replies(&mut self, entry: &mut OrderEntry);
    /// Makes room for messages of the feed of orders.
    fn feed(&mut self, publisher: &mut Publisher);
    /// Makes room for messages of the feed of levels.
    fn depth(&mut self, depth: &mut DepthPublisher);
}

/// The newest replies and messages stay in memory; others are had from the streams.
pub(super) struct Kept;

impl Overflow for Kept {
    fn replies(&mut self, _: &mut OrderEntry) {}

    fn feed(&mut self, publisher: &mut Publisher) {
        publisher.skip_unsent();
    }

    fn depth(&mut self, depth: &mut DepthPublisher) {
        depth.skip_unsent();
    }
}

/// Inputs that are applied in one go, so that the engine can fetch what the later ones need.
const INPUTS_AT_ONCE: usize = 256;

/// The state being rebuilt.
pub(super) struct Replay<'m, O> {
    pub state: State<'m>,
    pub overflow: O,
    events: Events,
    /// Inputs that were taken and not applied.
    waiting: Vec<Input>,
    definitions: Vec<Command>,
    /// Definitions that the journal has too.
    definitions_seen: usize,
    error: Option<StartError>,
}

impl<'m, O: Overflow> Replay<'m, O> {
    /// Goes on with a state that has seen so many of the topology's definitions.
    pub(super) fn new(
        topology: &Topology,
        state: State<'m>,
        definitions_seen: usize,
        overflow: O,
    ) -> Self {
        Self {
            state,
            overflow,
            events: Events::new(),
            waiting: Vec::with_capacity(INPUTS_AT_ONCE),
            definitions: definitions(topology),
            definitions_seen,
            error: None,
        }
    }

    /// Takes the next input, which is applied by [`Self::run`] at the latest; after the first error
    /// the others are let pass.
    pub(super) fn take(&mut self, input: &Input) {
        self.waiting.push(*input);
        if self.waiting.len() == INPUTS_AT_ONCE {
            self.run();
        }
    }

    /// Applies all that was taken: before anybody looks at the state.
    pub(super) fn run(&mut self) {
        let mut inputs = std::mem::take(&mut self.waiting);
        let is_ahead_worthwhile = self.state.engine.is_ahead_worthwhile();
        for (at, input) in inputs.iter().enumerate() {
            if self.error.is_some() {
                break;
            }
            if is_ahead_worthwhile {
                self.state.engine.look_ahead(&inputs, at);
            }
            let taken = self.definition_check(input);
            self.error = taken.and_then(|()| self.apply(input)).err();
        }
        inputs.clear();
        self.waiting = inputs;
    }

    /// The definitions that the journal has.
    pub(super) fn definitions_seen(&self) -> &[Command] {
        &self.definitions[..self.definitions_seen]
    }

    /// What went wrong, once.
    pub(super) fn error_take(&mut self) -> Option<StartError> {
        self.error.take()
    }

    fn definition_check(&mut self, input: &Input) -> Result<(), StartError> {
        let Some(defined) = self.definitions.get(self.definitions_seen) else {
            return Ok(());
        };
        if *defined != input.command {
            return Err(other_topology(input.sequence, &input.command, defined));
        }
        self.definitions_seen += 1;
        Ok(())
    }

    fn apply(&mut self, input: &Input) -> Result<(), StartError> {
        self.state.outputs.entry.replayed(input);
        self.state.outputs.presences.on_input(input);
        let mut step = self.state.engine.apply(input, &mut self.events);
        loop {
            for event in self.events.as_slice() {
                let outputs = &mut self.state.outputs;
                tell(outputs, &mut self.overflow, event, input)?;
            }
            if step == Step::Done {
                return Ok(());
            }
            step = self.state.engine.resume(&mut self.events);
        }
    }

    /// Tells all that is left to be told of the last input.
    pub(super) fn settle(&mut self) {
        settle(&mut self.state.outputs, &mut self.overflow);
    }

    /// The state, and the definitions that the journal does not have yet.
    pub(super) fn finish(mut self) -> Result<(State<'m>, VecDeque<Command>), StartError> {
        self.run();
        if let Some(error) = self.error {
            return Err(error);
        }
        self.settle();
        let left = self.definitions.split_off(self.definitions_seen);
        Ok((self.state, left.into()))
    }
}

pub(super) fn other_topology(sequence: u64, found: &Command, defined: &Command) -> StartError {
    StartError::new(format!(
        "the journal is another topology's: its input {sequence} defines {}, the topology {}; \
         restore the topology, or begin a new day with --new-day",
        told(found),
        told(defined)
    ))
}

/// Has feeds tell all that is left to be told of the last input.
pub(super) fn settle(outputs: &mut Outputs, overflow: &mut impl Overflow) {
    if let Some(depth) = &mut outputs.depth {
        while !depth.tell() {
            overflow.depth(depth);
        }
        overflow.depth(depth);
    }
    overflow.feed(&mut outputs.publisher);
}

/// Hands an event to all who make something of it.
pub(super) fn tell(
    outputs: &mut Outputs,
    overflow: &mut impl Overflow,
    event: &Event,
    input: &Input,
) -> Result<(), StartError> {
    let Outputs {
        entry,
        publisher,
        depth,
        schedule,
        presences: _,
    } = outputs;
    let time_ns = input.time_ns;
    if entry.is_full() {
        overflow.replies(entry);
    }
    entry.on_event(event, time_ns);
    if publisher.on_event(event, time_ns).is_err() {
        overflow.feed(publisher);
        if publisher.on_event(event, time_ns).is_err() {
            let remedy = "raise `feed.history_mib`";
            return Err(StartError::new(format!("the feed has no memory: {remedy}")));
        }
    }
    if let Some(depth) = depth {
        // One event may change more than the history holds: what is left of it comes first at each
        // turn.
        while depth.on_event(event, time_ns).is_err() {
            overflow.depth(depth);
        }
    }
    if let Some(schedule) = schedule {
        schedule.on_event(event, time_ns);
    }
    Ok(())
}
