//! The four rings as the program sees them: frames go in and out by value.
//!
//! Each has one owner and no lock; they may live on different threads. What is pushed or popped
//! becomes known to the kernel with one `publish`, `kick` or `release` for many.

use std::os::fd::OwnedFd;
use std::sync::Arc;

use crate::frame::{Frame, Outgoing, PARTS_MAX, Received, Sent};
use crate::ring::{Consumer, Producer};
use crate::socket;
use crate::umem::{Place, Umem};

/// Most system calls one [`TxRing::kick`] makes: each sends 32 frames or more, and some send none.
const KICKS_MAX: usize = 128;
/// Most of them in a row that may seem to have sent nothing: after a frame that the interface
/// dropped, the kernel stops without saying how far it got.
const STALLS_MAX: usize = 4;

/// Set in a descriptor whose packet goes on in the next one (XDP_PKT_CONTD).
const CONTINUES: u32 = libc::XDP_PKT_CONTD;
/// Set in a descriptor before whose bytes there is a request.
const REQUESTS: u32 = libc::XDP_TX_METADATA;

/// Frames on their way to the kernel, to receive into.
#[derive(Debug)]
pub struct FillRing {
    pub(crate) ring: Producer<u64>,
    pub(crate) umem: Umem,
    pub(crate) socket: Arc<OwnedFd>,
}

impl FillRing {
    /// Frames that can be pushed now.
    pub fn room(&mut self) -> u32 {
        self.ring.room()
    }

    /// Gives a frame to the kernel with the next `publish`; gives it back when the ring is full.
    ///
    /// # Panics
    /// If the frame belongs to another memory.
    pub fn push(&mut self, frame: Frame) -> Result<(), Frame> {
        if self.ring.room() == 0 {
            return Err(frame);
        }
        let address = self.umem.lend(&frame, 0, Place::Receiving);
        // There is room.
        let _ = self.ring.push(address);
        Ok(())
    }

    /// Makes the kernel see what was pushed, and wakes the driver if it waits for frames.
    pub fn publish(&mut self) {
        self.ring.publish();
        if self.ring.needs_wakeup() {
            self.wake();
        }
    }

    /// Whether the driver waits for a wake-up because it ran out of frames.
    pub fn needs_wakeup(&self) -> bool {
        self.ring.needs_wakeup()
    }

    /// Wakes the driver; with busy polling this is what runs it, so call it while waiting. An error
    /// means that the next turn wakes again.
    pub fn wake(&self) {
        socket::receive_nothing(&self.socket);
    }
}

/// Frames that came from the wire.
#[derive(Debug)]
pub struct RxRing {
    pub(crate) ring: Consumer<libc::xdp_desc>,
    pub(crate) umem: Umem,
    pub(crate) invalid: u64,
}

impl RxRing {
    /// The next frame, or part of one.
    pub fn pop(&mut self) -> Option<Received> {
        loop {
            let descriptor = self.ring.pop()?;
            let uses = [Place::Receiving; 2];
            let back = self.umem.take_back(descriptor.addr, descriptor.len, uses);
            if let Some((frame, offset, _)) = back {
                return Some(Received {
                    frame,
                    offset,
                    length: descriptor.len,
                    more: descriptor.options & CONTINUES != 0,
                });
            }
            self.invalid += 1;
        }
    }

    /// Appends the parts of the next packet to `parts`. True when it is whole; if not, the parts so
    /// far stand there and the next call goes on with them.
    pub fn pop_packet(&mut self, parts: &mut Vec<Received>) -> bool {
        while let Some(part) = self.pop() {
            let more = part.more;
            parts.push(part);
            if !more {
                return true;
            }
        }
        false
    }

    /// Gives the ring's places of all frames popped so far back to the kernel.
    pub fn release(&mut self) {
        self.ring.release();
    }

    /// Descriptors of the kernel that named no frame it had; always 0 with a sane driver.
    pub fn invalid(&self) -> u64 {
        self.invalid
    }
}

/// How far a kick got.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kicked {
    /// The kernel has taken every frame.
    Empty,
    /// The driver is at it, or waits for room in the completion ring: take sent frames back and
    /// kick again.
    Pending,
    /// The kernel refused, with this error number (ENETDOWN while the link is down): nothing is
    /// lost, a later kick goes on.
    Refused(i32),
}

