//! `roundtrip`: a message there and back between two network namespaces by each way, all in one
//! run: AF_XDP, io_uring and kernel sockets, datagrams and streams, and shared memory.
//!
//! The cable is a veth pair between two namespaces of our own, which needs root. On veth the
//! sender's system call carries the frame to the receiver, so these figures compare software only.
//! Both sides spin, each on its own processor; only the blocking socket sleeps.

mod memory;
mod tcp;
pub(super) mod udp;

use nic::XdpMode;
use nic::netns::VethPair;

use crate::calibration::Gate;
use crate::compare::{Case, Subject, interleave};
use crate::stats::Samples;
use crate::{BenchError, Options, Row};

/// The row.
pub const ROW: Row = Row {
    name: "roundtrip",
    about: "a message there and back: AF_XDP, io_uring, kernel sockets, shared memory",
    run,
};

/// Bytes of a message: an order, a reply.
const SIZES: [usize; 2] = [64, 128];

const XDP_NATIVE: &str = "AF_XDP UDP native";
const XDP_GENERIC: &str = "AF_XDP UDP generic";
const URING_UDP: &str = "io_uring UDP";
const KERNEL_UDP: &str = "kernel UDP, spinning";
const BLOCKING_UDP: &str = "kernel UDP, blocking";
const XDP_TCP_NATIVE: &str = "TCP over AF_XDP native";
const XDP_TCP_GENERIC: &str = "TCP over AF_XDP generic";
const URING_TCP: &str = "io_uring TCP";
const KERNEL_TCP: &str = "kernel TCP, spinning";
const RING: &str = "shared memory";
const LINE: &str = "bare cache line";

/// What is compared with what.
const CASES: [(&str, &[&str]); 7] = [
    (XDP_NATIVE, &[KERNEL_UDP, BLOCKING_UDP]),
    (XDP_GENERIC, &[KERNEL_UDP]),
    (URING_UDP, &[KERNEL_UDP]),
    (XDP_TCP_NATIVE, &[KERNEL_TCP]),
    (XDP_TCP_GENERIC, &[KERNEL_TCP]),
    (URING_TCP, &[KERNEL_TCP]),
    (RING, &[LINE]),
];

fn run(options: &Options) -> Result<Vec<Case>, BenchError> {
    let cable = VethPair::create().map_err(|error| BenchError::Skipped(error.to_string()))?;
    let trips = options.effort.pick(20, 5_000, 50_000) as u64;
    let gate = Gate::new(options.effort)?;
    let (cable, gate) = (&cable, &gate);
    let udp = |name, way| {
        Subject::new(name, move || {
            each(gate, |bytes| udp::turn(cable, way, trips, bytes))
        })
    };
    let tcp = |name, way| {
        Subject::new(name, move || {
            each(gate, |bytes| tcp::turn(cable, way, trips, bytes))
        })
    };
    let subjects = vec![
        udp(XDP_NATIVE, udp::Way::Xdp(XdpMode::Native)).twice(),
        udp(XDP_GENERIC, udp::Way::Xdp(XdpMode::Generic)).twice(),
        udp(URING_UDP, udp::Way::IoUring).twice(),
        udp(KERNEL_UDP, udp::Way::Spinning),
        udp(BLOCKING_UDP, udp::Way::Blocking),
        tcp(XDP_TCP_NATIVE, tcp::Way::Xdp(XdpMode::Native)).twice(),
        tcp(XDP_TCP_GENERIC, tcp::Way::Xdp(XdpMode::Generic)).twice(),
        tcp(URING_TCP, tcp::Way::IoUring).twice(),
        tcp(KERNEL_TCP, tcp::Way::Spinning),
        Subject::new(RING, move || gate.run(|| memory::turn(trips))).twice(),
        Subject::new(LINE, move || gate.run(|| memory::line(trips))),
    ];
    let measured = interleave(SIZES.len(), options.effort.rounds(), subjects)?;
    let mut cases = Vec::new();
    for (place, bytes) in SIZES.iter().enumerate() {
        for (ours, peers) in CASES {
            match measured.case(&format!("{ours}, {bytes} bytes"), place, ours, peers) {
                Ok(case) => cases.push(noted(case, gate)),
                Err(BenchError::Skipped(why)) => eprintln!("benches: skipped: {why}"),
                Err(error) => return Err(error),
            }
        }
    }
    Ok(cases)
}

/// A turn for each size.
fn each(
    gate: &Gate,
    turn: impl Fn(usize) -> Result<Samples, BenchError>,
) -> Result<Vec<Samples>, BenchError> {
    SIZES
        .iter()
        .map(|bytes| gate.run(|| turn(*bytes)))
        .collect()
}

/// The ratio of the medians is the case's; the one of the tails stands here.
fn noted(case: Case, gate: &Gate) -> Case {
    let tail = case.peers.first().map_or(String::new(), |peer| {
        let ratio = case.ours.stats.p99 / peer.stats.p99;
        format!("p99 by that of {}: {ratio:.2}; ", peer.subject)
    });
    let note = tail + &gate.note();
    case.noted(&note)
}

/// Message `number`, so many bytes, a multiple of eight.
fn message(number: u64, bytes: usize) -> Vec<u8> {
    number.to_le_bytes().repeat(bytes / 8)
}

fn check(came: &[u8], number: u64) -> Result<(), BenchError> {
    if came == message(number, came.len()) {
        return Ok(());
    }
    Err(BenchError::WrongAnswer(format!(
        "message {number} arrived as {came:x?}"
    )))
}
