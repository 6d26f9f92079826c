//! A venue that runs, and everybody who deals with it, in turns of the seed's choice.

use appliance::tiles::{Phase, Progress};
use appliance::topology::Tile;
use appliance::venue::retention::Retention;
use appliance::venue::shadow::Shadow;
use appliance::venue::snapshots::Snapshots;
use journal::Kept;
use journal::simulated::{Counts as DiskCounts, DiskShelf};
use nic::TcpPort as _;
use queue::{Counter, CounterSet, Watch};

use crate::accounts;
use crate::coverage::Fault;
use crate::day::World;
use crate::life::SimVenue;
use crate::moment::Moment;
use crate::net::{SimTcp, SimUdp};
use crate::plan::{End, LifePlan};
use crate::wiring;
use crate::wish::Sending;
use crate::words::Words;

/// Steps that a failed venue still runs, to show that it acknowledges nothing.
const STEPS_AFTER_FAILURE: u64 = 200;

/// Who has a turn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Turn {
    Tile(usize),
    Subscriber,
    Member(usize),
    Watcher,
    Depth,
    Shadow,
    Recaller,
    Retention,
    Receiver,
    Snapshots,
}

impl Turn {
    fn of(world: &World, has_recaller: bool, has_retention: bool) -> Vec<Self> {
        let mut turns: Vec<Self> = (0..Tile::ALL.len()).map(Self::Tile).collect();
        turns.push(Self::Subscriber);
        turns.extend((0..world.members.len()).map(Self::Member));
        for (is_there, turn) in [
            (world.watcher.is_some(), Self::Watcher),
            (world.depth.is_some(), Self::Depth),
            (world.topology.shadow.is_some(), Self::Shadow),
            (has_recaller, Self::Recaller),
            (has_retention, Self::Retention),
            (world.receiver.is_some(), Self::Receiver),
            (world.receiver.is_some(), Self::Snapshots),
        ] {
            turns.extend(is_there.then_some(turn));
        }
        turns
    }
}

/// A venue that runs, and the counters that tell about it.
pub(crate) struct Running<'w, 'm> {
    pub world: &'w mut World,
    pub venue: SimVenue<'m>,
    /// Who has turns; one who is gone has nothing to do.
    pub turns: Vec<Turn>,
    pub shadow: Option<Shadow<'m>>,
    retention: Option<Retention<DiskShelf>>,
    /// Who gives snapshots of the feed.
    snapshots: Option<Snapshots<SimUdp, SimTcp>>,
    /// What had failed when this life began.
    before: DiskCounts,
    pub words: Option<Words>,
    plan: &'w LifePlan,
    phase: Counter,
    pub durable: Watch,
    pub gate_inputs: Watch,
    pub ended: [Watch; 3],
    pub done: [Watch; 2],
}

impl<'w, 'm> Running<'w, 'm> {
    pub fn new(
        world: &'w mut World,
        mut venue: SimVenue<'m>,
        set: &mut CounterSet,
        plan: &'w LifePlan,
    ) -> Result<Self, String> {
        let is_back = plan.clock_back_ns > 0;
        world.report.faults.note(Fault::ClockBack, is_back.into());
        let before = world.disk.counts();
        let rules = &world.topology.keeping;
        let retention = rules
            .bytes_max
            .map(|_| Retention::of(rules, world.disk.shelf(), venue.snapshot));
        let retention = retention.transpose().map_err(|error| error.to_string())?;
        let venue_ns = world.advance(0) - plan.clock_back_ns;
        let snapshots = wiring::snapshots(&world.topology, &world.wires, &venue, venue_ns)
            .map_err(|error| error.to_string())?;
        let turns = Turn::of(world, venue.recaller.is_some(), retention.is_some());
        let running = || -> Result<Self, queue::Error> {
            Ok(Self {
                world,
                before,
                turns,
                retention,
                snapshots,
                words: venue.operator.take().map(Words::new),
                venue,
                shadow: None,
                plan,
                phase: set.counter("venue.phase")?,
                durable: set.watch("journal.durable")?,
                gate_inputs: set.watch("gate.inputs")?,
                ended: [
                    set.watch("journal.closed")?,
                    set.watch("gate.through")?,
                    set.watch("publish.through")?,
                ],
                done: [set.watch("gate.done")?, set.watch("publish.done")?],
            })
        };
        running().map_err(|error| error.to_string())
    }

