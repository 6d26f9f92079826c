//! The shadow: a second engine that follows the journal, writes what it says into streams, and
//! makes the snapshots.
//!
//! It reads the journal's files behind what is durable and is on no link, so nothing it does, and
//! nothing its disk does, can hold up matching: when it is slow it lags, and reads on from where it
//! was. What it writes is for a start, which goes on from the newest snapshot instead of the day's
//! first input.
//!
//! A shadow that cannot go on says so and stops; the venue does not.

pub(in crate::venue) mod risk;
pub(in crate::venue) mod streams;
mod whole;

use super::kept::{self, Around};
use super::past;
use super::recovery::{Extent, Start, start};
use super::replay::{Overflow, Replay};
use super::{StartError, engine_limits, threads};
use crate::tiles::{Phase, Progress, Signals};
use crate::topology::{self, DEPTH_MIN, LinkSize, Topology};
use journal::stream::{Name, Position};
use journal::{Act, Files, Follower, Segments, StorageError, snapshot};
use matching::{Engine, Line};
use nic::Clock;
use queue::{Counter, CounterSet, Error};
use std::time::{Duration, Instant};
use streams::Streams;
pub use whole::complete;
pub(in crate::venue) use whole::complete_before;

/// Memory of the shadow's own order entry and feeds, from which the streams take everything soon.
const REPLY_BYTES: usize = 128 << 10;
const HISTORY_BYTES: usize = 1 << 20;

/// How long messages wait at most before they are written.
const WRITE_NS: u64 = 100_000_000;

/// Time after which what the disk refused is tried again.
const RETRY_NS: u64 = 1_000_000_000;

/// How long a venue that ends waits for its shadow to come to the end of the journal.
const END_MAX: Duration = Duration::from_secs(10);

/// What the shadow works on.
pub struct Parts {
    /// The journal's segments, to be read beside their writer.
    pub segments: Box<dyn Segments + Send>,
    /// Where streams and snapshots lie.
    pub files: Box<dyn Files>,
    /// Name of the trading day.
    pub session: [u8; 10],
    /// Where the streams end that are whole, if the venue looked. A snapshot that the venue refused
    /// for what is wrong with a stream is refused here, too: the stream ends before it.
    pub streams: Option<Vec<(Name, Position)>>,
}

/// What the shadow tells the operator.
pub struct Counters {
    inputs: Counter,
    lag: Counter,
    messages: Counter,
    snapshots: Counter,
    snapshot_inputs: Counter,
    snapshot_bytes: Counter,
    snapshot_ns: Counter,
    errors: Counter,
    failed: Counter,
    ready: Counter,
    /// Of accounts, where there is room for them.
    risk: risk::Uses,
    signals: Signals,
}

impl Counters {
    /// Takes the shadow's counters.
    ///
    /// # Errors
    /// A counter is missing or taken.
    pub fn new(set: &mut CounterSet) -> Result<Self, Error> {
        Ok(Self {
            inputs: set.counter("shadow.inputs")?,
            lag: set.counter("shadow.lag")?,
            messages: set.counter("shadow.messages")?,
            snapshots: set.counter("shadow.snapshots")?,
            snapshot_inputs: set.counter("shadow.snapshot_inputs")?,
            snapshot_bytes: set.counter("shadow.snapshot_bytes")?,
            snapshot_ns: set.counter("shadow.snapshot_ns")?,
            errors: set.counter("shadow.errors")?,
            failed: set.counter("shadow.failed")?,
            ready: set.counter("shadow.ready")?,
            risk: risk::Uses::default(),
            signals: Signals::new(set)?,
        })
    }

    /// With those of accounts, which a venue's set has room for.
    pub(super) fn with_risk(self, topology: &Topology, set: &mut CounterSet) -> Self {
        let risk = risk::Uses::new(topology, set);
        Self { risk, ..self }
    }

    /// There is no shadow, although there should be.
    pub(super) fn failed(&mut self) {
        self.failed.set(1);
    }
}

/// The second engine and all that follows from it.
pub struct Shadow<'m> {
    replay: Replay<'m, Streams>,
    follower: Follower<Box<dyn Segments + Send>>,
    files: Box<dyn Files>,
    plan: topology::Shadow,
    counters: Counters,
    /// Since when messages wait to be written.
    waiting_ns: Option<u64>,
    /// Before that time the disk is not asked again.
    retry_ns: u64,
    /// The input behind which there is a snapshot.
    snapshot: u64,
    /// When it was made, or since when there is none.
    snapshot_ns: Option<u64>,
    /// Where the streams ended, as long as it makes again what they hold there.
    ahead: Vec<(Name, Position)>,
    topology: Topology,
    failure: Option<String>,
    /// What the operator is still to be told.
    untold: Option<String>,
}

