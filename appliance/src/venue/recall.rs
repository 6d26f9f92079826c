//! Who reads the streams for the tiles: what members and receivers ask for and memory does not hold
//! any more.
//!
//! It has a thread of its own and waits for the disk there. It also looks how far the streams of
//! replies go, for those who wait for what is not there yet.

use super::kept::store_of;
use super::shadow::IDLE_HASTE;
use super::threads;
use crate::tiles::{Answering, Found, GatePast, MemberTicket, Phase, Progress, PublishPast};
use crate::tiles::{ReceiverTicket, Signals, Wanted, past_line};
use crate::topology::Topology;
use journal::stream::{self, Name, Position};
use journal::{DataError, Files};
use nic::Clock;
use queue::{Counter, CounterSet, Error, Watch};
use session::order_entry::pack;
use std::sync::mpsc::{SyncSender, sync_channel};

/// Time between two looks at the streams.
const LOOK_NS: u64 = 50_000_000;

/// Streams that are looked at in a turn.
const LOOKS_MAX: usize = 64;

/// Reads streams when asked.
pub struct Recaller {
    files: Box<dyn Files>,
    members: Answering<MemberTicket>,
    receivers: Answering<ReceiverTicket>,
    /// How many replies of a store are in their stream.
    covers: SyncSender<(usize, u64)>,
    /// The stores' streams, and what was told of each.
    stores: Vec<(usize, Name, u64)>,
    /// The next one to be looked at.
    at: usize,
    looked_ns: u64,
    /// How many messages each stream had at the start: what stood behind those, if anything, is of
    /// no use until the shadow has cut it off.
    ends: Vec<(Name, u64)>,
    /// Whether it has.
    written: Watch,
    reads: Counter,
    failures: Counter,
}

impl Recaller {
    /// Takes its counters; gives the gate's and the feed's ends too.
    pub(super) fn new(
        topology: &Topology,
        files: Box<dyn Files>,
        ends: &[(Name, Position)],
        set: &mut CounterSet,
    ) -> Result<(Self, GatePast, PublishPast), Error> {
        let names = super::kept::names(topology);
        let is_store = |name: &Name| Some((store_of(topology, *name)?, *name, 0));
        let stores: Vec<_> = names.iter().filter_map(is_store).collect();
        let (asking, members) = past_line();
        let (requests, receivers) = past_line();
        let (covers, covers_out) = sync_channel(LOOKS_MAX);
        let store_names = stores.iter().map(|it| it.1).collect();
        let failed = set.watch("shadow.failed")?;
        let gate = GatePast::new(asking, covers_out, store_names, failed);
        let recaller = Self {
            files,
            members,
            receivers,
            covers,
            stores,
            at: 0,
            looked_ns: 0,
            ends: ends
                .iter()
                .map(|(name, end)| (*name, end.messages))
                .collect(),
            written: set.watch("shadow.ready")?,
            reads: set.counter("recall.reads")?,
            failures: set.counter("recall.failures")?,
        };
        Ok((recaller, gate, PublishPast::new(requests)))
    }

    /// Takes one bounded turn. It may wait for the disk.
    pub fn poll(&mut self, now_ns: u64) -> Progress {
        let mut work = 0;
        if let Ok((wanted, ticket)) = self.members.wanted.try_recv() {
            let found = self.read(&wanted, pack);
            // The tile that asked is gone, and with it who wanted to know.
            let _ = self.members.found.try_send((found, ticket));
            work += 1;
        }
        if let Ok((wanted, ticket)) = self.receivers.wanted.try_recv() {
            let found = self.read(&wanted, block);
            let _ = self.receivers.found.try_send((found, ticket));
            work += 1;
        }
        let is_cut = self.is_cut();
        if is_cut && now_ns.saturating_sub(self.looked_ns) >= LOOK_NS {
            self.looked_ns = now_ns;
            self.look();
        }
        Progress::of(work)
    }

    /// Turns until the venue stopped.
    pub(super) fn run(mut self, clock: &impl Clock, signals: &Signals) {
        let mut idle_turns = 0_u32;
        while signals.phase() != Phase::Stopped {
            idle_turns = match self.poll(clock.now_ns()) {
                Progress::Busy => 0,
                _ => idle_turns.saturating_add(1),
            };
            threads::idle(idle_turns.saturating_mul(IDLE_HASTE));
        }
    }

    fn read(&mut self, wanted: &Wanted, form: fn(&[u8], &mut Vec<u8>)) -> Found {
        let Wanted {
            name,
            from,
            before,
            bytes_max,
        } = *wanted;
        let before = before.min(self.before(name));
        let mut found = Found::default();
        if from >= before {
            return found;
        }
        let read = stream::read(self.files.as_mut(), name, from, &mut |number, message| {
            let fits = number < before && found.count < u16::MAX - 1;
            let length = found.bytes.len();
            if fits {
                form(message, &mut found.bytes);
            }
            if !fits || found.bytes.len() > bytes_max {
                found.bytes.truncate(length);
                return false;
            }
            found.count += 1;
            number + 1 < before
        });
        self.reads.add(1);
        if let Err(error) = read
            && found.count == 0
        {
            self.trouble(&error);
        }
        found
    }

    /// Whether all that the streams hold is of use.
    fn is_cut(&self) -> bool {
        self.written.get() != 0
    }

    /// Number behind the last message of a stream that may be read.
    fn before(&self, name: Name) -> u64 {
        if self.is_cut() {
            return u64::MAX;
        }
        let end = self.ends.iter().find(|(it, _)| *it == name);
        end.map_or(1, |(_, messages)| messages + 1)
    }

    /// Looks how far some streams go, and tells what is new.
    fn look(&mut self) {
        for _ in 0..LOOKS_MAX.min(self.stores.len()) {
            self.at = (self.at + 1) % self.stores.len();
            let (store, name, told) = &mut self.stores[self.at];
            // What cannot be read now is looked at again.
            let held = stream::held(self.files.as_mut(), *name).unwrap_or(0);
            if held > *told && self.covers.try_send((*store, held)).is_ok() {
                *told = held;
            }
        }
    }

    fn trouble(&mut self, error: &DataError) {
        if self.failures.get() == 0 {
            eprintln!("wirecross: a stream cannot be read, who asked for it is not told: {error}");
        }
        self.failures.add(1);
    }
}

/// Appends a message as packets of the feed carry it.
fn block(message: &[u8], out: &mut Vec<u8>) {
    out.extend_from_slice(&(message.len() as u16).to_be_bytes());
    out.extend_from_slice(message);
}
