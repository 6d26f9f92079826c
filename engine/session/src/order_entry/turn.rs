//! What each turn looks at: connections that wait for something, and those whose time has come.
//!
//! A turn is a poll, a transmission and the closing. It costs what is to be done, not what is
//! connected: lists name the connections that are held, have something unsent or must be closed,
//! and a tree of deadlines those whose clocks may matter. A deadline may be early, as most of what
//! happens on a connection only puts it off: it is looked at then, and gets its next one. It is
//! never late: all that may bring it forward goes through [`OrderEntry::settle`], but for a reply,
//! whose time to stall ends no sooner than the deadline of any quiet connection.

use wire::ring::Command;

use super::connection::Connection;
use super::deadlines::Deadlines;
use super::handles::Handles;
use super::places::Places;
use super::{Cause, LINGER_NS, OrderEntry, SAY_BYTES_MAX};

/// Clocks that are looked at in a turn: those of thousands that all fell quiet at once take turns.
const DUE_MAX: usize = 64;

/// Connections by what they wait for; all of slots.
pub(super) struct Lists {
    pub(super) handles: Handles,
    pub(super) free: Places,
    /// Reading stopped for want of room elsewhere.
    held: Places,
    /// Something is to be sent, if only the last words.
    unsent: Places,
    /// A login waits to be judged elsewhere.
    pub(super) asking: Places,
    /// To be closed now.
    closing: Places,
    /// What is to be sent next is not at hand, and nobody was told.
    pub(super) lacking: Places,
    /// A reply that is to be sent again is not at hand, and nobody was told.
    pub(super) wanting: Places,
    due: Deadlines,
    /// When the last turn was: a connection without anything to send had nothing then.
    pub(super) turn_ns: u64,
}

impl Lists {
    pub(super) fn new(slots: usize) -> Self {
        let mut free = Places::EMPTY;
        for slot in 0..slots {
            free.insert(slot);
        }
        Self {
            handles: Handles::new(slots),
            free,
            held: Places::EMPTY,
            unsent: Places::EMPTY,
            asking: Places::EMPTY,
            closing: Places::EMPTY,
            lacking: Places::EMPTY,
            wanting: Places::EMPTY,
            due: Deadlines::new(slots),
            turn_ns: 0,
        }
    }

    /// A member's store has a new reply.
    pub(super) fn wake(
        &mut self,
        slot: Option<usize>,
        connections: &mut [Option<Box<Connection>>],
    ) {
        let Some(slot) = slot else { return };
        if let Some(connection) = &mut connections[slot] {
            self.wait_to_send(slot, connection);
        }
    }

    fn wait_to_send(&mut self, slot: usize, connection: &mut Connection) {
        if self.unsent.insert(slot) {
            connection.moved_ns = connection.moved_ns.max(self.turn_ns);
        }
    }

    /// Forgets a connection.
    pub(super) fn forget(&mut self, slot: usize, conn: u32) {
        self.handles.remove(conn);
        self.held.remove(slot);
        self.unsent.remove(slot);
        self.asking.remove(slot);
        self.closing.remove(slot);
        self.lacking.remove(slot);
        self.wanting.remove(slot);
        self.due.set(slot, u64::MAX);
        self.free.insert(slot);
    }
}

impl OrderEntry {
    /// Reads what was held back, sends heartbeats and ends connections that are silent, stalled or
    /// late. Call it again and again, at least ten times a second; of connections that have such a
    /// thing due it takes at most 64 in a call, first those that were due first.
    pub fn poll(&mut self, now_ns: u64, sink: &mut dyn FnMut(Command) -> bool) {
        let mut from = 0;
        while let Some(index) = self.owing.from(from) {
            from = index + 1;
            self.counters.looks += 1;
            self.pay(index, sink);
        }
        self.presence_tell(sink);
        let slots = self.connections.len();
        self.turn = (self.turn + 1) % slots;
        for (start, end) in [(self.turn, slots), (0, self.turn)] {
            let mut from = start;
            while let Some(slot) = self.lists.held.from(from).filter(|slot| *slot < end) {
                from = slot + 1;
                self.counters.looks += 1;
                self.read(slot, now_ns, sink);
                self.excuse(slot, now_ns);
            }
        }
        self.strand(now_ns);
        self.lists.turn_ns = now_ns;
        for _ in 0..DUE_MAX {
            let Some(slot) = self.lists.due.first(now_ns) else {
                return;
            };
            self.counters.looks += 1;
            self.watch(slot, now_ns);
        }
    }

    /// Offers what is to be sent: `send` gives how many of the bytes it took for this connection.
    pub fn transmit(&mut self, now_ns: u64, send: &mut dyn FnMut(u32, &[u8]) -> usize) {
        let mut from = 0;
        while let Some(slot) = self.lists.unsent.from(from) {
            from = slot + 1;
            self.counters.looks += 1;
            if let Some(connection) = &mut self.connections[slot] {
                let store = connection.session.map(|index| &self.sessions[index].store);
                connection.transmit(store, now_ns, send);
            }
            self.settle(slot, now_ns);
        }
        self.lists.turn_ns = now_ns;
    }

    /// The next connection that the caller must close now, and why; it is forgotten here.
    pub fn closing(&mut self) -> Option<(u32, Cause)> {
        let slot = self.lists.closing.from(0)?;
        self.counters.looks += 1;
        let connection = self.connections[slot].take()?;
        self.lists.forget(slot, connection.id);
        Some((connection.id, connection.cause?))
    }