impl<'m> Shadow<'m> {
    /// Goes on from the newest snapshot that can be used, or from the day's beginning. One that
    /// cannot be used is given another name.
    ///
    /// # Errors
    /// The disk fails, or the venue is another one.
    pub fn open(
        topology: &Topology,
        mut parts: Parts,
        lines: &'m mut [Line],
        mut counters: Counters,
    ) -> Result<Self, StartError> {
        let Some(plan) = topology.shadow else {
            return Err(StartError::new("the topology has no [shadow]"));
        };
        let topology = small(topology);
        let begun = begin(&topology, &mut parts, lines);
        counters.failed.set(u64::from(begun.is_err()));
        let (start, streams) = begun?;
        let snapshot = start.mark.next_sequence - 1;
        counters.snapshot_inputs.set(snapshot);
        counters.ready.set(1);
        Ok(Self {
            replay: Replay::new(&topology, start.state, start.definitions_seen, streams),
            follower: Follower::new(parts.segments, start.mark),
            files: parts.files,
            plan,
            counters,
            waiting_ns: None,
            retry_ns: 0,
            snapshot,
            snapshot_ns: None,
            ahead: start.streams,
            topology,
            failure: None,
            untold: None,
        })
    }

    /// Number of the last input that it applied.
    #[must_use]
    pub const fn sequence(&self) -> u64 {
        self.follower.mark().next_sequence - 1
    }

    /// Hash of its engine's state.
    #[must_use]
    pub fn state_hash(&self) -> u64 {
        self.replay.state.engine.state_hash()
    }

    /// The input behind which it made, or found, the newest snapshot; 0 for none.
    #[must_use]
    pub const fn snapshot(&self) -> u64 {
        self.snapshot
    }

    /// Why it does not go on, if so.
    #[must_use]
    pub fn failure(&self) -> Option<&str> {
        self.failure.as_deref()
    }

    /// Takes one bounded turn. It may wait for the disk: never call it where matching waits.
    pub fn poll(&mut self, now_ns: u64) -> Progress {
        if self.failure.is_some() || now_ns < self.retry_ns {
            return Progress::Idle;
        }
        let since_ns = *self.snapshot_ns.get_or_insert(now_ns);
        let durable = self.counters.signals.durable();
        if !self.write(now_ns) {
            return Progress::Waiting;
        }
        let taken = self.follow(durable);
        if taken > 0 {
            self.waiting_ns.get_or_insert(now_ns);
        }
        let inputs = self.sequence() - self.snapshot;
        let is_time = now_ns.saturating_sub(since_ns) >= self.plan.snapshot_every.as_nanos() as u64;
        if inputs >= self.plan.snapshot_inputs || (inputs > 0 && is_time) {
            self.snapshot_make(now_ns);
        }
        self.counters.inputs.set(self.sequence());
        self.counters
            .lag
            .set(durable.saturating_sub(self.sequence()));
        self.counters.messages.set(self.replay.overflow.messages());
        let (engine, sequence) = (&self.replay.state.engine, self.sequence());
        self.counters.risk.look(engine, sequence, now_ns);
        Progress::of(taken)
    }

    /// Makes a snapshot where it stands, unless there is one; whether there is one now.
    pub fn snapshot_make(&mut self, now_ns: u64) -> bool {
        let sequence = self.sequence();
        if self.failure.is_none() && sequence > self.snapshot && !self.is_behind() {
            let begun = Instant::now();
            match self.snapshot_write() {
                Ok(bytes) => {
                    (self.snapshot, self.snapshot_ns) = (sequence, Some(now_ns));
                    let counters = &mut self.counters;
                    counters.snapshots.add(1);
                    counters.snapshot_inputs.set(sequence);
                    counters.snapshot_bytes.set(bytes);
                    let taken_ns = begun.elapsed().as_nanos() as u64;
                    counters.snapshot_ns.set(taken_ns);
                }
                // What was not flushed may be lost, and the next flush would not say so.
                Err(error) if error.act == Act::Flush => {
                    self.fail(&error);
                }
                Err(error) => self.trouble("snapshot", &error, now_ns),
            }
        }
        sequence == self.snapshot
    }

    /// Whether some stream goes on behind where it stands: no snapshot could say where.
    fn is_behind(&mut self) -> bool {
        let outputs = &self.replay.state.outputs;
        let is_behind = past::beyond(&self.topology, outputs, &self.ahead).is_some();
        if !is_behind {
            self.ahead.clear();
        }
        is_behind
    }

    fn snapshot_write(&mut self) -> Result<u64, StorageError> {
        let Self {
            replay,
            follower,
            files,
            plan,
            ..
        } = self;
        let streams = replay.overflow.flush(files.as_mut())?;
        let around = Around {
            mark: follower.mark(),
            streams: &streams,
            definitions: replay.definitions_seen(),
        };
        kept::write(files.as_mut(), &replay.state, &around)?;
        self.waiting_ns = None;
        snapshot::prune(files.as_mut(), plan.keep)?;
        files.length(&snapshot::file_name(follower.mark().next_sequence - 1))
    }

