//! The venue put together: from a topology and a journal to four tiles that are ready to run.
//!
//! Nothing here knows a thread or opens a port: the parts are handed in, so that a simulator can
//! assemble the same venue from simulated ones. [`runner`] does both for production.

mod answer;
mod api;
mod beside;
pub mod closing;
mod conduct;
mod control;
pub mod day;
mod definitions;
mod desk;
mod keeping;
mod kept;
pub mod logins;
mod muster;
mod past;
mod pools;
mod ports;
mod presence;
mod recall;
mod recovery;
pub mod remark;
mod replay;
pub mod rerun;
pub mod retention;
mod rings;
pub mod runner;
mod schedule;
pub(crate) mod seats;
pub mod shadow;
mod slow;
pub mod snapshots;
mod spent;
mod staff;
mod stop;
mod threads;
mod time;
mod walls;
pub mod word;

pub(crate) use answer::decimals;
pub use control::{Operator, say};
pub use definitions::definitions;
pub use presence::Presences;
pub use recall::Recaller;
pub use recovery::{Recovery, Split};
pub use schedule::Schedule;
pub(crate) use seats::seat_told;
pub use slow::slow_program;
pub use stop::StopRequests;
pub(crate) use threads::idle;
pub use walls::{INSECURE, INSECURE_COUNTER, USER_DEFAULT};

use crate::tiles::{
    ANSWERS_DEPTH, COUNTERS, Desk, EngineLinks, EngineTile, GateLinks, GateTile, HISTOGRAMS,
    JournalTile, PublishPorts, PublishTile, Tile,
};
use crate::topology::{DepthFeed, DropCopy, Link, SecondLogin, Secret, Topology, User};
use journal::{Files, Storage, Writer};
use logins::LoginWorker;
use matching::{Engine, Line};
use nic::{TcpPort, UdpPort};
use queue::{CounterSet, Home, ring_at};
use session::feed::{DepthPublisher, Publisher, PublisherConfig};
use session::order_entry::{Config, Member, OrderEntry};
use std::fmt;

/// Bytes of one member's input that wait to be read.
const INBOUND_BYTES: usize = 16 << 10;

/// Bytes of a feed message in the history on average: what sets the number of messages.
const FEED_MESSAGE_BYTES: usize = 32;

/// Commands of the venue itself that wait for the engine.
const CONTROL_DEPTH: usize = 128;

/// Why a venue cannot start: what is wrong and what to do.
#[derive(Debug)]
pub struct StartError(String);

impl StartError {
    /// An error with this text.
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// An error that happened while doing `what`.
    pub fn of(what: &str, error: &dyn fmt::Display) -> Self {
        Self(format!("{what}: {error}"))
    }
}

impl fmt::Display for StartError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for StartError {}

/// What a venue is assembled from beside its topology.
pub struct Parts<T: TcpPort, U: UdpPort, S: Storage> {
    /// The listening port.
    pub tcp: T,
    /// The feed's ports.
    pub udp: PublishPorts<U>,
    /// The journal's storage.
    pub storage: S,
    /// Where snapshots and streams lie, if there may be any.
    pub files: Option<Box<dyn Files>>,
    /// Name of the trading day: the session of order entry and feed.
    pub session: [u8; 10],
    /// Where the rings between its tiles are.
    pub rings: Home,
}

/// The tiles of a venue.
pub struct Venue<'m, T: TcpPort, U: UdpPort, S: Storage> {
    /// Order entry.
    pub gate: GateTile<T>,
    /// Sequencer and matching.
    pub engine: EngineTile<'m>,
    /// The log.
    pub journal: JournalTile<S>,
    /// Market data.
    pub publish: PublishTile<U>,
    /// Takes an operator's commands.
    pub operator: Option<Operator>,
    /// Judges logins, if passwords are hashed.
    pub logins: Option<LoginWorker>,
    /// Reads streams for gate and feed; it wants turns of its own.
    pub recaller: Option<Recaller>,
    /// Where the streams end that are whole: the shadow goes on there.
    pub streams: Vec<(journal::stream::Name, journal::stream::Position)>,
    /// The last input of the snapshot that it started from; 0 if it started from none.
    pub snapshot: u64,
}

impl<T, U, S> Venue<'_, T, U, S>
where
    T: TcpPort + Send,
    U: UdpPort + Send,
    S: Storage + Send,
{
    /// The tiles in the order of [`crate::topology::Tile::ALL`].
    pub fn tiles(&mut self) -> [&mut dyn Tile; 4] {
        [
            &mut self.gate,
            &mut self.engine,
            &mut self.journal,
            &mut self.publish,
        ]
    }
}

/// Makes a set of counters for [`assemble`] that no other process sees.
///
/// # Errors
/// There is no memory.
pub fn counters_anonymous() -> Result<CounterSet, queue::Error> {
    CounterSet::anonymous(COUNTERS, HISTOGRAMS)
}

