//! What a router has seen of its primary.

use crate::Position;
use std::collections::VecDeque;
use std::time::{Duration, Instant};

/// How often a router looks at its primary within its bound: what it saw is older by that much than
/// a replica needs to be.
const SIGHTINGS_A_BOUND: u32 = 4;

/// Where the primary was when.
#[derive(Debug)]
pub struct Sightings {
    bound: Duration,
    seen: VecDeque<(Instant, Position)>,
}

impl Sightings {
    /// None yet, for replicas that may be so old.
    pub const fn new(bound: Duration) -> Self {
        let seen = VecDeque::new();
        Self { bound, seen }
    }

    /// Whether the primary is to be looked at again.
    pub fn are_old(&self, now: Instant) -> bool {
        let every = self.bound / SIGHTINGS_A_BOUND;
        let last = self.seen.back();
        last.is_none_or(|(at, _)| now.saturating_duration_since(*at) >= every)
    }

    /// The primary was there: all that was committed by `at` stands before it.
    pub fn add(&mut self, at: Instant, position: Position) {
        self.seen.push_back((at, position));
        // What is older than the bound proves nothing any more, but for the last one.
        while self.seen.len() > 1 && at.saturating_duration_since(self.seen[0].0) > self.bound {
            self.seen.pop_front();
        }
    }

    /// Where a replica must be that lacks nothing older than the bound. While the primary is away
    /// nothing is committed there, and the bound counts back from when it was last seen.
    pub fn needed(&self, now: Instant, is_there: bool) -> Option<Position> {
        let last = self.seen.back()?;
        let end = if is_there { now } else { last.0 };
        let fresh =
            |(at, _): &&(Instant, Position)| end.saturating_duration_since(*at) <= self.bound;
        // The last one proves what was so when it was begun to look.
        let found = self.seen.iter().find(fresh).unwrap_or(last);
        Some(found.1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_replica_must_be_where_the_primary_was_within_the_bound() {
        let second = Duration::from_secs(1);
        let begun = Instant::now();
        let at = |ms: u64| begun + Duration::from_millis(ms);
        let mut seen = Sightings::new(second);
        assert!(seen.are_old(at(0)) && seen.needed(at(0), true).is_none());
        seen.add(at(0), Position::of(10));
        assert!(!seen.are_old(at(249)) && seen.are_old(at(250)));
        assert_eq!(seen.needed(at(1_000), true), Some(Position::of(10)));
        assert_eq!(
            seen.needed(at(1_001), true),
            Some(Position::of(10)),
            "nothing newer is known"
        );
        assert_eq!(
            seen.needed(at(9_000), false),
            Some(Position::of(10)),
            "it was away since"
        );
        seen.add(at(600), Position::of(20));
        assert_eq!(seen.needed(at(1_000), true), Some(Position::of(10)));
        assert_eq!(seen.needed(at(1_001), true), Some(Position::of(20)));
        seen.add(at(1_700), Position::of(30));
        assert_eq!(seen.needed(at(1_700), true), Some(Position::of(30)));
        assert_eq!(seen.seen.len(), 1, "what proves nothing is forgotten");
    }
}
