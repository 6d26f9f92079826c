//! Market data in: two lines, requests and snapshots become one market.
//!
//! [`FeedTile`] is a tile over ports of any network; whoever has it polls it.
#![forbid(unsafe_code)]

use nic::{Conn, TcpEvent, TcpPort, UdpPort};
use session::feed::{Fed, Lines, LinesConfig, Snapped, SnapshotClient, State, Want, Way};
use std::net::{SocketAddr, SocketAddrV4};
use trading::Image;

/// How long a snapshot server may take to open its door.
const DIAL_NS: u64 = 2_000_000_000;

/// Where packets come from and requests leave.
pub struct FeedPorts<U, T> {
    /// The lines, one or two.
    pub lines: Vec<U>,
    /// Where requests leave and answers come; the first line's port if there is none.
    pub requests: Option<U>,
    /// Dials the snapshot server.
    pub snapshots: Option<T>,
}

/// What a feed's messages make.
pub trait Market {
    /// Another session began: what was known is void.
    fn begin(&mut self);
    /// Takes a message; `false` for what is none of ITCH 5.0.
    fn message(&mut self, bytes: &[u8]) -> bool;
    /// This is the market now, whatever was known before.
    fn snapshot(&mut self, image: Image);
}

impl Market for Image {
    fn begin(&mut self) {
        *self = Self::new();
    }

    fn message(&mut self, bytes: &[u8]) -> bool {
        self.apply(bytes).is_ok()
    }

    fn snapshot(&mut self, image: Image) {
        *self = image;
    }
}

/// Who answers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct FeedServers {
    /// Answers requests for missed messages.
    pub rerequest: Option<SocketAddrV4>,
    /// Gives snapshots.
    pub snapshots: Option<SocketAddr>,
}

/// A snapshot under way.
struct Joining {
    conn: Conn,
    client: SnapshotClient,
    image: Image,
    is_wrong: bool,
    is_open: bool,
    dialled_ns: u64,
}

/// Receives a feed and keeps its market.
pub struct FeedTile<U, T, M = Image> {
    ports: FeedPorts<U, T>,
    servers: FeedServers,
    lines: Lines,
    market: M,
    joining: Option<Joining>,
    snapshots_taken: u64,
    unreadable: u64,
}

impl<U: UdpPort, T: TcpPort, M: Market> FeedTile<U, T, M> {
    /// A receiver that goes on behind this market, whose next message is the one that `config`
    /// names.
    #[must_use]
    pub fn new(
        ports: FeedPorts<U, T>,
        servers: FeedServers,
        config: LinesConfig,
        market: M,
        now_ns: u64,
    ) -> Self {
        let config = LinesConfig {
            lines: ports.lines.len(),
            has_snapshots: ports.snapshots.is_some() && servers.snapshots.is_some(),
            ..config
        };
        Self {
            ports,
            servers,
            lines: Lines::new(config, now_ns),
            market,
            joining: None,
            snapshots_taken: 0,
            unreadable: 0,
        }
    }

    /// One bounded turn: takes packets, applies their messages, asks for what is missing. Returns
    /// how much came.
    pub fn turn(&mut self, now_ns: u64) -> usize {
        let mut came = self.packets_take(now_ns);
        came += self.snapshot_turn(now_ns);
        match self.lines.poll(now_ns) {
            Want::Nothing => {}
            Want::Request(request) => self.ask(&request),
            Want::Snapshot => self.dial(now_ns),
        }
        came
    }

    /// The market as the feed says it.
    #[must_use]
    pub const fn market(&self) -> &M {
        &self.market
    }

    /// The market, to be told what no feed says.
    pub const fn market_mut(&mut self) -> &mut M {
        &mut self.market
    }

    /// How the lines stand.
    #[must_use]
    pub const fn lines(&self) -> &Lines {
        &self.lines
    }

    /// Whether the image is what the venue said last, as far as anybody can know.
    #[must_use]
    pub fn is_whole(&self, now_ns: u64) -> bool {
        let is_behind = !matches!(self.lines.state(), State::Live | State::Ended);
        !is_behind && !self.lines.is_stale(now_ns)
    }

    /// Snapshots that were taken.
    #[must_use]
    pub const fn snapshots_taken(&self) -> u64 {
        self.snapshots_taken
    }

    /// Messages that are not ITCH 5.0.
    #[must_use]
    pub const fn unreadable(&self) -> u64 {
        self.unreadable
    }

    /// The ports.
    #[must_use]
    pub const fn ports(&self) -> &FeedPorts<U, T> {
        &self.ports
    }

