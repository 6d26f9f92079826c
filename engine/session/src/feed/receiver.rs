//! MoldUDP64 packets in any order in, the messages in their order out.
use crate::SECOND_NS;

/// Sizes and times of a [`Receiver`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ReceiverConfig {
    /// The session to listen to; `None` takes that of the first packet and follows a change.
    pub session: Option<[u8; 10]>,
    /// Number of the first message wanted: 1 asks for all that were missed.
    pub sequence: u64,
    /// Packets kept that came ahead of a gap.
    pub held_packets: usize,
    /// Time after which an unanswered request is repeated.
    pub retry_ns: u64,
    /// The most messages asked for at a time.
    pub request_messages_max: u16,
}

impl Default for ReceiverConfig {
    fn default() -> Self {
        Self {
            session: None,
            sequence: 1,
            held_packets: 64,
            retry_ns: SECOND_NS / 10,
            request_messages_max: 1_000,
        }
    }
}

/// What a packet was.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Received {
    /// So many messages were handed on, those of held packets included; 0 for a heartbeat.
    Messages(usize),
    /// It lies behind a gap; it is held, or dropped when there is no room.
    Ahead,
    /// All of it was known.
    Duplicate,
    /// It belongs to another session than the configured one, or to the one before.
    OtherSession,
    /// It is no MoldUDP64 packet, or its blocks do not fit into it: nothing of it was used.
    Malformed,
}

/// Where a [`Receiver`] stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// No packet came yet.
    Waiting,
    /// Nothing is missing.
    Live,
    /// Messages are missing.
    Gap,
    /// The session ended and all its messages were handed on.
    Ended,
}

/// What a [`Receiver`] saw.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ReceiverCounters {
    /// Messages handed on.
    pub messages: u64,
    /// Packets taken, whatever they were.
    pub packets: u64,
    /// Gaps that opened.
    pub gaps: u64,
    /// Requests given out.
    pub requests: u64,
    /// Packets of which everything was known.
    pub duplicates: u64,
    /// Packets ahead of a gap that there was no room for.
    pub dropped: u64,
    /// Packets of other sessions.
    pub other_session: u64,
    /// Packets that made no sense.
    pub malformed: u64,
    /// Changes to a new session.
    pub session_changes: u64,
}

/// One feed's receiver; give it the packets of both lines and the answers to its requests.
pub struct Receiver {
    config: ReceiverConfig,
    counters: ReceiverCounters,
}

impl Receiver {
    /// Takes all memory.
    #[must_use]
    pub fn new(config: ReceiverConfig) -> Self {
        Self { config, counters: ReceiverCounters::default() }
    }

    /// Takes a packet; `on` gets each message in order, once, with its number.
    pub fn packet(
        &mut self,
        bytes: &[u8],
        now_ns: u64,
        on: &mut dyn FnMut(u64, &[u8]),
    ) -> Received {
        let _ = (bytes, now_ns, on);
        Received::Malformed
    }

    /// The request to be sent now to the re-request server, if one is due.
    pub fn poll(&mut self, now_ns: u64) -> Option<[u8; 20]> {
        let _ = now_ns;
        None
    }

    /// Where it stands.
    #[must_use]
    pub const fn state(&self) -> State {
        State::Waiting
    }

    /// The session listened to, once it is known.
    #[must_use]
    pub const fn session(&self) -> Option<[u8; 10]> {
        self.config.session
    }

    /// Number of the next message to be handed on.
    #[must_use]
    pub const fn sequence_next(&self) -> u64 {
        self.config.sequence
    }

    /// What it saw so far.
    #[must_use]
    pub const fn counters(&self) -> &ReceiverCounters {
        &self.counters
    }
}
