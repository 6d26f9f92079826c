//! A numbered stream of messages in MoldUDP64 packets: the same for the feed of orders and for that
//! of levels. Requests in, packets from the history out.

use wire::mold::{
    BLOCK_HEADER_BYTES, DATAGRAM_BYTES_MAX, HEADER_BYTES, Request, end_of_session, heartbeat,
};

use super::history::History;
use crate::SECOND_NS;

/// The longest message of a stream: an imbalance of ITCH.
pub(super) const MESSAGE_BYTES_MAX: usize = wire::itch::MESSAGE_BYTES_MAX;

/// The least payload that a packet may be limited to.
pub const PAYLOAD_BYTES_MIN: usize = 72;

/// The least history, in messages and in bytes.
pub const HISTORY_MIN: usize = 1_024;

const _: () = assert!(HEADER_BYTES + BLOCK_HEADER_BYTES + MESSAGE_BYTES_MAX <= PAYLOAD_BYTES_MIN);

/// Sizes and times of a stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PublisherConfig {
    /// Name of the feed's session.
    pub session: [u8; 10],
    /// The greatest UDP payload of a packet, 72 to 1,472.
    pub payload_bytes_max: usize,
    /// The highest symbol number.
    pub symbols: u16,
    /// Messages that can be asked for again.
    pub history_messages: usize,
    /// Bytes of messages that can be asked for again, 2 for each message included.
    pub history_bytes: usize,
    /// Silence after which a heartbeat is sent, and the time between end of session packets.
    pub heartbeat_ns: u64,
    /// How long end of session packets are repeated.
    pub end_ns: u64,
    /// Requests answered in a second.
    pub requests_per_second: u32,
}

impl Default for PublisherConfig {
    fn default() -> Self {
        Self {
            session: *b"0000000001",
            payload_bytes_max: 1_400,
            symbols: 1_024,
            history_messages: 1 << 20,
            history_bytes: 40 << 20,
            heartbeat_ns: SECOND_NS,
            end_ns: 5 * SECOND_NS,
            requests_per_second: 10_000,
        }
    }
}

/// The history holds nothing but unsent messages: transmit, then offer the event again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HistoryFull;

/// What became of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answer {
    /// A packet with so many messages was sent; the asker asks again for the others.
    Sent(u16),
    /// The packet was not taken by `send`.
    NotTaken,
    /// The bytes are no request.
    Malformed,
    /// The request names another session.
    OtherSession,
    /// The messages were not sent yet, or none were asked for.
    Nothing,
    /// The messages are no longer in the history.
    Gone,
    /// There were too many requests in this second.
    TooMany,
}

/// What a stream did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PublisherCounters {
    /// Messages written.
    pub messages: u64,
    /// Packets with messages sent, answers to requests not included.
    pub packets: u64,
    /// Heartbeats sent.
    pub heartbeats: u64,
    /// End of session packets sent.
    pub ends: u64,
    /// Requests answered.
    pub requests_answered: u64,
    /// Requests that no packet answered, for whatever reason.
    pub requests_refused: u64,
    /// Events that could not be told because their symbol is not in the table.
    pub events_unknown: u64,
}

/// A stream's sender and its re-request server; `S` is what the messages are made of and from.
pub struct Stream<S> {
    /// What turns events into messages.
    pub(super) source: S,
    pub(super) counters: PublisherCounters,
    pub(super) config: PublisherConfig,
    history: History,
    /// Messages, the first ones of all, that are kept elsewhere and were sent.
    pub(super) covered: u64,
    /// Number of the next message to be sent.
    sent_next: u64,
    /// When a packet was last sent.
    sent_ns: u64,
    /// When the end was called, and when its next packet is due.
    end: Option<(u64, u64)>,
    ended: bool,
    /// The second that requests are counted in, and how many there were.
    request_second: u64,
    requests: u32,
}

