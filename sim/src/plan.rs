//! What a seed makes happen. Each seed draws its own mix of faults: some kinds never come, so that
//! the others are not drowned.

use journal::simulated::{Counts as DiskCounts, Faults as DiskFaults};

use crate::net::Faults as NetFaults;
use crate::random::Random;

/// Lives of the venue in one run, the last one included.
const LIVES_MAX: u64 = 6;

/// Seeds with closed segments that are kept or let go of, in a million: they take long.
const RETENTION_IN_MILLION: u32 = 60_000;

/// Polls that a calm disk takes at most.
const CALM_POLLS_MAX: u32 = 3;

/// How a life of the venue ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// The power fails after so many steps: something of what is not flushed is lost.
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

/// What of the disk's work fails in a life, for good.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DiskFailure {
    /// The write with this number, from 1.
    Write(u64),
    /// The flush of the write with this number.
    Flush(u64),
    /// The next segment cannot be prepared.
    Prepare,
}

/// What happens while the venue reads its journal back; then it starts once more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Interruption {
    /// The read with this number fails.
    Read(u64),
    /// The power goes at the write with this number.
    Power(u64),
    /// The process is killed as soon as it is ready.
    Kill,
}

/// What fails of streams, snapshots and what is done with closed segments in a life.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct FilesFail {
    /// Writes, in a million.
    pub writes_in_million: u32,
    /// Flushes, in a million.
    pub flushes_in_million: u32,
    /// Renames, in a million.
    pub renames_in_million: u32,
    /// They find no room as long as the journal finds none.
    pub are_full: bool,
    /// The power goes at the call with this number.
    pub power_at_call: Option<u64>,
}

/// What is damaged at rest beside the journal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wound {
    /// The newest snapshot.
    Snapshot,
    /// A stream.
    Stream,
}

/// One life of the venue, from start to end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LifePlan {
    /// How it ends.
    pub end: End,
    /// What happens to the attempt to start before the one that succeeds.
    pub interruption: Option<Interruption>,
    /// How far the clock is set back before it starts.
    pub clock_back_ns: u64,
    /// Time that passes in a step at most.
    pub step_ns_max: u64,
    /// Steps at which the process stands still for a while, in a million.
    pub freeze_in_million: u32,
    /// How long it stands still at most.
    pub freeze_ns_max: u64,
    /// How the network behaves.
    pub net: NetFaults,
    /// Steps at which hosts are cut off from each other, in a million.
    pub partition_in_million: u32,
    /// How long they are cut off at most.
    pub partition_ns_max: u64,
    /// Steps at which one connection breaks, in a million.
    pub cut_in_million: u32,
    /// Polls that the disk takes at most for a report.
    pub disk_delay_polls: u32,
    /// What fails.
    pub disk_fails: Option<DiskFailure>,
    /// The disk has no room for a new segment until this step.
    pub disk_full_until: u64,
    /// Segments that the disk has room for until it is calm.
    pub disk_segments_max: Option<usize>,
    /// How the files beside the journal fail.
    pub files: FilesFail,
    /// How often the journal that it leaves is damaged, to see what reading it says.
    pub damages: u32,
    /// What of the files that it leaves is damaged, for the next life to start with.
    pub wound: Option<Wound>,
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
    /// Whether users have more accounts than one, and may be granted others.
    pub has_accounts: bool,
    /// Whether somebody reads drop copies.
    pub is_watched: bool,
    /// Whether a shadow makes snapshots, from which the venue starts again.
    pub has_shadow: bool,
    /// What becomes of closed segments, if anything.
    pub retention: Option<Retention>,
    /// Whether the depth is told beside the feed.
    pub has_depth: bool,
    /// Whether somebody receives the feed by two lines, and snapshots of it are given.
    pub has_lines: bool,
    /// Messages in each of the rings by which the first member comes, if it does not by network.
    pub gateway: Option<usize>,
    /// How long a member's orders stay when its connection ends, if they leave then.
    pub leave_ms: Option<u64>,
    /// Orders in whose place a member takes many off, in a million.
    pub masses_in_million: u32,
    /// Commands in whose place a member sends one again, or another one under a used number, in a
    /// million.
    pub repeats_in_million: u32,
    /// Orders that stand on the books.
    pub standing: u32,
    /// The venue's lives; the last one ends with [`End::Last`].
    pub lives: Vec<LifePlan>,
}

/// What becomes of closed segments.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Retention {
    /// They are compressed.
    pub archives: bool,
    /// So many bytes of them are kept.
    pub bytes_max: u64,
}

