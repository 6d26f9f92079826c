//! `roundtrip`: a datagram there and back between two threads, by each way the ports know, against
//! a kernel socket in a busy loop.
//!
//! The cable is a veth pair between two network namespaces of our own, which needs root; loopback
//! does for the ways through the kernel. On veth the sender's system call carries the frame to the
//! receiver, so these figures compare software only.

use std::io;
use std::net::{Ipv4Addr, SocketAddrV4, UdpSocket};
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};

use nic::netns::{VETH_NAME, VethEnd, VethPair};
use nic::{Net, RealNet, SendError, UdpOptions, UdpPort, UdpStats, XdpMode, XdpOptions};
use quanta::Clock;

use crate::compare::{Case, Subject, compare};
use crate::stats::Samples;
use crate::threads::{Stop, pair};
use crate::{BenchError, Options, Row};

/// The row.
pub const ROW: Row = Row {
    name: "roundtrip",
    about: "a UDP datagram there and back: AF_XDP, io_uring, a kernel socket in a busy loop",
    run,
};

/// Bytes of a datagram: about one order.
const DATAGRAM_BYTES: usize = 64;

/// How datagrams move.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Way {
    Xdp(XdpMode),
    IoUring,
    /// The peer: `recv_from` and `send_to` of the standard library, never blocking.
    Kernel,
}

/// Where a port is opened: an end of the cable, with the other end; none is loopback.
type Place<'a> = Option<(&'a VethEnd, &'a VethEnd)>;

fn run(options: &Options) -> Result<Vec<Case>, BenchError> {
    let trips = options.effort.pick(20, 10_000, 100_000) as u64;
    let rounds = options.effort.rounds();
    let mut cases = Vec::new();
    let mut case = |name: &str, cable: Option<&VethPair>, way: Way| {
        let subjects = vec![
            Subject::new("ours", move || turn(cable, way, trips)),
            Subject::new("kernel socket, busy loop", move || {
                turn(cable, Way::Kernel, trips)
            }),
        ];
        match compare(&[name], rounds, subjects) {
            Ok(found) => cases.extend(found),
            Err(BenchError::Skipped(why)) => eprintln!("benches: {name}: skipped: {why}"),
            Err(error) => return Err(error),
        }
        Ok(())
    };
    case("loopback, io_uring", None, Way::IoUring)?;
    match VethPair::create() {
        Err(error) => eprintln!("benches: veth: skipped: {error}"),
        Ok(cable) => {
            case(
                "veth, AF_XDP native",
                Some(&cable),
                Way::Xdp(XdpMode::Native),
            )?;
            case(
                "veth, AF_XDP generic",
                Some(&cable),
                Way::Xdp(XdpMode::Generic),
            )?;
            case("veth, io_uring", Some(&cable), Way::IoUring)?;
        }
    }
    if cases.is_empty() {
        return Err(BenchError::Skipped(
            "no way works here; the reasons are above".to_string(),
        ));
    }
    Ok(cases)
}

/// One turn: so many datagrams there and back, each one checked.
fn turn(cable: Option<&VethPair>, way: Way, trips: u64) -> Result<Vec<Samples>, BenchError> {
    let clock = Clock::new();
    let left = cable.map(|cable| (&cable.left, &cable.right));
    let right = cable.map(|cable| (&cable.right, &cable.left));
    let addresses = [Mutex::new(None), Mutex::new(None)];
    let is_done = AtomicBool::new(false);
    let here = |stop: &Stop| {
        let mut port = open(left, way)?;
        let to = meet(stop, &addresses[0], &addresses[1], port.local_addr())?;
        let mut times = Samples::new();
        for number in 1..=trips {
            let start = clock.raw();
            send(stop, &mut *port, to, &datagram(number))?;
            let (_, bytes) = receive(stop, &mut *port)?;
            times.push(clock.delta_as_nanos(start, clock.raw()) * 1_000);
            check(&bytes, number)?;
        }
        // Relaxed: only ends the other side's loop.
        is_done.store(true, Ordering::Relaxed);
        Ok(vec![times])
    };
    let there = |stop: &Stop| {
        let mut port = open(right, way)?;
        meet(stop, &addresses[1], &addresses[0], port.local_addr())?;
        for number in 1..=trips {
            let (from, bytes) = receive(stop, &mut *port)?;
            check(&bytes, number)?;
            send(stop, &mut *port, from, &bytes)?;
        }
        // The last answer may still be on its way out of the port.
        stop.wait(|| {
            port.poll(&mut |_, _| ());
            is_done.load(Ordering::Relaxed).then_some(())
        })
    };
    pair(here, there)
}

