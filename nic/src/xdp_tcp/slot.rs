//! One place for a connection: a TCP socket of the stack in a set of its own.

use std::net::{Ipv4Addr, SocketAddrV4};

use smoltcp::iface::{SocketHandle, SocketSet};
use smoltcp::socket::tcp::{CongestionControl, Socket, SocketBuffer, State};
use smoltcp::time::Duration;
use smoltcp::wire::IpListenEndpoint;

use super::pace::span;
use super::segment::Segment;
use crate::clock::{FirstTouch, Stamp};
use crate::frame::Mac;
use crate::xdp::Congestion;

/// Silence after which the peer is asked whether it is there, and the longest it may be silent in
/// all: the figures of the socket port.
const KEEP_ALIVE: Duration = span(10_000);
const SILENCE: Duration = span(25_000);
/// How long an acknowledgement may wait for something to go with.
const ACK_DELAY: Duration = span(10);

/// No deadline.
pub(super) const NEVER_NS: u64 = u64::MAX;

/// Where a place is in the life of its connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Phase {
    Free,
    /// Between the peer's SYN and its answer to ours.
    HalfOpen,
    Open,
    /// Ended by us or the peer: what is unsent leaves, what comes is thrown away.
    Closing,
    /// To be free once the reset has left.
    Dying,
    /// Over for both; answers a repeated end until the place is needed (TIME-WAIT).
    Parted,
}

#[derive(Debug)]
pub(super) struct Slot {
    pub sockets: SocketSet<'static>,
    handle: SocketHandle,
    pub phase: Phase,
    pub generation: u32,
    pub peer: SocketAddrV4,
    pub peer_mac: Mac,
    /// When a half-open connection is given up, or a closing one cut.
    pub deadline_ns: u64,
    congestion: Congestion,
    /// When the first of those frames was seen whose bytes wait to be handed out.
    pub touched: Option<Stamp<FirstTouch>>,
    /// Sequence number of the peer's first byte, and how many of its bytes left the stack.
    pub first: u32,
    pub taken: u32,
    /// Up to where the peer says that it has ours.
    pub acknowledged: Option<u32>,
    /// Bytes in the send buffer when last looked at.
    pub queued: usize,
    pub is_told: bool,
    pub is_paused: bool,
    /// Whether it waits in the queue of those with something due.
    pub is_marked: bool,
    /// Whether a poll has to look at it, and not only a flush.
    pub is_wanted: bool,
}

impl Slot {
    pub fn new((receive_bytes, send_bytes): (usize, usize), congestion: Congestion) -> Slot {
        let mut sockets = SocketSet::new(Vec::with_capacity(1));
        let buffer = |bytes| SocketBuffer::new(vec![0; bytes]);
        let handle = sockets.add(Socket::new(buffer(receive_bytes), buffer(send_bytes)));
        Slot {
            sockets,
            handle,
            phase: Phase::Free,
            generation: 0,
            peer: SocketAddrV4::new(Ipv4Addr::UNSPECIFIED, 0),
            peer_mac: [0; 6],
            deadline_ns: NEVER_NS,
            congestion,
            touched: None,
            first: 0,
            taken: 0,
            acknowledged: None,
            queued: 0,
            is_told: false,
            is_paused: false,
            is_marked: false,
            is_wanted: false,
        }
    }

    pub fn socket(&self) -> &Socket<'static> {
        self.sockets.get(self.handle)
    }

    pub fn socket_mut(&mut self) -> &mut Socket<'static> {
        self.sockets.get_mut(self.handle)
    }

    /// A free place becomes the half-open connection of the peer of this SYN.
    pub fn occupy(&mut self, local: SocketAddrV4, syn: &Segment, deadline_ns: u64) {
        let congestion = match self.congestion {
            Congestion::Window => CongestionControl::None,
            Congestion::Reno => CongestionControl::Reno,
        };
        let socket = self.socket_mut();
        let at = IpListenEndpoint::from((*local.ip(), local.port()));
        // Refused only for an open socket or port 0, and this is neither.
        let _ = socket.listen(at);
        socket.set_nagle_enabled(false);
        socket.set_keep_alive(Some(KEEP_ALIVE));
        socket.set_timeout(Some(SILENCE));
        socket.set_ack_delay(Some(ACK_DELAY));
        socket.set_congestion_control(congestion);
        self.phase = Phase::HalfOpen;
        (self.peer, self.peer_mac) = (syn.peer, syn.peer_mac);
        self.first = syn.sequence.wrapping_add(1);
        self.taken = 0;
        self.acknowledged = None;
        self.deadline_ns = deadline_ns;
        self.touched = None;
        self.queued = 0;
        self.is_told = false;
        self.is_paused = false;
    }

    /// The sequence number that is next from the peer.
    pub fn expected(&self) -> u32 {
        let socket = self.socket();
        let is_ended = matches!(
            socket.state(),
            State::CloseWait | State::LastAck | State::Closing | State::TimeWait
        );
        let waiting = socket.recv_queue() as u32 + u32::from(is_ended);
        self.first.wrapping_add(self.taken).wrapping_add(waiting)
    }

    /// Notes up to where the peer says that it has ours: never less than it said before.
    pub fn note(&mut self, acknowledged: u32) {
        let is_more = |before: u32| (acknowledged.wrapping_sub(before) as i32) > 0;
        if self.acknowledged.is_none_or(is_more) {
            self.acknowledged = Some(acknowledged);
        }
    }

    /// Forgets the connection; nothing more is sent for it.
    pub fn release(&mut self) {
        self.socket_mut().abort();
        self.phase = Phase::Free;
        self.generation = self.generation.wrapping_add(1);
        self.deadline_ns = NEVER_NS;
    }
}
