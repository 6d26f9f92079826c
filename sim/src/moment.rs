//! When a life ends: after so many steps, and some power cuts wait for what they can spoil.

use journal::simulated::Disk;

use crate::plan::{End, LifePlan};
use crate::random::Random;

/// Steps that a power cut waits at most for a write to be in flight.
const STEPS_TO_WRITE: u64 = 300;

/// Steps that it waits at most for the first write into a segment, and then lets pass at most: one
/// of these, because a quick disk flushes soon and a slow one does not.
const STEPS_TO_OPEN: u64 = 1_500;
const STEPS_OPENING: [u64; 3] = [4, 16, 80];

/// What a power cut may wait for.
type Sight = fn(&Disk) -> bool;

/// The end of a life's traffic.
pub(crate) struct Moment {
    /// The step at which it comes, or from which on it waits.
    step: u64,
    /// The step at which it waits no more.
    bound: u64,
    awaited: Option<Sight>,
    /// Steps that pass when that is so.
    passing: u64,
}

impl Moment {
    /// Half of the power cuts wait: for a write to be in flight, or for the first one into a
    /// segment where others look at closed ones, who then have some turns.
    pub fn of(plan: &LifePlan, has_retention: bool, random: &mut Random) -> Self {
        let step = plan.end.steps();
        let waits = matches!(plan.end, End::Power(_)) && random.chance(500_000);
        let steps_opening = random.one_of(&STEPS_OPENING);
        let (wait, passing, awaited): (_, _, Option<Sight>) = match (waits, has_retention) {
            (false, _) => (0, 0, None),
            (true, false) => (STEPS_TO_WRITE, 0, Some(Disk::is_writing)),
            (true, true) => (
                STEPS_TO_OPEN,
                1 + random.below(steps_opening),
                Some(Disk::is_opening),
            ),
        };
        Self {
            step,
            bound: step + wait,
            awaited,
            passing,
        }
    }

    /// Whether a segment is being opened, and those who look at closed ones shall have turns.
    pub fn is_opening(&self) -> bool {
        self.awaited.is_none() && self.passing > 0
    }

    /// Whether it has come; asked at each step.
    pub fn has_come(&mut self, step: u64, disk: &Disk) -> bool {
        if let Some(awaited) = self.awaited
            && step >= self.step
            && (step >= self.bound || awaited(disk))
        {
            self.step = step + self.passing;
            self.awaited = None;
        }
        step >= self.step && self.awaited.is_none()
    }
}
