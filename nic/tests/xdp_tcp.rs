//! TCP over AF_XDP against the kernel's own on a virtual cable between two namespaces. Skipped,
//! with the reason printed, where the machine does not allow it.

#![allow(clippy::unwrap_used)] // helpers of tests, which the lint's own exemption misses

mod cable;

use std::io::{ErrorKind, Read, Write};
use std::net::{Shutdown, SocketAddrV4, TcpStream};
use std::os::fd::AsRawFd;
use std::time::{Duration, Instant};

use cable::{LIMITS, PATIENCE, Server, cable, exchange, options, pattern};
use nic::{ConnectError, RealClock, TcpLimits, TcpPort, XdpMode, XdpOptions, XdpTcp};

/// Reads what there is at once; `Ok(None)` when there is nothing yet.
fn read_some(mut peer: &TcpStream) -> std::io::Result<Option<usize>> {
    match peer.read(&mut [0; 4096]) {
        Err(error) if error.kind() == ErrorKind::WouldBlock => Ok(None),
        other => other.map(Some),
    }
}

/// Polls the port until the peer's reads give something else than "nothing yet".
fn peer_hears(server: &mut Server, peer: &TcpStream) -> std::io::Result<usize> {
    let mut heard = None;
    server.drive("the peer's end", |_| {
        heard = read_some(peer).transpose();
        heard.is_some()
    });
    heard.unwrap()
}

#[test]
fn bytes_cross_both_ways_at_once_and_the_kernel_sees_no_connection() {
    let Some(pair) = cable() else { return };
    let mut server = Server::open(&pair.right, LIMITS);
    assert_eq!(server.port.mode(), "xdp native");
    let peer = server.peer(&pair.left);
    let (there, back) = (pattern(3_000_001, 1), pattern(2_000_003, 2));
    exchange(&mut server, &peer, &there, &back);
    let kernel = pair
        .right
        .netns
        .run(|| std::fs::read_to_string("/proc/thread-self/net/tcp"))
        .unwrap()
        .unwrap();
    assert_eq!(kernel.lines().count(), 1, "{kernel}");
    server.drive("the last acknowledgement", |server| {
        server.port.unsent(peer.1) == 0
    });
    let stats = server.port.stats();
    assert_eq!((stats.bytes_in, stats.bytes_out), (3_000_001, 2_000_003));
    assert_eq!((stats.accepted, stats.connections), (1, 1));
    let refused = server.port.connect(server.address());
    assert_eq!(refused, Err(ConnectError::System(libc::EOPNOTSUPP)));
}

#[test]
fn generic_mode_carries_the_same() {
    let Some(pair) = cable() else { return };
    // Segments as they are on a wire, not sixty-four thousand bytes at once.
    let shape = ["link", "set", "dev", "wire0", "gso_max_segs", "1"];
    pair.left.netns.ip(&shape).unwrap();
    let at = SocketAddrV4::new(pair.right.address, 0);
    let xdp = XdpOptions {
        best: XdpMode::Generic,
        ..options()
    };
    let clock = Box::new(RealClock::new());
    let opened = pair
        .right
        .netns
        .run(|| XdpTcp::open(at, LIMITS, &xdp, clock));
    let mut server = Server::new(opened.unwrap().unwrap());
    assert_eq!(server.port.mode(), "xdp generic");
    let peer = server.peer(&pair.left);
    exchange(
        &mut server,
        &peer,
        &pattern(500_001, 6),
        &pattern(400_003, 7),
    );
}

#[test]
fn our_end_follows_the_last_byte_and_the_place_is_free_again() {
    let Some(pair) = cable() else { return };
    let limits = TcpLimits {
        connections: 1,
        ..LIMITS
    };
    let mut server = Server::open(&pair.right, limits);
    // More often than there are places, parted ones included.
    for round in 0..nic::HALF_OPEN_MAX + 3 {
        let (mut peer, conn) = server.peer(&pair.left);
        assert_eq!(server.port.send(conn, b"last words"), 10);
        server.port.close(conn);
        assert_eq!(
            (server.port.send_room(conn), server.port.send(conn, b"x")),
            (0, 0)
        );
        assert_eq!(peer_hears(&mut server, &peer).unwrap(), 10);
        assert_eq!(peer_hears(&mut server, &peer).unwrap(), 0);
        // What it says now is thrown away; its end ends the connection.
        peer.write_all(b"too late").unwrap();
        drop(peer);
        server.drive("the end", |server| server.closed.len() == round + 1);
        assert!(server.received(conn).is_empty());
    }
    let stats = server.port.stats();
    assert_eq!((stats.connections, stats.resets, stats.cut), (0, 0, 0));
}

