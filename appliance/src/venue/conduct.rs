//! The venue's life as the main thread sees it: from running to stopped, by its tiles' counters.

use super::time::Timekeeper;
use crate::tiles::Phase;
use crate::topology::Ending;
use queue::{Counter, CounterSet, Error, Watch};
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::time::{Duration, Instant};

/// How often the counters are looked at.
const LOOK: Duration = Duration::from_millis(2);

/// How much longer than the members' cutoff the last phase may take, for a machine under load.
const GRACE: Duration = Duration::from_secs(10);

/// How long the end waits for who trades beside the venue.
const LEAVE_MAX: Duration = Duration::from_secs(10);

/// Flags of which the operator is told: what is said when one is raised, and when it is lowered
/// (which a count never is).
const WARNINGS: [(&str, &str, &str); 6] = [
    (
        "engine.refused",
        "the engine refused a command of the venue itself: a rule of the topology, a turn of its \
         schedule or an operator's word",
        "",
    ),
    (
        "journal.disk_full",
        "the disk has no room for the journal's next segment: free some space",
        "the disk has room again: the journal goes on",
    ),
    (
        "journal.reserve",
        "the journal's room is kept for cancels: new orders are refused until the disk has room",
        "new orders are taken again",
    ),
    (
        "journal.held",
        "the journal is full: nothing is acknowledged until the disk has room",
        "the journal takes what waited",
    ),
    (
        "gate.unreadable",
        "a member was disconnected: what it is to be told next is not in memory any more and in \
         no stream; the next start makes it again if there is a `[shadow]`",
        "",
    ),
    (
        "clock.over_line",
        "the venue's time is more than 100 us from the system clock, the line of MiFID II RTS 25: \
         the system clock was set; time follows it at 500 parts per million",
        "the venue's time is within 100 us of the system clock again",
    ),
];

/// A flag of a tile, and what the operator was told of it last.
struct Warning {
    watch: Watch,
    is_raised: bool,
    /// What to say when it is lowered, and when it is raised.
    words: [&'static str; 2],
}

impl Warning {
    fn look(&mut self) {
        let is_raised = self.watch.get() > 0;
        if is_raised != self.is_raised {
            self.is_raised = is_raised;
            eprintln!("wirecross: {}", self.words[usize::from(is_raised)]);
        }
    }
}

/// Moves the venue through its phases.
pub(super) struct Conductor {
    phase: Counter,
    gate_through: Watch,
    gate_done: Watch,
    journal_closed: Watch,
    journal_failed: Watch,
    warnings: Vec<Warning>,
    publish_through: Watch,
    publish_done: Watch,
    ending: Ending,
    time: Timekeeper,
}

impl Conductor {
    /// Takes the phase's counter.
    pub(super) fn new(
        set: &mut CounterSet,
        ending: Ending,
        time: Timekeeper,
    ) -> Result<Self, Error> {
        Ok(Self {
            phase: set.counter("venue.phase")?,
            gate_through: set.watch("gate.through")?,
            gate_done: set.watch("gate.done")?,
            journal_closed: set.watch("journal.closed")?,
            journal_failed: set.watch("journal.failed")?,
            warnings: WARNINGS
                .iter()
                .map(|&(counter, begins, ends)| {
                    Ok(Warning {
                        watch: set.watch(counter)?,
                        is_raised: false,
                        words: [ends, begins],
                    })
                })
                .collect::<Result<_, Error>>()?,
            publish_through: set.watch("publish.through")?,
            publish_done: set.watch("publish.done")?,
            ending,
            time,
        })
    }

    /// Runs until the venue stopped. `is_alive` says whether every thread still runs. At the end it
    /// waits until `is_left`: whoever is asked so is to leave before anybody is told of the end.
    ///
    /// # Errors
    /// What went wrong, unless a tile knows it better.
    pub(super) fn conduct(
        &mut self,
        requests: &Receiver<i32>,
        is_alive: impl Fn() -> bool,
        is_left: impl FnMut() -> bool,
    ) -> Result<(), String> {
        let outcome = self
            .run(requests, &is_alive)
            .and_then(|()| self.leave(requests, &is_alive, is_left))
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
        self.time.look();
        for warning in &mut self.warnings {
            warning.look();
        }
        if self.journal_failed.get() == 1 {
            return Err("the journal failed".to_owned());
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

    fn leave(
        &mut self,
        requests: &Receiver<i32>,
        is_alive: &impl Fn() -> bool,
        mut is_left: impl FnMut() -> bool,
    ) -> Result<(), String> {
        let bound = Instant::now() + LEAVE_MAX;
        while !is_left() && Instant::now() < bound {
            self.check(is_alive)?;
            // A repeated request does not make it shorter; what is taken here is only waited upon.
            let _ = requests.recv_timeout(LOOK);
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
            self.time.look();
        }
    }

    /// Disconnects members; nothing is acknowledged any more.
    fn fail(&mut self, is_alive: &impl Fn() -> bool) {
        self.enter(Phase::Failing);
        let bound = Instant::now() + self.ending.cutoff + GRACE;
        while self.gate_done.get() == 0 && Instant::now() < bound && is_alive() {
            std::thread::sleep(LOOK);
            self.time.look();
        }
    }
}
