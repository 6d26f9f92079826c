//! The side that gives snapshots. The bytes of one are made once and shared by all who ask within
//! a while; what each connection needs is an offset into them.

use std::sync::Arc;

use wire::Error;
use wire::soup::{
    ClientPacket, LoginAccepted, LoginRejected, PACKET_BYTES_MAX, ServerPacket, Splitter,
    number_text,
};

use crate::SECOND_NS;

/// The longest snapshot: some thirty million orders.
pub const SNAPSHOT_BYTES_MAX: usize = 1 << 30;

/// How long a login may take, and how long a snapshot may stand still.
const PATIENCE_NS: u64 = 5 * SECOND_NS;

/// Bytes of a client's input that wait to be read: a login is the longest packet.
const INBOUND_BYTES: usize = 128;

const _: () = assert!(INBOUND_BYTES > 2 + wire::soup::login::LoginRequest::BYTES);

/// One snapshot as it goes onto the wire, from the accepted login to the end of the session.
pub struct Snapshot {
    bytes: Vec<u8>,
    session: [u8; 10],
    made_ns: u64,
}

impl Snapshot {
    /// Puts messages into a snapshot; `fill` hands them out.
    ///
    /// # Errors
    /// That of `fill`, or a snapshot longer than [`SNAPSHOT_BYTES_MAX`].
    pub fn new(
        session: [u8; 10],
        now_ns: u64,
        fill: impl FnOnce(&mut dyn FnMut(&[u8])) -> Result<(), Error>,
    ) -> Result<Self, &'static str> {
        let mut bytes = Vec::new();
        let accepted = LoginAccepted {
            session,
            sequence: number_text(1),
        };
        push(&mut bytes, &ServerPacket::LoginAccepted(accepted));
        let mut put = |message: &[u8]| {
            if bytes.len() <= SNAPSHOT_BYTES_MAX {
                push(&mut bytes, &ServerPacket::Sequenced(message));
            }
        };
        fill(&mut put).map_err(|_| "a message of the snapshot does not fit its fields")?;
        if bytes.len() > SNAPSHOT_BYTES_MAX {
            return Err("the snapshot is longer than a gibibyte");
        }
        push(&mut bytes, &ServerPacket::EndOfSession);
        Ok(Self {
            bytes,
            session,
            made_ns: now_ns,
        })
    }

    /// When it was made.
    #[must_use]
    pub const fn made_ns(&self) -> u64 {
        self.made_ns
    }

    /// Its bytes.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }
}

/// Writes a packet behind others; messages of a feed are short.
fn push(out: &mut Vec<u8>, packet: &ServerPacket<'_>) {
    let start = out.len();
    out.resize(start + 128, 0);
    let bytes = packet.encode(&mut out[start..]).unwrap_or(0);
    out.truncate(start + bytes);
}

const _: () = assert!(wire::itch::MESSAGE_BYTES_MAX + 3 <= 128 && 128 <= PACKET_BYTES_MAX);

enum Standing {
    LoggingIn,
    /// It asked for a snapshot of this session, blank for the current one.
    Asking([u8; 10]),
    /// It gets these bytes from this offset on.
    Served(Arc<Snapshot>, usize),
    Refused(Vec<u8>, usize),
    Over,
}

/// One client's connection.
pub struct SnapshotConnection {
    standing: Standing,
    inbound: Splitter<[u8; INBOUND_BYTES]>,
    /// When it last came on.
    moved_ns: u64,
}

impl SnapshotConnection {
    /// A connection that was just made; `None` if the buffer were too short, which it is not.
    fn new(now_ns: u64) -> Option<Self> {
        Some(Self {
            standing: Standing::LoggingIn,
            inbound: Splitter::new([0; INBOUND_BYTES]).ok()?,
            moved_ns: now_ns,
        })
    }

    fn received(&mut self, mut bytes: &[u8], now_ns: u64) {
        while !bytes.is_empty() && !matches!(self.standing, Standing::Over) {
            let taken = self.inbound.push(bytes);
            bytes = &bytes[taken..];
            loop {
                let packet = self.inbound.next_packet();
                let packet = packet.map(|packet| packet.map(ClientPacket::parse));
                self.standing = match (packet, &self.standing) {
                    (Ok(None), _) if taken > 0 => break,
                    (Ok(Some(Ok(ClientPacket::LoginRequest(login)))), Standing::LoggingIn) => {
                        self.moved_ns = now_ns;
                        Standing::Asking(login.session)
                    }
                    (Ok(Some(Ok(ClientPacket::Heartbeat | ClientPacket::Debug(_)))), _) => continue,
                    _ => Standing::Over,
                };
                if matches!(self.standing, Standing::Over) {
                    break;
                }
            }
        }
    }

    fn is_over(&self, now_ns: u64) -> bool {
        let is_still = now_ns.saturating_sub(self.moved_ns) >= PATIENCE_NS;
        is_still || matches!(self.standing, Standing::Over)
    }