/// Frames on their way to the wire.
#[derive(Debug)]
pub struct TxRing {
    pub(crate) ring: Producer<libc::xdp_desc>,
    pub(crate) umem: Umem,
    pub(crate) socket: Arc<OwnedFd>,
    /// The driver runs only in our system calls, whatever the ring's flag says.
    pub(crate) always_wake: bool,
}

impl TxRing {
    /// Frames, or parts, that can be pushed now.
    pub fn room(&mut self) -> u32 {
        self.ring.room()
    }

    /// Queues a frame, sent by the next `kick`; gives it back when the ring is full. A part of a
    /// longer packet that came in by [`Received::into_outgoing`] goes out as a packet of its own.
    ///
    /// # Panics
    /// If the frame belongs to another memory.
    pub fn push(&mut self, frame: Outgoing) -> Result<(), Outgoing> {
        if self.ring.room() == 0 {
            return Err(frame);
        }
        self.put(frame, false);
        Ok(())
    }

    /// Queues the parts of one packet in order and leaves `parts` empty; all or none. False, and
    /// `parts` as they were, when there is no room or they are not between 1 and [`PARTS_MAX`].
    /// Needs a socket with [`multi_buffer`](crate::QueueOptions::multi_buffer) if they are several.
    pub fn push_packet(&mut self, parts: &mut Vec<Outgoing>) -> bool {
        let count = parts.len();
        let fits = (1..=PARTS_MAX).contains(&count) && self.ring.room() as usize >= count;
        if fits {
            for (index, part) in parts.drain(..).enumerate() {
                self.put(part, index + 1 < count);
            }
        }
        fits
    }

    /// There is room.
    fn put(&mut self, frame: Outgoing, more: bool) {
        let place = if frame.timed {
            Place::SendingTimed
        } else {
            Place::Sending
        };
        let descriptor = libc::xdp_desc {
            addr: self.umem.lend(&frame.frame, frame.offset, place),
            len: frame.length,
            options: if more { CONTINUES } else { 0 } | if frame.requests { REQUESTS } else { 0 },
        };
        let _ = self.ring.push(descriptor);
    }

    /// Makes the kernel see what was pushed, without a system call: for a driver that polls, or
    /// when a `kick` follows.
    pub fn publish(&mut self) {
        self.ring.publish();
    }

    /// Whether the driver waits for a system call.
    pub fn needs_wakeup(&self) -> bool {
        self.ring.needs_wakeup()
    }

    /// Whether the kernel has taken all that was pushed.
    pub fn is_drained(&mut self) -> bool {
        self.ring.drained()
    }

    /// Makes the kernel send what is queued. In copy mode one system call sends 32 frames at most
    /// (see [`QueueOptions::tx_budget`](crate::QueueOptions::tx_budget)), so this goes on until the
    /// ring is empty.
    pub fn kick(&mut self) -> Kicked {
        if self.ring.drained() {
            return Kicked::Empty; // what was pushed was published, too
        }
        self.ring.publish();
        let mut stalls = 0;
        for _ in 0..KICKS_MAX {
            if !self.always_wake && !self.ring.needs_wakeup() {
                break; // the driver is at it
            }
            let before = self.ring.consumed();
            if let Err(errno) = socket::send_nothing(&self.socket) {
                return Kicked::Refused(errno);
            }
            if self.ring.drained() {
                return Kicked::Empty;
            }
            stalls += usize::from(self.ring.consumed() == before);
            if stalls == STALLS_MAX {
                break;
            }
        }
        Kicked::Pending
    }
}

/// Frames that were sent.
#[derive(Debug)]
pub struct CompletionRing {
    pub(crate) ring: Consumer<u64>,
    pub(crate) umem: Umem,
    pub(crate) invalid: u64,
}

impl CompletionRing {
    /// The next frame that the kernel is done with.
    pub fn pop(&mut self) -> Option<Sent> {
        loop {
            let address = self.ring.pop()?;
            let uses = [Place::Sending, Place::SendingTimed];
            if let Some((frame, offset, place)) = self.umem.take_back(address, 0, uses) {
                return Some(Sent {
                    frame,
                    offset,
                    timed: place == Place::SendingTimed,
                });
            }
            self.invalid += 1;
        }
    }

    /// Gives the ring's places of all frames popped so far back to the kernel.
    pub fn release(&mut self) {
        self.ring.release();
    }

    /// Addresses of the kernel that named no frame it had; always 0 with a sane driver.
    pub fn invalid(&self) -> u64 {
        self.invalid
    }
}
