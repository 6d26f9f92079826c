//! Plays a recorded flow against a venue and checks that every fill is the recorded one.
//!
//! Resting orders belong to one member, aggressors to another. Commands of different members reach
//! the venue over different connections, so the order between them is kept by waiting for every
//! answer before the other member speaks; within one member a window of commands is under way.

use std::collections::{BTreeMap, VecDeque};
use std::fmt;
use std::net::SocketAddr;

use flow::recorded::{Recorded, Replay};
use nic::TcpPort;
use session::ouch_client::{OuchClient, Replacement, Reply};
use wire::ouch::Outbound;
use wire::ring::{Command, CommandKind};

use super::load::order_of;
use super::members::{MemberError, Members};

/// Commands of one member under way at most.
const WINDOW: usize = 64;
/// Members that a recorded flow needs: resting orders, aggressors.
pub const MEMBERS: usize = 2;
const MAKERS: usize = 0;

/// A trade, from both sides.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Trade {
    maker: Option<(u32, u32)>,
    aggressor: Option<(u32, u32)>,
}

/// The fills of the record beside those of the replies.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Verdict {
    /// Aggressors in the record.
    pub aggressors: usize,
    /// Fills in the record.
    pub fills: usize,
    /// Aggressors whose fills differ, in words.
    pub differences: Vec<String>,
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let wrong = self.differences.len();
        write!(
            f,
            "{} aggressors, {} fills, {wrong} different",
            self.aggressors, self.fills
        )
    }
}

/// Plays one record.
pub struct Player<T> {
    members: Members<T>,
    symbol: [u8; 8],
    lines: Vec<Recorded>,
    commands: Vec<Command>,
    replay: Replay,
    sent: usize,
    answered: usize,
    sent_again: usize,
    /// Commands under way, all of one member, in the order they were sent.
    under_way: VecDeque<usize>,
    /// For each member after a reconnect: the number of its next order, once it is known.
    resuming: Option<[Option<u32>; MEMBERS]>,
    trades: BTreeMap<u64, Trade>,
    /// User reference numbers of resting orders by the venue's order reference.
    user_refs: BTreeMap<u64, u32>,
    rejected: Vec<(usize, u32, u16)>,
}

impl<T: TcpPort> Player<T> {
    /// A player that has not begun; `members` are two.
    ///
    /// # Errors
    /// The record names an order that it does not leave live.
    pub fn new(members: Members<T>, symbol: &str, lines: Vec<Recorded>) -> Result<Self, String> {
        let mut replay = Replay::new();
        let mut commands = Vec::with_capacity(lines.len());
        for (index, line) in lines.iter().enumerate() {
            let command = replay.command(line);
            commands.push(command.map_err(|error| format!("line {}: {error}", index + 1))?);
        }
        Ok(Self {
            members,
            symbol: wire::padded(symbol),
            lines,
            commands,
            replay,
            sent: 0,
            answered: 0,
            sent_again: 0,
            under_way: VecDeque::new(),
            resuming: None,
            trades: BTreeMap::new(),
            user_refs: BTreeMap::new(),
            rejected: Vec::new(),
        })
    }

    /// Commands in all.
    #[must_use]
    pub fn commands(&self) -> usize {
        self.commands.len()
    }

    /// Commands that were answered.
    #[must_use]
    pub fn answered(&self) -> usize {
        self.answered
    }

    /// Commands that were sent again after a reconnect.
    #[must_use]
    pub fn sent_again(&self) -> usize {
        self.sent_again
    }

    /// Whether everything was sent and answered.
    #[must_use]
    pub fn is_done(&self) -> bool {
        self.answered == self.commands.len()
    }

    /// The members, to go on with after the run.
    pub fn members(&mut self) -> &mut Members<T> {
        &mut self.members
    }

    /// The venue is gone; it will come back at `address`. What it had not taken is sent again.
    pub fn reconnect(&mut self, address: SocketAddr) {
        self.members.reconnect(address);
        self.resuming = Some([None; MEMBERS]);
    }

