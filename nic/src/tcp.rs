//! The TCP port over sockets: accepts, dials, and keeps a receive and a send under way per
//! connection.
//!
//! Each place has fixed buffers. A place is reused only when every operation on it has ended, so a
//! result can never meet the wrong connection. Nothing here looks at places where nothing happens,
//! so connections that are silent cost those that are not nothing.
//!
//! One peer is accepted a turn: a storm of dialling takes turns with the connections that are
//! there, and its rest waits in the kernel.

mod ending;
mod operations;
mod slot;

use std::io;
use std::mem;
use std::net::SocketAddr;
use std::os::fd::{AsRawFd, OwnedFd};
use std::time::Duration;

use crate::driver::{Done, Driver, Op, Purpose, RESULTS_MAX, Socket, Wants};
use crate::port::{Conn, ConnectError, TcpEvent, TcpLimits, TcpPort, TcpStats};
use crate::socket;
use crate::uring::{Effort, UringState};
use operations::CONNECT;
use slot::{Phase, Slot};

/// Where `accept` writes the peer's address.
#[derive(Debug)]
struct Accepted {
    address: libc::sockaddr_storage,
    length: libc::socklen_t,
}

#[derive(Debug)]
struct Listener {
    _fd: OwnedFd,
    on: Socket,
    local: SocketAddr,
    accepted: Box<Accepted>,
    accepting: bool,
}

/// A TCP port of the machine, over io_uring or plain sockets. Dropping it cuts its connections.
pub struct SocketTcp {
    driver: Driver,
    listener: Option<Listener>,
    slots: Vec<Slot>,
    free: Vec<u16>,
    /// Places with bytes pushed since the last flush: their sends start together, so that several
    /// messages pushed in one turn leave as one.
    dirty: Vec<u16>,
    /// Places in `Phase::Closing` or `Phase::Dying`.
    ending: Vec<u16>,
    /// Places whose peer ended its stream in the last poll: the caller hears of it in the next one,
    /// so that it can still answer the bytes that came before the end.
    ended: Vec<u16>,
    linger: Duration,
    stats: TcpStats,
    done: Vec<Done>,
}

/// The caller's function for events.
type On<'a> = &'a mut dyn FnMut(TcpEvent<'_>);

impl SocketTcp {
    /// Takes all memory; with `at`, listens there.
    pub(crate) fn open(
        at: Option<SocketAddr>,
        limits: TcpLimits,
        driver: impl FnOnce(&Wants) -> Driver,
    ) -> io::Result<SocketTcp> {
        limits.check("tcp port", TcpLimits::CONNECTIONS_MAX)?;
        let connections = limits.connections;
        socket::descriptors_for(connections)?;
        let mut driver = driver(&Wants {
            purpose: match at {
                Some(_) => Purpose::Listen,
                None => Purpose::Dial,
            },
            operations_max: 3 * u32::from(connections) + 1,
            sockets_max: u32::from(connections) + 1,
            receive_bytes: limits.receive_bytes,
        });
        let listener = match at {
            Some(at) => Some(Listener::open(at, &limits, &mut driver)?),
            None => None,
        };
        let receive_bytes = match driver.shares() {
            true => None,
            false => Some(limits.receive_bytes as usize),
        };
        let slot = |place| Slot::new(place, receive_bytes, limits.send_bytes as usize);
        Ok(SocketTcp {
            driver,
            listener,
            slots: (0..connections.into()).map(slot).collect(),
            free: (0..connections).rev().collect(),
            dirty: Vec::with_capacity(connections.into()),
            ending: Vec::with_capacity(connections.into()),
            ended: Vec::with_capacity(connections.into()),
            linger: Duration::from_millis(limits.linger_ms.into()),
            stats: TcpStats::default(),
            done: Vec::with_capacity(RESULTS_MAX),
        })
    }

    /// What io_uring was asked and granted; `None` over plain sockets.
    pub fn uring(&self) -> Option<UringState> {
        self.driver.uring()
    }

    /// The work done so far.
    pub fn effort(&self) -> Effort {
        self.driver.effort()
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
}

impl TcpPort for SocketTcp {
    fn poll(&mut self, on: &mut dyn FnMut(TcpEvent<'_>)) -> usize {
        self.start_accept();
        self.start_dirty();
        let mut events = self.tell_ended(on);
        let mut done = mem::take(&mut self.done);
        self.driver.reap(&mut done);
        for result in done.drain(..) {
            events += self.end(result, on);
        }
        self.done = done;
        if !self.ending.is_empty() {
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
        if let Err(error) = self.driver.adopt(slot.socket()) {
            slot.release();
            self.free.push(index as u16);
            return Err(ConnectError::System(
                error.raw_os_error().unwrap_or(libc::EIO),
            ));
        }
        let (address, length) = socket::storage_from(to);
        *slot.address = address;
        slot.connecting = true;
        let op = Op::Connect {
            on: slot.socket(),
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
        let slot = &mut self.slots[index];
        let taken = slot.send.push(bytes);
        if !slot.dirty {
            slot.dirty = true;
            self.dirty.push(index as u16);
        }
        taken
    }

    fn unsent(&self, conn: Conn) -> usize {
        self.find(conn)
            .map_or(0, |index| self.slots[index].send.len())
    }

    fn pause(&mut self, conn: Conn, is_paused: bool) {
        let Some(index) = self.find(conn) else { return };
        self.slots[index].paused = is_paused;
        match is_paused {
            true => self.stop_receive(index),
            false => self.start_receive(index),
        }
    }

    fn close(&mut self, conn: Conn) {
        let Some(index) = self.find(conn) else { return };
        if matches!(self.slots[index].phase, Phase::Connecting | Phase::Open) {
            self.begin_closing(index);
        }
    }

    fn flush(&mut self) {
        self.start_dirty();
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
    /// Listens at `at`, known under the place behind all connections.
    fn open(at: SocketAddr, limits: &TcpLimits, driver: &mut Driver) -> io::Result<Listener> {
        let (fd, local) = socket::tcp_listener(at, driver.nonblocking())
            .map_err(|error| io::Error::new(error.kind(), format!("listening at {at}: {error}")))?;
        let accepted = Box::new(Accepted {
            address: socket::empty_storage(),
            length: 0,
        });
        let on = Socket {
            fd: fd.as_raw_fd(),
            place: limits.connections.into(),
        };
        driver.adopt(on)?;
        Ok(Listener {
            _fd: fd,
            on,
            local,
            accepted,
            accepting: false,
        })
    }
}

impl Drop for SocketTcp {
    fn drop(&mut self) {
        if self.driver.shut_down() {
            return;
        }
        // The kernel may still write to this memory: losing it is the safe choice. The sockets
        // themselves can be closed.
        for slot in &mut self.slots {
            slot.fd = None;
        }
        mem::forget(mem::take(&mut self.slots));
        if let Some(listener) = self.listener.take() {
            mem::forget(listener.accepted);
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
