//! How connections end: gracefully and within a bound, or cut.
//!
//! Unsent bytes leave, our end of stream follows, and what the peer still sends is thrown away
//! until it ends too or time is up: closing a socket with unread bytes would reset it, and the
//! reset may overtake our last bytes.

use std::mem;
use std::time::Instant;

use super::slot::Phase;
use super::{On, SocketTcp};
use crate::port::TcpEvent;
use crate::socket;

impl SocketTcp {
    /// Tells the caller of the streams that ended in the last poll.
    pub(super) fn tell_ended(&mut self, on: On<'_>) -> usize {
        let mut events = 0;
        while let Some(index) = self.ended.pop() {
            let index = usize::from(index);
            let slot = &mut self.slots[index];
            // A connection that is ending by itself is told of when it is through; a place that is
            // used anew knows nothing of the stream before.
            if slot.phase == Phase::Open && slot.peer_done {
                slot.told = true;
                on(TcpEvent::Closed {
                    conn: self.conn(index),
                });
                self.begin_closing(index);
                events += 1;
            }
        }
        events
    }

    pub(super) fn begin_closing(&mut self, index: usize) {
        let slot = &mut self.slots[index];
        slot.phase = Phase::Closing;
        slot.deadline = Some(Instant::now() + self.linger);
        self.ending.push(index as u16);
        // A paused connection reads again: what comes now is thrown away.
        self.start_receive(index);
    }

    /// Cuts a connection: what is under way on it ends at once.
    pub(super) fn kill(&mut self, index: usize) {
        let slot = &mut self.slots[index];
        if !matches!(slot.phase, Phase::Closing | Phase::Dying) {
            self.ending.push(index as u16);
        }
        slot.phase = Phase::Dying;
        socket::shutdown(slot.raw(), libc::SHUT_RDWR);
    }

    /// Carries every ending connection one step on; frees those that are through.
    pub(super) fn finish_ending(&mut self, on: On<'_>) -> usize {
        let now = Instant::now();
        let mut events = 0;
        let mut at = 0;
        while let Some(&index) = self.ending.get(at) {
            let index = usize::from(index);
            if self.slots[index].phase == Phase::Closing {
                self.step_closing(index, now);
            }
            let slot = &mut self.slots[index];
            if slot.phase != Phase::Dying || !slot.idle() {
                at += 1;
                continue;
            }
            self.driver.forget(index as u32);
            slot.release();
            let told = mem::replace(&mut slot.told, true);
            if !told {
                on(TcpEvent::Closed {
                    conn: self.conn(index),
                });
                events += 1;
            }
            self.free.push(index as u16);
            self.ending.swap_remove(at);
            self.stats.connections -= 1;
        }
        events
    }

    fn step_closing(&mut self, index: usize, now: Instant) {
        let slot = &mut self.slots[index];
        if slot.send.len() == 0 && !slot.we_done && !slot.connecting {
            slot.we_done = true;
            socket::shutdown(slot.raw(), libc::SHUT_WR);
        }
        if slot.we_done && slot.peer_done {
            self.kill(index);
        } else if slot.deadline.is_some_and(|deadline| now >= deadline) {
            self.stats.cut += 1;
            self.kill(index);
        }
    }
}
