//! The redirect program, loaded into the kernel and run on a table of frames, without an interface.
//! Skipped, with the reason printed, where the kernel or the rights are missing.

#![allow(clippy::unwrap_used)] // helpers of tests, which the lint's own exemption misses

use std::net::Ipv4Addr;
use std::os::fd::{FromRawFd, OwnedFd};

use af_xdp::{Action, Filter, LoadOptions, Rule};

const PORT: u16 = 5001;
/// To whom the frames below go.
const MAC: [u8; 6] = [0x82, 0x9a, 0xbc, 0xde, 0xf0, 0x02];
const ADDRESS: Ipv4Addr = Ipv4Addr::new(10, 200, 0, 2);

use Action::{Pass, Redirect};

/// Ethernet, IPv4, UDP to `port`, with `payload` behind.
fn frame(port: u16, payload: &[u8]) -> Vec<u8> {
    let mut bytes = [&MAC[..], &[2, 0, 0, 0, 0, 1, 0x08, 0x00]].concat();
    let length = (28 + payload.len()) as u16;
    bytes.extend([0x45, 0]);
    bytes.extend(length.to_be_bytes());
    bytes.extend([0, 0, 0x40, 0, 64, 17, 0, 0, 10, 77, 0, 1]);
    bytes.extend(ADDRESS.octets());
    bytes.extend(40_000u16.to_be_bytes());
    bytes.extend(port.to_be_bytes());
    bytes.extend((8 + payload.len() as u16).to_be_bytes());
    bytes.extend([0, 0]);
    bytes.extend(payload);
    bytes
}

/// A good frame with some bytes changed.
fn changed(changes: &[(usize, u8)]) -> Vec<u8> {
    let mut bytes = frame(PORT, b"payload");
    changes.iter().for_each(|&(at, value)| bytes[at] = value);
    bytes
}

/// A good frame with bytes put in.
fn with(at: usize, extra: &[u8]) -> Vec<u8> {
    let mut bytes = frame(PORT, b"payload");
    bytes.splice(at..at, extra.iter().copied());
    bytes
}

/// An ARP request for `target`.
fn arp(target: Ipv4Addr) -> Vec<u8> {
    let mut bytes = [&[0xff; 6][..], &[2, 0, 0, 0, 0, 1, 0x08, 0x06]].concat();
    bytes.extend([0, 1, 8, 0, 6, 4, 0, 1, 2, 0, 0, 0, 0, 1, 10, 77, 0, 1]);
    bytes.extend([0; 6]);
    bytes.extend(target.octets());
    bytes
}

/// A filter with a socket for queue 0, which is where test frames arrive.
fn filter(rule: &Rule) -> Option<(Filter, OwnedFd)> {
    // SAFETY: takes no pointers.
    let fd = unsafe { libc::socket(libc::AF_XDP, libc::SOCK_RAW, 0) };
    if fd < 0 {
        println!(
            "skipped: no AF_XDP socket: {}",
            std::io::Error::last_os_error()
        );
        return None;
    }
    // SAFETY: new, and owned by nobody else.
    let socket = unsafe { OwnedFd::from_raw_fd(fd) };
    let filter = Filter::load(rule);
    let filter = filter
        .inspect_err(|error| println!("skipped: {error}"))
        .ok()?;
    filter.set_socket(0, &socket).unwrap();
    Some((filter, socket))
}

fn check(rule: &Rule, table: &[(&str, Vec<u8>, Action)]) {
    let Some((filter, _socket)) = filter(rule) else {
        return;
    };
    for (name, bytes, expected) in table {
        assert_eq!(filter.test(bytes).unwrap(), *expected, "{name}");
    }
}

