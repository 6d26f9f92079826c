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
    /// When each symbol's turns are due, once the day began: opening auction, continuous trading,
    /// closing auction, closed.
    turns: Option<Vec<[u64; 4]>>,
    /// When the day was opened, once it was.
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
    pub fn new(plan: topology::Schedule) -> Self {
        let symbols = plan.turns.len();
        Self {
            plan,
            turns: None,
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
            Some(EventKind::DayOpened) => self.open(time_ns),
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

    fn open(&mut self, time_ns: u64) {
        self.opened_ns = Some(time_ns);
        let turns = self.plan.turns.iter().map(|turns| due(turns, time_ns));
        self.turns = Some(turns.collect());
    }

    /// Writes what it learned of events: what it asked for is asked for again after a start.
    pub(super) fn state(&self, out: &mut Vec<u8>) {
        out.extend(self.opened_ns.unwrap_or(u64::MAX).to_le_bytes());
        out.extend(self.input_ns.to_le_bytes());
        out.extend(self.states.iter().map(|state| *state as u8));
    }

    /// Takes what it knew from bytes, before anything else; none when they are another plan's.
    pub(super) fn restore(&mut self, bytes: &[u8]) -> Option<()> {
        let (opened, rest) = bytes.split_first_chunk()?;
        let (input, states) = rest.split_first_chunk()?;
        let states: Option<Vec<_>> = states
            .iter()
            .map(|it| MarketState::from_byte(*it))
            .collect();
        self.states = states.filter(|states| states.len() == self.states.len())?;
        self.input_ns = u64::from_le_bytes(*input);
        let opened_ns = u64::from_le_bytes(*opened);
        if opened_ns != u64::MAX {
            self.open(opened_ns);
        }
        Some(())
    }

    /// The next command that is due.
    pub fn next(&mut self, now_ns: u64) -> Option<Command> {
        self.turns.as_ref()?;
        if self.commands.is_empty() && now_ns >= self.due_ns {
            self.look(now_ns);
        }
        self.commands.pop_front()
    }

    fn look(&mut self, now_ns: u64) {
        let is_to_indicate = now_ns >= self.indicate_ns;
        for symbol in 1..=self.states.len() {
            let state = self.states[symbol - 1];
            let wanted = self.wanted(symbol, state, now_ns);
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
        self.due_ns = self.due_next(now_ns);
    }

    /// When to look again. Should nothing else happen until `plan.time`, an input without a
    /// meaning tells the engine the time.
    fn due_next(&mut self, now_ns: u64) -> u64 {
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
        let turns = self.turns.iter().flatten().flatten();
        let later = turns.copied().filter(|it| *it > now_ns).min();
        due_ns.min(later.unwrap_or(u64::MAX))
    }

    /// What a symbol is to become now.
    fn wanted(&self, symbol: usize, state: MarketState, now_ns: u64) -> Option<MarketState> {
        use MarketState as S;
        let turns = self.turns.as_ref()?.get(symbol - 1)?;
        let [opening_auction, continuous, closing_auction, closed] =
            turns.map(|due_ns| now_ns >= due_ns);
        let is_before_open = matches!(state, S::PreOpen | S::OpeningAuction);
        if closed && state == S::ClosingAuction {
            Some(S::Closed)
        } else if closing_auction {
            let is_done = matches!(state, S::ClosingAuction | S::Closed | S::Halt);
            (!is_done).then_some(S::ClosingAuction)
        } else if continuous {
            is_before_open.then_some(S::Continuous)
        } else {
            let is_due = opening_auction && state == S::PreOpen;
            is_due.then_some(S::OpeningAuction)
        }
    }
}

/// When the turns are due in a day that opened then; those that there are not, never.
fn due(turns: &topology::Turns, opened_ns: u64) -> [u64; 4] {
    [
        turns.opening_auction,
        turns.continuous,
        turns.closing_auction,
        turns.closed,
    ]
    .map(|turn| turn.map_or(u64::MAX, |turn| turn.due_ns(opened_ns)))
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
