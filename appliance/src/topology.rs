//! The topology: one file a machine that says what runs where and how large everything is.
//!
//! A file is read in two steps. The text becomes a [`Topology`], whose fields cannot be wrong in
//! themselves or towards one another: that needs no machine, so every file can be checked and drawn
//! anywhere. [`Topology::check_machine`] then compares it with the cores at hand. Whatever is wrong
//! becomes an [`Error`] that names the key and says what to write instead.

mod api;
mod check;
mod desk;
mod error;
mod graph;
mod keeping;
mod lines;
mod logins;
mod names;
mod packets;
mod place;
mod rate;
mod raw;
mod roles;
mod rules;
mod sandbox;
mod secret;
mod shadow;
mod slow;
mod turns;
mod uring;
mod wiring;
mod xdp;

pub use api::Api;
pub use desk::{Desk, local};
pub use error::Error;
pub use keeping::Keeping;
pub use lines::LineB;
pub use logins::ring_address;
pub use names::{Ack, Link, PacketMode, Place, Tile};
pub use roles::{Mandate, Role};
pub use rules::{Allocation, Bands, RISK_LIMITS, RISK_RATE, RISK_RESTRICTION, RiskLimit, Rules};
pub use rules::{STATES, SymbolRules};
pub use sandbox::Sandbox;
pub use secret::{SecondLogin, Secret, hash_fits, key_in, letters_of};
pub use shadow::Shadow;
pub use slow::{Database as SlowDatabase, Log as SlowLog, Server as SlowServer, Slow};
pub use turns::{Schedule, Turn, Turns};

pub(crate) use check::is_word;

use session::Network;
use session::order_entry::{Named, Rate};
use std::net::SocketAddrV4;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// The most symbols a venue lists: symbol numbers are 16 bits and 0 means "not listed".
pub const SYMBOLS_MAX: usize = 10_000;

/// The most users, hence sessions, of a venue.
pub const USERS_MAX: usize = 1_000;

/// The most resting orders that memory is taken for.
pub const ORDERS_MAX: u32 = 50_000_000;

/// The deepest link, in messages: 64 MiB of memory.
pub const DEPTH_MAX: usize = 1 << 20;

/// The shallowest link, in messages: three quarters of it hold the most events of one engine step.
pub const DEPTH_MIN: usize = 128;

const _: () = assert!(DEPTH_MAX.is_power_of_two() && DEPTH_MIN.is_power_of_two());
const _: () = assert!(DEPTH_MIN / 4 * 3 >= matching::EVENTS_MAX);
const _: () = assert!(DEPTH_MAX <= queue::DEPTH_MAX);
const _: () = assert!(SYMBOLS_MAX < u16::MAX as usize);
const _: () = assert!(USERS_MAX < u16::MAX as usize);

/// Bytes that a kept reply takes on average, with its length: an execution takes 43.
pub const REPLY_BYTES: usize = 48;

/// The door for members.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OrderEntry {
    /// Where clients connect; port 0 lets the system choose.
    pub address: SocketAddrV4,
    /// The best way to try. One of AF_XDP goes around the kernel's TCP, and where all of them are
    /// refused the venue does not start.
    pub mode: PacketMode,
    /// How it goes around the kernel, if it does; the interface has the address.
    pub xdp: Option<nic::XdpOptions>,
    /// Connections at a time; the next one is closed at once.
    pub connections_max: usize,
    /// A client whose replies wait longer than this is cut off.
    pub stall: Duration,
    /// A client that says nothing for longer is cut off.
    pub silence: Duration,
    /// How long a login may take.
    pub login: Duration,
    /// Connections from one address at a time.
    pub connections_an_address: usize,
    /// What happens when a user that is logged in logs in again.
    pub second_login: SecondLogin,
    /// Wrong passwords in a row that lock a user; 0 for any number.
    pub lock_after: u32,
    /// How long such a lock lasts.
    pub lock: Duration,
    /// How long the gate may have more to do than it can before it refuses new orders; without it
    /// they wait.
    pub refuse_after: Option<Duration>,
    /// Reply bytes that may wait unsent towards one client.
    pub backlog_bytes: usize,
    /// Reply bytes kept per session, so that a client that returns gets what it missed.
    pub reply_bytes: usize,
}

