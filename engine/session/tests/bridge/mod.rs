//! A venue, two bad cables and a subscriber, in simulated time: after every message the
//! subscriber's book must be the venue's.
#![allow(dead_code, reason = "each program uses a part")]
#![allow(clippy::unwrap_used, reason = "a test may fail")]

mod link;
mod venue;

pub use link::{Faults, Link, Random};
pub use venue::Venue;

use session::SECOND_NS;
use session::feed::{Fed, Lines, LinesConfig, Snapped, SnapshotClient, State, Want, Way};
use trading::Image;
use wire::ring::Side;

pub const START_NS: u64 = 1_700_000_000 * SECOND_NS;

/// Time between two commands.
pub const GAP_NS: u64 = 20_000;

/// Bytes of a snapshot that move in one turn.
const SNAPSHOT_TURN_BYTES: usize = 4_096;

pub struct Bridge {
    pub venue: Venue,
    pub links: [Link; 2],
    pub answers: Link,
    pub lines: Lines,
    /// The subscriber's book.
    pub image: Image,
    snapshot: Option<(SnapshotClient, Image)>,
    random: Random,
    pub is_server_up: bool,
    pub are_snapshots_up: bool,
    /// Whether the books are compared after each message; not where somebody lies.
    pub is_judged: bool,
    pub snapshots_taken: u64,
    /// Messages whose books were compared.
    pub judged: u64,
    /// Changes a packet on its way by a line.
    pub liar: Option<fn(usize, &mut [u8])>,
}

impl Bridge {
    pub fn new(seed: u64, faults: Faults, config: LinesConfig) -> Self {
        Self {
            venue: Venue::new(*b"2026112101", seed, START_NS),
            links: [1, 2].map(|line| Link::new(seed * 4 + line, faults)),
            answers: Link::new(seed * 4 + 3, faults),
            lines: Lines::new(config, START_NS),
            image: Image::new(),
            snapshot: None,
            random: Random::new(seed * 4 + 4),
            is_server_up: true,
            are_snapshots_up: true,
            is_judged: true,
            snapshots_taken: 0,
            judged: 0,
            liar: None,
        }
    }

    /// One command, and everything that follows by then.
    pub fn turn(&mut self) {
        self.venue.trade(GAP_NS);
        self.rest(0);
    }

    /// Everything but a command, `gap_ns` later.
    pub fn rest(&mut self, gap_ns: u64) {
        self.venue.now_ns += gap_ns;
        let now_ns = self.venue.now_ns;
        let flush = self.random.percent(25) || gap_ns > 0;
        let (links, liar) = (&mut self.links, self.liar);
        self.venue.transmit(flush, &mut |packet| {
            for (line, link) in links.iter_mut().enumerate() {
                let mut packet = packet.to_vec();
                if let Some(liar) = liar {
                    liar(line, &mut packet);
                }
                link.send(&packet, now_ns);
            }
        });
        for line in 0..2 {
            while let Some(packet) = self.links[line].receive(now_ns) {
                self.hear(Way::Line(line), &packet);
            }
        }
        while let Some(packet) = self.answers.receive(now_ns) {
            self.hear(Way::Answer, &packet);
        }
        match self.lines.poll(now_ns) {
            Want::Nothing => {}
            Want::Request(request) if self.is_server_up => {
                let answers = &mut self.answers;
                self.venue
                    .publisher
                    .request(&request, now_ns, &mut |packet| {
                        answers.send(packet, now_ns);
                        true
                    });
            }
            Want::Request(_) => {}
            Want::Snapshot if self.are_snapshots_up => self.snapshot_begin(),
            Want::Snapshot => self.lines.splice_not(now_ns),
        }
        self.snapshot_turn();
    }

    /// Goes on without commands until the subscriber is where the venue is.
    pub fn settle(&mut self) {
        for _ in 0..200_000 {
            self.rest(GAP_NS);
            let is_there = self.lines.sequence_next() == self.venue.next();
            if is_there && self.lines.state() == State::Live {
                return;
            }
        }
        panic!(
            "never came to {}: {:?}",
            self.venue.next(),
            self.lines.state()
        );
    }

    /// Compares all books, order by order in their priority, with the venue's and the engine's.
    pub fn compare(&self) {
        self.venue.compare_with_engine();
        let theirs = self.venue.image.books();
        assert_eq!(self.image.books().live_orders(), theirs.live_orders());
        for (locate, book) in theirs.books() {
            let ours = self.image.books().book(locate);
            for side in [Side::Buy, Side::Sell] {
                let ours: Vec<_> = ours.into_iter().flat_map(|it| it.orders(side)).collect();
                let theirs: Vec<_> = book.orders(side).collect();
                assert!(ours == theirs, "books of {locate}");
            }
        }
        let wrong = self.image.books().counts().wrong;
        assert_eq!(wrong, 0);
    }

    fn hear(&mut self, way: Way, packet: &[u8]) {
        let Self {
            lines,
            image,
            venue,
            judged,
            is_judged,
            ..
        } = self;
        lines.packet(way, packet, venue.now_ns, &mut |fed| {
            take(fed, image, venue, *is_judged, judged);
        });
    }

    fn snapshot_begin(&mut self) {
        let mut client = SnapshotClient::new("ANY", "");
        client.connected(self.venue.now_ns);
        assert!(self.venue.snapshots.opened(0, self.venue.now_ns));
        self.snapshot = Some((client, Image::new()));
    }

    fn snapshot_turn(&mut self) {
        let Some((mut client, mut image)) = self.snapshot.take() else {
            return;
        };
        let now_ns = self.venue.now_ns;
        let mut asked = Vec::new();
        client.transmit(now_ns, &mut |bytes| {
            asked.extend_from_slice(bytes);
            bytes.len()
        });
        self.venue.snapshots.received(0, &asked, now_ns);
        self.venue.snapshot_turn();
        let mut came = Vec::new();
        let mut send = |_: usize, bytes: &[u8]| {
            let bytes = &bytes[..bytes.len().min(SNAPSHOT_TURN_BYTES)];
            came.extend_from_slice(bytes);
            bytes.len()
        };
        self.venue
            .snapshots
            .transmit(now_ns, &mut send, &mut |_| ());
        let mut end = None;
        client.received(&came, now_ns, &mut |snapped| match snapped {
            Snapped::Begin => {}
            Snapped::Message(message) => {
                image.apply(message).unwrap();
            }
            Snapped::End { session, next } => end = Some((session, next)),
        });
        let Some((session, next)) = end else {
            self.snapshot = Some((client, image));
            return;
        };
        self.image = image;
        self.snapshots_taken += 1;
        let Self {
            lines,
            image,
            venue,
            judged,
            is_judged,
            ..
        } = self;
        assert_eq!(image.books().digest(), venue.digest(next - 1));
        let is_taken = lines.splice(session, next, now_ns, &mut |fed| {
            take(fed, image, venue, *is_judged, judged);
        });
        assert!(is_taken);
    }
}

/// Applies what the receiver hands on, and compares the book then with the venue's at that message.
fn take(fed: Fed<'_>, image: &mut Image, venue: &Venue, is_judged: bool, judged: &mut u64) {
    match fed {
        Fed::Begin(_) => *image = Image::new(),
        Fed::Message(sequence, message) => {
            let applied = image.apply(message);
            if is_judged {
                applied.unwrap();
                let digest = image.books().digest();
                assert_eq!(digest, venue.digest(sequence), "behind message {sequence}");
                *judged += 1;
            }
        }
    }
}
