//! One socket on one queue of an interface: its four rings, and what the kernel granted.

use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::sync::Arc;
use std::time::Duration;

use crate::bind::{bind_somehow, register};
use crate::error::Error;
use crate::frame::Frame;
use crate::report::{Answer, BusyPollReport, Report};
use crate::ring::{Consumer, Producer};
use crate::rings::{CompletionRing, FillRing, RxRing, TxRing};
use crate::socket::{self, fill_depth, get, ring, set, size_rings};
use crate::statistics::Statistics;
use crate::umem::{Member, Umem};

/// Deepest ring.
pub const DEPTH_MAX: u32 = 1 << 16;

/// XDP_MAX_TX_SKB_BUDGET.
const OPTION_TX_BUDGET: libc::c_int = 9;

/// Who moves the bytes between the card and the memory.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Copying {
    /// The card if its driver can, else the kernel; [`Report::copy_because`] says why.
    #[default]
    Auto,
    /// The card; an error if its driver cannot.
    ZeroCopy,
    /// The kernel.
    Copy,
}

/// The kernel polls the driver in the program's system calls, instead of at interrupts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BusyPoll {
    /// SO_BUSY_POLL: microseconds that one system call may poll.
    pub micros: u32,
    /// SO_BUSY_POLL_BUDGET: most frames that one poll takes.
    pub budget: u32,
}

/// What a socket is to be.
#[derive(Clone, Copy, Debug)]
pub struct QueueOptions {
    /// Index of the interface, see [`interface_index`](crate::interface_index).
    pub interface: u32,
    /// Queue of the interface; 0 where there is one.
    pub queue: u32,
    /// Who copies. A socket that joins another one's memory does as that one.
    pub copying: Copying,
    /// Entries of each ring, a power of two up to [`DEPTH_MAX`]; the fill ring has twice as many,
    /// so that so many frames of a queue can always be given back.
    pub depth: u32,
    /// Packets longer than a frame come and go in parts (XDP_USE_SG). A socket that joins another
    /// one's memory does as that one.
    pub multi_buffer: bool,
    /// Preferred busy polling, if any. Only for a card: a virtual interface gets slower.
    pub busy_poll: Option<BusyPoll>,
    /// In copy mode, frames that one system call sends: 32 unless said, at most `depth`.
    pub tx_budget: Option<u32>,
}

impl QueueOptions {
    /// Queue 0 of the interface, rings of 1024, nothing special.
    pub fn new(interface: u32) -> QueueOptions {
        QueueOptions {
            interface,
            queue: 0,
            copying: Copying::Auto,
            depth: 1024,
            multi_buffer: false,
            busy_poll: None,
            tx_budget: None,
        }
    }
}

/// The socket behind the rings: counters, and its descriptor for `poll` and for
/// [`Filter::set_socket`](crate::Filter::set_socket).
#[derive(Debug)]
pub struct Socket {
    fd: Arc<OwnedFd>,
    report: Report,
    _umem: Umem,
}

/// A socket with its rings, to be used together or taken apart.
///
/// The queue of the interface is free again when all five are dropped. Frames that the kernel then
/// still holds are out of use until the memory goes.
#[derive(Debug)]
pub struct Queue {
    /// To the kernel, to receive into.
    pub fill: FillRing,
    /// From the kernel, sent.
    pub completion: CompletionRing,
    /// From the kernel, received.
    pub rx: RxRing,
    /// To the kernel, to be sent.
    pub tx: TxRing,
    /// What is behind them.
    pub socket: Socket,
}

impl Queue {
    /// Opens a socket, fills its fill ring from `frames` as far as it goes, but for `keep` of them,
    /// and binds it. Filling first matters: some drivers take their first frames at the bind.
    ///
    /// If another socket uses the memory, the new one joins it (XDP_SHARED_UMEM); it must be on
    /// another queue or interface. Waits up to 5 s for a queue that is taken. On an error the
    /// frames are in `frames` again.
    pub fn open(
        umem: &Umem,
        frames: &mut Vec<Frame>,
        keep: usize,
        options: &QueueOptions,
    ) -> Result<Queue, Error> {
        let step = "checking the depth of the rings";
        if !options.depth.is_power_of_two() || options.depth > DEPTH_MAX {
            return Err(Error::new(step, std::io::ErrorKind::InvalidInput.into()));
        }
        let fd = Arc::new(socket::open()?);
        // Held until bound: two sockets opened at once must not both be the first.
        let mut members = umem.members();
        members.retain(|member| member.socket.strong_count() > 0);
        let owner = members
            .iter()
            .rev() // the newest: the interface of an older one may be gone
            .find_map(|member| Some((member.socket.upgrade()?, member.multi_buffer)));
        if owner.is_none() {
            register(fd.as_fd(), umem)?;
        }
        let mut queue = unbound(umem, fd, options)?;
        let count = frames.len().saturating_sub(keep);
        let count = count.min(options.depth as usize);
        let lent = frames.split_off(frames.len() - count);
        let indices: Vec<u32> = lent.iter().map(|frame| frame.index).collect();
        for frame in lent {
            let _ = queue.fill.push(frame); // there is room
        }
        queue.fill.ring.publish();
        let first = owner.as_ref().map(|(fd, _)| fd.as_fd());
        match bind_somehow(queue.socket.as_fd(), umem, options, first) {
            Ok((joined, copy_because)) => {
                let first = owner.filter(|_| joined);
                let report = Report {
                    joined,
                    copy_because,
                    multi_buffer: first.map_or(options.multi_buffer, |(_, parts)| parts),
                    ..report(&queue, umem, options)?
                };
                queue.socket.report = report;
            }
            Err(error) => {
                drop(queue);
                // Never bound, so the kernel has touched none of them.
                frames.extend(indices.into_iter().filter_map(|index| umem.reclaim(index)));
                return Err(error);
            }
        }
        queue.tx.always_wake = options.busy_poll.is_some() && queue.socket.report.zero_copy;
        members.push(Member {
            socket: Arc::downgrade(&queue.socket.fd),
            multi_buffer: queue.socket.report.multi_buffer,
        });
        Ok(queue)
    }

