//! A thread that reads the tables, by a file or by servers.

use super::{Found, Job, gone};
use crate::answer::Refusal;
use crate::memory::{Answers, statement};
use crate::sight::AFTER;
use crate::unharmed;
use cache::Loaded;
use std::fs::Metadata;
use std::io::{self, Write};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::mpsc::Receiver;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};
use store::Position;
use store::history::Files;
use store::query::{Filter, Reader};
use store::router::Router;

/// What is done with tables, whose name is asked for where it matters.
pub(super) type With<'w, T> = &'w mut dyn FnMut(&Reader, Whose<'_>) -> Result<T, Unread>;

/// Says which tables these are.
pub(super) type Whose<'w> = &'w dyn Fn() -> Result<String, store::Error>;

/// Why rows are not there.
pub(super) enum Unread {
    Full,
    Failed(store::Error),
}

impl From<store::Error> for Unread {
    fn from(error: store::Error) -> Self {
        Self::Failed(error)
    }
}

fn unavailable(what: impl std::fmt::Display) -> Refusal {
    Refusal::Unavailable(format!("the tables: {what}"))
}

/// Files of days that are in no table any more.
pub(super) struct OldDays {
    pub(super) dir: PathBuf,
    pub(super) rows_max: u64,
    pub(super) time_max: Duration,
}

impl OldDays {
    /// When it is too late to read on for who begins now.
    pub(super) fn until(&self) -> Instant {
        Instant::now() + self.time_max
    }
}

/// What one thread reads by: a file, or the way to servers.
pub(super) struct Reading {
    pub(super) tables: Option<File>,
    pub(super) router: Option<Arc<Router>>,
    pub(super) answers: Option<Answers>,
    pub(super) old_days: Option<Arc<OldDays>>,
}

impl Reading {
    pub(super) fn serve(&mut self, queue: &Mutex<Receiver<Job>>) {
        loop {
            let job = queue.lock().unwrap_or_else(PoisonError::into_inner).recv();
            let Ok(job) = job else { return };
            // All who asked may be gone already.
            if job.ticket.begin() {
                // The reader that a panic left is not used again: tables are opened anew.
                let answer = unharmed::done(job.name, || self.rows(&job));
                job.answer(answer);
            }
        }
    }

    fn rows(&mut self, job: &Job) -> Result<Found, Refusal> {
        let bytes_max = job.terms.bytes_max;
        let (answers, old_days) = (self.answers.clone(), self.old_days.clone());
        let (asked, position) = self.with_reader(job.terms.after, &mut |reader, whose| {
            let reader = (reader, old_days.as_deref());
            match &answers {
                None => at_one_moment(reader, job),
                Some(answers) => kept(answers, reader, whose, job),
            }
        })?;
        match asked {
            Some(rows) if rows.len() <= bytes_max => {
                let rows = rows.into();
                // Young rows may be of a server that is ahead of the one that was asked.
                let position = position.filter(|_| job.terms.age_max.is_zero());
                Ok(Found { rows, position })
            }
            _ => Err(Refusal::TooLarge(format!(
                "the answer has more than {} KiB: ask for fewer rows with `limit`, or for a \
                 shorter time with `from` and `to`",
                bytes_max / 1_024
            ))),
        }
    }

    /// Does something with the tables, by the file or by whichever server will do and is behind
    /// `after`; none if there is too much of it. Gives the position that it was behind, too.
    pub(super) fn with_reader<T>(
        &mut self,
        after: Option<Position>,
        what: With<'_, T>,
    ) -> Result<(Option<T>, Option<Position>), Refusal> {
        match (&mut self.tables, &self.router) {
            (Some(_), _) if after.is_some() => Err(Refusal::Bad(format!(
                "{AFTER}: the tables are a file, which is read as it stands: leave it out"
            ))),
            (Some(file), _) => file.with_reader(what).map(|done| (done, None)),
            (None, Some(router)) => routed(router, after, what),
            (None, None) => Err(gone()),
        }
    }
}

/// The same by servers.
fn routed<T>(
    router: &Router,
    after: Option<Position>,
    what: With<'_, T>,
) -> Result<(Option<T>, Option<Position>), Refusal> {
    let answer = router.read(
        after,
        &mut |reader| match what(reader, &|| reader.identity()) {
            Ok(done) => Ok(Some(done)),
            Err(Unread::Full) => Ok(None),
            Err(Unread::Failed(error)) => Err(error),
        },
    );
    let answer = answer.map_err(unavailable)?;
    Ok((answer.value, Some(answer.position)))
}

/// A file of tables as one thread has it open.
pub(super) struct File {
    path: PathBuf,
    /// With the file's place on the disk: a rebuild puts another file there.
    open: Option<(FileId, Reader)>,
}

/// Which file it is: its device, its number there, and when it was made.
type FileId = (u64, u64, Option<SystemTime>);

impl File {
    pub(super) fn new(path: &Path) -> Self {
        Self {
            path: path.to_owned(),
            open: None,
        }
    }

    /// Does something with the tables and their name; none if there is too much of it.
    fn with_reader<T>(&mut self, what: With<'_, T>) -> Result<Option<T>, Refusal> {
        let place = |file: Metadata| (file.dev(), file.ino(), file.created().ok());
        let found = std::fs::metadata(&self.path).map_err(unavailable)?;
        let found = place(found);
        let reader = match self.open.take() {
            Some((place, reader)) if place == found => reader,
            _ => Reader::open(&self.path).map_err(unavailable)?,
        };
        // After any failure but this one the tables are opened anew.
        let done = match what(&reader, &|| Ok(named(found))) {
            Ok(done) => Some(done),
            Err(Unread::Full) => None,
            Err(Unread::Failed(error)) => return Err(unavailable(error)),
        };
        self.open = Some((found, reader));
        Ok(done)
    }
}

/// A file's name among answers that are kept.
fn named((device, number, made): FileId) -> String {
    let made = made.and_then(|at| at.duration_since(UNIX_EPOCH).ok());
    let made = made.unwrap_or_default().as_nanos();
    format!("{device:x}.{number:x}.{made:x}")
}

/// Rows that are kept, or read now: under the same key only what comes of the same tables.
fn kept(
    answers: &Answers,
    (reader, old_days): (&Reader, Option<&OldDays>),
    whose: Whose<'_>,
    job: &Job,
) -> Result<Vec<u8>, Unread> {
    let statement = statement(job.name, &job.filter);
    // Another one may have brought it while this one waited for a thread.
    if let Some(rows) = answers.young(&statement, job.terms) {
        return Ok(rows);
    }
    let bytes_max = job.terms.bytes_max;
    let looked = Instant::now();
    reader.freeze()?;
    let version = reader.version(job.name)?;
    let key = format!("{}|{version}|{statement}", whose()?);
    let load = || {
        let asked = (job.name, &job.filter);
        Ok::<_, Unread>(Loaded {
            version: version.stand(),
            value: Some(read((reader, old_days), asked, bytes_max)?),
            tags: Vec::new(),
        })
    };
    let entry = match job.place {
        Some(_) => {
            answers.note(&statement);
            answers.cache().get_or_load(&key, load)
        }
        None => answers.cache().warm(&key, load),
    };
    reader.thaw()?;
    let rows = entry?.value().unwrap_or(b"[]").to_vec();
    answers.trace(&key, rows.len());
    if !job.terms.age_max.is_zero() {
        answers.stood(statement, key, looked);
    }
    Ok(rows)
}

/// Rows that nobody keeps.
fn at_one_moment(reader: (&Reader, Option<&OldDays>), job: &Job) -> Result<Vec<u8>, Unread> {
    reader.0.freeze()?;
    let rows = read(reader, (job.name, &job.filter), job.terms.bytes_max);
    reader.0.thaw()?;
    rows
}

/// Rows as they are in tables that stand still, and in files of old days.
pub(super) fn read(
    (reader, old_days): (&Reader, Option<&OldDays>),
    (name, filter): (&str, &Filter),
    bytes_max: usize,
) -> Result<Vec<u8>, Unread> {
    let until = old_days.map(OldDays::until);
    read_until((reader, old_days, until), (name, filter), bytes_max)
}

/// The same, with a bound for what is read of files.
pub(super) fn read_until(
    (reader, old_days, until): (&Reader, Option<&OldDays>, Option<Instant>),
    (name, filter): (&str, &Filter),
    bytes_max: usize,
) -> Result<Vec<u8>, Unread> {
    let mut rows = Rows {
        bytes: vec![b'['],
        bytes_max,
        is_full: false,
    };
    let asked = match old_days {
        None => reader.query(name, filter, (true, &mut rows)),
        Some(old_days) => {
            let files = Files {
                dir: &old_days.dir,
                rows_max: old_days.rows_max,
                until,
            };
            reader.query_with(&files, (name, filter), (true, &mut rows))
        }
    };
    if rows.is_full {
        return Err(Unread::Full);
    }
    asked?;
    Ok(rows.array())
}

/// Lines of objects, which become one array.
struct Rows {
    bytes: Vec<u8>,
    bytes_max: usize,
    is_full: bool,
}

impl Write for Rows {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.bytes.len() + bytes.len() > self.bytes_max {
            self.is_full = true;
            return Err(io::ErrorKind::OutOfMemory.into());
        }
        self.bytes.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Rows {
    fn array(mut self) -> Vec<u8> {
        if self.bytes.last() == Some(&b'\n') {
            self.bytes.pop();
        }
        // JSON has no line break within a value, so each one parts two rows.
        let breaks = self.bytes.iter_mut().filter(|byte| **byte == b'\n');
        breaks.for_each(|byte| *byte = b',');
        self.bytes.push(b']');
        self.bytes
    }
}
