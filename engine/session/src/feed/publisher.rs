//! Events in, MoldUDP64 packets out.
use wire::ring::Event;

use crate::SECOND_NS;

/// Sizes and times of a [`Publisher`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PublisherConfig {
    /// Name of the feed's session.
    pub session: [u8; 10],
    /// The greatest UDP payload of a packet, 64 to 1,472.
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

/// What a [`Publisher`] did.
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

/// The feed's sender and its re-request server.
pub struct Publisher {
    config: PublisherConfig,
    counters: PublisherCounters,
}

impl Publisher {
    /// Takes all memory.
    ///
    /// # Errors
    /// Names the field that is outside its limits.
    pub fn new(config: PublisherConfig) -> Result<Self, &'static str> {
        Ok(Self { config, counters: PublisherCounters::default() })
    }

    /// Takes an event of the engine, in order; `time_ns` is its input's.
    ///
    /// # Errors
    /// There is no room; nothing was changed.
    pub fn on_event(&mut self, event: &Event, time_ns: u64) -> Result<(), HistoryFull> {
        let _ = (event, time_ns);
        Ok(())
    }

    /// Sends unsent messages in full packets, with `flush` also the last one that is not full, and
    /// heartbeats and end of session packets when they are due. Stops when `send` says that it did
    /// not take a packet; the packet stays.
    pub fn transmit(&mut self, now_ns: u64, flush: bool, send: &mut dyn FnMut(&[u8]) -> bool) {
        let _ = (now_ns, flush, send);
    }

    /// Takes everything written so far for sent: after a replay of the journal, when receivers are to
    /// ask for what they missed.
    pub fn skip_unsent(&mut self) {}

    /// Answers a request with at most one packet, which must go to where the request came from.
    pub fn request(
        &mut self,
        bytes: &[u8],
        now_ns: u64,
        send: &mut dyn FnMut(&[u8]) -> bool,
    ) -> Answer {
        let _ = (bytes, now_ns, send);
        Answer::Nothing
    }

    /// The session ends: after the last message come end of session packets. Requests are still answered.
    pub fn end(&mut self, now_ns: u64) {
        let _ = now_ns;
    }

    /// Whether the last end of session packet was sent.
    #[must_use]
    pub const fn ended(&self) -> bool {
        false
    }

    /// Number of the next message to be written.
    #[must_use]
    pub const fn sequence_next(&self) -> u64 {
        1
    }

    /// Messages written and not sent.
    #[must_use]
    pub const fn unsent(&self) -> u64 {
        0
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
}
