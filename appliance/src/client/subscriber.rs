//! A subscriber of a feed: packets in, books out, gaps asked for.

use std::net::SocketAddrV4;

use nic::UdpPort;
use session::feed::{Receiver, ReceiverConfig, ReceiverCounters, State};
use trading::{Applied, Books};
use wire::itch::Message;

/// Receives one feed and keeps its books.
pub struct Subscriber<U> {
    /// Where the feed arrives.
    feed: U,
    /// Where requests leave and their answers arrive; the feed's own port where that can send.
    requests: U,
    rerequest: Option<SocketAddrV4>,
    receiver: Receiver,
    books: Books,
    unreadable: u64,
}

impl<U: UdpPort> Subscriber<U> {
    /// A subscriber that reads a feed from its first message on, and asks `rerequest` for what it
    /// misses; without that address it goes on with what it gets.
    #[must_use]
    pub fn new(feed: U, requests: U, rerequest: Option<SocketAddrV4>) -> Self {
        Self {
            feed,
            requests,
            rerequest,
            receiver: Receiver::new(ReceiverConfig::default()),
            books: Books::new(),
            unreadable: 0,
        }
    }

    /// One turn: takes packets, applies their messages, asks for missing ones. `on` sees every
    /// message that was read, with its number in the feed and what it did. Returns how many packets
    /// came.
    pub fn poll(&mut self, now_ns: u64, on: &mut dyn FnMut(u64, &Message<'_>, Applied)) -> usize {
        let Self {
            feed,
            requests,
            receiver,
            books,
            unreadable,
            ..
        } = self;
        let mut packet = |bytes: &[u8]| {
            receiver.packet(
                bytes,
                now_ns,
                &mut |sequence, message| match Message::parse(message) {
                    Ok(message) => on(sequence, &message, books.apply(&message)),
                    Err(_) => *unreadable += 1,
                },
            );
        };
        let mut packets = feed.poll(&mut |_, bytes| packet(bytes));
        packets += requests.poll(&mut |_, bytes| packet(bytes));
        self.ask(now_ns);
        packets
    }

    fn ask(&mut self, now_ns: u64) {
        let Some(rerequest) = self.rerequest else {
            return;
        };
        if let Some(request) = self.receiver.poll(now_ns) {
            // A request that could not be sent is repeated like one that got lost.
            let _ = self.requests.send(rerequest, &request);
            self.requests.flush();
        }
    }

    /// The re-request server is at another address now.
    pub fn rerequest_at(&mut self, rerequest: SocketAddrV4) {
        self.rerequest = Some(rerequest);
    }

    /// The books so far.
    #[must_use]
    pub fn books(&self) -> &Books {
        &self.books
    }

    /// Where the stream stands.
    #[must_use]
    pub fn state(&self) -> State {
        self.receiver.state()
    }

    /// Number of the next message.
    #[must_use]
    pub fn sequence_next(&self) -> u64 {
        self.receiver.sequence_next()
    }

    /// What the receiver saw.
    #[must_use]
    pub fn counters(&self) -> &ReceiverCounters {
        self.receiver.counters()
    }

    /// Messages of the feed that are not ITCH 5.0.
    #[must_use]
    pub fn unreadable(&self) -> u64 {
        self.unreadable
    }

    /// How the feed's packets move.
    #[must_use]
    pub fn mode(&self) -> &'static str {
        self.feed.mode()
    }
}
