//! The trading day on disk: `<data_dir>/<day>/` holds its journal.
//!
//! A day's name is its date and a number, `2026013001`: ten letters, the name of the session that
//! members and receivers see. A restart goes on with the newest day; `--new-day` begins another.
//! Beside the journal a day keeps the limits it began with, because replaying under other limits
//! could accept what was refused.

use super::{StartError, shadow};
use crate::topology::Topology;
use journal::{DirectoryFiles, Files};
use std::fs::{self, File, TryLockError};
use std::io::{Read, Seek, Write};
use std::path::{Path, PathBuf};

/// Letters of a day's name: those of a SoupBinTCP or MoldUDP64 session.
const NAME_LETTERS: usize = 10;

pub(crate) const DAY_NS: u64 = session::DAY_NS;

/// A data directory that this process holds, and its current day.
#[derive(Debug)]
pub struct Day {
    /// The day's directory.
    pub directory: PathBuf,
    /// The day's name.
    pub session: [u8; NAME_LETTERS],
    /// The day was begun now.
    pub is_new: bool,
    /// Held until this value is dropped.
    _lock: File,
}

impl Day {
    /// Takes the topology's data directory for this process and opens its newest day, or begins one
    /// when there is none or `is_new` asks for it, once the streams of those before are whole.
    ///
    /// # Errors
    /// The directory is in use or cannot be written, or the day was begun under other limits.
    pub fn open(topology: &Topology, is_new: bool, now_ns: u64) -> Result<Self, StartError> {
        let data_dir = &topology.data_dir;
        let failed = |e: std::io::Error| {
            StartError::of(&format!("data directory {}", data_dir.display()), &e)
        };
        fs::create_dir_all(data_dir).map_err(failed)?;
        let lock = locked(data_dir)?;
        let newest = newest(data_dir).map_err(failed)?;
        if let (Some(name), false) = (&newest, is_new) {
            let directory = data_dir.join(name);
            limits_check(topology, &directory).map_err(|e| {
                let words = "restore [limits], or begin a new day with --new-day";
                StartError::new(format!("{e}; {words}"))
            })?;
            return Ok(Self {
                directory,
                session: letters(name),
                is_new: false,
                _lock: lock,
            });
        }
        let name = name_next(newest.as_deref(), now_ns)?;
        shadow::complete_before(topology, &name)?;
        let directory = data_dir.join(&name);
        begin(data_dir, &directory, &limits_text(topology)).map_err(failed)?;
        Ok(Self {
            directory,
            session: letters(&name),
            is_new: true,
            _lock: lock,
        })
    }

    /// Its directory as files.
    pub(super) fn files(&self) -> Box<dyn Files> {
        Box::new(DirectoryFiles::new(&self.directory))
    }
}

fn letters(name: &str) -> [u8; NAME_LETTERS] {
    super::padded(name)
}

/// Locks a data directory for this process.
///
/// # Errors
/// Another process has it, or it cannot be written.
pub(crate) fn locked(data_dir: &Path) -> Result<File, StartError> {
    let path = data_dir.join("lock");
    let failed = |e: std::io::Error| StartError::of(&format!("lock {}", path.display()), &e);
    let options = File::options()
        .read(true)
        .write(true)
        .create(true)
        .truncate(false)
        .open(&path);
    let mut file = options.map_err(failed)?;
    match file.try_lock() {
        Ok(()) => {}
        Err(TryLockError::WouldBlock) => {
            let mut holder = String::new();
            // Who holds it is told if it can be read; that it is held is the message.
            let _ = file.read_to_string(&mut holder);
            return Err(StartError::new(format!(
                "the data directory {} is in use by process {}: stop it, or give this one another \
                 `data_dir`",
                data_dir.display(),
                holder.trim()
            )));
        }
        Err(TryLockError::Error(error)) => return Err(failed(error)),
    }
    file.set_len(0).map_err(failed)?;
    file.rewind().map_err(failed)?;
    writeln!(file, "{}", std::process::id()).map_err(failed)?;
    Ok(file)
}

/// Whether a directory of this name is a day's.
pub(crate) fn is_day(name: &str) -> bool {
    name.len() == NAME_LETTERS && name.bytes().all(|byte| byte.is_ascii_digit())
}

/// The name of the newest day. A day whose limits are not there was never begun.
fn newest(data_dir: &Path) -> std::io::Result<Option<String>> {
    let mut newest = None;
    for entry in fs::read_dir(data_dir)? {
        let entry = entry?;
        let Ok(name) = entry.file_name().into_string() else {
            continue;
        };
        if is_day(&name) && entry.path().join("limits").is_file() && Some(&name) > newest.as_ref() {
            newest = Some(name);
        }
    }
    Ok(newest)
}