    /// Commands, faults and turns in an order of the seed's choice.
    pub fn traffic(&mut self) -> Result<(), String> {
        let plan = self.plan;
        let has_retention = self.retention.is_some();
        let around = (&self.world.disk, &mut self.world.random);
        let mut end = Moment::of(plan, has_retention, around);
        for step in 0.. {
            if end.has_come(step, &self.world.disk) {
                break;
            }
            if step == plan.disk_full_until {
                let faults = self.world.disk.faults();
                self.world.disk.set_faults(journal::simulated::Faults {
                    segments_max: plan.disk_segments_max,
                    are_files_full: false,
                    ..faults
                });
            }
            if self.world.random.chance(plan.command_in_million) {
                self.command();
            }
            let words = self.world.word_in_million;
            if self.world.random.chance(words)
                && let Some(words) = &mut self.words
            {
                let world = &mut *self.world;
                words.say(world.has_accounts, &mut world.random)?;
            }
            if self.world.random.chance(plan.cut_in_million) {
                self.world.wires.cut_one();
            }
            if self.world.has_rings() && self.world.random.chance(plan.cut_in_million) {
                let now_ns = self.world.advance(0);
                self.world.members[0].caller.die(now_ns);
            }
            if self.world.random.chance(plan.partition_in_million) {
                self.world.wires.partition(plan.partition_ns_max);
            }
            if self.world.random.chance(plan.freeze_in_million) {
                let by_ns = self.world.random.below(plan.freeze_ns_max);
                self.world.advance(by_ns);
                self.world.report.faults.note(Fault::Frozen, 1);
            }
            self.step(end.is_opening())?;
            if self.failed() || self.world.disk.is_off() {
                return Ok(());
            }
        }
        Ok(())
    }

    /// The generator's next command goes to its member.
    fn command(&mut self) {
        let command = self.world.generator.next_item().command;
        let member = self
            .world
            .members
            .get_mut(usize::from(command.session).wrapping_sub(1));
        if let Some(member) = member {
            let repeats = self.world.repeats_in_million;
            if repeats > 0 && self.world.random.chance(repeats) {
                let fault = match member.repeat(&mut self.world.random) {
                    Some(true) => Fault::NumberUsed,
                    _ => Fault::Repeated,
                };
                self.world.report.faults.note(fault, 1);
            }
            let wishes = self.world.wishes_in_million;
            let mut sending = Sending::new(command, &mut self.world.random, wishes)
                .or_mass(&mut self.world.random, self.world.masses_in_million);
            if self.world.has_accounts {
                sending.account = accounts::named(&mut self.world.random);
            }
            member.todo.push_back(sending);
        }
    }

    /// Some time passes and somebody gets a turn; half of the turns go to who looks at closed
    /// segments, if that is so now.
    fn step(&mut self, is_opening: bool) -> Result<(), String> {
        let by_ns = self.world.random.below(self.plan.step_ns_max);
        let now_ns = self.world.advance(by_ns);
        let turn = match is_opening && self.world.random.chance(500_000) {
            true => Turn::Retention,
            false => self.world.random.one_of(&self.turns),
        };
        self.turn(turn, now_ns).map(|_| ())
    }

    /// Somebody gets a turn. Says whether there was anything to do.
    pub fn turn(&mut self, turn: Turn, now_ns: u64) -> Result<bool, String> {
        if let Some(words) = &mut self.words {
            words.hear(self.durable.get(), &mut self.world.answers);
        }
        let venue_ns = now_ns - self.plan.clock_back_ns;
        Ok(match turn {
            Turn::Tile(index) => {
                let progress = self.venue.tiles()[index].poll(venue_ns);
                self.connections_check()?;
                progress == Progress::Busy
            }
            Turn::Subscriber => self.world.subscriber_poll(now_ns),
            Turn::Member(index) => self.world.members[index].poll(now_ns)?,
            Turn::Watcher => self.watcher_turn(now_ns)?,
            Turn::Depth => self.world.depth_poll(now_ns),
            Turn::Shadow => self.shadow_turn(venue_ns)?,
            Turn::Recaller => self.recaller_turn(venue_ns),
            Turn::Retention => self.retention_turn(venue_ns)?,
            Turn::Receiver => self.world.receiver_poll(now_ns)?,
            Turn::Snapshots => self
                .snapshots
                .as_mut()
                .is_some_and(|it| it.turn(venue_ns) > 0),
        })
    }