/// What the engine of a topology is limited to; [`matching::Limits::lines`] says how much memory
/// [`assemble`] must be handed.
#[must_use]
pub fn engine_limits(topology: &Topology) -> matching::Limits {
    let limits = topology.limits;
    let has_risk = !topology.rules.risk.is_empty();
    matching::Limits {
        symbols: limits.symbols,
        sessions: limits.sessions,
        orders: limits.orders,
        special: limits.special,
        price_groups: limits.price_groups,
        // Sums and positions take memory for every symbol: only of those who name an account.
        accounts: if has_risk { limits.sessions } else { 0 },
    }
}

/// Reads snapshot and journal back, checks them against the topology and builds the tiles behind
/// their end. An empty journal gets the topology's definitions as its first inputs.
///
/// # Errors
/// The journal is damaged or belongs to another topology, or memory is too small.
pub fn assemble<'m, T, U, S>(
    topology: &Topology,
    parts: Parts<T, U, S>,
    lines: &'m mut [Line],
    set: &mut CounterSet,
) -> Result<(Venue<'m, T, U, S>, Recovery), StartError>
where
    T: TcpPort + Send,
    U: UdpPort + Send,
    S: Storage + Send,
{
    let Parts {
        tcp,
        udp,
        mut storage,
        mut files,
        session,
        rings,
    } = parts;
    let engine = Engine::new(engine_limits(topology), lines)
        .map_err(|e| StartError::of("matching engine", &e))?;
    let recovery::Replayed {
        journaled,
        state,
        startup,
        streams,
        recovery,
    } = recovery::recover(
        topology,
        session,
        engine,
        &mut storage,
        files.as_deref_mut(),
    )?;
    let replay::State {
        engine,
        mut outputs,
    } = state;
    if topology.has_keys() {
        let seed = logins::key_random().map_err(|e| StartError::of("a seed", &e))?;
        outputs.entry.greet(seed);
    }
    for session in outputs.presences.locked() {
        outputs.entry.lock(session);
    }
    let present = with_newcomers(topology, &outputs.entry);
    let config = journal::Config {
        segment_bytes: topology.segment_bytes,
    };
    let writer = Writer::open(storage, config, journaled.resume.clone())
        .map_err(|e| StartError::of("journal", &e))?;
    let last = (journaled.next_sequence - 1, journaled.time_ns);
    let opening = last.0 + startup.len() as u64;
    let built = || -> Result<Venue<'m, T, U, S>, queue::Error> {
        let (commands_in, commands_out) = ring_of(rings, topology, Link::GateEngine)?;
        let (inputs_in, inputs_out) = ring_of(rings, topology, Link::EngineJournal)?;
        let (replies_in, replies_out) = ring_of(rings, topology, Link::EngineGate)?;
        let (feed_in, feed_out) = ring_of(rings, topology, Link::EnginePublish)?;
        let (control_in, control_out) = ring_at(rings, "control_engine", CONTROL_DEPTH)?;
        let (answers_in, answers_out) = ring_at(rings, "engine_control", ANSWERS_DEPTH)?;
        let links = EngineLinks {
            commands: commands_out,
            desk: Desk::new(control_out, answers_in),
            journal: inputs_in,
            gate: replies_in,
            publish: feed_in,
        };
        let gate_links = GateLinks {
            commands: commands_in,
            events: replies_out,
        };
        let (asked, logins) = logins::worker_of(topology)?.unzip();
        let recalling = files.map(|files| Recaller::new(topology, files, &streams, set));
        let (recaller, gate_past, feed_past) = match recalling.transpose()? {
            Some((recaller, gate, feed)) => (Some(recaller), Some(gate), Some(feed)),
            None => (None, None, None),
        };
        let groups = topology.feed.depth.map(|depth| depth.group);
        Ok(Venue {
            gate: GateTile::new(tcp, (outputs.entry, last.0), gate_links, topology, set)?
                .opening_at(opening)
                .asking(asked)
                .recalling(gate_past),
            engine: EngineTile::new(engine, last, startup, links, set)?
                .scheduled(outputs.schedule)
                .watching(outputs.presences),
            journal: JournalTile::new(writer, inputs_out, set)?.gathering(topology.gather),
            publish: PublishTile::new(udp, (outputs.publisher, last.0), feed_out, topology, set)?
                .with_depth(outputs.depth.zip(groups))
                .recalling(feed_past),
            operator: Some(Operator::new(present, control_in, answers_out)),
            logins,
            recaller,
            streams,
            snapshot: recovery.inputs_skipped,
        })
    };
    let venue = built().map_err(|e| StartError::of("shared memory", &e))?;
    Ok((venue, recovery))
}

/// The topology with the users that came in the running day.
fn with_newcomers(topology: &Topology, entry: &OrderEntry) -> Topology {
    let mut present = topology.clone();
    for session in 1..=topology.limits.spare_users {
        if let Some(named) = entry.called(session) {
            present.seat(session, Some(&named));
        }
    }
    present
}