    fn packets_take(&mut self, now_ns: u64) -> usize {
        let Self {
            ports,
            lines,
            market,
            unreadable,
            ..
        } = self;
        let mut hear = |way: Way, bytes: &[u8]| {
            lines.packet(way, bytes, now_ns, &mut |fed| {
                *unreadable += u64::from(!take(market, fed));
            });
        };
        let mut came = 0;
        for (line, port) in ports.lines.iter_mut().enumerate() {
            came += port.poll(&mut |_, bytes| hear(Way::Line(line), bytes));
        }
        if let Some(port) = &mut ports.requests {
            came += port.poll(&mut |_, bytes| hear(Way::Answer, bytes));
        }
        came
    }

    fn ask(&mut self, request: &[u8]) {
        let port = self.ports.requests.as_mut();
        let port = port.or(self.ports.lines.first_mut());
        if let (Some(server), Some(port)) = (self.servers.rerequest, port) {
            // A request that does not leave is repeated like one that is lost.
            let _ = port.send(server, request);
            port.flush();
        }
    }

    /// Asks for a snapshot; what cannot even be dialled is tried again later.
    fn dial(&mut self, now_ns: u64) {
        let (Some(port), Some(server)) = (&mut self.ports.snapshots, self.servers.snapshots) else {
            return;
        };
        match port.connect(server) {
            Ok(conn) => {
                self.joining = Some(Joining {
                    conn,
                    client: SnapshotClient::new("FEED", ""),
                    image: Image::new(),
                    is_wrong: false,
                    is_open: false,
                    dialled_ns: now_ns,
                });
            }
            Err(_) => self.lines.splice_not(now_ns),
        }
    }

    fn snapshot_turn(&mut self, now_ns: u64) -> usize {
        let Some(port) = &mut self.ports.snapshots else {
            return 0;
        };
        let Some(joining) = &mut self.joining else {
            return port.poll(&mut |_| ());
        };
        let (mut end, mut is_over) = (None, false);
        let came = port.poll(&mut |event| match event {
            TcpEvent::Opened { conn, .. } if conn == joining.conn => {
                joining.is_open = true;
                joining.client.connected(now_ns);
            }
            TcpEvent::Data { conn, bytes } if conn == joining.conn => {
                end = joining.take(bytes, now_ns).or(end);
            }
            TcpEvent::Closed { conn } => is_over |= conn == joining.conn,
            _ => {}
        });
        let conn = joining.conn;
        joining
            .client
            .transmit(now_ns, &mut |bytes| port.send(conn, bytes));
        is_over |= match joining.is_open {
            true => joining.client.is_over(now_ns),
            false => now_ns.saturating_sub(joining.dialled_ns) >= DIAL_NS,
        };
        if !is_over {
            return came;
        }
        port.close(conn);
        let good = end.filter(|_| !joining.is_wrong);
        let image = core::mem::take(&mut joining.image);
        self.joining = None;
        match good {
            Some((session, next)) => self.splice(image, session, next, now_ns),
            None => self.lines.splice_not(now_ns),
        }
        came
    }

    /// Puts a snapshot in the place of what was known, and behind it what was held.
    fn splice(&mut self, mut image: Image, session: [u8; 10], next: u64, now_ns: u64) {
        let before = self.lines.session();
        let unreadable = &mut self.unreadable;
        let is_taken = self.lines.splice(session, next, now_ns, &mut |fed| {
            *unreadable += u64::from(!take(&mut image, fed));
        });
        if is_taken {
            if before != Some(session) {
                self.market.begin();
            }
            self.market.snapshot(image);
            self.snapshots_taken += 1;
        }
    }
}

impl Joining {
    /// Takes bytes of the snapshot; gives its session and the next message's number at its end.
    fn take(&mut self, bytes: &[u8], now_ns: u64) -> Option<([u8; 10], u64)> {
        let Self {
            client,
            image,
            is_wrong,
            ..
        } = self;
        let mut end = None;
        client.received(bytes, now_ns, &mut |snapped| match snapped {
            Snapped::Begin => {}
            Snapped::Message(message) => *is_wrong |= image.apply(message).is_err(),
            Snapped::End { session, next } => end = Some((session, next)),
        });
        end
    }
}

/// Applies what the lines hand on; `false` for what is no message of ITCH.
fn take(market: &mut impl Market, fed: Fed<'_>) -> bool {
    match fed {
        Fed::Begin(_) => {
            market.begin();
            true
        }
        Fed::Message(_, message) => market.message(message),
    }
}
