//! Streams: the ports' TCP, and the kernel's by sockets of the standard library.
//!
//! TCP over AF_XDP only accepts, so its peer is always a kernel socket that spins.

use std::io::{self, ErrorKind, Read, Write};
use std::net::{SocketAddr, SocketAddrV4, TcpListener, TcpStream};
use std::sync::Mutex;

use nic::netns::{VETH_NAME, VethEnd, VethPair};
use nic::{
    Conn, Net, RealClock, RealNet, SocketTcp, TcpEvent, TcpLimits, TcpPort, XdpMode, XdpOptions,
    XdpTcp,
};
use quanta::Clock;

use super::{check, message};
use crate::BenchError;
use crate::rows::cable::{mode_name, works_by};
use crate::stats::Samples;
use crate::threads::{Stop, pair};

/// How the bytes move.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Way {
    /// Over AF_XDP on the side that answers.
    Xdp(XdpMode),
    /// On both sides.
    IoUring,
    /// `read` and `write`, never blocking.
    Spinning,
}

/// One turn: so many messages there and back, each one checked.
pub fn turn(cable: &VethPair, way: Way, trips: u64, bytes: usize) -> Result<Samples, BenchError> {
    let clock = Clock::new();
    let address = Mutex::new(None);
    let here = |stop: &Stop| {
        enter(&cable.left)?;
        let to = stop.wait(|| address.lock().ok().and_then(|told| *told))?;
        let mut line = dial(stop, to, way)?;
        let mut times = Samples::new();
        for number in 1..=trips {
            let sent = message(number, bytes);
            let start = clock.raw();
            line.send(stop, &sent)?;
            let came = line.receive(stop, bytes)?;
            times.push(clock.delta_as_nanos(start, clock.raw()) * 1_000);
            check(&came, number)?;
        }
        Ok(times)
    };
    let there = |stop: &Stop| {
        enter(&cable.right)?;
        let mut line = accept(stop, &cable.right, way, &|at| {
            if let Ok(mut address) = address.lock() {
                *address = Some(at);
            }
        })?;
        for number in 1..=trips {
            let came = line.receive(stop, bytes)?;
            check(&came, number)?;
            line.send(stop, &came)?;
        }
        line.finish(stop)
    };
    pair(here, there)
}

fn enter(end: &VethEnd) -> Result<(), BenchError> {
    let entered = end.netns.enter();
    entered.map_err(|error| BenchError::failed("entering a namespace", error))
}

/// One end of a connection.
trait Line {
    /// Sends all of it.
    fn send(&mut self, stop: &Stop, bytes: &[u8]) -> Result<(), BenchError>;
    /// Waits for so many bytes, which is all there are.
    fn receive(&mut self, stop: &Stop, bytes: usize) -> Result<Vec<u8>, BenchError>;
    /// Waits until the other side closed: the last message is not to be lost with the port.
    fn finish(&mut self, stop: &Stop) -> Result<(), BenchError>;
}

fn dial(stop: &Stop, to: SocketAddr, way: Way) -> Result<Box<dyn Line>, BenchError> {
    let failed = |error: io::Error| BenchError::failed("connecting", error);
    if way == Way::IoUring {
        let mut port = uring(RealNet::new().tcp_client(TcpLimits::default()))?;
        let dialled = port.connect(to);
        dialled.map_err(|error| BenchError::failed("connecting", error))?;
        return Ok(Box::new(Ported::opened(stop, port)?));
    }
    Ok(Box::new(Spinning::of(
        TcpStream::connect(to).map_err(failed)?,
    )?))
}

/// Listens, tells where, and waits for a peer.
fn accept(
    stop: &Stop,
    end: &VethEnd,
    way: Way,
    told: &dyn Fn(SocketAddr),
) -> Result<Box<dyn Line>, BenchError> {
    let failed = |error: io::Error| BenchError::failed("listening", error);
    let at = SocketAddrV4::new(end.address, 0);
    match way {
        Way::Xdp(best) => {
            let xdp = XdpOptions::new(VETH_NAME, best);
            let clock = Box::new(RealClock::new());
            let port = XdpTcp::open(at, TcpLimits::default(), &xdp, clock).map_err(failed)?;
            works_by(port.mode(), mode_name(best))?;
            port.local_addr().map(told);
            Ok(Box::new(Ported::opened(stop, port)?))
        }
        Way::IoUring => {
            let port = uring(RealNet::new().tcp_listen(at.into(), TcpLimits::default()))?;
            port.local_addr().map(told);
            Ok(Box::new(Ported::opened(stop, port)?))
        }
        Way::Spinning => {
            let listener = TcpListener::bind(at).map_err(failed)?;
            listener.local_addr().map(told).map_err(failed)?;
            listener.set_nonblocking(true).map_err(failed)?;
            let stream = stop.wait(|| listener.accept().ok())?.0;
            Ok(Box::new(Spinning::of(stream)?))
        }
    }
}

