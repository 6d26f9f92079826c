//! What a tile tells the operator of a port that goes around the kernel.

use nic::FrameStats;
use queue::{Counter, CounterSet, Error};

/// The counters of one port, by their names behind `<tile>.xdp_`; all zero for a port over sockets.
pub(super) struct FrameCounters {
    received: Counter,
    refused: Counter,
    lost: Counter,
    ring_full: Counter,
    fill_empty: Counter,
    invalid: Counter,
    send_errors: Counter,
}

impl FrameCounters {
    pub(super) fn new(set: &mut CounterSet, tile: &str) -> Result<Self, Error> {
        let mut counter = |name: &str| set.counter(&format!("{tile}.xdp_{name}"));
        Ok(Self {
            received: counter("received")?,
            refused: counter("refused")?,
            lost: counter("lost")?,
            ring_full: counter("ring_full")?,
            fill_empty: counter("fill_empty")?,
            invalid: counter("invalid")?,
            send_errors: counter("send_errors")?,
        })
    }

    pub(super) fn set(&mut self, frames: &FrameStats) {
        self.received.set(frames.received);
        self.refused.set(frames.refused);
        self.lost.set(frames.lost);
        self.ring_full.set(frames.ring_full);
        self.fill_empty.set(frames.fill_empty);
        self.invalid.set(frames.invalid);
        self.send_errors.set(frames.send_errors);
    }
}
