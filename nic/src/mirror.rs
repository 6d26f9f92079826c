//! Two ports joined in memory: a test drives both ends without a kernel.
//!
//! Nothing is lost, reordered or delayed; a simulator that does such things has its own network.

use std::collections::VecDeque;
use std::net::{IpAddr, Ipv4Addr, SocketAddr, SocketAddrV4};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::clock::{FirstTouch, Stamp};
use crate::port::{
    Conn, ConnectError, DATAGRAM_BYTES_MAX, SendError, TcpEvent, TcpPort, TcpStats, UdpPort,
    UdpStats,
};

/// Datagrams that may wait for the other end.
const DATAGRAMS_MAX: usize = 1024;
/// Events one poll hands out at most.
const EVENTS_MAX: usize = 64;
/// Connections a pair may have over its life.
const CONNECTIONS_MAX: usize = 1024;
/// Bytes that may wait for the other end of a connection.
const STREAM_BYTES_MAX: usize = 64 << 10;

type Queue = Arc<Mutex<VecDeque<(SocketAddrV4, Vec<u8>)>>>;

fn lock<T>(shared: &Mutex<T>) -> MutexGuard<'_, T> {
    shared.lock().unwrap_or_else(PoisonError::into_inner)
}

/// One end of a pair of datagram ports.
#[derive(Debug)]
pub struct MirrorUdp {
    local: SocketAddrV4,
    incoming: Queue,
    outgoing: Queue,
    stats: UdpStats,
}

/// Two datagram ports: whatever one sends, to any address, arrives at the other.
pub fn udp_pair(left: SocketAddrV4, right: SocketAddrV4) -> (MirrorUdp, MirrorUdp) {
    let (to_left, to_right) = (Queue::default(), Queue::default());
    let end = |local, incoming: &Queue, outgoing: &Queue| MirrorUdp {
        local,
        incoming: Arc::clone(incoming),
        outgoing: Arc::clone(outgoing),
        stats: UdpStats::default(),
    };
    (
        end(left, &to_left, &to_right),
        end(right, &to_right, &to_left),
    )
}

impl UdpPort for MirrorUdp {
    fn poll(&mut self, on: &mut dyn FnMut(SocketAddrV4, &[u8])) -> usize {
        let mut count = 0;
        while count < EVENTS_MAX {
            let Some((from, payload)) = lock(&self.incoming).pop_front() else {
                break;
            };
            on(from, &payload);
            count += 1;
        }
        self.stats.received += count as u64;
        count
    }

    fn send(&mut self, _to: SocketAddrV4, payload: &[u8]) -> Result<(), SendError> {
        if payload.len() > DATAGRAM_BYTES_MAX {
            return Err(SendError::TooLong);
        }
        let mut outgoing = lock(&self.outgoing);
        if outgoing.len() == DATAGRAMS_MAX {
            return Err(SendError::Full);
        }
        outgoing.push_back((self.local, payload.to_vec()));
        self.stats.sent += 1;
        Ok(())
    }

    fn flush(&mut self) {}

    fn mode(&self) -> &'static str {
        "mirror"
    }

    fn local_addr(&self) -> SocketAddrV4 {
        self.local
    }

    fn stats(&self) -> UdpStats {
        self.stats
    }
}

/// One direction of a connection.
#[derive(Debug, Default)]
struct Stream {
    bytes: VecDeque<u8>,
    /// The writer will write no more.
    ended: bool,
}

#[derive(Debug, Default)]
struct Link {
    /// To the server, to the client.
    streams: [Stream; 2],
}

/// What one end told its caller about a connection.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Told {
    #[default]
    Nothing,
    Opened,
    Closed,
}

/// What an end says of the frames of its bytes, as a port around the kernel does; nothing at first.
pub type Touched = Arc<Mutex<Option<Stamp<FirstTouch>>>>;

/// One end of a pair of stream ports.
#[derive(Debug)]
pub struct MirrorTcp {
    links: Arc<Mutex<Vec<Link>>>,
    /// The stream this end reads: 0 for the server, 1 for the client.
    reads: usize,
    told: Vec<Told>,
    closed_here: Vec<bool>,
    paused: Vec<bool>,
    touched: Touched,
    stats: TcpStats,
}