fn uring(port: io::Result<SocketTcp>) -> Result<SocketTcp, BenchError> {
    let port = port.map_err(|error| BenchError::failed("opening a TCP port", error))?;
    works_by(port.mode(), "io_uring")?;
    Ok(port)
}

/// A kernel socket in a busy loop.
struct Spinning(TcpStream);

impl Spinning {
    fn of(stream: TcpStream) -> Result<Self, BenchError> {
        let set = stream
            .set_nodelay(true)
            .and_then(|()| stream.set_nonblocking(true));
        set.map_err(|error| BenchError::failed("a socket", error))?;
        Ok(Self(stream))
    }
}

/// What a call that may not wait came to, if to anything.
fn outcome(result: io::Result<usize>) -> Option<Result<usize, BenchError>> {
    match result {
        Ok(bytes) => Some(Ok(bytes)),
        Err(error) if error.kind() == ErrorKind::WouldBlock => None,
        Err(error) => Some(Err(BenchError::failed("a socket", error))),
    }
}

impl Line for Spinning {
    fn send(&mut self, stop: &Stop, mut bytes: &[u8]) -> Result<(), BenchError> {
        while !bytes.is_empty() {
            let sent = stop.wait(|| outcome(self.0.write(bytes)))??;
            bytes = &bytes[sent..];
        }
        Ok(())
    }

    fn receive(&mut self, stop: &Stop, bytes: usize) -> Result<Vec<u8>, BenchError> {
        let (mut came, mut at) = (vec![0; bytes], 0);
        while at < bytes {
            at += match stop.wait(|| outcome(self.0.read(&mut came[at..])))?? {
                0 => return Err(BenchError::Stopped),
                bytes => bytes,
            };
        }
        Ok(came)
    }

    fn finish(&mut self, stop: &Stop) -> Result<(), BenchError> {
        stop.wait(|| outcome(self.0.read(&mut [0])))?.map(drop)
    }
}

/// One connection of a port.
struct Ported<T: TcpPort> {
    port: T,
    conn: Conn,
    came: Vec<u8>,
    is_closed: bool,
}

impl<T: TcpPort> Ported<T> {
    /// Waits for the connection.
    fn opened(stop: &Stop, mut port: T) -> Result<Self, BenchError> {
        let (mut conn, mut came) = (None, Vec::new());
        let conn = stop.wait(|| {
            port.poll(&mut |event| match event {
                TcpEvent::Opened { conn: new, .. } => conn = Some(new),
                TcpEvent::Data { bytes, .. } => came.extend_from_slice(bytes),
                TcpEvent::Closed { .. } => {}
            });
            conn
        })?;
        Ok(Self {
            port,
            conn,
            came,
            is_closed: false,
        })
    }

    fn poll(&mut self) {
        let Self {
            port,
            came,
            is_closed,
            ..
        } = self;
        port.poll(&mut |event| match event {
            TcpEvent::Data { bytes, .. } => came.extend_from_slice(bytes),
            TcpEvent::Closed { .. } => *is_closed = true,
            TcpEvent::Opened { .. } => {}
        });
    }
}

impl<T: TcpPort> Line for Ported<T> {
    fn send(&mut self, stop: &Stop, mut bytes: &[u8]) -> Result<(), BenchError> {
        stop.wait(|| {
            bytes = &bytes[self.port.send(self.conn, bytes)..];
            self.port.flush();
            bytes.is_empty().then_some(())
        })
    }

    fn receive(&mut self, stop: &Stop, bytes: usize) -> Result<Vec<u8>, BenchError> {
        stop.wait(|| {
            self.poll();
            (self.came.len() >= bytes || self.is_closed).then_some(())
        })?;
        if self.came.len() < bytes {
            return Err(BenchError::Stopped);
        }
        Ok(std::mem::take(&mut self.came))
    }

    fn finish(&mut self, stop: &Stop) -> Result<(), BenchError> {
        stop.wait(|| {
            self.poll();
            self.is_closed.then_some(())
        })
    }
}
