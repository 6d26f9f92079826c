//! A venue that trades, publishes, answers requests and gives snapshots, and remembers what its
//! book was after every message.

use std::collections::VecDeque;

use flow::{Generator, Naive, Sequencer, Shape};
use session::feed::{Publisher, PublisherConfig, Snapshot, SnapshotServer};
use trading::Image;
use wire::mold::Packet;
use wire::ring::{Command, Side};

/// Messages whose books are remembered.
const DIGESTS: usize = 1 << 20;

pub struct Venue {
    generator: Generator,
    opening: VecDeque<Command>,
    sequencer: Sequencer,
    naive: Naive,
    pub publisher: Publisher,
    /// The book as its own messages say it.
    pub image: Image,
    digests: VecDeque<u64>,
    /// Number of the message whose digest stands first.
    digests_first: u64,
    pub now_ns: u64,
    pub snapshots: SnapshotServer,
}

impl Venue {
    pub fn new(session: [u8; 10], seed: u64, start_ns: u64) -> Self {
        let shape = Shape {
            seed,
            ..Shape::default()
        };
        let generator = Generator::new(&shape).unwrap();
        let config = PublisherConfig {
            session,
            requests_per_second: u32::MAX,
            heartbeat_ns: 250_000_000,
            ..PublisherConfig::default()
        };
        Self {
            opening: generator.opening().collect(),
            generator,
            sequencer: Sequencer::new(start_ns),
            naive: Naive::new(),
            publisher: Publisher::new(config).unwrap(),
            image: Image::new(),
            digests: VecDeque::new(),
            digests_first: 1,
            now_ns: start_ns,
            snapshots: SnapshotServer::new(4, 0),
        }
    }

    /// One command, `gap_ns` later.
    pub fn trade(&mut self, gap_ns: u64) {
        self.now_ns += gap_ns;
        let command = match self.opening.pop_front() {
            Some(command) => command,
            None => self.generator.next_item().command,
        };
        let input = self.sequencer.number(gap_ns, command);
        for event in self.naive.apply(&input) {
            self.generator.on_event(&event);
            self.publisher.on_event(&event, input.time_ns).unwrap();
        }
    }

    /// Hands out the packets that are to be sent.
    pub fn transmit(&mut self, flush: bool, on: &mut dyn FnMut(&[u8])) {
        let Self {
            publisher,
            image,
            digests,
            digests_first,
            now_ns,
            ..
        } = self;
        publisher.transmit(*now_ns, flush, &mut |bytes| {
            let packet = Packet::parse(bytes).unwrap();
            for (sequence, message) in packet.blocks() {
                image.apply(message).unwrap();
                assert_eq!(sequence, *digests_first + digests.len() as u64);
                digests.push_back(image.books().digest());
                if digests.len() > DIGESTS {
                    digests.pop_front();
                    *digests_first += 1;
                }
            }
            on(bytes);
            true
        });
    }

    /// What the book's digest was behind a message.
    pub fn digest(&self, sequence: u64) -> u64 {
        let index = sequence.checked_sub(self.digests_first).unwrap();
        self.digests[index as usize]
    }

    /// Number of the next message.
    pub fn next(&self) -> u64 {
        self.digests_first + self.digests.len() as u64
    }

    /// Makes a snapshot for those who ask.
    pub fn snapshot_turn(&mut self) {
        if self.snapshots.wants(self.now_ns) {
            let session = self.publisher.config().session;
            let next = self.next();
            let fill = |on: &mut dyn FnMut(&[u8])| self.image.snapshot(next, on);
            self.snapshots
                .made(Snapshot::new(session, self.now_ns, fill).unwrap());
        }
        self.snapshots.serve();
    }

    /// Compares the book of the feed with that of the engine, order by order, in their priority.
    pub fn compare_with_engine(&self) {
        for symbol in self.naive.symbols() {
            for side in [Side::Buy, Side::Sell] {
                let engine = self.naive.orders(symbol, side);
                let engine: Vec<_> = engine.map(|it| (it.order_ref, it.price, it.open)).collect();
                let book = self.image.books().book(symbol).into_iter();
                let feed: Vec<_> = book
                    .flat_map(|book| book.orders(side))
                    .map(|it| (it.order_ref, it.price, it.quantity))
                    .collect();
                assert!(feed == engine, "books of {symbol}");
            }
        }
    }
}
