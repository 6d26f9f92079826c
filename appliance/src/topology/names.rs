//! What a topology file can name: tiles, links, places, rules and modes.

use std::fmt;

/// The work of one thread's turn: see `tiles/`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Tile {
    /// Order entry: bytes of clients in and out.
    Gate,
    /// The sequencer and the matching engine.
    Engine,
    /// The journal.
    Journal,
    /// Market data out.
    Publish,
}

impl Tile {
    /// Every tile, in the order a message meets them.
    pub const ALL: [Self; 4] = [Self::Gate, Self::Engine, Self::Journal, Self::Publish];

    /// Its key in the file.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Gate => "gate",
            Self::Engine => "engine",
            Self::Journal => "journal",
            Self::Publish => "publish",
        }
    }
}

/// A ring between two tiles.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Link {
    /// Commands of the clients.
    GateEngine,
    /// Numbered inputs on their way to the disk.
    EngineJournal,
    /// Events that become replies.
    EngineGate,
    /// Events that become market data.
    EnginePublish,
}

impl Link {
    /// Every link, in the order of the topology's `links`.
    pub const ALL: [Self; 4] = [
        Self::GateEngine,
        Self::EngineJournal,
        Self::EngineGate,
        Self::EnginePublish,
    ];

    /// Who writes and who reads.
    #[must_use]
    pub const fn ends(self) -> (Tile, Tile) {
        match self {
            Self::GateEngine => (Tile::Gate, Tile::Engine),
            Self::EngineJournal => (Tile::Engine, Tile::Journal),
            Self::EngineGate => (Tile::Engine, Tile::Gate),
            Self::EnginePublish => (Tile::Engine, Tile::Publish),
        }
    }

    /// Its key in the file: `<from>_<to>`.
    #[must_use]
    pub fn name(self) -> String {
        let (from, to) = self.ends();
        format!("{}_{}", from.name(), to.name())
    }
}

/// Where a tile runs.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Place {
    /// Alone on this core, in a busy loop.
    Core(usize),
    /// In turn with the other tiles that name the same thread; the thread is not pinned.
    Thread(String),
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Core(core) => write!(f, "core {core}"),
            Self::Thread(name) => write!(f, "thread {name}"),
        }
    }
}

/// When a reply may leave.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ack {
    /// When its order is matched; nothing survives the process.
    Memory,
    /// When the journal record of its input is on disk.
    Disk,
}

impl Ack {
    /// Its value in the file.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Memory => "memory",
            Self::Disk => "disk",
        }
    }
}

/// A way to move packets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PacketMode {
    /// AF_XDP, the card reads our memory.
    ZeroCopy,
    /// AF_XDP in the driver, one copy.
    Native,
    /// AF_XDP in the kernel's generic path.
    Generic,
    /// An ordinary socket driven by io_uring.
    IoUring,
}

impl PacketMode {
    /// Every mode, best first.
    pub const ALL: [Self; 4] = [Self::ZeroCopy, Self::Native, Self::Generic, Self::IoUring];

    /// Its value in the file.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::ZeroCopy => "zero-copy",
            Self::Native => "native",
            Self::Generic => "generic",
            Self::IoUring => "io_uring",
        }
    }
}
