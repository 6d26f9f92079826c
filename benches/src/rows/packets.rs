//! `packets`: how many datagrams a second pass from one namespace to another, one thread on each
//! side: AF_XDP at both ends against kernel sockets with `sendmmsg` and `recvmmsg`.
//!
//! The sender goes as fast as it can, 64 datagrams at a time; the receiver counts and checks what
//! comes. What the receiver has no room for is lost, as on any wire, and stated: figures are of
//! datagrams that arrived. On veth the sender's system call carries a datagram to the receiver's
//! memory, so this compares software only, and the sender is what limits both.

use std::cell::Cell;
use std::net::SocketAddrV4;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};

use nic::netns::VethPair;
use nic::{SendError, UdpPort, XdpMode};
use quanta::Clock;

use super::roundtrip::udp::{Way, meet, open};
use crate::calibration::Gate;
use crate::compare::{Case, Subject, interleave};
use crate::peers::batches::{BATCH, Batches, Buffers, DATAGRAM_BYTES};
use crate::stats::Samples;
use crate::threads::{Stop, pair};
use crate::{BenchError, Options, Row};

/// The row.
pub const ROW: Row = Row {
    name: "packets",
    about: "datagrams a second between two namespaces: AF_XDP, io_uring, sendmmsg and recvmmsg",
    run,
};

const XDP_NATIVE: &str = "AF_XDP native";
const XDP_GENERIC: &str = "AF_XDP generic";
const URING: &str = "io_uring";
const KERNEL: &str = "sendmmsg, recvmmsg";
const WAYS: [(&str, Option<Way>); 4] = [
    (XDP_NATIVE, Some(Way::Xdp(XdpMode::Native))),
    (XDP_GENERIC, Some(Way::Xdp(XdpMode::Generic))),
    (URING, Some(Way::IoUring)),
    (KERNEL, None),
];

/// Datagrams of one sample.
const GROUP: u64 = 1_024;
/// Number of the datagram that says that no more come.
const END: u64 = u64::MAX;

/// What was sent and what arrived of it, in all turns of one way.
#[derive(Clone, Copy, Default)]
struct Count {
    sent: u64,
    received: u64,
    ns: u64,
}