/// What follows from the events of a day that did not begin yet.
fn outputs_empty(topology: &Topology, session: [u8; 10]) -> Result<replay::Outputs, StartError> {
    let entry = OrderEntry::new(entry_config(topology, session), &members(topology))
        .and_then(|entry| entry.with_drop_copies(&drop_copies(topology)))
        .map_err(|e| StartError::of("order entry", &e))?;
    let publisher = Publisher::new(publisher_config(topology, session))
        .map_err(|field| StartError::new(format!("feed: `{field}` is outside its limits")))?;
    let depth = topology.feed.depth.as_ref();
    let depth = depth
        .map(|depth| depth_publisher(topology, depth, session))
        .transpose()?;
    let schedule = topology.rules.schedule.as_ref();
    Ok(replay::Outputs {
        entry,
        publisher,
        depth,
        schedule: schedule.map(|plan| Schedule::new(plan.clone())),
        presences: Presences::new(topology.users.len()),
    })
}

fn ring_of<B: bytemuck::Pod>(
    home: Home,
    topology: &Topology,
    link: Link,
) -> Result<(queue::Writer<B>, queue::Reader<B>), queue::Error> {
    ring_at(home, &link.name(), topology.depth(link))
}

/// A text's letters padded with spaces.
fn padded<const N: usize>(text: &str) -> [u8; N] {
    let mut letters = [b' '; N];
    for (letter, byte) in letters.iter_mut().zip(text.bytes()) {
        *letter = byte;
    }
    letters
}

fn members(topology: &Topology) -> Vec<Member> {
    let member = |user: &User| Member {
        user: user.name.clone(),
        password: plain(&user.secret),
        networks: user.networks.clone(),
        rate: user.rate,
        leave_ns: user.leave.map(|leave| leave.as_nanos() as u64),
        firm: padded(&user.firm),
    };
    topology.users.iter().map(member).collect()
}

/// The password that order entry compares itself; none of what is judged elsewhere.
fn plain(secret: &Secret) -> String {
    match secret {
        Secret::Plain(password) => password.clone(),
        Secret::Hash(_) | Secret::Key(..) | Secret::Nobody => String::new(),
    }
}

/// A copy takes more bytes than a reply, and there is one for each of several sessions.
fn drop_copies(topology: &Topology) -> Vec<session::order_entry::DropCopy> {
    let entry = &topology.order_entry;
    let copy = |copy: &DropCopy| session::order_entry::DropCopy {
        user: copy.name.clone(),
        password: plain(&copy.secret),
        networks: copy.networks.clone(),
        accounts: copy.accounts.clone(),
        store_bytes: (entry.reply_bytes * 2 * copy.sessions).min(u32::MAX as usize),
        store_messages: entry.replies_max() * copy.sessions,
    };
    topology.drop_copies.iter().map(copy).collect()
}

fn entry_config(topology: &Topology, session: [u8; 10]) -> Config {
    let entry = &topology.order_entry;
    Config {
        session,
        connections: entry.connections_max,
        symbols: topology.limits.symbols,
        inbound_bytes: INBOUND_BYTES,
        store_bytes: entry.reply_bytes,
        store_messages: entry.replies_max(),
        echoes: topology.depth(Link::GateEngine),
        silence_ns: entry.silence.as_nanos() as u64,
        login_ns: entry.login.as_nanos() as u64,
        asks_elsewhere: topology.has_worker(),
        refuses_second: entry.second_login == SecondLogin::Refuse,
        failures_max: entry.lock_after,
        lock_ns: entry.lock.as_nanos() as u64,
        connections_an_address: entry.connections_an_address,
        stall_ns: entry.stall.as_nanos() as u64,
        ..Config::default()
    }
}

/// The depth's session has the day's name with another first letter: requests name it.
fn depth_publisher(
    topology: &Topology,
    depth: &DepthFeed,
    mut session: [u8; 10],
) -> Result<DepthPublisher, StartError> {
    session[0] = b'D';
    let config = PublisherConfig {
        history_messages: depth.history_bytes / FEED_MESSAGE_BYTES,
        history_bytes: depth.history_bytes,
        ..publisher_config(topology, session)
    };
    DepthPublisher::new(config, topology.limits.orders as usize)
        .map_err(|field| StartError::new(format!("depth: `{field}` is outside its limits")))
}

fn publisher_config(topology: &Topology, session: [u8; 10]) -> PublisherConfig {
    PublisherConfig {
        end_ns: topology.ending.feed_end.as_nanos() as u64,
        heartbeat_ns: topology.feed.heartbeat.as_nanos() as u64,
        ..publisher_config_of(
            session,
            topology.limits.symbols,
            topology.feed.history_bytes,
        )
    }
}

fn publisher_config_of(session: [u8; 10], symbols: u16, history_bytes: usize) -> PublisherConfig {
    PublisherConfig {
        session,
        symbols,
        history_messages: history_bytes / FEED_MESSAGE_BYTES,
        history_bytes,
        ..PublisherConfig::default()
    }
}
