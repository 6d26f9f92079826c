//! UDP over AF_XDP on a virtual cable between two namespaces: against itself and against the
//! kernel's stack. Skipped, with the reason printed, where the machine does not allow it.

#![allow(clippy::unwrap_used)] // helpers of tests, which the lint's own exemption misses

use std::io::{BufRead, BufReader, Read};
use std::net::{Ipv4Addr, SocketAddrV4};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use nic::netns::{VETH_NAME, VethEnd, VethPair};
use nic::{
    DATAGRAM_BYTES_MAX, Net, RealNet, RealUdp, SendError, UdpOptions, UdpPort, XdpMode, XdpOptions,
};

const PATIENCE: Duration = Duration::from_secs(60);
const GROUP: Ipv4Addr = Ipv4Addr::new(239, 193, 7, 7);

/// A cable whose ends can do AF_XDP, or `None` with the reason printed.
fn cable() -> Option<VethPair> {
    let pair = VethPair::create()
        .inspect_err(|error| println!("skipped: {error}"))
        .ok()?;
    // Through the crate below, so that a fault of the port above is a failure and not a skip.
    let probe = pair.left.netns.run(|| {
        let interface = af_xdp::interface_index(VETH_NAME)?;
        let (mode, rule) = (af_xdp::Mode::Generic, af_xdp::Rule::udp(&[9]));
        af_xdp::Port::open(&af_xdp::Options::new(interface, mode, rule))
    });
    probe
        .unwrap()
        .inspect_err(|error| println!("skipped: AF_XDP is refused: {error}"))
        .ok()?;
    Some(pair)
}

fn options(end: &VethEnd) -> UdpOptions {
    UdpOptions {
        local: SocketAddrV4::new(end.address, 0),
        groups: vec![GROUP],
        interface: end.address,
        xdp: None,
    }
}

fn socket(end: &VethEnd) -> RealUdp {
    end.netns
        .run(|| RealNet::new().udp(&options(end)))
        .unwrap()
        .unwrap()
}

/// A port over AF_XDP in this mode or a lower one.
fn xdp(end: &VethEnd, best: XdpMode, neighbours: Vec<(Ipv4Addr, [u8; 6])>) -> RealUdp {
    let xdp = XdpOptions {
        neighbours,
        ..XdpOptions::new(VETH_NAME, best)
    };
    let options = UdpOptions {
        xdp: Some(xdp),
        ..options(end)
    };
    let port = end
        .netns
        .run(|| RealNet::new().udp(&options))
        .unwrap()
        .unwrap();
    assert!(
        matches!(port, RealUdp::Xdp(_)),
        "AF_XDP worked before and is refused now"
    );
    port
}

fn take(port: &mut RealUdp, count: usize) -> Vec<(SocketAddrV4, Vec<u8>)> {
    let start = Instant::now();
    let mut all = Vec::new();
    while all.len() < count {
        assert!(
            start.elapsed() < PATIENCE,
            "{} of {count}: {:?}",
            all.len(),
            port.stats()
        );
        port.poll(&mut |from, payload| all.push((from, payload.to_vec())));
        std::thread::yield_now();
    }
    all
}

/// Payloads of every kind of length, numbered.
fn payloads() -> Vec<Vec<u8>> {
    [0, 1, 17, 18, 19, 64, 511, 1024, DATAGRAM_BYTES_MAX]
        .map(|n| vec![n as u8; n])
        .into()
}

/// Sends from `left` and expects it at `right`, in order.
fn crosses(left: &mut RealUdp, from: SocketAddrV4, right: &mut RealUdp, to: SocketAddrV4) {
    let sent = payloads();
    for payload in &sent {
        left.send(to, payload).unwrap();
    }
    left.flush();
    let expected: Vec<_> = sent.into_iter().map(|payload| (from, payload)).collect();
    assert_eq!(take(right, expected.len()), expected);
}

fn both_ends_over_af_xdp(mode: XdpMode, name: &str) {
    let Some(pair) = cable() else { return };
    let neighbour = vec![(pair.right.address, pair.right.mac)];
    let mut left = xdp(&pair.left, mode, neighbour);
    let mut right = xdp(&pair.right, mode, Vec::new());
    if left.mode() != name {
        println!("skipped: {} instead of {name}", left.mode());
        return;
    }
    let (left_at, right_at) = (left.local_addr(), right.local_addr());
    assert_eq!(right.send(left_at, b"x"), Err(SendError::NoNeighbour));
    crosses(&mut left, left_at, &mut right, right_at);
    // The right end has learned the left one's address by now.
    crosses(&mut right, right_at, &mut left, left_at);
    let group = SocketAddrV4::new(GROUP, right_at.port());
    crosses(&mut left, left_at, &mut right, group);
    // More than one system call's worth, again and again: rings and free lists go round.
    for round in 0..40u32 {
        for number in 0..200u32 {
            left.send(right_at, &(round * 200 + number).to_le_bytes())
                .unwrap();
        }
        left.flush();
        for (number, (_, payload)) in take(&mut right, 200).into_iter().enumerate() {
            assert_eq!(payload, (round * 200 + number as u32).to_le_bytes());
        }
    }
    assert_eq!((left.stats().send_errors, right.stats().dropped), (0, 0));
    // A port that nobody polls loses datagrams, and says how many.
    let start = Instant::now();
    for number in 0..3000u32 {
        while left.send(right_at, &number.to_le_bytes()).is_err() {
            assert!(start.elapsed() < PATIENCE);
        }
    }
    while right.stats().dropped == 0 {
        assert!(start.elapsed() < PATIENCE);
        left.flush();
    }
}

