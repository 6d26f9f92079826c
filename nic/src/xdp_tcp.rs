//! The TCP port over AF_XDP: smoltcp on frames of ours, so that a peer's bytes never touch the
//! kernel's stack. It accepts; it does not dial.
//!
//! The kernel keeps the address and goes on answering ARP and pings for it; only TCP to our port is
//! redirected. Answers go to the hardware address that the peer's SYN came from, be it the peer or
//! its router, so there is no table of neighbours and no routing. Frames that come by a queue that
//! the port does not have go to the kernel, which resets their connection: so it has all unless it
//! is told which.
//!
//! smoltcp walks every socket of a set for each packet and each turn. So each connection has a set
//! of its own, found by the peer's address, and the stack is only ever shown the set that something
//! is due for: silent connections cost active ones nothing. Timers are a row of times of which each
//! turn looks at 64.
//!
//! All memory is taken at open: a receive and a send buffer for each connection, for 128 half-open
//! ones on top, and frames: 2 MiB for each queue, and 2 MiB to send.

mod ending;
mod pace;
mod segment;
mod slot;
mod turn;
mod wire;

use std::collections::{HashMap, VecDeque};
use std::fs::File;
use std::io::{self, Read};
use std::net::{SocketAddr, SocketAddrV4};
use std::os::fd::OwnedFd;

use af_xdp::Rule;
use smoltcp::iface::{Config, Interface, SocketSet};
use smoltcp::wire::{HardwareAddress, IpCidr};

use crate::clock::{BeforeKick, Clock, FirstTouch, Stamp};
use crate::interface;
use crate::port::{Conn, ConnectError, TcpEvent, TcpLimits, TcpPort, TcpStats};
use crate::socket;
use crate::xdp::{self, FrameStats, XdpOptions, name};
use pace::instant;
use slot::{NEVER_NS, Phase, Slot};
use wire::Wire;

/// Most connections of one such port.
pub const XDP_CONNECTIONS_MAX: u16 = 4_096;
/// Connections whose peer has not answered our SYN; when one more comes the oldest is given up.
pub const HALF_OPEN_MAX: usize = 128;
/// How long a connection may be half open.
pub const HALF_OPEN_NS: u64 = 3_000_000_000;

const _: () = assert!(XDP_CONNECTIONS_MAX <= TcpLimits::CONNECTIONS_MAX);

/// The caller's function for events.
type On<'a> = &'a mut dyn FnMut(Option<Stamp<FirstTouch>>, TcpEvent<'_>);

/// A listening TCP port around the kernel. Dropping it resets its connections.
pub struct XdpTcp {
    wire: Wire,
    stack: Interface,
    clock: Box<dyn Clock + Send>,
    local: SocketAddrV4,
    limits: TcpLimits,
    slots: Vec<Slot>,
    /// When something is due for each place, whoever comes first: the stack or a deadline.
    due_ns: Vec<u64>,
    /// Where the next turn goes on looking at `due_ns`.
    due_next: usize,
    by_peer: HashMap<SocketAddrV4, u16>,
    free: Vec<u16>,
    /// In the order of their coming.
    half_open: Vec<u16>,
    /// In the order of their ending.
    parted: VecDeque<u16>,
    /// Places with something due now.
    marked: VecDeque<u16>,
    /// No socket: the stack answers what belongs to no connection with a reset.
    nobody: SocketSet<'static>,
    kicked: Option<Stamp<BeforeKick>>,
    stats: TcpStats,
    work: XdpTcpWork,
    _reservation: OwnedFd,
}

/// What a port did, counted; none of it grows with the number of silent connections.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct XdpTcpWork {
    /// Frames received.
    pub frames: u64,
    /// Frames that were no sound segment for the port, or had no place.
    pub frames_refused: u64,
    /// Times the stack was asked about one connection.
    pub looks: u64,
    /// Half-open connections given up: too many, or too old.
    pub given_up: u64,
    /// Resets that were not where the peer stood: not believed, but the peer was asked.
    pub resets_doubted: u64,
}

