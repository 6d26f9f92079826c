//! What the gate tells the operator, and the other tiles.

use super::super::frames::FrameCounters;
use crate::tiles::doing::Doing;
use crate::topology::Tile;
use nic::TcpStats;
use queue::{Counter, CounterSet, Error, Histogram};

/// The gate's counters, by their names behind `gate.`.
pub(super) struct Counters {
    pub(super) commands: Counter,
    pub(super) stopped: Counter,
    pub(super) inputs: Counter,
    pub(super) through: Counter,
    pub(super) done: Counter,
    pub(super) connections: Counter,
    pub(super) logins: Counter,
    pub(super) disconnects: Counter,
    pub(super) refused: Counter,
    pub(super) accept_errors: Counter,
    pub(super) resets: Counter,
    pub(super) login_rejects: Counter,
    pub(super) logins_busy: Counter,
    pub(super) locks: Counter,
    pub(super) locked_out: Counter,
    pub(super) wrong_address: Counter,
    pub(super) refused_address: Counter,
    pub(super) repeats: Counter,
    pub(super) throttled: Counter,
    pub(super) throttled_out: Counter,
    pub(super) overloaded: Counter,
    pub(super) wrong_account: Counter,
    pub(super) not_permitted: Counter,
    pub(super) malformed: Counter,
    pub(super) stalled: Counter,
    pub(super) unreadable: Counter,
    pub(super) held_bytes: Counter,
    pub(super) cut_off: Counter,
    pub(super) frames: FrameCounters,
    pub(super) doing: Doing,
    pub(super) reply_ns: Histogram,
}

impl Counters {
    pub(super) fn new(set: &mut CounterSet) -> Result<Self, Error> {
        Ok(Self {
            commands: set.counter("gate.commands")?,
            stopped: set.counter("gate.stopped")?,
            inputs: set.counter("gate.inputs")?,
            through: set.counter("gate.through")?,
            done: set.counter("gate.done")?,
            connections: set.counter("gate.connections")?,
            logins: set.counter("gate.logins")?,
            disconnects: set.counter("gate.disconnects")?,
            refused: set.counter("gate.refused")?,
            accept_errors: set.counter("gate.accept_errors")?,
            resets: set.counter("gate.resets")?,
            login_rejects: set.counter("gate.login_rejects")?,
            logins_busy: set.counter("gate.logins_busy")?,
            locks: set.counter("gate.locks")?,
            locked_out: set.counter("gate.locked_out")?,
            wrong_address: set.counter("gate.wrong_address")?,
            refused_address: set.counter("gate.refused_address")?,
            repeats: set.counter("gate.repeats")?,
            throttled: set.counter("gate.throttled")?,
            throttled_out: set.counter("gate.throttled_out")?,
            overloaded: set.counter("gate.overloaded")?,
            wrong_account: set.counter("gate.wrong_account")?,
            not_permitted: set.counter("gate.not_permitted")?,
            malformed: set.counter("gate.malformed")?,
            stalled: set.counter("gate.stalled")?,
            unreadable: set.counter("gate.unreadable")?,
            held_bytes: set.counter("gate.held_bytes")?,
            cut_off: set.counter("gate.cut_off")?,
            frames: FrameCounters::new(set, "gate")?,
            doing: Doing::new(set, Tile::Gate)?,
            reply_ns: set.histogram("hop.engine_reply_ns")?,
        })
    }

    /// What the protocol counted; `open` connections are there.
    pub(super) fn of_members(&mut self, counts: &session::order_entry::Counters, open: u64) {
        self.connections.set(open);
        self.logins.set(counts.logins);
        self.disconnects.set(counts.opened.saturating_sub(open));
        self.login_rejects.set(
            counts.not_authorized
                + counts.session_unavailable
                + counts.logins_busy
                + counts.already_logged_in,
        );
        self.logins_busy.set(counts.logins_busy);
        self.locks.set(counts.locks);
        self.locked_out.set(counts.locked_out);
        self.wrong_address.set(counts.wrong_address);
        self.refused_address.set(counts.refused_address);
        self.repeats.set(counts.repeats);
        self.throttled.set(counts.throttled_messages);
        self.throttled_out.set(counts.throttled);
        self.overloaded.set(counts.overloaded);
        self.wrong_account.set(counts.wrong_account);
        self.not_permitted.set(counts.not_permitted);
        self.malformed.set(counts.malformed.iter().sum());
        self.stalled.set(counts.stalled);
        self.unreadable.set(counts.unreadable);
    }

    /// What the port counted; the protocol turned `refused` connections away itself.
    pub(super) fn of_port(&mut self, stats: &TcpStats, refused: u64) {
        self.refused.set(stats.refused + refused);
        self.accept_errors.set(stats.accept_errors);
        self.resets.set(stats.resets);
        self.frames.set(&stats.frames);
    }
}