    /// One turn: reads replies, sends what may go. Returns how much came.
    ///
    /// # Errors
    /// A member that cannot go on.
    pub fn poll(&mut self, now_ns: u64) -> Result<usize, MemberError> {
        let mut heard = Vec::new();
        let moved = self.members.poll(now_ns, &mut |index, reply| match reply {
            Reply::Message(_, message) => heard.push((index, Heard::of(&message))),
            Reply::LoggedIn(_) => heard.push((index, Heard::LoggedIn)),
            _ => {}
        })?;
        for (index, heard) in heard {
            self.hear(index, heard);
        }
        if self.resuming.is_some() {
            self.resume();
        } else if self.members.all_live() {
            self.send();
        }
        self.members.transmit(now_ns);
        Ok(moved)
    }

    /// Whether the trades of the replies are those of the record, maker by maker.
    #[must_use]
    pub fn verdict(&self) -> Verdict {
        let mut found: BTreeMap<u32, Vec<(u64, u32)>> = BTreeMap::new();
        let mut verdict = Verdict::default();
        for (match_number, trade) in &self.trades {
            match (trade.maker, trade.aggressor) {
                (Some((maker, quantity)), Some((aggressor, same))) if quantity == same => {
                    let reference = self.replay.reference(maker).unwrap_or_default();
                    found
                        .entry(aggressor)
                        .or_default()
                        .push((reference, quantity));
                }
                _ => verdict
                    .differences
                    .push(format!("match {match_number}: {trade:?}")),
            }
        }
        for (index, user_ref, reason) in &self.rejected {
            let member = if *index == MAKERS {
                "maker"
            } else {
                "aggressor"
            };
            verdict.differences.push(format!(
                "order {user_ref} of the {member} was rejected: reason {reason:#x}"
            ));
        }
        self.compare(&found, verdict)
    }

    fn compare(&self, found: &BTreeMap<u32, Vec<(u64, u32)>>, mut verdict: Verdict) -> Verdict {
        for (line, command) in self.lines.iter().zip(&self.commands) {
            let Recorded::Aggressor { fills, .. } = line else {
                continue;
            };
            verdict.aggressors += 1;
            verdict.fills += fills.len();
            let found = found.get(&command.user_ref).map_or(&[][..], Vec::as_slice);
            if found != fills.as_slice() {
                verdict.differences.push(format!(
                    "aggressor {}: {found:?} instead of {fills:?}",
                    command.user_ref
                ));
            }
        }
        verdict
    }

    /// What a feed must show: for each match number the venue's number of the maker and the units.
    #[must_use]
    pub fn trades_by_order_ref(&self) -> BTreeMap<u64, (u64, u32)> {
        let order_refs: BTreeMap<u32, u64> = self
            .user_refs
            .iter()
            .map(|(&order_ref, &user_ref)| (user_ref, order_ref))
            .collect();
        let makers = self.trades.iter().filter_map(|(&number, trade)| {
            let (user_ref, quantity) = trade.maker?;
            Some((number, (*order_refs.get(&user_ref)?, quantity)))
        });
        makers.collect()
    }

    fn hear(&mut self, index: usize, heard: Heard) {
        match heard {
            Heard::LoggedIn => {
                if self.resuming.is_some() {
                    // The answer comes once there is room; a full buffer cannot be at a login.
                    let _ = self.members.member(index).query();
                }
            }
            Heard::NextUserRef(user_ref) => {
                if let Some(next) = &mut self.resuming {
                    next[index] = Some(user_ref);
                }
            }
            Heard::Taken {
                user_ref,
                order_ref,
            } => {
                if index == MAKERS {
                    self.user_refs.insert(order_ref, user_ref);
                }
                self.answer(index, user_ref, false);
            }
            Heard::Rejected { user_ref, reason } => {
                self.rejected.push((index, user_ref, reason));
                self.answer(index, user_ref, false);
            }
            Heard::CancelAnswered { user_ref } => self.answer(index, user_ref, true),
            Heard::Executed {
                user_ref,
                quantity,
                match_number,
            } => {
                let trade = self.trades.entry(match_number).or_default();
                let side = if index == MAKERS {
                    &mut trade.maker
                } else {
                    &mut trade.aggressor
                };
                *side = Some((user_ref, quantity));
            }
            Heard::Other => {}
        }
    }

