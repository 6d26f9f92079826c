//! The simple way in: one queue of one interface, whole frames, nothing to keep track of.
//!
//! A port owns its memory. Half of the frames go round kernel, RX ring, caller, fill ring; the
//! other half free list, TX ring, kernel, completion ring. Every ring is as deep as its half has
//! frames, so handing a frame over never fails.

use crate::error::Error;
use crate::filter::{Filter, Hook, Link, LoadOptions};
use crate::frame::{Frame, Received};
use crate::metadata::RxMetadata;
use crate::queue::{BusyPoll, Copying, Queue, QueueOptions};
use crate::report::Report;
use crate::rings::Kicked;
use crate::rule::Rule;
use crate::statistics::Statistics;
use crate::umem::{Umem, UmemOptions};

/// Size of a piece of memory; two to a page of 4 kB.
pub const FRAME_BYTES: usize = 2048;
/// Longest frame of a port: the kernel keeps 256 bytes of each piece for itself when receiving.
pub const FRAME_BYTES_MAX: usize = FRAME_BYTES - 256;

/// Entries of each ring; frames for receiving, and for sending: 4 MB in all, below the usual limit
/// of locked memory.
const DEPTH: u32 = 1024;
/// Most frames one `receive` hands out.
const BATCH_MAX: usize = 64;
/// Most rounds of taking sent frames back and kicking again in one `kick`.
const ROUNDS_MAX: usize = 4;

// The longest ordinary frame, with a VLAN tag, fits.
const _: () = assert!(FRAME_BYTES_MAX >= 1518);
const _: () = assert!(DEPTH.is_power_of_two());

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
    /// The frames that are ours.
    pub rule: Rule,
    /// Preferred busy polling, if any; [`Port::report`] says what came of it.
    pub busy_poll: Option<BusyPoll>,
    /// Whether the driver is asked about each frame, for [`Port::receive_with`]. Costs some
    /// nanoseconds a frame; never had in generic mode. [`Port::metadata`] says whether it is had.
    pub metadata: bool,
}

impl Options {
    /// Queue 0, nothing special.
    pub fn new(interface: u32, mode: Mode, rule: Rule) -> Options {
        Options {
            interface,
            queue: 0,
            mode,
            rule,
            busy_poll: None,
            metadata: false,
        }
    }
}

/// Every sending frame is in the kernel's hands: kick, then try again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Full;

/// The kernel's counters of a port, and its own.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PortStatistics {
    /// The kernel's.
    pub kernel: Statistics,
    /// Descriptors from the kernel that named no frame it had.
    pub descriptors_invalid: u64,
    /// System calls that failed for good while sending.
    pub kick_errors: u64,
}

/// A live port. Dropping it detaches the program and frees the queue.
#[derive(Debug)]
pub struct Port {
    // Dropped first: no frame is redirected to a socket that is going.
    _link: Link,
    queue: Queue,
    filter: Filter,
    umem: Umem,
    tx_free: Vec<Frame>,
    mode: Mode,
    polls: bool,
    kick_errors: u64,
}

impl Port {
    /// Opens, binds and attaches in the mode asked for. Waits up to 5 s for a queue that is taken.
    pub fn open(options: &Options) -> Result<Port, Error> {
        let filter = load(options)?;
        let (umem, mut frames) = Umem::create(&UmemOptions {
            frames: 2 * DEPTH,
            frame_bytes: FRAME_BYTES as u32,
            ..UmemOptions::default()
        })?;
        let socket = QueueOptions {
            queue: options.queue,
            copying: match options.mode {
                Mode::ZeroCopy => Copying::ZeroCopy,
                _ => Copying::Copy,
            },
            depth: DEPTH,
            busy_poll: options.busy_poll,
            ..QueueOptions::new(options.interface)
        };
        let queue = Queue::open(&umem, &mut frames, DEPTH as usize, &socket)?;
        filter.set_socket(options.queue, &queue.socket)?;
        let hook = match options.mode {
            Mode::Generic => Hook::Generic,
            _ => Hook::Native,
        };
        Ok(Port {
            _link: filter.attach(options.interface, hook)?,
            queue,
            filter,
            umem,
            tx_free: frames,
            mode: options.mode,
            polls: options.busy_poll.is_some(),
            kick_errors: 0,
        })
    }

