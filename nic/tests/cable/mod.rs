//! A TCP port over AF_XDP at one end of a virtual cable, and kernel sockets at the other.

#![allow(dead_code)] // each test program uses its part
#![allow(clippy::unwrap_used)] // helpers of tests, which the lint's own exemption misses

pub mod raw;

use std::collections::HashMap;
use std::net::{SocketAddr, SocketAddrV4, TcpStream};
use std::time::{Duration, Instant};

use nic::netns::{VETH_NAME, VethEnd, VethPair};
use nic::{Conn, RealClock, TcpEvent, TcpLimits, TcpPort, XdpMode, XdpOptions, XdpTcp};

/// What a slow machine may take; every wait ends by an event.
pub const PATIENCE: Duration = Duration::from_secs(60);

/// A cable whose ends can do AF_XDP, or `None` with the reason printed.
pub fn cable() -> Option<VethPair> {
    let pair = VethPair::create()
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
    XdpOptions {
        interface: VETH_NAME.into(),
        best: XdpMode::Native,
        neighbours: Vec::new(),
    }
}

pub fn open(end: &VethEnd, limits: TcpLimits) -> std::io::Result<XdpTcp> {
    let at = SocketAddrV4::new(end.address, 0);
    let clock = Box::new(RealClock::new());
    end.netns
        .run(|| XdpTcp::open(at, limits, &options(), clock))
        .unwrap()
}

/// A port and what it reported.
pub struct Server {
    pub port: XdpTcp,
    pub opened: Vec<(Conn, SocketAddr)>,
    pub data: HashMap<Conn, Vec<u8>>,
    pub closed: Vec<Conn>,
}

impl Server {
    pub fn open(end: &VethEnd, limits: TcpLimits) -> Server {
        Server::of(open(end, limits).unwrap())
    }

    pub fn of(port: XdpTcp) -> Server {
        Server {
            port,
            opened: Vec::new(),
            data: HashMap::new(),
            closed: Vec::new(),
        }
    }

    pub fn address(&self) -> SocketAddr {
        self.port.local_addr().unwrap()
    }

    /// One turn.
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

pub fn pattern(length: usize, seed: u32) -> Vec<u8> {
    let mut state = seed;
    let step = |_| {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 24) as u8
    };
    (0..length).map(step).collect()
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