    /// The gate thinks of nobody as connected who is not: over the network, or by the rings.
    fn connections_check(&self) -> Result<(), String> {
        let gate = &self.venue.gate;
        let there = gate.tcp().stats().connections as usize + usize::from(self.world.has_rings());
        let known = gate.entry().connections();
        if known > there {
            return Err(format!(
                "the gate knows of {known} connections where there are {there} at most"
            ));
        }
        Ok(())
    }

    fn watcher_turn(&mut self, now_ns: u64) -> Result<bool, String> {
        let Some(watcher) = &mut self.world.watcher else {
            return Ok(false);
        };
        let turn = watcher.receive(now_ns)?;
        watcher.transmit(now_ns);
        Ok(turn.is_busy)
    }

    /// A shadow that stopped is gone; it may if a flush failed.
    fn shadow_turn(&mut self, venue_ns: u64) -> Result<bool, String> {
        let Some(shadow) = &mut self.shadow else {
            return Ok(false);
        };
        let progress = shadow.poll(venue_ns);
        let Some(why) = shadow.failure() else {
            return Ok(progress == Progress::Busy);
        };
        let failed = self.world.disk.counts().file_flushes_failed;
        if failed == self.before.file_flushes_failed && !self.world.disk.is_off() {
            return Err(why.to_owned());
        }
        self.world.report.shadows_failed += 1;
        self.shadow = None;
        Ok(true)
    }

    fn recaller_turn(&mut self, venue_ns: u64) -> bool {
        let recaller = self.venue.recaller.as_mut();
        recaller.is_some_and(|recaller| recaller.poll(venue_ns) == Progress::Busy)
    }

    /// What cannot be kept now is left alone, if the disk did refuse something.
    fn retention_turn(&mut self, venue_ns: u64) -> Result<bool, String> {
        let Some(retention) = &mut self.retention else {
            return Ok(false);
        };
        let before = self.world.disk.counts().file_failures();
        match retention.turn(venue_ns) {
            Ok(kept) => Ok(kept != Kept::Nothing),
            Err(_) if self.world.disk.is_off() => Ok(false),
            Err(_) if self.world.disk.counts().file_failures() > before => Ok(false),
            Err(error) => Err(format!("closed segments: {error}")),
        }
    }

    pub fn failed(&mut self) -> bool {
        let tiles = self.venue.tiles();
        tiles.iter().any(|tile| tile.failure().is_some())
    }

    /// The life ends as planned, or because the disk failed.
    pub fn end(&mut self) -> Result<(), String> {
        if self.world.disk.is_off() {
            return Ok(());
        }
        if self.failed() {
            return self.after_failure();
        }
        match self.plan.end {
            End::Power(_) | End::Kill(_) => Ok(()),
            End::Clean(_) => {
                self.calm_disk();
                match self.stop() {
                    // The fault had struck, and showed only now.
                    Err(_) if self.plan.disk_fails.is_some() && self.failed() => {
                        self.after_failure()
                    }
                    stopped => stopped,
                }
            }
            End::Last(_) => {
                self.calm_disk();
                self.world.wires.calm();
                self.rest()?;
                self.stop()?;
                self.told_the_end()
            }
        }
    }

    fn calm_disk(&self) {
        self.world.disk.set_faults(self.plan.calm_disk());
    }

    pub fn set_phase(&mut self, phase: Phase) {
        self.phase.set(phase as u64);
    }

    /// A venue whose disk failed acknowledges nothing more; one whose disk did not fail goes on.
    fn after_failure(&mut self) -> Result<(), String> {
        if self.plan.disk_fails.is_none() {
            let tiles = self.venue.tiles();
            let why = tiles.iter().find_map(|tile| tile.failure());
            return Err(format!("a tile failed: {}", why.unwrap_or_default()));
        }
        self.world.report.disk_failures += 1;
        let durable = self.durable.get();
        for _ in 0..STEPS_AFTER_FAILURE {
            self.step(false)?;
        }
        if self.durable.get() > durable || self.gate_inputs.get() > durable {
            return Err("acknowledged after the disk failed".to_owned());
        }
        Ok(())
    }
}
