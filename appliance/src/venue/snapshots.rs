//! Snapshots of the feed for who joins late: a follower of the feed on a thread of its own, and a
//! door for those who ask.
//!
//! The follower hears what any subscriber hears, one copy of each packet, and asks for what it
//! missed: the tiles know nothing of it but an address, and nothing it does can hold them up. It
//! begins behind what the engine holds when the venue starts.

use super::{StartError, Venue, threads};
use crate::tiles::{FeedPorts, FeedServers, FeedTile, Phase, Signals};
use crate::topology::Topology;
use journal::Storage;
use nic::{
    Clock, Conn, Net, RealNet, RealUdp, SocketTcp, TcpEvent, TcpLimits, TcpPort, UdpOptions,
    UdpPort,
};
use session::Network;
use session::feed::{LinesConfig, ReceiverConfig, Snapshot, SnapshotServer};
use std::net::{IpAddr, Ipv4Addr, SocketAddr, SocketAddrV4};
use trading::Image;
use wire::itch::fields::AddOrder;
use wire::ring::{PRICE_MARKET, Side};

/// Connections at a time; the next one is closed at once. Each may have a snapshot of its own.
const CONNECTIONS: u16 = 16;

/// Bytes of a login, and more.
const RECEIVE_BYTES: u32 = 4 << 10;

/// Bytes that may wait unsent towards one who asked.
const SEND_BYTES: u32 = 1 << 20;

/// How long the last bytes may take.
const LINGER_MS: u32 = 5_000;

/// Packets of the feed that the follower holds while it waits for a missing one.
const HELD_PACKETS: usize = 16_384;

/// Opens the port at which a follower hears the feed, beside the re-request server.
pub(super) fn follower_port(topology: &Topology) -> Result<Option<RealUdp>, StartError> {
    let feed = &topology.feed;
    if feed.snapshot.is_none() {
        return Ok(None);
    }
    let ip = *feed.rerequest.ip();
    let ip = if ip.is_unspecified() {
        Ipv4Addr::LOCALHOST
    } else {
        ip
    };
    RealNet::with_uring(topology.uring)
        .udp(&UdpOptions::new(SocketAddrV4::new(ip, 0)))
        .map(Some)
        .map_err(|e| StartError::of(&format!("feed.snapshot: a port at {ip}"), &e))
}

