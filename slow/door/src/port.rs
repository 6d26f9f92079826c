//! A port with more doors: beside its connections, those of gateways by rings of memory.
//!
//! The gate sees connections like any other, whose bytes go the same way: read once out of shared
//! memory, looked at as OUCH over SoupBinTCP, and held to the rules of the user who logs in. That
//! is the one whose rings they are: the address of such a connection is named by that user alone.

use crate::{Chunk, Content, Rings};
use nic::{BeforeKick, Conn, ConnectError, FirstTouch, Stamp, TcpEvent, TcpPort, TcpStats};
use queue::{Counter, Reader, Writer};
use std::net::{IpAddr, Ipv4Addr, SocketAddr};

/// Chunks of one ring in a turn.
const CHUNKS_MAX: usize = 64;

/// The highest slot of a [`Conn`]: rings are counted down from here, a port's own up from 0.
const SLOT_LAST: usize = (1 << 14) - 1;

/// What a gateway is told whose chunk made no sense.
const SENSELESS: &[u8] = b"what the gateway wrote makes no sense";

/// Where a ring's connection stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// There is none.
    Idle,
    Open,
    /// It is over, which the gate is still to hear.
    Over,
}

/// The rings of one user, from the venue's side.
struct Ring {
    commands: Reader<Chunk>,
    replies: Writer<Chunk>,
    from: Ipv4Addr,
    slot: usize,
    generation: u32,
    state: State,
    /// What the gateway calls its connection.
    session: u64,
    /// Words for the gateway that the ring has no room for yet.
    owed: Option<Chunk>,
    is_paused: bool,
    /// Chunks that made no sense.
    refused: u64,
}

impl Ring {
    fn new(rings: &Rings, from: Ipv4Addr, slot: usize) -> Self {
        Self {
            commands: rings.commands.reader(),
            replies: rings.replies.writer(),
            from,
            slot,
            generation: 0,
            state: State::Idle,
            session: 0,
            owed: None,
            is_paused: false,
            refused: 0,
        }
    }

    fn conn(&self) -> Conn {
        Conn::new(self.slot, self.generation)
    }

    /// Ends a connection from our side.
    fn end(&mut self, why: &[u8]) {
        self.owed = Some(Chunk::of(Chunk::END, self.session, why));
        self.state = State::Over;
    }

    /// Says what is owed; whether nothing is any more.
    fn pay(&mut self) -> bool {
        self.owed = self
            .owed
            .take_if(|owed| self.replies.push(0, owed).is_err());
        self.owed.is_none()
    }

