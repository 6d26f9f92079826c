//! Ends of connections that tests drive, and the engines to drive them over.

#![allow(dead_code, unused_imports)] // each test program uses its part
#![allow(clippy::unwrap_used)] // helpers of tests, which the lint's own exemption misses

#[path = "../shared/mod.rs"]
mod shared;

use std::time::Instant;

use nic::{Conn, Net, RealNet, Receive, SocketTcp, TcpLimits, TcpPort, UringOptions};
pub use shared::{PATIENCE, Random, pattern};

pub const ANY: &str = "127.0.0.1:0";

/// A port over sockets and what it reported.
pub type End = shared::End<SocketTcp>;

impl End {
    pub fn listen(net: &mut RealNet, limits: TcpLimits) -> End {
        End::new(net.tcp_listen(ANY.parse().unwrap(), limits).unwrap())
    }

    pub fn client(net: &mut RealNet, limits: TcpLimits) -> End {
        End::new(net.tcp_client(limits).unwrap())
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
