//! The engine tile: the sequencer and the matching engine behind it.
//!
//! It takes commands from the gate, gives each its number and time, hands it to the journal and
//! applies it. A command is applied only when every link has room for all that one step of the
//! engine can yield, so nothing is ever half done for want of room. Commands are taken in bursts,
//! and what comes of a burst is published at once.

use super::burst::Burst;
use super::doing::{Doing, Part};
use super::signals::tell_once;
use super::{BATCH, Desk, Progress, Signals, Tile};
use crate::topology;
use crate::venue::{Presences, Schedule};
use journal::Reserve;
use matching::{BURST_MAX, EVENTS_MAX, Engine, Events, Step};
use queue::{Counter, CounterSet, Error, Histogram, Reader, Writer};
use std::collections::VecDeque;
use wire::ring::{Command, CommandKind, Event, EventKind, Input, Reason};

/// The tile's ends of its links.
#[derive(Debug)]
pub struct EngineLinks {
    /// Commands of the members.
    pub commands: Reader<Command>,
    /// Commands of the operator, and their answers.
    pub desk: Desk,
    /// Inputs for the journal: the stamp is the input's time, the place is its number.
    pub journal: Writer<Command>,
    /// Events for the gate.
    pub gate: Writer<Event>,
    /// Events for market data.
    pub publish: Writer<Event>,
}

/// The sequencer and its engine.
pub struct EngineTile<'m> {
    engine: Engine<'m>,
    events: Events,
    links: EngineLinks,
    signals: Signals,
    /// Commands of the members, taken and not applied yet.
    burst: Burst,
    /// Commands of the venue itself, taken before any member's.
    startup: VecDeque<Command>,
    /// Commands of the venue itself whose time comes.
    schedule: Option<Schedule>,
    /// Sessions whose orders leave when their connections end.
    presences: Presences,
    /// The last command was the venue's own.
    is_own: bool,
    /// The gate has stopped.
    is_stopping: bool,
    /// The journal's room is kept for orders to leave.
    is_refusing: bool,
    /// Number and time of the last input.
    sequence: u64,
    time_ns: u64,
    /// The engine has more to say about the last input.
    unfinished: bool,
    counters: Counters,
}

struct Counters {
    commands: Counter,
    inputs: Counter,
    events: Counter,
    live_orders: Counter,
    waits: Counter,
    refused: Counter,
    last: Counter,
    doing: Doing,
    command_ns: Histogram,
}

impl<'m> EngineTile<'m> {
    /// Goes on behind the input `sequence` of `time_ns`, which `engine` applied last; `startup`
    /// comes next.
    ///
    /// # Errors
    /// A counter is missing or taken.
    pub fn new(
        engine: Engine<'m>,
        last: (u64, u64),
        startup: VecDeque<Command>,
        links: EngineLinks,
        set: &mut CounterSet,
    ) -> Result<Self, Error> {
        let (sequence, time_ns) = last;
        let mut counters = Counters {
            commands: set.counter("engine.commands")?,
            inputs: set.counter("engine.inputs")?,
            events: set.counter("engine.events")?,
            live_orders: set.counter("engine.live_orders")?,
            waits: set.counter("engine.waits")?,
            refused: set.counter("engine.refused")?,
            last: set.counter("engine.last")?,
            doing: Doing::new(set, topology::Tile::Engine)?,
            command_ns: set.histogram("hop.gate_engine_ns")?,
        };
        counters.inputs.set(sequence);
        counters.live_orders.set(u64::from(engine.live_orders()));
        let (events, signals, unfinished) = (Events::new(), Signals::new(set)?, false);
        Ok(Self {
            engine,
            events,
            links,
            signals,
            burst: Burst::new(),
            startup,
            schedule: None,
            presences: Presences::new(0),
            is_own: false,
            is_stopping: false,
            is_refusing: false,
            sequence,
            time_ns,
            unfinished,
            counters,
        })
    }

    /// The same tile, which also asks for what a schedule calls for.
    #[must_use]
    pub fn scheduled(mut self, schedule: Option<Schedule>) -> Self {
        self.schedule = schedule;
        self
    }

    /// The same tile, which also takes off the orders of sessions that left.
    #[must_use]
    pub fn watching(mut self, presences: Presences) -> Self {
        self.presences = presences;
        self
    }