/// Which kinds of faults a seed knows.
struct Mix {
    /// There is so much to do that segments are closed.
    is_busy: bool,
    loses: bool,
    doubles: bool,
    fills: bool,
    is_late: bool,
    splits: bool,
    cuts: bool,
    partitions: bool,
    freezes: bool,
    sets_back: bool,
    disk_is_slow: bool,
    disk_fails: bool,
    disk_is_full: bool,
    disk_segments_max: Option<usize>,
    files_fail: bool,
    files_lose_power: bool,
    wounds: bool,
    interrupts: bool,
    damages: bool,
}

impl Mix {
    fn of(random: &mut Random) -> Self {
        let segments_max = random.one_of(&[None, None, Some(1), Some(2)]);
        let mut coin = || random.chance(500_000);
        Self {
            is_busy: false,
            disk_segments_max: segments_max,
            loses: coin(),
            doubles: coin(),
            fills: coin(),
            is_late: coin(),
            splits: coin(),
            cuts: coin(),
            partitions: coin(),
            freezes: coin(),
            sets_back: coin(),
            disk_is_slow: coin(),
            disk_fails: coin(),
            disk_is_full: coin(),
            files_fail: coin(),
            files_lose_power: coin(),
            wounds: coin(),
            interrupts: coin(),
            damages: coin(),
        }
    }
}

/// One of the values if the mix has this kind, else nothing.
fn of_kind(random: &mut Random, is_known: bool, values: &[u64]) -> u64 {
    let value = random.one_of(values);
    if is_known { value } else { 0 }
}

impl Plan {
    /// What this seed makes happen.
    #[must_use]
    pub fn of(seed: u64) -> Self {
        let mut random = Random::new(seed ^ 0x706c_616e);
        let retention = random.chance(RETENTION_IN_MILLION).then(|| Retention {
            archives: random.chance(650_000),
            bytes_max: random.one_of(&[0, journal::SEGMENT_BYTES_MIN]),
        });
        let is_busy = retention.is_some();
        let mut mix = Mix {
            is_busy,
            ..Mix::of(&mut random)
        };
        // Segments must be closed for anything to become of them.
        mix.disk_segments_max = mix.disk_segments_max.filter(|_| !is_busy);
        let lives = 1 + random.below(LIVES_MAX);
        Self {
            seed,
            members: 1 + random.below(4) as u16,
            symbols: 1 + random.below(4) as u16,
            standing: random.one_of(&[20, 50, 150]),
            lives: (1..=lives)
                .map(|life| life_plan(&mut random, &mix, life == lives))
                .collect(),
            word_in_million: random.one_of(&[0, 2_000, 10_000]),
            wishes_in_million: random.one_of(&[0, 100_000, 400_000]),
            has_rules: random.chance(600_000),
            is_watched: random.chance(500_000),
            has_shadow: is_busy || random.chance(450_000),
            retention,
            has_depth: random.chance(300_000),
            has_lines: random.chance(350_000),
            gateway: random.one_of(&[None, None, Some(8), Some(64)]),
            has_accounts: random.chance(350_000),
            leave_ms: random.one_of(&[None, None, Some(0), Some(3), Some(500)]),
            masses_in_million: random.one_of(&[0, 0, 10_000]),
            repeats_in_million: random.one_of(&[0, 20_000, 100_000]),
        }
    }
}

fn life_plan(random: &mut Random, mix: &Mix, is_last: bool) -> LifePlan {
    let steps = match mix.is_busy {
        true => 1_000 + random.below(1_000),
        false => {
            let most = random.one_of(&[50, 300, 1_000, 2_000]);
            random.below(most)
        }
    };
    let end = match random.below(4) {
        _ if is_last => End::Last(200 + steps),
        0 | 1 => End::Power(steps),
        2 => End::Kill(steps),
        _ => End::Clean(steps),
    };
    LifePlan {
        end,
        interruption: interruption(random).filter(|_| mix.interrupts),
        clock_back_ns: of_kind(random, mix.sets_back, &[0, 50_000, 2_000_000_000]),
        step_ns_max: random.one_of(&[10_000, 100_000]),
        freeze_in_million: of_kind(random, mix.freezes, &[0, 500, 3_000]) as u32,
        freeze_ns_max: random.one_of(&[3_000_000, 400_000_000, 30_000_000_000]),
        net: net(random, mix),
        partition_in_million: of_kind(random, mix.partitions, &[0, 1_000, 5_000]) as u32,
        partition_ns_max: random.one_of(&[1_000_000, 50_000_000, 20_000_000_000]),
        cut_in_million: of_kind(random, mix.cuts, &[0, 1_000, 8_000]) as u32,
        disk_delay_polls: of_kind(random, mix.disk_is_slow, &[1, 3, 40, 200]) as u32,
        disk_fails: disk_failure(random).filter(|_| mix.disk_fails && !is_last),
        disk_full_until: if random.chance(400_000) && mix.disk_is_full {
            random.below(2_000)
        } else {
            0
        },
        disk_segments_max: mix.disk_segments_max,
        files: files_fail(random, mix, is_last),
        damages: of_kind(random, mix.damages, &[0, 1, 3]) as u32,
        wound: random
            .one_of(&[None, Some(Wound::Snapshot), Some(Wound::Stream)])
            .filter(|_| mix.wounds || mix.is_busy),
        command_in_million: match mix.is_busy {
            true => 400_000,
            false => random.one_of(&[30_000, 150_000, 400_000]),
        },
    }
}