impl XdpTcp {
    /// Listens at `at` (port 0: the system chooses) on the interface that has this address. `clock`
    /// is what the port's timers go by.
    ///
    /// # Errors
    /// The limits are out of bounds, the interface is absent or lacks the address, the port is
    /// taken, or AF_XDP is refused; the error says which.
    pub fn open(
        at: SocketAddrV4,
        limits: TcpLimits,
        xdp: &XdpOptions,
        clock: Box<dyn Clock + Send>,
    ) -> io::Result<XdpTcp> {
        limits.check("tcp port over AF_XDP", XDP_CONNECTIONS_MAX)?;
        af_xdp::interface_index(&xdp.interface)
            .map_err(|error| of_interface(&xdp.interface, error))?;
        if !interface::has_address(&xdp.interface, *at.ip())? {
            let problem = format!("it has no address {}: `ip address` shows its own", at.ip());
            let error = io::Error::new(io::ErrorKind::AddrNotAvailable, problem);
            return Err(of_interface(&xdp.interface, error));
        }
        let (reservation, local) = socket::tcp_reservation(at)?;
        let mac = socket::hardware_address(&xdp.interface)?;
        let rule = Rule {
            mac: Some(mac),
            addresses: vec![*local.ip()],
            tcp_ports: vec![local.port()],
            ..Rule::default()
        };
        let mut wire = Wire::new(xdp::open(xdp, &rule)?, mac);
        let stack = stack(&mut wire, local, clock.now_ns())?;
        let places = usize::from(limits.connections) + HALF_OPEN_MAX;
        let bytes = (limits.receive_bytes as usize, limits.send_bytes as usize);
        Ok(XdpTcp {
            wire,
            stack,
            clock,
            local,
            limits,
            slots: (0..places)
                .map(|_| Slot::new(bytes, xdp.congestion))
                .collect(),
            due_ns: vec![NEVER_NS; places],
            due_next: 0,
            // With twice the room it tidies up in place and never grows.
            by_peer: HashMap::with_capacity(2 * places),
            free: (0..places as u16).rev().collect(),
            half_open: Vec::with_capacity(HALF_OPEN_MAX),
            parted: VecDeque::with_capacity(places),
            marked: VecDeque::with_capacity(places),
            nobody: SocketSet::new(Vec::new()),
            kicked: None,
            stats: TcpStats::default(),
            work: XdpTcpWork::default(),
            _reservation: reservation,
        })
    }

    /// The memory taken at open: buffers and frames.
    pub fn memory_bytes(&self) -> usize {
        let buffers = self.limits.receive_bytes as usize + self.limits.send_bytes as usize;
        self.slots.len() * buffers + self.wire.port.memory_bytes()
    }

    /// The queues, and how many frames came by each.
    pub fn queues(&self) -> impl Iterator<Item = (u32, u64)> {
        self.wire.port.queues()
    }

    /// What was granted, in words for an operator.
    pub fn told(&self) -> String {
        xdp::told(&self.wire.port)
    }

    /// What was done so far.
    pub fn work(&self) -> XdpTcpWork {
        self.work
    }

    /// The place of a connection that is not over.
    fn find(&self, conn: Conn) -> Option<usize> {
        let index = conn.slot();
        let slot = self.slots.get(index)?;
        let is_live = matches!(slot.phase, Phase::Open | Phase::Closing) && !slot.is_told;
        (is_live && self.conn(index) == conn).then_some(index)
    }

    fn conn(&self, index: usize) -> Conn {
        Conn::new(index, self.slots[index].generation)
    }
}

