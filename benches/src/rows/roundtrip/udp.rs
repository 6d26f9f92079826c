//! Datagrams by the ports and by sockets of the standard library.

use std::io;
use std::net::{SocketAddr, SocketAddrV4, UdpSocket};
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use nic::netns::{VETH_NAME, VethEnd, VethPair};
use nic::{Net, RealNet, SendError, UdpOptions, UdpPort, UdpStats, XdpMode, XdpOptions};
use quanta::Clock;

use super::{check, message};
use crate::BenchError;
use crate::rows::cable::{mode_name, works_by};
use crate::stats::Samples;
use crate::threads::{Stop, pair};

/// How datagrams move.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Way {
    Xdp(XdpMode),
    IoUring,
    /// `recv` and `send`, never blocking.
    Spinning,
    /// `recv` and `send`, which wait in the kernel.
    Blocking,
}

/// How long a blocking socket waits in one call.
const BLOCKED_MAX: Duration = Duration::from_millis(4);

/// A datagram that is not answered for so long is taken for lost and sent again: nothing else
/// would ever do it. The first sending counts for its time, so it shows as the maximum.
const ANSWER_MAX: Duration = Duration::from_secs(1);
/// Looks in vain between two looks at the clock.
const LOOKS: u32 = 1 << 10;

/// One turn: so many datagrams there and back, each one checked.
pub fn turn(cable: &VethPair, way: Way, trips: u64, bytes: usize) -> Result<Samples, BenchError> {
    let clock = Clock::new();
    let (left, right) = ((&cable.left, &cable.right), (&cable.right, &cable.left));
    let addresses = [Mutex::new(None), Mutex::new(None)];
    let is_done = AtomicBool::new(false);
    let here = |stop: &Stop| {
        let mut port = open(left, way)?;
        let to = meet(stop, &addresses[0], &addresses[1], port.local_addr())?;
        let mut times = Samples::new();
        for number in 1..=trips {
            let sent = message(number, bytes);
            let before = message(number - 1, bytes);
            let start = clock.raw();
            let came = ask(stop, &mut *port, (to, &sent), &before)?;
            times.push(clock.delta_as_nanos(start, clock.raw()) * 1_000);
            check(&came, number)?;
        }
        // Relaxed: only ends the other side's loop.
        is_done.store(true, Ordering::Relaxed);
        Ok(times)
    };
    let there = |stop: &Stop| {
        let mut port = open(right, way)?;
        meet(stop, &addresses[1], &addresses[0], port.local_addr())?;
        let mut last = 0_u64;
        loop {
            let is_over = || is_done.load(Ordering::Relaxed);
            let came = stop.wait(|| match look(&mut *port) {
                None if is_over() => Some(None),
                came => came.map(Some),
            })?;
            let Some((from, bytes)) = came else {
                return Ok(());
            };
            // The last one comes again when its answer was lost or late.
            if !bytes.starts_with(&last.to_le_bytes()) {
                last += 1;
                check(&bytes, last)?;
            }
            send(stop, &mut *port, from, &bytes)?;
        }
    };
    pair(here, there)
}

/// Opens a port at the first of two ends, on the calling thread, which moves there for good.
pub fn open((end, other): (&VethEnd, &VethEnd), way: Way) -> Result<Box<dyn UdpPort>, BenchError> {
    let failed = |error: io::Error| BenchError::failed("opening a UDP port", error);
    let local = SocketAddrV4::new(end.address, 0);
    end.netns.enter().map_err(failed)?;
    let mut options = UdpOptions::new(local);
    let wanted = match way {
        Way::Spinning => return Ok(Box::new(KernelPort::open(local, None).map_err(failed)?)),
        Way::Blocking => {
            let port = KernelPort::open(local, Some(BLOCKED_MAX));
            return Ok(Box::new(port.map_err(failed)?));
        }
        Way::Xdp(best) => {
            options.xdp = Some(XdpOptions {
                worst: Some(best),
                neighbours: vec![(other.address, other.mac)],
                ..XdpOptions::new(VETH_NAME, best)
            });
            mode_name(best)
        }
        Way::IoUring => "io_uring",
    };
    let port = RealNet::new().udp(&options).map_err(failed)?;
    works_by(port.mode(), wanted)?;
    Ok(Box::new(port))
}