    /// The day is over: members get End of Session after their last reply, then are disconnected.
    pub fn end(&mut self) {
        self.ended = true;
        for slot in 0..self.connections.len() {
            self.settle(slot, self.lists.turn_ns);
        }
    }

    /// Tells every member something that is no message of its day, in a debug packet: behind the
    /// reply that is being sent, ahead of those that wait. One who does not read is not told.
    pub fn say(&mut self, text: &str) {
        let text = &text.as_bytes()[..text.len().min(SAY_BYTES_MAX)];
        for slot in 0..self.connections.len() {
            let connection = self.connections[slot].as_mut();
            let live = connection.filter(|one| one.session.is_some() && one.cause.is_none());
            if live.is_some_and(|one| one.words(text)) {
                self.settle(slot, self.lists.turn_ns);
            }
        }
    }

    /// Puts a connection, to which something happened, into the lists where it belongs, and its
    /// deadline forward if need be.
    pub(super) fn settle(&mut self, slot: usize, now_ns: u64) {
        let due_ns = self.due_ns(slot, now_ns);
        let Some(connection) = &mut self.connections[slot] else {
            return;
        };
        let is_live = connection.cause.is_none();
        let lingers = connection.lingers();
        let store = connection.session.map(|index| &self.sessions[index].store);
        if lingers || is_live && !connection.is_drained(store) {
            self.lists.wait_to_send(slot, connection);
        } else {
            self.lists.unsent.remove(slot);
        }
        self.lists.held.put(slot, is_live && connection.held);
        let is_lacking = is_live && !connection.is_asked && connection.lacks().is_some();
        self.lists.lacking.put(slot, is_lacking);
        let is_wanting = is_live && connection.wants().is_some();
        self.lists.wanting.put(slot, is_wanting);
        self.lists.closing.put(slot, !is_live && !lingers);
        if due_ns < self.lists.due.get(slot) {
            self.lists.due.set(slot, due_ns);
        }
    }

    /// When the clocks of a connection may matter next, if nothing happens to it until then.
    fn due_ns(&self, slot: usize, now_ns: u64) -> u64 {
        let Some(connection) = &self.connections[slot] else {
            return u64::MAX;
        };
        let config = &self.config;
        if connection.cause.is_some() {
            let last_ns = connection.closed_ns.saturating_add(LINGER_NS);
            return if connection.lingers() {
                last_ns
            } else {
                u64::MAX
            };
        }
        let silent_ns = connection.heard_ns.saturating_add(config.silence_ns);
        let Some(index) = connection.session else {
            let late_ns = connection.opened_ns.saturating_add(config.login_ns);
            return if self.ended {
                0
            } else {
                late_ns.min(silent_ns)
            };
        };
        let is_drained = connection.is_drained(Some(&self.sessions[index].store));
        if is_drained && self.ended {
            return 0;
        }
        // What is not sent yet may be any time from now, and what is sent may come to stall.
        let (sent_ns, moved_ns) = if is_drained {
            (connection.sent_ns, now_ns)
        } else {
            (now_ns, connection.moved_ns)
        };
        let quiet_ns = sent_ns.saturating_add(config.heartbeat_ns);
        let stalled_ns = moved_ns.saturating_add(config.stall_ns);
        silent_ns.min(quiet_ns).min(stalled_ns)
    }

    /// A connection that may not be read is not silent.
    fn excuse(&mut self, slot: usize, now_ns: u64) {
        if let Some(connection) = &mut self.connections[slot]
            && connection.held
        {
            connection.heard_ns = now_ns;
        }
    }

    /// Looks at the clocks of a connection.
    fn watch(&mut self, slot: usize, now_ns: u64) {
        let Some(mut connection) = self.connections[slot].take() else {
            return self.lists.due.set(slot, u64::MAX);
        };
        if connection.cause.is_some() {
            connection.linger(now_ns, LINGER_NS);
        } else if let Some(cause) = self.overdue(&mut connection, now_ns) {
            self.shut(&mut connection, slot, cause, now_ns);
        }
        self.connections[slot] = Some(connection);
        self.lists.due.set(slot, self.due_ns(slot, now_ns));
        self.settle(slot, now_ns);
    }

    fn overdue(&self, connection: &mut Connection, now_ns: u64) -> Option<Cause> {
        let since = |then: u64| now_ns.saturating_sub(then);
        let silent = since(connection.heard_ns) >= self.config.silence_ns;
        let Some(index) = connection.session else {
            // Nobody can log in to a day that is over, and its end must not wait for that.
            let late = self.ended || since(connection.opened_ns) >= self.config.login_ns;
            return (late || silent).then_some(Cause::LoginLate);
        };
        let store = &self.sessions[index].store;
        if silent {
            return Some(Cause::Silent);
        }
        if !connection.is_drained(Some(store)) {
            if connection.is_waiting(now_ns, self.config.heartbeat_ns) {
                connection.control(b'H', &[]);
            }
            return (since(connection.moved_ns) >= self.config.stall_ns).then_some(Cause::Stalled);
        }
        connection.moved_ns = now_ns;
        if self.ended {
            connection.control(b'Z', &[]);
            return Some(Cause::Ended);
        }
        if connection.is_quiet(store, now_ns, self.config.heartbeat_ns) {
            connection.control(b'H', &[]);
        }
        None
    }
}
