//! `ring`: our shared-memory ring against published queues and the standard library's channel.
//!
//! Two threads on two processors exchange messages of one cache line. Every message carries its
//! number and a checksum of it; order and contents are checked on both sides. In streams our reader
//! lets messages gather, which queues of others have no word for.

use std::sync::mpsc::{Receiver, SyncSender, sync_channel};

use bytemuck::{Pod, Zeroable};
use quanta::Clock;

use super::ring_peers::{CrossbeamChannel, CrossbeamQueue, Disruptor, Heapless, Ringbuf, Rtrb};
use crate::calibration::Gate;
use crate::compare::{Case, Subject, compare};
use crate::stats::Samples;
use crate::threads::{Stop, pair};
use crate::{BenchError, Options, Row};

/// The row.
pub const ROW: Row = Row {
    name: "ring",
    about: "messages between two threads: ours, six published queues, std::sync::mpsc",
    run,
};

/// Slots of each ring.
const DEPTH: usize = 1_024;
/// Messages that are sent and published together.
pub const BATCH: usize = 32;
const _: () = assert!(
    BATCH * 4 <= DEPTH,
    "the reader may hold back a quarter ring"
);

/// One message: a cache line with the ring's own words.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Pod, Zeroable)]
#[repr(C)]
pub struct Message {
    /// Number of the message, from 1.
    pub number: u64,
    /// When it was sent, in ticks of the clock.
    pub sent: u64,
    /// Derived from the number.
    pub payload: [u64; 4],
}

const _: () = assert!(size_of::<Message>() == 48);

impl Message {
    /// A message with the payload that belongs to its number.
    #[must_use]
    pub fn new(number: u64, sent: u64) -> Self {
        let payload = [1, 2, 3, 4].map(|word| number.wrapping_mul(0x9e37_79b9_7f4a_7c15 ^ word));
        Self {
            number,
            sent,
            payload,
        }
    }

    fn check(&self, number: u64) -> Result<(), BenchError> {
        if *self == Self::new(number, self.sent) {
            return Ok(());
        }
        let what = format!(
            "message {number} arrived as {} {:x?}",
            self.number, self.payload
        );
        Err(BenchError::WrongAnswer(what))
    }
}

/// A way for messages from one thread to another.
pub trait Link {
    /// The sending end.
    type Sender: Send;
    /// The receiving end.
    type Receiver: Send;

    /// Makes a link with room for so many messages.
    fn open(depth: usize) -> Result<(Self::Sender, Self::Receiver), BenchError>;
    /// Sends as many as there is room for and says how many.
    fn send(to: &mut Self::Sender, messages: &[Message]) -> usize;
    /// Takes up to [`BATCH`] messages and says how many.
    fn receive(from: &mut Self::Receiver, on: &mut dyn FnMut(&Message)) -> usize;

    /// The same where one message is expected.
    fn receive_single(from: &mut Self::Receiver, on: &mut dyn FnMut(&Message)) -> usize {
        Self::receive(from, on)
    }

    /// The same in a stream, where a message may wait for company.
    fn receive_stream(from: &mut Self::Receiver, on: &mut dyn FnMut(&Message)) -> usize {
        Self::receive(from, on)
    }
}

/// Our ring.
pub struct Ours;

impl Link for Ours {
    type Sender = queue::Writer<Message, queue::SharedRing<Message>>;
    type Receiver = queue::Reader<Message, queue::SharedRing<Message>>;

    fn open(depth: usize) -> Result<(Self::Sender, Self::Receiver), BenchError> {
        queue::ring(depth).map_err(|error| BenchError::failed("making a ring", error))
    }

    fn send(to: &mut Self::Sender, messages: &[Message]) -> usize {
        let sent = messages
            .iter()
            .take_while(|message| to.put(message.sent, message).is_ok());
        let count = sent.count();
        to.publish();
        count
    }

    fn receive(from: &mut Self::Receiver, on: &mut dyn FnMut(&Message)) -> usize {
        from.take(BATCH, |_, message| on(message))
    }