/// Tells the other side an address and waits for its own.
pub fn meet(
    stop: &Stop,
    mine: &Mutex<Option<SocketAddrV4>>,
    other: &Mutex<Option<SocketAddrV4>>,
    address: SocketAddrV4,
) -> Result<SocketAddrV4, BenchError> {
    if let Ok(mut mine) = mine.lock() {
        *mine = Some(address);
    }
    stop.wait(|| other.lock().ok().and_then(|other| *other))
}

fn send(
    stop: &Stop,
    port: &mut dyn UdpPort,
    to: SocketAddrV4,
    bytes: &[u8],
) -> Result<(), BenchError> {
    stop.wait(|| match port.send(to, bytes) {
        Err(SendError::Full) => {
            port.flush();
            None
        }
        result => Some(result),
    })?
    .map_err(|error| BenchError::failed("sending", error))?;
    port.flush();
    Ok(())
}

/// Sends until something comes that is not `before`, the answer to the last message but late.
fn ask(
    stop: &Stop,
    port: &mut dyn UdpPort,
    (to, sent): (SocketAddrV4, &[u8]),
    before: &[u8],
) -> Result<Vec<u8>, BenchError> {
    loop {
        send(stop, port, to, sent)?;
        let since = Instant::now();
        let mut looks = 0_u32;
        let answer = stop.wait(|| {
            if let Some((_, came)) = look(port)
                && came != before
            {
                return Some(Some(came));
            }
            looks = looks.wrapping_add(1);
            let is_time = looks.is_multiple_of(LOOKS) && since.elapsed() > ANSWER_MAX;
            is_time.then_some(None)
        })?;
        match answer {
            Some(answer) => return Ok(answer),
            None => eprintln!("benches: a datagram was not answered for {ANSWER_MAX:?}: again"),
        }
    }
}

/// What came, if something did.
fn look(port: &mut dyn UdpPort) -> Option<(SocketAddrV4, Vec<u8>)> {
    let mut came = None;
    port.poll(&mut |from, bytes| came = Some((from, bytes.to_vec())));
    came
}

/// A kernel socket, connected to the first peer that it sends to: that spares the kernel a search
/// for the way each time.
struct KernelPort {
    socket: UdpSocket,
    local: SocketAddrV4,
    peer: Option<SocketAddrV4>,
    buffer: [u8; 2_048],
}

impl KernelPort {
    /// Never waits, or so long at most.
    fn open(at: SocketAddrV4, patience: Option<Duration>) -> io::Result<Self> {
        let socket = UdpSocket::bind(at)?;
        socket.set_nonblocking(patience.is_none())?;
        socket.set_read_timeout(patience)?;
        let local = SocketAddrV4::new(*at.ip(), socket.local_addr()?.port());
        Ok(Self {
            socket,
            local,
            peer: None,
            buffer: [0; 2_048],
        })
    }
}

impl UdpPort for KernelPort {
    fn poll(&mut self, on: &mut dyn FnMut(SocketAddrV4, &[u8])) -> usize {
        let came = match self.peer {
            Some(peer) => self
                .socket
                .recv(&mut self.buffer)
                .map(|bytes| (bytes, peer.into())),
            None => self.socket.recv_from(&mut self.buffer),
        };
        match came {
            Ok((bytes, SocketAddr::V4(from))) => {
                on(from, &self.buffer[..bytes]);
                1
            }
            _ => 0,
        }
    }

    fn send(&mut self, to: SocketAddrV4, payload: &[u8]) -> Result<(), SendError> {
        if self.peer != Some(to) {
            self.socket
                .connect(to)
                .map_err(|_| SendError::NoNeighbour)?;
            self.peer = Some(to);
        }
        let sent = self.socket.send(payload);
        sent.map(drop).map_err(|_| SendError::Full)
    }

    fn flush(&mut self) {}

    fn mode(&self) -> &'static str {
        "kernel"
    }

    fn local_addr(&self) -> SocketAddrV4 {
        self.local
    }

    fn stats(&self) -> UdpStats {
        UdpStats::default()
    }
}
