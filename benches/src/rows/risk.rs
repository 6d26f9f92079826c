//! `risk`: the engine with every limit of every account set, against itself without any.
//!
//! The limits are so wide that they refuse nothing of the flow: both must give the same events and
//! leave the same orders, and every order, cancel and trade is counted for its account. That the
//! limits are on is looked at before the clock starts: an order exactly at each limit is accepted,
//! and refused when the limit is one less; and an account of the flow has as many live orders as
//! its books show. What the limits cost is the difference of the medians.

use matching::{Engine, Events, Line};
use wire::ring::{Command, CommandKind, EventKind, Input, QUANTITY_MAX, Reason, Side, TimeInForce};

use super::matching::{BURST, EventDigest, Flow, apply, engine, timed, turn_engine};
use crate::compare::{Case, Subject, compare};
use crate::memory::engine_memory;
use crate::stats::Samples;
use crate::{BenchError, Options, Row};

/// The row.
pub const ROW: Row = Row {
    name: "risk",
    about: "commands of generated flow: the engine with all limits of all accounts, and without",
    run,
};

const LIVE_ORDERS: u8 = 4;
const RATE: u8 = 8;
const RESTRICTED: u8 = 9;

/// Limits that refuse nothing of the flow; a rate has orders at once beside it.
const WIDE: [(u8, i64, u32); 8] = [
    (1, QUANTITY_MAX as i64 - 1, 0),
    (2, 100_000_000_000_000, 0),
    (3, 100_000, 0),
    (LIVE_ORDERS, 10_000_000, 0),
    (5, 1_000_000_000_000, 0),
    (6, 1_000_000_000_000_000_000, 0),
    (7, 1_000_000_000_000_000_000, 0),
    (RATE, 1_000_000_000, 1_000_000),
];

/// What the order of [`Limited::look_at_each`] comes to in each limit, and why it is refused if
/// that is one less.
const TRIED: [(u8, i64, Reason); 7] = [
    (1, 50, Reason::MaxQuantity),
    (2, 50 * 101, Reason::MaxNotional),
    (3, 100, Reason::FatFinger),
    (LIVE_ORDERS, 2, Reason::MaxOpenOrders),
    (5, 10 + 1 + 50, Reason::MaxPosition),
    (6, 10 * 100 + 1 + 50 * 101, Reason::GrossCredit),
    (7, 10 * 100 + 1 + 50 * 101, Reason::NetCredit),
];

/// A flow, and the numbers of what is defined beside it.
struct Limited {
    flow: Flow,
    limits: matching::Limits,
    /// Sessions of accounts of their own, by which limits are tried.
    session: u16,
    session_other: u16,
    /// Where they trade.
    symbol: u16,
    /// A symbol that nobody may trade.
    symbol_restricted: u16,
}

fn run(options: &Options) -> Result<Vec<Case>, BenchError> {
    let commands = options.effort.pick(2_000, 50_000, 500_000);
    let standing = options.effort.pick(500, 100_000, 100_000) as u32;
    let limited = Limited::make(standing, commands)?;
    let mut memory = engine_memory(&limited.limits)?;
    limited.look(&mut memory)?;
    let mut memory_without = engine_memory(&limited.flow.limits)?;
    let names = [
        "100k orders, each command",
        "100k orders, bursts of 32 looked ahead, per command",
    ];
    let subjects = vec![
        Subject::new("with limits", || limited.turn(&mut memory)),
        Subject::new("without limits", || {
            turn_engine(&limited.flow, &mut memory_without)
        }),
    ];
    compare(&names, options.effort.rounds(), subjects)
}

impl Limited {
    fn make(standing: u32, commands: usize) -> Result<Self, BenchError> {
        let flow = Flow::make(standing, commands)?;
        let limits = matching::Limits {
            symbols: flow.limits.symbols + 2,
            sessions: flow.limits.sessions + 2,
            accounts: flow.limits.sessions + 2,
            ..flow.limits
        };
        Ok(Self {
            limits,
            session: flow.limits.sessions + 1,
            session_other: flow.limits.sessions + 2,
            symbol: flow.limits.symbols + 1,
            symbol_restricted: flow.limits.symbols + 2,
            flow,
        })
    }

    /// What comes ahead of the day: definitions and limits.
    fn commands_before(&self) -> Vec<Command> {
        let symbols = [self.symbol, self.symbol_restricted].map(|symbol| Command {
            symbol,
            ..of(CommandKind::DefineSymbol)
        });
        let sessions = [self.session, self.session_other].map(|session| Command {
            session,
            user_ref: u32::from(session),
            ..of(CommandKind::DefineSession)
        });
        // An account of the flow has the number of its session.
        let accounts = 1..=u32::from(self.limits.sessions);
        let limits = accounts.flat_map(|account| {
            let wide = WIDE.map(|(flags, value, at_once)| limit(account, flags, value, at_once));
            let restricted = Command {
                symbol: self.symbol_restricted,
                ..limit(account, RESTRICTED, 1, 0)
            };
            wide.into_iter().chain([restricted])
        });
        symbols.into_iter().chain(sessions).chain(limits).collect()
    }

