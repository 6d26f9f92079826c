//! Reads of the tables, on threads of their own: a database may wait for its disk.

use crate::answer::Refusal;
use crate::config::{Limits, Tables};
use crate::memory::{Answers, read_statement, statement};
use crate::metrics::family;
use cache::Loaded;
use scale::limit::Limit;
use serde_json::{Value, json};
use std::fmt::Write as _;
use std::fs::Metadata;
use std::io::Write;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Instant, SystemTime, UNIX_EPOCH};
use std::{io, thread};
use store::query::{Filter, Reader};
use store::router::{Bounds, Counted, Router};
use tokio::sync::oneshot;

/// Reads that may wait for a thread.
const WAITING_MAX: usize = 256;

/// Reads that are taken on at once however long they take: what a page or two ask for.
const AT_ONCE_MIN: usize = 16;

/// What a thread is asked.
struct Job {
    name: &'static str,
    filter: Filter,
    bytes_max: usize,
    reply: oneshot::Sender<Result<Vec<u8>, Refusal>>,
}

/// The way to the threads.
#[derive(Clone)]
pub(crate) struct Reads {
    jobs: SyncSender<Job>,
    limit: Arc<Mutex<Limit>>,
    answers: Option<Answers>,
    /// Where the tables are at servers.
    router: Option<Arc<Router>>,
}

/// A place among those that are read for, which is given back when this goes.
struct Place<'r> {
    reads: &'r Reads,
    began: Instant,
    is_answered: bool,
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        let latency_ns = self.began.elapsed().as_nanos() as u64;
        let mut limit = self.reads.limit();
        match self.is_answered {
            true => limit.answered(latency_ns),
            // Who asked is gone: it is not known how long it would have taken.
            false => limit.gone(),
        }
    }
}

impl Reads {
    /// Starts the threads; answers are kept where there is a place for them.
    ///
    /// # Errors
    /// The system has none.
    pub(crate) fn start(
        tables: &Tables,
        limits: &Limits,
        answers: Option<Answers>,
    ) -> io::Result<Self> {
        let router = router(tables);
        let (jobs, queue) = sync_channel(WAITING_MAX);
        let queue = Arc::new(Mutex::new(queue));
        for number in 0..limits.readers {
            let mut thread = Reading {
                tables: tables.file().map(File::new),
                router: router.clone(),
                answers: answers.clone(),
            };
            let queue = Arc::clone(&queue);
            let named = thread::Builder::new().name(format!("api-read-{number}"));
            named.spawn(move || thread.serve(&queue))?;
        }
        let (least, most) = (AT_ONCE_MIN, limits.readers + WAITING_MAX);
        let goal_ns = limits.read_goal_ms * 1_000_000;
        let reads = Self {
            jobs,
            limit: Arc::new(Mutex::new(Limit::new(least as u32, most as u32, goal_ns))),
            answers,
            router,
        };
        let wants_warmth = |answers: &Answers| answers.wait().is_some();
        if reads.answers.as_ref().is_some_and(wants_warmth) {
            let (warming, bytes_max) = (reads.clone(), limits.answer_kib * 1_024);
            let named = thread::Builder::new().name("api-warm".to_owned());
            named.spawn(move || warming.warm(bytes_max))?;
        }
        Ok(reads)
    }

    /// Makes likely answers before each session, one after the other.
    fn warm(&self, bytes_max: usize) {
        let Some(answers) = &self.answers else { return };
        while let Some(wait) = answers.wait() {
            thread::sleep(wait);
            for likely in answers.likely() {
                let Some((name, filter)) = read_statement(&likely) else {
                    continue;
                };
                let (reply, answer) = oneshot::channel();
                let job = Job {
                    name,
                    filter,
                    bytes_max,
                    reply,
                };
                if self.jobs.send(job).is_err() {
                    return;
                }
                let _ = answer.blocking_recv();
            }
        }
    }

