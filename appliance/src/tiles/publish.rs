//! The publish tile: events to market data, and answers to those who missed some.

mod answers;
mod copies;
mod past;

use answers::Answers;
use copies::Copies;
pub(crate) use past::{PublishPast, ReceiverTicket};

use super::doing::{Doing, Part};
use super::frames::FrameCounters;
use super::{BATCH, FIGURES_NS, Phase, Progress, Signals, Tile};
use crate::topology::{self, Ack, Topology};
use nic::{SendError, UdpPort};
use queue::{Counter, CounterSet, Error, Histogram, Reader};
use session::feed::{DepthPublisher, Publisher, Stream};
use std::net::SocketAddrV4;
use wire::ring::Event;

/// Where packets leave and requests come in.
#[derive(Debug)]
pub struct PublishPorts<U: UdpPort> {
    /// Sends the feed.
    pub feed: U,
    /// Sends the second line, if that does not leave by the first one's port.
    pub feed_b: Option<U>,
    /// Takes requests and answers them.
    pub rerequest: U,
    /// Where the venue's own follower listens and asks from, if there is one: packets go there by
    /// the port of requests.
    pub follower: Option<SocketAddrV4>,
}

/// The feed's sender and its re-request server.
pub struct PublishTile<U: UdpPort> {
    ports: PublishPorts<U>,
    group: SocketAddrV4,
    publisher: Publisher,
    /// The levels too, and where they go.
    depth: Option<(DepthPublisher, SocketAddrV4)>,
    events: Reader<Event>,
    signals: Signals,
    ack: Ack,
    inputs: u64,
    copies: Copies,
    answers: Answers,
    is_ending: bool,
    figures_ns: u64,
    counters: Counters,
}

struct Counters {
    inputs: Counter,
    through: Counter,
    done: Counter,
    messages: Counter,
    packets: Counter,
    depth_messages: Counter,
    dropped: Counter,
    requests_refused: Counter,
    send_errors: Counter,
    receive_errors: Counter,
    frames: FrameCounters,
    doing: Doing,
    feed_ns: Histogram,
}

impl Counters {
    fn new(set: &mut CounterSet) -> Result<Self, Error> {
        Ok(Self {
            inputs: set.counter("publish.inputs")?,
            through: set.counter("publish.through")?,
            done: set.counter("publish.done")?,
            messages: set.counter("publish.messages")?,
            packets: set.counter("publish.packets")?,
            depth_messages: set.counter("publish.depth_messages")?,
            dropped: set.counter("publish.dropped")?,
            requests_refused: set.counter("publish.requests_refused")?,
            send_errors: set.counter("publish.send_errors")?,
            receive_errors: set.counter("publish.receive_errors")?,
            frames: FrameCounters::new(set, "publish")?,
            doing: Doing::new(set, topology::Tile::Publish)?,
            feed_ns: set.histogram("hop.engine_feed_ns")?,
        })
    }
}

impl<U: UdpPort + Send> PublishTile<U> {
    /// Goes on behind the input number `inputs`, which `publisher` has seen.
    ///
    /// # Errors
    /// A counter is missing or taken.
    pub fn new(
        ports: PublishPorts<U>,
        (publisher, inputs): (Publisher, u64),
        events: Reader<Event>,
        topology: &Topology,
        set: &mut CounterSet,
    ) -> Result<Self, Error> {
        let mut counters = Counters::new(set)?;
        counters.inputs.set(inputs);
        Ok(Self {
            copies: Copies::new(topology, ports.follower, set)?,
            answers: Answers::new(topology, ports.follower, set)?,
            ports,
            group: topology.feed.group,
            publisher,
            depth: None,
            events,
            signals: Signals::new(set)?,
            ack: topology.ack,
            inputs,
            is_ending: false,
            figures_ns: 0,
            counters,
        })
    }

    /// What sends the depth, if anything.
    #[must_use]
    pub fn depth(&self) -> Option<&DepthPublisher> {
        self.depth.as_ref().map(|(depth, _)| depth)
    }

    /// The same tile, which also sends the depth, there.
    #[must_use]
    pub fn with_depth(mut self, depth: Option<(DepthPublisher, SocketAddrV4)>) -> Self {
        self.depth = depth;
        self
    }

    /// The same tile, which answers from streams what the history does not hold.
    #[must_use]
    pub(crate) fn recalling(mut self, past: Option<PublishPast>) -> Self {
        self.answers.recall(past);
        self
    }

    /// The ports, for their addresses and figures.
    #[must_use]
    pub const fn ports(&self) -> &PublishPorts<U> {
        &self.ports
    }

    /// The feed's own figures.
    #[must_use]
    pub const fn publisher(&self) -> &Publisher {
        &self.publisher
    }

    /// Turns events into messages as far as the ack rule allows and the history has room.
    fn events_take(&mut self, now_ns: u64, phase: Phase) -> usize {
        if phase == Phase::Failing {
            return 0;
        }
        let allowed = self.signals.released(self.ack, self.inputs);
        for count in 0..BATCH {
            if self.inputs >= allowed {
                return count;
            }
            let Some((time_ns, event)) = self.events.peek() else {
                return count;
            };
            // A full history means unsent packets: the event waits in the ring until they left.
            let mut depth = self.depth.as_mut().map(|(depth, _)| depth);
            if depth.as_mut().is_some_and(|depth| !depth.is_ready())
                || self.publisher.on_event(&event, time_ns).is_err()
            {
                return count;
            }
            let is_told = depth.is_none_or(|it| it.on_event(&event, time_ns).is_ok());
            assert!(is_told, "it was ready");
            self.events.advance();
            if event.has(Event::LAST) {
                self.inputs += 1;
                self.counters.feed_ns.record(now_ns.saturating_sub(time_ns));
            }
        }
        BATCH
    }

