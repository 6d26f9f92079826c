//! What a seed makes happen.

use journal::simulated::Faults as DiskFaults;

use crate::net::Faults as NetFaults;
use crate::random::Random;

/// Lives of the venue in one run, the last one included.
const LIVES_MAX: u64 = 8;

/// How a life of the venue ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// The power fails after so many steps: unflushed sectors are kept or lost by chance.
    Power(u64),
    /// The process is killed after so many steps: what was written stays.
    Kill(u64),
    /// The venue is asked to stop after so many steps, and drains.
    Clean(u64),
    /// After so many steps everything that was begun is finished, compared, and the venue stops.
    Last(u64),
}

impl End {
    /// Steps before it begins.
    #[must_use]
    pub const fn steps(self) -> u64 {
        match self {
            Self::Power(steps) | Self::Kill(steps) | Self::Clean(steps) | Self::Last(steps) => {
                steps
            }
        }
    }
}

/// One life of the venue, from start to end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LifePlan {
    /// How it ends.
    pub end: End,
    /// How the network behaves.
    pub net: NetFaults,
    /// Polls that the disk takes at most for a report.
    pub disk_delay_polls: u32,
    /// The write of this life with this number fails: `true` in its flush.
    pub disk_fails: Option<(u64, bool)>,
    /// The disk has no room for a new segment until this step.
    pub disk_full_until: u64,
    /// Steps at which one connection breaks, in a million.
    pub cut_in_million: u32,
    /// Steps at which a command is made, in a million.
    pub command_in_million: u32,
}

/// A whole run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Plan {
    /// The seed that it came from.
    pub seed: u64,
    /// Members, 1 to 4.
    pub members: u16,
    /// Symbols, 1 to 4.
    pub symbols: u16,
    /// Steps at which the operator says a word, in a million.
    pub word_in_million: u32,
    /// Orders that ask for more than plain orders do, in a million.
    pub wishes_in_million: u32,
    /// Whether the topology has rules: states of the day, bands, limits, self-trade prevention.
    pub has_rules: bool,
    /// Orders that stand on the books.
    pub standing: u32,
    /// The venue's lives; the last one ends with [`End::Last`].
    pub lives: Vec<LifePlan>,
}

impl Plan {
    /// What this seed makes happen.
    #[must_use]
    pub fn of(seed: u64) -> Self {
        let mut random = Random::new(seed ^ 0x706c_616e);
        let lives = 1 + random.below(LIVES_MAX);
        Self {
            seed,
            members: 1 + random.below(4) as u16,
            symbols: 1 + random.below(4) as u16,

            standing: random.one_of(&[20, 100, 300]),
            lives: (1..=lives)
                .map(|life| life_plan(&mut random, life == lives))
                .collect(),
            word_in_million: random.one_of(&[0, 1_000, 5_000]),
            wishes_in_million: random.one_of(&[0, 100_000, 400_000]),
            has_rules: random.chance(600_000),
        }
    }
}

fn life_plan(random: &mut Random, is_last: bool) -> LifePlan {
    let steps = random.one_of(&[100, 1_000, 4_000, 8_000]);
    let steps = random.below(steps);
    let end = match random.below(4) {
        _ if is_last => End::Last(2_000 + steps),
        0 | 1 => End::Power(steps),
        2 => End::Kill(steps),
        _ => End::Clean(steps),
    };
    let fails = random.chance(300_000) && !is_last;
    let is_full = random.chance(200_000);
    LifePlan {
        end,
        net: NetFaults {
            delay_ns_max: random.one_of(&[1_000, 100_000, 5_000_000]),
            piece_bytes_max: random.one_of(&[1, 40, 1 << 16]),
            drop_in_million: random.one_of(&[0, 10_000, 200_000]),
            double_in_million: random.one_of(&[0, 50_000]),
            full_in_million: random.one_of(&[0, 50_000]),
        },
        disk_delay_polls: random.one_of(&[0, 3, 40, 400]),
        disk_fails: fails.then(|| (1 + random.below(20), random.chance(500_000))),
        disk_full_until: if is_full { random.below(6_000) } else { 0 },
        cut_in_million: random.one_of(&[0, 300, 2_000]),
        command_in_million: random.one_of(&[30_000, 150_000, 400_000]),
    }
}

impl LifePlan {
    /// The disk's faults in this life, which begins after `writes` writes; `segments_max` limits
    /// their number while the disk is full.
    #[must_use]
    pub fn disk(&self, writes: u64, segments_max: Option<usize>) -> DiskFaults {
        let (at, is_flush) = self.disk_fails.unwrap_or((0, false));
        let number = (at > 0).then_some(writes + at);
        DiskFaults {
            write_fails: number.filter(|_| !is_flush),
            flush_fails: number.filter(|_| is_flush),
            prepare_fails: None,
            segments_max,
            delay_polls_max: self.disk_delay_polls,
        }
    }
}