    /// The engine, for its state.
    #[must_use]
    pub const fn engine(&self) -> &Engine<'m> {
        &self.engine
    }

    /// Number of the last input.
    #[must_use]
    pub const fn sequence(&self) -> u64 {
        self.sequence
    }

    fn has_room(&mut self) -> bool {
        let links = &mut self.links;
        links.journal.has_room(1)
            && links.gate.has_room(EVENTS_MAX)
            && links.publish.has_room(EVENTS_MAX)
    }

    /// The next command and when it was read.
    fn command_next(&mut self, now_ns: u64) -> Option<Command> {
        if let Some(command) = self.own_next(now_ns) {
            self.is_own = true;
            return Some(command);
        }
        self.is_own = false;
        let waited = &mut self.counters.command_ns;
        self.burst.take(&mut self.links.commands, |stamp_ns| {
            waited.record(now_ns.saturating_sub(stamp_ns));
        });
        let command = self.burst.next(&mut self.engine)?;
        if self.is_refusing && takes_room(&command) {
            return Some(Command {
                kind: CommandKind::Refuse as u8,
                flags: Reason::DiskFull as u8,
                ..command
            });
        }
        Some(command)
    }

    /// The next command of the venue itself. Once the gate has stopped, there are no more but those
    /// of the start and those that must come before what the gate took: the last input is to be
    /// known.
    fn own_next(&mut self, now_ns: u64) -> Option<Command> {
        if let Some(command) = self.startup.pop_front() {
            return Some(command);
        }
        if self.is_stopping && self.is_through() {
            return None;
        }
        // Whose grace is over has no order left when the next one is looked at.
        if let Some(command) = self.presences.next(now_ns.max(self.time_ns)) {
            return Some(command);
        }
        if self.is_stopping {
            return None;
        }
        if let Some(command) = self.links.desk.next() {
            return Some(command);
        }
        self.schedule.as_mut()?.next(now_ns)
    }

    /// What the venue itself must know of the events.
    fn look(&mut self) {
        let events = self.events.as_slice();
        if let Some(schedule) = &mut self.schedule {
            for event in events {
                schedule.on_event(event, self.time_ns);
            }
        }
        if !self.is_own {
            return;
        }
        for event in events {
            self.links.desk.on_event(event, self.sequence);
            if event.kind == EventKind::Refused as u8 {
                self.counters.refused.add(1);
            }
        }
    }

    /// One step of the engine; false when there is nothing to do.
    fn step(&mut self, now_ns: u64) -> bool {
        let step = if self.unfinished {
            self.engine.resume(&mut self.events)
        } else {
            let Some(command) = self.command_next(now_ns) else {
                return false;
            };
            self.sequence += 1;
            self.time_ns = self.time_ns.max(now_ns);
            let put = self.links.journal.put(self.time_ns, &command);
            assert!(put.is_ok(), "room was looked for");
            let input = Input {
                sequence: self.sequence,
                time_ns: self.time_ns,
                command,
            };
            self.presences.on_input(&input);
            self.engine.apply(&input, &mut self.events)
        };
        self.unfinished = step == Step::More;
        for event in self.events.as_slice() {
            let gate = self.links.gate.put(self.time_ns, event);
            let publish = self.links.publish.put(self.time_ns, event);
            assert!(gate.is_ok() && publish.is_ok(), "room was looked for");
        }
        self.look();
        self.counters
            .events
            .add(self.events.as_slice().len() as u64);
        true
    }

    /// Shows the other tiles what was put on the links.
    fn show(&mut self) {
        self.links.journal.publish();
        self.links.gate.publish();
        self.links.publish.publish();
    }

    /// Whether the gate stopped and nothing that it took is left to be looked at.
    fn is_through(&self) -> bool {
        let commands = self.links.commands.position();
        self.signals.commands_in_all() == Some(commands) && self.burst.is_done()
    }

    /// Says which input is the last one once the gate stopped and all it took is applied.
    fn last_tell(&mut self) {
        if self.is_through() && self.startup.is_empty() && !self.unfinished {
            tell_once(&mut self.counters.last, self.sequence);
        }
    }
}

/// Whether a command is an order, which is refused while the journal's room is kept for cancels.
fn takes_room(command: &Command) -> bool {
    let orders = [CommandKind::New, CommandKind::Replace];
    orders.iter().any(|kind| *kind as u8 == command.kind)
}

impl Tile for EngineTile<'_> {
    fn poll(&mut self, now_ns: u64) -> Progress {
        let (mut steps, mut is_held) = (0, false);
        self.counters.doing.now(Part::Steps);
        self.is_stopping = self.signals.commands_in_all().is_some();
        self.is_refusing = self.signals.reserve() > Reserve::Untouched;
        while steps < BATCH {
            if !self.has_room() {
                self.counters.waits.add(1);
                is_held = true;
                break;
            }
            if !self.step(now_ns) {
                break;
            }
            steps += 1;
            if steps.is_multiple_of(BURST_MAX) {
                self.show();
            }
        }
        if steps > 0 {
            self.counters.doing.now(Part::Show);
            self.show();
            self.counters.commands.set(self.links.commands.position());
            self.counters.inputs.set(self.sequence);
            self.counters
                .live_orders
                .set(u64::from(self.engine.live_orders()));
        }
        self.counters.doing.now(Part::Figures);
        self.last_tell();
        self.counters.doing.now(Part::Elsewhere);
        Progress::or_waiting(steps, || is_held)
    }

    fn failure(&self) -> Option<&str> {
        None
    }
}
