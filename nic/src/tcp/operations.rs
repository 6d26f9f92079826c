//! Starting a port's operations and acting on how they ended.

use std::os::fd::{FromRawFd, OwnedFd};

use super::slot::Phase;
use super::{On, SocketTcp};
use crate::driver::{Done, Op};
use crate::port::{Conn, TcpEvent};
use crate::socket;

/// What an operation is, in the upper half of its tag; the slot is in the lower half.
const ACCEPT: u64 = 1 << 32;
pub(super) const CONNECT: u64 = 2 << 32;
const RECEIVE: u64 = 3 << 32;
const SEND: u64 = 4 << 32;
const STOP: u64 = 5 << 32;

impl SocketTcp {
    pub(super) fn start(&mut self, op: Op, tag: u64) {
        // SAFETY: pointers lead into a slot's buffers or boxed address, or the listener's box.
        // Those live as long as the port, which leaks them if the engine will not let go (`drop`);
        // the flags and the send queue keep the port off the parts in use.
        unsafe { self.driver.start(op, tag) };
    }

    pub(super) fn start_accept(&mut self) {
        let Some(listener) = &mut self.listener else {
            return;
        };
        if listener.accepting {
            return;
        }
        listener.accepting = true;
        let accepted = &raw mut *listener.accepted;
        // SAFETY: the box is valid and no operation is using it.
        let length = unsafe { &raw mut (*accepted).length };
        // SAFETY: as above.
        let address = unsafe { &raw mut (*accepted).address };
        // SAFETY: as above; the kernel reads the length as the room there is.
        unsafe { length.write(size_of::<libc::sockaddr_storage>() as libc::socklen_t) };
        let on = listener.on;
        self.start(
            Op::Accept {
                on,
                address,
                length,
            },
            ACCEPT,
        );
    }

    pub(super) fn start_receive(&mut self, index: usize) {
        if let Some(op) = self.slots[index].receive_op() {
            self.start(op, RECEIVE | index as u64);
        }
    }

    /// Ends a receive that would go on, once nobody wants its bytes.
    pub(super) fn stop_receive(&mut self, index: usize) {
        let receive = RECEIVE | index as u64;
        if let Some(op) = self.slots[index].stop_op(receive) {
            self.start(op, STOP | index as u64);
        }
    }

    pub(super) fn start_send(&mut self, index: usize) {
        if let Some(op) = self.slots[index].send_op() {
            self.start(op, SEND | index as u64);
        }
    }

    pub(super) fn start_dirty(&mut self) {
        while let Some(index) = self.dirty.pop() {
            let index = usize::from(index);
            self.slots[index].dirty = false;
            self.start_send(index);
        }
    }

    pub(super) fn end(&mut self, done: Done, on: On<'_>) -> usize {
        let index = (done.tag & 0xffff_ffff) as usize;
        match done.tag & !0xffff_ffff {
            ACCEPT => self.end_accept(done.result, on),
            CONNECT => self.end_connect(index, done.result, on),
            RECEIVE => {
                let events = self.end_receive(index, done, on);
                if let Some(id) = done.shared {
                    self.driver.give(id);
                }
                self.start_receive(index);
                events
            }
            STOP => {
                self.slots[index].stopping = false;
                self.stop_receive(index); // paused, let go and paused again meanwhile
                0
            }
            _ => self.end_send(index, done.result),
        }
    }

    fn end_accept(&mut self, result: i32, on: On<'_>) -> usize {
        let Some(listener) = &mut self.listener else {
            return 0;
        };
        listener.accepting = false;
        if result < 0 {
            self.stats.accept_errors += 1;
            return 0;
        }
        let peer = socket::storage_read(&listener.accepted.address).unwrap_or(listener.local);
        // SAFETY: `accept` gave a new descriptor that nobody else owns.
        let fd = unsafe { OwnedFd::from_raw_fd(result) };
        let Some(index) = self.free.pop() else {
            self.stats.refused += 1;
            return 0; // dropping the descriptor turns the peer away
        };
        let index = usize::from(index);
        self.slots[index].occupy(fd, Phase::Open);
        let socket = self.slots[index].socket();
        socket::tcp_no_delay(socket.fd);
        if self.driver.adopt(socket).is_err() {
            self.stats.accept_errors += 1;
            self.slots[index].release();
            self.free.push(index as u16);
            return 0;
        }
        self.stats.accepted += 1;
        self.stats.connections += 1;
        on(TcpEvent::Opened {
            conn: self.conn(index),
            peer,
        });
        self.start_receive(index);
        1
    }

    fn end_connect(&mut self, index: usize, result: i32, on: On<'_>) -> usize {
        let slot = &mut self.slots[index];
        slot.connecting = false;
        if result < 0 {
            self.stats.connect_errors += 1;
            self.kill(index);
            return 0; // `finish_ending` tells
        }
        let Some(peer) = socket::storage_read(&slot.address) else {
            return 0;
        };
        match slot.phase {
            Phase::Connecting => {
                slot.phase = Phase::Open;
                on(TcpEvent::Opened {
                    conn: self.conn(index),
                    peer,
                });
                self.start_receive(index);
                1
            }
            _ => {
                self.start_receive(index); // closed while dialling: end in the ordinary way
                0
            }
        }
    }

    /// One result of a receive. The caller gives the shared buffer back and arms the next one.
    fn end_receive(&mut self, index: usize, done: Done, on: On<'_>) -> usize {
        let conn = self.conn(index);
        let slot = &mut self.slots[index];
        slot.receiving = done.more;
        if slot.phase == Phase::Dying {
            return 0;
        }
        match done.result {
            1.. => self.deliver(conn, done, on),
            0 => {
                slot.peer_done = true;
                self.ended.push(index as u16);
                0
            }
            _ => {
                match -done.result {
                    libc::ENOBUFS => slot.starved = true,
                    libc::ECANCELED => {} // we did: see `stop_receive`
                    _ => {
                        self.stats.resets += 1;
                        self.kill(index);
                    }
                }
                0
            }
        }
    }

    /// Hands bytes that came to the caller, unless it closed the connection.
    fn deliver(&mut self, conn: Conn, done: Done, on: On<'_>) -> usize {
        let length = done.result as usize;
        self.stats.bytes_in += length as u64;
        let slot = &self.slots[conn.slot()];
        if slot.phase != Phase::Open {
            return 0;
        }
        let bytes = match done.shared {
            Some(id) => self.driver.shared(id, length),
            None => slot.receive.first(length),
        };
        on(TcpEvent::Data { conn, bytes });
        1
    }

    fn end_send(&mut self, index: usize, result: i32) -> usize {
        let slot = &mut self.slots[index];
        slot.send.end(result.max(0) as usize);
        if result < 0 {
            if slot.phase != Phase::Dying {
                self.stats.resets += 1;
                self.kill(index);
            }
            return 0;
        }
        self.stats.bytes_out += result as u64;
        self.start_send(index);
        0
    }
}
