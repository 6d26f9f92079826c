//! What a port is to be, checked and taken apart.

use std::io::ErrorKind;

use crate::error::Error;
use crate::filter::{Filter, LoadOptions, QUEUES_MAX};
use crate::port::{PORT_DEPTH, PORT_DEPTH_MAX};
use crate::queue::{BusyPoll, Copying, QueueOptions};
use crate::rule::Rule;

/// Most queues of one port.
pub const PORT_QUEUES_MAX: usize = 64;

const _: () = assert!(PORT_QUEUES_MAX <= QUEUES_MAX as usize);

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
    /// Queues of the interface, each once, at most [`PORT_QUEUES_MAX`]; frames leave by the first.
    /// What comes by a queue that is not named goes to the kernel.
    pub queues: Vec<u32>,
    /// How; there is no silent fallback: a mode that is refused is an error.
    pub mode: Mode,
    /// The frames that are ours.
    pub rule: Rule,
    /// Whether frames come in. A port that only sends attaches no program: another port may have
    /// the interface's, and the other queues.
    pub receives: bool,
    /// Entries of each ring, a power of two up to [`PORT_DEPTH_MAX`]; so many frames receive by
    /// each queue, and so many send. What comes while a queue's frames are all in use is lost.
    pub depth: u32,
    /// Preferred busy polling, if any; [`Port::report`](crate::Port::report) says what came of it.
    pub busy_poll: Option<BusyPoll>,
    /// Whether the driver is asked about each frame, for
    /// [`Port::receive_with`](crate::Port::receive_with). Costs some nanoseconds a frame; never had
    /// in generic mode. [`Port::metadata`](crate::Port::metadata) says whether it is had.
    pub metadata: bool,
}

impl Options {
    /// Queue 0, rings of [`PORT_DEPTH`], nothing special.
    pub fn new(interface: u32, mode: Mode, rule: Rule) -> Options {
        Options {
            interface,
            queues: vec![0],
            mode,
            rule,
            receives: true,
            depth: PORT_DEPTH,
            busy_poll: None,
            metadata: false,
        }
    }
}

/// Each queue once, and not too many.
pub(crate) fn check_queues(queues: &[u32]) -> Result<(), Error> {
    let is_once = |(at, queue): (usize, &u32)| !queues[..at].contains(queue) && *queue < QUEUES_MAX;
    let is_valid =
        (1..=PORT_QUEUES_MAX).contains(&queues.len()) && queues.iter().enumerate().all(is_once);
    if is_valid {
        return Ok(());
    }
    let detail = format!("{queues:?}: name 1 to {PORT_QUEUES_MAX} below {QUEUES_MAX}, each once");
    let error = Error::new("checking the queues", ErrorKind::InvalidInput.into());
    Err(error.with_detail(detail))
}

/// A power of two that is not too large.
pub(crate) fn check_depth(depth: u32) -> Result<(), Error> {
    if depth.is_power_of_two() && depth <= PORT_DEPTH_MAX {
        return Ok(());
    }
    let error = Error::new("checking the depth", ErrorKind::InvalidInput.into());
    let detail = format!("{depth}: choose a power of two up to {PORT_DEPTH_MAX}");
    Err(error.with_detail(detail))
}

pub(crate) fn queue_options(options: &Options, queue: u32) -> QueueOptions {
    QueueOptions {
        queue,
        copying: match options.mode {
            Mode::ZeroCopy => Copying::ZeroCopy,
            _ => Copying::Copy,
        },
        depth: options.depth,
        busy_poll: options.busy_poll,
        ..QueueOptions::new(options.interface)
    }
}

/// The program, with metadata if that is wanted and had.
pub(crate) fn load(options: &Options) -> Result<Filter, Error> {
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