    fn poll(&mut self, on: &mut dyn FnMut(TcpEvent<'_>)) -> usize {
        self.pay();
        if self.state == State::Over {
            self.state = State::Idle;
            on(TcpEvent::Closed { conn: self.conn() });
            return 1;
        }
        if self.is_paused && self.state == State::Open {
            return 0;
        }
        let mut count = 0;
        while count < CHUNKS_MAX && self.state != State::Over {
            let Some((_, chunk)) = self.commands.pop() else {
                break;
            };
            count += 1;
            if !self.take(&chunk, on) {
                break;
            }
        }
        if count > 0 {
            self.commands.credit_flush();
        }
        count
    }

    /// Takes a chunk that is ours alone by now; `false` when the next one is for another turn.
    fn take(&mut self, chunk: &Chunk, on: &mut dyn FnMut(TcpEvent<'_>)) -> bool {
        let is_ours = self.state == State::Open && chunk.session == self.session;
        match chunk.content() {
            Some(Content::Begin) => {
                if self.state == State::Open {
                    on(TcpEvent::Closed { conn: self.conn() });
                }
                self.generation = self.generation.wrapping_add(1);
                (self.state, self.session) = (State::Open, chunk.session);
                self.is_paused = false;
                self.owed = Some(Chunk::of(Chunk::BEGIN, self.session, &[]));
                let (conn, peer) = (self.conn(), SocketAddr::from((self.from, 0)));
                on(TcpEvent::Opened { conn, peer });
                return false;
            }
            Some(Content::Data(bytes)) if is_ours => {
                let conn = self.conn();
                on(TcpEvent::Data { conn, bytes });
            }
            Some(Content::End(_)) if is_ours => self.state = State::Over,
            Some(Content::Gone) if self.state == State::Open => self.state = State::Over,
            // Late words of a connection that is over.
            Some(_) => {}
            None => {
                self.refused += 1;
                if self.state == State::Open {
                    self.end(SENSELESS);
                }
            }
        }
        true
    }

    fn send(&mut self, bytes: &[u8]) -> usize {
        if self.state != State::Open || !self.pay() {
            return 0;
        }
        let mut sent = 0;
        for piece in bytes.chunks(Chunk::BYTES_MAX) {
            let chunk = Chunk::of(Chunk::DATA, self.session, piece);
            if self.replies.put(0, &chunk).is_err() {
                break;
            }
            sent += piece.len();
        }
        self.replies.publish();
        sent
    }
}

/// A port and the rings beside it.
pub struct Ringed<T> {
    tcp: T,
    rings: Vec<Ring>,
    refused: Counter,
}

impl<T: TcpPort> Ringed<T> {
    /// Adds the rings of users, each with the address by which the user is named; all of them are
    /// below 1.0.0.0. `refused` counts what made no sense in them.
    pub fn new(tcp: T, rings: &[(Ipv4Addr, Rings)], refused: Counter) -> Self {
        let rings = rings.iter().zip((0..=SLOT_LAST).rev());
        let ring =
            |((from, rings), slot): (&(Ipv4Addr, Rings), usize)| Ring::new(rings, *from, slot);
        Self {
            tcp,
            rings: rings.map(ring).collect(),
            refused,
        }
    }

    /// The port itself.
    pub const fn port(&self) -> &T {
        &self.tcp
    }

    /// The ring of a connection that is not over.
    fn ring(&mut self, conn: Conn) -> Option<&mut Ring> {
        let ring = self.rings.get_mut(SLOT_LAST - conn.slot())?;
        (ring.conn() == conn && ring.state == State::Open).then_some(ring)
    }

    fn is_ring(&self, conn: Conn) -> bool {
        SLOT_LAST - conn.slot() < self.rings.len()
    }
}

/// Nobody who comes over a network has a ring's address.
fn named(event: TcpEvent<'_>) -> TcpEvent<'_> {
    match event {
        TcpEvent::Opened { conn, peer } => {
            let is_ring = |ip: IpAddr| matches!(ip, IpAddr::V4(ip) if ip.octets()[0] == 0);
            let stranger = SocketAddr::from((Ipv4Addr::BROADCAST, 0));
            let peer = if is_ring(peer.ip()) { stranger } else { peer };
            TcpEvent::Opened { conn, peer }
        }
        event => event,
    }
}

impl<T: TcpPort> TcpPort for Ringed<T> {
    fn poll(&mut self, on: &mut dyn FnMut(TcpEvent<'_>)) -> usize {
        self.poll_stamped(&mut |_, event| on(event))
    }

    fn poll_stamped(
        &mut self,
        on: &mut dyn FnMut(Option<Stamp<FirstTouch>>, TcpEvent<'_>),
    ) -> usize {
        let mut count = self
            .tcp
            .poll_stamped(&mut |touched, event| on(touched, named(event)));
        if self.rings.is_empty() {
            return count;
        }
        for ring in &mut self.rings {
            count += ring.poll(&mut |event| on(None, event));
        }
        let refused = self.rings.iter().map(|ring| ring.refused).sum();
        self.refused.set(refused);
        count
    }

    fn connect(&mut self, to: SocketAddr) -> Result<Conn, ConnectError> {
        self.tcp.connect(to)
    }

    /// Of a ring: one chunk, of which nobody knows whether it fits before it is sent.
    fn send_room(&self, conn: Conn) -> usize {
        if self.is_ring(conn) {
            return Chunk::BYTES_MAX;
        }
        self.tcp.send_room(conn)
    }

    fn send(&mut self, conn: Conn, bytes: &[u8]) -> usize {
        if self.is_ring(conn) {
            return self.ring(conn).map_or(0, |ring| ring.send(bytes));
        }
        self.tcp.send(conn, bytes)
    }

    fn unsent(&self, conn: Conn) -> usize {
        if self.is_ring(conn) {
            return 0;
        }
        self.tcp.unsent(conn)
    }

    fn pause(&mut self, conn: Conn, is_paused: bool) {
        if !self.is_ring(conn) {
            self.tcp.pause(conn, is_paused);
        } else if let Some(ring) = self.ring(conn) {
            ring.is_paused = is_paused;
        }
    }

    fn close(&mut self, conn: Conn) {
        if !self.is_ring(conn) {
            self.tcp.close(conn);
        } else if let Some(ring) = self.ring(conn) {
            ring.end(&[]);
        }
    }

    fn flush(&mut self) {
        self.tcp.flush();
    }

    fn kicked(&self) -> Option<Stamp<BeforeKick>> {
        self.tcp.kicked()
    }

    fn local_addr(&self) -> Option<SocketAddr> {
        self.tcp.local_addr()
    }

    fn stats(&self) -> TcpStats {
        self.tcp.stats()
    }

    fn mode(&self) -> &'static str {
        self.tcp.mode()
    }
}
