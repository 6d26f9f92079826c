//! A run: the venue's lives one after another, and what must be true at the end.

use appliance::client::subscriber::Subscriber;
use appliance::topology::Topology;
use flow::{Generator, Shape};
use journal::simulated::Disk;
use nic::Clock as _;

use crate::clock::SimClock;
use crate::digest::Digest;
use crate::life::live;
use crate::member::Member;
use crate::net::{SimUdp, Wires};
use crate::oracle::Oracle;
use crate::plan::Plan;
use crate::random::Random;
use crate::wiring;
use crate::words::Answer;

/// The day begins in the middle of a UTC day, so that none of its times wraps.
pub(crate) const START_NS: u64 = 1_769_688_000_000_000_000;

/// What a run did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Report {
    /// One number for all bytes: journal, replies, books.
    pub digest: u64,
    /// Lives of the venue.
    pub lives: u64,
    /// Lives that a failing disk ended.
    pub disk_failures: u64,
    /// Restarts that cut a torn tail.
    pub torn: u64,
    /// Times that members found the disk full.
    pub disk_full: u64,
    /// Commands that were sent.
    pub sent: u64,
    /// Commands that are in the journal.
    pub journaled: u64,
    /// Orders in the journal that asked for more than plain orders do.
    pub special: u64,
    /// Units that auctions traded.
    pub crossed: u64,
    /// Words of the operator that were answered.
    pub words: u64,
    /// Replies that were heard.
    pub replies: u64,
    /// Logins that were accepted.
    pub logins: u64,
    /// Connections that broke while the venue lived.
    pub broken: u64,
    /// Datagrams that were lost.
    pub dropped: u64,
    /// Gaps in the feed that were filled.
    pub gaps: u64,
}

/// Everything that outlives the venue's process.
pub(crate) struct World {
    pub topology: Topology,
    pub random: Random,
    pub clock: SimClock,
    pub wires: Wires,
    pub disk: Disk,
    pub generator: Generator,
    pub members: Vec<Member>,
    pub subscriber: Subscriber<SimUdp>,
    /// What the operator was told of inputs that are on disk.
    pub answers: Vec<Answer>,
    pub word_in_million: u32,
    pub wishes_in_million: u32,
    pub report: Report,
}

impl World {
    fn new(plan: &Plan) -> Result<Self, String> {
        let mut random = Random::new(plan.seed);
        let wires = Wires::new(random.next_u64(), START_NS);
        let shape = Shape {
            seed: random.next_u64(),
            symbols: plan.symbols,
            sessions: plan.members,
            standing: plan.standing,
            gap_mean_ns: 1_000,
            ..Shape::default()
        };
        let generator = Generator::new(&shape).map_err(|error| error.to_string())?;
        let failed = |error: std::io::Error| error.to_string();
        let members: Result<Vec<_>, _> = (1..=plan.members)
            .map(|session| Member::new(&wires, session))
            .collect();
        Ok(Self {
            topology: wiring::topology(plan)?,
            clock: SimClock::new(START_NS),
            disk: Disk::new(random.next_u64()),
            generator,
            members: members.map_err(failed)?,
            subscriber: wiring::subscriber(&wires).map_err(failed)?,
            wires,
            random,
            answers: Vec::new(),
            word_in_million: plan.word_in_million,
            wishes_in_million: plan.wishes_in_million,
            report: Report::default(),
        })
    }

    /// Moves time on for everyone.
    pub fn advance(&mut self, by_ns: u64) -> u64 {
        self.clock.advance(by_ns);
        let now_ns = self.clock.now_ns();
        self.wires.set_now(now_ns);
        now_ns
    }

    /// Compares all that was heard with the journal; with `is_all` nothing may be missing.
    pub fn check(&self, oracle: &Oracle, is_all: bool) -> Result<(), String> {
        for (member, session) in self.members.iter().zip(1..) {
            oracle.check_replies(session, &member.replies, is_all)?;
            oracle.check_sent(session, &member.sent)?;
        }
        self.answers
            .iter()
            .try_for_each(|it| oracle.check_answer(it))?;
        let counts = self.subscriber.books().counts();
        if counts.wrong + counts.unknown_orders + self.subscriber.unreadable() > 0 {
            return Err(format!("the feed says what cannot be: {counts:?}"));
        }
        if is_all {
            oracle.check_feed(self.subscriber.books())
        } else {
            Ok(())
        }
    }

    fn finish(mut self) -> Result<Report, String> {
        let oracle = Oracle::read(&self.disk, self.members.len() as u16)?;
        self.check(&oracle, true)?;
        let mut digest = Digest::new();
        let segments = (1..).map_while(|number| self.disk.bytes(number));
        segments.for_each(|bytes| digest.add(&bytes));
        for member in &self.members {
            member.replies.iter().for_each(|reply| digest.add(reply));
            self.report.sent += member.sent.len() as u64;
            self.report.replies += member.replies.len() as u64;
            self.report.logins += member.logins;
        }
        digest.add(&self.subscriber.sequence_next().to_le_bytes());
        digest.add(format!("{:?}", self.subscriber.books()).as_bytes());
        self.report.digest = digest.value();
        self.report.journaled = oracle.commands();
        self.report.special = oracle.special();
        self.report.crossed = oracle.crossed;
        self.report.words = self.answers.len() as u64;
        self.report.broken = self.wires.counts().broken;
        self.report.dropped = self.wires.counts().dropped;
        self.report.gaps = self.subscriber.counters().gaps;
        Ok(self.report)
    }
}

/// Lives through a plan.
///
/// # Errors
/// The promise that was broken, with the seed.
pub fn run(plan: &Plan) -> Result<Report, String> {
    let with_seed = |error: String| format!("seed {}: {error}", plan.seed);
    let mut world = World::new(plan).map_err(with_seed)?;
    for (life, number) in plan.lives.iter().zip(1..) {
        world.report.lives = number;
        live(&mut world, life)
            .map_err(|error| with_seed(format!("life {number}, {:?}: {error}", life.end)))?;
    }
    world.finish().map_err(with_seed)
}
