//! The redirect program against a parser that is obviously right, on random rules and on frames
//! that are nearly good. More of them: `AF_XDP_TEST_FRAMES=10000000 cargo test -p af_xdp --test
//! filter_random`.

#![allow(clippy::unwrap_used)] // helpers of tests, which the lint's own exemption misses

use std::net::Ipv4Addr;
use std::os::fd::{FromRawFd, OwnedFd};

use af_xdp::{Action, Filter, Rule};

const FRAMES: usize = 120_000;
const FRAMES_A_RULE: usize = 400;

/// A small generator (xorshift64*): the same frames in every run.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d)
    }

    fn below(&mut self, bound: usize) -> usize {
        (self.next() >> 33) as usize % bound
    }

    fn chance(&mut self, percent: usize) -> bool {
        self.below(100) < percent
    }

    fn pick<T: Copy>(&mut self, from: &[T]) -> T {
        from[self.below(from.len())]
    }
}

const PORTS: [u16; 5] = [1, 80, 5001, 0x8100, 65_535];
const MACS: [[u8; 6]; 2] = [[2, 0, 0, 0, 0, 1], [0xfe, 0xff, 0x80, 0x81, 0x82, 0x83]];

fn addresses() -> [Ipv4Addr; 3] {
    [
        Ipv4Addr::new(10, 0, 0, 1),
        Ipv4Addr::new(239, 255, 128, 7),
        Ipv4Addr::new(128, 0, 255, 255),
    ]
}

fn rule(random: &mut Random) -> Rule {
    let mut some = |from: &[u16]| from.iter().copied().filter(|_| random.chance(60)).collect();
    let (udp_ports, tcp_ports) = (some(&PORTS), some(&PORTS));
    Rule {
        everything: random.chance(3),
        vlan: random.chance(40).then(|| random.pick(&[0, 7, 4095])),
        mac: random.chance(50).then(|| random.pick(&MACS)),
        addresses: match random.below(3) {
            0 => Vec::new(),
            count => addresses()[..count].to_vec(),
        },
        udp_ports,
        tcp_ports,
        arp: random.chance(50),
    }
}

/// A frame that is good for most rules.
fn frame(random: &mut Random, rule: &Rule) -> Vec<u8> {
    let group = [1, 0, 0x5e, 0, 0, 1];
    let mac = rule.mac.unwrap_or(MACS[0]);
    let mut bytes = random.pick(&[mac, mac, MACS[1], group]).to_vec();
    bytes.extend([2, 0, 0, 0, 0, 9]);
    if let Some(id) = rule.vlan {
        let tag = id | (random.below(16) as u16) << 12;
        bytes.extend([0x81, 0]);
        bytes.extend(tag.to_be_bytes());
    }
    let target = random.pick(&addresses()).octets();
    if random.chance(20) {
        bytes.extend([8, 6, 0, 1, 8, 0, 6, 4, 0, 1]);
        bytes.extend([7; 16]);
        bytes.extend(target);
        return bytes;
    }
    bytes.extend([8, 0, 0x45, 0, 0, 40, 0, 0, 0x40, 0, 64]);
    bytes.push(random.pick(&[6, 17]));
    bytes.extend([0, 0, 10, 0, 0, 9]);
    bytes.extend(target);
    bytes.extend([0x99, 0x99]);
    bytes.extend(random.pick(&PORTS).to_be_bytes());
    bytes.extend(vec![0; 4 + random.below(40)]);
    bytes
}

/// Spoils it in some way, or not.
fn mutate(random: &mut Random, bytes: &mut Vec<u8>) {
    for _ in 0..random.below(3) {
        let at = random.below(bytes.len());
        match random.below(6) {
            0 => bytes[at] ^= 1 << random.below(8),
            1 => bytes[at] = random.next() as u8,
            2 => bytes[at] = random.pick(&[0, 1, 0x45, 0x81, 0xff]),
            3 => bytes.truncate(at.max(14)),
            4 => drop(bytes.splice(12..12, [0x81, 0, 0, 7])),
            _ => bytes[at] = bytes[at].wrapping_add(1),
        }
    }
}

/// What the rule's words mean.
fn taken(rule: &Rule, frame: &[u8]) -> Option<()> {
    let half = |at: usize| Some(u16::from_be_bytes(frame.get(at..at + 2)?.try_into().ok()?));
    let yes = |is: bool| is.then_some(());
    if rule.everything {
        return Some(());
    }
    let header = if let Some(id) = rule.vlan {
        yes(half(12)? == 0x8100 && half(14)? & 0xfff == id)?;
        18
    } else {
        14
    };
    if let Some(mac) = rule.mac {
        yes(frame[..6] == mac || frame[0] & 1 == 1)?;
    }
    let packet = frame.get(header..).filter(|packet| packet.len() >= 28)?;
    let address =
        |at: usize| Ipv4Addr::new(packet[at], packet[at + 1], packet[at + 2], packet[at + 3]);
    if half(header - 2)? == 0x0806 {
        return yes(rule.arp && rule.addresses.contains(&address(24)));
    }
    yes(half(header - 2)? == 0x0800 && packet[0] == 0x45)?;
    let fragment = half(header + 6)?;
    yes(fragment & 0x2000 == 0 && fragment & 0x1fff == 0)?;
    yes(rule.addresses.is_empty() || rule.addresses.contains(&address(16)))?;
    let port = half(header + 22)?;
    yes(match packet[9] {
        17 => rule.udp_ports.contains(&port),
        6 => rule.tcp_ports.contains(&port),
        _ => false,
    })
}

#[test]
fn the_program_means_what_the_rule_says() {
    // SAFETY: takes no pointers.
    let fd = unsafe { libc::socket(libc::AF_XDP, libc::SOCK_RAW, 0) };
    let loads = Filter::load(&Rule::default());
    if fd < 0 || loads.is_err() {
        println!("skipped: no AF_XDP socket, or no BPF: {loads:?}");
        return;
    }
    // SAFETY: new, and owned by nobody else.
    let socket = unsafe { OwnedFd::from_raw_fd(fd) };
    let wanted = std::env::var("AF_XDP_TEST_FRAMES").ok();
    let count = wanted.map_or(FRAMES, |text| text.parse().unwrap());
    let mut random = Random(0x9e37_79b9_7f4a_7c15);
    let (mut ours, mut tried) = (0, 0);
    while tried < count {
        let rule = rule(&mut random);
        let filter = Filter::load(&rule).unwrap();
        filter.set_socket(0, &socket).unwrap();
        for _ in 0..FRAMES_A_RULE {
            let mut bytes = frame(&mut random, &rule);
            mutate(&mut random, &mut bytes);
            let expected = match taken(&rule, &bytes) {
                Some(()) => Action::Redirect,
                None => Action::Pass,
            };
            ours += usize::from(expected == Action::Redirect);
            assert_eq!(
                filter.test(&bytes).unwrap(),
                expected,
                "{rule:?} {bytes:02x?}"
            );
        }
        tried += FRAMES_A_RULE;
    }
    println!("{ours} of {tried} frames taken");
    assert!(
        (tried / 5..tried * 4 / 5).contains(&ours),
        "{ours} of {tried}"
    );
}