/// What the venue shows at its start, as its feed would say it, and the feed's next message.
fn image_of<T, U, S>(venue: &Venue<'_, T, U, S>, time_ns: u64) -> Result<(Image, u64), StartError>
where
    T: TcpPort + Send,
    U: UdpPort + Send,
    S: Storage + Send,
{
    let wrong = |e| StartError::of("the first snapshot", &e);
    let mut image = Image::new();
    let publisher = venue.publish.publisher();
    let next = publisher.sequence_next();
    if next == 1 {
        return Ok((image, next));
    }
    let mut outcome = Ok(());
    let mut apply = |bytes: &[u8]| {
        if let Err(error) = image.apply(bytes) {
            outcome = Err(error);
        }
    };
    publisher.picture(time_ns, &mut apply);
    let engine = venue.engine.engine();
    let mut bytes = [0; wire::itch::AddOrder::BYTES];
    for symbol in engine.symbols() {
        for (side, letter) in [(Side::Buy, b'B'), (Side::Sell, b'S')] {
            engine.orders(symbol, side, |order| {
                if order.is_hidden || order.tip == 0 {
                    return;
                }
                let price = match (order.price, side) {
                    (PRICE_MARKET, Side::Sell) => 0,
                    (price, _) => u32::try_from(price).unwrap_or(u32::MAX),
                };
                let add = AddOrder {
                    stock_locate: symbol,
                    tracking_number: 0,
                    timestamp: time_ns % session::DAY_NS,
                    order_ref: order.order_ref,
                    side: letter,
                    shares: order.tip,
                    stock: publisher.name(symbol),
                    price,
                };
                if add.encode(&mut bytes).is_ok() {
                    apply(&bytes);
                }
            });
        }
    }
    outcome.map_err(wrong)?;
    Ok((image, next))
}

/// What the follower hears by, and the door.
pub struct Ports<F, D> {
    /// Where the feed comes in, and requests leave.
    pub follower: F,
    /// Where they knock who want a snapshot.
    pub door: D,
    /// Packets that the follower holds while it waits for a missing one.
    pub held_packets: usize,
}

/// The follower and the door.
pub struct Snapshots<F, D> {
    feed: FeedTile<F, D>,
    door: D,
    server: SnapshotServer,
    allow: Vec<Network>,
    /// The connection at each place.
    conns: Vec<Option<Conn>>,
}

impl Snapshots<RealUdp, SocketTcp> {
    /// Opens the door of a venue that is about to start.
    pub(super) fn open<T, U, S>(
        topology: &Topology,
        venue: &Venue<'_, T, U, S>,
        (follower, session): (RealUdp, [u8; 10]),
        clock: &impl Clock,
    ) -> Result<Option<Self>, StartError>
    where
        T: TcpPort + Send,
        U: UdpPort + Send,
        S: Storage + Send,
    {
        let Some(at) = topology.feed.snapshot else {
            return Ok(None);
        };
        let limits = TcpLimits {
            connections: CONNECTIONS,
            receive_bytes: RECEIVE_BYTES,
            send_bytes: SEND_BYTES,
            linger_ms: LINGER_MS,
        };
        let door = RealNet::with_uring(topology.uring)
            .tcp_listen(at.into(), limits)
            .map_err(|e| StartError::of(&format!("feed.snapshot {at}"), &e))?;
        let ports = Ports {
            follower,
            door,
            held_packets: HELD_PACKETS,
        };
        Self::of(topology, venue, (ports, session), clock.now_ns()).map(Some)
    }
}

impl<F: UdpPort, D: TcpPort> Snapshots<F, D> {
    /// The follower of a venue that is about to start.
    ///
    /// # Errors
    /// What the engine holds cannot be said as its feed says it.
    pub fn of<T, U, S>(
        topology: &Topology,
        venue: &Venue<'_, T, U, S>,
        (ports, session): (Ports<F, D>, [u8; 10]),
        now_ns: u64,
    ) -> Result<Self, StartError>
    where
        T: TcpPort + Send,
        U: UdpPort + Send,
        S: Storage + Send,
    {
        let (image, next) = image_of(venue, now_ns)?;
        let defaults = LinesConfig::default();
        let config = LinesConfig {
            receiver: ReceiverConfig {
                session: Some(session),
                sequence: next,
                held_packets: ports.held_packets,
                ..defaults.receiver
            },
            ..defaults
        };
        let feed_ports = FeedPorts {
            lines: vec![ports.follower],
            requests: None,
            snapshots: None,
        };
        let servers = FeedServers {
            rerequest: Some(venue.publish.ports().rerequest.local_addr()),
            snapshots: None,
        };
        Ok(Self {
            feed: FeedTile::new(feed_ports, servers, config, image, now_ns),
            door: ports.door,
            server: SnapshotServer::new(CONNECTIONS.into(), 0),
            allow: topology.feed.rerequest_allow.clone(),
            conns: vec![None; CONNECTIONS.into()],
        })
    }

    /// Where it listens.
    pub(super) fn local_addr(&self) -> Option<SocketAddr> {
        self.door.local_addr()
    }

    /// Runs until the venue stopped.
    pub(super) fn run(mut self, clock: &impl Clock, signals: &Signals) {
        let mut idle_turns = 0;
        while signals.phase() != Phase::Stopped {
            let work = self.turn(clock.now_ns());
            idle_turns = if work > 0 { 0 } else { idle_turns + 1 };
            threads::idle(idle_turns);
        }
    }

    /// One bounded turn; says how much there was to do.
    pub fn turn(&mut self, now_ns: u64) -> usize {
        let mut work = self.feed.turn(now_ns);
        work += self.door_turn(now_ns);
        if self.server.wants(now_ns) && self.feed.is_whole(now_ns) {
            let (image, next) = (self.feed.market(), self.feed.lines().sequence_next());
            let session = self.feed.lines().session().unwrap_or([b' '; 10]);
            match Snapshot::new(session, now_ns, |on| image.snapshot(next, on)) {
                Ok(snapshot) => self.server.made(snapshot),
                Err(why) => eprintln!("wirecross: no snapshot of the feed: {why}"),
            }
            self.server.serve();
            self.server.forget(now_ns);
        }
        let Self {
            server,
            door,
            conns,
            ..
        } = self;
        let mut closed = Vec::new();
        let mut send = |place: usize, bytes: &[u8]| {
            let conn = conns.get(place).copied().flatten();
            conn.map_or(0, |conn| door.send(conn, bytes))
        };
        server.transmit(now_ns, &mut send, &mut |place| closed.push(place));
        for place in closed {
            if let Some(conn) = conns[place].take() {
                door.close(conn);
            }
        }
        work
    }

    /// Who comes, what they say, and who goes.
    fn door_turn(&mut self, now_ns: u64) -> usize {
        let Self {
            door,
            server,
            allow,
            conns,
            ..
        } = self;
        let mut strangers = Vec::new();
        let work = door.poll(&mut |event| match event {
            TcpEvent::Opened { conn, peer } => {
                let is_listed = match peer.ip() {
                    IpAddr::V4(ip) => allow.iter().any(|network| network.contains(ip)),
                    IpAddr::V6(_) => false,
                };
                if is_listed && server.opened(conn.slot(), now_ns) {
                    conns[conn.slot()] = Some(conn);
                } else {
                    strangers.push(conn);
                }
            }
            TcpEvent::Data { conn, bytes } => server.received(conn.slot(), bytes, now_ns),
            TcpEvent::Closed { conn } => {
                if conns.get(conn.slot()).copied().flatten() == Some(conn) {
                    conns[conn.slot()] = None;
                    server.closed(conn.slot());
                }
            }
        });
        strangers.into_iter().for_each(|conn| door.close(conn));
        work
    }
}
