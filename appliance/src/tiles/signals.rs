//! The venue's counters: what tiles tell one another and the operator.

use crate::topology::Ack;
use journal::Reserve;
use queue::{Counter, CounterSet, Error, Watch};

/// Every counter of a venue.
pub const COUNTERS: &[&str] = &[
    "venue.phase",
    "venue.insecure",
    "gate.commands",
    "gate.stopped",
    "gate.inputs",
    "gate.through",
    "gate.done",
    "gate.connections",
    "gate.logins",
    "gate.disconnects",
    "gate.refused",
    "gate.accept_errors",
    "gate.resets",
    "gate.login_rejects",
    "gate.logins_busy",
    "gate.locks",
    "gate.locked_out",
    "gate.wrong_address",
    "gate.refused_address",
    "gate.repeats",
    "gate.throttled",
    "gate.throttled_out",
    "gate.overloaded",
    "gate.wrong_account",
    "gate.not_permitted",
    "gate.malformed",
    "gate.rings_refused",
    "gate.stalled",
    "gate.unreadable",
    "gate.held_bytes",
    "gate.cut_off",
    "gate.xdp_received",
    "gate.xdp_refused",
    "gate.xdp_lost",
    "gate.xdp_ring_full",
    "gate.xdp_fill_empty",
    "gate.xdp_invalid",
    "gate.xdp_send_errors",
    "gate.doing",
    "gate.busy_ns",
    "gate.waiting_ns",
    "gate.idle_ns",
    "engine.commands",
    "engine.inputs",
    "engine.events",
    "engine.live_orders",
    "engine.waits",
    "engine.refused",
    "engine.last",
    "engine.doing",
    "engine.busy_ns",
    "engine.waiting_ns",
    "engine.idle_ns",
    "journal.durable",
    "journal.groups",
    "journal.disk_full",
    "journal.reserve",
    "journal.held",
    "journal.room_bytes",
    "journal.lag_ns",
    "journal.closed",
    "journal.failed",
    "journal.doing",
    "journal.busy_ns",
    "journal.waiting_ns",
    "journal.idle_ns",
    "keeper.indexed",
    "keeper.archived",
    "keeper.removed",
    "keeper.failing",
    "publish.inputs",
    "publish.through",
    "publish.done",
    "publish.messages",
    "publish.packets",
    "publish.depth_messages",
    "publish.dropped",
    "publish.dropped_b",
    "publish.dropped_follower",
    "publish.requests",
    "publish.request_bytes",
    "publish.answer_bytes",
    "publish.requests_unlisted",
    "publish.requests_spent",
    "publish.requests_refused",
    "publish.send_errors",
    "publish.receive_errors",
    "publish.xdp_received",
    "publish.xdp_refused",
    "publish.xdp_lost",
    "publish.xdp_ring_full",
    "publish.xdp_fill_empty",
    "publish.xdp_invalid",
    "publish.xdp_send_errors",
    "publish.doing",
    "publish.busy_ns",
    "publish.waiting_ns",
    "publish.idle_ns",
    "shadow.inputs",
    "shadow.lag",
    "shadow.messages",
    "shadow.snapshots",
    "shadow.snapshot_inputs",
    "shadow.snapshot_bytes",
    "shadow.snapshot_ns",
    "shadow.errors",
    "shadow.failed",
    "shadow.ready",
    "recall.reads",
    "recall.failures",
    "clock.divergence_ns",
    "clock.divergence_ns_max",
    "clock.over_line",
    "clock.steps",
    "clock.unsound",
    "clock.forward_ns",
    "clock.back_ns",
    "clock.granularity_ns",
    "clock.system_error_ns",
    "clock.system_unsynchronised",
];

/// Every hop's latency, in nanoseconds.
pub const HISTOGRAMS: &[&str] = &[
    // From the first touch of a command's frame, where the port goes around the kernel, to its
    // place in the sequence; else, or if it had to wait for room in the link, from the gate's turn.
    "hop.gate_engine_ns",
    // From there to the journal's record being on disk.
    "hop.engine_durable_ns",
    // From there to the reply in the member's stream.
    "hop.engine_reply_ns",
    // From there to the packet.
    "hop.engine_feed_ns",
];

/// Where in its life the venue is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u64)]
pub enum Phase {
    /// Taking orders.
    Running = 0,
    /// Ending: what was taken is being finished.
    Draining = 1,
    /// Ending: all is finished, members and receivers are told.
    Ending = 2,
    /// Threads return.
    Stopped = 3,
    /// A tile cannot go on: nothing more is acknowledged, members are disconnected.
    Failing = 4,
}

impl Phase {
    /// Reads the counter; what is no phase counts as failing.
    #[must_use]
    pub const fn of(value: u64) -> Self {
        match value {
            0 => Self::Running,
            1 => Self::Draining,
            2 => Self::Ending,
            3 => Self::Stopped,
            _ => Self::Failing,
        }
    }
}

/// What every tile can read.
#[derive(Clone, Debug)]
pub struct Signals {
    phase: Watch,
    stopped: Watch,
    last: Watch,
    durable: Watch,
    journal_failed: Watch,
    reserve: Watch,
}

impl Signals {
    /// Attaches to a set made of [`COUNTERS`].
    ///
    /// # Errors
    /// A counter is missing in the set.
    pub fn new(set: &CounterSet) -> Result<Self, Error> {
        Ok(Self {
            phase: set.watch("venue.phase")?,
            stopped: set.watch("gate.stopped")?,
            last: set.watch("engine.last")?,
            durable: set.watch("journal.durable")?,
            journal_failed: set.watch("journal.failed")?,
            reserve: set.watch("journal.reserve")?,
        })
    }

    /// The phase now.
    #[must_use]
    pub fn phase(&self) -> Phase {
        Phase::of(self.phase.get())
    }

    /// How many commands the gate took in all, once it takes no more.
    #[must_use]
    pub fn commands_in_all(&self) -> Option<u64> {
        self.stopped.get().checked_sub(1)
    }

    /// The number of the last input, once no further one comes.
    #[must_use]
    pub fn sequence_last(&self) -> Option<u64> {
        self.last.get().checked_sub(1)
    }

    /// The last input that is on disk.
    #[must_use]
    pub fn durable(&self) -> u64 {
        self.durable.get()
    }

    /// The last input about which something may leave, by the rule of acknowledgement; nothing more
    /// may once the journal failed, whatever the rule.
    #[must_use]
    pub fn released(&self, ack: Ack, before: u64) -> u64 {
        match ack {
            Ack::Disk => self.durable(),
            Ack::Memory if self.has_journal_failed() => before,
            Ack::Memory => u64::MAX,
        }
    }

    /// Whether a write or a flush of the journal failed.
    #[must_use]
    pub fn has_journal_failed(&self) -> bool {
        self.journal_failed.get() == 1
    }

    /// What the journal's room is to be used for.
    #[must_use]
    pub fn reserve(&self) -> Reserve {
        Reserve::from_number(self.reserve.get())
    }
}

/// Tells a number that becomes known once: stored one higher, because 0 means "not yet".
pub(super) fn tell_once(counter: &mut Counter, number: u64) {
    if counter.get() == 0 {
        counter.set(number + 1);
    }
}
