//! What a peer may do to a TCP port on purpose, and what it must not gain by it.

#![allow(clippy::unwrap_used)] // helpers of tests, which the lint's own exemption misses

mod ends;

use std::io::{Read, Write};
use std::net::TcpStream;
use std::os::fd::AsRawFd;
use std::time::{Duration, Instant};

use ends::{End, PATIENCE, drive, nets, pattern};
use nic::{Conn, RealNet, TcpLimits, TcpPort};

/// What a flood writes on each connection.
const FLOOD_BYTES: usize = 200_000;
/// Most results that one turn hands out.
const TURN_MAX: usize = 64;

/// Cuts a connection with a reset.
fn reset(peer: TcpStream) {
    let linger = libc::linger {
        l_onoff: 1,
        l_linger: 0,
    };
    set(&peer, libc::SOL_SOCKET, libc::SO_LINGER, linger).unwrap();
}

fn set<T>(peer: &TcpStream, level: i32, name: i32, value: T) -> std::io::Result<()> {
    let (at, length) = ((&raw const value).cast(), size_of::<T>() as u32);
    // SAFETY: the value is readable for its length.
    let answer = unsafe { libc::setsockopt(peer.as_raw_fd(), level, name, at, length) };
    match answer {
        0 => Ok(()),
        _ => Err(std::io::Error::last_os_error()),
    }
}

/// Waits until the other end's kernel has all that was written.
fn arrived(peer: &TcpStream) {
    let start = Instant::now();
    let mut waiting: libc::c_int = 1;
    while waiting > 0 {
        assert!(start.elapsed() < PATIENCE);
        // SAFETY: the count is writable.
        let answer = unsafe { libc::ioctl(peer.as_raw_fd(), libc::TIOCOUTQ, &raw mut waiting) };
        assert_eq!(answer, 0);
    }
}

/// A peer that the server accepted.
fn peer_of(server: &mut End) -> (TcpStream, Conn) {
    let before = server.opened.len();
    let peer = TcpStream::connect(server.address()).unwrap();
    peer.set_nodelay(true).unwrap();
    drive(&mut [server], |e| e[0].opened.len() > before);
    (peer, server.opened[before].0)
}

fn limits(connections: u16) -> TcpLimits {
    TcpLimits {
        connections,
        receive_bytes: 64,
        send_bytes: 10_000,
        linger_ms: 20,
    }
}

/// The peer and the server hear each other.
fn check_talk(server: &mut End, (peer, conn): &mut (TcpStream, Conn)) {
    let before = server.received(*conn).len();
    peer.write_all(b"order").unwrap();
    drive(&mut [server], |e| e[0].received(*conn).len() == before + 5);
    assert!(server.received(*conn).ends_with(b"order"));
    assert_eq!(server.port.send(*conn, b"reply"), 5);
    drive(&mut [server], |e| e[0].port.unsent(*conn) == 0);
    let mut reply = [0; 5];
    peer.read_exact(&mut reply).unwrap();
    assert_eq!(&reply, b"reply");
}

#[test]
fn a_peer_that_never_reads_holds_one_send_buffer_and_no_longer_than_told() {
    for mut net in nets() {
        let mut server = End::listen(&mut net, limits(2));
        let mut good = peer_of(&mut server);
        let (deaf, conn) = peer_of(&mut server);
        // Fills the kernel's room, too: then not a byte more is taken, however long one tries.
        let chunk = [7; 10_000];
        let mut taken = 0;
        let mut full = 0;
        while full < 1_000 {
            let more = server.port.send(conn, &chunk);
            full = if more == 0 { full + 1 } else { 0 };
            taken += more;
            server.poll();
        }
        assert_eq!(
            (server.port.send_room(conn), server.port.unsent(conn)),
            (0, 10_000)
        );
        assert_eq!(server.port.stats().bytes_out, (taken - 10_000) as u64);
        // Twice the smallest buffer that is asked for, and as much again in the peer's kernel.
        assert!(server.port.stats().bytes_out < 1 << 19, "{taken} bytes");
        check_talk(&mut server, &mut good);
        server.port.close(conn);
        drive(&mut [&mut server], |e| e[0].closed == [conn]);
        assert_eq!(
            (server.port.stats().cut, server.port.stats().connections),
            (1, 1)
        );
        // Its place is free for others.
        let mut next = peer_of(&mut server);
        check_talk(&mut server, &mut next);
        drop(deaf);
    }
}