    fn receive_stream(from: &mut Self::Receiver, on: &mut dyn FnMut(&Message)) -> usize {
        let found = from.gather(BATCH, |_, message| on(message));
        if found == 0 {
            from.rest();
        }
        found
    }
}

/// The standard library's bounded channel.
pub struct Channel;

impl Link for Channel {
    type Sender = SyncSender<Message>;
    type Receiver = Receiver<Message>;

    fn open(depth: usize) -> Result<(Self::Sender, Self::Receiver), BenchError> {
        Ok(sync_channel(depth))
    }

    fn send(to: &mut Self::Sender, messages: &[Message]) -> usize {
        messages
            .iter()
            .take_while(|message| to.try_send(**message).is_ok())
            .count()
    }

    fn receive(from: &mut Self::Receiver, on: &mut dyn FnMut(&Message)) -> usize {
        from.try_iter()
            .take(BATCH)
            .map(|message| on(&message))
            .count()
    }
}

/// Cases from this place on are streams.
const STREAMS_FROM: usize = 2;

fn run(options: &Options) -> Result<Vec<Case>, BenchError> {
    let trips = options.effort.pick(50, 20_000, 200_000) as u64;
    let batches = options.effort.pick(40, 5_000, 50_000) as u64;
    let cases = [
        "round trip",
        "one way",
        "stream of single messages, per message",
        "batch of 32, per message",
    ];
    let gate = Gate::new(options.effort)?;
    let subjects = vec![
        subject::<Ours>("ours", (trips, batches), &gate),
        subject::<Rtrb>("rtrb", (trips, batches), &gate),
        subject::<Ringbuf>("ringbuf", (trips, batches), &gate),
        subject::<Heapless>("heapless", (trips, batches), &gate),
        subject::<Disruptor>("disruptor", (trips, batches), &gate),
        subject::<CrossbeamQueue>("crossbeam-queue", (trips, batches), &gate),
        subject::<CrossbeamChannel>("crossbeam-channel", (trips, batches), &gate),
        subject::<Channel>("std::sync::mpsc", (trips, batches), &gate),
    ];
    let cases = compare(&cases, options.effort.rounds(), subjects)?;
    let noted = |(place, case): (usize, Case)| {
        let said = if place < STREAMS_FROM {
            floor_said(&case, &gate)
        } else {
            rates_said(&case)
        };
        case.noted(&format!("{said}; {}", gate.note()))
    };
    Ok(cases.into_iter().enumerate().map(noted).collect())
}

/// Ours by the bare line.
fn floor_said(case: &Case, gate: &Gate) -> String {
    gate.floor().map_or("no floor".to_string(), |floor| {
        let ratio = case.ours.stats.median / floor;
        format!("ours by the bare line there and back: {ratio:.2}")
    })
}

/// What the medians make in a second.
fn rates_said(case: &Case) -> String {
    let all = std::iter::once(&case.ours).chain(&case.peers);
    let rates: Vec<String> = all
        .map(|figures| format!("{} {:.0}", figures.subject, 1_000.0 / figures.stats.median))
        .collect();
    format!("million messages a second: {}", rates.join(", "))
}

/// Turns of one link, each in the mode of the machine that the gate holds to.
fn subject<'a, L: Link + 'a>(
    name: &'static str,
    (trips, batches): (u64, u64),
    gate: &'a Gate,
) -> Subject<'a> {
    Subject::new(name, move || gate.run(|| turn::<L>(trips, batches)))
}

/// One turn of a link: round trips and one-way times of single messages, then streams of single
/// messages and of batches.
pub fn turn<L: Link>(trips: u64, batches: u64) -> Result<Vec<Samples>, BenchError> {
    let (there, back) = single::<L>(trips)?;
    let streams = [streamed::<L>(batches, 1)?, streamed::<L>(batches, BATCH)?];
    Ok([there, back].into_iter().chain(streams).collect())
}

