//! The ports as a tile sees them: streams with a bounded buffer each way, and datagrams.
//!
//! Every call returns at once. Events come out of `poll` only, and a port may not be called from
//! within the function given to `poll`: act after it returns.

use std::fmt;
use std::io;
use std::net::{SocketAddr, SocketAddrV4};

use crate::clock::{BeforeKick, Clock, FirstTouch, Hardware, KernelReceived, Stamp};
use crate::xdp::FrameStats;

/// Largest UDP payload a port sends or receives: an Ethernet frame without IP options.
pub const DATAGRAM_BYTES_MAX: usize = 1472;

/// Names one connection of one TCP port: its slot below, a generation above, so that a late call
/// for a connection that is gone cannot reach its successor.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Conn(pub u32);

/// Bits of a [`Conn`] that hold the slot.
const SLOT_BITS: u32 = 14;

impl Conn {
    /// Joins a slot (below 16,384) and a generation, of which the low 18 bits are kept.
    pub fn new(slot: usize, generation: u32) -> Conn {
        Conn((generation << SLOT_BITS) | (slot as u32 & ((1 << SLOT_BITS) - 1)))
    }

    /// The slot: small, reused after the connection is gone; good for indexing a table.
    pub fn slot(self) -> usize {
        (self.0 & ((1 << SLOT_BITS) - 1)) as usize
    }
}

/// What happened on a TCP port.
///
/// Each connection gives one `Opened`, then any number of `Data`, then exactly one `Closed`,
/// whoever ended it. An end that came together with bytes is told of a turn later, so that they can
/// be answered. A `connect` that failed gives `Closed` alone. After [`TcpPort::close`] no
/// `Data` comes any more.
#[derive(Debug)]
pub enum TcpEvent<'a> {
    /// A peer was accepted, or a `connect` succeeded.
    Opened {
        /// The new connection.
        conn: Conn,
        /// The other end.
        peer: SocketAddr,
    },
    /// Bytes arrived, in order, cut anywhere.
    Data {
        /// The connection they came on.
        conn: Conn,
        /// The bytes; valid during the call.
        bytes: &'a [u8],
    },
    /// The connection is over for the caller: nothing can be sent on it any more.
    Closed {
        /// The connection that ended.
        conn: Conn,
    },
}

/// Sizes of a TCP port, taken from memory when it is opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TcpLimits {
    /// Connections at a time, 1 to [`TcpLimits::CONNECTIONS_MAX`]; further ones are accepted and
    /// closed at once, and counted. The process's soft limit of descriptors is raised if it must.
    pub connections: u16,
    /// Bytes of a receive buffer, each connection's own or shared: the longest `Data`.
    pub receive_bytes: u32,
    /// Bytes of each connection's send buffer: what [`TcpPort::send_room`] starts at.
    pub send_bytes: u32,
    /// How long after `close` (or after the peer's end of stream) unsent bytes may still leave and
    /// the peer may take to finish, in milliseconds. Then the connection is cut.
    pub linger_ms: u32,
}

impl TcpLimits {
    /// Most connections one port can hold.
    pub const CONNECTIONS_MAX: u16 = 16_000;
    /// Largest receive or send buffer.
    pub const BUFFER_BYTES_MAX: u32 = 16 << 20;

    /// Whether a `port` that can hold so many connections takes these.
    pub(crate) fn check(&self, port: &str, connections_max: u16) -> io::Result<()> {
        let sizes = 1..=TcpLimits::BUFFER_BYTES_MAX;
        let is_valid = (1..=connections_max).contains(&self.connections)
            && sizes.contains(&self.receive_bytes)
            && sizes.contains(&self.send_bytes);
        if is_valid {
            return Ok(());
        }
        let message =
            format!("{port}: {self:?} is outside 1..={connections_max} connections, 1..=16 MiB");
        Err(io::Error::new(io::ErrorKind::InvalidInput, message))
    }
}