#[test]
fn resets_in_the_middle_of_messages_end_one_connection_each() {
    for mut net in nets() {
        let mut server = End::listen(&mut net, limits(4));
        let mut good = peer_of(&mut server);
        for round in 0..40 {
            let (mut peer, conn) = peer_of(&mut server);
            peer.write_all(&pattern(100, round)).unwrap();
            if round % 2 == 0 {
                drive(&mut [&mut server], |e| e[0].received(conn).len() == 100);
            }
            // An answer is on its way, or will meet the reset.
            server.port.send(conn, &[1; 5_000]);
            if round % 4 < 2 {
                server.port.flush();
            }
            reset(peer);
            drive(&mut [&mut server], |e| e[0].closed.contains(&conn));
            drive(&mut [&mut server], |e| e[0].port.stats().connections == 1);
            // What the kernel had taken in before the reset is handed over in order or not at all.
            assert!(pattern(100, round).starts_with(server.received(conn)));
        }
        assert_eq!(server.port.stats().resets, 40);
        check_talk(&mut server, &mut good);
    }
}

#[test]
fn a_byte_at_a_time_is_put_together_and_takes_turns() {
    for mut net in nets() {
        let mut server = End::listen(&mut net, limits(2));
        let (mut drip, conn) = peer_of(&mut server);
        let mut good = peer_of(&mut server);
        let sent = pattern(3_000, 5);
        for byte in &sent {
            drip.write_all(std::slice::from_ref(byte)).unwrap();
            assert!(server.poll() <= TURN_MAX);
        }
        check_talk(&mut server, &mut good);
        drive(&mut [&mut server], |e| {
            e[0].received(conn).len() == sent.len()
        });
        assert!(server.received(conn) == sent);
    }
}

#[test]
fn a_storm_of_dialling_waits_its_turn() {
    const STORM: usize = 300;
    for mut net in nets() {
        let mut server = End::listen(&mut net, limits(32));
        let (mut peer, conn) = peer_of(&mut server);
        let dial = |_| TcpStream::connect(server.address()).unwrap();
        let storm: Vec<TcpStream> = (0..STORM).map(dial).collect();
        // Half of them are gone before anyone looks at them.
        for (number, dialled) in storm.into_iter().enumerate() {
            match number % 4 {
                0 => drop(dialled),
                1 => reset(dialled),
                _ => std::mem::forget(dialled),
            }
        }
        peer.write_all(b"order").unwrap();
        arrived(&peer);
        let mut turns = 0;
        while server.received(conn).is_empty() {
            let before = server.opened.len() + server.port.stats().refused as usize;
            server.poll();
            let after = server.opened.len() + server.port.stats().refused as usize;
            assert!(after - before <= 1, "{} accepted in a turn", after - before);
            turns += 1;
        }
        assert!(turns <= 2, "an order waited for {turns} turns of a storm");
        drive(&mut [&mut server], |e| {
            e[0].opened.len() + e[0].port.stats().refused as usize == STORM + 1
        });
        assert!(server.port.stats().refused > 0 && !server.closed.contains(&conn));
    }
}

#[test]
fn connections_that_open_and_close_leave_nothing_behind() {
    for mut net in nets() {
        let mut server = End::listen(&mut net, limits(8));
        for round in 0..100 {
            let (mut peer, conn) = peer_of(&mut server);
            match round % 3 {
                0 => drop(peer),
                1 => reset(peer),
                _ => {
                    peer.write_all(&[1; 300]).unwrap();
                    drop(peer);
                }
            }
            drive(&mut [&mut server], |e| e[0].closed.contains(&conn));
        }
        drive(&mut [&mut server], |e| e[0].port.stats().connections == 0);
        assert_eq!(server.port.stats().accepted, 100);
        let mut all: Vec<_> = (0..8).map(|_| peer_of(&mut server)).collect();
        all.iter_mut().for_each(|one| check_talk(&mut server, one));
    }
}

/// What the kernel takes in for one whom nobody reads.
#[test]
fn a_peer_that_is_not_read_fills_a_bounded_buffer() {
    for mut net in nets() {
        let mut server = End::listen(&mut net, limits(1));
        let (mut peer, conn) = peer_of(&mut server);
        server.port.pause(conn, true);
        server.poll();
        // Keeps little itself, so what it writes is at our side.
        set(&peer, libc::SOL_SOCKET, libc::SO_SNDBUF, 4_096).unwrap();
        peer.set_nonblocking(true).unwrap();
        let (mut written, mut stuck) = (0, 0);
        while stuck < 1_000 {
            server.poll();
            match peer.write(&[9; 4_096]) {
                Ok(count) => (written, stuck) = (written + count, 0),
                Err(_) => stuck += 1,
            }
        }
        assert!(written < 1 << 19, "{written} bytes");
    }
}