#[test]
fn the_peers_end_is_heard_after_its_last_byte() {
    let Some(pair) = cable() else { return };
    let mut server = Server::open(&pair.right, LIMITS);
    let (mut peer, conn) = server.peer(&pair.left);
    let sent = pattern(10_000, 3);
    peer.write_all(&sent).unwrap();
    assert_eq!(server.port.send(conn, b"answer"), 6);
    peer.shutdown(Shutdown::Write).unwrap();
    server.drive("the end", |server| server.closed == [conn]);
    assert_eq!(server.received(conn), sent);
    assert_eq!(peer_hears(&mut server, &peer).unwrap(), 6);
    assert_eq!(peer_hears(&mut server, &peer).unwrap(), 0);
    assert_eq!(server.port.stats().resets, 0);
}

/// Dropping it resets the connection.
fn reset_on_drop(peer: &TcpStream) {
    let linger = libc::linger {
        l_onoff: 1,
        l_linger: 0,
    };
    let (at, length) = ((&raw const linger).cast(), size_of::<libc::linger>() as u32);
    // SAFETY: the value is readable for its length.
    let answer = unsafe {
        libc::setsockopt(
            peer.as_raw_fd(),
            libc::SOL_SOCKET,
            libc::SO_LINGER,
            at,
            length,
        )
    };
    assert_eq!(answer, 0);
}

#[test]
fn a_reset_ends_one_connection_on_either_side() {
    let Some(pair) = cable() else { return };
    let mut server = Server::open(&pair.right, LIMITS);
    let good = server.peer(&pair.left);
    let (peer, conn) = server.peer(&pair.left);
    reset_on_drop(&peer);
    drop(peer);
    server.drive("the reset", |server| server.closed == [conn]);
    assert_eq!(
        (server.port.stats().resets, server.port.stats().connections),
        (1, 1)
    );
    server.closed.clear();
    exchange(&mut server, &good, b"still", b"here");
    // A port that goes resets its peers.
    let (mut stream, _) = good;
    drop(server);
    let start = Instant::now();
    let error = loop {
        match stream.read(&mut [0]) {
            Err(error) if error.kind() != ErrorKind::WouldBlock => break error,
            _ => assert!(start.elapsed() < PATIENCE),
        }
    };
    assert_eq!(error.kind(), ErrorKind::ConnectionReset);
}

/// A kernel resets from where it stands, whatever of its bytes is under way, waits here or does not
/// fit; a reset from elsewhere would not be believed.
#[test]
fn a_kernels_reset_is_believed_whatever_was_sent_before() {
    let Some(pair) = cable() else { return };
    let mut server = Server::open(&pair.right, LIMITS);
    for (bytes, is_paused) in [0, 1, 5_000, 300_000]
        .into_iter()
        .flat_map(|bytes| [(bytes, false), (bytes, true)])
    {
        let (peer, conn) = server.peer(&pair.left);
        exchange(
            &mut server,
            &(peer.try_clone().unwrap(), conn),
            b"before",
            b"",
        );
        server.port.pause(conn, is_paused);
        let frames = server.port.work().frames;
        let written = (&peer).write(&pattern(bytes, 5)).unwrap_or(0);
        if written > 0 {
            server.drive("some of it", |server| server.port.work().frames > frames);
        }
        reset_on_drop(&peer);
        drop(peer);
        server.drive("the reset", |server| server.closed.contains(&conn));
        assert_eq!(server.port.stats().connections, 0, "{bytes} {is_paused}");
        server.closed.clear();
    }
}

#[test]
fn a_paused_peer_feels_a_full_window_and_loses_nothing() {
    let Some(pair) = cable() else { return };
    let mut server = Server::open(&pair.right, LIMITS);
    let peer = server.peer(&pair.left);
    let sent = pattern(1 << 20, 4);
    server.port.pause(peer.1, true);
    let (mut written, mut refusals) = (0, 0);
    while refusals < 200 {
        match (&peer.0).write(&sent[written..]) {
            Ok(bytes) => written += bytes,
            Err(_) => {
                refusals += 1;
                std::thread::sleep(Duration::from_millis(1));
            }
        }
        if written == sent.len() {
            break;
        }
        server.poll();
    }
    assert!(server.received(peer.1).is_empty());
    server.port.pause(peer.1, false);
    server.drive("the rest", |server| {
        written += (&peer.0).write(&sent[written..]).unwrap_or(0);
        server.received(peer.1).len() == sent.len()
    });
    assert!(server.received(peer.1) == sent);
}

