//! What the venue's processes take of memory: looked at again and again, kept for a while, and
//! judged.
//!
//! Each process tells it itself by a page in its folder (crate `footprint`), as a confined one
//! could not be asked; the service knows its own.

mod growth;
mod pools;
mod told;

pub(crate) use told::figures;

use crate::config::Config;
use crate::metrics::{COUNTERS_FILE, is_alive};
use footprint::{Footprint, Machine, Seen, Source};
use pools::Pool;
use queue::CounterReader;
use serde::Deserialize;
use std::collections::{BTreeMap, VecDeque};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// Looks that are kept of a process at most.
const KEPT_MAX: u64 = 10_000;

/// Processes beside the venue, its tables and the service at most.
const BESIDE_MAX: usize = 64;

/// The process whose pools are known.
const VENUE: &str = "venue";

/// What the settings say of it.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq)]
#[serde(deny_unknown_fields, default)]
pub struct Watched {
    /// Seconds between two looks.
    pub every_s: u64,
    /// Seconds for which what was seen is kept.
    pub keep_s: u64,
    /// Growth of resident memory in that time, in MiB, that is taken for a leak if it is steady.
    pub grows_mib: u64,
    /// Of a pool, in percent: with more of it used it is nearly full.
    pub full_percent: u64,
    /// Folders of further processes by what they are called.
    pub beside: BTreeMap<String, PathBuf>,
}

impl Default for Watched {
    fn default() -> Self {
        Self {
            every_s: 10,
            keep_s: 3_600,
            grows_mib: 64,
            full_percent: 90,
            beside: BTreeMap::new(),
        }
    }
}

impl Watched {
    pub(crate) fn check(&self) -> Result<(), String> {
        for (name, value, max) in [
            ("every_s", self.every_s, 3_600),
            ("keep_s", self.keep_s, 604_800),
            ("grows_mib", self.grows_mib, 1 << 20),
            ("full_percent", self.full_percent, 100),
        ] {
            if value == 0 || value > max {
                return Err(format!("memory.{name}: {value}: from 1 to {max}"));
            }
        }
        let kept = self.keep_s / self.every_s;
        if kept > KEPT_MAX {
            return Err(format!(
                "memory.keep_s: {kept} looks: no more than {KEPT_MAX} times every_s"
            ));
        }
        if self.beside.len() > BESIDE_MAX {
            return Err(format!("memory.beside: no more than {BESIDE_MAX}"));
        }
        let is_name = |name: &str| {
            let is_letter = |it: u8| it.is_ascii_alphanumeric() || it == b'-';
            (1..=32).contains(&name.len()) && name.bytes().all(is_letter)
        };
        for name in self.beside.keys() {
            if !is_name(name) || name == VENUE || name == "api" {
                return Err(format!(
                    "memory.beside: {name:?}: a name is up to 32 letters, digits and hyphens, and \
                     neither venue nor api"
                ));
            }
        }
        Ok(())
    }
}

/// The system's files about the service and its machine, opened before its walls are up.
#[derive(Debug)]
pub(crate) struct Sources {
    ours: Source,
    machine: Machine,
}

impl Sources {
    pub(crate) fn open() -> io::Result<Self> {
        Ok(Self {
            ours: Source::open()?,
            machine: Machine::open()?,
        })
    }
}

/// A process that is looked at.
#[derive(Debug)]
struct Process {
    name: String,
    /// Where its page is; the service has none.
    folder: Option<PathBuf>,
    /// What was seen last, or why nothing was.
    seen: Result<Seen, String>,
    /// Whose `kept` is.
    process: Option<u64>,
    /// Milliseconds since 1970 and what was seen then, of the process that is there now.
    kept: VecDeque<(u64, Footprint)>,
}

/// All of them.
#[derive(Debug)]
pub(crate) struct Footprints {
    watched: Watched,
    counters: PathBuf,
    inside: Mutex<Inside>,
}

#[derive(Debug)]
struct Inside {
    machine: Vec<(&'static str, u64)>,
    processes: Vec<Process>,
}

impl Footprints {
    /// Looks once, and goes on by a thread of its own.
    ///
    /// # Errors
    /// The system has no thread.
    pub(crate) fn start(config: &Config, mut sources: Sources) -> io::Result<Arc<Self>> {
        let process = |name: &str, folder: Option<&Path>| Process {
            name: name.to_owned(),
            folder: folder.map(Path::to_owned),
            seen: Err("not looked at yet".to_owned()),
            process: None,
            kept: VecDeque::new(),
        };
        let watched = config.memory.clone();
        let mut processes = vec![process(VENUE, Some(&config.venue)), process("api", None)];
        let tables = config.tables.file().and_then(Path::parent);
        if let Some(folder) = tables.filter(|_| !watched.beside.contains_key("slow")) {
            processes.push(process("slow", Some(folder)));
        }
        let beside = watched.beside.iter();
        processes.extend(beside.map(|(name, folder)| process(name, Some(folder))));
        let footprints = Arc::new(Self {
            counters: config.venue.join(COUNTERS_FILE),
            inside: Mutex::new(Inside {
                machine: Vec::new(),
                processes,
            }),
            watched,
        });
        footprints.look(&mut sources);
        let ours = Arc::clone(&footprints);
        let name = "footprints".to_owned();
        std::thread::Builder::new().name(name).spawn(move || {
            loop {
                std::thread::sleep(Duration::from_secs(ours.watched.every_s));
                ours.look(&mut sources);
            }
        })?;
        Ok(footprints)
    }