impl TcpPort for XdpTcp {
    fn poll(&mut self, on: &mut dyn FnMut(TcpEvent<'_>)) -> usize {
        self.turn(&mut |_, event| on(event))
    }

    fn poll_stamped(
        &mut self,
        on: &mut dyn FnMut(Option<Stamp<FirstTouch>>, TcpEvent<'_>),
    ) -> usize {
        self.turn(on)
    }

    /// Refused: this port only accepts.
    fn connect(&mut self, _: SocketAddr) -> Result<Conn, ConnectError> {
        Err(ConnectError::System(libc::EOPNOTSUPP))
    }

    fn send_room(&self, conn: Conn) -> usize {
        match self.find(conn).map(|index| &self.slots[index]) {
            Some(slot) if slot.phase == Phase::Open && slot.socket().may_send() => {
                slot.socket().send_capacity() - slot.socket().send_queue()
            }
            _ => 0,
        }
    }

    fn send(&mut self, conn: Conn, bytes: &[u8]) -> usize {
        let Some(index) = self.find(conn) else {
            return 0;
        };
        let slot = &mut self.slots[index];
        if slot.phase != Phase::Open {
            return 0;
        }
        let Ok(mut taken) = slot.socket_mut().send_slice(bytes) else {
            return 0;
        };
        // The buffer is a ring: what did not fit up to its end goes on at its start.
        taken += slot.socket_mut().send_slice(&bytes[taken..]).unwrap_or(0);
        slot.queued += taken;
        self.mark(index);
        taken
    }

    /// Bytes that the peer has not acknowledged.
    fn unsent(&self, conn: Conn) -> usize {
        self.find(conn)
            .map_or(0, |index| self.slots[index].socket().send_queue())
    }

    fn pause(&mut self, conn: Conn, is_paused: bool) {
        let Some(index) = self.find(conn) else { return };
        self.slots[index].is_paused = is_paused;
        if !is_paused {
            self.slots[index].is_wanted = true;
            self.mark(index);
        }
    }

    fn close(&mut self, conn: Conn) {
        let Some(index) = self.find(conn) else { return };
        if self.slots[index].phase == Phase::Open {
            self.begin_closing(index, self.clock.now_ns());
        }
    }

    fn flush(&mut self) {
        self.send_marked();
    }

    fn kicked(&self) -> Option<Stamp<BeforeKick>> {
        self.kicked
    }

    fn local_addr(&self) -> Option<SocketAddr> {
        Some(self.local.into())
    }

    fn stats(&self) -> TcpStats {
        TcpStats {
            accept_errors: self.work.given_up,
            frames: FrameStats::of(&self.wire.port, self.work.frames_refused),
            ..self.stats
        }
    }

    fn mode(&self) -> &'static str {
        name(self.wire.port.mode())
    }
}

impl Drop for XdpTcp {
    fn drop(&mut self) {
        self.reset_all();
    }
}

impl std::fmt::Debug for XdpTcp {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let mut out = f.debug_struct("XdpTcp");
        out.field("mode", &self.mode()).field("local", &self.local);
        out.field("stats", &self.stats).field("work", &self.work);
        out.finish_non_exhaustive()
    }
}

/// The stack's part that all connections share.
fn stack(wire: &mut Wire, local: SocketAddrV4, now_ns: u64) -> io::Result<Interface> {
    let mut seed = [0; 8];
    File::open("/dev/urandom")?.read_exact(&mut seed)?;
    let mut config = Config::new(HardwareAddress::Ip);
    config.random_seed = u64::from_ne_bytes(seed);
    let mut stack = Interface::new(config, &mut wire.line(None, [0; 6]), instant(now_ns));
    stack.update_ip_addrs(|addresses| {
        // The first of at least one.
        let _ = addresses.push(IpCidr::new((*local.ip()).into(), 32));
    });
    Ok(stack)
}

fn of_interface(name: &str, error: impl Into<io::Error>) -> io::Error {
    let error = error.into();
    io::Error::new(error.kind(), format!("interface {name}: {error}"))
}
