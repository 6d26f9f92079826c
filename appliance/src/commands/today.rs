//! The newest day run again from its journal, for who asks what happened or how things stand.
//!
//! The journal holds what was asked, not what became of it, so an engine of this process applies
//! it all once more: that costs memory and time that no tile of the venue has.

use super::journal::day_of;
use crate::topology::Topology;
use crate::venue::rerun::limits_of;
use journal::{FileSegments, Walker};
use matching::{Engine, Events, Line, Step};
use queue::Pages;
use std::ops::ControlFlow;
use wire::ring::{Event, Input};

/// Runs the day to its end, or until `on`, which hears each event with its input, has enough; then
/// `look` may look at the engine.
///
/// # Errors
/// The journal cannot be read, or lacks its beginning.
pub(super) fn run<R>(
    topology: &Topology,
    on: &mut dyn FnMut(&Event, &Input) -> ControlFlow<()>,
    look: impl FnOnce(&Engine<'_>) -> R,
) -> Result<R, String> {
    let day = day_of(&topology.data_dir)?;
    let walker = || Walker::new(FileSegments::new(&day)).map_err(|error| error.to_string());
    let limits = limits_of(&day, &mut walker()?)?;
    let mut lines = Pages::<Line>::zeroed(limits.lines())
        .ok_or("there is no memory for an engine of these limits")?;
    let mut engine = Engine::new(limits, &mut lines).map_err(|error| error.to_string())?;
    let (mut journal, mut next) = (walker()?, 1);
    while let Some(record) = journal.record().map_err(|error| error.to_string())? {
        for input in record.inputs {
            if input.sequence > next {
                return Err(format!(
                    "the journal of the day lacks what came before input {}: it cannot be run \
                     again",
                    input.sequence
                ));
            }
            next = input.sequence + 1;
            if applied(&mut engine, input, on).is_break() {
                return Ok(look(&engine));
            }
        }
    }
    Ok(look(&engine))
}

/// Applies an input to its end, whatever `on` says, and tells its events.
fn applied(
    engine: &mut Engine<'_>,
    input: &Input,
    on: &mut dyn FnMut(&Event, &Input) -> ControlFlow<()>,
) -> ControlFlow<()> {
    let (mut events, mut told) = (Events::new(), ControlFlow::Continue(()));
    let mut step = engine.apply(input, &mut events);
    loop {
        for event in events.as_slice() {
            if on(event, input).is_break() {
                told = ControlFlow::Break(());
            }
        }
        if step == Step::Done {
            return told;
        }
        step = engine.resume(&mut events);
    }
}
