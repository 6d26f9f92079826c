//! Who publishes, answers requests and gives snapshots, to whomever asks whatever at any time.
//!
//! Events are any bytes. A packet holds what was published under its numbers and nothing else,
//! whether it was sent by itself or asked for; whoever is not listed gets nothing, and a network no
//! more bytes than its bucket holds. What a snapshot's connection gets is a snapshot from its first
//! byte on, or a refusal; a client that takes it in any pieces has it whole.
#![no_main]

use bytemuck::Zeroable;
use libfuzzer_sys::fuzz_target;
use session::Network;
use session::feed::{
    Admission, Answer, Guard, HISTORY_MIN, Publisher, PublisherConfig, Snapped, Snapshot,
    SnapshotClient, SnapshotServer,
};
use session_fuzz::{START_NS, Script};
use std::net::Ipv4Addr;
use wire::mold::{Packet, Request};
use wire::ring::{Event, EventKind};

const SESSION: [u8; 10] = *b"DAY1      ";

/// Bytes of answers that each network gets in a second.
const BYTES_PER_SECOND: u64 = 10_000;

/// Places of the snapshot server.
const PLACES: usize = 3;

/// An event whose fields are any, of a kind and a symbol that are often known.
fn event(script: &mut Script<'_>) -> Event {
    let mut event = Event::zeroed();
    let bytes = script.bytes();
    let into = bytemuck::bytes_of_mut(&mut event);
    let length = bytes.len().min(into.len());
    into[..length].copy_from_slice(&bytes[..length]);
    if script.is() {
        event.kind = script.byte() % 32;
        event.symbol = u16::from(script.byte() % 6);
    }
    event
}

struct Feed {
    publisher: Publisher,
    guard: Guard,
    now_ns: u64,
    /// All messages, by number from 1.
    published: Vec<Vec<u8>>,
    /// Bytes that each network got.
    given: [u64; 2],
}

/// Compares a packet with what was published, of which it may be the continuation.
fn check(published: &mut Vec<Vec<u8>>, bytes: &[u8]) -> u16 {
    let packet = Packet::parse(bytes).expect("a packet");
    assert_eq!(packet.session(), SESSION);
    for (sequence, message) in packet.blocks() {
        let place = sequence as usize - 1;
        assert!(place <= published.len(), "message {sequence} is ahead");
        if place == published.len() {
            published.push(message.to_vec());
        }
        assert_eq!(
            published[place], message,
            "message {sequence} became another one"
        );
    }
    packet.message_count()
}

impl Feed {
    fn new(script: &mut Script<'_>) -> Self {
        let config = PublisherConfig {
            session: SESSION,
            payload_bytes_max: 72 + 5 * usize::from(script.byte()),
            symbols: 4,
            history_messages: HISTORY_MIN,
            history_bytes: HISTORY_MIN,
            requests_per_second: 1 + u32::from(script.byte()),
            ..PublisherConfig::default()
        };
        let networks =
            ["10.0.0.0/8", "192.0.2.7"].map(|text| text.parse::<Network>().expect("one"));
        Self {
            publisher: Publisher::new(config).expect("sizes within their limits"),
            guard: Guard::new(&networks, BYTES_PER_SECOND),
            now_ns: START_NS,
            published: Vec::new(),
            given: [0; 2],
        }
    }

    fn publish(&mut self, script: &mut Script<'_>) {
        let event = event(script);
        for _ in 0..=script.byte() {
            if self.publisher.on_event(&event, self.now_ns).is_err() {
                assert!(self.publisher.unsent() > 0);
                self.transmit(true, usize::MAX);
                let told = self.publisher.on_event(&event, self.now_ns);
                assert!(told.is_ok(), "there is room when all is sent");
            }
        }
    }

