//! The market's clock: commands that come from the sequencer when their time has come.
//!
//! It knows the symbols' states from the engine's events, those of a replay included, and asks for
//! what the time of the day calls for in a symbol's present state. So it goes on after a restart
//! where it was, and what is in the journal is not asked for again.

use crate::topology;
use bytemuck::Zeroable;
use std::collections::VecDeque;
use std::time::Duration;
use wire::ring::{Command, CommandKind, Event, EventKind, MarketState};

/// A topology's schedule at work.
#[derive(Debug)]
pub struct Schedule {
    plan: topology::Schedule,
    /// When the day began.
    opened_ns: Option<u64>,
    /// By symbol number, from 1.
    states: Vec<MarketState>,
    /// What each symbol was asked to become last: what is refused is not asked for again.
    asked: Vec<Option<MarketState>>,
    /// When there is something to look at again.
    due_ns: u64,
    indicate_ns: u64,
    /// Time of the last input.
    input_ns: u64,
    commands: VecDeque<Command>,
}

impl Schedule {
    /// The schedule of a day that was not opened yet.
    #[must_use]
    pub fn new(plan: topology::Schedule, symbols: usize) -> Self {
        Self {
            plan,
            opened_ns: None,
            states: vec![MarketState::Continuous; symbols],
            asked: vec![None; symbols],
            due_ns: 0,
            indicate_ns: 0,
            input_ns: 0,
            commands: VecDeque::with_capacity(2 * symbols + 1),
        }
    }

    /// Takes an event of the engine.
    pub fn on_event(&mut self, event: &Event, time_ns: u64) {
        self.input_ns = time_ns;
        match EventKind::from_byte(event.kind) {
            Some(EventKind::DayOpened) => self.opened_ns = Some(time_ns),
            Some(EventKind::StateChanged) => {
                let state = u8::try_from(event.quantity).ok();
                let state = state.and_then(MarketState::from_byte);
                let known = self
                    .states
                    .get_mut(usize::from(event.symbol).wrapping_sub(1));
                if let (Some(known), Some(state)) = (known, state) {
                    *known = state;
                    self.due_ns = 0;
                }
            }
            _ => {}
        }
    }

    /// The next command that is due.
    pub fn next(&mut self, now_ns: u64) -> Option<Command> {
        let opened_ns = self.opened_ns?;
        if self.commands.is_empty() && now_ns >= self.due_ns {
            self.look(now_ns, now_ns.saturating_sub(opened_ns));
        }
        self.commands.pop_front()
    }

    fn look(&mut self, now_ns: u64, elapsed_ns: u64) {
        let is_to_indicate = now_ns >= self.indicate_ns;
        for symbol in 1..=self.states.len() {
            let state = self.states[symbol - 1];
            let wanted = self.wanted(state, elapsed_ns);
            let command = Command {
                symbol: symbol as u16,
                ..Command::zeroed()
            };
            if let Some(wanted) = wanted.filter(|it| self.asked[symbol - 1] != Some(*it)) {
                self.asked[symbol - 1] = Some(wanted);
                self.commands.push_back(Command {
                    kind: CommandKind::SetState as u8,
                    flags: wanted as u8,
                    ..command
                });
            } else if is_to_indicate && is_call(state) {
                self.commands.push_back(Command {
                    kind: CommandKind::Indicate as u8,
                    ..command
                });
            }
        }
        if is_to_indicate {
            self.indicate_ns = now_ns + ns(self.plan.indicate);
        }
        self.due_ns = self.due_next(now_ns, elapsed_ns);
    }

    /// When to look again. Should nothing else happen until `plan.time`, an input without a
    /// meaning tells the engine the time.
    fn due_next(&mut self, now_ns: u64, elapsed_ns: u64) -> u64 {
        let mut due_ns = self.indicate_ns;
        if let Some(time) = self.plan.time {
            if self.commands.is_empty() && now_ns.saturating_sub(self.input_ns) >= ns(time) {
                let kind = CommandKind::Time as u8;
                self.commands.push_back(Command {
                    kind,
                    ..Command::zeroed()
                });
            }
            due_ns = due_ns.min(now_ns + ns(time));
        }
        let turns = [
            self.plan.opening_auction,
            self.plan.continuous,
            self.plan.closing_auction,
            self.plan.closed,
        ];
        let later = turns
            .into_iter()
            .flatten()
            .map(ns)
            .filter(|it| *it > elapsed_ns);
        let wait_ns = later.min().map_or(u64::MAX, |turn_ns| turn_ns - elapsed_ns);
        due_ns.min(now_ns.saturating_add(wait_ns))
    }

    /// What a symbol is to become now.
    fn wanted(&self, state: MarketState, elapsed_ns: u64) -> Option<MarketState> {
        use MarketState as S;
        let is_past = |turn: Option<Duration>| turn.is_some_and(|it| elapsed_ns >= ns(it));
        let plan = &self.plan;
        let is_before_open = matches!(state, S::PreOpen | S::OpeningAuction);
        if is_past(plan.closed) && state == S::ClosingAuction {
            Some(S::Closed)
        } else if is_past(plan.closing_auction) {
            let is_done = matches!(state, S::ClosingAuction | S::Closed | S::Halt);
            (!is_done).then_some(S::ClosingAuction)
        } else if is_past(plan.continuous) {
            is_before_open.then_some(S::Continuous)
        } else {
            let is_due = is_past(plan.opening_auction) && state == S::PreOpen;
            is_due.then_some(S::OpeningAuction)
        }
    }
}

const fn is_call(state: MarketState) -> bool {
    matches!(
        state,
        MarketState::PreOpen
            | MarketState::OpeningAuction
            | MarketState::VolatilityAuction
            | MarketState::Reopening
            | MarketState::ClosingAuction
    )
}

/// A topology's times are a day at most.
const fn ns(time: Duration) -> u64 {
    time.as_nanos() as u64
}
