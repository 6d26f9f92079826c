//! The clock, and the ports joined in memory.

use std::net::{Ipv4Addr, SocketAddrV4};
use std::time::{SystemTime, UNIX_EPOCH};

use nic::{Clock, Conn, RealClock, SendError, TcpEvent, TcpPort, UdpPort, mirror};

#[test]
fn clock_is_the_system_clock_and_never_goes_back() {
    let clock = RealClock::new();
    let before = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap()
        .as_nanos() as u64;
    let mut last = clock.now_ns();
    // A wide bound: it catches a wrong unit or epoch, not a slow machine.
    assert!(last.abs_diff(before) < 60_000_000_000);
    for _ in 0..10_000 {
        let now = clock.now_ns();
        assert!(now >= last);
        last = now;
    }
    let copy = clock.clone();
    assert!(copy.now_ns() >= last);
}

#[test]
fn datagrams_reach_the_other_end_until_it_is_full() {
    let left_at = SocketAddrV4::new(Ipv4Addr::new(10, 0, 0, 1), 1);
    let right_at = SocketAddrV4::new(Ipv4Addr::new(10, 0, 0, 2), 2);
    let (mut left, mut right) = mirror::udp_pair(left_at, right_at);
    let mut sent = 0u32;
    while left.send(right_at, &sent.to_le_bytes()).is_ok() {
        sent += 1;
    }
    assert_eq!(left.send(right_at, b"x"), Err(SendError::Full));
    assert_eq!(left.send(right_at, &[0; 1473]), Err(SendError::TooLong));
    let mut got = 0u32;
    while right.poll(&mut |from, payload| {
        assert_eq!((from, payload), (left_at, &got.to_le_bytes()[..]));
        got += 1;
    }) > 0
    {}
    assert_eq!(got, sent);
    right.send(left_at, b"back").unwrap();
    assert_eq!(
        left.poll(&mut |from, payload| assert_eq!((from, payload), (right_at, &b"back"[..]))),
        1
    );
}

fn events(port: &mut impl TcpPort) -> Vec<(char, Conn, Vec<u8>)> {
    let mut all = Vec::new();
    while port.poll(&mut |event| {
        all.push(match event {
            TcpEvent::Opened { conn, .. } => ('O', conn, Vec::new()),
            TcpEvent::Data { conn, bytes } => ('D', conn, bytes.to_vec()),
            TcpEvent::Closed { conn } => ('C', conn, Vec::new()),
        });
    }) > 0
    {}
    all
}

#[test]
fn stream_is_opened_read_and_closed_on_both_ends() {
    let (mut server, mut client) = mirror::tcp_pair();
    let conn = client.connect("10.0.0.1:1".parse().unwrap()).unwrap();
    assert_eq!(client.send(conn, b"early"), 0);
    assert_eq!(events(&mut client), [('O', conn, vec![])]);
    assert_eq!(client.send(conn, b"hello"), 5);
    assert_eq!(
        events(&mut server),
        [('O', conn, vec![]), ('D', conn, b"hello".to_vec())]
    );
    let room = server.send_room(conn);
    assert_eq!(server.send(conn, &vec![7; room + 10]), room);
    server.close(conn);
    assert_eq!(server.send(conn, b"late"), 0);
    assert_eq!(
        events(&mut client),
        [('D', conn, vec![7; room]), ('C', conn, vec![])]
    );
    assert_eq!(events(&mut server), [('C', conn, vec![])]);
    assert_eq!(
        (client.stats().connections, server.stats().connections),
        (0, 0)
    );
}
