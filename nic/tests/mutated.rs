//! Frames that are nearly good, thrown at a UDP port over AF_XDP by a raw socket at the other end
//! of the cable: it takes those that a strict reader takes, and no other.
//!
//! More of them: `NIC_TEST_FRAMES=10000000 cargo test --release -p nic --test mutated`.

#![allow(clippy::unwrap_used)] // helpers of tests, which the lint's own exemption misses

mod cable;

use std::net::{Ipv4Addr, SocketAddrV4};
use std::time::Instant;

use cable::raw::{Packet, sum};
use cable::{PATIENCE, Random};
use nic::netns::{VETH_NAME, VethPair};
use nic::{Net, RealNet, RealUdp, UdpOptions, UdpPort, XdpMode, XdpOptions};

const GROUP: Ipv4Addr = Ipv4Addr::new(239, 193, 7, 7);
const FRAMES: usize = 30_000;
/// Frames between two that must arrive: far fewer than the port's ring holds.
const BATCH: usize = 100;

/// Where the port is, and to whom frames go.
struct Target {
    mac: [u8; 6],
    at: SocketAddrV4,
}

impl Target {
    /// A good frame from 10.77.0.1:7, with or without a checksum.
    fn frame(&self, random: &mut Random, payload: &[u8]) -> Vec<u8> {
        let (mac, to) = match random.below(8) {
            0 => ([1, 0, 0x5e, 0x41, 7, 7], GROUP),
            _ => (self.mac, *self.at.ip()),
        };
        let udp_bytes = (8 + payload.len() as u16).to_be_bytes();
        let mut bytes = [&mac[..], &[2, 0, 10, 77, 0, 1, 8, 0, 0x45, 0]].concat();
        bytes.extend((28 + payload.len() as u16).to_be_bytes());
        bytes.extend([0, 0, 0x40, 0, 64, 17, 0, 0, 10, 77, 0, 1]);
        bytes.extend(to.octets());
        let header = !sum(&[&bytes[14..34]]);
        bytes[24..26].copy_from_slice(&header.to_be_bytes());
        bytes.extend([0, 7]);
        bytes.extend(self.at.port().to_be_bytes());
        bytes.extend(udp_bytes);
        bytes.extend([0, 0]);
        bytes.extend(payload);
        let pseudo = [&bytes[26..34], &[0, 17], &udp_bytes].concat();
        let stated = match random.below(3) {
            0 => 0,
            1 => sum(&[&pseudo]),
            _ => match !sum(&[&pseudo, &bytes[34..]]) {
                0 => 0xffff,
                sum => sum,
            },
        };
        bytes[40..42].copy_from_slice(&stated.to_be_bytes());
        bytes
    }

    /// What a strict reader takes: sender and payload.
    fn taken(&self, frame: &[u8]) -> Option<(SocketAddrV4, Vec<u8>)> {
        let half = |at: usize| u16::from_be_bytes([frame[at], frame[at + 1]]);
        let address =
            |at: usize| Ipv4Addr::new(frame[at], frame[at + 1], frame[at + 2], frame[at + 3]);
        let length = frame.len();
        let for_us = length >= 42 && (frame[..6] == self.mac || frame[0] & 1 == 1);
        if !for_us || half(12) != 0x0800 || frame[14] != 0x45 || half(20) & 0x3fff != 0 {
            return None;
        }
        let (ip_bytes, udp_bytes) = (half(16) as usize, half(38) as usize);
        let lengths = udp_bytes >= 8 && ip_bytes == 20 + udp_bytes && length >= 14 + ip_bytes;
        if frame[23] != 17 || !lengths || sum(&[&frame[14..34]]) != 0xffff {
            return None;
        }
        let to = address(30);
        if (to != *self.at.ip() && to != GROUP) || half(36) != self.at.port() {
            return None;
        }
        let (udp, stated) = (&frame[34..34 + udp_bytes], half(40));
        let pseudo = [&frame[26..34], &[0, 17], &frame[38..40]].concat();
        let unfinished = stated == sum(&[&pseudo]);
        let right = stated == 0 || unfinished || sum(&[&pseudo, udp]) == 0xffff;
        right.then(|| (SocketAddrV4::new(address(26), half(34)), udp[8..].to_vec()))
    }
}

