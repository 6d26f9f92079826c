//! The journal tile: inputs to the disk, and the number of the last one that is there.
//!
//! Where replies wait for the disk, what came is written at once, and what comes meanwhile shares
//! the next write. Where nothing waits, each write only takes time from whoever is on the same
//! thread: inputs gather first.

use super::doing::{Doing, Part};
use super::{Phase, Progress, Signals, Tile};
use crate::topology;
use ::journal::{AppendError, GROUP_INPUTS_MAX, LINE_BYTES, Storage, WRITE_BYTES, Writer};
use queue::{Counter, CounterSet, Error, Histogram, Reader};
use std::time::Duration;
use wire::ring::{Command, Input};

/// Times that are remembered, of inputs under way to the disk: a write's, another one's that
/// gathers meanwhile, and a group's that waits for that.
const TIMES: usize = 16_384;

const _: () = assert!(TIMES.is_power_of_two());
const _: () = assert!(TIMES >= 2 * WRITE_BYTES / LINE_BYTES + GROUP_INPUTS_MAX);

/// The journal's writer and its link.
pub struct JournalTile<S: Storage> {
    writer: Writer<S>,
    inputs: Reader<Command>,
    signals: Signals,
    /// Taken from the link, not yet by the writer; one record.
    group: Vec<Input>,
    /// When the first of the group was taken.
    group_ns: u64,
    /// How long a group that is not full may take more.
    gather_ns: u64,
    /// Number of the last input taken from the link.
    sequence: u64,
    /// Time of input `n` at `n % TIMES`.
    times_ns: Vec<u64>,
    closing: bool,
    failure: Option<String>,
    counters: Counters,
}

struct Counters {
    durable: Counter,
    groups: Counter,
    disk_full: Counter,
    reserve: Counter,
    held: Counter,
    room_bytes: Counter,
    lag_ns: Counter,
    closed: Counter,
    failed: Counter,
    doing: Doing,
    durable_ns: Histogram,
}

impl<S: Storage + Send> JournalTile<S> {
    /// Goes on with the input that `writer` expects next.
    ///
    /// # Errors
    /// A counter is missing or taken.
    pub fn new(
        writer: Writer<S>,
        inputs: Reader<Command>,
        set: &mut CounterSet,
    ) -> Result<Self, Error> {
        let mut counters = Counters {
            durable: set.counter("journal.durable")?,
            groups: set.counter("journal.groups")?,
            disk_full: set.counter("journal.disk_full")?,
            reserve: set.counter("journal.reserve")?,
            held: set.counter("journal.held")?,
            room_bytes: set.counter("journal.room_bytes")?,
            lag_ns: set.counter("journal.lag_ns")?,
            closed: set.counter("journal.closed")?,
            failed: set.counter("journal.failed")?,
            doing: Doing::new(set, topology::Tile::Journal)?,
            durable_ns: set.histogram("hop.engine_durable_ns")?,
        };
        counters.durable.set(writer.durable());
        Ok(Self {
            sequence: writer.next_sequence() - 1,
            writer,
            inputs,
            signals: Signals::new(set)?,
            group: Vec::with_capacity(GROUP_INPUTS_MAX),
            group_ns: 0,
            gather_ns: 0,
            times_ns: vec![0; TIMES],
            closing: false,
            failure: None,
            counters,
        })
    }

    /// Offers the writer groups that are full or `gather` old, and all of them once the venue ends.
    #[must_use]
    pub fn gathering(mut self, gather: Duration) -> Self {
        self.gather_ns = gather.as_nanos() as u64;
        self
    }

    /// Takes the writer back, with its storage.
    #[must_use]
    pub fn into_writer(self) -> Writer<S> {
        self.writer
    }

    fn fail(&mut self, why: &dyn std::fmt::Display) {
        self.failure = Some(format!(
            "the journal failed and nothing more is acknowledged: {why}; mend the disk and start \
             again: what was acknowledged is on it"
        ));
        self.counters.failed.set(1);
    }

