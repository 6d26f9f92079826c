//! The venue's life as the main thread sees it: from running to stopped, by its tiles' counters.

use crate::tiles::Phase;
use crate::topology::Ending;
use queue::{Counter, CounterSet, Error, Watch};
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::time::{Duration, Instant};

/// How often the counters are looked at.
const LOOK: Duration = Duration::from_millis(2);

/// How much longer than the members' cutoff the last phase may take, for a machine under load.
const GRACE: Duration = Duration::from_secs(10);

/// Moves the venue through its phases.
pub(super) struct Conductor {
    phase: Counter,
    gate_through: Watch,
    gate_done: Watch,
    gate_failed: Watch,
    journal_closed: Watch,
    journal_failed: Watch,
    journal_disk_full: Watch,
    /// The operator was told that the disk is full.
    is_full_told: bool,
    publish_through: Watch,
    publish_done: Watch,
    ending: Ending,
}

impl Conductor {
    /// Takes the phase's counter.
    pub(super) fn new(set: &mut CounterSet, ending: Ending) -> Result<Self, Error> {
        Ok(Self {
            phase: set.counter("venue.phase")?,
            gate_through: set.watch("gate.through")?,
            gate_done: set.watch("gate.done")?,
            gate_failed: set.watch("gate.failed")?,
            journal_closed: set.watch("journal.closed")?,
            journal_failed: set.watch("journal.failed")?,
            journal_disk_full: set.watch("journal.disk_full")?,
            is_full_told: false,
            publish_through: set.watch("publish.through")?,
            publish_done: set.watch("publish.done")?,
            ending,
        })
    }

    /// Runs until the venue stopped. `is_alive` says whether every thread still runs.
    ///
    /// # Errors
    /// What went wrong, unless a tile knows it better.
    pub(super) fn conduct(
        &mut self,
        requests: &Receiver<i32>,
        is_alive: impl Fn() -> bool,
    ) -> Result<(), String> {
        let outcome = self
            .run(requests, &is_alive)
            .and_then(|()| self.drain(requests, &is_alive));
        match &outcome {
            Ok(()) => self.end(&is_alive),
            Err(_) => self.fail(&is_alive),
        }
        self.enter(Phase::Stopped);
        outcome
    }

    fn enter(&mut self, phase: Phase) {
        self.phase.set(phase as u64);
    }

    fn check(&mut self, is_alive: &impl Fn() -> bool) -> Result<(), String> {
        let is_full = self.journal_disk_full.get() == 1;
        if is_full != self.is_full_told {
            self.is_full_told = is_full;
            eprintln!(
                "wirecross: {}",
                if is_full {
                    "the disk is full: nothing is acknowledged until there is room for a segment"
                } else {
                    "the disk has room again: the journal goes on"
                }
            );
        }
        if self.journal_failed.get() == 1 {
            return Err("the journal failed".to_owned());
        }
        if self.gate_failed.get() == 1 {
            return Err("order entry failed".to_owned());
        }
        if !is_alive() {
            return Err("a thread ended by itself".to_owned());
        }
        Ok(())
    }

    fn run(
        &mut self,
        requests: &Receiver<i32>,
        is_alive: &impl Fn() -> bool,
    ) -> Result<(), String> {
        while let Err(RecvTimeoutError::Timeout) = requests.recv_timeout(LOOK) {
            self.check(is_alive)?;
        }
        Ok(())
    }

    fn drain(
        &mut self,
        requests: &Receiver<i32>,
        is_alive: &impl Fn() -> bool,
    ) -> Result<(), String> {
        self.enter(Phase::Draining);
        let bound = Instant::now() + self.ending.drain;
        loop {
            self.check(is_alive)?;
            let waits: Vec<&str> = [
                ("journal", &self.journal_closed),
                ("replies", &self.gate_through),
                ("feed", &self.publish_through),
            ]
            .into_iter()
            .filter_map(|(name, watch)| (watch.get() == 0).then_some(name))
            .collect();
            if waits.is_empty() {
                return Ok(());
            }
            if Instant::now() > bound {
                return Err(format!(
                    "not drained within `ending.drain_s` = {} s: {} still at work",
                    self.ending.drain.as_secs(),
                    waits.join(", ")
                ));
            }
            // A repeated request changes nothing; what is taken here is only waited upon.
            let _ = requests.recv_timeout(LOOK);
        }
    }

    /// Tells everyone that the session is over, for as long as members may take.
    fn end(&mut self, is_alive: &impl Fn() -> bool) {
        self.enter(Phase::Ending);
        let bound = Instant::now() + self.ending.cutoff.max(self.ending.feed_end) + GRACE;
        while self.gate_done.get() == 0 || self.publish_done.get() == 0 {
            if Instant::now() > bound || !is_alive() {
                eprintln!("wirecross: the end of the session was not told to everyone");
                return;
            }
            std::thread::sleep(LOOK);
        }
    }

    /// Disconnects members; nothing is acknowledged any more.
    fn fail(&mut self, is_alive: &impl Fn() -> bool) {
        self.enter(Phase::Failing);
        let bound = Instant::now() + self.ending.cutoff + GRACE;
        while self.gate_done.get() == 0 && Instant::now() < bound && is_alive() {
            std::thread::sleep(LOOK);
        }
    }
}