    /// The mode asked for, which is the one in use.
    pub fn mode(&self) -> Mode {
        self.mode
    }

    /// What the kernel granted.
    pub fn report(&self) -> &Report {
        self.queue.socket.report()
    }

    /// The program, to take more ports or addresses.
    pub fn filter(&self) -> &Filter {
        &self.filter
    }

    /// Whether the driver is asked about each frame.
    pub fn metadata(&self) -> bool {
        self.filter.metadata().is_some()
    }

    /// Hands at most 64 received frames to `on` and gives their memory back to the kernel.
    pub fn receive(&mut self, on: &mut dyn FnMut(&[u8])) -> usize {
        self.each(|umem, received| on(umem.received(received)))
    }

    /// As [`Port::receive`], with what the driver said about each frame.
    pub fn receive_with(&mut self, on: &mut dyn FnMut(&[u8], Option<RxMetadata>)) -> usize {
        let key = self.filter.metadata();
        self.each(|umem, received| {
            let metadata = key.and_then(|key| umem.rx_metadata(received, key));
            on(umem.received(received), metadata);
        })
    }

    fn each(&mut self, mut on: impl FnMut(&Umem, &Received)) -> usize {
        let Queue { rx, fill, .. } = &mut self.queue;
        let mut count = 0;
        while count < BATCH_MAX {
            let Some(received) = rx.pop() else {
                break;
            };
            count += 1;
            on(&self.umem, &received);
            let _ = fill.push(received.into_frame()); // as deep as there are frames
        }
        if count > 0 {
            rx.release();
            fill.publish();
        } else if self.polls {
            fill.wake();
        }
        count
    }

    /// Lets `build` write a frame and return its length, and queues it; `kick` sends.
    pub fn transmit(&mut self, build: impl FnOnce(&mut [u8]) -> usize) -> Result<(), Full> {
        if self.tx_free.is_empty() {
            self.reap();
        }
        let mut frame = self.tx_free.pop().ok_or(Full)?;
        let room = &mut self.umem.room(&mut frame)[..FRAME_BYTES_MAX];
        let length = build(room).min(FRAME_BYTES_MAX);
        let outgoing = frame.filled(&self.umem, length);
        if let Err(outgoing) = self.queue.tx.push(outgoing) {
            self.tx_free.push(outgoing.into_frame());
            return Err(Full);
        }
        Ok(())
    }

    /// Makes the kernel send what is queued. Returns whether it has taken all of it; if not, a
    /// later kick continues.
    pub fn kick(&mut self) -> bool {
        for _ in 0..ROUNDS_MAX {
            self.reap();
            match self.queue.tx.kick() {
                Kicked::Empty => return true,
                Kicked::Pending => {}
                Kicked::Refused(_) => {
                    self.kick_errors += 1;
                    return false;
                }
            }
        }
        false
    }

    /// Takes sent frames back.
    fn reap(&mut self) {
        let before = self.tx_free.len();
        while let Some(sent) = self.queue.completion.pop() {
            self.tx_free.push(sent.into_frame());
        }
        if self.tx_free.len() > before {
            self.queue.completion.release();
        }
    }

    /// What was counted.
    pub fn statistics(&self) -> Result<PortStatistics, Error> {
        Ok(PortStatistics {
            kernel: self.queue.socket.statistics()?,
            descriptors_invalid: self.queue.rx.invalid() + self.queue.completion.invalid(),
            kick_errors: self.kick_errors,
        })
    }
}

/// The program, with metadata if that is wanted and had.
fn load(options: &Options) -> Result<Filter, Error> {
    if options.metadata && options.mode != Mode::Generic {
        let with = LoadOptions {
            metadata_of: Some(options.interface),
            ..LoadOptions::default()
        };
        if let Ok(filter) = Filter::load_with(&options.rule, with) {
            return Ok(filter);
        }
    }
    Filter::load(&options.rule)
}
