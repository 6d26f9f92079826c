//! A run: the venue's lives one after another, and what must be true at the end.

use std::io;

use appliance::client::depth::DepthSubscriber;
use appliance::client::subscriber::Subscriber;
use appliance::topology::Topology;
use appliance::venue::engine_limits;
use flow::{Generator, Shape};
use journal::simulated::Disk;
use matching::Line;
use nic::Clock as _;

use crate::caller::Caller;
use crate::clock::SimClock;
use crate::coverage::{Coverage, Fault};
use crate::digest::Digest;
use crate::gateway;
use crate::levels::{Stands, stands_of};
use crate::life::{live, rebuilt};
use crate::market::{Told, told_of};
use crate::member::Member;
use crate::net::{SimUdp, Wires};
use crate::oracle::Oracle;
use crate::plan::Plan;
use crate::random::Random;
use crate::receiver::Receiver;
use crate::wiring::{self, WATCHER};
use crate::words::Answer;
use crate::wound::Wounds;

/// Lives of the venue before which somebody else comes who receives two lines, in a million.
const JOINS_IN_MILLION: u32 = 400_000;

/// The day begins in the middle of a UTC day, so that none of its times wraps.
pub(crate) const START_NS: u64 = 1_769_688_000_000_000_000;

/// What a run did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Report {
    /// One number for all bytes: journal, replies, feed, books.
    pub digest: u64,
    /// Lives of the venue.
    pub lives: u64,
    /// Lives that a failing disk ended.
    pub disk_failures: u64,
    /// Restarts that cut a torn tail.
    pub torn: u64,
    /// Inputs that snapshots stood for when the venue started again.
    pub skipped: u64,
    /// Commands that were sent.
    pub sent: u64,
    /// Commands that are in the journal.
    pub journaled: u64,
    /// Orders in the journal that asked for more than plain orders do.
    pub special: u64,
    /// Orders in the journal of an account that is not the member's first.
    pub mandated: u64,
    /// Times that a member took many orders off.
    pub masses: u64,
    /// Orders that came again and were answered as before.
    pub repeats: u64,
    /// Orders that were refused because the disk was full.
    pub refused_for_room: u64,
    /// Times at which a member's orders left because it was gone.
    pub left: u64,
    /// Units that auctions traded.
    pub crossed: u64,
    /// Words of the operator that were answered.
    pub words: u64,
    /// Replies that were heard.
    pub replies: u64,
    /// Drop copies that were heard.
    pub copies: u64,
    /// Messages of the feed that were heard.
    pub messages: u64,
    /// Messages of the depth that were heard.
    pub levels: u64,
    /// Segments that were compressed.
    pub archived: u64,
    /// Segments that were let go of.
    pub retired: u64,
    /// Starts from a snapshot before one that was damaged.
    pub fallbacks: u64,
    /// Shadows that stopped because a flush failed.
    pub shadows_failed: u64,
    /// Logins that were accepted.
    pub logins: u64,
    /// Gaps in the feed that were filled.
    pub gaps: u64,
    /// Snapshots of the feed that were taken.
    pub spliced: u64,
    /// Times at which a book by two lines was compared.
    pub compared: u64,
    /// Damaged journals that were refused.
    pub refused: u64,
    /// What went wrong.
    pub faults: Coverage,
}