const _: () = assert!((TcpLimits::CONNECTIONS_MAX as u32) < (1 << SLOT_BITS));

impl Default for TcpLimits {
    fn default() -> TcpLimits {
        TcpLimits {
            connections: 64,
            receive_bytes: 16 << 10,
            send_bytes: 256 << 10,
            linger_ms: 2000,
        }
    }
}

/// What a TCP port counted since it was opened.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct TcpStats {
    /// Connections open now, those still closing included.
    pub connections: u64,
    /// Peers accepted.
    pub accepted: u64,
    /// Peers turned away because every slot was taken.
    pub refused: u64,
    /// `accept` calls that failed; over AF_XDP half-open connections that were given up.
    pub accept_errors: u64,
    /// `connect` calls that failed.
    pub connect_errors: u64,
    /// Connections that ended by a reset or another socket error.
    pub resets: u64,
    /// Connections cut because they did not finish within `linger_ms`.
    pub cut: u64,
    /// Bytes received.
    pub bytes_in: u64,
    /// Bytes the kernel took.
    pub bytes_out: u64,
    /// Frames, where the port goes around the kernel.
    pub frames: FrameStats,
}

/// Why `connect` could not even start.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ConnectError {
    /// Every connection slot of the port is taken: raise `TcpLimits::connections`.
    Full,
    /// The system refused the socket, with this error number.
    System(i32),
}

impl fmt::Display for ConnectError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ConnectError::Full => f.write_str(
                "connect: every connection of this port is taken; raise TcpLimits::connections",
            ),
            ConnectError::System(errno) => {
                let error = io::Error::from_raw_os_error(*errno);
                write!(f, "connect: the system refused a socket: {error}")
            }
        }
    }
}

impl std::error::Error for ConnectError {}

/// Byte streams: accepted ones (a listening port), dialled ones, or both.
pub trait TcpPort {
    /// Moves what can be moved now and hands at most one bounded batch of events to `on`.
    /// Returns the number of events.
    fn poll(&mut self, on: &mut dyn FnMut(TcpEvent<'_>)) -> usize;

    /// Like `poll`, and says of each `Data` when the first frame of its bytes was seen, by the
    /// port's own clock. A port over sockets sees no frames, and says nothing.
    fn poll_stamped(
        &mut self,
        on: &mut dyn FnMut(Option<Stamp<FirstTouch>>, TcpEvent<'_>),
    ) -> usize {
        self.poll(&mut |event| on(None, event))
    }

    /// Starts a connection to `to`; `Opened` or `Closed` follows from `poll`.
    fn connect(&mut self, to: SocketAddr) -> Result<Conn, ConnectError>;

    /// Bytes that `send` would take now; 0 for a connection that is not open.
    fn send_room(&self, conn: Conn) -> usize;

    /// Takes as many of `bytes` as fit the connection's send buffer and returns how many. They
    /// leave with the next `poll` or `flush`.
    fn send(&mut self, conn: Conn, bytes: &[u8]) -> usize;

    /// Bytes taken but not yet handed to the system.
    fn unsent(&self, conn: Conn) -> usize;

    /// Stops reading from a connection, or goes on. What is under way still comes: at most two
    /// receive buffers, or what the port's shared buffers hold. The peer feels a full window, and
    /// its end is heard only after going on.
    fn pause(&mut self, conn: Conn, is_paused: bool);

    /// Ends a connection once its unsent bytes are out (bounded by `linger_ms`); later calls do
    /// nothing.
    fn close(&mut self, conn: Conn);

    /// Starts queued sends without waiting for the next `poll`. One send a connection is under way
    /// at a time, so what is given between a `flush` and the next `poll` leaves with that `poll`.
    fn flush(&mut self) {}

    /// When the system was last told to send; `None` for a port that takes no times.
    fn kicked(&self) -> Option<Stamp<BeforeKick>> {
        None
    }

    /// The address the port listens on; `None` for a port that only dials.
    fn local_addr(&self) -> Option<SocketAddr> {
        None
    }

    /// What was counted so far.
    fn stats(&self) -> TcpStats {
        TcpStats::default()
    }

    /// How the bytes move: "io_uring", "sockets", ...
    fn mode(&self) -> &'static str {
        "other"
    }
}

/// Why a datagram was not taken. Nothing of it was sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SendError {
    /// The send queue is full: poll or flush, then try again.
    Full,
    /// The payload is longer than [`DATAGRAM_BYTES_MAX`].
    TooLong,
    /// No hardware address is known for the destination (AF_XDP only): add a neighbour.
    NoNeighbour,
}

impl fmt::Display for SendError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            SendError::Full => "udp send: queue full; poll or flush, then try again",
            SendError::TooLong => "udp send: payload longer than 1472 bytes",
            SendError::NoNeighbour => {
                "udp send: no hardware address known for the destination; add it to XdpOptions"
            }
        })
    }
}

