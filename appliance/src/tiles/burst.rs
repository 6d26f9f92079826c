//! Commands that came together, so that the engine can fetch what the later ones will need while it
//! applies the earlier ones.

use bytemuck::Zeroable;
use matching::{BURST_MAX, Engine};
use queue::Reader;
use wire::ring::{Command, Input};

/// Commands taken off a link and not applied yet.
pub(crate) struct Burst {
    /// Without number and time: these are given when a command is applied.
    inputs: [Input; BURST_MAX],
    /// The next one.
    at: usize,
    len: usize,
}

impl Burst {
    pub(crate) fn new() -> Self {
        Self {
            inputs: [Input::zeroed(); BURST_MAX],
            at: 0,
            len: 0,
        }
    }

    /// Whether all that was taken was given out.
    pub(crate) const fn is_done(&self) -> bool {
        self.at == self.len
    }

    /// Takes what waits on a link, when all before it was given out; tells the stamp of each.
    pub(crate) fn take(&mut self, from: &mut Reader<Command>, mut on: impl FnMut(u64)) {
        if !self.is_done() {
            return;
        }
        (self.at, self.len) = (0, 0);
        from.take(BURST_MAX, |stamp, command| {
            self.inputs[self.len].command = *command;
            self.len += 1;
            on(stamp);
        });
    }

    /// The next command. The engine looks at those behind it first, if it has
    /// enough orders for that.
    pub(crate) fn next(&mut self, engine: &mut Engine<'_>) -> Option<Command> {
        let inputs = self.inputs.get(..self.len)?;
        let input = inputs.get(self.at)?;
        if engine.is_ahead_worthwhile() {
            engine.look_ahead(inputs, self.at);
        }
        self.at += 1;
        Some(input.command)
    }
}
