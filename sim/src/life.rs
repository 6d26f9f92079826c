//! One life of the venue: start, traffic, end.

use appliance::tiles::Phase;
use appliance::venue::{Venue, assemble, counters_anonymous, engine_limits};
use journal::simulated::DiskStorage;
use matching::Line;
use queue::{Counter, CounterSet, Watch};

use crate::day::World;
use crate::member::Member;
use crate::net::{Faults as NetFaults, SimTcp, SimUdp};
use crate::oracle::Oracle;
use crate::plan::{End, LifePlan};
use crate::wiring;
use crate::wish::Sending;
use crate::words::Words;

/// Time that passes in a step at most.
const STEP_NS_MAX: u64 = 10_000;

/// Steps that a failed venue still runs, to show that it acknowledges nothing.
const STEPS_AFTER_FAILURE: u64 = 500;

/// Rounds in which everything must come to rest, or to an end: a bound on liveness.
const ROUNDS_MAX: u64 = 200_000;

/// Time that passes in a round.
const ROUND_NS: u64 = 500_000;

/// Rounds in a row without change that are rest.
const ROUNDS_AT_REST: u64 = 8;

type SimVenue<'m> = Venue<'m, SimTcp, SimUdp, DiskStorage>;

/// A venue that runs, and the counters that tell about it.
struct Running<'w, 'm> {
    world: &'w mut World,
    venue: SimVenue<'m>,
    words: Option<Words>,
    phase: Counter,
    durable: Watch,
    gate_inputs: Watch,
    ended: [Watch; 3],
    done: [Watch; 2],
    disk_full: Watch,
}

/// Lives one life.
pub(crate) fn live(world: &mut World, plan: &LifePlan) -> Result<(), String> {
    let mut lines = vec![Line::ZERO; engine_limits(&world.topology).lines()];
    let mut set = counters_anonymous().map_err(|error| error.to_string())?;
    let segments = (1..)
        .take_while(|number| world.disk.bytes(*number).is_some())
        .count();
    let full = (plan.disk_full_until > 0).then_some(segments);
    world.disk.set_faults(plan.disk(world.disk.writes(), full));
    world.wires.set_faults(plan.net);
    world.members.iter_mut().for_each(Member::start);
    let before = Oracle::read(&world.disk, world.members.len() as u16)?;
    let parts = wiring::parts(&world.wires, &world.disk).map_err(|error| error.to_string())?;
    let (venue, recovery) = match assemble(&world.topology, parts, &mut lines, &mut set) {
        Ok(assembled) => assembled,
        Err(_) if plan.disk_fails.is_some_and(|(number, _)| number == 1) => {
            world.report.disk_failures += 1;
            return Ok(());
        }
        Err(error) => return Err(error.to_string()),
    };
    world.report.torn += u64::from(recovery.torn.is_some());
    // What earlier lives acknowledged is in the journal, and the engine stands where it says.
    world.check(&before, false)?;
    before.check_engine(venue.engine.engine())?;
    let mut running = Running::new(world, venue, &mut set).map_err(|error| error.to_string())?;
    running.traffic(plan)?;
    running.end(plan)?;
    drop(running);
    if let End::Power(_) = plan.end {
        world.disk.crash();
    }
    Ok(())
}

impl<'w, 'm> Running<'w, 'm> {
    fn new(
        world: &'w mut World,
        mut venue: SimVenue<'m>,
        set: &mut CounterSet,
    ) -> Result<Self, queue::Error> {
        Ok(Self {
            world,
            words: venue.operator.take().map(Words::new),
            venue,
            phase: set.counter("venue.phase")?,
            durable: set.watch("journal.durable")?,
            gate_inputs: set.watch("gate.inputs")?,
            ended: [
                set.watch("journal.closed")?,
                set.watch("gate.through")?,
                set.watch("publish.through")?,
            ],
            done: [set.watch("gate.done")?, set.watch("publish.done")?],
            disk_full: set.watch("journal.disk_full")?,
        })
    }

