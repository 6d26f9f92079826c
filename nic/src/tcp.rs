//! The TCP port over sockets: accepts, dials, and keeps a receive and a send under way per
//! connection.
//!
//! Each place has fixed buffers. A place is reused only when every operation on it has ended, so a
//! result can never meet the wrong connection. Closing is graceful and bounded: unsent bytes
//! leave, our end of stream follows, and what the peer still sends is thrown away until it ends
//! too or time is up (closing a socket with unread bytes would reset it, and the reset may
//! overtake our last bytes).

mod slot;

use std::io;
use std::mem;
use std::net::SocketAddr;
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd};
use std::time::{Duration, Instant};

use crate::driver::{Done, Driver, Op, RESULTS_MAX};
use crate::port::{Conn, ConnectError, TcpEvent, TcpLimits, TcpPort, TcpStats};
use crate::socket;
use slot::{Phase, Slot};

/// What an operation is, in the upper half of its tag; the slot is in the lower half.
const ACCEPT: u64 = 1 << 32;
const CONNECT: u64 = 2 << 32;
const RECEIVE: u64 = 3 << 32;
const SEND: u64 = 4 << 32;

/// Where `accept` writes the peer's address.
#[derive(Debug)]
struct Accepted {
    address: libc::sockaddr_storage,
    length: libc::socklen_t,
}

#[derive(Debug)]
struct Listener {
    fd: OwnedFd,
    local: SocketAddr,
    accepted: Box<Accepted>,
    accepting: bool,
}

/// A TCP port of the machine, over io_uring or plain sockets.
pub struct SocketTcp {
    driver: Driver,
    listener: Option<Listener>,
    slots: Vec<Slot>,
    free: Vec<u16>,
    /// Places in `Phase::Closing` or `Phase::Dying`.
    ending: usize,
    linger: Duration,
    stats: TcpStats,
    done: Vec<Done>,
}