    fn inside(&self) -> MutexGuard<'_, Inside> {
        self.inside.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Reads all that processes tell, and lets it be seen at once: who asks waits for no file.
    fn look(&self, sources: &mut Sources) {
        let since = SystemTime::now().duration_since(UNIX_EPOCH);
        let now_ms = since.map_or(0, |since| since.as_millis() as u64);
        let kept_max = (self.watched.keep_s / self.watched.every_s).max(1) as usize;
        let of_process = |process: &Process| process.folder.clone();
        let folders: Vec<_> = self.inside().processes.iter().map(of_process).collect();
        let machine = sources.machine.read();
        let seen = folders.into_iter().map(|folder| match folder {
            Some(folder) => footprint::read(&folder).and_then(alive),
            None => ourselves(&mut sources.ours),
        });
        let seen: Vec<_> = seen.collect();
        let mut inside = self.inside();
        if let Ok(machine) = machine {
            inside.machine = machine.to_vec();
        }
        for (process, seen) in inside.processes.iter_mut().zip(seen) {
            process.take(seen, now_ms, kept_max);
        }
    }

    /// The pools of the venue; none while it is not there.
    fn pools(&self, inside: &Inside) -> Vec<Pool> {
        let venue = inside.processes.iter().find(|it| it.name == VENUE);
        let seen = venue.and_then(|it| it.seen.as_ref().ok());
        let reader = CounterReader::attach(&self.counters).ok();
        seen.zip(reader).map_or_else(Vec::new, |(seen, reader)| {
            pools::used(seen, |name| reader.get(name))
        })
    }

    /// Whether a pool is nearly full.
    fn is_full(&self, pool: &Pool) -> bool {
        pool.used * 100 > pool.size * self.watched.full_percent
    }

    /// Whether half of what is kept of a process is there: from then on it is judged.
    fn is_settled(&self, process: &Process) -> bool {
        let whole = (self.watched.keep_s / self.watched.every_s) as usize;
        process.kept.len() * 2 >= whole
    }

    fn is_growing(&self, process: &Process) -> bool {
        let more_than = self.watched.grows_mib << 20;
        self.is_settled(process) && growth::is_steady(&process.resident(), more_than)
    }

    /// How many bytes an hour adds, once that means something.
    fn growth(&self, process: &Process) -> Option<i64> {
        let is_settled = self.is_settled(process);
        is_settled
            .then(|| growth::an_hour(&process.resident()))
            .flatten()
    }
}

impl Process {
    fn take(&mut self, seen: Result<Seen, String>, now_ms: u64, kept_max: usize) {
        if let Ok(now) = &seen {
            // Nothing is forgotten for a look that failed.
            if self.process.replace(now.process) != Some(now.process) {
                self.kept.clear();
            }
            if self.kept.len() >= kept_max {
                self.kept.pop_front();
            }
            self.kept.push_back((now_ms, now.footprint));
        }
        self.seen = seen;
    }

    /// Milliseconds, and bytes that were resident then.
    fn resident(&self) -> Vec<(u64, u64)> {
        let of = |it: &Footprint| it.get("resident_bytes").unwrap_or_default();
        self.kept.iter().map(|(at, it)| (*at, of(it))).collect()
    }
}

/// A page outlives its process, and is there before the process looks for the first time.
fn alive(seen: Seen) -> Result<Seen, String> {
    let process = seen.process;
    if !is_alive(process) {
        return Err(format!("process {process} is gone"));
    }
    if seen.footprint.get("resident_bytes") == Some(0) {
        return Err(format!("process {process} tells nothing yet"));
    }
    Ok(seen)
}

fn ourselves(source: &mut Source) -> Result<Seen, String> {
    let footprint = source.read().map_err(|error| error.to_string())?;
    Ok(Seen {
        process: std::process::id().into(),
        footprint,
        known: Vec::new(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_that_make_no_sense_are_refused_by_name() {
        let told = |text: &str| {
            let watched = toml::from_str::<Watched>(text).map_err(|e| e.to_string());
            let checked = watched.and_then(|watched| watched.check());
            checked.err().unwrap_or_default()
        };
        assert_eq!(told("every_s = 1\nbeside = { fix = \"/tmp\" }"), "");
        assert!(told("every_s = 0").starts_with("memory.every_s: 0: from 1"));
        assert!(told("every_s = 1\nkeep_s = 86400").starts_with("memory.keep_s: 86400 looks"));
        assert!(told("beside = { venue = \"/tmp\" }").starts_with("memory.beside: \"venue\""));
        assert!(told("beside = { \"a\\\"b\" = \"/tmp\" }").starts_with("memory.beside"));
        assert!(told("full_percent = 101").starts_with("memory.full_percent: 101"));
        assert!(told("evry_s = 1").contains("evry_s"));
    }

    #[test]
    fn what_is_kept_is_of_one_process_and_bounded() {
        let mut process = Process {
            name: VENUE.to_owned(),
            folder: None,
            seen: Err(String::new()),
            process: None,
            kept: VecDeque::new(),
        };
        let seen = |process| {
            Ok(Seen {
                process,
                footprint: Footprint::default(),
                known: Vec::new(),
            })
        };
        for at in 0..5 {
            process.take(seen(1), at, 3);
        }
        let times = |process: &Process| process.kept.iter().map(|it| it.0).collect::<Vec<_>>();
        assert_eq!(times(&process), [2, 3, 4]);
        process.take(Err("gone".to_owned()), 5, 3);
        assert_eq!(times(&process), [2, 3, 4], "one may ask what was before");
        process.take(seen(1), 6, 3);
        assert_eq!(
            times(&process),
            [3, 4, 6],
            "a look that failed ends nothing"
        );
        process.take(seen(2), 7, 3);
        assert_eq!(times(&process), [7], "another process begins anew");
    }
}
