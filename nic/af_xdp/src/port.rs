//! One queue of one interface: the socket, its rings, and who holds each frame.
//!
//! Frames have fixed homes. Those of the receiving half go round kernel -> RX ring -> caller ->
//! fill ring; those of the sending half go round free list -> TX ring -> kernel -> completion
//! ring. Every ring is as deep as its half has frames, so handing a frame over never fails.

use std::io;
use std::os::fd::{AsFd, AsRawFd, OwnedFd};
use std::ptr;

use crate::error::Error;
use crate::filter::{Filter, Link, PORTS_MAX};
use crate::ring::{Consumer, Producer};
use crate::socket::{RING_DEPTH, bind, get, open_socket, ring, set, size_rings};
use crate::umem::{FRAME_BYTES, FRAME_BYTES_MAX, Umem};

/// Frames for receiving, and for sending: 4 MB in all, below the usual limit of locked memory.
const FRAMES_HALF: u32 = RING_DEPTH;
/// Most frames one `receive` hands out.
const BATCH_MAX: usize = 64;
/// Most system calls one `kick` makes: each sends 32 frames, and some send none.
const KICKS_MAX: usize = 128;

const _: () = assert!(KICKS_MAX * 32 >= 2 * FRAMES_HALF as usize);

/// How frames get between the interface and our memory, best first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Mode {
    /// The card reads and writes our memory.
    ZeroCopy,
    /// In the driver, with one copy.
    Native,
    /// In the kernel's generic hook, with one copy; works on any interface.
    Generic,
}

/// What a port is to be.
#[derive(Clone, Debug)]
pub struct Options {
    /// Index of the interface, see [`interface_index`](crate::interface_index).
    pub interface: u32,
    /// Queue of the interface; 0 where there is one.
    pub queue: u32,
    /// How; there is no silent fallback: a mode that is refused is an error.
    pub mode: Mode,
    /// UDP destination ports whose frames are ours, at most [`PORTS_MAX`].
    pub ports: Vec<u16>,
}

/// Every sending frame is in the kernel's hands: kick, then try again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Full;

/// The kernel's counters of the socket (XDP_STATISTICS), and our own.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Statistics {
    /// Frames dropped for other reasons than a full ring.
    pub rx_dropped: u64,
    /// Frames dropped because the RX ring was full.
    pub rx_ring_full: u64,
    /// Frames that found no memory in the fill ring.
    pub rx_fill_ring_empty: u64,
    /// Descriptors of ours the kernel refused to fill.
    pub rx_invalid: u64,
    /// Descriptors of ours the kernel refused to send.
    pub tx_invalid: u64,
    /// Times the kernel looked for something to send in vain.
    pub tx_ring_empty: u64,
    /// Descriptors from the kernel that pointed outside our memory.
    pub descriptors_invalid: u64,
    /// System calls that failed for good while sending.
    pub kick_errors: u64,
}

/// A live port. Dropping it detaches the program and frees the queue.
///
/// Fields are dropped in this order: the program is detached first; the rings are unmapped before
/// the socket closes, because a mapped ring keeps the queue taken; the frames go last.
#[derive(Debug)]
pub struct Port {
    _link: Link,
    fill: Producer<u64>,
    completion: Consumer<u64>,
    rx: Consumer<libc::xdp_desc>,
    tx: Producer<libc::xdp_desc>,
    socket: OwnedFd,
    filter: Filter,
    umem: Umem,
    tx_free: Vec<u64>,
    mode: Mode,
    descriptors_invalid: u64,
    kick_errors: u64,
}

impl Port {
    /// Opens, binds and attaches in the mode asked for. Waits up to 5 s for a queue that is taken.
    pub fn open(options: &Options) -> Result<Port, Error> {
        if options.ports.len() > PORTS_MAX as usize {
            let source = io::Error::from(io::ErrorKind::InvalidInput);
            return Err(Error::new(
                "more than 64 UDP ports on one AF_XDP port",
                source,
            ));
        }
        let filter = Filter::load(&options.ports)?;
        let umem = Umem::new(2 * FRAMES_HALF)?;
        let socket = open_socket()?;
        let fd = socket.as_fd();
        set(
            fd,
            libc::XDP_UMEM_REG,
            umem.registration(),
            "registering the frames",
        )?;
        let offsets = size_rings(fd)?;
        let (fill_at, done_at) = (
            libc::XDP_UMEM_PGOFF_FILL_RING,
            libc::XDP_UMEM_PGOFF_COMPLETION_RING,
        );
        let (map, layout) = ring::<u64>(fd, &offsets.fr, fill_at as i64)?;
        let mut fill = Producer::new(map, layout);
        let (map, layout) = ring::<u64>(fd, &offsets.cr, done_at as i64)?;
        let completion = Consumer::new(map, layout);
        let (map, layout) = ring::<libc::xdp_desc>(fd, &offsets.rx, libc::XDP_PGOFF_RX_RING)?;
        let rx = Consumer::new(map, layout);
        let (map, layout) = ring::<libc::xdp_desc>(fd, &offsets.tx, libc::XDP_PGOFF_TX_RING)?;
        let tx = Producer::new(map, layout);
        let start = |frame: u32| u64::from(frame) * FRAME_BYTES as u64;
        // Before the bind: some drivers take their first frames then.
        for frame in 0..FRAMES_HALF {
            let _ = fill.push(start(frame)); // as deep as there are frames
        }
        fill.publish();
        bind(fd, options)?;
        filter.set_socket(options.queue, fd)?;
        let link = filter.attach(options.interface, options.mode)?;
        Ok(Port {
            _link: link,
            fill,
            completion,
            rx,
            tx,
            socket,
            filter,
            umem,
            tx_free: (FRAMES_HALF..2 * FRAMES_HALF).rev().map(start).collect(),
            mode: options.mode,
            descriptors_invalid: 0,
            kick_errors: 0,
        })
    }