    /// A second answer, to a command that was sent again, finds nothing.
    fn answer(&mut self, index: usize, user_ref: u32, cancel: bool) {
        let commands = &self.commands;
        let asked = |at: &usize| {
            let command = &commands[*at];
            let is_cancel = command.kind == CommandKind::Cancel as u8;
            member_of(command) == index && command.user_ref == user_ref && is_cancel == cancel
        };
        if let Some(place) = self.under_way.iter().position(asked) {
            self.under_way.remove(place);
            self.answered += 1;
        }
    }

    fn send(&mut self) {
        while let Some(command) = self.commands.get(self.sent) {
            let index = member_of(command);
            let other = self
                .under_way
                .front()
                .map(|&at| member_of(&self.commands[at]));
            let blocked = other.is_some_and(|other| other != index);
            if blocked || self.under_way.len() == WINDOW {
                return;
            }
            if !send_command(self.members.member(index), command, self.symbol) {
                return;
            }
            self.under_way.push_back(self.sent);
            self.sent += 1;
        }
    }

    /// Once the venue said which orders it has, sends again what it may not have. What it took of a
    /// member's commands is a beginning of them; a cancel behind the last order that it has may
    /// have been taken or not, and taking it twice does nothing.
    fn resume(&mut self) {
        let Some([Some(makers_next), Some(aggressors_next)]) = self.resuming else {
            return;
        };
        self.resuming = None;
        let next = [makers_next, aggressors_next];
        let is_taken = |&at: &usize| {
            let command = &self.commands[at];
            let numbered = command.kind != CommandKind::Cancel as u8;
            numbered && command.user_ref < next[member_of(command)]
        };
        let taken = self
            .under_way
            .iter()
            .rposition(is_taken)
            .map_or(0, |last| last + 1);
        for &at in self.under_way.iter().skip(taken) {
            let command = &self.commands[at];
            // A new connection's buffer has room for a window of commands.
            if send_command(
                self.members.member(member_of(command)),
                command,
                self.symbol,
            ) {
                self.sent_again += 1;
            }
        }
    }
}

/// What a reply means to the player.
#[derive(Clone, Copy, Debug)]
enum Heard {
    LoggedIn,
    NextUserRef(u32),
    Taken {
        user_ref: u32,
        order_ref: u64,
    },
    Rejected {
        user_ref: u32,
        reason: u16,
    },
    CancelAnswered {
        user_ref: u32,
    },
    Executed {
        user_ref: u32,
        quantity: u32,
        match_number: u64,
    },
    Other,
}

impl Heard {
    fn of(message: &Outbound<'_>) -> Self {
        match message {
            Outbound::Accepted(m) => Self::Taken {
                user_ref: m.user_ref(),
                order_ref: m.order_ref(),
            },
            Outbound::Replaced(m) => Self::Taken {
                user_ref: m.user_ref(),
                order_ref: m.order_ref(),
            },
            Outbound::Rejected(m) => Self::Rejected {
                user_ref: m.user_ref(),
                reason: m.reason(),
            },
            Outbound::CancelReject(m) => Self::CancelAnswered {
                user_ref: m.user_ref(),
            },
            Outbound::Canceled(m) if m.reason() == b'U' => Self::CancelAnswered {
                user_ref: m.user_ref(),
            },
            Outbound::Executed(m) => Self::Executed {
                user_ref: m.user_ref(),
                quantity: m.quantity(),
                match_number: m.match_number(),
            },
            Outbound::AccountQueryResponse(m) => Self::NextUserRef(m.next_user_ref()),
            _ => Self::Other,
        }
    }
}

fn member_of(command: &Command) -> usize {
    usize::from(command.session).saturating_sub(1)
}

fn send_command(ouch: &mut OuchClient, command: &Command, symbol: [u8; 8]) -> bool {
    if command.kind == CommandKind::Cancel as u8 {
        return ouch.cancel(command.user_ref, command.quantity);
    }
    ouch.set_user_ref_next(command.user_ref);
    if command.kind == CommandKind::Replace as u8 {
        let by = Replacement::day(command.quantity, command.price.unsigned_abs());
        return ouch.replace(command.old_user_ref, &by, &[]).is_some();
    }
    ouch.enter(&order_of(command, symbol)).is_some()
}
