//! What tests of ports share: a port with what it reported, bytes to send, and numbers by lot.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::time::Duration;

use nic::{Conn, TcpEvent, TcpPort};

/// What a slow machine may take; every wait ends by an event.
pub const PATIENCE: Duration = Duration::from_secs(60);

/// A port and what it reported.
pub struct End<P> {
    pub port: P,
    pub opened: Vec<(Conn, SocketAddr)>,
    pub data: HashMap<Conn, Vec<u8>>,
    pub closed: Vec<Conn>,
}

impl<P: TcpPort> End<P> {
    pub fn new(port: P) -> End<P> {
        End {
            port,
            opened: Vec::new(),
            data: HashMap::new(),
            closed: Vec::new(),
        }
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

pub fn pattern(length: usize, seed: u32) -> Vec<u8> {
    let mut state = seed;
    let step = |_| {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 24) as u8
    };
    (0..length).map(step).collect()
}

/// A small generator (xorshift64*): the same numbers in every run.
pub struct Random(pub u64);

impl Random {
    pub fn next(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d)
    }

    pub fn below(&mut self, bound: usize) -> usize {
        (self.next() >> 33) as usize % bound
    }
}