/// Peers whose kernels hold much more than a turn takes.
fn flood(server: &mut End, count: usize) -> Vec<(TcpStream, Conn)> {
    let mut all: Vec<_> = (0..count).map(|_| peer_of(server)).collect();
    for (peer, _) in &mut all {
        peer.set_nonblocking(true).unwrap();
        let mut written = 0;
        while let Ok(count) = peer.write(&[9; 4_096]) {
            written += count;
            if written > FLOOD_BYTES {
                break;
            }
        }
    }
    all
}

#[test]
fn those_who_send_much_do_not_keep_the_others_from_being_heard() {
    // More than there are shared buffers: many find none.
    const LOUD: usize = 300;
    for mut net in nets() {
        let mut server = End::listen(&mut net, limits(LOUD as u16 + 1));
        let (mut peer, conn) = peer_of(&mut server);
        let loud = flood(&mut server, LOUD);
        peer.write_all(b"order").unwrap();
        arrived(&peer);
        // A round is a result for each shared buffer, and one for each who found none.
        let turns_max = 6 * (256 + LOUD).div_ceil(TURN_MAX);
        let mut turns = 0;
        while server.received(conn).is_empty() {
            assert!(server.poll() <= TURN_MAX);
            turns += 1;
            assert!(turns <= turns_max, "an order waited for {turns} turns");
        }
        drop(loud);
        assert_eq!(server.port.stats().resets, 0);
    }
}

#[test]
fn a_paused_flood_brings_no_more_than_the_buffers_hold() {
    for mut net in nets() {
        let mut server = End::listen(&mut net, limits(2));
        let mut good = peer_of(&mut server);
        let (_peer, conn) = flood(&mut server, 1).remove(0);
        drive(&mut [&mut server], |e| !e[0].received(conn).is_empty());
        server.port.pause(conn, true);
        let before = server.received(conn).len();
        check_talk(&mut server, &mut good);
        (0..1_000).for_each(|_| _ = server.poll());
        let came = server.received(conn).len() - before;
        assert!(came <= 256 * 64, "{came} bytes came");
        let paused_at = server.received(conn).len();
        server.port.pause(conn, false);
        drive(&mut [&mut server], |e| {
            e[0].received(conn).len() > paused_at + 100_000
        });
    }
}

#[test]
fn a_peer_that_vanished_is_found_out() {
    for mut net in nets() {
        let mut server = End::listen(&mut net, limits(2));
        let (peer, conn) = peer_of(&mut server);
        // Without a word to the other end; the system must allow it.
        if set(&peer, libc::IPPROTO_TCP, libc::TCP_REPAIR, 1).is_err() {
            eprintln!("not allowed to let a connection vanish: not tested");
            return;
        }
        drop(peer);
        (0..100).for_each(|_| _ = server.poll());
        assert!(server.closed.is_empty());
        assert_eq!(server.port.send(conn, b"heartbeat"), 9);
        drive(&mut [&mut server], |e| e[0].closed == [conn]);
        assert_eq!(server.port.stats().resets, 1);
        drive(&mut [&mut server], |e| e[0].port.stats().connections == 0);
    }
}

#[test]
fn silent_peers_are_asked_whether_they_are_there() {
    for mut net in nets() {
        let mut server = End::listen(&mut net, limits(2));
        let (peer, _) = peer_of(&mut server);
        let hex = |address: std::net::SocketAddr| format!("0100007F:{:04X}", address.port());
        let (here, there) = (hex(server.address()), hex(peer.local_addr().unwrap()));
        let table = std::fs::read_to_string("/proc/net/tcp").unwrap();
        let mut rows = table.lines().map(|line| line.split_whitespace().collect());
        let row = rows.find(|row: &Vec<&str>| row[1] == here && row[2] == there);
        let row = row.unwrap();
        // Its timer is the one that keeps alive.
        assert!(row[5].starts_with("02:"), "{row:?}");
    }
}

#[test]
fn one_peer_per_place_and_a_late_one_is_told() {
    let mut net = RealNet::new();
    let mut server = End::listen(&mut net, limits(1));
    let mut good = peer_of(&mut server);
    for _ in 0..20 {
        let mut late = TcpStream::connect(server.address()).unwrap();
        late.set_read_timeout(Some(Duration::from_secs(60)))
            .unwrap();
        let refused = server.port.stats().refused;
        drive(&mut [&mut server], |e| e[0].port.stats().refused > refused);
        assert_eq!(late.read(&mut [0; 1]).unwrap_or(0), 0);
    }
    check_talk(&mut server, &mut good);
}