impl OrderEntry {
    /// Replies that are kept per session.
    #[must_use]
    pub const fn replies_max(&self) -> usize {
        self.reply_bytes / REPLY_BYTES
    }
}

/// Market data out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Feed {
    /// Where packets go: a multicast group, or one receiver.
    pub group: SocketAddrV4,
    /// The sender's address; for a multicast group it also chooses the interface.
    pub source: SocketAddrV4,
    /// Where receivers ask for what they missed; port 0 lets the system choose.
    pub rerequest: SocketAddrV4,
    /// The interface that packets leave by.
    pub interface: String,
    /// The best way to try; where it is refused the next one down is taken, and reported.
    pub mode: PacketMode,
    /// How it goes around the kernel, if it does.
    pub xdp: Option<nic::XdpOptions>,
    /// Bytes of the day's messages kept for re-requests.
    pub history_bytes: usize,
    /// The books by their levels, if they are told too.
    pub depth: Option<DepthFeed>,
    /// The second line, if there is one.
    pub line_b: Option<LineB>,
    /// Silence after which a heartbeat is sent.
    pub heartbeat: Duration,
    /// Who may ask for what it missed, and take snapshots.
    pub rerequest_allow: Vec<Network>,
    /// The most bytes of answers that each of these networks gets in a second.
    pub rerequest_bytes_per_second: u64,
    /// Where snapshots of the books are given, if they are; port 0 lets the system choose.
    pub snapshot: Option<SocketAddrV4>,
}

/// The second stream of market data: levels instead of orders.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DepthFeed {
    /// Where packets go.
    pub group: SocketAddrV4,
    /// Bytes of the day's messages kept for re-requests.
    pub history_bytes: usize,
}

/// How much memory is taken at start.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Symbols.
    pub symbols: u16,
    /// Sessions.
    pub sessions: u16,
    /// Users that may come in a running day.
    pub spare_users: u16,
    /// Resting orders.
    pub orders: u32,
    /// Those of them that are not plain: icebergs, orders that expire.
    pub special: u32,
    /// Groups of prices over all books.
    pub price_groups: u32,
}

/// How the program ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ending {
    /// The longest an end by signal may take before it counts as failed.
    pub drain: Duration,
    /// How long clients get to read their last replies; then they are cut off, which is reported
    /// and no failure.
    pub cutoff: Duration,
    /// How long the end of the feed is repeated.
    pub feed_end: Duration,
}

/// A ring's size. A full ring makes its writer wait: no link of the venue may lose a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LinkSize {
    /// Messages, a power of two.
    pub depth: usize,
}

/// A member's login.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct User {
    /// SoupBinTCP user name.
    pub name: String,
    /// What it proves itself by.
    pub secret: Secret,
    /// Where it may log in from; from anywhere if there are none.
    pub networks: Vec<Network>,
    /// How fast it may send.
    pub rate: Rate,
    /// The user of the system whose process has its rings; it logs in through those only.
    pub gateway: Option<String>,
    /// How long its orders outlive its connection; as long as they like if none.
    pub leave: Option<Duration>,
    /// Four letters of the firm.
    pub firm: String,
    /// Number of its first account: that of orders that name none.
    pub account: u32,
    /// What it may do for that one.
    pub role: Role,
    /// Its other accounts.
    pub mandates: Vec<Mandate>,
    /// What happens when an order would trade with one of the same account.
    pub self_trade: SelfTrade,
    /// Nobody yet: a place for who comes in a running day.
    pub is_spare: bool,
}

impl User {
    /// The numbers of all its accounts; a place for nobody has none.
    pub fn accounts(&self) -> impl Iterator<Item = u32> {
        let others = self.mandates.iter().map(|mandate| mandate.account);
        let first = (!self.is_spare).then_some(self.account);
        first.into_iter().chain(others)
    }
}

