//! A member's way to the venue: over the network, or through rings of memory by a gateway's
//! process, which can die at any time, with words in both rings.

use std::io;
use std::net::SocketAddr;

use door::{Door, Rings};
use nic::{Conn, ConnectError, TcpEvent, TcpPort as _};

use crate::net::SimTcp;

/// How a member reaches the venue.
pub enum Way {
    Net(SimTcp),
    Rings(Box<Gateway>),
}

/// A gateway's process, and the rings that the venue of the present life handed it.
#[derive(Default)]
pub struct Gateway {
    rings: Option<Rings>,
    door: Option<Door>,
    /// Connections so far.
    connections: u32,
    /// It is still to be told that the last one is there.
    is_new: bool,
    /// Messages of the ring that it takes in a turn at most.
    chunks_max: usize,
    counts: GatewayCounts,
}

/// What happened at the rings.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct GatewayCounts {
    /// Processes that died.
    pub deaths: u64,
    /// Times at which a ring had no room for all that a gateway wanted to say.
    pub full: u64,
}

impl Gateway {
    /// One that takes so many messages in a turn.
    pub fn new(chunks_max: usize) -> Self {
        Self {
            chunks_max,
            ..Self::default()
        }
    }

    fn conn(&self) -> Conn {
        Conn::new(0, self.connections)
    }

    fn poll(&mut self, on: &mut dyn FnMut(TcpEvent<'_>)) -> usize {
        let conn = self.conn();
        let Some(door) = &mut self.door else {
            return 0;
        };
        let mut count = 0;
        if std::mem::take(&mut self.is_new) {
            let peer = SocketAddr::from(([0, 0, 0, 0], 0));
            on(TcpEvent::Opened { conn, peer });
            count += 1;
        }
        let goes_on = door.receive(self.chunks_max, &mut |bytes| {
            count += 1;
            on(TcpEvent::Data { conn, bytes });
        });
        if !goes_on {
            self.door = None;
            count += 1;
            on(TcpEvent::Closed { conn });
        }
        count
    }

    /// A process takes the rings over from the one before.
    fn connect(&mut self) -> Result<Conn, ConnectError> {
        let rings = self.rings.as_ref().ok_or(ConnectError::Full)?;
        let session = u64::from(self.connections) + 1;
        let door = Door::begin(rings, session).map_err(|_| ConnectError::Full)?;
        self.door = Some(door);
        self.connections += 1;
        self.is_new = true;
        Ok(self.conn())
    }

    fn send(&mut self, conn: Conn, bytes: &[u8]) -> usize {
        let is_this = conn == self.conn();
        let door = self.door.as_mut().filter(|_| is_this);
        let sent = door.map_or(0, |door| door.send(bytes));
        self.counts.full += u64::from(sent < bytes.len());
        sent
    }
}

impl Way {
    /// What came, and how a connection stands.
    pub fn poll(&mut self, on: &mut dyn FnMut(TcpEvent<'_>)) -> usize {
        match self {
            Self::Net(tcp) => tcp.poll(on),
            Self::Rings(gateway) => gateway.poll(on),
        }
    }

    /// Begins a connection.
    pub fn connect(&mut self, to: SocketAddr) -> Result<Conn, ConnectError> {
        match self {
            Self::Net(tcp) => tcp.connect(to),
            Self::Rings(gateway) => gateway.connect(),
        }
    }

    /// Sends as many bytes as there is room for.
    pub fn send(&mut self, conn: Conn, bytes: &[u8]) -> usize {
        match self {
            Self::Net(tcp) => tcp.send(conn, bytes),
            Self::Rings(gateway) => gateway.send(conn, bytes),
        }
    }

    /// Ends a connection; a gateway says nothing of it, as one that died.
    pub fn close(&mut self, conn: Conn) {
        match self {
            Self::Net(tcp) => tcp.close(conn),
            Self::Rings(gateway) => gateway.door = None,
        }
    }

    /// The venue starts again and makes these rings.
    pub fn hand(&mut self, rings: &Rings) {
        if let Self::Rings(gateway) = self {
            gateway.rings = Some(rings.clone());
        }
    }

    /// The gateway's process dies, if there is one; whether it did.
    pub fn die(&mut self) -> bool {
        match self {
            Self::Rings(gateway) => {
                let has_died = gateway.door.take().is_some();
                gateway.counts.deaths += u64::from(has_died);
                has_died
            }
            Self::Net(_) => false,
        }
    }

    /// What happened at the rings, if there are any.
    pub fn counts(&self) -> GatewayCounts {
        match self {
            Self::Net(_) => GatewayCounts::default(),
            Self::Rings(gateway) => gateway.counts,
        }
    }
}

/// The rings of a venue's life, of so many messages each.
pub fn rings(depth: usize) -> io::Result<Rings> {
    Rings::on_heap(depth).map_err(|error| io::Error::other(error.to_string()))
}
