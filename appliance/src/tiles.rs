//! The tiles: each is a struct that takes a bounded batch when it is polled, and returns.
//!
//! A tile never blocks, never sleeps and knows no thread: time is handed in, ports and storage are
//! parameters, and what tiles tell one another beside the messages of the rings are counters. The
//! runner puts tiles on threads; a simulator polls the very same tiles in an order of its choice.
//!
//! How a venue ends, told through counters only, each a number that needs no other memory:
//! 1. the phase becomes [`Phase::Draining`]; the gate takes no more commands and says how many it
//!    took in all;
//! 2. the engine, having applied that many, says the number of its last input;
//! 3. the journal, having that input on disk, writes the closing record; gate and publish, having
//!    given out its last event, say that they are through;
//! 4. the phase becomes [`Phase::Ending`]: end of session goes out to members and receivers;
//! 5. gate and publish say that they are done, and the phase becomes [`Phase::Stopped`].

mod burst;
mod desk;
mod doing;
mod engine;
mod frames;
mod gate;
mod held;
mod journal;
mod past;
mod publish;
mod signals;

pub use desk::Desk;
pub(crate) use desk::{ANSWERS_DEPTH, is_about};
pub use doing::{PARTS, Part, word_of};
pub use engine::{EngineLinks, EngineTile};
pub use gate::{GateLinks, GateTile};
pub(crate) use gate::{GatePast, MemberTicket};
pub use journal::JournalTile;
pub(crate) use past::{Answering, Found, Wanted, line as past_line};
pub(crate) use publish::{PublishPast, ReceiverTicket};
pub use publish::{PublishPorts, PublishTile};
pub use signals::{COUNTERS, HISTOGRAMS, Phase, Signals};
pub use subscriber::{FeedPorts, FeedServers, FeedTile, Market};

use nic::{TcpPort, UdpPort};

/// Messages a tile takes in one turn.
pub const BATCH: usize = 256;

/// How often a tile tells the counters that no event of its own moves: those of its ports.
const FIGURES_NS: u64 = 100_000_000;

/// Whether a turn did anything.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Progress {
    /// There was nothing to do.
    Idle,
    /// There was; there may be more.
    Busy,
    /// There is something to do, but not now: there is no room for what would come of it, or it is
    /// not on disk yet.
    Waiting,
}

impl Progress {
    /// Busy if anything was done.
    #[must_use]
    pub fn of(work: usize) -> Self {
        Self::or_waiting(work, || false)
    }

    /// Busy if anything was done; else it `is_held`, which is asked only then, or there was
    /// nothing.
    #[must_use]
    pub fn or_waiting(work: usize, is_held: impl FnOnce() -> bool) -> Self {
        match work {
            0 if is_held() => Self::Waiting,
            0 => Self::Idle,
            _ => Self::Busy,
        }
    }
}

/// What a thread, or a simulator, does with a tile.
pub trait Tile: Send {
    /// Takes one bounded turn at `now_ns`.
    fn poll(&mut self, now_ns: u64) -> Progress;

    /// Why this tile cannot go on, if so: the venue must end. The journal's counter
    /// `journal.failed` says the same to other threads.
    fn failure(&self) -> Option<&str>;
}

impl<U: UdpPort + Send, T: TcpPort + Send, M: Market + Send> Tile for FeedTile<U, T, M> {
    fn poll(&mut self, now_ns: u64) -> Progress {
        Progress::of(self.turn(now_ns))
    }

    fn failure(&self) -> Option<&str> {
        None
    }
}
