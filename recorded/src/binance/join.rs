//! How changes join a snapshot, and each other.
//!
//! | | the first change behind a snapshot `L` | each further one |
//! |---|---|---|
//! | spot | the first with `u > L`; `U <= L + 1` | `U = u + 1` of the one before |
//! | perpetual | the first with `u >= L`; `U <= L` | `pu = u` of the one before |
//!
//! Binance, "How to manage a local order book correctly", of either market.

use std::collections::VecDeque;

use trading::What;

use crate::error::Fault;

/// The most changes that wait for a snapshot: at ten a second that is a quarter of an hour.
const KEPT_MAX: usize = 10_000;

/// A change of some levels.
pub struct Change {
    pub received_ns: u64,
    pub ms: u64,
    /// `U`: the first update in it.
    pub first: u64,
    /// `u`: the last one.
    pub last: u64,
    /// `pu`: the last one of the change before.
    pub previous: Option<u64>,
    pub levels: Vec<What>,
}

impl Change {
    /// Whether all in it is in a snapshot already.
    fn is_within(&self, snapshot: u64) -> bool {
        match self.previous {
            Some(_) => self.last < snapshot,
            None => self.last <= snapshot,
        }
    }

    fn joins_snapshot(&self, snapshot: u64) -> bool {
        match self.previous {
            Some(_) => self.first <= snapshot,
            None => self.first <= snapshot.saturating_add(1),
        }
    }

    fn joins_change(&self, last: u64) -> bool {
        match self.previous {
            Some(previous) => previous == last,
            None => Some(self.first) == last.checked_add(1),
        }
    }

    /// That it should have joined a snapshot.
    fn unjoined(&self, line: u64, snapshot: u64) -> Fault {
        Fault::Unjoined {
            line,
            snapshot,
            first: self.first,
            last: self.last,
            previous: self.previous,
        }
    }
}

/// What a change turned out to be.
pub enum Joined {
    /// The next one: it is to be told.
    Next(Change),
    /// The snapshot holds it.
    Stale,
    /// It waits for a snapshot.
    Kept,
    /// Updates before it are missing: the book is void, and the change waits for a snapshot.
    Gap { received_ns: u64 },
}

enum State {
    /// No book: changes are kept for the snapshot to come.
    Waiting,
    /// The book is a snapshot's, of that line.
    Snapshot { id: u64, line: u64 },
    /// The book is as of this update.
    Change { last: u64 },
}

/// Where a book stands between snapshots and changes.
pub struct Join {
    state: State,
    kept: VecDeque<Change>,
}

impl Join {
    pub const fn new() -> Self {
        Self {
            state: State::Waiting,
            kept: VecDeque::new(),
        }
    }

    /// Takes the change that came next.
    pub fn change(&mut self, change: Change) -> Result<Joined, Fault> {
        match self.state {
            State::Waiting => {
                if self.kept.len() == KEPT_MAX {
                    return Err(Fault::NoSnapshot(KEPT_MAX));
                }
                self.kept.push_back(change);
                return Ok(Joined::Kept);
            }
            State::Snapshot { id, .. } if change.is_within(id) => return Ok(Joined::Stale),
            State::Snapshot { id, line } if !change.joins_snapshot(id) => {
                return Err(change.unjoined(line, id));
            }
            State::Change { last } if !change.joins_change(last) => {
                self.state = State::Waiting;
                let received_ns = change.received_ns;
                // Others that waited are behind it.
                self.kept.push_front(change);
                return Ok(Joined::Gap { received_ns });
            }
            State::Snapshot { .. } | State::Change { .. } => {}
        }
        self.state = State::Change { last: change.last };
        Ok(Joined::Next(change))
    }

    /// Takes a snapshot of a line: how many kept changes it made stale, or `None` if the book is as
    /// new. What is kept and joins is then to be had of [`Join::next_kept`].
    pub fn snapshot(&mut self, id: u64, received_ns: u64, line: u64) -> Result<Option<u64>, Fault> {
        let newest = match self.state {
            State::Waiting => None,
            State::Snapshot { id, .. } => Some(id),
            State::Change { last } => Some(last),
        };
        if newest.is_some_and(|newest| id <= newest) {
            return Ok(None);
        }
        let before = self.kept.len();
        self.kept.retain(|change| !change.is_within(id));
        if let Some(first) = self.kept.front().filter(|it| !it.joins_snapshot(id)) {
            return Err(first.unjoined(line, id));
        }
        // Nobody could have known them before the snapshot was there.
        for change in &mut self.kept {
            change.received_ns = change.received_ns.max(received_ns);
        }
        self.state = State::Snapshot { id, line };
        Ok(Some((before - self.kept.len()) as u64))
    }

    /// The next change that had to wait for the snapshot. After one that does not join the one
    /// before there is no more.
    pub fn next_kept(&mut self) -> Option<Result<Joined, Fault>> {
        if matches!(self.state, State::Waiting) {
            return None;
        }
        let change = self.kept.pop_front()?;
        Some(self.change(change))
    }
}
