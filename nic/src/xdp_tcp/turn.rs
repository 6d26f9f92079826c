//! One turn: frames in, timers, and what is due for the connections that they touched.

use af_xdp::Arrived;
use smoltcp::iface::PollResult;
use smoltcp::socket::tcp::State;

use super::pace::{instant, ours_ns};
use super::segment::{self, Segment};
use super::slot::{NEVER_NS, Phase};
use super::{HALF_OPEN_MAX, HALF_OPEN_NS, On, XdpTcp};
use crate::clock::{FirstTouch, Stamp};
use crate::port::TcpEvent;

/// Most frames taken in a turn.
const FRAMES_TURN: usize = 64;
/// Most connections looked at in a turn.
const LOOKS_TURN: usize = 128;
/// Most segments sent for one connection at a look; the rest waits for the next turn.
const SEGMENTS_LOOK: usize = 8;
/// Timers looked at in a turn.
const TIMERS_TURN: usize = 64;

impl XdpTcp {
    pub(super) fn turn(&mut self, on: On<'_>) -> usize {
        let now_ns = self.clock.now_ns();
        self.receive(now_ns);
        self.look_at_timers(now_ns);
        let mut events = 0;
        for _ in 0..self.marked.len().min(LOOKS_TURN) {
            let Some(index) = self.unmark() else { break };
            events += self.advance(index, now_ns, on);
            if self.slots[index].phase != Phase::Free {
                self.send_for(index, now_ns);
            }
        }
        self.kick();
        events
    }

    /// Sends what was pushed; what else is due waits for the poll.
    pub(super) fn send_marked(&mut self) {
        let now_ns = self.clock.now_ns();
        for _ in 0..self.marked.len().min(LOOKS_TURN) {
            let Some(index) = self.unmark() else { break };
            if self.slots[index].phase != Phase::Free {
                self.send_for(index, now_ns);
            }
            if self.slots[index].is_wanted {
                self.mark(index);
            }
        }
        self.kick();
    }

    /// Something is due for this place.
    pub(super) fn mark(&mut self, index: usize) {
        let slot = &mut self.slots[index];
        if !slot.is_marked {
            slot.is_marked = true;
            self.marked.push_back(index as u16);
        }
    }

    fn unmark(&mut self) -> Option<usize> {
        let index = usize::from(self.marked.pop_front()?);
        self.slots[index].is_marked = false;
        Some(index)
    }

    /// Makes the kernel send what is queued, and notes when.
    fn kick(&mut self) {
        if self.wire.port.has_queued() {
            self.kicked = Some(Stamp::kick(&*self.clock));
        }
        self.wire.port.kick();
    }

    fn receive(&mut self, now_ns: u64) {
        let mut count = 0;
        // Each may need an answer at once: without room for it they wait in the ring.
        while count < FRAMES_TURN && self.wire.has_room() {
            let Some(arrived) = self.wire.port.take() else {
                break;
            };
            count += 1;
            let touched = Stamp::touch(&*self.clock);
            if !self.take_in(&arrived, touched, now_ns) {
                self.work.frames_refused += 1;
            }
            self.wire.port.give_back(arrived);
        }
        self.work.frames += count as u64;
        self.wire.port.settle();
    }

    /// Shows a frame to the connection it is for; says whether it was for anybody.
    fn take_in(&mut self, arrived: &Arrived, touched: Stamp<FirstTouch>, now_ns: u64) -> bool {
        let (bytes, mac) = (self.wire.port.bytes(arrived), self.wire.mac());
        let Some(segment) = segment::read(bytes, mac, self.local) else {
            return false;
        };
        let known = self.by_peer.get(&segment.peer).copied().map(usize::from);
        if let Some(index) = known {
            if segment.resets() && segment.sequence != self.slots[index].expected() {
                self.question(index, &segment, now_ns);
                return true;
            }
            if let Some(bytes) = segment.acknowledged() {
                self.slots[index].note(bytes);
            }
        }
        let place = match known {
            Some(index) if segment.opens() && self.slots[index].phase == Phase::Parted => {
                self.release(index);
                self.admit(&segment, now_ns)
            }
            None if segment.opens() => self.admit(&segment, now_ns),
            known => known,
        };
        if place.is_none() && segment.opens() {
            return false; // no place: the peer's kernel asks again
        }
        let (sockets, mac) = match place {
            Some(index) => {
                let slot = &mut self.slots[index];
                if slot.socket().recv_queue() == 0 {
                    slot.touched = Some(touched);
                }
                (&mut slot.sockets, slot.peer_mac)
            }
            None => (&mut self.nobody, segment.peer_mac),
        };
        let mut line = self.wire.line_with((arrived, segment.ip_bytes), mac);
        self.stack
            .poll_ingress_single(instant(now_ns), &mut line, sockets);
        self.work.looks += 1;
        if let Some(index) = place {
            self.mark(index);
        }
        place.is_some()
    }

