//! The thread that looks after what the journal left behind: closed segments, and days that are
//! over.
//!
//! It is no tile: it waits for the disk, and takes its time after everybody else.

use super::StartError;
use super::day;
use super::retention::Retention;
use crate::tiles::{Phase, Signals};
use crate::topology::Topology;
use journal::{DirectoryShelf, Keep, Keeper, Kept};
use nic::Clock;
use queue::{Counter, CounterSet, Error};
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// How often it looks while there is nothing to do, and how long it leaves alone what failed.
const REST: Duration = Duration::from_secs(1);
const REST_FAILED: Duration = Duration::from_secs(10);

/// How soon it hears that the venue ends.
const HEAR: Duration = Duration::from_millis(20);

/// How nice the thread is to all others: as nice as can be.
const NICE: i32 = 19;

struct Counters {
    indexed: Counter,
    archived: Counter,
    removed: Counter,
    failing: Counter,
}

impl Counters {
    fn new(set: &mut CounterSet) -> Result<Self, Error> {
        Ok(Self {
            indexed: set.counter("keeper.indexed")?,
            archived: set.counter("keeper.archived")?,
            removed: set.counter("keeper.removed")?,
            failing: set.counter("keeper.failing")?,
        })
    }
}

/// What the thread works on.
pub(super) struct Keeping {
    retention: Retention<DirectoryShelf>,
    data_dir: PathBuf,
    day: String,
    days_max: Option<usize>,
    archives: bool,
    /// Days before this one that were looked after in this life, and the one that is.
    days_over: BTreeSet<String>,
    packing: Option<(String, Keeper)>,
    /// What was told of the last failure.
    told: String,
    counters: Counters,
}

impl Keeping {
    /// Looks into a day whose journal was opened for writing, by a venue that started from the
    /// snapshot behind input `snapshot`, or 0.
    ///
    /// # Errors
    /// The index of its segments cannot be read, or a counter is missing.
    pub(super) fn open(
        topology: &Topology,
        directory: &Path,
        snapshot: u64,
        set: &mut CounterSet,
    ) -> Result<Self, StartError> {
        let rules = &topology.keeping;
        let retention = Retention::of(rules, DirectoryShelf::new(directory), snapshot);
        let name = directory.file_name().and_then(|name| name.to_str());
        Ok(Self {
            retention: retention.map_err(|e| StartError::of("index", &e))?,
            data_dir: topology.data_dir.clone(),
            day: name.unwrap_or_default().to_owned(),
            days_max: rules.days_max,
            archives: rules.archives,
            days_over: BTreeSet::new(),
            packing: None,
            told: String::new(),
            counters: Counters::new(set).map_err(|e| StartError::of("counters", &e))?,
        })
    }

    /// Does what is due until the venue ends.
    pub(super) fn run(mut self, clock: &impl Clock, signals: &Signals) {
        be_nice();
        while signals.phase() == Phase::Running {
            let rest = match self.turn(clock.now_ns()) {
                Ok(true) => continue,
                Ok(false) => REST,
                Err(error) => {
                    self.tell(error);
                    REST_FAILED
                }
            };
            let mut rested = Duration::ZERO;
            while rested < rest && signals.phase() == Phase::Running {
                std::thread::sleep(HEAR);
                rested += HEAR;
            }
        }
    }

    /// One thing; whether there was one.
    fn turn(&mut self, now_ns: u64) -> Result<bool, String> {
        let kept = self.retention.turn(now_ns);
        let counter = match kept.map_err(|error| error.to_string())? {
            Kept::Nothing => return self.turn_days(now_ns),
            Kept::Indexed { .. } => &mut self.counters.indexed,
            Kept::Archived { .. } => &mut self.counters.archived,
            Kept::Removed { .. } => &mut self.counters.removed,
        };
        counter.add(1);
        Ok(true)
    }

    /// One thing for the days before this one; whether there was one.
    fn turn_days(&mut self, now_ns: u64) -> Result<bool, String> {
        let is_done = self.days_retire()? || (self.archives && self.days_pack(now_ns)?);
        if !is_done {
            self.counters.failing.set(0);
            self.told.clear();
        }
        Ok(is_done)
    }

    /// Does one thing for the oldest day that is over and not packed, if there is one.
    fn days_pack(&mut self, now_ns: u64) -> Result<bool, String> {
        let Some((day, mut keeper)) = self.day_packing()? else {
            return Ok(false);
        };
        let kept = match keeper.turn(now_ns, 1) {
            Ok(Kept::Nothing) => keeper.finish(),
            kept => kept,
        };
        let counter = match kept.map_err(|error| format!("day {day}: {error}"))? {
            Kept::Nothing => return Ok(true),
            Kept::Archived { .. } => &mut self.counters.archived,
            Kept::Indexed { .. } => &mut self.counters.indexed,
            Kept::Removed { .. } => &mut self.counters.removed,
        };
        counter.add(1);
        self.packing = Some((day, keeper));
        Ok(true)
    }

    /// The day that is looked after, or the next one that is to be.
    fn day_packing(&mut self) -> Result<Option<(String, Keeper)>, String> {
        match self.packing.take() {
            None => self.day_over(),
            packing => Ok(packing),
        }
    }

    /// The oldest day before this one that was not looked after in this life.
    fn day_over(&mut self) -> Result<Option<(String, Keeper)>, String> {
        let days = self.days_failed(day::before(&self.data_dir, &self.day))?;
        let Some(day) = days.into_iter().find(|day| !self.days_over.contains(day)) else {
            return Ok(None);
        };
        // What fails with it must not keep the others waiting.
        self.days_over.insert(day.clone());
        let keep = Keep {
            archives: true,
            ..Keep::default()
        };
        let keeper = Keeper::open(&self.data_dir.join(&day), keep);
        let keeper = keeper.map_err(|error| format!("day {day}: {error}"))?;
        Ok(Some((day, keeper)))
    }

    /// Removes the oldest day if there are too many.
    fn days_retire(&mut self) -> Result<bool, String> {
        let Some(max) = self.days_max else {
            return Ok(false);
        };
        self.days_failed(day::retire(&self.data_dir, &self.day, max))
    }

    fn days_failed<T>(&self, done: std::io::Result<T>) -> Result<T, String> {
        done.map_err(|error| format!("days in {}: {error}", self.data_dir.display()))
    }

    /// Says what is wrong, once.
    fn tell(&mut self, error: String) {
        self.counters.failing.set(1);
        if self.told != error {
            eprintln!("wirecross: closed segments are left as they are: {error}");
            self.told = error;
        }
    }
}

/// Lets every other thread go first.
fn be_nice() {
    // SAFETY: the call takes numbers only; 0 names the calling thread. A refusal changes nothing
    // but how soon others get their turn.
    unsafe { libc::setpriority(libc::PRIO_PROCESS, 0, NICE) };
}