    fn transmit(&mut self, is_flushed: bool, mut packets: usize) {
        let published = &mut self.published;
        let before = published.len();
        self.publisher
            .transmit(self.now_ns, is_flushed, &mut |bytes| {
                if packets > 0 {
                    check(published, bytes);
                }
                packets = packets.saturating_sub(1);
                packets > 0
            });
        // A packet that was not taken comes again.
        let unsent = self.publisher.unsent() as usize;
        let total = self.publisher.sequence_next() as usize - 1;
        assert!(before <= published.len() && total - unsent <= published.len());
    }

    fn request(&mut self, script: &mut Script<'_>) {
        let mut bytes = script.bytes().to_vec();
        if script.is() {
            let asked = Request {
                session: SESSION,
                sequence: match script.byte() {
                    0 => script.number::<8>(),
                    _ => script.number::<2>(),
                },
                count: script.number::<2>() as u16,
            };
            bytes = vec![0; 20];
            asked.encode(&mut bytes).expect("room");
        }
        let (network, from) = match script.byte() % 3 {
            0 => (0, Ipv4Addr::new(10, script.byte(), 0, 1)),
            1 => (1, Ipv4Addr::new(192, 0, 2, 7)),
            _ => (2, Ipv4Addr::new(192, 0, 2, script.byte() | 8)),
        };
        let admission = self.guard.admits(from, self.now_ns);
        let Admission::Admitted(place) = admission else {
            assert!(network == 2 || admission == Admission::Spent);
            return;
        };
        assert_eq!(place, network);
        let is_taken = script.byte() > 9;
        let (published, guard) = (&mut self.published, &mut self.guard);
        let (now_ns, given) = (self.now_ns, &mut self.given[place]);
        let mut sent = None;
        let answer = self.publisher.request(&bytes, now_ns, &mut |packet| {
            assert!(sent.is_none(), "at most one packet");
            let count = check(published, packet);
            let first = Packet::parse(packet).expect("a packet").sequence();
            sent = Some((first, count));
            guard.charge(place, packet.len(), now_ns);
            *given += packet.len() as u64;
            is_taken
        });
        match answer {
            Answer::Sent(count) => {
                let asked = Request::parse(&bytes).expect("it was understood");
                assert_eq!(sent, Some((asked.sequence, count)));
                assert!(is_taken && (1..=asked.count).contains(&count));
            }
            Answer::NotTaken => assert!(sent.is_some() && !is_taken),
            _ => assert!(sent.is_none()),
        }
        let most = self.guard.bytes_max(self.now_ns - START_NS);
        assert!(self.given[place] <= most, "more than its bucket");
    }
}

/// What a connection to the snapshot server got so far.
#[derive(Default)]
struct Taken {
    bytes: Vec<u8>,
    is_open: bool,
}

struct Snapshots {
    server: SnapshotServer,
    taken: [Taken; PLACES],
    /// A client that means it, at the last place.
    client: SnapshotClient,
    /// Messages of each snapshot, by the number that it stands before.
    made: u64,
    messages: Vec<Vec<u8>>,
    is_whole: bool,
}

/// The messages of the snapshot of a number.
fn content(number: u64) -> impl Iterator<Item = Vec<u8>> {
    (0..number % 60).map(move |at| vec![b'a' + (number % 7) as u8; 9 + at as usize % 30])
}

fn snapshot(number: u64, now_ns: u64) -> Snapshot {
    let made = Snapshot::new(SESSION, now_ns, |on| {
        content(number).for_each(|message| on(&message));
        let mut end = *b"G                    ";
        let digits = number.to_string();
        end[21 - digits.len()..].copy_from_slice(digits.as_bytes());
        on(&end);
        Ok(())
    });
    made.expect("short messages")
}

impl Snapshots {
    fn new(script: &mut Script<'_>) -> Self {
        Self {
            server: SnapshotServer::new(PLACES, script.stretch_ns()),
            taken: Default::default(),
            client: SnapshotClient::new("ANY", ""),
            made: 0,
            messages: Vec::new(),
            is_whole: false,
        }
    }

    fn open(&mut self, place: usize, now_ns: u64) {
        assert!(self.server.opened(place, now_ns));
        self.taken[place] = Taken {
            bytes: Vec::new(),
            is_open: true,
        };
        if place == PLACES - 1 {
            self.client.connected(now_ns);
            self.messages.clear();
            self.is_whole = false;
        }
    }

