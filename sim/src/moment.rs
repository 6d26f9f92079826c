//! When a life ends: after so many steps, and some ends wait for what they can spoil.

use journal::simulated::{Disk, Faults};

use crate::plan::{End, LifePlan, Wound};
use crate::random::Random;

/// Steps that a power cut waits at most for a write to be in flight.
const STEPS_TO_WRITE: u64 = 300;

/// Steps that an end waits at most for the first write into a segment, or for one to go.
const STEPS_TO_SEGMENT: u64 = 1_500;

/// Steps that pass at most from the first write into a segment on: one of these.
const STEPS_OPENING: [u64; 3] = [4, 16, 80];

/// Polls that the disk takes at least sometimes while an opening is waited for: on a quicker one
/// nobody ever has a turn before it is flushed.
const OPENING_DELAY_POLLS: u32 = 3;

/// Ends that wait, in a million: of all, and where segments are kept or let go of.
const PATIENT_IN_MILLION: [u32; 2] = [500_000, 750_000];

/// What an end may wait for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Sight {
    /// A write is in flight.
    Write,
    /// The first write into a segment is.
    Opening,
    /// More segments have gone than so many.
    Removal(u64),
}

impl Sight {
    /// What an end waits for, if it does; not all do that could. A power cut may come at a
    /// write, or at the first one into a segment where others look at closed ones; damage to the
    /// newest snapshot may come when a segment has just gone because of it.
    fn of(
        plan: &LifePlan,
        has_retention: bool,
        (disk, random): (&Disk, &mut Random),
    ) -> Option<Self> {
        if !random.chance(PATIENT_IN_MILLION[usize::from(has_retention)]) {
            return None;
        }
        match (plan.end, plan.wound) {
            (End::Last(_), _) => None,
            (_, Some(Wound::Snapshot)) if has_retention => {
                Some(Self::Removal(disk.counts().retired))
            }
            (End::Power(_), _) if has_retention => Some(Self::Opening),
            (End::Power(_), _) => Some(Self::Write),
            _ => None,
        }
    }

    /// Steps that it is waited for at most.
    const fn steps_max(self) -> u64 {
        match self {
            Self::Write => STEPS_TO_WRITE,
            Self::Opening | Self::Removal(_) => STEPS_TO_SEGMENT,
        }
    }

    fn is_there(self, disk: &Disk) -> bool {
        match self {
            Self::Write => disk.is_writing(),
            Self::Opening => disk.is_opening(),
            Self::Removal(before) => disk.counts().retired > before,
        }
    }
}

/// The end of a life's traffic.
pub(crate) struct Moment {
    /// The step at which it comes, or from which on it waits.
    step: u64,
    /// The step at which it waits no more.
    bound: u64,
    awaited: Option<Sight>,
    /// Steps that pass when a segment is being opened.
    steps_opening: u64,
    is_opening: bool,
}

impl Moment {
    /// When a life of this plan ends. One that waits for a segment may do so from its first step
    /// on: there are few of them in a life.
    pub fn of(plan: &LifePlan, has_retention: bool, (disk, random): (&Disk, &mut Random)) -> Self {
        let steps = plan.end.steps();
        let steps_opening = random.one_of(&STEPS_OPENING);
        let awaited = Sight::of(plan, has_retention, (disk, &mut *random));
        let step = match awaited {
            Some(Sight::Opening | Sight::Removal(_)) => random.below(steps + 1),
            Some(Sight::Write) | None => steps,
        };
        Self {
            step,
            bound: steps + awaited.map_or(0, Sight::steps_max),
            awaited,
            steps_opening: 1 + random.below(steps_opening),
            is_opening: false,
        }
    }

    /// Whether a segment is being opened, and those who look at closed ones shall have turns.
    pub const fn is_opening(&self) -> bool {
        self.is_opening
    }

    /// Whether it has come; asked at each step. A disk on which a segment is being opened stands
    /// still from then on.
    pub fn has_come(&mut self, step: u64, disk: &Disk) -> bool {
        if step < self.step {
            return false;
        }
        let Some(awaited) = self.awaited else {
            return true;
        };
        if step == self.step && awaited == Sight::Opening {
            let faults = disk.faults();
            disk.set_faults(Faults {
                delay_polls_max: faults.delay_polls_max.max(OPENING_DELAY_POLLS),
                ..faults
            });
        }
        let is_there = awaited.is_there(disk);
        if !is_there && step < self.bound {
            return false;
        }
        self.awaited = None;
        self.is_opening = is_there && awaited == Sight::Opening;
        if self.is_opening {
            self.step = step + self.steps_opening;
            disk.set_faults(Faults {
                is_stalled: true,
                ..disk.faults()
            });
        }
        !self.is_opening
    }
}
