//! From the journal back to the state: every input goes through the engine again, and its events
//! through order entry and feed, so that replies and messages can be asked for again.

use super::StartError;
use super::definitions::{definitions, told};
use super::schedule::Schedule;
use crate::topology::Topology;
use matching::{Engine, Events, Step};
use session::feed::{DepthPublisher, Publisher};
use session::order_entry::OrderEntry;
use std::collections::VecDeque;
use wire::ring::{Command, Input};

/// What recovery found, for the operator.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Recovery {
    /// Inputs read back; 0 for a new day.
    pub inputs: u64,
    /// The last life closed the journal.
    pub is_clean: bool,
    /// A tail that was cut, in words.
    pub torn: Option<String>,
    /// Hash of the state behind the last input.
    pub state_hash: u64,
    /// Orders on the books.
    pub live_orders: u32,
    /// Definitions that are still to be journaled.
    pub definitions_left: usize,
}

impl Recovery {
    pub(super) fn of(
        journaled: &journal::Recovered,
        engine: &Engine<'_>,
        definitions_left: usize,
    ) -> Self {
        let torn = journaled.torn.as_ref().map(|torn| {
            format!(
                "{} from byte {}: never acknowledged, cut",
                torn.file, torn.offset
            )
        });
        Self {
            inputs: journaled.inputs,
            is_clean: journaled.clean,
            torn,
            state_hash: engine.state_hash(),
            live_orders: engine.live_orders(),
            definitions_left,
        }
    }
}

/// The state being rebuilt.
pub(super) struct Replay<'m> {
    state: State<'m>,
    events: Events,
    definitions: Vec<Command>,
    /// Definitions that the journal has too.
    definitions_seen: usize,
    error: Option<StartError>,
}

/// The parts that replaying rebuilds.
pub(super) struct State<'m> {
    pub engine: Engine<'m>,
    pub entry: OrderEntry,
    pub publisher: Publisher,
    pub depth: Option<DepthPublisher>,
    pub schedule: Option<Schedule>,
}

impl<'m> Replay<'m> {
    pub(super) fn new(topology: &Topology, state: State<'m>) -> Self {
        Self {
            state,
            events: Events::new(),
            definitions: definitions(topology),
            definitions_seen: 0,
            error: None,
        }
    }

    /// Takes the next input; after the first error the others are let pass.
    pub(super) fn take(&mut self, input: &Input) {
        if self.error.is_some() {
            return;
        }
        if let Err(error) = self
            .definition_check(input)
            .and_then(|()| self.apply(input))
        {
            self.error = Some(error);
        }
    }

    fn definition_check(&mut self, input: &Input) -> Result<(), StartError> {
        let Some(defined) = self.definitions.get(self.definitions_seen) else {
            return Ok(());
        };
        if *defined != input.command {
            return Err(StartError::new(format!(
                "the journal is another topology's: its input {} defines {}, the topology {}; \
                 restore the topology, or begin a new day with --new-day",
                input.sequence,
                told(&input.command),
                told(defined)
            )));
        }
        self.definitions_seen += 1;
        Ok(())
    }

    fn apply(&mut self, input: &Input) -> Result<(), StartError> {
        let State {
            engine,
            entry,
            publisher,
            depth,
            schedule,
        } = &mut self.state;
        entry.replayed(input);
        let mut step = engine.apply(input, &mut self.events);
        loop {
            for event in self.events.as_slice() {
                if entry.on_event(event, input.time_ns).is_err() {
                    return Err(StartError::new(format!(
                        "the replies of session {} do not fit its memory at input {}: raise \
                         `order_entry.reply_mib`",
                        event.session, input.sequence
                    )));
                }
                if publisher.on_event(event, input.time_ns).is_err() {
                    publisher.skip_unsent();
                    if publisher.on_event(event, input.time_ns).is_err() {
                        let remedy = "raise `feed.history_mib`";
                        return Err(StartError::new(format!("the feed has no memory: {remedy}")));
                    }
                }
                if let Some(depth) = depth {
                    // One event may change more than the history holds: what is left of it comes
                    // first at each turn.
                    while depth.on_event(event, input.time_ns).is_err() {
                        depth.skip_unsent();
                    }
                }
                if let Some(schedule) = schedule {
                    schedule.on_event(event, input.time_ns);
                }
            }
            if step == Step::Done {
                return Ok(());
            }
            step = engine.resume(&mut self.events);
        }
    }

    /// The state, and the definitions that the journal does not have yet.
    pub(super) fn finish(mut self) -> Result<(State<'m>, VecDeque<Command>), StartError> {
        if let Some(error) = self.error {
            return Err(error);
        }
        self.state.publisher.skip_unsent();
        if let Some(depth) = &mut self.state.depth {
            while !depth.tell() {
                depth.skip_unsent();
            }
            depth.skip_unsent();
        }
        let left = self.definitions.split_off(self.definitions_seen);
        Ok((self.state, left.into()))
    }
}