fn net(random: &mut Random, mix: &Mix) -> NetFaults {
    NetFaults {
        delay_ns_max: random.one_of(&[1_000, 100_000, 3_000_000]),
        piece_bytes_max: if mix.splits {
            random.one_of(&[1, 40])
        } else {
            1 << 16
        },
        drop_in_million: of_kind(random, mix.loses, &[0, 10_000, 200_000]) as u32,
        double_in_million: of_kind(random, mix.doubles, &[10_000, 100_000]) as u32,
        full_in_million: of_kind(random, mix.fills, &[0, 50_000]) as u32,
        late_in_million: of_kind(random, mix.is_late, &[1_000, 20_000]) as u32,
    }
}

fn files_fail(random: &mut Random, mix: &Mix, is_last: bool) -> FilesFail {
    let in_million = &[0, 20_000, 200_000];
    let writes = of_kind(random, mix.files_fail, in_million);
    let flushes = of_kind(random, mix.files_fail, &[0, 20_000]);
    FilesFail {
        writes_in_million: writes as u32,
        // A shadow of which one fails has done its work until the next start: what its streams do
        // not hold and memory let go of is gone until then, so the last life is spared.
        flushes_in_million: if is_last { 0 } else { flushes as u32 },
        renames_in_million: of_kind(random, mix.files_fail, in_million) as u32,
        are_full: mix.disk_is_full && random.chance(500_000),
        power_at_call: (mix.files_lose_power && !is_last && random.chance(500_000))
            .then(|| 1 + random.below(200)),
    }
}

fn interruption(random: &mut Random) -> Option<Interruption> {
    let number = 1 + random.below(3);
    match random.below(8) {
        0 => Some(Interruption::Read(number * number)),
        1 | 2 => Some(Interruption::Power(number)),
        3 => Some(Interruption::Kill),
        _ => None,
    }
}

fn disk_failure(random: &mut Random) -> Option<DiskFailure> {
    let number = 1 + random.below(30);
    match random.below(12) {
        0 | 1 => Some(DiskFailure::Write(number)),
        2 | 3 => Some(DiskFailure::Flush(number)),
        4 => Some(DiskFailure::Prepare),
        _ => None,
    }
}

impl LifePlan {
    /// The disk's faults in a life that begins after what was counted, with so many segments, the
    /// last of which has this number.
    #[must_use]
    pub fn disk(&self, counts: &DiskCounts, (segments, last): (usize, u32)) -> DiskFaults {
        let full = (self.disk_full_until > 0).then_some(segments);
        let files = &self.files;
        let faults = DiskFaults {
            segments_max: full.into_iter().chain(self.disk_segments_max).min(),
            delay_polls_max: self.disk_delay_polls,
            file_writes_in_million: files.writes_in_million,
            file_flushes_in_million: files.flushes_in_million,
            file_renames_in_million: files.renames_in_million,
            are_files_full: files.are_full && full.is_some(),
            power_at_file_call: files.power_at_call.map(|call| counts.file_calls + call),
            ..DiskFaults::default()
        };
        let writes = counts.writes;
        match self.disk_fails {
            None => faults,
            Some(DiskFailure::Write(number)) => DiskFaults {
                write_fails: Some(writes + number),
                ..faults
            },
            Some(DiskFailure::Flush(number)) => DiskFaults {
                flush_fails: Some(writes + number),
                ..faults
            },
            Some(DiskFailure::Prepare) => DiskFaults {
                prepare_fails: Some(last + 1),
                ..faults
            },
        }
    }

    /// A disk that is only slow, and not so slow that the schedule's next input comes before the
    /// last one is durable: then the venue would never rest.
    #[must_use]
    pub fn calm_disk(&self) -> DiskFaults {
        DiskFaults {
            delay_polls_max: self.disk_delay_polls.min(CALM_POLLS_MAX),
            ..DiskFaults::default()
        }
    }
}
