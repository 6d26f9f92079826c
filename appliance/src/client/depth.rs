//! A subscriber of a depth: packets in, books by their levels out.

use std::net::SocketAddrV4;

use nic::UdpPort;
use session::feed::{ReceiverCounters, State};
use trading::Levels;
use wire::depth::Message;

use super::line::Line;

/// Receives one depth and keeps its levels.
pub struct DepthSubscriber<U> {
    line: Line<U>,
    levels: Levels,
    wrong: u64,
}

impl<U: UdpPort> DepthSubscriber<U> {
    /// A subscriber that reads a depth from its first message on, and asks `rerequest` for what it
    /// misses.
    #[must_use]
    pub fn new(feed: U, requests: U, rerequest: Option<SocketAddrV4>) -> Self {
        Self {
            line: Line::new(feed, requests, rerequest),
            levels: Levels::new(),
            wrong: 0,
        }
    }

    /// One turn: takes packets, applies their messages, asks for missing ones. Returns how many
    /// packets came.
    pub fn poll(&mut self, now_ns: u64) -> usize {
        self.poll_each(now_ns, &mut |_| ())
    }

    /// As [`Self::poll`]; `on` sees every message that was read.
    pub fn poll_each(&mut self, now_ns: u64, on: &mut dyn FnMut(&Message<'_>)) -> usize {
        let Self {
            line,
            levels,
            wrong,
        } = self;
        line.poll(now_ns, &mut |_, bytes| {
            let is_good = Message::parse(bytes).is_ok_and(|message| {
                on(&message);
                levels.apply(&message)
            });
            *wrong += u64::from(!is_good);
        })
    }

    /// The re-request server is at another address now.
    pub fn rerequest_at(&mut self, rerequest: SocketAddrV4) {
        self.line.rerequest_at(rerequest);
    }

    /// The levels so far.
    #[must_use]
    pub fn levels(&self) -> &Levels {
        &self.levels
    }

    /// Where the stream stands.
    #[must_use]
    pub fn state(&self) -> State {
        self.line.receiver().state()
    }

    /// Number of the next message.
    #[must_use]
    pub fn sequence_next(&self) -> u64 {
        self.line.receiver().sequence_next()
    }

    /// What the receiver saw.
    #[must_use]
    pub fn counters(&self) -> &ReceiverCounters {
        self.line.receiver().counters()
    }

    /// Messages that are none of a depth, or say nothing new.
    #[must_use]
    pub fn wrong(&self) -> u64 {
        self.wrong
    }

    /// How the depth's packets move.
    #[must_use]
    pub fn mode(&self) -> &'static str {
        self.line.mode()
    }
}
