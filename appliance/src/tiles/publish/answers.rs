//! Requests for missed packets: who may ask, what is sent, and what both come to in bytes.

use crate::topology::Topology;
use nic::UdpPort;
use queue::{Counter, CounterSet, Error};
use session::feed::{Admission, DepthPublisher, Guard, Publisher};
use std::net::SocketAddrV4;

/// Requests taken in one turn; further ones are asked again by their senders.
const REQUESTS_MAX: usize = 64;

/// Bytes kept of a request: more than a good one has, so that a longer one stays wrong.
const REQUEST_BYTES: usize = 32;

/// Answers those who may ask.
pub(super) struct Answers {
    guard: Guard,
    /// The venue's own follower of the feed, which asks as much as it wants to.
    follower: Option<SocketAddrV4>,
    requests: Vec<(SocketAddrV4, [u8; REQUEST_BYTES], usize)>,
    came: Counter,
    bytes_in: Counter,
    bytes_out: Counter,
    unlisted: Counter,
    spent: Counter,
}

impl Answers {
    pub(super) fn new(
        topology: &Topology,
        follower: Option<SocketAddrV4>,
        set: &mut CounterSet,
    ) -> Result<Self, Error> {
        let feed = &topology.feed;
        Ok(Self {
            guard: Guard::new(&feed.rerequest_allow, feed.rerequest_bytes_per_second),
            follower,
            requests: Vec::with_capacity(REQUESTS_MAX),
            came: set.counter("publish.requests")?,
            bytes_in: set.counter("publish.request_bytes")?,
            bytes_out: set.counter("publish.answer_bytes")?,
            unlisted: set.counter("publish.requests_unlisted")?,
            spent: set.counter("publish.requests_spent")?,
        })
    }

    /// Takes what came at the port and answers it there; says how much came.
    pub(super) fn turn<U: UdpPort>(
        &mut self,
        port: &mut U,
        publisher: &mut Publisher,
        mut depth: Option<&mut DepthPublisher>,
        now_ns: u64,
    ) -> usize {
        let mut requests = core::mem::take(&mut self.requests);
        let bytes_in = &mut self.bytes_in;
        let came = port.poll(&mut |from, bytes| {
            bytes_in.add(bytes.len() as u64);
            if requests.len() < REQUESTS_MAX {
                let mut kept = [0; REQUEST_BYTES];
                let length = bytes.len().min(REQUEST_BYTES);
                kept[..length].copy_from_slice(&bytes[..length]);
                requests.push((from, kept, length));
            }
        });
        for (from, bytes, length) in requests.drain(..) {
            let request = &bytes[..length];
            let place = match self.guard.admits(*from.ip(), now_ns) {
                _ if self.follower == Some(from) => None,
                Admission::Admitted(place) => Some(place),
                Admission::Unlisted => {
                    self.unlisted.add(1);
                    continue;
                }
                Admission::Spent => {
                    self.spent.add(1);
                    continue;
                }
            };
            let mut sent = 0;
            let mut send = |packet: &[u8]| {
                let is_taken = port.send(from, packet).is_ok();
                sent += packet.len() * usize::from(is_taken);
                is_taken
            };
            match &mut depth {
                Some(depth) if depth.is_asked(request) => depth.request(request, now_ns, &mut send),
                _ => publisher.request(request, now_ns, &mut send),
            };
            if let Some(place) = place {
                self.guard.charge(place, sent, now_ns);
            }
            self.bytes_out.add(sent as u64);
        }
        self.requests = requests;
        self.came.add(came as u64);
        if came > 0 {
            port.flush();
        }
        came
    }
}