    /// An engine at the place where the clock starts.
    fn engine<'m>(&self, memory: &'m mut [Line]) -> Result<Engine<'m>, BenchError> {
        let mut engine = engine(self.limits, memory)?;
        for input in &self.flow.before {
            if input.command.kind == CommandKind::OpenDay as u8 {
                for command in self.commands_before() {
                    expect(&mut engine, input.time_ns, command, Reason::None)?;
                }
            }
            apply(&mut engine, input, &mut Events::new(), |_| ());
        }
        Ok(engine)
    }

    /// Looks whether the limits are on and change nothing of the flow.
    fn look(&self, memory: &mut [Line]) -> Result<(), BenchError> {
        let mut engine = self.engine(memory)?;
        let (mut digest, mut events) = (EventDigest::default(), Events::new());
        for inputs in self.flow.timed.chunks(BURST) {
            for (at, input) in inputs.iter().enumerate() {
                engine.look_ahead(inputs, at);
                apply(&mut engine, input, &mut events, |events| {
                    events.iter().for_each(|event| digest.add(event));
                });
            }
        }
        if digest != self.flow.digest {
            let what = format!("{digest:?} with limits instead of {:?}", self.flow.digest);
            return Err(BenchError::WrongAnswer(what));
        }
        let now_ns = self.flow.timed.last().map_or(0, |input| input.time_ns);
        self.look_at_live(&mut engine, now_ns)?;
        self.look_at_each(&mut engine, now_ns)
    }

    /// Whether an account of the flow may have one live order more than its books show, and no
    /// second one.
    fn look_at_live(&self, engine: &mut Engine<'_>, now_ns: u64) -> Result<(), BenchError> {
        let mut live = 0;
        for symbol in engine.symbols().collect::<Vec<_>>() {
            for side in [Side::Buy, Side::Sell] {
                engine.orders(symbol, side, |order| live += i64::from(order.session == 1));
            }
        }
        for (more, reason) in [(0, Reason::MaxOpenOrders), (1, Reason::None)] {
            let limit = limit(1, LIVE_ORDERS, live + more, 0);
            expect(engine, now_ns, limit, Reason::None)?;
            // Beyond all numbers that the flow gave.
            expect(engine, now_ns, self.order(1, u32::MAX, 1, 1), reason)?;
        }
        Ok(())
    }

    /// An order exactly at each limit, and beyond it.
    fn look_at_each(&self, engine: &mut Engine<'_>, now_ns: u64) -> Result<(), BenchError> {
        let (session, account) = (self.session, u32::from(self.session));
        let rests = |command: Command| Command {
            time_in_force: TimeInForce::Day as u8,
            ..command
        };
        let sell = Command {
            side: Side::Sell as u8,
            ..rests(self.order(self.session_other, 1, 10, 100))
        };
        let at_first = [
            sell,
            self.order(session, 1, 10, 100),
            rests(self.order(session, 2, 1, 1)),
        ];
        let mut send = |command, reason| expect(engine, now_ns, command, reason);
        for command in at_first {
            send(command, Reason::None)?;
        }
        let mut user_ref = 3;
        for (flags, value, reason) in TRIED {
            for (value, reason) in [(value - 1, reason), (value, Reason::None)] {
                send(limit(account, flags, value, 0), Reason::None)?;
                send(self.order(session, user_ref, 50, 101), reason)?;
                user_ref += 1;
            }
            let (_, wide, _) = WIDE[usize::from(flags) - 1];
            send(limit(account, flags, wide, 0), Reason::None)?;
        }
        let restricted = Command {
            symbol: self.symbol_restricted,
            ..self.order(session, user_ref, 1, 1)
        };
        send(restricted, Reason::Restricted)?;
        send(limit(account, RATE, 1, 1), Reason::None)?;
        // The turns that were taken so far are a few nanoseconds ahead.
        send(self.order(session, user_ref, 1, 1), Reason::RateLimit)?;
        Ok(())
    }

    /// An immediate-or-cancel order to buy.
    fn order(&self, session: u16, user_ref: u32, quantity: u32, price: i64) -> Command {
        Command {
            session,
            user_ref,
            quantity,
            price,
            symbol: self.symbol,
            side: Side::Buy as u8,
            time_in_force: TimeInForce::ImmediateOrCancel as u8,
            ..of(CommandKind::New)
        }
    }

    fn turn(&self, memory: &mut [Line]) -> Result<Vec<Samples>, BenchError> {
        let mut cases = Vec::new();
        for group in [1, BURST] {
            let mut engine = self.engine(memory)?;
            let (mut events, mut count) = (Events::new(), 0);
            let looks = group > 1 && engine.is_ahead_worthwhile();
            cases.push(timed(&self.flow.timed, group, |inputs| {
                for (at, input) in inputs.iter().enumerate() {
                    if looks {
                        engine.look_ahead(inputs, at);
                    }
                    apply(&mut engine, input, &mut events, |events| {
                        count += events.len();
                    });
                }
            }));
            self.flow.check(count, engine.live_orders() as usize)?;
        }
        Ok(cases)
    }
}

fn of(kind: CommandKind) -> Command {
    Command {
        kind: kind as u8,
        ..bytemuck::Zeroable::zeroed()
    }
}

fn limit(account: u32, flags: u8, price: i64, at_once: u32) -> Command {
    Command {
        user_ref: account,
        flags,
        price,
        quantity: at_once,
        ..of(CommandKind::SetLimit)
    }
}

/// Applies a command that must be refused for a reason, or for none.
fn expect(
    engine: &mut Engine<'_>,
    time_ns: u64,
    command: Command,
    reason: Reason,
) -> Result<(), BenchError> {
    let input = Input {
        sequence: 0,
        time_ns,
        command,
    };
    let mut found = None;
    apply(engine, &input, &mut Events::new(), |events| {
        found = found.or(events.first().copied());
    });
    let refusals = [EventKind::Refused as u8, EventKind::Rejected as u8];
    let refused = found.filter(|event| refusals.contains(&event.kind));
    if refused.map_or(0, |event| event.reason) == reason as u8 {
        return Ok(());
    }
    let what = format!("{command:?}: {refused:?} instead of {reason:?}");
    Err(BenchError::WrongAnswer(what))
}
