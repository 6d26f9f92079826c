//! Turns recorded flow into commands, and the engine's answers back into the record's terms.
//!
//! Resting orders belong to session 1, aggressors to session 2, all of symbol 1. The record counts
//! open units where commands count totals, so the fills in the record are followed on the way.

use std::collections::BTreeMap;
use std::fmt;

use wire::ring::{Command, CommandKind, Event, EventKind, Side, TimeInForce};

use crate::command::command;
use crate::recorded::Recorded;

const MAKERS: u16 = 1;
const AGGRESSORS: u16 = 2;
const SYMBOL: u16 = 1;

/// A line names an order that the record did not leave live.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UnknownReference(pub u64);

impl fmt::Display for UnknownReference {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            to,
            "the record names order {} that is not live there",
            self.0
        )
    }
}

impl std::error::Error for UnknownReference {}

#[derive(Clone, Copy)]
struct Known {
    user_ref: u32,
    side: Side,
    executed: u32,
    open: u32,
}

/// Follows a record and makes its commands.
#[derive(Default)]
pub struct Replay {
    live: BTreeMap<u64, Known>,
    /// The record's number of each maker, by user reference - 1.
    references: Vec<u64>,
    aggressors: u32,
}

impl Replay {
    /// At the beginning of a record.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// What an engine must be told first.
    pub fn opening() -> impl Iterator<Item = Command> {
        let symbol = Command {
            symbol: SYMBOL,
            client_id: *b"RECORDED      ",
            ..command(CommandKind::DefineSymbol)
        };
        let session = |session| Command {
            session,
            user_ref: u32::from(session),
            client_id: *b"FLOW          ",
            ..command(CommandKind::DefineSession)
        };
        [
            symbol,
            session(MAKERS),
            session(AGGRESSORS),
            command(CommandKind::OpenDay),
        ]
        .into_iter()
    }

    /// Orders that the record leaves live so far.
    #[must_use]
    pub fn live_orders(&self) -> usize {
        self.live.len()
    }

    /// The command of the record's next line.
    pub fn command(&mut self, line: &Recorded) -> Result<Command, UnknownReference> {
        match *line {
            Recorded::New {
                reference,
                side,
                quantity,
                price,
            } => {
                let user_ref = self.enter(reference, side, 0, quantity);
                Ok(order(MAKERS, user_ref, side, (quantity, price)))
            }
            Recorded::Reduce {
                reference,
                quantity,
            } => {
                let known = self
                    .live
                    .get_mut(&reference)
                    .ok_or(UnknownReference(reference))?;
                known.open = known.open.saturating_sub(quantity);
                let known = *known;
                if known.open == 0 {
                    self.live.remove(&reference);
                    return Ok(cancel(known.user_ref, 0));
                }
                Ok(cancel(
                    known.user_ref,
                    known.executed.saturating_add(known.open),
                ))
            }
            Recorded::Delete { reference } => {
                let known = self
                    .live
                    .remove(&reference)
                    .ok_or(UnknownReference(reference))?;
                Ok(cancel(known.user_ref, 0))
            }
            Recorded::Replace {
                old,
                reference,
                quantity,
                price,
            } => {
                let known = self.live.remove(&old).ok_or(UnknownReference(old))?;
                let user_ref = self.enter(reference, known.side, known.executed, quantity);
                Ok(Command {
                    kind: CommandKind::Replace as u8,
                    old_user_ref: known.user_ref,
                    ..order(
                        MAKERS,
                        user_ref,
                        known.side,
                        (known.executed.saturating_add(quantity), price),
                    )
                })
            }
            Recorded::Aggressor {
                side,
                quantity,
                price,
                ref fills,
            } => {
                fills.iter().try_for_each(|fill| self.fill(*fill))?;
                self.aggressors += 1;
                Ok(Command {
                    time_in_force: TimeInForce::ImmediateOrCancel as u8,
                    ..order(AGGRESSORS, self.aggressors, side, (quantity, price))
                })
            }
        }
    }

    /// The makers' fills among the answers to one command, as the record writes them.
    #[must_use]
    pub fn fills(&self, events: &[Event]) -> Vec<(u64, u32)> {
        let makers = events
            .iter()
            .filter(|event| event.kind == EventKind::Executed as u8 && event.has(Event::MAKER));
        let reference = |user_ref: u32| self.reference(user_ref).unwrap_or_default();
        makers
            .map(|event| (reference(event.user_ref), event.quantity))
            .collect()
    }

    /// The record's number of a resting order.
    #[must_use]
    pub fn reference(&self, user_ref: u32) -> Option<u64> {
        self.references
            .get((user_ref as usize).checked_sub(1)?)
            .copied()
    }

    fn enter(&mut self, reference: u64, side: Side, executed: u32, open: u32) -> u32 {
        self.references.push(reference);
        let user_ref = self.references.len() as u32;
        self.live.insert(
            reference,
            Known {
                user_ref,
                side,
                executed,
                open,
            },
        );
        user_ref
    }

    fn fill(&mut self, (reference, quantity): (u64, u32)) -> Result<(), UnknownReference> {
        let known = self
            .live
            .get_mut(&reference)
            .ok_or(UnknownReference(reference))?;
        known.open = known.open.saturating_sub(quantity);
        known.executed = known.executed.saturating_add(quantity);
        if known.open == 0 {
            self.live.remove(&reference);
        }
        Ok(())
    }
}

fn cancel(user_ref: u32, quantity: u32) -> Command {
    Command {
        session: MAKERS,
        user_ref,
        quantity,
        ..command(CommandKind::Cancel)
    }
}

fn order(session: u16, user_ref: u32, side: Side, (quantity, price): (u32, i64)) -> Command {
    Command {
        side: side as u8,
        symbol: SYMBOL,
        session,
        user_ref,
        quantity,
        price,
        ..command(CommandKind::New)
    }
}
