//! Numbers and times commands as the engine's sequencer does.

use wire::ring::{Command, Input};

/// Makes inputs of commands: sequence numbers from 1, time moved by the pauses between them.
#[derive(Clone, Copy, Debug)]
pub struct Sequencer {
    sequence: u64,
    time_ns: u64,
}

impl Sequencer {
    /// Before the first input, at a time since the Unix epoch.
    #[must_use]
    pub const fn new(time_ns: u64) -> Self {
        Self {
            sequence: 0,
            time_ns,
        }
    }

    /// The time of the last input.
    #[must_use]
    pub const fn time_ns(&self) -> u64 {
        self.time_ns
    }

    /// Gives a command the next number and the time `gap_ns` after the one before.
    pub fn number(&mut self, gap_ns: u64, command: Command) -> Input {
        self.sequence += 1;
        self.time_ns = self.time_ns.saturating_add(gap_ns);
        Input {
            sequence: self.sequence,
            time_ns: self.time_ns,
            command,
        }
    }
}