    fn limit(&self) -> MutexGuard<'_, Limit> {
        self.limit.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A place, if there is one now.
    fn place(&self) -> Option<Place<'_>> {
        self.limit().begin().then(|| Place {
            reads: self,
            began: Instant::now(),
            is_answered: false,
        })
    }

    /// How many reads there are and may be, in the text format of Prometheus.
    pub(crate) fn figures(&self, text: &mut String) {
        if let Some(answers) = &self.answers {
            answers.figures(text);
        }
        if let Some(router) = &self.router {
            servers(router, text);
        }
        let (places, running, refused) = {
            let limit = self.limit();
            (limit.places(), limit.running(), limit.refused())
        };
        for (name, kind, help, value) in [
            (
                "reads_limit",
                "gauge",
                "Reads of the tables that may be taken on at once",
                places.into(),
            ),
            (
                "reads_running",
                "gauge",
                "Reads of the tables that are taken on",
                running.into(),
            ),
            (
                "reads_refused_total",
                "counter",
                "Reads of the tables beyond that",
                refused,
            ),
        ] {
            let name = format!("wirecross_{name}");
            family(text, &name, kind, help);
            let value: u64 = value;
            let _ = writeln!(text, "{name} {value}");
        }
    }

    /// What is kept, what is read now, and by which servers, for the page.
    pub(crate) fn json(&self) -> Value {
        let limit = self.limit();
        let servers = self.router.iter().flat_map(|router| lags(router));
        let servers = servers.map(|(it, lag)| {
            json!({
                "server": it.server, "primary": it.is_primary, "up": it.is_up,
                "reads": it.reads, "failures": it.failures, "behind": it.behind,
                "lag_bytes": lag,
            })
        });
        json!({
            "cache": self.answers.as_ref().map(Answers::json),
            "reads": {
                "limit": limit.places(), "running": limit.running(), "refused": limit.refused(),
            },
            "servers": servers.collect::<Vec<_>>(),
        })
    }

    /// Rows of a query as a JSON array.
    pub(crate) async fn rows(
        &self,
        name: &'static str,
        filter: Filter,
        bytes_max: usize,
    ) -> Result<Vec<u8>, Refusal> {
        let (reply, answer) = oneshot::channel();
        let job = Job {
            name,
            filter,
            bytes_max,
            reply,
        };
        let mut place = self.place().ok_or(Refusal::TooMany(1_000))?;
        match self.jobs.try_send(job) {
            Err(TrySendError::Full(_)) => return Err(Refusal::TooMany(1_000)),
            Err(TrySendError::Disconnected(_)) => return Err(gone()),
            Ok(()) => {}
        }
        let rows = answer.await.unwrap_or_else(|_| Err(gone()));
        place.is_answered = true;
        rows
    }
}

fn gone() -> Refusal {
    Refusal::Unavailable("no thread reads the tables any more: restart wirecross-api".to_owned())
}

/// What each server did, for Prometheus.
fn servers(router: &Router, text: &mut String) {
    let all = lags(router);
    let mut tell = |name: &str, kind: &str, help: &str, of: fn(&(Counted, u64)) -> u64| {
        let name = format!("wirecross_database_{name}");
        family(text, &name, kind, help);
        for told in &all {
            let it = &told.0;
            let role = if it.is_primary { "primary" } else { "replica" };
            let (server, value) = (&it.server, of(told));
            let _ = writeln!(text, "{name}{{server={server:?},role={role:?}}} {value}");
        }
    };
    tell(
        "up",
        "gauge",
        "1: the server answered when it was last asked",
        |(it, _)| it.is_up.into(),
    );
    tell(
        "reads_total",
        "counter",
        "Reads that the server answered",
        |(it, _)| it.reads,
    );
    tell(
        "failures_total",
        "counter",
        "Times that the server failed",
        |(it, _)| it.failures,
    );
    let help = "Reads that the server was not fresh enough for";
    tell("behind_total", "counter", help, |(it, _)| it.behind);
    let help = "Bytes of the log that the server lacked when it was last asked";
    tell("lag_bytes", "gauge", help, |(_, lag)| *lag);
}

/// Each server, and how many bytes it was behind the furthest place that was seen.
fn lags(router: &Router) -> Vec<(Counted, u64)> {
    let all: Vec<Counted> = router.counted().collect();
    let furthest = all.iter().map(|it| it.position).max().unwrap_or_default();
    let lag = |it: Counted| {
        let lag = furthest.behind(it.position);
        (it, lag)
    };
    all.into_iter().map(lag).collect()
}

/// The way to the servers, if it is these that have the tables.
fn router(tables: &Tables) -> Option<Arc<Router>> {
    let Tables::Servers {
        primary,
        replicas,
        lag_max,
        ..
    } = tables
    else {
        return None;
    };
    let bounds = Bounds {
        lag_max: *lag_max,
        ..Bounds::default()
    };
    let router = Router::new(primary.clone(), replicas.clone(), bounds);
    Some(Arc::new(router))
}