#[test]
fn the_end_of_a_paused_peer_is_heard_when_it_goes_on() {
    let Some(pair) = cable() else { return };
    let mut server = Server::open(&pair.right, LIMITS);
    let (peer, conn) = server.peer(&pair.left);
    server.port.pause(conn, true);
    let frames = server.port.work().frames;
    drop(peer);
    server.drive("its end", |server| server.port.work().frames > frames);
    (0..100).for_each(|_| _ = server.poll());
    assert!(server.closed.is_empty());
    server.port.pause(conn, false);
    server.drive("our end", |server| server.closed == [conn]);
}

#[test]
fn a_deaf_peer_holds_one_send_buffer_and_no_longer_than_told() {
    let Some(pair) = cable() else { return };
    let limits = TcpLimits {
        linger_ms: 20,
        send_bytes: 10_000,
        ..LIMITS
    };
    let mut server = Server::open(&pair.right, limits);
    let good = server.peer(&pair.left);
    let (deaf, conn) = server.peer(&pair.left);
    let chunk = [7; 10_000];
    let mut last = Instant::now();
    while last.elapsed() < Duration::from_millis(300) {
        if server.port.send(conn, &chunk) > 0 {
            last = Instant::now();
        }
        server.poll();
    }
    assert_eq!(
        (server.port.send_room(conn), server.port.unsent(conn)),
        (0, 10_000)
    );
    exchange(&mut server, &good, b"order", b"reply");
    server.port.close(conn);
    server.drive("the cut", |server| server.closed == [conn]);
    assert_eq!(
        (server.port.stats().cut, server.port.stats().connections),
        (1, 1)
    );
    server.closed.clear();
    let next = server.peer(&pair.left);
    exchange(&mut server, &next, b"order", b"reply");
    drop(deaf);
}

#[test]
fn one_too_many_is_turned_away() {
    let Some(pair) = cable() else { return };
    let limits = TcpLimits {
        connections: 2,
        ..LIMITS
    };
    let mut server = Server::open(&pair.right, limits);
    let peers = [server.peer(&pair.left), server.peer(&pair.left)];
    let address = server.address();
    let third = std::thread::scope(|scope| {
        let dialling = scope.spawn(|| pair.left.netns.run(|| TcpStream::connect(address)));
        server.drive("the refusal", |server| server.port.stats().refused == 1);
        dialling.join().unwrap().unwrap()
    });
    if let Ok(third) = third {
        third.set_nonblocking(true).unwrap();
        let heard = peer_hears(&mut server, &third);
        assert_eq!(heard.unwrap_err().kind(), ErrorKind::ConnectionReset);
    }
    for peer in &peers {
        exchange(&mut server, peer, b"still", b"here");
    }
    assert_eq!(server.opened.len(), 2);
}

#[test]
fn what_is_wrong_is_said() {
    let Some(pair) = cable() else { return };
    let try_open = |at: SocketAddrV4, interface: &str, limits: TcpLimits| {
        let xdp = XdpOptions {
            interface: interface.into(),
            ..options()
        };
        let clock = Box::new(RealClock::new());
        let opened = pair
            .right
            .netns
            .run(|| XdpTcp::open(at, limits, &xdp, clock));
        opened.unwrap().unwrap_err().to_string()
    };
    let at = SocketAddrV4::new(pair.right.address, 0);
    let said = try_open(at, "absent", LIMITS);
    assert!(
        said.contains("interface absent") && said.contains("no such interface"),
        "{said}"
    );
    let said = try_open(SocketAddrV4::new(pair.left.address, 0), "wire0", LIMITS);
    assert!(said.contains("has no address 10.77.0.1"), "{said}");
    let said = try_open(
        at,
        "wire0",
        TcpLimits {
            connections: 5_000,
            ..LIMITS
        },
    );
    assert!(said.contains("4096 connections"), "{said}");
}
