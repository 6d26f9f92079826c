//! Ten thousand silent sessions beside a few that talk: the same work for each message, counted.

#![allow(clippy::unwrap_used)] // helpers of tests, which the lint's own exemption misses

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::os::fd::AsRawFd;
use std::time::{Duration, Instant};

use io_uring::IoUring;
use nic::{Conn, Effort, Net, RealNet, Receive, SocketTcp, TcpEvent, TcpLimits, TcpPort};
use nic::{UringOptions, UringState};

const PATIENCE: Duration = Duration::from_secs(60);
const IDLE: usize = 10_000;
const ACTIVE: usize = 4;
const ROUNDS: usize = 100;
/// Peers that dial before the port is polled again; the kernel's queue holds more.
const DIALLED_AT_ONCE: usize = 500;

const LIMITS: TcpLimits = TcpLimits {
    connections: (IDLE + ACTIVE) as u16,
    receive_bytes: 256,
    send_bytes: 256,
    linger_ms: 2000,
};

/// Silent peers. Their sockets stay open in a table of io_uring, where they take none of the
/// process's descriptors: those go to the port under test.
struct Shelf {
    ring: IoUring,
    held: u32,
}

impl Shelf {
    fn new() -> Shelf {
        let ring = IoUring::new(2).unwrap();
        ring.submitter().register_files_sparse(IDLE as u32).unwrap();
        Shelf { ring, held: 0 }
    }

    fn put(&mut self, peer: TcpStream) {
        let submitter = self.ring.submitter();
        let descriptor = [peer.as_raw_fd()];
        let put = submitter.register_files_update(self.held, &descriptor);
        assert_eq!(put.unwrap(), 1);
        self.held += 1;
    }
}

/// Lets this process have so many descriptors, and later no more than `most`.
fn descriptors_limit(count: u64, most: Option<u64>) -> u64 {
    let mut limit = libc::rlimit {
        rlim_cur: 0,
        rlim_max: 0,
    };
    // SAFETY: the structure is writable.
    let got = unsafe { libc::getrlimit(libc::RLIMIT_NOFILE, &mut limit) };
    limit.rlim_cur = count;
    limit.rlim_max = most.unwrap_or(limit.rlim_max);
    // SAFETY: the structure is readable.
    let set = unsafe { libc::setrlimit(libc::RLIMIT_NOFILE, &limit) };
    assert_eq!((got, set), (0, 0));
    limit.rlim_max
}

/// An echo: what it receives it sends back.
struct Echo {
    port: SocketTcp,
    opened: usize,
}

impl Echo {
    fn poll(&mut self) {
        let mut answers: Vec<(Conn, Vec<u8>)> = Vec::new();
        let opened = &mut self.opened;
        self.port.poll(&mut |event| match event {
            TcpEvent::Opened { .. } => *opened += 1,
            TcpEvent::Data { conn, bytes } => answers.push((conn, bytes.to_vec())),
            TcpEvent::Closed { conn } => panic!("{conn:?} closed"),
        });
        for (conn, bytes) in answers {
            assert_eq!(self.port.send(conn, &bytes), bytes.len());
        }
        self.port.flush();
    }

    /// Polls until so many are connected.
    fn open(&mut self, count: usize) {
        let start = Instant::now();
        while self.opened < count {
            assert!(start.elapsed() < PATIENCE, "{} of {count}", self.opened);
            self.poll();
        }
        // Arms what the last ones need: the next accept, a receive.
        self.poll();
    }
}

fn peers(address: SocketAddr) -> Vec<TcpStream> {
    let dial = |_| {
        let peer = TcpStream::connect(address).unwrap();
        peer.set_nodelay(true).unwrap();
        peer.set_nonblocking(true).unwrap();
        peer
    };
    (0..ACTIVE).map(dial).collect()
}

/// The work for `ROUNDS` messages to and from each active peer.
fn work(echo: &mut Echo, active: &mut [TcpStream]) -> Effort {
    let before = echo.port.effort();
    for round in 0..ROUNDS {
        let message = [round as u8; 64];
        for peer in active.iter_mut() {
            peer.write_all(&message).unwrap();
        }
        for peer in active.iter_mut() {
            let mut answer = [0; 64];
            let start = Instant::now();
            while peer.read_exact(&mut answer).is_err() {
                assert!(start.elapsed() < PATIENCE);
                echo.poll();
            }
            assert_eq!(answer, message);
        }
        // The results of the sends belong to this round.
        echo.poll();
    }
    let after = echo.port.effort();
    Effort {
        turns: after.turns - before.turns,
        calls: after.calls - before.calls,
        started: after.started - before.started,
        ended: after.ended - before.ended,
    }
}

