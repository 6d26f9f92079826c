//! An engine with memory of its own, and short ways to say commands and events.
#![allow(dead_code)]

use bytemuck::Zeroable;
use matching::{EVENTS_MAX, Engine, Events, Limits, Line, RestoreError, Step};
use wire::ring::{Command, CommandKind, Event, EventKind, Input, Reason, Side, TimeInForce};

/// Room for every test that is not about the lack of it.
pub const ROOMY: Limits = Limits {
    symbols: 16,
    sessions: 16,
    orders: 20_000,
    special: 20_000,
    price_groups: 1_000,
    accounts: 16,
};

/// Hardly any room.
pub const SMALL: Limits = Limits {
    symbols: 3,
    sessions: 3,
    orders: 4,
    special: 4,
    price_groups: 2,
    accounts: 3,
};

/// An engine, and the input it is at.
pub struct Rig {
    pub engine: Engine<'static>,
    pub sequence: u64,
    /// Steps that the last input took.
    pub steps: usize,
}

impl Rig {
    /// A fresh engine; the test process keeps its memory.
    pub fn new(limits: Limits) -> Self {
        let memory = vec![Line::ZERO; limits.lines()].leak();
        Self {
            engine: Engine::new(limits, memory).expect("good limits"),
            sequence: 0,
            steps: 0,
        }
    }

    /// An engine from a snapshot.
    pub fn restore(limits: Limits, bytes: &[u8]) -> Result<Self, RestoreError> {
        let memory = vec![Line::ZERO; limits.lines()].leak();
        Ok(Self {
            engine: Engine::restore(limits, memory, bytes)?,
            sequence: 0,
            steps: 0,
        })
    }

    /// An engine with symbols 1 to 3 and sessions 1 to 3 whose day is open.
    pub fn open(limits: Limits) -> Self {
        let mut rig = Self::new(limits);
        for number in 1..=3 {
            rig.apply(Command {
                symbol: number,
                ..of(CommandKind::DefineSymbol)
            });
            rig.apply(Command {
                session: number,
                ..of(CommandKind::DefineSession)
            });
        }
        rig.apply(of(CommandKind::OpenDay));
        rig
    }

    /// Applies a command to its end and checks what holds for the events of every input.
    pub fn apply(&mut self, command: Command) -> Vec<Event> {
        self.apply_at(self.sequence + 1, command)
    }

    /// As [`Rig::apply`], at a time.
    pub fn apply_at(&mut self, time_ns: u64, command: Command) -> Vec<Event> {
        self.sequence += 1;
        let input = Input {
            sequence: self.sequence,
            time_ns,
            command,
        };
        let mut events = Events::new();
        let mut step = self.engine.apply(&input, &mut events);
        let mut all = events.as_slice().to_vec();
        self.steps = 1;
        while step == Step::More {
            step = self.engine.resume(&mut events);
            assert!(events.as_slice().len() <= EVENTS_MAX);
            all.extend_from_slice(events.as_slice());
            self.steps += 1;
        }
        let lasts = all.iter().filter(|event| event.has(Event::LAST)).count();
        assert_eq!(lasts, 1, "{command:?}");
        assert!(
            all.last().is_some_and(|event| event.has(Event::LAST)),
            "{command:?}"
        );
        all
    }
}

/// A command of a kind, all else zero.
pub fn of(kind: CommandKind) -> Command {
    Command {
        kind: kind as u8,
        ..Command::zeroed()
    }
}

/// A day order of session 1 in symbol 1.
pub fn day(user_ref: u32, side: Side, quantity: u32, price: i64) -> Command {
    Command {
        side: side as u8,
        symbol: 1,
        session: 1,
        user_ref,
        quantity,
        price,
        ..of(CommandKind::New)
    }
}

/// An immediate-or-cancel order of session 2 in symbol 1.
pub fn ioc(user_ref: u32, side: Side, quantity: u32, price: i64) -> Command {
    Command {
        session: 2,
        time_in_force: TimeInForce::ImmediateOrCancel as u8,
        ..day(user_ref, side, quantity, price)
    }
}

/// Lowers an order of session 1 to a total.
pub fn cancel(user_ref: u32, quantity: u32) -> Command {
    Command {
        session: 1,
        user_ref,
        quantity,
        ..of(CommandKind::Cancel)
    }
}

/// Replaces an order of session 1.
pub fn replace(old_user_ref: u32, user_ref: u32, quantity: u32, price: i64) -> Command {
    Command {
        session: 1,
        user_ref,
        old_user_ref,
        quantity,
        price,
        ..of(CommandKind::Replace)
    }
}

/// An event in words: `Executed 1:7 5@100 left 2 maker booked`; reason and match number if any.
pub fn say(event: &Event) -> String {
    let kind = EventKind::from_byte(event.kind).expect("a kind");
    let Event {
        session,
        user_ref,
        quantity,
        price,
        leaves,
        ..
    } = event;
    let mut said = format!("{kind:?} {session}:{user_ref} {quantity}@{price} left {leaves}");
    let flags = [
        (Event::MAKER, " maker"),
        (Event::BOOKED, " booked"),
        (Event::HIDDEN, " hidden"),
        (Event::OLD_HIDDEN, " old hidden"),
        (Event::PARKED, " parked"),
        (Event::AUCTION, " auction"),
    ];
    for (flag, word) in flags {
        said += if event.has(flag) { word } else { "" };
    }
    match Reason::from_byte(event.reason).expect("a reason") {
        Reason::None => said,
        reason => format!("{said} {reason:?}"),
    }
}

/// Applies a command and says what came of it.
pub fn answers(rig: &mut Rig, command: Command) -> Vec<String> {
    rig.apply(command).iter().map(say).collect()
}
