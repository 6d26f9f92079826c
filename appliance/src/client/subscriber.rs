//! A subscriber of a feed: packets in, books out, gaps asked for.

use std::net::SocketAddrV4;

use nic::UdpPort;
use session::feed::{ReceiverCounters, State};
use trading::{Applied, Books};
use wire::itch::Message;

use super::line::Line;

/// Receives one feed and keeps its books.
pub struct Subscriber<U> {
    line: Line<U>,
    books: Books,
    unreadable: u64,
}

impl<U: UdpPort> Subscriber<U> {
    /// A subscriber that reads a feed from its first message on, and asks `rerequest` for what it
    /// misses; without that address it goes on with what it gets.
    #[must_use]
    pub fn new(feed: U, requests: U, rerequest: Option<SocketAddrV4>) -> Self {
        Self {
            line: Line::new(feed, requests, rerequest),
            books: Books::new(),
            unreadable: 0,
        }
    }

    /// One turn: takes packets, applies their messages, asks for missing ones. `on` sees every
    /// message that was read, with its number in the feed and what it did. Returns how many packets
    /// came.
    pub fn poll(&mut self, now_ns: u64, on: &mut dyn FnMut(u64, &Message<'_>, Applied)) -> usize {
        let Self {
            line,
            books,
            unreadable,
        } = self;
        line.poll(
            now_ns,
            &mut |sequence, message| match Message::parse(message) {
                Ok(message) => on(sequence, &message, books.apply(&message)),
                Err(_) => *unreadable += 1,
            },
        )
    }

    /// The re-request server is at another address now.
    pub fn rerequest_at(&mut self, rerequest: SocketAddrV4) {
        self.line.rerequest_at(rerequest);
    }

    /// The books so far.
    #[must_use]
    pub fn books(&self) -> &Books {
        &self.books
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

    /// Messages of the feed that are not ITCH 5.0.
    #[must_use]
    pub fn unreadable(&self) -> u64 {
        self.unreadable
    }

    /// How the feed's packets move.
    #[must_use]
    pub fn mode(&self) -> &'static str {
        self.line.mode()
    }
}