    /// Sends what there is; whether all of it left.
    fn transmit(&mut self, now_ns: u64, send: &mut dyn FnMut(&[u8]) -> usize) {
        let (bytes, at) = match &mut self.standing {
            Standing::Served(snapshot, at) => (snapshot.bytes(), at),
            Standing::Refused(bytes, at) => (bytes.as_slice(), at),
            _ => return,
        };
        let taken = send(&bytes[*at..]).min(bytes.len() - *at);
        *at += taken;
        if taken > 0 {
            self.moved_ns = now_ns;
        }
        if *at == bytes.len() {
            self.standing = Standing::Over;
        }
    }
}

/// Connections by the caller's number of them, and the snapshot that they share.
pub struct SnapshotServer {
    connections: Vec<Option<SnapshotConnection>>,
    shared: Option<Arc<Snapshot>>,
    keep_ns: u64,
    served: u64,
    refused: u64,
}

impl SnapshotServer {
    /// A server of at most so many connections, whose snapshots are given to whoever asks within
    /// `keep_ns`.
    #[must_use]
    pub fn new(connections: usize, keep_ns: u64) -> Self {
        Self {
            connections: (0..connections).map(|_| None).collect(),
            shared: None,
            keep_ns,
            served: 0,
            refused: 0,
        }
    }

    /// A connection was made; `false` when there is no place of this number.
    pub fn opened(&mut self, place: usize, now_ns: u64) -> bool {
        let Some(slot) = self.connections.get_mut(place) else {
            return false;
        };
        *slot = SnapshotConnection::new(now_ns);
        slot.is_some()
    }

    /// A connection's bytes.
    pub fn received(&mut self, place: usize, bytes: &[u8], now_ns: u64) {
        if let Some(Some(connection)) = self.connections.get_mut(place) {
            connection.received(bytes, now_ns);
        }
    }

    /// A connection is gone.
    pub fn closed(&mut self, place: usize) {
        if let Some(slot) = self.connections.get_mut(place) {
            *slot = None;
        }
    }

    /// Whether somebody waits for a snapshot, and a new one must be made for it.
    #[must_use]
    pub fn wants(&self, now_ns: u64) -> bool {
        let is_fresh = |it: &Arc<Snapshot>| now_ns.saturating_sub(it.made_ns()) < self.keep_ns;
        self.is_asked() && !self.shared.as_ref().is_some_and(is_fresh)
    }

    /// Whether somebody waits for a snapshot.
    #[must_use]
    pub fn is_asked(&self) -> bool {
        let asks = |it: &SnapshotConnection| matches!(it.standing, Standing::Asking(_));
        self.connections.iter().flatten().any(asks)
    }

    /// Here is a snapshot.
    pub fn made(&mut self, snapshot: Snapshot) {
        self.shared = Some(Arc::new(snapshot));
    }

    /// Gives the snapshot to all who wait; with none, or when they asked for another session,
    /// refuses them.
    pub fn serve(&mut self) {
        for connection in self.connections.iter_mut().flatten() {
            let Standing::Asking(session) = connection.standing else {
                continue;
            };
            let wanted = session.trim_ascii();
            let fits = |it: &&Arc<Snapshot>| {
                wanted.is_empty() || wanted == it.session.as_slice().trim_ascii()
            };
            connection.standing = match self.shared.as_ref().filter(fits) {
                Some(snapshot) => {
                    self.served += 1;
                    Standing::Served(Arc::clone(snapshot), 0)
                }
                None => {
                    self.refused += 1;
                    let mut bytes = Vec::new();
                    push(
                        &mut bytes,
                        &ServerPacket::LoginRejected(LoginRejected { reason: b'S' }),
                    );
                    Standing::Refused(bytes, 0)
                }
            };
        }
    }

    /// Lets go of a snapshot that is too old to be given; those under way keep theirs.
    pub fn forget(&mut self, now_ns: u64) {
        let is_old = |it: &Arc<Snapshot>| now_ns.saturating_sub(it.made_ns()) >= self.keep_ns;
        if self.shared.as_ref().is_some_and(is_old) {
            self.shared = None;
        }
    }

    /// Sends what each connection has to get: `send` is given its number and bytes and gives how
    /// many it took. `close` is told of connections that are over.
    pub fn transmit(
        &mut self,
        now_ns: u64,
        send: &mut dyn FnMut(usize, &[u8]) -> usize,
        close: &mut dyn FnMut(usize),
    ) {
        for (place, slot) in self.connections.iter_mut().enumerate() {
            let Some(connection) = slot else {
                continue;
            };
            connection.transmit(now_ns, &mut |bytes| send(place, bytes));
            if connection.is_over(now_ns) {
                close(place);
                *slot = None;
            }
        }
    }

    /// Snapshots given and refused.
    #[must_use]
    pub const fn figures(&self) -> [u64; 2] {
        [self.served, self.refused]
    }
}