/// Why rows are not there.
enum Unread {
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

/// What one thread reads by: a file, or the way to servers.
struct Reading {
    tables: Option<File>,
    router: Option<Arc<Router>>,
    answers: Option<Answers>,
}

impl Reading {
    fn serve(&mut self, queue: &Mutex<Receiver<Job>>) {
        loop {
            let job = queue.lock().unwrap_or_else(PoisonError::into_inner).recv();
            let Ok(job) = job else { return };
            // Who asked is gone already.
            if job.reply.is_closed() {
                continue;
            }
            let answer = self.rows(&job);
            let _ = job.reply.send(answer);
        }
    }

    fn rows(&mut self, job: &Job) -> Result<Vec<u8>, Refusal> {
        let answers = self.answers.as_ref();
        let asked = match (&mut self.tables, &self.router) {
            (Some(file), _) => file.rows(answers, job)?,
            (None, Some(router)) => routed(router, answers, job)?,
            (None, None) => return Err(gone()),
        };
        match asked {
            Some(rows) if rows.len() <= job.bytes_max => Ok(rows),
            _ => Err(Refusal::TooLarge(format!(
                "the answer has more than {} KiB: ask for fewer rows with `limit`, or for a \
                 shorter time with `from` and `to`",
                job.bytes_max / 1_024
            ))),
        }
    }
}

/// Rows by whichever server will do; none if there are too many.
fn routed(
    router: &Router,
    answers: Option<&Answers>,
    job: &Job,
) -> Result<Option<Vec<u8>>, Refusal> {
    let answer = router.read(None, &mut |reader| {
        let asked = match answers {
            None => read(reader, job),
            Some(answers) => kept(answers, reader, &|| reader.identity(), job),
        };
        match asked {
            Ok(rows) => Ok(Some(rows)),
            Err(Unread::Full) => Ok(None),
            Err(Unread::Failed(error)) => Err(error),
        }
    });
    answer.map(|it| it.value).map_err(unavailable)
}

/// A file of tables as one thread has it open.
struct File {
    path: PathBuf,
    /// With the file's place on the disk: a rebuild puts another file there.
    open: Option<(FileId, Reader)>,
}

/// Which file it is: its device, its number there, and when it was made.
type FileId = (u64, u64, Option<SystemTime>);

impl File {
    fn new(path: &Path) -> Self {
        Self {
            path: path.to_owned(),
            open: None,
        }
    }

    /// None if there are too many.
    fn rows(&mut self, answers: Option<&Answers>, job: &Job) -> Result<Option<Vec<u8>>, Refusal> {
        let place = |file: Metadata| (file.dev(), file.ino(), file.created().ok());
        let found = std::fs::metadata(&self.path).map_err(unavailable)?;
        let found = place(found);
        let reader = match self.open.take() {
            Some((place, reader)) if place == found => reader,
            _ => Reader::open(&self.path).map_err(unavailable)?,
        };
        let asked = match answers {
            None => read(&reader, job),
            Some(answers) => kept(answers, &reader, &|| Ok(named(found)), job),
        };
        // After any failure but this one the tables are opened anew.
        let rows = match asked {
            Ok(rows) => Some(rows),
            Err(Unread::Full) => None,
            Err(Unread::Failed(error)) => return Err(unavailable(error)),
        };
        self.open = Some((found, reader));
        Ok(rows)
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
    reader: &Reader,
    whose: &dyn Fn() -> Result<String, store::Error>,
    job: &Job,
) -> Result<Vec<u8>, Unread> {
    let stand = reader.freeze()?;
    let statement = statement(job.name, &job.filter);
    answers.note(&statement);
    let key = format!("{}|{stand}|{statement}", whose()?);
    let entry = answers.cache().get_or_load(&key, || {
        Ok::<_, Unread>(Loaded {
            version: stand,
            value: Some(read(reader, job)?),
            tags: Vec::new(),
        })
    });
    reader.thaw()?;
    Ok(entry?.value().unwrap_or(b"[]").to_vec())
}

/// Rows as they are in the tables.
fn read(reader: &Reader, job: &Job) -> Result<Vec<u8>, Unread> {
    let mut rows = Rows {
        bytes: vec![b'['],
        bytes_max: job.bytes_max,
        is_full: false,
    };
    let asked = reader.query(job.name, &job.filter, (true, &mut rows));
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
