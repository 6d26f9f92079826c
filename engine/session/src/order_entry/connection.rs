//! One connection: bytes that wait to be read, a cursor in the reply store, and its clocks.
//!
//! Where the store does not hold what is next any more, replies come from where they are kept, some
//! at a time, and the cursor stands in those.

use core::net::Ipv4Addr;

use crate::challenge::{GREETING_BYTES, NONCE_BYTES};

use super::login::Asked;
use super::repeats::Wanted;
use super::unread::Unread;
use super::{Cause, SAY_BYTES_MAX};
use crate::store::{PACKET_HEAD_BYTES, Store};

/// Room for packets outside the stream: login reply, account query replies, heartbeat, end.
const CONTROL_BYTES: usize = 320;

/// Room for refusals behind them, which a turn may have many of.
const REFUSALS_BYTES: usize = 16_384;

/// Room behind all of those for what is said once: why the venue stops, and why it logs out. A
/// member that has a buffer full of refusals to read is told, too.
const WORDS_BYTES: usize = REFUSALS_BYTES + 2 * (PACKET_HEAD_BYTES + SAY_BYTES_MAX);

/// The longest packet outside the stream: Login Accepted.
pub(super) const CONTROL_PACKET_BYTES_MAX: usize = 33;

const _: () = assert!(
    CONTROL_BYTES
        >= 4 * CONTROL_PACKET_BYTES_MAX + 2 * PACKET_HEAD_BYTES + SAY_BYTES_MAX + GREETING_BYTES
);

/// State of one connection.
pub(super) struct Connection {
    /// The caller's name for it.
    pub(super) id: u32,
    /// Where it comes from.
    pub(super) peer: Ipv4Addr,
    /// What it was greeted with, all zeros if it was not. There is one login on a connection, so
    /// it is good for one.
    pub(super) nonce: [u8; NONCE_BYTES],
    /// Its login, while somebody else judges it.
    pub(super) asked: Option<Asked>,
    /// Index of the member, once logged in.
    pub(super) session: Option<usize>,
    /// Why it must be closed, once it must.
    pub(super) cause: Option<Cause>,
    pub(super) inbound: Unread,
    /// Bytes of a debug packet that are still to be thrown away.
    pub(super) skip: usize,
    /// Whether reading stopped for want of room elsewhere.
    pub(super) held: bool,
    pub(super) opened_ns: u64,
    /// When bytes last came.
    pub(super) heard_ns: u64,
    /// When bytes were last taken, or there was nothing to take; in a while without anything to
    /// take it may be older.
    pub(super) moved_ns: u64,
    /// When bytes were last taken.
    pub(super) sent_ns: u64,
    /// When the cause was named.
    pub(super) closed_ns: u64,
    control: Vec<u8>,
    control_sent: usize,
    /// Replies that the store does not hold, as packets, until all are sent.
    past: Option<Vec<u8>>,
    /// What is next is not at hand: `cursor` then counts from the packet's start, which is 0.
    lacks: bool,
    /// A reply that it is to get again and that is not at hand.
    pub(super) wanted: Option<Wanted>,
    /// It was said that it lacks something.
    pub(super) is_asked: bool,
    /// Offset in the store, or in the past, up to which was sent.
    cursor: usize,
    /// Start of the packet in which the cursor stands.
    packet: usize,
    /// Number of that packet's reply.
    sequence: u64,
}

impl Connection {
    pub(super) fn new(id: u32, peer: Ipv4Addr, inbound_bytes: usize, now_ns: u64) -> Self {
        Self {
            id,
            peer,
            nonce: [0; NONCE_BYTES],
            asked: None,
            session: None,
            cause: None,
            inbound: Unread::new(inbound_bytes),
            skip: 0,
            held: false,
            opened_ns: now_ns,
            heard_ns: now_ns,
            moved_ns: now_ns,
            sent_ns: now_ns,
            closed_ns: now_ns,
            control: Vec::with_capacity(CONTROL_BYTES),
            control_sent: 0,
            past: None,
            wanted: None,
            lacks: false,
            is_asked: false,
            cursor: 0,
            packet: 0,
            sequence: 0,
        }
    }

