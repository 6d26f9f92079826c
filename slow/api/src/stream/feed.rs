//! The thread that follows the feed.

use super::Sight;
use super::board::Board;
use super::hub::{Hub, Reach, Update};
use nic::{Clock, Net, RealClock, RealNet, RealUdp, SocketTcp, TcpLimits, UdpOptions};
use serde::Deserialize;
use session::feed::{LinesConfig, ReceiverConfig, State};
use std::io;
use std::net::{Ipv4Addr, SocketAddr, SocketAddrV4};
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use subscriber::{FeedPorts, FeedServers, FeedTile};

/// Bytes of a snapshot that one read takes.
const SNAPSHOT_READ_BYTES: u32 = 64 << 10;

/// The largest gap that is asked for message by message.
const GAP_MESSAGES_MAX: u64 = 10_000;

/// How long the thread rests when nothing came: far less than a batch takes.
const REST: Duration = Duration::from_millis(1);

/// Turns at most before what came is told.
const TURNS_MAX: usize = 256;

/// Where the feed arrives and who answers: `[feed]` in the settings.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Feed {
    /// Where line A is sent: its multicast group, or an address of this host.
    pub a: SocketAddrV4,
    /// Where line B is sent.
    pub b: Option<SocketAddrV4>,
    /// Where missing messages are asked for.
    pub rerequest: Option<SocketAddrV4>,
    /// Where snapshots are given.
    pub snapshot: Option<SocketAddrV4>,
    /// The address of the interface that the lines arrive on.
    #[serde(default = "loopback")]
    pub interface: Ipv4Addr,
    /// Milliseconds of which the changes go into one message.
    #[serde(default = "batch_ms")]
    pub batch_ms: u64,
    /// Levels of a side that are told, the best ones.
    #[serde(default = "levels")]
    pub levels: usize,
}

const fn loopback() -> Ipv4Addr {
    Ipv4Addr::LOCALHOST
}

const fn batch_ms() -> u64 {
    10
}

const fn levels() -> usize {
    50
}

impl Feed {
    /// A feed with defaults beside its line.
    #[must_use]
    pub const fn at(a: SocketAddrV4) -> Self {
        Self {
            a,
            b: None,
            rerequest: None,
            snapshot: None,
            interface: loopback(),
            batch_ms: batch_ms(),
            levels: levels(),
        }
    }

    /// The same of another line.
    #[must_use]
    pub const fn on(self, a: SocketAddrV4) -> Self {
        Self { a, ..self }
    }

    pub(crate) fn check(&self) -> Result<(), String> {
        if !(1..=1_000).contains(&self.batch_ms) {
            return Err(format!("feed.batch_ms: {}: from 1 to 1000", self.batch_ms));
        }
        if !(1..=1_000).contains(&self.levels) {
            return Err(format!("feed.levels: {}: from 1 to 1000", self.levels));
        }
        Ok(())
    }
}

/// A feed with its ports open.
pub(crate) struct Follower {
    feed: Feed,
    ports: FeedPorts<RealUdp, SocketTcp>,
}

impl Follower {
    /// Opens the ports: while the process may still do that.
    ///
    /// # Errors
    /// Which one could not be opened, and the system's word.
    pub(crate) fn open(feed: &Feed) -> Result<Self, String> {
        let mut net = RealNet::sockets_only();
        let mut lines = Vec::new();
        for (name, at) in [("a", Some(feed.a)), ("b", feed.b)] {
            let Some(at) = at else { continue };
            let groups = if at.ip().is_multicast() {
                vec![*at.ip()]
            } else {
                Vec::new()
            };
            let options = UdpOptions {
                groups,
                interface: feed.interface,
                ..UdpOptions::new(at)
            };
            let port = net.udp(&options);
            lines.push(port.map_err(|e| format!("feed.{name}: cannot receive on {at}: {e}"))?);
        }
        let ask = UdpOptions::new(SocketAddrV4::new(feed.interface, 0));
        let requests = net
            .udp(&ask)
            .map_err(|e| format!("feed.rerequest: a port at {}: {e}", feed.interface))?;
        let limits = TcpLimits {
            connections: 2,
            receive_bytes: SNAPSHOT_READ_BYTES,
            ..TcpLimits::default()
        };
        let snapshots = feed.snapshot.map(|_| net.tcp_client(limits));
        let snapshots = snapshots.transpose();
        Ok(Self {
            ports: FeedPorts {
                lines,
                requests: Some(requests),
                snapshots: snapshots.map_err(|e| format!("feed.snapshot: {e}"))?,
            },
            feed: feed.clone(),
        })
    }

    /// Follows the feed on a thread of its own, for as long as the process lives.
    ///
    /// # Errors
    /// The system has no thread.
    pub(crate) fn start(self, hub: Arc<Hub>) -> io::Result<()> {
        let thread = std::thread::Builder::new().name("market".to_owned());
        thread.spawn(move || {
            let watched = Watched(hub);
            self.follow(&watched.0);
        })?;
        Ok(())
    }

    fn follow(self, hub: &Hub) {
        let Self { feed, ports } = self;
        let clock = RealClock::new();
        let servers = FeedServers {
            rerequest: feed.rerequest,
            snapshots: feed.snapshot.map(SocketAddr::V4),
        };
        let mut tile = FeedTile::new(ports, servers, config(), Board::new(), clock.now_ns());
        let batch_ns = feed.batch_ms * 1_000_000;
        let mut told_ns = 0;
        loop {
            let mut turns = 0;
            let mut now_ns = clock.now_ns();
            while turns < TURNS_MAX {
                now_ns = clock.now_ns();
                tile.market_mut().tick(since_1970_ns());
                turns += 1;
                if tile.turn(now_ns) == 0 {
                    break;
                }
            }
            if now_ns - told_ns >= batch_ns {
                told_ns = now_ns;
                tell(&mut tile, &feed, hub, now_ns);
            }
            if turns < TURNS_MAX {
                std::thread::sleep(REST);
            }
        }
    }
}

/// By the system's clock, which those who read it have too.
fn since_1970_ns() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    since.map_or(0, |since| since.as_nanos() as u64)
}

/// Says that the market is not known when the thread that follows it is no more.
struct Watched(Arc<Hub>);

impl Drop for Watched {
    fn drop(&mut self) {
        self.0.sighted(Sight::Stale);
    }
}

/// Tells what changed since the last time.
fn tell(tile: &mut FeedTile<RealUdp, SocketTcp, Board>, feed: &Feed, hub: &Hub, now_ns: u64) {
    let sight = match tile.lines().state() {
        State::Ended => Sight::Ended,
        State::Joining | State::Waiting => Sight::Joining,
        _ if tile.lines().is_stale(now_ns) => Sight::Stale,
        State::Gap | State::Live => Sight::Live,
    };
    let board = tile.market_mut();
    let (changes, reach) = board.look();
    let updates = changes.into_iter().filter_map(|(locate, change)| {
        Some(Update {
            symbol: board.name(locate)?,
            levels: board.levels(locate, feed.levels),
            change,
        })
    });
    let updates: Vec<_> = updates.collect();
    if reach != Reach::These || !updates.is_empty() {
        hub.publish(updates, reach, since_1970_ns());
    }
    hub.sighted(sight);
}

/// From the first message on; who joins late takes a snapshot instead of the history.
fn config() -> LinesConfig {
    let defaults = LinesConfig::default();
    LinesConfig {
        receiver: ReceiverConfig {
            sequence: 1,
            ..defaults.receiver
        },
        gap_messages_max: GAP_MESSAGES_MAX,
        ..defaults
    }
}