    /// Writes what waits long enough; `false` when the disk refuses it.
    fn write(&mut self, now_ns: u64) -> bool {
        let streams = &mut self.replay.overflow;
        let since_ns = self.waiting_ns.unwrap_or(now_ns);
        if now_ns.saturating_sub(since_ns) < WRITE_NS && !streams.are_full() {
            return true;
        }
        match streams.write(self.files.as_mut()) {
            Ok(()) => self.waiting_ns = None,
            Err(error) => {
                self.trouble("streams", &error, now_ns);
                return false;
            }
        }
        true
    }

    /// Applies the next inputs that are durable; gives how many.
    fn follow(&mut self, durable: u64) -> usize {
        let Self {
            replay, follower, ..
        } = self;
        let taken = follower.poll(durable, &mut |input| replay.take(input));
        replay.run();
        if let Some(error) = replay.error_take() {
            return self.fail(&error);
        }
        replay.overflow.replies(&mut replay.state.outputs.entry);
        replay.settle();
        match taken {
            Ok(taken) => taken,
            Err(error) => self.fail(&error),
        }
    }

    fn fail(&mut self, why: &dyn std::fmt::Display) -> usize {
        let text =
            format!("the shadow stops, the venue goes on without new snapshots and streams: {why}");
        self.counters.failed.set(1);
        self.untold = Some(text.clone());
        self.failure = Some(text);
        0
    }

    /// The disk refused something that may go well later.
    fn trouble(&mut self, what: &str, error: &StorageError, now_ns: u64) {
        if self.counters.errors.get() == 0 {
            self.untold = Some(format!(
                "shadow: {what}: {error}; it tries again, and counts"
            ));
        }
        self.counters.errors.add(1);
        self.retry_ns = now_ns.saturating_add(RETRY_NS);
    }

    /// Turns until the venue stopped; then to the end of the journal, and a last snapshot.
    pub(super) fn run(mut self, clock: &impl Clock) {
        let mut idle_turns = 0_u32;
        while self.counters.signals.phase() != Phase::Stopped {
            idle_turns = match self.poll(clock.now_ns()) {
                Progress::Busy => 0,
                _ => idle_turns.saturating_add(1),
            };
            self.tell();
            threads::idle(idle_turns.saturating_mul(IDLE_HASTE));
        }
        let bound = Instant::now() + END_MAX;
        while self.poll(clock.now_ns()) == Progress::Busy && Instant::now() < bound {}
        self.snapshot_make(clock.now_ns());
        self.tell();
    }

    fn tell(&mut self) {
        if let Some(text) = self.untold.take() {
            eprintln!("wirecross: {text}");
        }
    }
}

/// Takes the newest snapshot that can be used, and cuts the streams where they go on.
fn begin<'m>(
    topology: &Topology,
    parts: &mut Parts,
    lines: &'m mut [Line],
) -> Result<(Start<'m>, Streams), StartError> {
    let failed = |error: StorageError| StartError::of("shadow", &error);
    let engine = Engine::new(engine_limits(topology), lines)
        .map_err(|e| StartError::of("the shadow's engine", &e))?;
    let extent = parts
        .streams
        .as_deref()
        .map_or(Extent::Unknown, Extent::Known);
    let files = parts.files.as_mut();
    let start = start(topology, parts.session, engine, Some(files), extent)?;
    let files = parts.files.as_mut();
    set_aside(files, start.mark.next_sequence - 1).map_err(failed)?;
    let streams =
        Streams::open(topology, files, &start.streams).map_err(|e| StartError::of("shadow", &e))?;
    Ok((start, streams))
}

/// How much sooner than a tile's the shadow's thread gives its core away: nobody waits for it.
pub(super) const IDLE_HASTE: u32 = 1_000;

/// The same venue with little memory for what the streams take.
fn small(topology: &Topology) -> Topology {
    let mut small = topology.clone();
    small.order_entry.reply_bytes = REPLY_BYTES;
    small.order_entry.connections_max = 1;
    small.feed.history_bytes = HISTORY_BYTES;
    if let Some(depth) = &mut small.feed.depth {
        depth.history_bytes = HISTORY_BYTES;
    }
    small.links = small.links.map(|_| LinkSize { depth: DEPTH_MIN });
    small
}

/// Gives every snapshot behind input `sequence` another name: it could not be used, and would count
/// as one of those that are kept.
fn set_aside(files: &mut dyn Files, sequence: u64) -> Result<(), StorageError> {
    for later in snapshot::list(files)? {
        let name = snapshot::file_name(later);
        if later > sequence {
            files.rename(&name, &format!("refused-{name}"))?;
        }
    }
    Ok(())
}