#[test]
fn native_mode_both_ends() {
    both_ends_over_af_xdp(XdpMode::Native, "xdp native");
}

#[test]
fn generic_mode_both_ends() {
    both_ends_over_af_xdp(XdpMode::Generic, "xdp generic");
}

#[test]
fn kernel_at_the_other_end() {
    for mode in [XdpMode::Native, XdpMode::Generic] {
        let Some(pair) = cable() else { return };
        let mut plain = socket(&pair.left);
        let mut port = xdp(&pair.right, mode, Vec::new());
        let (plain_at, port_at) = (plain.local_addr(), port.local_addr());
        crosses(&mut plain, plain_at, &mut port, port_at);
        crosses(&mut port, port_at, &mut plain, plain_at);
        let group = SocketAddrV4::new(GROUP, port_at.port());
        crosses(&mut plain, plain_at, &mut port, group);
        let group = SocketAddrV4::new(GROUP, plain_at.port());
        crosses(&mut port, port_at, &mut plain, group);
        assert_eq!(port.stats().receive_errors, 0);
    }
}

#[test]
fn ladder_starts_at_zero_copy_and_a_dropped_port_frees_the_queue() {
    let Some(pair) = cable() else { return };
    for _ in 0..3 {
        let port = xdp(&pair.left, XdpMode::ZeroCopy, Vec::new());
        assert!(["xdp zero-copy", "xdp native", "xdp generic"].contains(&port.mode()));
        drop(port);
    }
}

#[test]
fn without_af_xdp_a_socket_is_used() {
    let Some(pair) = cable() else { return };
    let xdp = XdpOptions::new("absent", XdpMode::ZeroCopy);
    let options = UdpOptions {
        xdp: Some(xdp),
        ..options(&pair.left)
    };
    let port = pair
        .left
        .netns
        .run(|| RealNet::new().udp(&options))
        .unwrap()
        .unwrap();
    assert!(["io_uring", "sockets"].contains(&port.mode()));
}

#[test]
fn other_ports_still_reach_the_kernel() {
    let Some(pair) = cable() else { return };
    let mut plain = socket(&pair.left);
    let mut beside = socket(&pair.right);
    let _port = xdp(&pair.right, XdpMode::Generic, Vec::new());
    let (plain_at, beside_at) = (plain.local_addr(), beside.local_addr());
    crosses(&mut plain, plain_at, &mut beside, beside_at);
    crosses(&mut beside, beside_at, &mut plain, plain_at);
}

/// Set for the process that `killed_owner_leaves_nothing_behind` starts and kills.
const CHILD: &str = "NIC_TEST_XDP_CHILD";

/// Not a test of its own: in the child it holds a port until it is killed or the parent is gone.
#[test]
fn child_that_holds_a_port() {
    let Ok(address) = std::env::var(CHILD) else {
        return;
    };
    let xdp = XdpOptions::new(VETH_NAME, XdpMode::Native);
    let local = SocketAddrV4::new(address.parse().unwrap(), 0);
    let port = RealNet::new().udp(&UdpOptions {
        xdp: Some(xdp),
        ..UdpOptions::new(local)
    });
    let port = port.unwrap();
    println!("\nholding {}", port.mode());
    let _ = std::io::stdin().read(&mut [0]);
}

fn program_attached(end: &VethEnd) -> bool {
    let show = || {
        Command::new("ip")
            .args(["link", "show", "dev", VETH_NAME])
            .output()
    };
    let output = end.netns.run(show).unwrap().unwrap();
    String::from_utf8_lossy(&output.stdout).contains("prog/xdp")
}

#[test]
fn killed_owner_leaves_nothing_behind() {
    let Some(pair) = cable() else { return };
    let end = &pair.right;
    let spawn = || {
        Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "child_that_holds_a_port", "--nocapture"])
            .env(CHILD, end.address.to_string())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
    };
    let mut child = end.netns.run(spawn).unwrap().unwrap();
    let said = BufReader::new(child.stdout.take().unwrap());
    let holding = said
        .lines()
        .map_while(Result::ok)
        .find(|line| line.starts_with("holding"));
    assert!(holding.unwrap().contains("xdp"));
    assert!(program_attached(end));
    child.kill().unwrap();
    child.wait().unwrap();
    let start = Instant::now();
    while program_attached(end) {
        assert!(start.elapsed() < PATIENCE, "the program outlived its owner");
    }
    assert!(
        xdp(end, XdpMode::Native, Vec::new())
            .mode()
            .starts_with("xdp")
    );
}
