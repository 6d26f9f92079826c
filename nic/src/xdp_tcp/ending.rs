//! How a connection goes from phase to phase, and how it ends: gracefully and within a bound, or
//! cut.

use smoltcp::socket::tcp::State;

use super::slot::Phase;
use super::{On, XdpTcp};
use crate::port::TcpEvent;

impl XdpTcp {
    /// Does what the state of the stack's socket asks for; returns the number of events.
    pub(super) fn advance(&mut self, index: usize, now_ns: u64, on: On<'_>) -> usize {
        self.slots[index].is_wanted = false;
        self.count_sent(index);
        let mut events = 0;
        if self.slots[index].phase == Phase::HalfOpen {
            events += self.advance_half_open(index, now_ns, on);
        }
        if self.slots[index].phase == Phase::Open {
            events += self.advance_open(index, now_ns, on);
        }
        if self.slots[index].phase == Phase::Closing {
            events += self.advance_closing(index, now_ns, on);
        }
        let slot = &self.slots[index];
        let is_over = match slot.phase {
            // The stack forgets the peer once the reset has left.
            Phase::Dying => slot.socket().remote_endpoint().is_none(),
            Phase::Parted => slot.socket().state() == State::Closed,
            _ => false,
        };
        if is_over {
            self.release(index);
        }
        events
    }

    fn advance_half_open(&mut self, index: usize, now_ns: u64, on: On<'_>) -> usize {
        match self.slots[index].socket().state() {
            State::SynReceived if now_ns < self.slots[index].deadline_ns => return 0,
            State::SynReceived | State::Listen | State::Closed => {
                self.work.given_up += 1;
                self.release(index);
                return 0;
            }
            _ => {}
        }
        self.half_open.retain(|&other| usize::from(other) != index);
        if self.stats.connections >= u64::from(self.limits.connections) {
            self.stats.refused += 1;
            self.reset(index);
            return 0;
        }
        let slot = &mut self.slots[index];
        slot.phase = Phase::Open;
        slot.deadline_ns = super::NEVER_NS;
        let peer = slot.peer.into();
        self.stats.accepted += 1;
        self.stats.connections += 1;
        let conn = self.conn(index);
        on(None, TcpEvent::Opened { conn, peer });
        1
    }

    fn advance_open(&mut self, index: usize, now_ns: u64, on: On<'_>) -> usize {
        let mut events = 0;
        if !self.slots[index].is_paused {
            events += self.deliver(index, on);
        }
        let slot = &self.slots[index];
        match slot.socket().state() {
            State::Closed => {
                self.stats.resets += 1;
                events + self.tell(index, Phase::Dying, on)
            }
            State::CloseWait if !slot.is_paused && slot.socket().recv_queue() == 0 => {
                self.begin_closing(index, now_ns);
                events
            }
            _ => events,
        }
    }

    /// Our end of stream follows what is unsent.
    pub(super) fn begin_closing(&mut self, index: usize, now_ns: u64) {
        let slot = &mut self.slots[index];
        slot.phase = Phase::Closing;
        slot.deadline_ns = now_ns.saturating_add(u64::from(self.limits.linger_ms) * 1_000_000);
        slot.is_wanted = true;
        slot.socket_mut().close();
        self.mark(index);
    }

    fn advance_closing(&mut self, index: usize, now_ns: u64, on: On<'_>) -> usize {
        let slot = &mut self.slots[index];
        let socket = slot.socket_mut();
        // What comes now is thrown away, or a full window would keep the peer's end back.
        let mut thrown = 0;
        while socket.can_recv() {
            thrown += socket.recv(|bytes| (bytes.len(), bytes.len())).unwrap_or(0);
        }
        slot.taken = slot.taken.wrapping_add(thrown as u32);
        match slot.socket().state() {
            State::TimeWait => {
                self.parted.push_back(index as u16);
                self.tell(index, Phase::Parted, on)
            }
            State::Closed => {
                self.stats.resets += u64::from(slot.queued > 0);
                self.tell(index, Phase::Dying, on)
            }
            _ if now_ns >= slot.deadline_ns => {
                self.stats.cut += 1;
                self.reset(index);
                self.tell(index, Phase::Dying, on)
            }
            _ => 0,
        }
    }

    /// It is over for the caller.
    fn tell(&mut self, index: usize, phase: Phase, on: On<'_>) -> usize {
        let conn = self.conn(index);
        let slot = &mut self.slots[index];
        slot.phase = phase;
        slot.deadline_ns = super::NEVER_NS;
        slot.is_told = true;
        self.stats.connections -= 1;
        on(None, TcpEvent::Closed { conn });
        1
    }

    /// Cuts it: the reset leaves when it is next sent for.
    fn reset(&mut self, index: usize) {
        let slot = &mut self.slots[index];
        slot.socket_mut().abort();
        slot.phase = Phase::Dying;
        slot.deadline_ns = super::NEVER_NS;
        self.mark(index);
    }

    /// Frees a place at once; the peer is told nothing.
    pub(super) fn release(&mut self, index: usize) {
        let slot = &mut self.slots[index];
        match slot.phase {
            Phase::HalfOpen => self.half_open.retain(|&other| usize::from(other) != index),
            Phase::Parted => self.parted.retain(|&other| usize::from(other) != index),
            _ => {}
        }
        self.by_peer.remove(&slot.peer);
        slot.release();
        self.due_ns[index] = super::NEVER_NS;
        self.free.push(index as u16);
    }

    /// Counts what the peer has acknowledged since the last look.
    fn count_sent(&mut self, index: usize) {
        let slot = &mut self.slots[index];
        let queued = slot.socket().send_queue();
        self.stats.bytes_out += slot.queued.saturating_sub(queued) as u64;
        slot.queued = queued;
    }

    /// Resets what is left.
    pub(super) fn reset_all(&mut self) {
        let now_ns = self.clock.now_ns();
        for index in 0..self.slots.len() {
            let phase = self.slots[index].phase;
            if !matches!(phase, Phase::HalfOpen | Phase::Open | Phase::Closing) {
                continue;
            }
            if !self.wire.has_room() {
                self.wire.port.kick();
            }
            self.slots[index].socket_mut().abort();
            self.send_for(index, now_ns);
        }
        self.wire.port.kick();
    }
}
