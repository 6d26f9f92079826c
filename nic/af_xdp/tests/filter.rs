//! The redirect program, loaded into the kernel and run on a table of frames, without an interface.
//! Skipped, with the reason printed, where the kernel or the rights are missing.

#![allow(clippy::unwrap_used)] // helpers of tests, which the lint's own exemption misses

use std::os::fd::{AsFd, FromRawFd, OwnedFd};

use af_xdp::{Action, Filter};

const PORT: u16 = 5001;

/// Ethernet, IPv4, UDP to `port`, with `payload` behind.
fn frame(port: u16, payload: &[u8]) -> Vec<u8> {
    let mut bytes = vec![2, 0, 0, 0, 0, 2, 2, 0, 0, 0, 0, 1, 0x08, 0x00];
    let length = (28 + payload.len()) as u16;
    bytes.extend([0x45, 0]);
    bytes.extend(length.to_be_bytes());
    bytes.extend([0, 0, 0x40, 0, 64, 17, 0, 0, 10, 77, 0, 1, 10, 77, 0, 2]);
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

/// A filter with a socket for queue 0, which is where test frames arrive.
fn filter() -> Option<(Filter, OwnedFd)> {
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
    let filter = Filter::load(&[PORT]);
    let filter = filter
        .inspect_err(|error| println!("skipped: {error}"))
        .ok()?;
    filter.set_socket(0, socket.as_fd()).unwrap();
    Some((filter, socket))
}

#[test]
fn only_whole_plain_datagrams_for_our_port_are_taken() {
    let Some((filter, _socket)) = filter() else {
        return;
    };
    let vlan = {
        let mut bytes = frame(PORT, b"payload");
        bytes.splice(12..12, [0x81, 0x00, 0x00, 0x07]);
        bytes
    };
    let options = {
        let mut bytes = changed(&[(14, 0x46)]);
        bytes.splice(34..34, [1, 1, 1, 1]);
        bytes
    };
    let table: [(&str, Vec<u8>, Action); 17] = [
        ("good", frame(PORT, b"payload"), Action::Redirect),
        ("good, no payload", frame(PORT, b""), Action::Redirect),
        ("good, longest", frame(PORT, &[7; 1472]), Action::Redirect),
        ("wrong port", frame(PORT + 1, b"payload"), Action::Pass),
        (
            "port with its bytes swapped",
            frame(PORT.swap_bytes(), b"payload"),
            Action::Pass,
        ),
        ("port 0", frame(0, b"payload"), Action::Pass),
        ("first fragment", changed(&[(20, 0x20)]), Action::Pass),
        ("later fragment", changed(&[(20, 0), (21, 1)]), Action::Pass),
        (
            "last fragment, far offset",
            changed(&[(20, 0x1f)]),
            Action::Pass,
        ),
        ("do-not-fragment off", changed(&[(20, 0)]), Action::Redirect),
        ("VLAN", vlan, Action::Pass),
        ("IP options", options, Action::Pass),
        ("TCP", changed(&[(23, 6)]), Action::Pass),
        ("ARP", changed(&[(12, 0x08), (13, 0x06)]), Action::Pass),
        (
            "IPv6",
            changed(&[(12, 0x86), (13, 0xdd), (14, 0x60)]),
            Action::Pass,
        ),
        (
            "short by one byte",
            frame(PORT, b"")[..41].to_vec(),
            Action::Pass,
        ),
        (
            "Ethernet header alone",
            frame(PORT, b"")[..14].to_vec(),
            Action::Pass,
        ),
    ];
    for (name, bytes, expected) in table {
        assert_eq!(filter.test(&bytes).unwrap(), expected, "{name}");
    }
}

#[test]
fn ports_can_be_added_and_are_bounded() {
    let Some((filter, _socket)) = filter() else {
        return;
    };
    assert_eq!(filter.test(&frame(6000, b"")).unwrap(), Action::Pass);
    filter.add_port(6000).unwrap();
    assert_eq!(filter.test(&frame(6000, b"")).unwrap(), Action::Redirect);
    let ports: Vec<u16> = (0..=af_xdp::PORTS_MAX as u16).collect();
    let error = Filter::load(&ports).unwrap_err();
    assert!(error.to_string().contains("port"), "{error}");
}

#[test]
fn a_queue_without_a_socket_goes_to_the_kernel() {
    let Ok(filter) = Filter::load(&[PORT]).inspect_err(|error| println!("skipped: {error}")) else {
        return;
    };
    assert_eq!(filter.test(&frame(PORT, b"payload")).unwrap(), Action::Pass);
}
