//! One connection's place in a TCP port: its buffers, what is under way on it, how far it lived.

use std::os::fd::{AsRawFd, OwnedFd, RawFd};
use std::time::Instant;

use crate::driver::{Buffer, Op, Socket};

/// How far a connection has lived.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Phase {
    /// The place is empty.
    Free,
    /// Dialling.
    Connecting,
    /// Bytes flow.
    Open,
    /// The caller closed it, or the peer ended its stream: unsent bytes still leave, what arrives
    /// is thrown away.
    Closing,
    /// Cut; waits only for the operations under way to end.
    Dying,
}

/// One place. Its buffers are reused by later connections, so a place is freed only when no
/// operation is under way on it.
#[derive(Debug)]
pub(crate) struct Slot {
    /// Its number among the port's places.
    place: u32,
    pub phase: Phase,
    pub generation: u32,
    pub fd: Option<OwnedFd>,
    pub receive: Buffer,
    /// Receives use the port's shared buffers, and `receive` is empty.
    shares: bool,
    pub receiving: bool,
    /// A receive that goes on is being cancelled.
    pub stopping: bool,
    /// The last receive found no shared buffer: the next takes one at most, so that those who send
    /// much do not keep the others from theirs.
    pub starved: bool,
    /// The caller wants no bytes now.
    pub paused: bool,
    pub send: SendQueue,
    pub connecting: bool,
    /// Where a dialled peer's address stands while the kernel reads it.
    pub address: Box<libc::sockaddr_storage>,
    /// Listed in the port's `dirty`.
    pub dirty: bool,
    /// The `Closed` event was given.
    pub told: bool,
    /// When a closing connection is cut.
    pub deadline: Option<Instant>,
    /// The peer ended its stream.
    pub peer_done: bool,
    /// We ended ours.
    pub we_done: bool,
}

impl Slot {
    /// `receive_bytes` of its own; `None`: it uses shared buffers.
    pub fn new(place: u32, receive_bytes: Option<usize>, send_bytes: usize) -> Slot {
        Slot {
            place,
            phase: Phase::Free,
            generation: 0,
            fd: None,
            receive: Buffer::new(receive_bytes.unwrap_or(0)),
            shares: receive_bytes.is_none(),
            receiving: false,
            stopping: false,
            starved: false,
            paused: false,
            send: SendQueue::new(send_bytes),
            connecting: false,
            address: Box::new(crate::socket::empty_storage()),
            dirty: false,
            told: false,
            deadline: None,
            peer_done: false,
            we_done: false,
        }
    }

    /// Begins a new life in `phase`.
    pub fn occupy(&mut self, fd: OwnedFd, phase: Phase) {
        assert!(self.phase == Phase::Free && self.idle());
        self.phase = phase;
        self.generation = self.generation.wrapping_add(1);
        self.fd = Some(fd);
        self.send.clear();
        self.paused = false;
        self.starved = false;
        self.told = false;
        self.deadline = None;
        self.peer_done = false;
        self.we_done = false;
    }

    /// Closes the descriptor and empties the place.
    pub fn release(&mut self) {
        assert!(self.idle());
        self.fd = None;
        self.phase = Phase::Free;
    }

    /// No operation is under way.
    pub fn idle(&self) -> bool {
        !self.receiving && !self.stopping && !self.connecting && self.send.in_flight == 0
    }

    /// The descriptor; -1, which every call refuses, when there is none.
    pub fn raw(&self) -> RawFd {
        self.fd.as_ref().map_or(-1, AsRawFd::as_raw_fd)
    }

    /// The socket as the engine knows it.
    pub fn socket(&self) -> Socket {
        Socket {
            fd: self.raw(),
            place: self.place,
        }
    }

    /// Whether bytes of the peer are wanted at all.
    fn wants(&self) -> bool {
        match self.phase {
            Phase::Open => !self.paused && !self.peer_done,
            Phase::Closing => !self.peer_done && !self.connecting,
            _ => false,
        }
    }

    /// The receive to start, if the connection lives and none is under way.
    pub fn receive_op(&mut self) -> Option<Op> {
        if !self.wants() || self.receiving {
            return None;
        }
        self.receiving = true;
        let on = self.socket();
        if !self.shares {
            return Some(Op::Receive {
                on,
                bytes: self.receive.at(0),
                length: self.receive.len() as u32,
            });
        }
        Some(match std::mem::take(&mut self.starved) {
            true => Op::ReceiveShared { on },
            false => Op::ReceiveMany { on },
        })
    }

    /// Whether a receive that goes on is to be cancelled; it is marked as such.
    pub fn stop_op(&mut self, tag: u64) -> Option<Op> {
        if !self.shares || !self.receiving || self.stopping || self.wants() {
            return None;
        }
        self.stopping = true;
        Some(Op::Cancel { tag })
    }

    /// The send to start, if bytes wait and none is under way.
    pub fn send_op(&mut self) -> Option<Op> {
        if !matches!(self.phase, Phase::Open | Phase::Closing) {
            return None;
        }
        let on = self.socket();
        let (bytes, length) = self.send.begin()?;
        Some(Op::Send { on, bytes, length })
    }
}

/// Bytes waiting to be sent: a circle, of which one contiguous part may be in the kernel's hands.
#[derive(Debug)]
pub(crate) struct SendQueue {
    bytes: Buffer,
    head: usize,
    length: usize,
    pub in_flight: u32,
}

impl SendQueue {
    pub fn new(capacity: usize) -> SendQueue {
        SendQueue {
            bytes: Buffer::new(capacity),
            head: 0,
            length: 0,
            in_flight: 0,
        }
    }

    pub fn clear(&mut self) {
        assert!(self.in_flight == 0);
        self.head = 0;
        self.length = 0;
    }

    pub fn len(&self) -> usize {
        self.length
    }

    pub fn room(&self) -> usize {
        self.bytes.len() - self.length
    }

    /// Copies in what fits, behind the bytes that wait.
    pub fn push(&mut self, bytes: &[u8]) -> usize {
        let taken = bytes.len().min(self.room());
        let tail = (self.head + self.length) % self.bytes.len();
        let first = taken.min(self.bytes.len() - tail);
        self.bytes.write(tail, &bytes[..first]);
        self.bytes.write(0, &bytes[first..taken]);
        self.length += taken;
        taken
    }

    /// The contiguous bytes to send next, marked as in flight; `None` if there are none or some
    /// already are.
    pub fn begin(&mut self) -> Option<(*const u8, u32)> {
        if self.in_flight > 0 || self.length == 0 {
            return None;
        }
        let contiguous = self.length.min(self.bytes.len() - self.head);
        self.in_flight = contiguous as u32;
        Some((self.bytes.at(self.head).cast_const(), self.in_flight))
    }

    /// The system took `sent` of the bytes in flight; the rest waits again.
    pub fn end(&mut self, sent: usize) {
        assert!(sent <= self.in_flight as usize);
        self.head = (self.head + sent) % self.bytes.len();
        self.length -= sent;
        self.in_flight = 0;
    }
}