#[test]
fn only_whole_plain_datagrams_for_our_port_are_taken() {
    let table = [
        ("good", frame(PORT, b"payload"), Redirect),
        ("good, no payload", frame(PORT, b""), Redirect),
        ("good, longest", frame(PORT, &[7; 1472]), Redirect),
        ("wrong port", frame(PORT + 1, b"payload"), Pass),
        ("port's bytes swapped", frame(PORT.swap_bytes(), b""), Pass),
        ("port 0", frame(0, b"payload"), Pass),
        ("first fragment", changed(&[(20, 0x20)]), Pass),
        ("later fragment", changed(&[(20, 0), (21, 1)]), Pass),
        ("last fragment, far offset", changed(&[(20, 0x1f)]), Pass),
        ("do-not-fragment off", changed(&[(20, 0)]), Redirect),
        ("VLAN", with(12, &[0x81, 0, 0, 7]), Pass),
        (
            "IP options",
            {
                let mut bytes = with(34, &[1, 1, 1, 1]);
                bytes[14] = 0x46;
                bytes
            },
            Pass,
        ),
        ("IP header too short", changed(&[(14, 0x44)]), Pass),
        ("IP version 6 inside", changed(&[(14, 0x65)]), Pass),
        ("TCP", changed(&[(23, 6)]), Pass),
        ("ICMP", changed(&[(23, 1)]), Pass),
        ("ARP", arp(ADDRESS), Pass),
        ("IPv6", changed(&[(12, 0x86), (13, 0xdd), (14, 0x60)]), Pass),
        ("short by one byte", frame(PORT, b"")[..41].to_vec(), Pass),
        (
            "Ethernet header alone",
            frame(PORT, b"")[..14].to_vec(),
            Pass,
        ),
        ("another address", changed(&[(33, 9)]), Redirect),
        ("another MAC", changed(&[(5, 9)]), Redirect),
    ];
    check(&Rule::udp(&[PORT]), &table);
}

#[test]
fn tcp_and_udp_ports_are_different_sets() {
    let rule = Rule {
        tcp_ports: vec![PORT, 80],
        ..Rule::udp(&[6000])
    };
    let tcp = |port: u16| {
        let mut bytes = frame(port, &[0; 12]);
        bytes[23] = 6;
        bytes
    };
    let table = [
        ("TCP", tcp(PORT), Redirect),
        ("TCP, other", tcp(80), Redirect),
        ("TCP to the UDP port", tcp(6000), Pass),
        ("UDP", frame(6000, b""), Redirect),
        ("UDP to the TCP port", frame(PORT, b""), Pass),
        ("SCTP", changed(&[(23, 132)]), Pass),
    ];
    check(&rule, &table);
}

#[test]
fn destination_addresses_narrow_the_rule_and_arp_about_them_can_be_had() {
    let group = Ipv4Addr::new(239, 1, 2, 3);
    let rule = Rule {
        mac: Some(MAC),
        addresses: vec![ADDRESS, group],
        ..Rule::udp(&[PORT])
    };
    let to_group = changed(&[
        (0, 1),
        (1, 0),
        (2, 0x5e),
        (30, 239),
        (31, 1),
        (32, 2),
        (33, 3),
    ]);
    let table = [
        ("good", frame(PORT, b"payload"), Redirect),
        ("last byte of the address", changed(&[(33, 9)]), Pass),
        ("first byte of the address", changed(&[(30, 11)]), Pass),
        ("another MAC, first byte", changed(&[(0, 0x80)]), Pass),
        ("another MAC, second byte", changed(&[(1, 0x9b)]), Pass),
        ("another MAC, third byte", changed(&[(2, 0)]), Pass),
        ("another MAC, last byte", changed(&[(5, 9)]), Pass),
        ("to a group", to_group.clone(), Redirect),
        ("group's MAC, our address", changed(&[(0, 1)]), Redirect),
        (
            "a group not ours",
            {
                let mut bytes = to_group;
                bytes[33] = 4;
                bytes
            },
            Pass,
        ),
        ("ARP not wanted", arp(ADDRESS), Pass),
    ];
    check(&rule, &table);
    let rule = Rule { arp: true, ..rule };
    let table = [
        ("good", frame(PORT, b"payload"), Redirect),
        ("wrong port", frame(PORT + 1, b""), Pass),
        ("ARP for us", arp(ADDRESS), Redirect),
        ("ARP for another", arp(Ipv4Addr::new(10, 200, 0, 3)), Pass),
        ("short ARP", arp(ADDRESS)[..41].to_vec(), Pass),
    ];
    check(&rule, &table);
}