    /// Names the cause for closing.
    pub(super) fn close(&mut self, cause: Cause, now_ns: u64) {
        self.cause = Some(cause);
        self.closed_ns = now_ns;
    }

    /// Gives up on last words that nobody took for too long.
    pub(super) fn linger(&mut self, now_ns: u64, linger_ns: u64) {
        if now_ns.saturating_sub(self.closed_ns) >= linger_ns {
            self.control.clear();
        }
    }

    /// Whether the last packets should still be sent before closing.
    pub(super) fn lingers(&self) -> bool {
        let last_words = [
            Cause::NotAuthorized,
            Cause::SessionUnavailable,
            Cause::LoginsBusy,
            Cause::AlreadyLoggedIn,
            Cause::Throttled,
            Cause::Kicked,
            Cause::Ended,
        ]
        .map(Some);
        last_words.contains(&self.cause) && !self.control_is_empty()
    }

    /// Starts the stream at a reply of the store, or one before those that it holds.
    pub(super) fn start_at(&mut self, sequence: u64, store: &Store, now_ns: u64) {
        self.sequence = sequence;
        self.moved_ns = now_ns;
        self.seek(store);
    }

    /// Stands before the packet of `sequence`.
    fn seek(&mut self, store: &Store) {
        let start = store.start(self.sequence);
        self.past = None;
        (self.lacks, self.is_asked) = (start.is_none(), false);
        self.packet = start.unwrap_or(0);
        self.cursor = self.packet;
    }

    /// Finds what is next again, if it is not where it was.
    fn locate(&mut self, store: &Store) {
        match &self.past {
            _ if self.lacks => {}
            Some(past) if self.cursor >= past.len() => self.seek(store),
            None if store.is_gone(self.packet) => {
                (self.lacks, self.is_asked) = (true, false);
                self.cursor -= self.packet;
                self.packet = 0;
            }
            _ => {}
        }
    }

    /// The reply from which on it needs what the store does not hold.
    pub(super) fn lacks(&self) -> Option<u64> {
        self.lacks.then_some(self.sequence)
    }

    /// The reply that it is to get again, while nobody was told.
    pub(super) fn wants(&self) -> Option<u64> {
        let wanted = self.wanted.as_ref().filter(|wanted| !wanted.is_asked)?;
        Some(wanted.reply)
    }

    /// Takes the packets that it lacks, from the first one on.
    pub(super) fn provide(&mut self, packets: Vec<u8>, now_ns: u64) {
        self.lacks = false;
        self.past = Some(packets);
        self.moved_ns = now_ns;
    }

    pub(super) fn control_is_empty(&self) -> bool {
        self.control.is_empty()
    }

    /// Whether another packet outside the stream fits.
    pub(super) fn control_fits(&self) -> bool {
        self.control.len() + CONTROL_PACKET_BYTES_MAX <= CONTROL_BYTES
    }

    /// Queues a packet outside the stream, or says that there is no room.
    pub(super) fn control(&mut self, kind: u8, payload: &[u8]) -> bool {
        self.outside(kind, payload, CONTROL_BYTES)
    }

    /// Queues a message outside the stream of which there may be many.
    pub(super) fn refusal(&mut self, message: &[u8]) -> bool {
        self.outside(b'U', message, REFUSALS_BYTES)
    }

    /// Queues words in a debug packet; there is room for those of the venue, once, and for last
    /// ones.
    pub(super) fn words(&mut self, text: &[u8]) -> bool {
        self.outside(b'+', text, WORDS_BYTES)
    }