    /// Commands, faults and turns in an order of the seed's choice.
    fn traffic(&mut self, plan: &LifePlan) -> Result<(), String> {
        for step in 0..plan.end.steps() {
            if step == plan.disk_full_until {
                self.world.report.disk_full += self.disk_full.get();
                let faults = plan.disk(u64::MAX / 2, None);
                self.world.disk.set_faults(faults);
            }
            if self.world.random.chance(plan.command_in_million) {
                self.command();
            }
            if self.world.random.chance(self.world.word_in_million)
                && let Some(words) = &mut self.words
            {
                words.say(&self.world.topology, &mut self.world.random)?;
            }
            if self.world.random.chance(plan.cut_in_million) {
                self.world.wires.cut_one();
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
        let by_ns = self.world.random.below(STEP_NS_MAX);
        let now_ns = self.world.advance(by_ns);
        let tiles = self.venue.tiles().len() as u64;
        let members = self.world.members.len() as u64;
        let turn = self.world.random.below(tiles + members + 1) as usize;
        self.turn(turn, now_ns)
    }

    /// Turns are numbered: the tiles, then the feed's receiver, then the members.
    fn turn(&mut self, turn: usize, now_ns: u64) -> Result<(), String> {
        if let Some(words) = &mut self.words {
            words.hear(self.durable.get(), &mut self.world.answers);
        }
        let mut tiles = self.venue.tiles();
        let after = turn.wrapping_sub(tiles.len());
        if let Some(tile) = tiles.get_mut(turn) {
            tile.poll(now_ns);
        } else if after == 0 {
            self.world.subscriber.poll(now_ns, &mut |_, _, _| ());
        } else if let Some(member) = self.world.members.get_mut(after - 1) {
            return member.poll(now_ns);
        }
        Ok(())
    }

    /// Everybody gets a turn.
    fn round(&mut self) -> Result<(), String> {
        let now_ns = self.world.advance(ROUND_NS);
        let turns = self.venue.tiles().len() + 1 + self.world.members.len();
        (0..turns).try_for_each(|turn| self.turn(turn, now_ns))
    }

    fn failed(&mut self) -> bool {
        self.venue
            .tiles()
            .iter()
            .any(|tile| tile.failure().is_some())
    }

    fn end(&mut self, plan: &LifePlan) -> Result<(), String> {
        if self.failed() {
            if plan.disk_fails.is_none() {
                let tiles = self.venue.tiles();
                let why = tiles
                    .iter()
                    .find_map(|tile| tile.failure())
                    .unwrap_or_default();
                return Err(format!("a tile failed: {why}"));
            }
            return self.after_failure();
        }
        match plan.end {
            End::Power(_) | End::Kill(_) => Ok(()),
            End::Clean(_) => {
                self.world.disk.set_faults(plan.disk(u64::MAX / 2, None));
                match self.stop() {
                    // The fault had struck, and showed only now.
                    Err(_) if plan.disk_fails.is_some() && self.failed() => self.after_failure(),
                    stopped => stopped,
                }
            }
            End::Last(_) => {
                self.world.disk.set_faults(plan.disk(u64::MAX / 2, None));
                self.world.wires.set_faults(NetFaults::default());
                self.rest()?;
                self.stop()?;
                self.told_the_end()
            }
        }
    }

    /// A venue whose disk failed acknowledges nothing more.
    fn after_failure(&mut self) -> Result<(), String> {
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

    /// Everything that was begun is finished: nothing is lost for good, nobody waits for ever.
    fn rest(&mut self) -> Result<(), String> {
        let mut at_rest = 0;
        for _ in 0..ROUNDS_MAX {
            self.round()?;
            at_rest = if self.is_at_rest() { at_rest + 1 } else { 0 };
            if at_rest == ROUNDS_AT_REST {
                let sessions = self.world.members.len() as u16;
                let oracle = Oracle::read(&self.world.disk, sessions)?;
                oracle.check_engine(self.venue.engine.engine())?;
                return self.world.check(&oracle, true);
            }
        }
        Err(format!("does not come to rest: {}", self.standing()))
    }

    fn is_at_rest(&self) -> bool {
        let sequence = self.venue.engine.sequence();
        let entry = self.venue.gate.entry();
        let heard = |(member, session): (&Member, u16)| {
            member.is_done() && member.replies.len() as u64 == entry.replies(session)
        };
        let publisher = self.venue.publish.publisher();
        self.durable.get() == sequence
            && self.gate_inputs.get() == sequence
            && self.world.wires.is_quiet()
            && self.words.as_ref().is_none_or(Words::is_done)
            && self.world.members.iter().zip(1..).all(heard)
            && self.world.subscriber.sequence_next() == publisher.sequence_next()
    }

    /// Where everybody stands, for the message of a run that hangs.
    fn standing(&self) -> String {
        let entry = self.venue.gate.entry();
        let of = |(member, session): (&Member, u16)| {
            let (heard, due) = (member.replies.len(), entry.replies(session));
            format!(
                "member {session} heard {heard} of {due}, {}",
                member.standing()
            )
        };
        let members: Vec<String> = self.world.members.iter().zip(1..).map(of).collect();
        format!(
            "input {}, durable {}, gate {}, feed {} of {}, ended {:?}, quiet {}; {}",
            self.venue.engine.sequence(),
            self.durable.get(),
            self.gate_inputs.get(),
            self.world.subscriber.sequence_next(),
            self.venue.publish.publisher().sequence_next(),
            self.ended.each_ref().map(Watch::get),
            self.world.wires.is_quiet(),
            members.join("; ")
        )
    }

    /// The venue stops as it does for an operator.
    fn stop(&mut self) -> Result<(), String> {
        self.phase.set(Phase::Draining as u64);
        self.until("drain", |it| it.ended.iter().all(|watch| watch.get() == 1))?;
        self.phase.set(Phase::Ending as u64);
        self.until("end", |it| it.done.iter().all(|watch| watch.get() == 1))?;
        // What was sent last may still be under way.
        (0..ROUNDS_AT_REST).try_for_each(|_| self.round())?;
        self.phase.set(Phase::Stopped as u64);
        let mut storage = self.world.disk.storage();
        let read =
            journal::recover(&mut storage, &mut |_| ()).map_err(|error| error.to_string())?;
        if read.clean {
            Ok(())
        } else {
            Err("a clean stop left an open journal".to_owned())
        }
    }

    fn until(&mut self, what: &str, is_so: impl Fn(&Self) -> bool) -> Result<(), String> {
        for _ in 0..ROUNDS_MAX {
            self.round()?;
            if is_so(self) {
                return Ok(());
            }
        }
        Err(format!("does not {what}: {}", self.standing()))
    }

    /// Members and receivers heard that the day's session is over.
    fn told_the_end(&self) -> Result<(), String> {
        if let Some(at) = self
            .world
            .members
            .iter()
            .position(|member| !member.has_ended)
        {
            return Err(format!(
                "member {} did not hear the end of the session",
                at + 1
            ));
        }
        match self.world.subscriber.state() {
            session::feed::State::Ended => Ok(()),
            state => Err(format!("the feed's receiver is {state:?} after the end")),
        }
    }
}