/// The login of who watches some accounts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DropCopy {
    /// SoupBinTCP user name.
    pub name: String,
    /// What it proves itself by.
    pub secret: Secret,
    /// Where it may log in from; from anywhere if there are none.
    pub networks: Vec<Network>,
    /// The accounts.
    pub accounts: Vec<u32>,
    /// How many users these accounts have.
    pub sessions: usize,
}

/// Self-trade prevention: `docs/matching.md` has the rules.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum SelfTrade {
    /// They trade.
    Allow = 0,
    /// The arriving order is cancelled.
    CancelNewest = 1,
    /// The resting order is cancelled.
    CancelOldest = 2,
    /// Both are cancelled.
    CancelBoth = 3,
    /// Both lose the smaller quantity.
    Decrement = 4,
}

impl SelfTrade {
    /// Every mode, in the order of its number in a `DefineSession`; the first is the default.
    pub const ALL: [Self; 5] = [
        Self::Allow,
        Self::CancelNewest,
        Self::CancelOldest,
        Self::CancelBoth,
        Self::Decrement,
    ];

    /// Its value in the file.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Allow => "allow",
            Self::CancelNewest => "cancel-newest",
            Self::CancelOldest => "cancel-oldest",
            Self::CancelBoth => "cancel-both",
            Self::Decrement => "decrement",
        }
    }
}

/// A checked topology. A user's session number is its place in `users`, from 1; a symbol's number
/// is its place in `symbols`, from 1.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Topology {
    /// The file's name for itself.
    pub name: String,
    /// Where journal and counters are kept.
    pub data_dir: PathBuf,
    /// When a reply may leave.
    pub ack: Ack,
    /// The door for members.
    pub order_entry: OrderEntry,
    /// Market data out.
    pub feed: Feed,
    /// How much memory is taken at start.
    pub limits: Limits,
    /// How the program ends.
    pub ending: Ending,
    /// How ports use io_uring.
    pub uring: nic::UringOptions,
    /// Bytes of one journal segment.
    pub segment_bytes: u64,
    /// How long inputs may gather before the journal writes them; zero where replies wait for it.
    pub gather: Duration,
    /// What becomes of closed segments and of days that are over.
    pub keeping: Keeping,
    /// Who writes streams and snapshots, if anybody does.
    pub shadow: Option<Shadow>,
    /// Who makes tables of what the shadow writes, if anybody does.
    pub slow: Option<Slow>,
    /// The venue over HTTP, if there is to be one.
    pub api: Option<Api>,
    /// Who trades beside the venue, if anybody does.
    pub desk: Option<Desk>,
    /// Whom the process becomes.
    pub sandbox: Sandbox,
    /// Where each tile runs, in the order of [`Tile::ALL`].
    pub places: [Place; Tile::ALL.len()],
    /// How deep each link is, in the order of [`Link::ALL`].
    pub links: [LinkSize; Link::ALL.len()],
    /// What is traded.
    pub symbols: Vec<String>,
    /// The tick of each symbol in 1/10,000: prices are its multiples. 1 where none is named.
    pub ticks: Vec<i64>,
    /// The market's rules.
    pub rules: Rules,
    /// Who may log in.
    pub users: Vec<User>,
    /// Who may watch.
    pub drop_copies: Vec<DropCopy>,
}

impl Topology {
    /// Reads and checks a file.
    ///
    /// # Errors
    /// The file cannot be read, or something in it is wrong.
    pub fn load(path: &Path) -> Result<Self, Error> {
        let text = std::fs::read_to_string(path).map_err(|source| Error::Read {
            path: path.to_path_buf(),
            source,
        })?;
        Self::parse(&text).map_err(|error| error.of_file(path))
    }

    /// Checks a file's text.
    ///
    /// # Errors
    /// Something in it is wrong.
    pub fn parse(text: &str) -> Result<Self, Error> {
        check::checked(raw::parse(text)?).map_err(|error| error.in_text(text))
    }

