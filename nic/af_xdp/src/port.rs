//! The simple way in: queues of one interface, whole frames, nothing to keep track of.
//!
//! A port owns its memory, which all its queues share. For each queue some frames go round kernel,
//! RX ring, caller, fill ring; as many go round free list, TX ring, kernel, completion ring of the
//! first queue, by which everything is sent: one thread cannot fill more than one. Every ring is as
//! deep as there are frames for it, so handing a frame over never fails.

use crate::error::Error;
use crate::filter::{Filter, Hook, Link};
use crate::frame::{Frame, Received};
use crate::metadata::RxMetadata;
use crate::options::{
    Mode, Options, PORT_QUEUES_MAX, check_depth, check_queues, load, queue_options,
};
use crate::queue::Queue;
use crate::report::Report;
use crate::rings::Kicked;
use crate::sender::Sender;
use crate::statistics::Statistics;
use crate::umem::{FRAMES_MAX, Umem, UmemOptions};

/// Size of a piece of memory; two to a page of 4 kB.
pub const FRAME_BYTES: usize = 2048;
/// Longest frame of a port: the kernel keeps 256 bytes of each piece for itself when receiving.
pub const FRAME_BYTES_MAX: usize = FRAME_BYTES - 256;

/// Entries of each ring unless more are asked for; frames for receiving by each queue, and for
/// sending: 4 MB in all for one queue, below the usual limit of locked memory.
pub const PORT_DEPTH: u32 = 1024;
/// Most entries of each ring of a port.
pub const PORT_DEPTH_MAX: u32 = 8192;
/// Most frames one `receive` hands out.
const BATCH_MAX: usize = 64;
/// Most rounds of taking sent frames back and kicking again in one `kick`.
const ROUNDS_MAX: usize = 4;

// The longest ordinary frame, with a VLAN tag, fits.
const _: () = assert!(FRAME_BYTES_MAX >= 1518);
const _: () = assert!(PORT_DEPTH.is_power_of_two() && PORT_DEPTH <= PORT_DEPTH_MAX);
const _: () = assert!((PORT_QUEUES_MAX as u32 + 1) * PORT_DEPTH_MAX <= FRAMES_MAX);

/// Every sending frame is in the kernel's hands: kick, then try again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Full;

/// The kernel's counters of a port, and its own.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PortStatistics {
    /// The kernel's, of all queues together.
    pub kernel: Statistics,
    /// Frames received.
    pub received: u64,
    /// Descriptors from the kernel that named no frame it had.
    pub descriptors_invalid: u64,
    /// System calls that failed for good while sending.
    pub kick_errors: u64,
}

/// One queue of a port.
#[derive(Debug)]
struct Lane {
    number: u32,
    queue: Queue,
    /// Frames received.
    received: u64,
    /// Whether some were given back that the kernel does not know of.
    is_owing: bool,
}

/// A frame that a port received: it goes back by [`Port::give_back`].
#[derive(Debug)]
#[must_use = "a dropped frame is out of use until the memory goes"]
pub struct Arrived {
    received: Received,
    /// The place of its queue among the port's.
    lane: usize,
}

