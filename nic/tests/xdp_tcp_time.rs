//! What a TCP port over AF_XDP does when time passes, by a clock that a test sets, and that none of
//! it takes memory.

#![allow(clippy::unwrap_used)] // helpers of tests, which the lint's own exemption misses

mod cable;
mod counting;

use std::net::SocketAddrV4;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use cable::raw::{Packet, SYN, segment, stranger};
use cable::{LIMITS, Server, cable, exchange, options, pattern};
use nic::netns::{VETH_NAME, VethEnd};
use nic::{Clock, HALF_OPEN_NS, RealClock, TcpEvent, TcpLimits, TcpPort, XdpTcp};

const SECOND_NS: u64 = 1_000_000_000;

/// The real clock, and what the test adds to it.
#[derive(Clone)]
struct Shifted {
    clock: RealClock,
    ahead_ns: Arc<Mutex<u64>>,
}

impl Shifted {
    fn new() -> Shifted {
        Shifted {
            clock: RealClock::new(),
            ahead_ns: Arc::new(Mutex::new(0)),
        }
    }

    fn pass(&self, ns: u64) {
        *self.ahead_ns.lock().unwrap() += ns;
    }
}

impl Clock for Shifted {
    fn now_ns(&self) -> u64 {
        self.clock.now_ns() + *self.ahead_ns.lock().unwrap()
    }
}

fn server(end: &VethEnd, limits: TcpLimits, clock: &Shifted) -> Server {
    let at = SocketAddrV4::new(end.address, 0);
    let clock = Box::new(clock.clone());
    let open = || XdpTcp::open(at, limits, &options(), clock);
    Server::new(end.netns.run(open).unwrap().unwrap())
}

#[test]
fn a_peer_that_vanished_is_found_out_though_nobody_has_anything_to_say() {
    let Some(pair) = cable() else { return };
    let clock = Shifted::new();
    let mut server = server(&pair.right, LIMITS, &clock);
    let peer = server.peer(&pair.left);
    // One that is there answers when asked, and stays.
    for _ in 0..6 {
        clock.pass(11 * SECOND_NS);
        exchange(&mut server, &peer, b"", b"");
        let frames = server.port.work().frames;
        server.drive("a sign of life", |server| {
            server.port.work().frames > frames
        });
    }
    assert!(server.closed.is_empty());
    // The host goes, and says nothing.
    pair.left
        .netns
        .ip(&["address", "flush", "dev", VETH_NAME])
        .unwrap();
    clock.pass(24 * SECOND_NS);
    (0..100).for_each(|_| _ = server.poll());
    assert!(server.closed.is_empty());
    clock.pass(2 * SECOND_NS);
    server.drive("the end", |server| server.closed == [peer.1]);
    assert_eq!(
        (server.port.stats().connections, server.port.stats().resets),
        (0, 1)
    );
}

#[test]
fn a_half_open_connection_is_given_up_in_time() {
    let Some(pair) = cable() else { return };
    let clock = Shifted::new();
    let mut server = server(&pair.right, LIMITS, &clock);
    let sender = pair
        .left
        .netns
        .run(|| Packet::open(VETH_NAME, false))
        .unwrap();
    let ends = (&pair.left, &pair.right);
    let port = server.address().port();
    assert!(sender.send(&segment(ends, (stranger(1), port), SYN, (7, 0))));
    server.drive("the SYN", |server| server.port.work().frames == 1);
    (0..100).for_each(|_| _ = server.poll());
    assert_eq!(server.port.work().given_up, 0);
    clock.pass(HALF_OPEN_NS);
    server.drive("its end", |server| server.port.work().given_up == 1);
    assert!(server.opened.is_empty());
}

/// It is asked again and again, and stays as long as it answers: whoever sends to it must give up.
#[test]
fn a_peer_that_keeps_its_window_shut_stays_until_it_falls_silent() {
    let Some(pair) = cable() else { return };
    let clock = Shifted::new();
    let mut server = server(&pair.right, LIMITS, &clock);
    let (deaf, conn) = server.peer(&pair.left);
    // The peer's kernel goes by its own clock: else it answers twice a second at most.
    let unlimited = || std::fs::write("/proc/sys/net/ipv4/tcp_invalid_ratelimit", "0");
    pair.left.netns.run(unlimited).unwrap().unwrap();
    let chunk = pattern(64 << 10, 5);
    let mut last = Instant::now();
    while last.elapsed() < Duration::from_millis(300) {
        if server.port.send(conn, &chunk) > 0 {
            last = Instant::now();
        }
        server.poll();
    }
    assert!(server.port.unsent(conn) > 0);
    let frames = server.port.work().frames;
    // Seconds pass, a hundredth of one each, and turns enough for an answer in each.
    let pass = |server: &mut Server, seconds_max: u64| {
        (0..seconds_max).find(|_| {
            clock.pass(SECOND_NS);
            let (start, mut turns) = (Instant::now(), 0);
            while turns < 200 || start.elapsed() < Duration::from_millis(10) {
                server.poll();
                turns += 1;
            }
            !server.closed.is_empty()
        })
    };
    assert_eq!(pass(&mut server, 100), None);
    let answers = server.port.work().frames - frames;
    assert!(answers >= 100 / 13, "{answers}");
    pair.left
        .netns
        .ip(&["address", "flush", "dev", VETH_NAME])
        .unwrap();
    assert!(pass(&mut server, 60).is_some() && server.closed == [conn]);
    drop(deaf);
}

#[test]
fn nothing_takes_memory_after_the_start() {
    let Some(pair) = cable() else { return };
    let limits = TcpLimits {
        connections: 4,
        ..LIMITS
    };
    let Server { mut port, .. } = server(&pair.right, limits, &Shifted::new());
    let to = port.local_addr().unwrap();
    let talk = || {
        use std::io::{Read, Write};
        for round in 0..300u32 {
            let mut peer = std::net::TcpStream::connect(to).unwrap();
            let message = vec![round as u8; 5_000];
            peer.write_all(&message).unwrap();
            let mut answer = vec![0; 5_000];
            peer.read_exact(&mut answer).unwrap();
            assert_eq!(answer, message);
        }
    };
    let sender = pair
        .left
        .netns
        .run(|| Packet::open(VETH_NAME, false))
        .unwrap();
    let syns = (0..1_000).map(|number| {
        segment(
            (&pair.left, &pair.right),
            (stranger(number), to.port()),
            SYN,
            (7, 0),
        )
    });
    let (syns, mut sent) = (syns.collect::<Vec<_>>(), 0);
    std::thread::scope(|scope| {
        let talking = scope.spawn(|| pair.left.netns.run(talk));
        let before = counting::taken();
        let mut taken = 0;
        let mut waiting = [(nic::Conn(0), 0); 256];
        while !talking.is_finished() {
            let mut count = 0;
            port.poll(&mut |event| {
                if let TcpEvent::Data { conn, bytes } = event {
                    waiting[count] = (conn, (u32::from(bytes[0]) << 16) | bytes.len() as u32);
                    count += 1;
                }
            });
            for (conn, what) in &waiting[..count] {
                let bytes = [(what >> 16) as u8; 32 << 10];
                let length = (what & 0xffff) as usize;
                assert_eq!(port.send(*conn, &bytes[..length]), length);
            }
            port.flush();
            taken = counting::taken() - before;
            if let Some(syn) = syns.get(sent) {
                sent += usize::from(sender.send(syn));
            }
        }
        talking.join().unwrap().unwrap();
        assert_eq!(taken, 0);
    });
    let work = port.work();
    assert!(
        port.stats().accepted == 300 && work.given_up > 0,
        "{work:?}"
    );
}