/// Spoils it in some way, or not.
fn mutate(random: &mut Random, bytes: &mut Vec<u8>) {
    for _ in 0..random.below(4) {
        let at = random.below(bytes.len());
        match random.below(7) {
            0 | 1 => bytes[at] ^= 1 << random.below(8),
            2 => bytes[at] = random.next() as u8,
            3 => bytes.truncate(at.max(14)),
            4 => bytes.extend(vec![0xee; random.below(40)]),
            5 => drop(bytes.splice(12..12, [0x81, 0, 0, 7])),
            // A changed header whose sum is right again gets further.
            _ if bytes.len() >= 34 => {
                bytes[14 + at % 20] ^= 1 << random.below(8);
                bytes[24..26].fill(0);
                let header = !sum(&[&bytes[14..34]]);
                bytes[24..26].copy_from_slice(&header.to_be_bytes());
            }
            _ => {}
        }
    }
}

/// The port under fire, or `None` with the reason printed.
fn port(pair: &VethPair, best: XdpMode) -> Option<RealUdp> {
    let options = UdpOptions {
        local: SocketAddrV4::new(pair.right.address, 0),
        groups: vec![GROUP],
        interface: pair.right.address,
        xdp: Some(XdpOptions::new(VETH_NAME, best)),
    };
    let port = pair.right.netns.run(|| RealNet::new().udp(&options));
    let port = port.unwrap().unwrap();
    if !port.mode().starts_with("xdp") {
        println!("skipped: {} instead of AF_XDP", port.mode());
        return None;
    }
    Some(port)
}

fn under_fire(best: XdpMode) {
    let pair = match VethPair::create() {
        Ok(pair) => pair,
        Err(error) => return println!("skipped: {error}"),
    };
    let Some(mut port) = port(&pair, best) else {
        return;
    };
    let wanted = std::env::var("NIC_TEST_FRAMES").ok();
    let count = wanted.map_or(FRAMES, |text| text.parse().unwrap());
    let target = Target {
        mac: pair.right.mac,
        at: port.local_addr(),
    };
    let open = || Packet::open(VETH_NAME, false);
    let injector = pair.left.netns.run(open).unwrap();
    let mut random = Random(0x9e37_79b9_7f4a_7c15);
    let (mut taken, mut sent) = (0, 0usize);
    while sent < count {
        let mut expected = Vec::new();
        for _ in 0..BATCH {
            let payload = vec![sent as u8; random.below(60)];
            let mut bytes = target.frame(&mut random, &payload);
            mutate(&mut random, &mut bytes);
            expected.extend(target.taken(&bytes));
            assert!(injector.send(&bytes));
            sent += 1;
        }
        taken += expected.len();
        let last = target.frame(&mut random, &sent.to_le_bytes());
        expected.extend(target.taken(&last));
        assert!(injector.send(&last));
        let mut got = Vec::new();
        let start = Instant::now();
        while got.last() != expected.last() {
            assert!(start.elapsed() < PATIENCE, "{:?}", port.stats());
            port.poll(&mut |from, payload| got.push((from, payload.to_vec())));
        }
        assert_eq!(got, expected, "after {sent} frames");
    }
    println!(
        "{best:?}: {taken} of {sent} frames taken, {:?}",
        port.stats()
    );
    assert!(
        (sent / 5..sent * 4 / 5).contains(&taken),
        "{taken} of {sent}"
    );
    assert_eq!(port.stats().dropped, 0);
}

#[test]
fn generic_mode_takes_the_good_ones_only() {
    under_fire(XdpMode::Generic);
}

#[test]
fn native_mode_takes_the_good_ones_only() {
    under_fire(XdpMode::Native);
}