fn send_all<L: Link>(
    stop: &Stop,
    to: &mut L::Sender,
    mut messages: &[Message],
) -> Result<(), BenchError> {
    stop.wait(|| {
        messages = &messages[L::send(to, messages)..];
        messages.is_empty().then_some(())
    })
}

/// One of the ways in which a link is read.
type Receive<R> = fn(&mut R, &mut dyn FnMut(&Message)) -> usize;

/// Takes messages from number `from` on, as many as one look gives, checked. Gives the number that
/// comes next and when the last one was sent.
fn receive_some<R>(
    stop: &Stop,
    (link, receive): (&mut R, Receive<R>),
    from: u64,
) -> Result<(u64, u64), BenchError> {
    let (mut next, mut sent, mut result) = (from, 0, Ok(()));
    let mut on = |message: &Message| {
        if result.is_ok() {
            result = message.check(next);
        }
        sent = message.sent;
        next += 1;
    };
    stop.wait(|| (receive(link, &mut on) > 0).then_some(()))?;
    result.map(|()| (next, sent))
}

fn picoseconds(clock: &Clock, from: u64, to: u64) -> u64 {
    clock.delta_as_nanos(from, to) * 1_000
}

/// Single messages there and back: times of the round trip and of the way there.
///
/// What a thread writes to lies on its own stack: handles of both sides in one frame would share
/// lines.
fn single<L: Link>(trips: u64) -> Result<(Samples, Samples), BenchError> {
    let (request, requests) = L::open(DEPTH)?;
    let (answer, answers) = L::open(DEPTH)?;
    let mut ways = Samples::new();
    let here = move |stop: &Stop| {
        let (clock, mut request, mut answers) = (Clock::new(), request, answers);
        let mut times = Samples::with_capacity(trips as usize);
        for number in 1..=trips {
            let start = clock.raw();
            send_all::<L>(stop, &mut request, &[Message::new(number, start)])?;
            receive_some(stop, (&mut answers, L::receive_single), number)?;
            times.push(picoseconds(&clock, start, clock.raw()));
        }
        Ok(times)
    };
    let there = |stop: &Stop| {
        let (clock, mut requests, mut answer) = (Clock::new(), requests, answer);
        let mut times = Samples::with_capacity(trips as usize);
        for number in 1..=trips {
            let (_, sent) = receive_some(stop, (&mut requests, L::receive_single), number)?;
            let now = clock.raw();
            send_all::<L>(stop, &mut answer, &[Message::new(number, sent)])?;
            times.push(picoseconds(&clock, sent, now));
        }
        ways = times;
        Ok(())
    };
    let times = pair(here, there)?;
    Ok((times, ways))
}

/// A stream of messages, so many sent at a time: the time of each group of 1,024 at the receiver,
/// per message.
fn streamed<L: Link>(batches: u64, size: usize) -> Result<Samples, BenchError> {
    const GROUP: u64 = 32 * BATCH as u64;
    let (sender, receiver) = L::open(DEPTH)?;
    let last = batches * BATCH as u64;
    let here = move |stop: &Stop| {
        let (clock, mut receiver) = (Clock::new(), receiver);
        let (mut times, mut next, mut since) = (Samples::new(), 1, (clock.raw(), 1));
        while next <= last {
            (next, _) = receive_some(stop, (&mut receiver, L::receive_stream), next)?;
            if next - since.1 >= GROUP || next > last {
                let now = clock.raw();
                times.push(picoseconds(&clock, since.0, now) / (next - since.1));
                since = (now, next);
            }
        }
        Ok(times)
    };
    let there = move |stop: &Stop| {
        let mut sender = sender;
        let mut messages = [Message::zeroed(); BATCH];
        for batch in 0..batches {
            for (index, message) in messages.iter_mut().enumerate() {
                *message = Message::new(batch * BATCH as u64 + index as u64 + 1, 0);
            }
            for messages in messages.chunks(size) {
                send_all::<L>(stop, &mut sender, messages)?;
            }
        }
        Ok(())
    };
    pair(here, there)
}