    /// Compares the pinned tiles with the cores this process may use.
    ///
    /// # Errors
    /// A tile names a core that is not among `cores`.
    pub fn check_machine(&self, cores: &[usize]) -> Result<(), Error> {
        for (tile, place) in Tile::ALL.iter().zip(&self.places) {
            if let Place::Core(core) = place
                && !cores.contains(core)
            {
                return Err(Error::value(
                    format!("tiles.{}.core", tile.name()),
                    format!("is {core}, and this process may use the cores {cores:?}"),
                    "name one of them, or share a thread: { thread = \"NAME\" }",
                ));
            }
        }
        let shadow = self.shadow.and_then(|shadow| shadow.core);
        let slow = self.slow.as_ref().and_then(|slow| slow.core);
        let mut others = vec![("shadow.core", shadow), ("slow.core", slow)];
        let desk = self.desk.as_ref().and_then(|desk| desk.cores);
        others.extend(desk.iter().flatten().map(|it| ("desk.cores", Some(*it))));
        for (key, core) in others {
            if let Some(core) = core.filter(|core| !cores.contains(core)) {
                return Err(Error::value(
                    key,
                    format!("is {core}, and this process may use the cores {cores:?}"),
                    "name one of them, or leave it out",
                ));
            }
        }
        Ok(())
    }

    /// The session of the next user that comes: the highest place that nobody has. What is granted
    /// to a user takes the first number above its own that is free, so places are filled from the
    /// top, where none is left.
    #[must_use]
    pub fn spare(&self) -> Option<u16> {
        let place = self.users.iter().rposition(|user| user.is_spare)?;
        u16::try_from(place + 1).ok()
    }

    /// A user has a spare place, if it has a name yet.
    pub fn seat(&mut self, session: u16, named: Option<&Named>) {
        let place = usize::from(session).wrapping_sub(1);
        let Some(user) = self.users.get_mut(place) else {
            return;
        };
        user.is_spare = false;
        if let Some(named) = named {
            user.name.clone_from(&named.user);
        }
    }

    /// Nobody came to a spare place after all.
    pub fn vacate(&mut self, session: u16) {
        let place = usize::from(session).wrapping_sub(1);
        if let Some(user) = self.users.get_mut(place) {
            user.is_spare = true;
            user.name = logins::spare_name(place);
        }
    }

    /// Where a tile runs.
    #[must_use]
    pub fn place(&self, tile: Tile) -> &Place {
        &self.places[tile as usize]
    }

    /// What each login proves itself by: users first, then drop copies.
    pub fn secrets(&self) -> impl Iterator<Item = (&str, &Secret)> {
        let users = self.users.iter().map(|it| (it.name.as_str(), &it.secret));
        let copies = self.drop_copies.iter();
        users.chain(copies.map(|it| (it.name.as_str(), &it.secret)))
    }

    /// Reads the files of all keys.
    ///
    /// # Errors
    /// The first one that cannot be read, that others may read, or that holds no key.
    pub fn read_keys(&mut self) -> Result<(), String> {
        let users = self.users.iter_mut().map(|it| &mut it.secret);
        let copies = self.drop_copies.iter_mut().map(|it| &mut it.secret);
        for secret in users.chain(copies) {
            if let Secret::Key(path, key) = secret {
                *key = Some(key_in(path)?);
            }
        }
        Ok(())
    }

    /// Whether some login proves a key, so that connections are greeted.
    #[must_use]
    pub fn has_keys(&self) -> bool {
        self.secrets()
            .any(|(_, secret)| matches!(secret, Secret::Key(..)))
    }

    /// Whether some login has a hashed password or a key, so that all logins wait for the worker.
    #[must_use]
    pub fn has_worker(&self) -> bool {
        self.secrets()
            .any(|(_, secret)| !matches!(secret, Secret::Plain(_)))
    }

    /// How many messages a link holds.
    #[must_use]
    pub fn depth(&self, link: Link) -> usize {
        self.links[link as usize].depth
    }

    /// The graph as text: tiles with their places, links with their depths, ports and limits.
    #[must_use]
    pub fn graph(&self) -> String {
        graph::drawn(self)
    }
}
