//! Requests for missed packets: who may ask, what is sent, and what both come to in bytes.

use super::past::PublishPast;
use crate::topology::Topology;
use nic::UdpPort;
use queue::{Counter, CounterSet, Error};
use session::feed::{Admission, Answer, DepthPublisher, Guard, Publisher};
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
    /// Where messages are that the history does not hold, if anywhere.
    past: Option<PublishPast>,
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
            past: None,
            came: set.counter("publish.requests")?,
            bytes_in: set.counter("publish.request_bytes")?,
            bytes_out: set.counter("publish.answer_bytes")?,
            unlisted: set.counter("publish.requests_unlisted")?,
            spent: set.counter("publish.requests_spent")?,
        })
    }

    /// From now on also answers from streams, if there are any.
    pub(super) fn recall(&mut self, past: Option<PublishPast>) {
        self.past = past;
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
            let of_depth = depth.as_deref_mut().filter(|it| it.is_asked(request));
            let is_depth = of_depth.is_some();
            let answer = match of_depth {
                Some(depth) => depth.request(request, now_ns, &mut send),
                None => publisher.request(request, now_ns, &mut send),
            };
            let mut spent = sent;
            if let (Answer::Gone, Some(past)) = (answer, &mut self.past) {
                // What will come is not known yet: as much as may.
                spent += past.ask((publisher, is_depth), request, from);
            }
            if let Some(place) = place {
                self.guard.charge(place, spent, now_ns);
            }
            self.bytes_out.add(sent as u64);
        }
        self.requests = requests;
        self.came.add(came as u64);
        let recalled = self.recalled(port, publisher, depth);
        if came + recalled > 0 {
            port.flush();
        }
        came + recalled
    }

    /// Sends what was read from the streams; gives how many answers there were.
    fn recalled<U: UdpPort>(
        &mut self,
        port: &mut U,
        publisher: &mut Publisher,
        mut depth: Option<&mut DepthPublisher>,
    ) -> usize {
        let mut answers = 0;
        while let Some((blocks, count, to)) = self.past.as_mut().and_then(PublishPast::found) {
            let bytes_out = &mut self.bytes_out;
            let mut send = |packet: &[u8]| {
                let is_taken = port.send(to.from, packet).is_ok();
                bytes_out.add(packet.len() as u64 * u64::from(is_taken));
                is_taken
            };
            let part = (to.sequence, count);
            match &mut depth {
                Some(depth) if to.is_depth => depth.recalled(part, &blocks, &mut send),
                _ => publisher.recalled(part, &blocks, &mut send),
            };
            answers += 1;
        }
        answers
    }
}