/// Work without and with idle sessions, on the same port.
fn compare(receive: Receive) -> Option<[Effort; 2]> {
    let mut net = RealNet::with_uring(UringOptions {
        receive,
        ..UringOptions::default()
    });
    // Every local address of the listener is another one, so that ports suffice.
    let port = net
        .tcp_listen("0.0.0.0:0".parse().unwrap(), LIMITS)
        .unwrap();
    let state: UringState = port.uring()?;
    assert_eq!(state.receive, receive);
    let number = port.local_addr().unwrap().port();
    let mut echo = Echo { port, opened: 0 };
    let mut active = peers(([127, 0, 0, 1], number).into());
    echo.open(ACTIVE);
    work(&mut echo, &mut active); // warms up
    let alone = work(&mut echo, &mut active);
    let mut shelf = Shelf::new();
    for host in 0..IDLE / DIALLED_AT_ONCE {
        for _ in 0..DIALLED_AT_ONCE {
            let at = ([127, 0, 1, host as u8], number);
            shelf.put(TcpStream::connect(SocketAddr::from(at)).unwrap());
        }
        echo.open(ACTIVE + (host + 1) * DIALLED_AT_ONCE);
    }
    assert_eq!(echo.port.stats().connections, (IDLE + ACTIVE) as u64);
    let amid = work(&mut echo, &mut active);
    let before = echo.port.effort();
    (0..1_000).for_each(|_| echo.poll());
    let after = echo.port.effort();
    assert_eq!((after.calls, after.ended), (before.calls, before.ended));
    assert_eq!(echo.port.stats().connections, (IDLE + ACTIVE) as u64);
    Some([alone, amid])
}

#[test]
fn ten_thousand_idle_sessions_cost_active_ones_nothing() {
    // The usual soft limit or less: the port raises it.
    let descriptors = descriptors_limit(256, None);
    assert!(
        descriptors > (IDLE + 500) as u64,
        "this test needs {} descriptors and may have {descriptors}: raise `ulimit -Hn`",
        IDLE + 500
    );
    for receive in [Receive::Multishot, Receive::Single] {
        let Some([alone, amid]) = compare(receive) else {
            eprintln!("no io_uring here: plain sockets try every session every turn");
            return;
        };
        println!("{receive:?} alone {alone:?}\n{receive:?} amid {IDLE} {amid:?}");
        assert_eq!(
            (alone.calls, alone.started, alone.ended),
            (amid.calls, amid.started, amid.ended),
            "{receive:?}"
        );
        let messages = (ROUNDS * ACTIVE) as u64;
        // A message in is a result, and so is its answer; nothing else is.
        assert_eq!(amid.ended, 2 * messages, "{receive:?}");
        let started = match receive {
            Receive::Multishot => messages,
            Receive::Single => 2 * messages,
        };
        assert_eq!(amid.started, started, "{receive:?}");
        // One call fetches the messages of a round, one sends the answers.
        assert!(amid.calls <= 3 * ROUNDS as u64, "{receive:?} {amid:?}");
    }
}

/// Marks the process that is the child of the test below.
const CHILD: &str = "NIC_FEW_DESCRIPTORS";

#[test]
fn more_connections_than_descriptors_are_refused_in_words() {
    let child = std::process::Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "child_with_few_descriptors"])
        .env(CHILD, "1")
        .output()
        .unwrap();
    assert!(child.status.success(), "{child:?}");
}

#[test]
fn child_with_few_descriptors() {
    if std::env::var_os(CHILD).is_none() {
        return;
    }
    descriptors_limit(200, Some(200));
    let mut limits = LIMITS;
    limits.connections = 137;
    let error = RealNet::new().tcp_client(limits).unwrap_err().to_string();
    for part in ["137 connections", "201", "200", "ulimit"] {
        assert!(error.contains(part), "{part} is not in {error}");
    }
    limits.connections = 136;
    assert!(RealNet::new().tcp_client(limits).is_ok());
}