fn run(options: &Options) -> Result<Vec<Case>, BenchError> {
    let cable = VethPair::create().map_err(|error| BenchError::Skipped(error.to_string()))?;
    let datagrams = options.effort.pick(8_192, 100_000, 500_000) as u64;
    let gate = Gate::new(options.effort)?;
    let counts = [const {
        Cell::new(Count {
            sent: 0,
            received: 0,
            ns: 0,
        })
    }; WAYS.len()];
    let subject = |(place, (name, way)): (usize, &(&'static str, Option<Way>))| {
        let (cable, gate, way, count) = (&cable, &gate, *way, &counts[place]);
        let subject = Subject::new(name, move || {
            let (times, new) = gate.run(|| turn(cable, way, datagrams))?;
            let all = count.get();
            count.set(Count {
                sent: all.sent + new.sent,
                received: all.received + new.received,
                ns: all.ns + new.ns,
            });
            Ok(vec![times])
        });
        if matches!(way, Some(Way::Xdp(_))) {
            return subject.twice();
        }
        subject
    };
    let subjects = WAYS.iter().enumerate().map(subject).collect();
    let measured = interleave(1, options.effort.rounds(), subjects)?;
    let mut note = String::from("arrived a second, and lost of those sent:");
    for ((name, _), count) in WAYS.iter().zip(&counts) {
        note.push_str(&told(name, count.get()));
    }
    let note = format!("{note}\n  {}", gate.note());
    let mut cases = Vec::new();
    for ours in [XDP_NATIVE, XDP_GENERIC, URING] {
        let name = format!("{ours}, {DATAGRAM_BYTES} bytes, per datagram");
        match measured.case(&name, 0, ours, &[KERNEL]) {
            Ok(case) => cases.push(case.noted(&note)),
            Err(BenchError::Skipped(why)) => eprintln!("benches: skipped: {why}"),
            Err(error) => return Err(error),
        }
    }
    Ok(cases)
}

fn told(name: &str, count: Count) -> String {
    let rate = count.received as f64 * 1e3 / count.ns.max(1) as f64;
    let lost = (count.sent - count.received) as f64 / count.sent.max(1) as f64;
    format!(
        "\n    {name:<20}{rate:>8.3} M/s{:>8.2} % lost",
        lost * 100.0
    )
}

/// One turn: so many datagrams one way.
fn turn(
    cable: &VethPair,
    way: Option<Way>,
    datagrams: u64,
) -> Result<(Samples, Count), BenchError> {
    let (left, right) = ((&cable.left, &cable.right), (&cable.right, &cable.left));
    let addresses = [Mutex::new(None), Mutex::new(None)];
    let is_done = AtomicBool::new(false);
    let here = |stop: &Stop| {
        let mut arrivals = Arrivals::new();
        let socket = ends(left, way)?;
        meet(stop, &addresses[0], &addresses[1], socket.local_addr()?)?;
        match socket {
            Ends::Port(mut port) => stop.wait(|| {
                port.poll(&mut |_, bytes| arrivals.take(bytes));
                arrivals.is_ended.then_some(())
            })?,
            Ends::Kernel(socket) => {
                let mut buffers = [[0; DATAGRAM_BYTES]; BATCH];
                stop.wait(|| match socket.receive(&mut buffers) {
                    Ok((count, lengths)) => {
                        let came = buffers.iter().zip(lengths).take(count);
                        came.for_each(|(bytes, length)| arrivals.take(&bytes[..length]));
                        arrivals.is_ended.then_some(Ok(()))
                    }
                    Err(error) => Some(Err(BenchError::failed("receiving", error))),
                })??;
            }
        }
        // Relaxed: only ends the other side's loop.
        is_done.store(true, Ordering::Relaxed);
        arrivals.result(datagrams)
    };
    let there = |stop: &Stop| {
        let socket = ends(right, way)?;
        let local = socket.local_addr()?;
        let to = meet(stop, &addresses[1], &addresses[0], local)?;
        let mut sender = Sender::new(socket, to)?;
        let mut next = 1;
        while next <= datagrams {
            let count = (datagrams + 1 - next).min(BATCH as u64);
            sender.send(stop, next, count as usize)?;
            next += count;
        }
        // Until one of them arrives: the last datagrams may be among the lost.
        while !is_done.load(Ordering::Relaxed) {
            sender.send(stop, END, 1)?;
        }
        Ok(())
    };
    pair(here, there)
}

/// A socket of one of the ways.
enum Ends {
    Port(Box<dyn UdpPort>),
    Kernel(Batches),
}

fn ends(
    place: (&nic::netns::VethEnd, &nic::netns::VethEnd),
    way: Option<Way>,
) -> Result<Ends, BenchError> {
    let Some(way) = way else {
        let failed = |error| BenchError::failed("opening a socket", error);
        place.0.netns.enter().map_err(failed)?;
        let at = SocketAddrV4::new(place.0.address, 0);
        return Ok(Ends::Kernel(Batches::open(at).map_err(failed)?));
    };
    open(place, way).map(Ends::Port)
}

impl Ends {
    fn local_addr(&self) -> Result<SocketAddrV4, BenchError> {
        let socket = match self {
            Self::Port(port) => return Ok(port.local_addr()),
            Self::Kernel(batches) => batches.socket(),
        };
        match socket.local_addr() {
            Ok(std::net::SocketAddr::V4(at)) => Ok(at),
            _ => Err(BenchError::Failed("a socket without address".to_string())),
        }
    }
}

struct Sender {
    socket: Ends,
    to: SocketAddrV4,
    buffers: Buffers,
}

impl Sender {
    fn new(socket: Ends, to: SocketAddrV4) -> Result<Self, BenchError> {
        if let Ends::Kernel(batches) = &socket {
            let connected = batches.socket().connect(to);
            connected.map_err(|error| BenchError::failed("connecting", error))?;
        }
        Ok(Self {
            socket,
            to,
            buffers: [[0; DATAGRAM_BYTES]; BATCH],
        })
    }

    /// Sends `count` datagrams, numbered from `first` on.
    fn send(&mut self, stop: &Stop, first: u64, count: usize) -> Result<(), BenchError> {
        let Self {
            socket,
            to,
            buffers,
        } = self;
        for (number, buffer) in (first..=END).zip(&mut buffers[..count]) {
            fill(buffer, number);
        }
        let mut sent = 0;
        match socket {
            Ends::Port(port) => {
                while sent < count {
                    match port.send(*to, &buffers[sent]) {
                        Ok(()) => sent += 1,
                        Err(SendError::Full) => stop.wait(|| {
                            port.flush();
                            port.poll(&mut |_, _| ());
                            Some(())
                        })?,
                        Err(error) => return Err(BenchError::failed("sending", error)),
                    }
                }
                port.flush();
            }
            Ends::Kernel(batches) => {
                while sent < count {
                    let taken = batches.send(&mut buffers[sent..count]);
                    sent += taken.map_err(|error| BenchError::failed("sending", error))?;
                }
            }
        }
        Ok(())
    }
}

/// A datagram says its number in each word.
fn fill(buffer: &mut [u8; DATAGRAM_BYTES], number: u64) {
    let words = buffer.as_chunks_mut::<8>().0;
    words
        .iter_mut()
        .for_each(|word| *word = number.to_le_bytes());
}

/// What arrived, counted and checked.
struct Arrivals {
    clock: Clock,
    last: u64,
    received: u64,
    times: Samples,
    /// When the first datagram came, the current group began, and the last datagram came.
    first: Option<u64>,
    since: u64,
    until: u64,
    wrong: Option<String>,
    is_ended: bool,
}

impl Arrivals {
    fn new() -> Self {
        Self {
            clock: Clock::new(),
            last: 0,
            received: 0,
            times: Samples::new(),
            first: None,
            since: 0,
            until: 0,
            wrong: None,
            is_ended: false,
        }
    }

    fn take(&mut self, bytes: &[u8]) {
        let Some((number, words)) = bytes.as_chunks::<8>().0.split_first() else {
            self.wrong = Some("an empty datagram".to_string());
            return;
        };
        let is_whole = bytes.len() == DATAGRAM_BYTES && words.iter().all(|word| word == number);
        let number = u64::from_le_bytes(*number);
        if !is_whole || (number != END && number <= self.last) {
            self.wrong = Some(format!("{bytes:x?} came after {}", self.last));
            return;
        }
        if number == END {
            self.is_ended = true;
            return;
        }
        self.last = number;
        if self.first.is_none() {
            self.since = self.clock.raw();
            self.first = Some(self.since);
        } else if self.received.is_multiple_of(GROUP) {
            let now = self.clock.raw();
            let ns = self.clock.delta_as_nanos(self.since, now);
            self.times.push(ns * 1_000 / GROUP);
            (self.since, self.until) = (now, now);
        }
        self.received += 1;
    }

    /// The samples, and the count of the groups that are in them.
    fn result(self, sent: u64) -> Result<(Samples, Count), BenchError> {
        if let Some(what) = self.wrong {
            return Err(BenchError::WrongAnswer(what));
        }
        let first = self.first.unwrap_or(0);
        let ns = self.clock.delta_as_nanos(first, self.until);
        let timed = self.times.len() as u64 * GROUP;
        let count = Count {
            sent,
            received: self.received,
            // As if those behind the last group had come at its pace.
            ns: ns * self.received / timed.max(1),
        };
        Ok((self.times, count))
    }
}