/// A live port. Dropping it detaches the program and frees the queues.
#[derive(Debug)]
pub struct Port {
    // Dropped first: no frame is redirected to a socket that is going.
    link: Option<Link>,
    lanes: Vec<Lane>,
    /// The queue that is looked at next: they take turns, so that a flooded one starves nobody.
    next: usize,
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
        check_queues(&options.queues)?;
        check_depth(options.depth)?;
        let filter = load(options)?;
        let (umem, mut frames) = Umem::create(&UmemOptions {
            frames: (options.queues.len() as u32 + 1) * options.depth,
            frame_bytes: FRAME_BYTES as u32,
            ..UmemOptions::default()
        })?;
        let lane = |&number: &u32| {
            let socket = queue_options(options, number);
            let keep = frames.len() - options.depth as usize;
            let queue = Queue::open(&umem, &mut frames, keep, &socket)
                .map_err(|error| error.with_detail(format!("queue {number}")))?;
            if options.receives {
                filter.set_socket(number, &queue.socket)?;
            }
            Ok(Lane {
                number,
                queue,
                received: 0,
                is_owing: false,
            })
        };
        let lanes = options.queues.iter().map(lane).collect::<Result<_, _>>()?;
        let hook = match options.mode {
            Mode::Generic => Hook::Generic,
            _ => Hook::Native,
        };
        let attach = || filter.attach(options.interface, hook);
        Ok(Port {
            link: options.receives.then(attach).transpose()?,
            lanes,
            next: 0,
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

    /// Whether frames come in.
    pub fn receives(&self) -> bool {
        self.link.is_some()
    }

    /// What the kernel granted to the first queue; the others join it and are asked for the same.
    pub fn report(&self) -> &Report {
        self.lanes[0].queue.socket.report()
    }

    /// The queues, and how many frames came by each.
    pub fn queues(&self) -> impl Iterator<Item = (u32, u64)> {
        self.lanes.iter().map(|lane| (lane.number, lane.received))
    }

    /// The memory of all frames.
    pub fn memory_bytes(&self) -> usize {
        self.umem.options().frames as usize * FRAME_BYTES
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
        self.each(|port, arrived| on(port.bytes(arrived)))
    }

    /// As [`Port::receive`], with what the driver said about each frame.
    pub fn receive_with(&mut self, on: &mut dyn FnMut(&[u8], Option<RxMetadata>)) -> usize {
        self.each(|port, arrived| {
            let key = port.filter.metadata();
            let metadata = key.and_then(|key| port.umem.rx_metadata(&arrived.received, key));
            on(port.bytes(arrived), metadata);
        })
    }

    fn each(&mut self, mut on: impl FnMut(&Port, &Arrived)) -> usize {
        let mut count = 0;
        while count < BATCH_MAX
            && let Some(arrived) = self.take()
        {
            count += 1;
            on(self, &arrived);
            self.give_back(arrived);
        }
        self.settle();
        count
    }

    /// The next frame received. One after the other, for those who answer a frame while they look
    /// at it: give each back, and settle at the end of a turn.
    pub fn take(&mut self) -> Option<Arrived> {
        for _ in 0..self.lanes.len() {
            let lane = self.next;
            self.next = if lane + 1 < self.lanes.len() {
                lane + 1
            } else {
                0
            };
            if let Some(received) = self.lanes[lane].queue.rx.pop() {
                self.lanes[lane].received += 1;
                return Some(Arrived { received, lane });
            }
        }
        None
    }

    /// The bytes of a frame of this port.
    pub fn bytes<'a>(&'a self, arrived: &'a Arrived) -> &'a [u8] {
        self.umem.received(&arrived.received)
    }

    /// The bytes of a frame, and the way out for what answers it.
    pub fn answering<'a>(&'a mut self, arrived: &'a Arrived) -> (&'a [u8], Sender<'a>) {
        let (umem, sender) = self.split();
        (umem.received(&arrived.received), sender)
    }

    /// Gives the memory of a frame back, to be received into again.
    pub fn give_back(&mut self, arrived: Arrived) {
        let lane = &mut self.lanes[arrived.lane];
        lane.is_owing = true;
        // A queue takes back as many frames as it is deep, and it has no more.
        let _ = lane.queue.fill.push(arrived.received.into_frame());
    }

    /// Tells the kernel what was given back, and runs a driver that is polled by us.
    pub fn settle(&mut self) {
        for lane in &mut self.lanes {
            if lane.is_owing {
                lane.is_owing = false;
                lane.queue.rx.release();
                lane.queue.fill.publish();
            } else if self.polls {
                lane.queue.fill.wake();
            }
        }
    }

    /// The way out.
    pub fn sender(&mut self) -> Sender<'_> {
        self.split().1
    }

    /// The memory to look at, and the way out.
    fn split(&mut self) -> (&Umem, Sender<'_>) {
        let sender = Sender {
            umem: &self.umem,
            queue: &mut self.lanes[0].queue,
            free: &mut self.tx_free,
        };
        (&self.umem, sender)
    }

    /// Lets `build` write a frame and return its length, and queues it; `kick` sends.
    pub fn transmit(&mut self, build: impl FnOnce(&mut [u8]) -> usize) -> Result<(), Full> {
        let mut sender = self.sender();
        let mut frame = sender.frame().ok_or(Full)?;
        let length = build(sender.room(&mut frame)).min(FRAME_BYTES_MAX);
        sender.send(frame, length);
        Ok(())
    }

    /// Whether a kick has something to send.
    pub fn has_queued(&mut self) -> bool {
        !self.lanes[0].queue.tx.is_drained()
    }

    /// Makes the kernel send what is queued. Returns whether it has taken all of it; if not, a
    /// later kick continues.
    pub fn kick(&mut self) -> bool {
        for _ in 0..ROUNDS_MAX {
            let kicked = self.lanes[0].queue.tx.kick();
            // Behind the system call, so that no frame waits for it.
            self.sender().reap();
            match kicked {
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

    /// What was counted.
    pub fn statistics(&self) -> Result<PortStatistics, Error> {
        let mut all = PortStatistics {
            kick_errors: self.kick_errors,
            ..PortStatistics::default()
        };
        for Lane {
            queue, received, ..
        } in &self.lanes
        {
            all.kernel = all.kernel + queue.socket.statistics()?;
            all.received += received;
            all.descriptors_invalid += queue.rx.invalid() + queue.completion.invalid();
        }
        Ok(all)
    }
}
