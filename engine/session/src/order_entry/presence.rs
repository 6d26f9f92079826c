//! What the engine's side is told of connections: whose orders are to leave when they end.

use wire::ring::{Command, CommandKind};

use super::read::{Sink, number_of};
use super::{Cause, Member, Named, OrderEntry};

/// What a member is told whose connection an operator ends.
const KICKED: &[u8] = b"logged out by the operator";

const _: () = assert!(KICKED.len() <= super::SAY_BYTES_MAX);

impl OrderEntry {
    /// A member came or went: the sequencer is to know if its orders depend on it.
    pub(super) fn presence_changed(&mut self, index: usize) {
        let member = self.members.get(index);
        if member.is_some_and(|member| member.leave_ns.is_some()) {
            self.telling.insert(index);
        }
    }

    /// Tells what was not told yet, each member's behind what it sent and ahead of what it sends.
    pub(super) fn presence_tell(&mut self, sink: Sink<'_>) {
        let mut from = 0;
        while let Some(index) = self.telling.from(from) {
            from = index + 1;
            self.counters.looks += 1;
            self.presence(index, sink);
        }
    }

    /// Whether the sequencer knows where a member is: its orders come behind that.
    pub(super) fn presence_known(&mut self, index: usize, sink: Sink<'_>) -> bool {
        !self.telling.has(index) || self.presence(index, sink)
    }

    /// Tells whether a member is there, unless that is known; `false` when there is no room.
    pub(super) fn presence(&mut self, index: usize, sink: Sink<'_>) -> bool {
        let session = &self.sessions[index];
        let is_here = session.slot.is_some();
        if session.is_told_here == is_here {
            self.telling.remove(index);
            return true;
        }
        // An order that must follow its attributes goes first.
        if session.owes() {
            return false;
        }
        let leave_ns = self.members[index].leave_ns.unwrap_or(0);
        let is_told = sink(Command {
            kind: CommandKind::Presence as u8,
            flags: u8::from(is_here),
            session: number_of(index),
            price: i64::try_from(leave_ns).unwrap_or(i64::MAX),
            ..Command::BLANK
        });
        if is_told {
            self.counters.commands += 1;
            self.sessions[index].is_told_here = is_here;
            self.telling.remove(index);
        }
        is_told
    }

    /// An operator locks a member's login, lifts that and all other locks, or ends its connection.
    pub(super) fn access(&mut self, session: u16, what: u32) {
        let index = usize::from(session).wrapping_sub(1);
        if index >= self.members.len() {
            return;
        }
        let access = &mut self.sessions[index].access;
        match what {
            0 => access.clear(),
            1 => access.is_held = true,
            _ => self.kick(index),
        }
    }

    /// Whether a member is connected, and whether its logins are locked.
    #[must_use]
    pub fn seat(&self, session: u16, now_ns: u64) -> (bool, bool) {
        let session = self.sessions.get(usize::from(session).wrapping_sub(1));
        session.map_or((false, false), |session| {
            (session.slot.is_some(), session.access.is_locked(now_ns))
        })
    }

    /// Locks logins that an operator locked in an earlier life.
    pub fn lock(&mut self, session: u16) {
        self.access(session, 1);
    }

    /// What a member and its firm are called, once the engine knows its session.
    #[must_use]
    pub fn called(&self, session: u16) -> Option<Named> {
        let index = usize::from(session).wrapping_sub(1);
        let Member { user, firm, .. } = self.members.get(index)?;
        let (user, firm) = (user.clone(), *firm);
        let is_defined = self.sessions[index].account.is_some();
        is_defined.then_some(Named { user, firm })
    }

    pub(super) fn kick(&mut self, index: usize) {
        let Some(slot) = self.sessions[index].slot else {
            return;
        };
        if let Some(mut connection) = self.connections[slot].take() {
            connection.words(KICKED);
            let now_ns = self.lists.turn_ns;
            self.shut(&mut connection, slot, Cause::Kicked, now_ns);
            self.connections[slot] = Some(connection);
            self.settle(slot, now_ns);
        }
    }
}