impl<S> Stream<S> {
    /// Takes all memory.
    pub(super) fn of(source: S, config: PublisherConfig) -> Result<Self, &'static str> {
        if !(PAYLOAD_BYTES_MIN..=DATAGRAM_BYTES_MAX).contains(&config.payload_bytes_max) {
            return Err("payload_bytes_max: choose between 72 and 1472");
        }
        if config.history_messages < HISTORY_MIN || config.history_bytes < HISTORY_MIN {
            return Err("history_messages, history_bytes: choose at least 1024");
        }
        if config.heartbeat_ns == 0 {
            return Err("heartbeat_ns: choose at least 1");
        }
        Ok(Self {
            source,
            config,
            counters: PublisherCounters::default(),
            history: History::new(config.history_bytes, config.history_messages),
            covered: 0,
            sent_next: 1,
            sent_ns: 0,
            end: None,
            ended: false,
            request_second: 0,
            requests: 0,
        })
    }

    /// Whether so many messages, whatever their length, can be written without the loss of an
    /// unsent one.
    pub(super) fn has_room(&self, messages: usize) -> bool {
        let bytes = messages * (BLOCK_HEADER_BYTES + MESSAGE_BYTES_MAX);
        self.history.fits(self.sent_next, messages, bytes)
    }

    /// Sends unsent messages in full packets, with `flush` also the last one that is not full, and
    /// heartbeats and end of session packets when they are due. Stops when `send` says that it did
    /// not take a packet; the packet stays.
    pub fn transmit(&mut self, now_ns: u64, flush: bool, send: &mut dyn FnMut(&[u8]) -> bool) {
        let flush = flush || self.end.is_some();
        while self.unsent() > 0 {
            let mut packet = [0; DATAGRAM_BYTES_MAX];
            let (count, bytes) = self.fill(self.sent_next, self.history.next(), &mut packet);
            let is_last = self.sent_next + u64::from(count) == self.history.next();
            if is_last && !flush {
                break;
            }
            if !send(&packet[..bytes]) {
                return;
            }
            self.sent_next += u64::from(count);
            self.sent_ns = now_ns;
            self.counters.packets += 1;
        }
        match self.end {
            Some((begun_ns, due_ns)) => self.say_end(now_ns, begun_ns, due_ns, send),
            None if now_ns.saturating_sub(self.sent_ns) >= self.config.heartbeat_ns => {
                let mut packet = [0; HEADER_BYTES];
                let written = heartbeat(self.config.session, self.sent_next, &mut packet);
                if written.is_ok() && send(&packet) {
                    self.sent_ns = now_ns;
                    self.counters.heartbeats += 1;
                }
            }
            None => {}
        }
    }

    /// Takes everything written so far for sent: after a replay of the journal, when receivers are
    /// to ask for what they missed.
    pub fn skip_unsent(&mut self) {
        self.sent_next = self.history.next();
    }

    /// Begins with message number `next`: those before it are kept elsewhere.
    pub fn begin(&mut self, next: u64) {
        self.history.begin(next);
        self.sent_next = next;
        self.counters.messages = next - 1;
    }

    /// Hands out all messages that were not sent, and takes them for sent: for who keeps them
    /// elsewhere and sends none.
    pub fn drain(&mut self, on: &mut dyn FnMut(&[u8])) {
        let mut blocks = [0; DATAGRAM_BYTES_MAX];
        while self.unsent() > 0 {
            let (count, bytes) =
                self.history
                    .copy(self.sent_next, self.history.next(), &mut blocks);
            let mut rest = &blocks[..bytes];
            while let Some((length, after)) = rest.split_first_chunk() {
                let (message, after) = after.split_at(u16::from_be_bytes(*length).into());
                on(message);
                rest = after;
            }
            self.sent_next += u64::from(count);
        }
    }

    /// Whether a request names this stream's session: one server may answer for several streams.
    #[must_use]
    pub fn is_asked(&self, bytes: &[u8]) -> bool {
        Request::parse(bytes).is_ok_and(|request| request.session == self.config.session)
    }

    /// Answers a request with at most one packet, which must go to where the request came from.
    pub fn request(
        &mut self,
        bytes: &[u8],
        now_ns: u64,
        send: &mut dyn FnMut(&[u8]) -> bool,
    ) -> Answer {
        let answer = self.answer(bytes, now_ns, send);
        match answer {
            Answer::Sent(_) => self.counters.requests_answered += 1,
            _ => self.counters.requests_refused += 1,
        }
        answer
    }

    /// The session ends: after the last message come end of session packets. Requests are still
    /// answered.
    pub fn end(&mut self, now_ns: u64) {
        self.end.get_or_insert((now_ns, now_ns));
    }

    /// Whether the last end of session packet was sent.
    #[must_use]
    pub const fn ended(&self) -> bool {
        self.ended
    }

    /// Number of the next message to be written.
    #[must_use]
    pub const fn sequence_next(&self) -> u64 {
        self.history.next()
    }

    /// Messages written and not sent.
    #[must_use]
    pub const fn unsent(&self) -> u64 {
        self.history.next() - self.sent_next
    }

    /// The configuration.
    #[must_use]
    pub const fn config(&self) -> &PublisherConfig {
        &self.config
    }

    /// What it did so far.
    #[must_use]
    pub const fn counters(&self) -> &PublisherCounters {
        &self.counters
    }

    /// Writes a message into the history, if there is one.
    pub(super) fn write(
        &mut self,
        write: impl FnOnce(&mut [u8]) -> Option<Result<usize, wire::Error>>,
    ) {
        let mut message = [0; MESSAGE_BYTES_MAX];
        match write(&mut message) {
            Some(Ok(_)) if self.history.next() <= self.covered => {
                self.begin(self.history.next() + 1);
            }
            Some(Ok(bytes)) => {
                self.history.push(&message[..bytes]);
                self.counters.messages += 1;
            }
            // The buffer is long enough and a day's nanoseconds fit into their field.
            Some(Err(_)) => self.counters.events_unknown += 1,
            None => {}
        }
    }

    /// Fills a packet with messages from `sequence` on, before `before`.
    fn fill(&self, sequence: u64, before: u64, packet: &mut [u8]) -> (u16, usize) {
        let packet = &mut packet[..self.config.payload_bytes_max];
        let (head, blocks) = packet.split_at_mut(HEADER_BYTES);
        let (count, bytes) = self.history.copy(sequence, before, blocks);
        let header = Request {
            session: self.config.session,
            sequence,
            count,
        };
        // The header has its length: it cannot fail.
        let head_bytes = header.encode(head).unwrap_or(0);
        (count, head_bytes + bytes)
    }

    fn say_end(
        &mut self,
        now_ns: u64,
        begun_ns: u64,
        due_ns: u64,
        send: &mut dyn FnMut(&[u8]) -> bool,
    ) {
        if self.ended || now_ns < due_ns {
            return;
        }
        let mut packet = [0; HEADER_BYTES];
        let written = end_of_session(self.config.session, self.sent_next, &mut packet);
        if written.is_ok() && send(&packet) {
            self.counters.ends += 1;
            let last_ns = begun_ns.saturating_add(self.config.end_ns);
            self.ended = now_ns >= last_ns;
            self.end = Some((begun_ns, last_ns.min(now_ns + self.config.heartbeat_ns)));
        }
    }

    fn answer(&mut self, bytes: &[u8], now_ns: u64, send: &mut dyn FnMut(&[u8]) -> bool) -> Answer {
        let second = now_ns / SECOND_NS;
        if second != self.request_second {
            self.request_second = second;
            self.requests = 0;
        }
        if self.requests >= self.config.requests_per_second {
            return Answer::TooMany;
        }
        self.requests += 1;
        let Ok(request) = Request::parse(bytes) else {
            return Answer::Malformed;
        };
        if request.session != self.config.session {
            return Answer::OtherSession;
        }
        if request.count == 0 || request.sequence == 0 || request.sequence >= self.sent_next {
            return Answer::Nothing;
        }
        if request.sequence < self.history.first() {
            return Answer::Gone;
        }
        let before = (request.sequence + u64::from(request.count)).min(self.sent_next);
        let mut packet = [0; DATAGRAM_BYTES_MAX];
        let (count, bytes) = self.fill(request.sequence, before, &mut packet);
        if send(&packet[..bytes]) {
            Answer::Sent(count)
        } else {
            Answer::NotTaken
        }
    }
}