type On<'a> = &'a mut dyn FnMut(TcpEvent<'_>);

impl SocketTcp {
    /// Takes all memory; with `at`, listens there.
    pub(crate) fn open(
        at: Option<SocketAddr>,
        limits: TcpLimits,
        driver: impl FnOnce(u32) -> Driver,
    ) -> io::Result<SocketTcp> {
        check_limits(&limits)?;
        let connections = limits.connections;
        let driver = driver(2 * u32::from(connections) + 1);
        let listener = match at {
            Some(at) => Some(Listener::open(at, driver.nonblocking())?),
            None => None,
        };
        let slot = |_| Slot::new(limits.receive_bytes as usize, limits.send_bytes as usize);
        Ok(SocketTcp {
            driver,
            listener,
            slots: (0..connections).map(slot).collect(),
            free: (0..connections).rev().collect(),
            ending: 0,
            linger: Duration::from_millis(limits.linger_ms.into()),
            stats: TcpStats::default(),
            done: Vec::with_capacity(RESULTS_MAX),
        })
    }

    /// The place of a connection that is not over.
    fn find(&self, conn: Conn) -> Option<usize> {
        let index = conn.slot();
        let slot = self.slots.get(index)?;
        let same = Conn::new(index, slot.generation) == conn;
        (same && slot.phase != Phase::Free && !slot.told).then_some(index)
    }

    fn conn(&self, index: usize) -> Conn {
        Conn::new(index, self.slots[index].generation)
    }

    fn start(&mut self, op: Op, tag: u64) {
        // SAFETY: pointers lead into a slot's buffers or boxed address, or the listener's box.
        // Those live as long as the port, which leaks them if the engine will not let go (`drop`);
        // the flags and the send queue keep the port off the parts in use.
        unsafe { self.driver.start(op, tag) };
    }

    fn start_accept(&mut self) {
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
        let fd = listener.fd.as_raw_fd();
        self.start(
            Op::Accept {
                fd,
                address,
                length,
            },
            ACCEPT,
        );
    }

    fn start_receive(&mut self, index: usize) {
        if let Some(op) = self.slots[index].receive_op() {
            self.start(op, RECEIVE | index as u64);
        }
    }

    fn start_send(&mut self, index: usize) {
        if let Some(op) = self.slots[index].send_op() {
            self.start(op, SEND | index as u64);
        }
    }

    fn end(&mut self, done: Done, on: On<'_>) -> usize {
        let index = (done.tag & 0xffff_ffff) as usize;
        match done.tag & !0xffff_ffff {
            ACCEPT => self.end_accept(done.result, on),
            CONNECT => self.end_connect(index, done.result, on),
            RECEIVE => self.end_receive(index, done.result, on),
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
        socket::tcp_no_delay(fd.as_raw_fd());
        let index = usize::from(index);
        self.slots[index].occupy(fd, Phase::Open);
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

    fn end_receive(&mut self, index: usize, result: i32, on: On<'_>) -> usize {
        let conn = self.conn(index);
        let slot = &mut self.slots[index];
        slot.receiving = false;
        if slot.phase == Phase::Dying {
            return 0;
        }
        if result < 0 {
            self.stats.resets += 1;
            self.kill(index);
            return 0;
        }
        let mut events = 0;
        if result == 0 {
            slot.peer_done = true;
            if slot.phase == Phase::Open {
                slot.told = true;
                on(TcpEvent::Closed { conn });
                self.begin_closing(index);
                events = 1;
            }
        } else {
            self.stats.bytes_in += result as u64;
            if slot.phase == Phase::Open {
                on(TcpEvent::Data {
                    conn,
                    bytes: slot.receive.first(result as usize),
                });
                events = 1;
            }
        }
        self.start_receive(index);
        events
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

    fn begin_closing(&mut self, index: usize) {
        let slot = &mut self.slots[index];
        slot.phase = Phase::Closing;
        slot.deadline = Some(Instant::now() + self.linger);
        self.ending += 1;
    }

    /// Cuts a connection: what is under way on it ends at once.
    fn kill(&mut self, index: usize) {
        let slot = &mut self.slots[index];
        if !matches!(slot.phase, Phase::Closing | Phase::Dying) {
            self.ending += 1;
        }
        slot.phase = Phase::Dying;
        socket::shutdown(slot.raw(), libc::SHUT_RDWR);
    }

    /// Carries every ending connection one step on; frees those that are through.
    fn finish_ending(&mut self, on: On<'_>) -> usize {
        let now = Instant::now();
        let mut events = 0;
        for index in 0..self.slots.len() {
            if self.slots[index].phase == Phase::Closing {
                self.step_closing(index, now);
            }
            let slot = &mut self.slots[index];
            if slot.phase != Phase::Dying || !slot.idle() {
                continue;
            }
            slot.release();
            let told = mem::replace(&mut slot.told, true);
            if !told {
                on(TcpEvent::Closed {
                    conn: self.conn(index),
                });
                events += 1;
            }
            self.free.push(index as u16);
            self.ending -= 1;
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

impl TcpPort for SocketTcp {
    fn poll(&mut self, on: &mut dyn FnMut(TcpEvent<'_>)) -> usize {
        self.start_accept();
        let mut done = mem::take(&mut self.done);
        self.driver.reap(&mut done);
        let mut events = 0;
        for result in done.drain(..) {
            events += self.end(result, on);
        }
        self.done = done;
        if self.ending > 0 {
            events += self.finish_ending(on);
        }
        events
    }

    fn connect(&mut self, to: SocketAddr) -> Result<Conn, ConnectError> {
        if self.free.is_empty() {
            return Err(ConnectError::Full);
        }
        let fd = socket::tcp_dialler(to, self.driver.nonblocking())
            .map_err(|error| ConnectError::System(error.raw_os_error().unwrap_or(libc::EIO)))?;
        let Some(index) = self.free.pop() else {
            return Err(ConnectError::Full);
        };
        let index = usize::from(index);
        let slot = &mut self.slots[index];
        slot.occupy(fd, Phase::Connecting);
        let (address, length) = socket::storage_from(to);
        *slot.address = address;
        slot.connecting = true;
        let op = Op::Connect {
            fd: slot.raw(),
            address: &raw const *slot.address,
            length,
        };
        self.stats.connections += 1;
        self.start(op, CONNECT | index as u64);
        Ok(self.conn(index))
    }

    fn send_room(&self, conn: Conn) -> usize {
        match self.find(conn).map(|index| &self.slots[index]) {
            Some(slot) if slot.phase == Phase::Open => slot.send.room(),
            _ => 0,
        }
    }

    fn send(&mut self, conn: Conn, bytes: &[u8]) -> usize {
        let Some(index) = self.find(conn) else {
            return 0;
        };
        if self.slots[index].phase != Phase::Open {
            return 0;
        }
        let taken = self.slots[index].send.push(bytes);
        self.start_send(index);
        taken
    }

    fn unsent(&self, conn: Conn) -> usize {
        self.find(conn)
            .map_or(0, |index| self.slots[index].send.len())
    }

    fn close(&mut self, conn: Conn) {
        let Some(index) = self.find(conn) else { return };
        if matches!(self.slots[index].phase, Phase::Connecting | Phase::Open) {
            self.begin_closing(index);
        }
    }

    fn flush(&mut self) {
        self.driver.flush();
    }

    fn local_addr(&self) -> Option<SocketAddr> {
        self.listener.as_ref().map(|listener| listener.local)
    }

    fn stats(&self) -> TcpStats {
        self.stats
    }

    fn mode(&self) -> &'static str {
        self.driver.mode()
    }
}

impl Listener {
    fn open(at: SocketAddr, nonblocking: bool) -> io::Result<Listener> {
        let (fd, local) = socket::tcp_listener(at, nonblocking)
            .map_err(|error| io::Error::new(error.kind(), format!("listening at {at}: {error}")))?;
        let accepted = Box::new(Accepted {
            address: socket::empty_storage(),
            length: 0,
        });
        Ok(Listener {
            fd,
            local,
            accepted,
            accepting: false,
        })
    }
}

impl Drop for SocketTcp {
    fn drop(&mut self) {
        if !self.driver.shut_down() {
            // The kernel may still write to these: losing the memory is the safe choice.
            mem::forget(mem::take(&mut self.slots));
            mem::forget(self.listener.take());
        }
    }
}

impl std::fmt::Debug for SocketTcp {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let mut out = f.debug_struct("SocketTcp");
        out.field("mode", &self.mode())
            .field("local", &self.local_addr());
        out.field("stats", &self.stats).finish_non_exhaustive()
    }
}

fn check_limits(limits: &TcpLimits) -> io::Result<()> {
    let sizes = 1..=TcpLimits::BUFFER_BYTES_MAX;
    let valid = (1..=TcpLimits::CONNECTIONS_MAX).contains(&limits.connections)
        && sizes.contains(&limits.receive_bytes)
        && sizes.contains(&limits.send_bytes);
    if valid {
        return Ok(());
    }
    let message = format!("tcp port: {limits:?} is outside 1..=1024 connections, 1..=16 MiB");
    Err(io::Error::new(io::ErrorKind::InvalidInput, message))
}
