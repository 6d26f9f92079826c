//! Ends of connections that tests drive, and the engines to drive them over.

#![allow(dead_code)] // each test program uses its part
#![allow(clippy::unwrap_used)] // helpers of tests, which the lint's own exemption misses

use std::collections::HashMap;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use nic::{Conn, Net, RealNet, Receive, SocketTcp, TcpEvent, TcpLimits, TcpPort, UringOptions};

/// What a slow machine may take; every wait ends by an event.
pub const PATIENCE: Duration = Duration::from_secs(60);

pub const ANY: &str = "127.0.0.1:0";

/// A port and what it reported.
pub struct End {
    pub port: SocketTcp,
    pub opened: Vec<(Conn, SocketAddr)>,
    pub data: HashMap<Conn, Vec<u8>>,
    pub closed: Vec<Conn>,
}

impl End {
    pub fn new(port: SocketTcp) -> End {
        End {
            port,
            opened: Vec::new(),
            data: HashMap::new(),
            closed: Vec::new(),
        }
    }

    pub fn listen(net: &mut RealNet, limits: TcpLimits) -> End {
        End::new(net.tcp_listen(ANY.parse().unwrap(), limits).unwrap())
    }

    pub fn client(net: &mut RealNet, limits: TcpLimits) -> End {
        End::new(net.tcp_client(limits).unwrap())
    }

    pub fn address(&self) -> SocketAddr {
        self.port.local_addr().unwrap()
    }

    /// One turn; says how many events it brought.
    pub fn poll(&mut self) -> usize {
        let (opened, data, closed) = (&mut self.opened, &mut self.data, &mut self.closed);
        self.port.poll(&mut |event| match event {
            TcpEvent::Opened { conn, peer } => opened.push((conn, peer)),
            TcpEvent::Data { conn, bytes } => {
                assert!(!bytes.is_empty());
                data.entry(conn).or_default().extend_from_slice(bytes);
            }
            TcpEvent::Closed { conn } => {
                assert!(!closed.contains(&conn), "closed twice");
                closed.push(conn);
            }
        })
    }

    pub fn received(&self, conn: Conn) -> &[u8] {
        self.data.get(&conn).map_or(&[], Vec::as_slice)
    }
}

/// Polls all ends until `done`.
pub fn drive(ends: &mut [&mut End], mut done: impl FnMut(&mut [&mut End]) -> bool) {
    let start = Instant::now();
    while !done(ends) {
        assert!(start.elapsed() < PATIENCE, "nothing happened for too long");
        ends.iter_mut().for_each(|end| _ = end.poll());
        std::thread::yield_now();
    }
}

/// Every test runs over each engine (the same one thrice where io_uring is refused).
pub fn nets() -> [RealNet; 3] {
    let single = UringOptions {
        receive: Receive::Single,
        ..UringOptions::default()
    };
    [
        RealNet::new(),
        RealNet::with_uring(single),
        RealNet::sockets_only(),
    ]
}

pub fn joined(net: &mut RealNet, limits: TcpLimits) -> (End, End, Conn, Conn) {
    let mut server = End::listen(net, limits);
    let mut client = End::client(net, limits);
    let here = client.port.connect(server.address()).unwrap();
    drive(&mut [&mut server, &mut client], |e| {
        !e[0].opened.is_empty() && !e[1].opened.is_empty()
    });
    assert_eq!(client.opened[0], (here, server.address()));
    let there = server.opened[0].0;
    (server, client, here, there)
}

pub fn pattern(length: usize, seed: u32) -> Vec<u8> {
    let mut state = seed;
    let step = |_| {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 24) as u8
    };
    (0..length).map(step).collect()
}