    fn say(&mut self, script: &mut Script<'_>, now_ns: u64) {
        let place = script.below(PLACES);
        if place < PLACES - 1 {
            self.server.received(place, script.bytes(), now_ns);
            return;
        }
        let most = script.below(64);
        let server = &mut self.server;
        self.client.transmit(now_ns, &mut |bytes| {
            let bytes = &bytes[..bytes.len().min(most)];
            server.received(place, bytes, now_ns);
            bytes.len()
        });
    }

    fn serve(&mut self, now_ns: u64) {
        if self.server.wants(now_ns) {
            self.made += 1;
            self.server.made(snapshot(self.made, now_ns));
        }
        self.server.serve();
        assert!(!self.server.is_asked());
    }

    fn transmit(&mut self, script: &mut Script<'_>, now_ns: u64) {
        let (taken, room) = (&mut self.taken, usize::from(script.byte()) * 8);
        let mut came = Vec::new();
        let (server, mut over) = (&mut self.server, [false; PLACES]);
        let mut send = |place: usize, bytes: &[u8]| {
            let bytes = &bytes[..bytes.len().min(room)];
            assert!(taken[place].is_open);
            taken[place].bytes.extend_from_slice(bytes);
            if place == PLACES - 1 {
                came.extend_from_slice(bytes);
            }
            bytes.len()
        };
        server.transmit(now_ns, &mut send, &mut |place| over[place] = true);
        for (one, is_over) in taken.iter_mut().zip(over) {
            one.is_open &= !is_over;
        }
        let (messages, is_whole, made) = (&mut self.messages, &mut self.is_whole, self.made);
        self.client
            .received(&came, now_ns, &mut |snapped| match snapped {
                Snapped::Begin => assert!(messages.is_empty()),
                Snapped::Message(message) => messages.push(message.to_vec()),
                Snapped::End { session, next } => {
                    assert_eq!((session, *is_whole), (SESSION, false));
                    assert!(next <= made && content(next).eq(messages.drain(..)));
                    *is_whole = true;
                }
            });
    }

    /// Whoever is served gets some snapshot from its first byte on, or a refusal.
    fn check(&self) {
        let refusal = [0, 2, b'J', b'S'];
        for one in &self.taken {
            let all = (1..=self.made).any(|it| snapshot(it, 0).bytes().starts_with(&one.bytes));
            assert!(one.bytes.is_empty() || all || refusal.starts_with(&one.bytes));
        }
    }
}

fuzz_target!(|bytes: &[u8]| {
    let mut script = Script::new(bytes);
    let mut feed = Feed::new(&mut script);
    let mut snapshots = Snapshots::new(&mut script);
    let symbol = Event {
        kind: EventKind::SymbolDefined as u8,
        symbol: 1,
        ..Event::zeroed()
    };
    feed.publisher.on_event(&symbol, START_NS).expect("room");
    while !script.is_over() {
        let now_ns = feed.now_ns;
        match script.byte() % 10 {
            0 => feed.now_ns = feed.now_ns.saturating_add(script.stretch_ns()),
            1 => feed.publish(&mut script),
            2 => feed.transmit(script.is(), script.below(8)),
            3 | 4 => feed.request(&mut script),
            5 => snapshots.open(script.below(PLACES), now_ns),
            6 => snapshots.say(&mut script, now_ns),
            7 => snapshots.serve(now_ns),
            8 => snapshots.transmit(&mut script, now_ns),
            _ => match script.byte() {
                0..9 => feed.publisher.end(now_ns),
                9..40 => snapshots.server.closed(script.below(PLACES + 1)),
                _ => snapshots.server.forget(now_ns),
            },
        }
    }
    feed.transmit(true, usize::MAX);
    assert_eq!(
        feed.published.len() as u64 + 1,
        feed.publisher.sequence_next()
    );
    snapshots.check();
});