impl std::error::Error for SendError {}

/// What a UDP port counted since it was opened.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct UdpStats {
    /// Datagrams handed to the caller.
    pub received: u64,
    /// Datagrams the system (or the queue of the card) took.
    pub sent: u64,
    /// Datagrams taken by `send` that the system then refused.
    pub send_errors: u64,
    /// Receives that failed, or frames that were not a whole datagram for this port.
    pub receive_errors: u64,
    /// Datagrams the kernel dropped for want of room on our side, where it says so (AF_XDP).
    pub dropped: u64,
    /// Frames, where the port goes around the kernel.
    pub frames: FrameStats,
}

/// A datagram, and when it was seen on its way. Each time says by its type where it was taken.
#[derive(Clone, Copy, Debug)]
pub struct Arrival<'a> {
    /// The sender.
    pub from: SocketAddrV4,
    /// The bytes; valid during the call.
    pub payload: &'a [u8],
    /// By our clock, before we looked at it.
    pub touched: Stamp<FirstTouch>,
    /// By the kernel, if it was asked ([`RealUdp::ask_times`](crate::RealUdp::ask_times)).
    pub kernel: Option<Stamp<KernelReceived>>,
    /// By the card, if it was asked and its owner lets it take times.
    pub hardware: Option<Stamp<Hardware>>,
}

/// Datagrams over IPv4, unicast and multicast.
pub trait UdpPort {
    /// Hands at most one bounded batch of datagrams, with their senders, to `on`. Returns how many.
    /// Also starts queued sends.
    fn poll(&mut self, on: &mut dyn FnMut(SocketAddrV4, &[u8])) -> usize;

    /// Like `poll`, with times.
    fn poll_stamped(&mut self, clock: &dyn Clock, on: &mut dyn FnMut(Arrival<'_>)) -> usize {
        self.poll(&mut |from, payload| {
            on(Arrival {
                from,
                payload,
                touched: Stamp::touch(clock),
                kernel: None,
                hardware: None,
            });
        })
    }

    /// Queues one datagram. It leaves with the next `flush` or `poll`.
    fn send(&mut self, to: SocketAddrV4, payload: &[u8]) -> Result<(), SendError>;

    /// Starts queued sends now.
    fn flush(&mut self);

    /// Starts queued sends and says when: the time is taken last before the system is told.
    fn flush_stamped(&mut self, clock: &dyn Clock) -> Stamp<BeforeKick> {
        let stamp = Stamp::kick(clock);
        self.flush();
        stamp
    }

    /// How the datagrams move: "xdp zero-copy", "xdp native", "xdp generic", "io_uring",
    /// "sockets", "mirror", ...
    fn mode(&self) -> &'static str;

    /// The address datagrams for this port are sent to.
    fn local_addr(&self) -> SocketAddrV4;

    /// What was counted so far.
    fn stats(&self) -> UdpStats {
        UdpStats::default()
    }
}
