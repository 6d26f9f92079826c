//! A venue that runs, and everybody who deals with it, in turns of the seed's choice.

use appliance::tiles::{Phase, Progress};
use appliance::venue::shadow::Shadow;
use queue::{Counter, CounterSet, Watch};

use crate::coverage::Fault;
use crate::day::World;
use crate::life::SimVenue;
use crate::plan::{End, LifePlan};
use crate::wish::Sending;
use crate::words::Words;

/// Steps that a failed venue still runs, to show that it acknowledges nothing.
const STEPS_AFTER_FAILURE: u64 = 200;

/// Steps that a power cut waits at most for a write to be in flight.
const STEPS_TO_WRITE: u64 = 300;

/// A venue that runs, and the counters that tell about it.
pub(crate) struct Running<'w, 'm> {
    pub world: &'w mut World,
    pub venue: SimVenue<'m>,
    pub shadow: Option<Shadow<'m>>,
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
    ) -> Result<Self, queue::Error> {
        let is_back = plan.clock_back_ns > 0;
        world.report.faults.note(Fault::ClockBack, is_back.into());
        Ok(Self {
            world,
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
    }

    /// Commands, faults and turns in an order of the seed's choice.
    pub fn traffic(&mut self) -> Result<(), String> {
        let plan = self.plan;
        // Half of the power cuts wait for a write to be in flight.
        let waits = matches!(plan.end, End::Power(_)) && self.world.random.chance(500_000);
        let steps = plan.end.steps();
        for step in 0..steps + if waits { STEPS_TO_WRITE } else { 0 } {
            if step >= steps && self.world.disk.is_writing() {
                break;
            }
            if step == plan.disk_full_until {
                let faults = self.world.disk.faults();
                self.world.disk.set_faults(journal::simulated::Faults {
                    segments_max: plan.disk_segments_max,
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
                words.say(&self.world.topology, &mut self.world.random)?;
            }
            if self.world.random.chance(plan.cut_in_million) {
                self.world.wires.cut_one();
            }
            if self.world.random.chance(plan.partition_in_million) {
                self.world.wires.partition(plan.partition_ns_max);
            }
            if self.world.random.chance(plan.freeze_in_million) {
                let by_ns = self.world.random.below(plan.freeze_ns_max);
                self.world.advance(by_ns);
                self.world.report.faults.note(Fault::Frozen, 1);
            }
            self.step()?;
            if self.failed() {
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
            let wishes = self.world.wishes_in_million;
            let sending = Sending::new(command, &mut self.world.random, wishes);
            member.todo.push_back(sending);
        }
    }

    /// Some time passes and somebody gets a turn.
    fn step(&mut self) -> Result<(), String> {
        let by_ns = self.world.random.below(self.plan.step_ns_max);
        let now_ns = self.world.advance(by_ns);
        let turns = self.turns() as u64;
        let turn = self.world.random.below(turns) as usize;
        self.turn(turn, now_ns).map(|_| ())
    }

    /// How many have turns.
    pub fn turns(&mut self) -> usize {
        let clients = self.world.members.len() + usize::from(self.world.watcher.is_some());
        self.venue.tiles().len() + 1 + clients + usize::from(self.shadow.is_some())
    }

    /// Turns are numbered: the tiles, the feed's receiver, the members, who reads drop copies, the
    /// shadow. Says whether there was anything to do.
    pub fn turn(&mut self, turn: usize, now_ns: u64) -> Result<bool, String> {
        if let Some(words) = &mut self.words {
            words.hear(self.durable.get(), &mut self.world.answers);
        }
        let venue_ns = now_ns - self.plan.clock_back_ns;
        let mut tiles = self.venue.tiles();
        let after = turn.wrapping_sub(tiles.len());
        if let Some(tile) = tiles.get_mut(turn) {
            return Ok(tile.poll(venue_ns) == Progress::Busy);
        }
        if after == 0 {
            return Ok(self.world.subscriber_poll(now_ns));
        }
        if let Some(member) = self.world.members.get_mut(after - 1) {
            return member.poll(now_ns);
        }
        let is_last = turn + 1 == self.turns();
        if let (true, Some(shadow)) = (is_last, &mut self.shadow) {
            let progress = shadow.poll(venue_ns);
            let failure = shadow.failure().map(str::to_owned);
            return failure.map_or(Ok(progress == Progress::Busy), Err);
        }
        let Some(watcher) = &mut self.world.watcher else {
            return Ok(false);
        };
        let turn = watcher.receive(now_ns)?;
        watcher.transmit(now_ns);
        Ok(turn.is_busy)
    }

    pub fn failed(&mut self) -> bool {
        let tiles = self.venue.tiles();
        tiles.iter().any(|tile| tile.failure().is_some())
    }

    /// The life ends as planned, or because the disk failed.
    pub fn end(&mut self) -> Result<(), String> {
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
            self.step()?;
        }
        if self.durable.get() > durable || self.gate_inputs.get() > durable {
            return Err("acknowledged after the disk failed".to_owned());
        }
        Ok(())
    }
}