/// The days before the present one, the oldest first.
///
/// # Errors
/// The directory cannot be read.
pub(super) fn before(data_dir: &Path, present: &str) -> std::io::Result<Vec<String>> {
    let mut days = Vec::new();
    for entry in fs::read_dir(data_dir)? {
        let entry = entry?;
        let name = entry.file_name().into_string().unwrap_or_default();
        if is_day(&name) && name.as_str() < present && entry.path().is_dir() {
            days.push(name);
        }
    }
    days.sort();
    Ok(days)
}

/// Removes the oldest day if there are more than `max`, the present one included; whether there
/// was one to remove. Its limits go first: a day without them was never begun.
///
/// # Errors
/// A directory cannot be read or removed.
pub(super) fn retire(data_dir: &Path, present: &str, max: usize) -> std::io::Result<bool> {
    let days = before(data_dir, present)?;
    let Some(oldest) = days.first().filter(|_| days.len() >= max) else {
        return Ok(false);
    };
    let directory = data_dir.join(oldest);
    match fs::remove_file(directory.join("limits")) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    fs::remove_dir_all(&directory)?;
    Ok(true)
}

/// The name after `newest`, of today if the clock does not lag behind it.
fn name_next(newest: Option<&str>, now_ns: u64) -> Result<String, StartError> {
    let (year, month, day) = date((now_ns / DAY_NS) as i64);
    let today = (year as u64 * 10_000 + u64::from(month) * 100 + u64::from(day)) * 100 + 1;
    let after = newest
        .and_then(|name| name.parse::<u64>().ok())
        .map_or(0, |number| number + 1);
    let name = format!("{:010}", today.max(after));
    if name.len() > NAME_LETTERS {
        return Err(StartError::new(format!(
            "no day can follow {}",
            newest.unwrap_or("this")
        )));
    }
    Ok(name)
}

/// Year, month and day of a count of days since 1970, by Howard Hinnant's `civil_from_days`.
pub(crate) fn date(days: i64) -> (i64, u32, u32) {
    let shifted = days + 719_468;
    let era = shifted.div_euclid(146_097);
    let day_of_era = shifted.rem_euclid(146_097);
    let year_of_era =
        (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_index = (5 * day_of_year + 2) / 153;
    let day = (day_of_year - (153 * month_index + 2) / 5 + 1) as u32;
    let month = if month_index < 10 {
        month_index + 3
    } else {
        month_index - 9
    } as u32;
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    (year, month, day)
}

fn limits_text(topology: &Topology) -> String {
    let limits = topology.limits;
    format!(
        "symbols = {}\nsessions = {}\norders = {}\nspecial = {}\nprice_groups = {}\n",
        limits.symbols, limits.sessions, limits.orders, limits.special, limits.price_groups
    )
}

/// The limits that a day began with; how many accounts it keeps is not among them.
///
/// # Errors
/// They cannot be read.
pub(crate) fn limits_began(directory: &Path) -> Result<matching::Limits, StartError> {
    let path = directory.join("limits");
    let named = format!("limits {}", path.display());
    let text = fs::read_to_string(&path).map_err(|e| StartError::of(&named, &e))?;
    let limits = toml::from_str::<Began>(&text).map_err(|e| StartError::of(&named, &e))?;
    let Began {
        symbols,
        sessions,
        orders,
        special,
        price_groups,
    } = limits;
    Ok(matching::Limits {
        symbols,
        sessions,
        orders,
        special,
        price_groups,
        accounts: 0,
    })
}

/// What [`limits_text`] writes.
#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct Began {
    symbols: u16,
    sessions: u16,
    orders: u32,
    special: u32,
    price_groups: u32,
}

/// Whether a day began under a topology's limits.
///
/// # Errors
/// It did not, or they cannot be read.
pub(super) fn limits_check(topology: &Topology, directory: &Path) -> Result<(), StartError> {
    let limits = limits_text(topology);
    let path = directory.join("limits");
    let began = fs::read_to_string(&path)
        .map_err(|e| StartError::of(&format!("limits {}", path.display()), &e))?;
    if began == limits {
        return Ok(());
    }
    let one_line = |text: &str| text.trim_end().replace('\n', ", ");
    Err(StartError::new(format!(
        "the day in {} began under other limits: {} there, {} in the topology",
        directory.display(),
        one_line(&began),
        one_line(&limits)
    )))
}

/// Makes a day's directory; its limits come last and whole, and say that the day exists.
fn begin(data_dir: &Path, directory: &Path, limits: &str) -> std::io::Result<()> {
    fs::create_dir_all(directory)?;
    let draft = directory.join("limits.draft");
    let mut file = File::create(&draft)?;
    file.write_all(limits.as_bytes())?;
    file.sync_all()?;
    fs::rename(&draft, directory.join("limits"))?;
    File::open(directory)?.sync_all()?;
    File::open(data_dir)?.sync_all()
}