impl Report {
    /// Adds another run's figures; digests are mixed.
    pub fn add(&mut self, other: &Self) {
        self.digest = self.digest.rotate_left(1) ^ other.digest;
        self.lives += other.lives;
        self.disk_failures += other.disk_failures;
        self.torn += other.torn;
        self.skipped += other.skipped;
        self.sent += other.sent;
        self.journaled += other.journaled;
        self.special += other.special;
        self.mandated += other.mandated;
        self.masses += other.masses;
        self.repeats += other.repeats;
        self.refused_for_room += other.refused_for_room;
        self.left += other.left;
        self.crossed += other.crossed;
        self.words += other.words;
        self.replies += other.replies;
        self.copies += other.copies;
        self.messages += other.messages;
        self.levels += other.levels;
        self.archived += other.archived;
        self.retired += other.retired;
        self.fallbacks += other.fallbacks;
        self.shadows_failed += other.shadows_failed;
        self.logins += other.logins;
        self.gaps += other.gaps;
        self.spliced += other.spliced;
        self.compared += other.compared;
        self.refused += other.refused;
        self.faults.add(&other.faults);
    }
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
    /// Who reads drop copies.
    pub watcher: Option<Caller>,
    pub subscriber: Subscriber<SimUdp>,
    /// The feed as it was heard, from its first message on.
    pub feed: Vec<Told>,
    /// Who receives the depth, and what was heard of it.
    pub depth: Option<DepthSubscriber<SimUdp>>,
    pub levels: Vec<Stands>,
    /// Who receives the feed by two lines.
    pub receiver: Option<Receiver>,
    /// Messages in each of the rings of the first member, if it comes by them.
    ring_depth: Option<usize>,
    /// What was damaged of snapshots and streams.
    pub wounds: Wounds,
    /// A message of the feed that nothing calls for.
    pub feed_error: Option<String>,
    pub oracle: Oracle,
    /// What the operator was told of inputs that are on disk.
    pub answers: Vec<Answer>,
    /// Answers that were compared.
    pub answers_checked: usize,
    /// Number of the last input and hash of the state where the venue stopped cleanly.
    pub stopped: Option<(u64, u64)>,
    /// Number of the feed's next message where it was said last that the session is over.
    pub ended_at: Option<u64>,
    /// Memory of the engine, between two lives.
    pub lines: Vec<Line>,
    /// Memory of the shadow's, if there is one.
    pub shadow_lines: Vec<Line>,
    pub has_accounts: bool,
    pub word_in_million: u32,
    pub wishes_in_million: u32,
    pub masses_in_million: u32,
    pub repeats_in_million: u32,
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
        let failed = |error: io::Error| error.to_string();
        let members: Result<Vec<_>, _> = (1..=plan.members)
            .map(|session| match plan.gateway {
                Some(depth) if session == 1 => Ok(Member::behind(session, depth / 2)),
                _ => Member::new(&wires, session),
            })
            .collect();
        let depth = plan.has_depth.then(|| wiring::depth_subscriber(&wires));
        let watcher = plan.is_watched.then(|| Caller::new(&wires, WATCHER));
        let topology = wiring::topology(plan)?;
        let receiver = plan
            .has_lines
            .then(|| Receiver::open((&wires, &mut random), None, START_NS));
        Ok(Self {
            lines: vec![Line::ZERO; engine_limits(&topology).lines()],
            shadow_lines: match topology.shadow {
                Some(_) => vec![Line::ZERO; engine_limits(&topology).lines()],
                None => Vec::new(),
            },
            oracle: Oracle::new(plan.members, wiring::watched(&topology), plan.has_depth),
            topology,
            clock: SimClock::new(START_NS),
            disk: Disk::new(random.next_u64()),
            generator,
            members: members.map_err(failed)?,
            watcher: watcher.transpose().map_err(failed)?,
            subscriber: wiring::subscriber(&wires).map_err(failed)?,
            feed: Vec::new(),
            depth: depth.transpose().map_err(failed)?,
            levels: Vec::new(),
            receiver: receiver.transpose().map_err(failed)?,
            ring_depth: plan.gateway,
            wounds: Wounds::default(),
            feed_error: None,
            wires,
            random,
            answers: Vec::new(),
            answers_checked: 0,
            stopped: None,
            ended_at: None,
            has_accounts: plan.has_accounts,
            word_in_million: plan.word_in_million,
            wishes_in_million: plan.wishes_in_million,
            masses_in_million: plan.masses_in_million,
            repeats_in_million: plan.repeats_in_million,
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

    /// The feed's receiver gets a turn; whether anything came.
    pub fn subscriber_poll(&mut self, now_ns: u64) -> bool {
        let Self {
            subscriber,
            feed,
            feed_error,
            ..
        } = self;
        let packets = subscriber.poll(now_ns, &mut |_, message, _| match told_of(message) {
            Ok(told) => feed.push(told),
            Err(error) => *feed_error = Some(error),
        });
        packets > 0
    }

    /// The depth's receiver gets a turn; whether anything came.
    pub fn depth_poll(&mut self, now_ns: u64) -> bool {
        let Self { depth, levels, .. } = self;
        depth.as_mut().is_some_and(|depth| {
            depth.poll_each(now_ns, &mut |message| levels.push(stands_of(message))) > 0
        })
    }

    /// Who receives two lines gets a turn; whether anything came.
    pub fn receiver_poll(&mut self, now_ns: u64) -> Result<bool, String> {
        match &mut self.receiver {
            Some(receiver) => receiver.turn(now_ns, &self.subscriber),
            None => Ok(false),
        }
    }

    /// Somebody else may come in the place of who receives two lines, and knows nothing.
    pub fn replace_receiver(&mut self) -> io::Result<()> {
        let Some(before) = self.receiver.take() else {
            return Ok(());
        };
        self.receiver = Some(match self.random.chance(JOINS_IN_MILLION) {
            true => Receiver::open(
                (&self.wires, &mut self.random),
                Some(before),
                self.clock.now_ns(),
            )?,
            false => before,
        });
        Ok(())
    }

    /// Whether the first member comes by rings.
    pub fn has_rings(&self) -> bool {
        self.ring_depth.is_some()
    }

    /// The rings of a venue that starts, if the first member comes by them; it gets them, too.
    pub fn rings(&mut self) -> io::Result<Option<door::Rings>> {
        let Some(depth) = self.ring_depth else {
            return Ok(None);
        };
        let rings = gateway::rings(depth)?;
        self.members[0].caller.way.hand(&rings);
        Ok(Some(rings))
    }

    /// Compares all that was heard with the journal; with `is_all` nothing may be missing.
    pub fn check(&mut self, is_all: bool) -> Result<(), String> {
        let Self {
            oracle, members, ..
        } = self;
        for (member, session) in members.iter().zip(1..) {
            oracle.check_replies(session, &member.caller.heard, is_all)?;
            if is_all {
                oracle.check_sent(session, &member.sent)?;
            }
        }
        if let Some(watcher) = &self.watcher {
            oracle.check_copies(&watcher.heard, is_all)?;
        }
        let mut unchecked = self.answers.iter().skip(self.answers_checked);
        unchecked.try_for_each(|it| oracle.check_answer(it))?;
        self.answers_checked = self.answers.len();
        if let Some(error) = &self.feed_error {
            return Err(error.clone());
        }
        let counts = self.subscriber.books().counts();
        if counts.wrong + counts.unknown_orders + self.subscriber.unreadable() > 0 {
            return Err(format!("the feed says what cannot be: {counts:?}"));
        }
        oracle.check_market(&self.feed, is_all)?;
        if let Some(wrong) = self
            .depth
            .as_ref()
            .map(|it| it.wrong())
            .filter(|it| *it > 0)
        {
            return Err(format!("{wrong} messages of the depth say nothing new"));
        }
        oracle.check_depth(&self.levels, is_all)?;
        if !is_all {
            return Ok(());
        }
        oracle.check_feed(self.subscriber.books())?;
        let books = self.subscriber.books();
        self.receiver
            .as_mut()
            .map_or(Ok(()), |it| it.compare(books))
    }

    fn finish(mut self) -> Result<Report, String> {
        rebuilt(&mut self)?;
        self.oracle.follow(&self.disk)?;
        self.check(true)?;
        let again = self.oracle.came_again();
        // Where nobody writes streams any more, a reply that gave way cannot be had.
        if again > 0 && self.report.shadows_failed == 0 {
            return Err(format!(
                "{again} orders that were answered went into the journal again"
            ));
        }
        let mut digest = Digest::new();
        let disk = self.disk.whole();
        let segments = (1..).map_while(|number| disk.bytes(number));
        segments.for_each(|bytes| digest.add(&bytes));
        let report = &mut self.report;
        for member in &self.members {
            let heard = &member.caller.heard;
            heard.iter().for_each(|reply| digest.add(reply));
            report.sent += member.sent.len() as u64;
            report.replies += heard.len() as u64;
            report.logins += member.caller.logins;
            report.repeats += member.check_repeats()?;
            report.faults.note(Fault::Resent, member.resent);
            let rings = member.caller.way.counts();
            report.faults.note(Fault::GatewayDied, rings.deaths);
            report.faults.note(Fault::RingFull, rings.full);
        }
        digest.add(&self.subscriber.sequence_next().to_le_bytes());
        report.digest = digest.value();
        report.journaled = self.oracle.commands();
        report.special = self.oracle.special();
        report.mandated = self.oracle.mandated();
        report.masses = self.oracle.masses();
        report.refused_for_room = self.oracle.refused_for_room();
        report.left = self.oracle.left();
        report.crossed = self.oracle.crossed;
        report.words = self.answers.len() as u64;
        report.copies = self.watcher.map_or(0, |it| it.heard.len() as u64);
        report.messages = self.feed.len() as u64;
        report.levels = self.levels.len() as u64;
        (report.archived, report.retired) =
            (self.disk.counts().archived, self.disk.counts().retired);
        if let Some(receiver) = &self.receiver {
            (report.spliced, report.compared) = (receiver.taken(), receiver.compared);
        }
        report.gaps = self.subscriber.counters().gaps;
        report.faults.note_net(&self.wires.counts());
        report.faults.note_disk(&self.disk.counts());
        Ok(*report)
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
