//! Many peers of a TCP port over AF_XDP: a thousand at work, silent ones beside active ones, and
//! floods of those who do not mean it.

#![allow(clippy::unwrap_used)] // helpers of tests, which the lint's own exemption misses

mod cable;

use std::io::{ErrorKind, Read, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use cable::raw::{ACK, Packet, SYN, segment, stranger};
use cable::{LIMITS, PATIENCE, Server, cable, exchange};
use nic::netns::{VETH_NAME, VethEnd, VethPair};
use nic::{Conn, HALF_OPEN_MAX, HALF_OPEN_NS, TcpLimits, TcpPort};

const SESSIONS: usize = 1_000;

fn small(connections: usize) -> TcpLimits {
    TcpLimits {
        connections: connections as u16,
        receive_bytes: 4 << 10,
        send_bytes: 4 << 10,
        ..LIMITS
    }
}

/// So many kernel sockets connected to the port.
fn crowd(server: &mut Server, end: &VethEnd, count: usize) -> Vec<TcpStream> {
    let address = server.address();
    let before = server.opened.len();
    std::thread::scope(|scope| {
        let dialling = scope.spawn(|| {
            let dial = |_| TcpStream::connect(address).unwrap();
            end.netns.run(|| (0..count).map(dial).collect::<Vec<_>>())
        });
        server.drive("the crowd", |server| server.opened.len() == before + count);
        dialling.join().unwrap().unwrap()
    })
}

/// Sends back what came.
fn echo(server: &mut Server) {
    server.poll();
    for (conn, bytes) in std::mem::take(&mut server.data) {
        assert_eq!(server.port.send(conn, &bytes), bytes.len());
    }
    server.port.flush();
}

/// A message to and from each peer, all at once.
fn round(server: &mut Server, peers: &[TcpStream], number: u32) {
    let message = |peer: usize| [number.to_le_bytes(), (peer as u32).to_le_bytes()].concat();
    for (index, mut peer) in peers.iter().enumerate() {
        peer.write_all(&message(index)).unwrap();
        if index % 50 == 0 {
            echo(server);
        }
    }
    let start = Instant::now();
    for (index, mut peer) in peers.iter().enumerate() {
        peer.set_nonblocking(true).unwrap();
        let mut answer = [0; 8];
        loop {
            match peer.read_exact(&mut answer) {
                Ok(()) => break,
                Err(error) => assert_eq!(error.kind(), ErrorKind::WouldBlock),
            }
            assert!(start.elapsed() < PATIENCE, "{index}: {:?}", server.port);
            echo(server);
        }
        assert_eq!(answer[..], message(index));
    }
}

#[test]
fn a_thousand_sessions_work_at_once_and_leave_at_once() {
    let Some(pair) = cable() else { return };
    let mut server = Server::open(&pair.right, small(SESSIONS));
    let peers = crowd(&mut server, &pair.left, SESSIONS);
    for number in 0..3 {
        round(&mut server, &peers, number);
    }
    assert_eq!(server.port.stats().connections, SESSIONS as u64);
    drop(peers);
    server.drive("their end", |server| server.closed.len() == SESSIONS);
    let stats = server.port.stats();
    assert_eq!((stats.connections, stats.resets, stats.refused), (0, 0, 0));
}

/// Looks of the stack at connections while one of them exchanges 100 messages, apart from timers.
fn looks(server: &mut Server, peer: &(TcpStream, Conn)) -> u64 {
    let before = server.port.work().looks;
    for number in 0..100u32 {
        let message = number.to_le_bytes();
        exchange(server, peer, &message, &message);
    }
    server.port.work().looks - before
}

#[test]
fn silent_sessions_cost_active_ones_nothing() {
    let Some(pair) = cable() else { return };
    let mut server = Server::open(&pair.right, small(SESSIONS));
    let active = server.peer(&pair.left);
    let alone = looks(&mut server, &active);
    let _silent = crowd(&mut server, &pair.left, SESSIONS - 1);
    let quiet = Instant::now();
    while quiet.elapsed() < Duration::from_millis(100) {
        server.poll(); // what the handshakes left to do
    }
    let amid = looks(&mut server, &active);
    println!("looks for 100 messages each way: {alone} alone, {amid} amid {SESSIONS}");
    // A walk over all of them would be 1,000 looks for each frame.
    assert!(amid < 2_000 && alone < 2_000, "{alone} {amid}");
    let before = server.port.work().looks;
    let turns = 100_000;
    let start = Instant::now();
    (0..turns).for_each(|_| _ = server.poll());
    let took = start.elapsed();
    println!(
        "{} ns for an idle turn amid {SESSIONS}",
        took.as_nanos() / turns
    );
    // Each is asked for a sign of life every 10 s, and nothing else happens.
    let asked = (took.as_secs() / 10 + 1) * SESSIONS as u64 * 4;
    assert!(server.port.work().looks - before <= asked);
}

/// A raw sender at the left end.
fn sender(pair: &VethPair) -> Packet {
    pair.left
        .netns
        .run(|| Packet::open(VETH_NAME, false))
        .unwrap()
}

/// Strangers' SYNs, sent while the port is polled.
fn flood(server: &mut Server, pair: &VethPair, count: u32) {
    let (sender, port) = (sender(pair), server.address().port());
    let mut sent = 0;
    let start = Instant::now();
    while sent < count {
        assert!(start.elapsed() < PATIENCE);
        let ends = (&pair.left, &pair.right);
        if sender.send(&segment(ends, (stranger(sent), port), SYN, (sent, 0))) {
            sent += 1;
        }
        if sent % 32 == 0 {
            server.poll();
        }
    }
}

#[test]
fn a_syn_flood_takes_no_more_than_its_places_and_nobody_else_waits() {
    let Some(pair) = cable() else { return };
    let mut server = Server::open(&pair.right, small(4));
    let good = server.peer(&pair.left);
    flood(&mut server, &pair, 20_000);
    exchange(&mut server, &good, b"order", b"reply");
    // The oldest went, and there is a place for one who means it.
    let work = server.port.work();
    let seen = work.frames - work.frames_refused;
    assert!(work.given_up >= 1_000 && work.given_up < seen, "{work:?}");
    let next = server.peer(&pair.left);
    exchange(&mut server, &next, b"order", b"reply");
    assert_eq!((server.port.stats().accepted, server.opened.len()), (2, 2));
    // Those who are left are given up in time.
    let start = Instant::now();
    let all = server.port.work().given_up + HALF_OPEN_MAX as u64 - 1;
    server.drive("the last half-open one", |server| {
        server.port.work().given_up >= all
    });
    assert!(start.elapsed() < Duration::from_nanos(HALF_OPEN_NS) + PATIENCE);
}

#[test]
fn what_belongs_to_nobody_is_answered_by_a_reset_and_harms_nobody() {
    let Some(pair) = cable() else { return };
    let mut server = Server::open(&pair.right, small(4));
    let good = server.peer(&pair.left);
    let hears = pair
        .left
        .netns
        .run(|| Packet::open(VETH_NAME, true))
        .unwrap();
    let (sender, port) = (sender(&pair), server.address().port());
    let ends = (&pair.left, &pair.right);
    assert!(sender.send(&segment(ends, (stranger(7), port), ACK, (1, 0x0102_0304))));
    let mut frame = [0; 2048];
    let mut reset = None;
    server.drive("a reset", |_| {
        while let Some(frame) = hears.receive(&mut frame) {
            let is_his = frame.len() >= 54 && frame[30..34] == stranger(7).ip().octets();
            if is_his {
                reset = Some((frame[47], frame[38..42].to_vec()));
            }
        }
        reset.is_some()
    });
    assert_eq!(reset, Some((4, vec![1, 2, 3, 4])));
    exchange(&mut server, &good, b"order", b"reply");
}
