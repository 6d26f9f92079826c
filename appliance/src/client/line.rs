//! A receiver of a stream of packets with its ports: messages out, gaps asked for.

use std::net::SocketAddrV4;

use nic::UdpPort;
use session::feed::{Receiver, ReceiverConfig};

/// One stream as it arrives.
pub(super) struct Line<U> {
    /// Where the stream arrives.
    feed: U,
    /// Where requests leave and their answers arrive; the stream's own port where that can send.
    requests: U,
    rerequest: Option<SocketAddrV4>,
    receiver: Receiver,
}

impl<U: UdpPort> Line<U> {
    /// A stream from its first message on; without the address of a server it goes on with what it
    /// gets.
    pub(super) fn new(feed: U, requests: U, rerequest: Option<SocketAddrV4>) -> Self {
        Self {
            feed,
            requests,
            rerequest,
            receiver: Receiver::new(ReceiverConfig::default()),
        }
    }

    /// One turn: takes packets, gives each message to `on` with its number, asks for missing ones.
    /// Returns how many packets came.
    pub(super) fn poll(&mut self, now_ns: u64, on: &mut dyn FnMut(u64, &[u8])) -> usize {
        let Self {
            feed,
            requests,
            receiver,
            ..
        } = self;
        let mut packet = |bytes: &[u8]| {
            receiver.packet(bytes, now_ns, on);
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
    pub(super) fn rerequest_at(&mut self, rerequest: SocketAddrV4) {
        self.rerequest = Some(rerequest);
    }

    /// Where the stream stands.
    pub(super) fn receiver(&self) -> &Receiver {
        &self.receiver
    }

    /// How the stream's packets move.
    pub(super) fn mode(&self) -> &'static str {
        self.feed.mode()
    }
}