/// A server and a client; the client's `connect`, to any address, reaches the server.
pub fn tcp_pair() -> (MirrorTcp, MirrorTcp) {
    let links = Arc::new(Mutex::new(Vec::new()));
    let end = |reads| MirrorTcp {
        links: Arc::clone(&links),
        reads,
        told: Vec::new(),
        closed_here: Vec::new(),
        paused: Vec::new(),
        touched: Touched::default(),
        stats: TcpStats::default(),
    };
    (end(0), end(1))
}

impl MirrorTcp {
    fn peer(&self) -> SocketAddr {
        SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), self.reads as u16 + 1)
    }

    fn open(&self, conn: Conn) -> bool {
        self.told.get(conn.slot()) == Some(&Told::Opened) && !self.closed_here[conn.slot()]
    }

    /// The next event of one connection, if there is one.
    fn step(&mut self, index: usize, on: &mut dyn FnMut(TcpEvent<'_>)) -> usize {
        let conn = Conn::new(index, 1);
        if self.told[index] == Told::Nothing {
            self.told[index] = Told::Opened;
            self.stats.connections += 1;
            on(TcpEvent::Opened {
                conn,
                peer: self.peer(),
            });
            return 1;
        }
        if self.told[index] == Told::Closed {
            return 0;
        }
        if self.paused[index] && !self.closed_here[index] {
            return 0;
        }
        let mut links = lock(&self.links);
        let stream = &mut links[index].streams[self.reads];
        let bytes: Vec<u8> = stream.bytes.drain(..).collect();
        let ended = stream.ended;
        drop(links);
        if !bytes.is_empty() && !self.closed_here[index] {
            self.stats.bytes_in += bytes.len() as u64;
            on(TcpEvent::Data {
                conn,
                bytes: &bytes,
            });
            return 1;
        }
        if !ended && !self.closed_here[index] {
            return 0;
        }
        self.told[index] = Told::Closed;
        self.stats.connections -= 1;
        lock(&self.links)[index].streams[1 - self.reads].ended = true;
        on(TcpEvent::Closed { conn });
        1
    }
}

impl MirrorTcp {
    /// What this end says of its frames, to be set.
    pub fn touched(&self) -> Touched {
        Arc::clone(&self.touched)
    }
}

impl TcpPort for MirrorTcp {
    fn poll_stamped(
        &mut self,
        on: &mut dyn FnMut(Option<Stamp<FirstTouch>>, TcpEvent<'_>),
    ) -> usize {
        let touched = *lock(&self.touched);
        self.poll(&mut |event| {
            let is_data = matches!(event, TcpEvent::Data { .. });
            on(touched.filter(|_| is_data), event);
        })
    }

    fn poll(&mut self, on: &mut dyn FnMut(TcpEvent<'_>)) -> usize {
        let links = lock(&self.links).len();
        self.told.resize(links, Told::Nothing);
        self.closed_here.resize(links, false);
        self.paused.resize(links, false);
        (0..links).map(|index| self.step(index, on)).sum()
    }

    fn connect(&mut self, _to: SocketAddr) -> Result<Conn, ConnectError> {
        let mut links = lock(&self.links);
        if links.len() == CONNECTIONS_MAX {
            return Err(ConnectError::Full);
        }
        links.push(Link::default());
        Ok(Conn::new(links.len() - 1, 1))
    }

    fn send_room(&self, conn: Conn) -> usize {
        if !self.open(conn) {
            return 0;
        }
        STREAM_BYTES_MAX
            - lock(&self.links)[conn.slot()].streams[1 - self.reads]
                .bytes
                .len()
    }

    fn send(&mut self, conn: Conn, bytes: &[u8]) -> usize {
        let taken = bytes.len().min(self.send_room(conn));
        if taken > 0 {
            let stream = &mut lock(&self.links)[conn.slot()].streams[1 - self.reads];
            stream.bytes.extend(&bytes[..taken]);
            self.stats.bytes_out += taken as u64;
        }
        taken
    }

    /// The other end's stream is all the system there is, so nothing ever waits here.
    fn unsent(&self, _conn: Conn) -> usize {
        0
    }

    fn pause(&mut self, conn: Conn, is_paused: bool) {
        if self.open(conn) {
            self.paused[conn.slot()] = is_paused;
        }
    }

    fn close(&mut self, conn: Conn) {
        if self.open(conn) {
            self.closed_here[conn.slot()] = true;
            lock(&self.links)[conn.slot()].streams[1 - self.reads].ended = true;
        }
    }

    fn stats(&self) -> TcpStats {
        self.stats
    }

    fn mode(&self) -> &'static str {
        "mirror"
    }
}
