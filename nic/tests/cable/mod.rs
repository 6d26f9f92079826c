//! A TCP port over AF_XDP at one end of a virtual cable, and kernel sockets at the other.

#![allow(dead_code, unused_imports)] // each test program uses its part
#![allow(clippy::unwrap_used)] // helpers of tests, which the lint's own exemption misses

pub mod raw;
#[path = "../shared/mod.rs"]
mod shared;

use std::net::{SocketAddrV4, TcpStream};
use std::time::Instant;

use nic::netns::{VETH_NAME, VethEnd, VethOptions, VethPair};
use nic::{Conn, RealClock, TcpLimits, TcpPort, XdpMode, XdpOptions, XdpTcp};
pub use shared::{PATIENCE, Random, pattern};

/// A cable whose ends can do AF_XDP, or `None` with the reason printed.
pub fn cable() -> Option<VethPair> {
    cable_with(1)
}

/// The same, with so many queues at each end.
pub fn cable_with(queues: u32) -> Option<VethPair> {
    let options = VethOptions {
        queues,
        ..VethOptions::default()
    };
    let pair = VethPair::with(&options)
        .inspect_err(|error| println!("skipped: {error}"))
        .ok()?;
    can_xdp(&pair.right).then_some(pair)
}

/// Through the crate below, so that a fault of the port above is a failure and not a skip.
pub fn can_xdp(end: &VethEnd) -> bool {
    let probe = end.netns.run(|| {
        let interface = af_xdp::interface_index(VETH_NAME)?;
        let (mode, rule) = (af_xdp::Mode::Native, af_xdp::Rule::udp(&[9]));
        af_xdp::Port::open(&af_xdp::Options::new(interface, mode, rule))
    });
    probe
        .unwrap()
        .inspect_err(|error| println!("skipped: AF_XDP is refused: {error}"))
        .is_ok()
}

pub const LIMITS: TcpLimits = TcpLimits {
    connections: 8,
    receive_bytes: 16 << 10,
    send_bytes: 64 << 10,
    linger_ms: 10_000,
};

pub fn options() -> XdpOptions {
    XdpOptions::new(VETH_NAME, XdpMode::Native)
}

pub fn open(end: &VethEnd, limits: TcpLimits) -> std::io::Result<XdpTcp> {
    open_with(end, limits, &options())
}

pub fn open_with(end: &VethEnd, limits: TcpLimits, xdp: &XdpOptions) -> std::io::Result<XdpTcp> {
    let at = SocketAddrV4::new(end.address, 0);
    let clock = Box::new(RealClock::new());
    end.netns
        .run(|| XdpTcp::open(at, limits, xdp, clock))
        .unwrap()
}

/// A port around the kernel and what it reported.
pub type Server = shared::End<XdpTcp>;

impl Server {
    pub fn open(end: &VethEnd, limits: TcpLimits) -> Server {
        Server::new(open(end, limits).unwrap())
    }

    /// Polls until `done`.
    pub fn drive(&mut self, what: &str, mut done: impl FnMut(&mut Server) -> bool) {
        let start = Instant::now();
        while !done(self) {
            assert!(
                start.elapsed() < PATIENCE,
                "waited for {what}: {:?}",
                self.port
            );
            if self.poll() == 0 {
                std::thread::yield_now();
            }
        }
    }

    /// A kernel socket at `end` that is connected to the port, without blocking.
    pub fn peer(&mut self, end: &VethEnd) -> (TcpStream, Conn) {
        let before = self.opened.len();
        let address = self.address();
        let (peer, conn) = std::thread::scope(|scope| {
            let dialling = scope.spawn(|| end.netns.run(|| TcpStream::connect(address)));
            self.drive("a connection", |server| server.opened.len() > before);
            (
                dialling.join().unwrap().unwrap().unwrap(),
                self.opened[before].0,
            )
        });
        assert_eq!(self.opened[before].1, peer.local_addr().unwrap());
        peer.set_nodelay(true).unwrap();
        peer.set_nonblocking(true).unwrap();
        (peer, conn)
    }
}

/// Pushes `there` from the peer and `back` from the port, both at once, until all has arrived.
pub fn exchange(server: &mut Server, peer: &(TcpStream, Conn), there: &[u8], back: &[u8]) {
    use std::io::{Read, Write};
    let (mut stream, conn) = (&peer.0, peer.1);
    let (before, mut written, mut pushed) = (server.received(conn).len(), 0, 0);
    let mut got = Vec::new();
    let mut buffer = vec![0; 64 << 10];
    let start = Instant::now();
    while got.len() < back.len() || server.received(conn).len() < before + there.len() {
        assert!(
            start.elapsed() < PATIENCE,
            "{written} {pushed} {}: {:?}",
            got.len(),
            server.port
        );
        if let Ok(bytes) = stream.write(&there[written..]) {
            written += bytes;
        }
        pushed += server.port.send(conn, &back[pushed..]);
        server.poll();
        match stream.read(&mut buffer) {
            Ok(bytes) => got.extend_from_slice(&buffer[..bytes]),
            Err(error) => assert_eq!(error.kind(), std::io::ErrorKind::WouldBlock),
        }
        assert!(server.closed.is_empty(), "{:?}", server.port);
    }
    assert!(got == back, "what the peer got differs");
    assert!(
        server.received(conn)[before..] == *there,
        "what the port got differs"
    );
}