    /// Whether a turn that did nothing left something: an event that may not leave yet, or packets
    /// for which the port has no room.
    fn is_held(&mut self) -> bool {
        let depth = self.depth.as_ref();
        let unsent = self.publisher.unsent() + depth.map_or(0, |(depth, _)| depth.unsent());
        unsent > 0 || self.events.peek().is_some()
    }

    /// Sends packets; with `flush` also one that is not full.
    fn transmit(&mut self, now_ns: u64, flush: bool) -> usize {
        let Self {
            ports,
            publisher,
            depth,
            group,
            copies,
            counters,
            ..
        } = self;
        let (feed, own) = (&mut ports.feed, &mut ports.rerequest);
        let dropped = &mut counters.dropped;
        copies.retry(ports.feed_b.as_mut().unwrap_or(feed), own);
        let mut packets = send(publisher, (now_ns, flush), dropped, &mut |packet| {
            let sent = feed.send(*group, packet);
            if sent != Err(SendError::Full) {
                copies.send(ports.feed_b.as_mut().unwrap_or(feed), own, packet);
            }
            sent
        });
        if let Some((depth, group)) = depth {
            depth.tell();
            packets += send(depth, (now_ns, flush), dropped, &mut |packet| {
                feed.send(*group, packet)
            });
        }
        feed.flush();
        // Nothing is expected here; the port also needs its turn to finish sends.
        feed.poll(&mut |_, _| ());
        if let Some(feed_b) = &mut ports.feed_b {
            feed_b.flush();
            feed_b.poll(&mut |_, _| ());
        }
        if ports.follower.is_some() {
            own.flush();
        }
        packets
    }

    fn requests_answer(&mut self, now_ns: u64) -> usize {
        let depth = self.depth.as_mut().map(|(depth, _)| depth);
        self.answers.turn(
            &mut self.ports.rerequest,
            &mut self.publisher,
            depth,
            now_ns,
        )
    }

    /// Tells what the ports count: asking them may be a system call.
    fn figures_set(&mut self, now_ns: u64) {
        if now_ns.saturating_sub(self.figures_ns) < FIGURES_NS {
            return;
        }
        self.figures_ns = now_ns;
        let (feed, rerequest) = (self.ports.feed.stats(), self.ports.rerequest.stats());
        let counters = &mut self.counters;
        counters
            .send_errors
            .set(feed.send_errors + rerequest.send_errors);
        counters
            .receive_errors
            .set(feed.receive_errors + rerequest.receive_errors);
        counters.frames.set(&feed.frames);
        counters
            .requests_refused
            .set(self.publisher.counters().requests_refused);
    }

    /// The publisher's part of the venue's end.
    fn end(&mut self, now_ns: u64, phase: Phase) {
        match phase {
            Phase::Running => {}
            Phase::Draining => {
                let is_last = self.signals.sequence_last() == Some(self.inputs);
                let is_told =
                    |(depth, _): &mut (DepthPublisher, _)| depth.tell() && depth.unsent() == 0;
                let is_through = is_last
                    && self.publisher.unsent() == 0
                    && self.depth.as_mut().is_none_or(is_told);
                self.counters.through.set(u64::from(is_through));
            }
            Phase::Ending => {
                if !self.is_ending {
                    self.is_ending = true;
                    self.publisher.end(now_ns);
                    if let Some((depth, _)) = &mut self.depth {
                        depth.end(now_ns);
                    }
                }
                let depth_ended = self.depth.as_ref().is_none_or(|(depth, _)| depth.ended());
                let ended = self.publisher.ended() && depth_ended;
                self.counters.done.set(u64::from(ended));
            }
            // A failed venue does not call its day complete: receivers hear nothing more.
            Phase::Failing | Phase::Stopped => self.counters.done.set(1),
        }
    }
}

/// Sends what a stream has; says how many packets left.
fn send<S>(
    stream: &mut Stream<S>,
    (now_ns, flush): (u64, bool),
    dropped: &mut Counter,
    port: &mut dyn FnMut(&[u8]) -> Result<(), SendError>,
) -> usize {
    let mut packets = 0;
    stream.transmit(now_ns, flush, &mut |packet| match port(packet) {
        Ok(()) => {
            packets += 1;
            true
        }
        Err(SendError::Full) => false,
        // Lost as on a cable: receivers ask again. Waiting would hold the whole venue up.
        Err(SendError::TooLong | SendError::NoNeighbour) => {
            dropped.add(1);
            true
        }
    });
    packets
}

impl<U: UdpPort + Send> Tile for PublishTile<U> {
    fn poll(&mut self, now_ns: u64) -> Progress {
        let phase = self.signals.phase();
        self.counters.doing.now(Part::Events);
        let taken = self.events_take(now_ns, phase);
        self.counters.doing.now(Part::Transmit);
        let packets = self.transmit(now_ns, taken < BATCH);
        self.counters.doing.now(Part::Requests);
        let requests = self.requests_answer(now_ns);
        self.counters.doing.now(Part::Figures);
        if taken + packets + requests > 0 {
            self.counters.inputs.set(self.inputs);
            self.counters
                .messages
                .set(self.publisher.counters().messages);
            self.counters.packets.set(self.publisher.counters().packets);
            if let Some((depth, _)) = &self.depth {
                self.counters.depth_messages.set(depth.counters().messages);
            }
        }
        self.figures_set(now_ns);
        self.end(now_ns, phase);
        self.counters.doing.now(Part::Elsewhere);
        Progress::or_waiting(taken + packets + requests, || self.is_held())
    }

    fn failure(&self) -> Option<&str> {
        None
    }
}