    fn outside(&mut self, kind: u8, payload: &[u8], bytes_max: usize) -> bool {
        if self.control.len() + PACKET_HEAD_BYTES + payload.len() > bytes_max {
            return false;
        }
        self.control
            .extend_from_slice(&(payload.len() as u16 + 1).to_be_bytes());
        self.control.push(kind);
        self.control.extend_from_slice(payload);
        true
    }

    /// Whether everything was taken.
    pub(super) fn is_drained(&self, store: Option<&Store>) -> bool {
        let has_more =
            |store: &Store| self.lacks || self.past.is_some() || !store.is_end(self.cursor);
        self.control_is_empty() && !store.is_some_and(has_more)
    }

    /// Whether a heartbeat is due: nothing was sent for a while and nothing waits.
    pub(super) fn is_quiet(&self, store: &Store, now_ns: u64, heartbeat_ns: u64) -> bool {
        self.is_drained(Some(store)) && now_ns.saturating_sub(self.sent_ns) >= heartbeat_ns
    }

    /// Whether a heartbeat is due although something waits: it comes from elsewhere.
    pub(super) fn is_waiting(&self, now_ns: u64, heartbeat_ns: u64) -> bool {
        self.lacks && self.control_is_empty() && now_ns.saturating_sub(self.sent_ns) >= heartbeat_ns
    }

    /// Offers what waits until `send` takes less than it was offered; of one that is to be closed
    /// only the rest of the packet that was begun, and its last words.
    pub(super) fn transmit(
        &mut self,
        store: Option<&Store>,
        now_ns: u64,
        send: &mut dyn FnMut(u32, &[u8]) -> usize,
    ) {
        loop {
            if let Some(store) = store {
                self.locate(store);
            }
            let control = !self.control_is_empty() && self.cursor == self.packet;
            let offer = match store {
                _ if control => &self.control[self.control_sent..],
                Some(_) if self.lacks => &[],
                Some(_) if self.cause.is_some() && self.cursor == self.packet => &[],
                Some(store) => {
                    let bytes = self.bytes(store);
                    // A packet that was begun must end before another one starts.
                    let end = match self.control_is_empty() {
                        true => usize::MAX,
                        false => self.packet_end(store),
                    };
                    &bytes[..bytes.len().min(end - self.cursor)]
                }
                None => return,
            };
            let offered = offer.len();
            if offered == 0 {
                self.moved_ns = now_ns;
                return;
            }
            let taken = send(self.id, offer).min(offered);
            if taken > 0 {
                self.sent_ns = now_ns;
                self.moved_ns = now_ns;
            }
            match store {
                _ if control => self.control_taken(taken),
                Some(store) => self.stream_taken(taken, store),
                None => {}
            }
            if taken < offered {
                return;
            }
        }
    }

    fn control_taken(&mut self, bytes: usize) {
        self.control_sent += bytes;
        if self.control_sent == self.control.len() {
            self.control.clear();
            self.control_sent = 0;
        }
    }

    fn stream_taken(&mut self, bytes: usize, store: &Store) {
        self.cursor += bytes;
        while self.packet < self.cursor {
            let end = self.packet_end(store);
            if end > self.cursor {
                break;
            }
            self.packet = end;
            self.sequence += 1;
        }
    }

    /// Bytes from the cursor on, as many as lie in one piece.
    fn bytes<'a>(&'a self, store: &'a Store) -> &'a [u8] {
        match &self.past {
            Some(past) => past.get(self.cursor..).unwrap_or(&[]),
            None => store.from(self.cursor),
        }
    }

    /// Where the packet ends in which the cursor stands.
    fn packet_end(&self, store: &Store) -> usize {
        match self.past.as_ref().map(|past| past.get(self.packet..)) {
            Some(Some([high, low, ..])) => {
                self.packet + 2 + usize::from(u16::from_be_bytes([*high, *low]))
            }
            Some(_) => self.cursor,
            None => store.packet_end(self.packet),
        }
    }
}