/// Opens a port on the calling thread, which moves to the place's namespace for good.
fn open(place: Place<'_>, way: Way) -> Result<Box<dyn UdpPort>, BenchError> {
    let failed = |error: io::Error| BenchError::failed("opening a UDP port", error);
    let address = place.map_or(Ipv4Addr::LOCALHOST, |(end, _)| end.address);
    let local = SocketAddrV4::new(address, 0);
    if let Some((end, _)) = place {
        end.netns.enter().map_err(failed)?;
    }
    let mut options = UdpOptions::new(local);
    match (way, place) {
        (Way::Kernel, _) => return Ok(Box::new(KernelPort::open(local).map_err(failed)?)),
        (Way::Xdp(best), Some((_, other))) => {
            let neighbours = vec![(other.address, other.mac)];
            options.xdp = Some(XdpOptions {
                neighbours,
                ..XdpOptions::new(VETH_NAME, best)
            });
        }
        _ => {}
    }
    let port = RealNet::new().udp(&options).map_err(failed)?;
    let wanted = match way {
        Way::Xdp(XdpMode::Native) => "native",
        Way::Xdp(_) => "generic",
        _ => "io_uring",
    };
    if !port.mode().contains(wanted) {
        let why = format!("the port works by {} here, not {wanted}", port.mode());
        return Err(BenchError::Skipped(why));
    }
    Ok(Box::new(port))
}

/// Tells the other side an address and waits for its own.
fn meet(
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

fn datagram(number: u64) -> Vec<u8> {
    number.to_le_bytes().repeat(DATAGRAM_BYTES / 8)
}

fn check(bytes: &[u8], number: u64) -> Result<(), BenchError> {
    if bytes == datagram(number) {
        return Ok(());
    }
    Err(BenchError::WrongAnswer(format!(
        "datagram {number} arrived as {bytes:x?}"
    )))
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

fn receive(stop: &Stop, port: &mut dyn UdpPort) -> Result<(SocketAddrV4, Vec<u8>), BenchError> {
    let mut got = None;
    stop.wait(|| {
        port.poll(&mut |from, bytes| got = Some((from, bytes.to_vec())));
        got.take()
    })
}

/// A kernel socket in a busy loop.
struct KernelPort {
    socket: UdpSocket,
    local: SocketAddrV4,
    buffer: [u8; 2_048],
}

impl KernelPort {
    fn open(at: SocketAddrV4) -> io::Result<Self> {
        let socket = UdpSocket::bind(at)?;
        socket.set_nonblocking(true)?;
        let local = SocketAddrV4::new(*at.ip(), socket.local_addr()?.port());
        Ok(Self {
            socket,
            local,
            buffer: [0; 2_048],
        })
    }
}

impl UdpPort for KernelPort {
    fn poll(&mut self, on: &mut dyn FnMut(SocketAddrV4, &[u8])) -> usize {
        match self.socket.recv_from(&mut self.buffer) {
            Ok((bytes, std::net::SocketAddr::V4(from))) => {
                on(from, &self.buffer[..bytes]);
                1
            }
            _ => 0,
        }
    }

    fn send(&mut self, to: SocketAddrV4, payload: &[u8]) -> Result<(), SendError> {
        self.socket
            .send_to(payload, to)
            .map(drop)
            .map_err(|_| SendError::Full)
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