#[test]
fn of_one_vlan_only() {
    let rule = Rule {
        vlan: Some(7),
        arp: true,
        addresses: vec![ADDRESS],
        ..Rule::udp(&[PORT])
    };
    let mut inner = with(12, &[0x81, 0, 0, 7]);
    inner.splice(12..12, [0x81, 0, 0, 7]);
    let mut tagged_arp = arp(ADDRESS);
    tagged_arp.splice(12..12, [0x81, 0, 0, 7]);
    let table = [
        ("tagged", with(12, &[0x81, 0, 0, 7]), Redirect),
        (
            "tagged with a priority",
            with(12, &[0x81, 0, 0xe0, 7]),
            Redirect,
        ),
        ("another VLAN", with(12, &[0x81, 0, 0, 8]), Pass),
        ("another VLAN, high bits", with(12, &[0x81, 0, 1, 7]), Pass),
        (
            "another protocol of tag",
            with(12, &[0x88, 0xa8, 0, 7]),
            Pass,
        ),
        ("tagged twice", inner, Pass),
        ("untagged", frame(PORT, b"payload"), Pass),
        (
            "tagged, short by a byte",
            with(12, &[0x81, 0, 0, 7])[..45].to_vec(),
            Pass,
        ),
        ("tagged ARP", tagged_arp, Redirect),
    ];
    check(&rule, &table);
}

#[test]
fn everything_is_everything() {
    let table = [
        ("good", frame(PORT, b"payload"), Redirect),
        ("IPv6", changed(&[(12, 0x86), (13, 0xdd)]), Redirect),
        ("ARP", arp(ADDRESS), Redirect),
        ("short", frame(PORT, b"")[..20].to_vec(), Redirect),
    ];
    check(&Rule::everything(), &table);
    check(
        &Rule::default(),
        &[("nothing asked for", frame(PORT, b""), Pass)],
    );
}

#[test]
fn ports_and_addresses_can_be_added_and_are_bounded() {
    let rule = Rule {
        addresses: vec![ADDRESS],
        ..Rule::udp(&[PORT])
    };
    let Some((filter, _socket)) = filter(&rule) else {
        return;
    };
    assert_eq!(filter.test(&frame(6000, b"")).unwrap(), Pass);
    filter.add_udp_port(6000).unwrap();
    assert_eq!(filter.test(&frame(6000, b"")).unwrap(), Redirect);
    filter.add_tcp_port(6001).unwrap();
    assert_eq!(filter.test(&frame(6001, b"")).unwrap(), Pass);
    assert_eq!(filter.test(&changed(&[(33, 9)])).unwrap(), Pass);
    filter.add_address(Ipv4Addr::new(10, 200, 0, 9)).unwrap();
    assert_eq!(filter.test(&changed(&[(33, 9)])).unwrap(), Redirect);
    let ports: Vec<u16> = (0..=af_xdp::PORTS_MAX as u16).collect();
    let error = Filter::load(&Rule::udp(&ports)).unwrap_err();
    assert!(error.to_string().contains("port"), "{error}");
    let addresses = (0..=af_xdp::ADDRESSES_MAX).map(Ipv4Addr::from).collect();
    let error = Filter::load(&Rule { addresses, ..rule }).unwrap_err();
    assert!(error.to_string().contains("address"), "{error}");
}

#[test]
fn a_queue_without_a_socket_goes_to_the_kernel() {
    let filter = Filter::load(&Rule::udp(&[PORT]));
    let Ok(filter) = filter.inspect_err(|error| println!("skipped: {error}")) else {
        return;
    };
    assert_eq!(filter.test(&frame(PORT, b"payload")).unwrap(), Pass);
}

#[test]
fn the_verifier_takes_every_shape_of_program() {
    if filter(&Rule::default()).is_none() {
        return;
    }
    for bits in 0..32u32 {
        let rule = Rule {
            everything: bits & 16 != 0,
            vlan: (bits & 1 != 0).then_some(4095),
            mac: (bits & 2 != 0).then_some([0xff; 6]),
            addresses: [ADDRESS][..(bits >> 2 & 1) as usize].to_vec(),
            arp: bits & 8 != 0,
            ..Rule::udp(&[PORT])
        };
        for multi_buffer in [false, true] {
            let options = LoadOptions {
                multi_buffer,
                ..LoadOptions::default()
            };
            Filter::load_with(&rule, options).unwrap();
        }
    }
}
