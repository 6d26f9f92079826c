//! The calm after the faults: everything that was begun comes to an end, and the venue stops.

use appliance::tiles::Phase;
use queue::Watch;
use session::feed::State;

use crate::day::World;
use crate::member::Member;
use crate::running::Running;
use crate::shadow;
use crate::words::Words;

/// Rounds in which everything must come to rest, or to an end: a bound on liveness.
const ROUNDS_MAX: u64 = 20_000;

/// Time that passes in a round.
const ROUND_NS: u64 = 500_000;

/// Time that passes in a round at most, when nobody had anything to do in those before.
const ROUND_NS_MAX: u64 = 256 * ROUND_NS;

/// Rounds in a row without change that are rest.
const ROUNDS_AT_REST: u64 = 4;

impl Running<'_, '_> {
    /// Everybody gets a turn; more time passes when nobody had anything to do in the last round.
    /// Returns the time that passes in the next round.
    fn round(&mut self, by_ns: u64) -> Result<u64, String> {
        let now_ns = self.world.advance(by_ns);
        let mut is_busy = false;
        for index in 0..self.turns.len() {
            is_busy |= self.turn(self.turns[index], now_ns)?;
        }
        Ok(if is_busy {
            ROUND_NS
        } else {
            (2 * by_ns).min(ROUND_NS_MAX)
        })
    }

    /// Everything that was begun is finished: nothing is lost for good, nobody waits for ever.
    pub fn rest(&mut self) -> Result<(), String> {
        let (mut at_rest, mut by_ns) = (0, ROUND_NS);
        for _ in 0..ROUNDS_MAX {
            by_ns = self.round(by_ns)?;
            at_rest = if self.is_at_rest() { at_rest + 1 } else { 0 };
            if at_rest == ROUNDS_AT_REST {
                self.world.oracle.follow(&self.world.disk)?;
                let engine = self.venue.engine.engine();
                self.world.oracle.check_engine(engine)?;
                let stands = (self.venue.engine.sequence(), engine.state_hash());
                if let Some(shadow) = &mut self.shadow {
                    let now_ns = self.world.advance(0);
                    shadow::check(shadow, self.world, stands, now_ns)?;
                }
                return self.world.check(true);
            }
        }
        Err(format!("does not come to rest: {}", self.standing()))
    }

    fn is_at_rest(&self) -> bool {
        let sequence = self.venue.engine.sequence();
        let entry = self.venue.gate.entry();
        // Who was silent for too long, in a venue that stood still, hears of it a while later.
        let is_connected = |session| entry.seat(session, 0).0;
        let heard = |(member, session): (&Member, u16)| {
            member.is_done()
                && is_connected(session)
                && member.caller.heard.len() as u64 == entry.replies(session)
        };
        let watching = self.world.members.len() as u16 + 1;
        let copies = entry.replies(watching);
        let mut watcher = self.world.watcher.iter();
        let publisher = self.venue.publish.publisher();
        let shadow = self.shadow.as_ref().map(|shadow| shadow.sequence());
        self.durable.get() == sequence
            && shadow.is_none_or(|at| at == sequence)
            && self.gate_inputs.get() == sequence
            && self.world.wires.is_quiet()
            && self.words.as_ref().is_none_or(Words::is_done)
            && self.world.members.iter().zip(1..).all(heard)
            && watcher
                .all(|it| it.is_done() && is_connected(watching) && it.heard.len() as u64 == copies)
            && self.receivers_are_whole(publisher.sequence_next())
            && self.world.depth.as_ref().map(|it| it.sequence_next())
                == self.venue.publish.depth().map(|it| it.sequence_next())
    }

    /// Whether those who receive the feed miss nothing before that message, and think that the
    /// session is over only where the venue stopped and said nothing since.
    fn receivers_are_whole(&self, next: u64) -> bool {
        let World {
            subscriber,
            receiver,
            ended_at,
            ..
        } = &*self.world;
        let is_over = *ended_at == Some(next);
        subscriber.sequence_next() == next
            && (is_over || subscriber.state() != State::Ended)
            && receiver
                .iter()
                .all(|it| it.is_whole_at(next) && (is_over || !it.has_ended()))
    }

    /// Where everybody stands, for the message of a run that hangs.
    fn standing(&self) -> String {
        let entry = self.venue.gate.entry();
        let of = |(member, session): (&Member, u16)| {
            let (heard, due) = (member.caller.heard.len(), entry.replies(session));
            format!("{heard} of {due} replies, {}", member.standing())
        };
        let members: Vec<String> = self.world.members.iter().zip(1..).map(of).collect();
        let watcher = self.world.watcher.as_ref();
        format!(
            "input {}, durable {}, gate {}, feed {} of {}, ended {:?}, quiet {}; {}; {} {}",
            self.venue.engine.sequence(),
            self.durable.get(),
            self.gate_inputs.get(),
            self.world.subscriber.sequence_next(),
            self.venue.publish.publisher().sequence_next(),
            self.ended.each_ref().map(Watch::get),
            self.world.wires.is_quiet(),
            members.join("; "),
            watcher.map(|it| it.standing()).unwrap_or_default(),
            self.world
                .receiver
                .as_ref()
                .map(|it| it.standing())
                .unwrap_or_default()
        )
    }

    /// The venue stops as it does for an operator.
    pub fn stop(&mut self) -> Result<(), String> {
        self.set_phase(Phase::Draining);
        self.until("drain", |it| it.ended.iter().all(|watch| watch.get() == 1))?;
        self.set_phase(Phase::Ending);
        self.until("end", |it| it.done.iter().all(|watch| watch.get() == 1))?;
        // What was sent last may still be under way.
        for _ in 0..ROUNDS_AT_REST {
            self.round(ROUND_NS_MAX)?;
        }
        self.set_phase(Phase::Stopped);
        self.world.ended_at = Some(self.venue.publish.publisher().sequence_next());
        let engine = &self.venue.engine;
        self.world.stopped = Some((engine.sequence(), engine.engine().state_hash()));
        let mut storage = self.world.disk.whole().storage();
        let read =
            journal::recover(&mut storage, &mut |_| ()).map_err(|error| error.to_string())?;
        if read.clean {
            Ok(())
        } else {
            Err("a clean stop left an open journal".to_owned())
        }
    }

    fn until(&mut self, what: &str, is_so: impl Fn(&Self) -> bool) -> Result<(), String> {
        let mut by_ns = ROUND_NS;
        for _ in 0..ROUNDS_MAX {
            by_ns = self.round(by_ns)?;
            if is_so(self) {
                return Ok(());
            }
        }
        Err(format!("does not {what}: {}", self.standing()))
    }

    /// Members and receivers heard that the day's session is over.
    pub fn told_the_end(&self) -> Result<(), String> {
        let mut callers = self.world.members.iter().map(|it| &it.caller);
        let is_told =
            callers.all(|it| it.has_ended) && self.world.watcher.iter().all(|it| it.has_ended);
        if !is_told {
            return Err(format!("not all heard the end: {}", self.standing()));
        }
        if let Some(receiver) = self.world.receiver.as_ref().filter(|it| !it.has_ended()) {
            return Err(format!("after the end {}", receiver.standing()));
        }
        match self.world.subscriber.state() {
            State::Ended => Ok(()),
            state => Err(format!("the feed's receiver is {state:?} after the end")),
        }
    }
}