    /// The mode asked for, which is the one in use.
    pub fn mode(&self) -> Mode {
        self.mode
    }

    /// Takes one more UDP port.
    pub fn add_port(&self, port: u16) -> Result<(), Error> {
        self.filter.add_port(port)
    }

    /// Hands at most 64 received frames to `on` and gives their memory back to the kernel.
    pub fn receive(&mut self, on: &mut dyn FnMut(&[u8])) -> usize {
        let mut count = 0;
        while count < BATCH_MAX {
            let Some(descriptor) = self.rx.pop() else {
                break;
            };
            count += 1;
            // SAFETY: the kernel has just given us this frame; it goes back after `on`.
            match unsafe { self.umem.received(descriptor.addr, descriptor.len) } {
                Some(frame) => on(frame),
                None => self.descriptors_invalid += 1,
            }
            if let Some(start) = self.umem.frame_start(descriptor.addr) {
                let _ = self.fill.push(start); // as deep as there are frames
            }
        }
        if count > 0 {
            self.rx.release();
            self.fill.publish();
            if self.fill.needs_wakeup() {
                self.wake_receiving();
            }
        }
        count
    }

    /// Lets `build` write a frame and return its length, and queues it; `kick` sends.
    pub fn transmit(&mut self, build: impl FnOnce(&mut [u8]) -> usize) -> Result<(), Full> {
        if self.tx_free.is_empty() {
            self.reap();
        }
        let start = self.tx_free.pop().ok_or(Full)?;
        // SAFETY: a frame on the free list is not in the kernel's hands.
        let room = unsafe { self.umem.room(start) };
        let length = build(room).min(FRAME_BYTES_MAX);
        let descriptor = libc::xdp_desc {
            addr: start,
            len: length as u32,
            options: 0,
        };
        if self.tx.push(descriptor).is_err() {
            self.tx_free.push(start);
            return Err(Full);
        }
        Ok(())
    }

    /// Makes the kernel send what is queued. One system call sends 32 frames at most, so this goes
    /// on until the ring is empty. Returns whether it is; if not, a later kick continues.
    pub fn kick(&mut self) -> bool {
        self.tx.publish();
        for _ in 0..KICKS_MAX {
            self.reap();
            if self.tx.drained() {
                return true;
            }
            if self.mode == Mode::ZeroCopy && !self.tx.needs_wakeup() {
                return false; // the driver is at it
            }
            if !self.wake_sending() {
                self.kick_errors += 1;
                return false;
            }
        }
        false
    }

    /// Takes sent frames back.
    fn reap(&mut self) {
        let mut any = false;
        while let Some(address) = self.completion.pop() {
            any = true;
            match self.umem.frame_start(address) {
                Some(start) => self.tx_free.push(start),
                None => self.descriptors_invalid += 1,
            }
        }
        if any {
            self.completion.release();
        }
    }

    /// False when the kernel refused for good.
    fn wake_sending(&self) -> bool {
        let fd = self.socket.as_raw_fd();
        // SAFETY: no payload and no address.
        let sent = unsafe { libc::sendto(fd, ptr::null(), 0, libc::MSG_DONTWAIT, ptr::null(), 0) };
        if sent >= 0 {
            return true;
        }
        let errno = io::Error::last_os_error().raw_os_error();
        matches!(
            errno,
            Some(libc::EAGAIN | libc::EBUSY | libc::ENOBUFS | libc::EINTR)
        )
    }

    /// An error means that the next turn wakes again.
    fn wake_receiving(&self) {
        let fd = self.socket.as_raw_fd();
        let none = ptr::null_mut();
        // SAFETY: no buffer and no address.
        let _ = unsafe {
            libc::recvfrom(
                fd,
                none,
                0,
                libc::MSG_DONTWAIT,
                ptr::null_mut(),
                none.cast(),
            )
        };
    }

    /// What the kernel counted for this socket.
    pub fn statistics(&self) -> Result<Statistics, Error> {
        let step = "reading XDP_STATISTICS";
        let kernel: libc::xdp_statistics = get(self.socket.as_fd(), libc::XDP_STATISTICS, step)?;
        Ok(Statistics {
            rx_dropped: kernel.rx_dropped,
            rx_ring_full: kernel.rx_ring_full,
            rx_fill_ring_empty: kernel.rx_fill_ring_empty_descs,
            rx_invalid: kernel.rx_invalid_descs,
            tx_invalid: kernel.tx_invalid_descs,
            tx_ring_empty: kernel.tx_ring_empty_descs,
            descriptors_invalid: self.descriptors_invalid,
            kick_errors: self.kick_errors,
        })
    }
}