    /// Entries of each ring.
    pub fn depth(&self) -> u32 {
        self.socket.report.depth
    }
}

impl Socket {
    /// What the kernel granted.
    pub fn report(&self) -> &Report {
        &self.report
    }

    /// What the kernel counted for this socket.
    pub fn statistics(&self) -> Result<Statistics, Error> {
        let step = "reading XDP_STATISTICS";
        let (level, name) = (libc::SOL_XDP, libc::XDP_STATISTICS);
        get::<libc::xdp_statistics>(self.fd.as_fd(), level, name, step).map(Statistics::from)
    }

    /// Runs the driver once where it is polled by us; harmless elsewhere.
    pub fn poll_driver(&self) {
        socket::receive_nothing(&self.fd);
    }
}

/// Most sockets that one [`wait`] waits for.
pub const WAIT_MAX: usize = 64;

/// Sleeps until one of the sockets has received something, at most `timeout`; false when none has.
/// Also true early, now and then, without a reason. For programs that need not be quick.
///
/// # Panics
/// If there are more than [`WAIT_MAX`] sockets.
pub fn wait(sockets: &[&Socket], timeout: Duration) -> Result<bool, Error> {
    assert!(sockets.len() <= WAIT_MAX, "too many sockets");
    socket::wait(sockets.iter().map(|socket| socket.as_fd()), timeout)
}

impl AsFd for Socket {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.fd.as_fd()
    }
}

/// The rings of a socket that is not bound yet.
fn unbound(umem: &Umem, socket: Arc<OwnedFd>, options: &QueueOptions) -> Result<Queue, Error> {
    let (fd, depth) = (socket.as_fd(), options.depth);
    let offsets = size_rings(fd, depth)?;
    let (fill, completion) = (
        libc::XDP_UMEM_PGOFF_FILL_RING as i64,
        libc::XDP_UMEM_PGOFF_COMPLETION_RING as i64,
    );
    let (map, layout) = ring::<u64>(fd, &offsets.fr, fill, fill_depth(depth))?;
    let fill = FillRing {
        ring: Producer::new(map, layout),
        umem: umem.clone(),
        socket: socket.clone(),
    };
    let (map, layout) = ring::<u64>(fd, &offsets.cr, completion, depth)?;
    let completion = CompletionRing {
        ring: Consumer::new(map, layout),
        umem: umem.clone(),
        invalid: 0,
    };
    let (map, layout) = ring::<libc::xdp_desc>(fd, &offsets.rx, libc::XDP_PGOFF_RX_RING, depth)?;
    let rx = RxRing {
        ring: Consumer::new(map, layout),
        umem: umem.clone(),
        invalid: 0,
    };
    let (map, layout) = ring::<libc::xdp_desc>(fd, &offsets.tx, libc::XDP_PGOFF_TX_RING, depth)?;
    let tx = TxRing {
        ring: Producer::new(map, layout),
        umem: umem.clone(),
        socket: socket.clone(),
        always_wake: false,
    };
    let socket = Socket {
        fd: socket,
        report: Report::default(),
        _umem: umem.clone(),
    };
    Ok(Queue {
        fill,
        completion,
        rx,
        tx,
        socket,
    })
}

/// Sets the options of a bound socket, and asks what is so.
fn report(queue: &Queue, umem: &Umem, options: &QueueOptions) -> Result<Report, Error> {
    let fd = queue.socket.as_fd();
    let step = "asking whether the card copies";
    let granted: libc::xdp_options = get(fd, libc::SOL_XDP, libc::XDP_OPTIONS, step)?;
    let ask = |level, name, value: Option<u32>| match value {
        None => Answer::NotAsked,
        Some(value) => answer(fd, level, name, value),
    };
    let general = libc::SOL_SOCKET;
    let poll = options.busy_poll;
    let micros = ask(general, libc::SO_BUSY_POLL, poll.map(|poll| poll.micros));
    let budget = poll.map(|poll| poll.budget);
    Ok(Report {
        depth: options.depth,
        pages: Some(umem.pages()),
        zero_copy: granted.flags & libc::XDP_OPTIONS_ZEROCOPY != 0,
        busy_poll: BusyPollReport {
            prefer: ask(general, libc::SO_PREFER_BUSY_POLL, poll.map(|_| 1)),
            micros,
            budget: ask(general, libc::SO_BUSY_POLL_BUDGET, budget),
        },
        tx_budget: ask(libc::SOL_XDP, OPTION_TX_BUDGET, options.tx_budget),
        ..Report::default()
    })
}

/// Sets an option and reads it back.
fn answer(fd: BorrowedFd<'_>, level: libc::c_int, name: libc::c_int, value: u32) -> Answer {
    let step = "setting an option";
    if let Err(error) = set(fd, level, name, value, step) {
        return Answer::Refused(error.errno().unwrap_or(0));
    }
    match get::<u32>(fd, level, name, step) {
        Ok(now) => Answer::Is(now),
        Err(_) => Answer::Accepted(value),
    }
}