    /// Asks a peer that seems to have reset its connection whether it did: the stack answers a
    /// segment that brings nothing, and who has no connection any more resets where that says. A
    /// reset from elsewhere may be anybody's who guessed the window (RFC 5961, 3.2).
    fn question(&mut self, index: usize, segment: &Segment, now_ns: u64) {
        self.work.resets_doubted += 1;
        let slot = &mut self.slots[index];
        let Some(acknowledged) = slot.acknowledged else {
            return; // half open: given up by itself
        };
        let ends = (segment.peer, self.local);
        let packet = segment::question(ends, slot.expected(), acknowledged);
        let mut line = self.wire.line(Some(&packet), slot.peer_mac);
        self.stack
            .poll_ingress_single(instant(now_ns), &mut line, &mut slot.sockets);
        self.mark(index);
    }

    /// A place for a peer that asks for a connection.
    fn admit(&mut self, segment: &Segment, now_ns: u64) -> Option<usize> {
        if self.half_open.len() == HALF_OPEN_MAX {
            self.work.given_up += 1;
            self.release(self.half_open[0].into());
        }
        if self.free.is_empty()
            && let Some(&oldest) = self.parted.front()
        {
            self.release(oldest.into());
        }
        let index = self.free.pop()?;
        let deadline_ns = now_ns.saturating_add(HALF_OPEN_NS);
        self.slots[usize::from(index)].occupy(self.local, segment, deadline_ns);
        self.by_peer.insert(segment.peer, index);
        self.half_open.push(index);
        Some(index.into())
    }

    /// Marks those of the next timers that are due.
    fn look_at_timers(&mut self, now_ns: u64) {
        let end = (self.due_next + TIMERS_TURN).min(self.due_ns.len());
        for index in self.due_next..end {
            if self.due_ns[index] <= now_ns {
                self.mark(index);
            }
        }
        self.due_next = if end == self.due_ns.len() { 0 } else { end };
    }

    /// Sends what the stack has to send for a connection, and notes when it is due next.
    pub(super) fn send_for(&mut self, index: usize, now_ns: u64) {
        let (slot, now) = (&mut self.slots[index], instant(now_ns));
        let mut line = self.wire.line(None, slot.peer_mac);
        for _ in 0..SEGMENTS_LOOK {
            self.work.looks += 1;
            if self.stack.poll_egress(now, &mut line, &mut slot.sockets) == PollResult::None {
                break;
            }
        }
        let stack_ns = match self.stack.poll_at(now, &slot.sockets) {
            Some(at) => ours_ns(at),
            None => NEVER_NS,
        };
        self.due_ns[index] = stack_ns.min(slot.deadline_ns);
        // Looking at it may have ended it, as a silence that was too long does.
        if stack_ns <= now_ns || slot.socket().state() == State::Closed {
            self.mark(index);
        }
    }

    /// Hands out what arrived.
    pub(super) fn deliver(&mut self, index: usize, on: On<'_>) -> usize {
        let conn = self.conn(index);
        let (mut events, mut taken) = (0, 0);
        let touched = self.slots[index].touched;
        let socket = self.slots[index].socket_mut();
        while socket.can_recv() {
            let given = socket.recv(|bytes| {
                on(touched, TcpEvent::Data { conn, bytes });
                (bytes.len(), bytes.len())
            });
            taken += given.unwrap_or(0);
            events += 1;
        }
        self.slots[index].taken = self.slots[index].taken.wrapping_add(taken as u32);
        self.stats.bytes_in += taken as u64;
        events
    }
}