    /// Moves the disk's work on and tells what is durable.
    fn writer_poll(&mut self, now_ns: u64) -> usize {
        match self.writer.poll() {
            Ok(None) => 0,
            Ok(Some(durable)) => {
                let before = self.counters.durable.get();
                for sequence in before + 1..=durable {
                    let time_ns = self.times_ns[sequence as usize % TIMES];
                    self.counters
                        .durable_ns
                        .record(now_ns.saturating_sub(time_ns));
                }
                self.counters.durable.set(durable);
                1
            }
            Err(error) => {
                self.fail(&error);
                0
            }
        }
    }

    /// Fills the group from the link while it may take more.
    fn group_fill(&mut self, now_ns: u64) -> usize {
        if self.group.is_empty() {
            self.group_ns = now_ns;
        } else if self.is_group_due(now_ns) {
            return 0;
        }
        let room = GROUP_INPUTS_MAX - self.group.len();
        let Self {
            inputs,
            group,
            sequence,
            times_ns,
            ..
        } = self;
        inputs.take(room, |time_ns, command| {
            *sequence += 1;
            times_ns[*sequence as usize % TIMES] = time_ns;
            group.push(Input {
                sequence: *sequence,
                time_ns,
                command: *command,
            });
        })
    }

    /// Whether the group is complete: full, old enough, or the last.
    fn is_group_due(&self, now_ns: u64) -> bool {
        self.group.len() == GROUP_INPUTS_MAX
            || now_ns.saturating_sub(self.group_ns) >= self.gather_ns
            || self.signals.phase() != Phase::Running
    }

    fn group_append(&mut self, now_ns: u64) -> usize {
        if self.group.is_empty() || !self.is_group_due(now_ns) {
            return 0;
        }
        match self.writer.append(&self.group) {
            Ok(()) => {
                self.group.clear();
                self.counters.groups.add(1);
                self.counters.held.set(0);
                1
            }
            Err(error) if error.is_temporary() => {
                let is_held = matches!(error, AppendError::NoRoom { disk_full: true });
                self.counters.held.set(u64::from(is_held));
                0
            }
            Err(error) => {
                self.fail(&error);
                0
            }
        }
    }

    /// Tells the others what room is left and what it is for, and everybody how old the oldest
    /// input is that is not durable.
    fn state_tell(&mut self, now_ns: u64) {
        let counters = &mut self.counters;
        counters
            .disk_full
            .set(u64::from(self.writer.is_disk_full()));
        counters.reserve.set(self.writer.reserve() as u64);
        counters.room_bytes.set(self.writer.room());
        let next = counters.durable.get() + 1;
        let oldest_ns = if next <= self.sequence {
            Some(self.times_ns[next as usize % TIMES])
        } else {
            self.inputs.peek().map(|(time_ns, _)| time_ns)
        };
        let age_ns = |time_ns: u64| now_ns.saturating_sub(time_ns);
        counters.lag_ns.set(oldest_ns.map_or(0, age_ns));
    }

    /// Closes behind the last input.
    fn close(&mut self) {
        if self.signals.phase() == Phase::Running || self.counters.closed.get() == 1 {
            return;
        }
        if self.closing {
            self.counters.closed.set(u64::from(self.writer.is_closed()));
            return;
        }
        let is_last = self.signals.sequence_last() == Some(self.sequence);
        if is_last && self.group.is_empty() && self.writer.is_idle() {
            match self.writer.close() {
                Ok(()) => self.closing = true,
                Err(error) if error.is_temporary() => {}
                Err(error) => self.fail(&error),
            }
        }
    }
}

impl<S: Storage + Send> Tile for JournalTile<S> {
    fn poll(&mut self, now_ns: u64) -> Progress {
        if self.failure.is_some() {
            return Progress::Idle;
        }
        self.counters.doing.now(Part::Append);
        let taken = self.group_fill(now_ns);
        let appended = self.group_append(now_ns);
        self.counters.doing.now(Part::Disk);
        let durable = self.writer_poll(now_ns);
        self.counters.doing.now(Part::Figures);
        self.state_tell(now_ns);
        if self.failure.is_none() {
            self.close();
        }
        self.counters.doing.now(Part::Elsewhere);
        let is_behind = self.counters.durable.get() < self.sequence;
        Progress::or_waiting(taken + appended + durable, || is_behind)
    }

    fn failure(&self) -> Option<&str> {
        self.failure.as_deref()
    }
}
