//! Reads of the tables, on threads of their own: a database may wait for its disk.

mod check;
mod figures;
mod flights;
mod thread;

pub(crate) use figures::of_servers;

use crate::answer::Refusal;
use crate::config::{Config, Tables};
use crate::memory::{Answers, read_statement, statement};
use axum::body::Bytes;
use flights::{Flights, Joined, Ticket, Wanted};
use scale::limit::Limit;
use std::io;
use std::sync::mpsc::{SyncSender, TrySendError, sync_channel};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::{Builder, sleep};
use std::time::{Duration, Instant};
use store::Position;
use store::query::Filter;
use store::router::{Bounds, Router};
use thread::{File, OldDays, Reading};
use tokio::runtime::Runtime;

/// Reads that may wait for a thread.
const WAITING_MAX: usize = 256;

/// Reads that are taken on at once however long they take: what a page or two ask for.
const AT_ONCE_MIN: usize = 16;

/// What an answer may be.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Terms {
    /// Its bytes at most.
    pub(crate) bytes_max: usize,
    /// How long ago the tables may have stood as it says; zero: they stand so now.
    pub(crate) age_max: Duration,
    /// What the tables must be behind.
    pub(crate) after: Option<Position>,
}

impl Terms {
    /// Of the tables as they stand now.
    pub(crate) const fn present(bytes_max: usize) -> Self {
        Self::behind(bytes_max, None)
    }

    /// Of tables as they stand now that are behind a position.
    pub(crate) const fn behind(bytes_max: usize, after: Option<Position>) -> Self {
        Self {
            bytes_max,
            age_max: Duration::ZERO,
            after,
        }
    }

    /// May be so old: not if the tables must be behind a position, which what is in memory does not
    /// tell.
    pub(crate) const fn aged(mut self, age_max: Duration) -> Self {
        if self.after.is_none() {
            self.age_max = age_max;
        }
        self
    }
}

/// What a thread is asked.
struct Job {
    name: &'static str,
    filter: Filter,
    terms: Terms,
    ticket: Ticket,
    /// None if nobody waits for the answer.
    place: Option<Place>,
}

impl Job {
    /// Gives the place back and tells all who wait.
    fn answer(self, answer: Result<Found, Refusal>) {
        if let Some(mut place) = self.place {
            place.is_answered = true;
        }
        self.ticket.tell(answer);
    }
}

/// Rows as a JSON array, and what stood in the tables before they were read, if somebody follows
/// these.
#[derive(Clone, Debug)]
pub(crate) struct Found {
    pub(crate) rows: Bytes,
    pub(crate) position: Option<Position>,
}

/// The way to the threads.
#[derive(Clone)]
pub(crate) struct Reads {
    jobs: SyncSender<Job>,
    flights: Flights,
    limit: Arc<Mutex<Limit>>,
    answers: Option<Answers>,
    /// Where the tables are at servers.
    router: Option<Arc<Router>>,
}

/// A place among those that are read for, which is given back when this goes.
struct Place {
    limit: Arc<Mutex<Limit>>,
    began: Instant,
    is_answered: bool,
}

impl Drop for Place {
    fn drop(&mut self) {
        let latency_ns = self.began.elapsed().as_nanos() as u64;
        let mut limit = self.limit.lock().unwrap_or_else(PoisonError::into_inner);
        match self.is_answered {
            true => limit.answered(latency_ns),
            // Who asked is gone, or could not wait: it is not known how long it would have taken.
            false => limit.gone(),
        }
    }
}

impl Reads {
    /// Starts the threads; answers are kept where there is a place for them.
    ///
    /// # Errors
    /// The system has none.
    pub(crate) fn start(config: &Config, answers: Option<Answers>) -> io::Result<Self> {
        let (tables, limits) = (&config.tables, &config.limits);
        let router = router(tables);
        let (jobs, queue) = sync_channel(WAITING_MAX);
        let queue = Arc::new(Mutex::new(queue));
        let old_days = config.history.as_ref().map(|dir| OldDays {
            dir: dir.clone(),
            rows_max: limits.history_rows,
            time_max: limits.request(),
        });
        let old_days = old_days.map(Arc::new);
        let reading = || Reading {
            tables: tables.file().map(File::new),
            router: router.clone(),
            answers: answers.clone(),
            old_days: old_days.clone(),
        };
        for number in 0..limits.readers {
            let mut thread = reading();
            let queue = Arc::clone(&queue);
            let named = Builder::new().name(format!("api-read-{number}"));
            named.spawn(move || thread.serve(&queue))?;
        }
        if let Some(every) = answers.as_ref().and_then(Answers::check_every) {
            let checking = reading();
            let named = Builder::new().name("api-check".to_owned());
            named.spawn(move || checking.check(every))?;
        }
        let (least, most) = (AT_ONCE_MIN, limits.readers + WAITING_MAX);
        let goal_ns = limits.read_goal_ms * 1_000_000;
        let reads = Self {
            jobs,
            flights: Flights::default(),
            limit: Arc::new(Mutex::new(Limit::new(least as u32, most as u32, goal_ns))),
            answers,
            router,
        };
        let wants_warmth = |answers: &Answers| answers.wait().is_some();
        if reads.answers.as_ref().is_some_and(wants_warmth) {
            let (warming, bytes_max) = (reads.clone(), limits.answer_kib * 1_024);
            let waiting = tokio::runtime::Builder::new_current_thread().build()?;
            let named = Builder::new().name("api-warm".to_owned());
            named.spawn(move || warming.warm(&waiting, bytes_max))?;
        }
        Ok(reads)
    }

    /// Makes likely answers before each session, one after the other.
    fn warm(&self, waiting: &Runtime, bytes_max: usize) {
        let Some(answers) = &self.answers else { return };
        while let Some(wait) = answers.wait() {
            sleep(wait);
            for likely in answers.likely() {
                let Some((name, filter)) = read_statement(&likely) else {
                    continue;
                };
                let terms = Terms::present(bytes_max);
                let wanted = Wanted::new(likely, terms);
                let Joined::Leads(ticket, outcome) = self.flights.join(wanted, terms.age_max)
                else {
                    continue;
                };
                let job = Job {
                    name,
                    filter,
                    terms,
                    ticket,
                    place: None,
                };
                if self.jobs.send(job).is_err() {
                    return;
                }
                // Whatever it is: those who ask for it will hear it, too.
                drop(waiting.block_on(outcome.wait()));
            }
        }
    }

    fn limit(&self) -> MutexGuard<'_, Limit> {
        self.limit.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A place, if there is one now.
    fn place(&self) -> Option<Place> {
        self.limit().begin().then(|| Place {
            limit: Arc::clone(&self.limit),
            began: Instant::now(),
            is_answered: false,
        })
    }

    /// What is in memory and young enough: no thread has to look where the tables stand.
    fn young(&self, name: &str, filter: &Filter, terms: Terms) -> Option<Vec<u8>> {
        let answers = self.answers.as_ref()?;
        answers.young(&statement(name, filter), terms)
    }

    /// Rows of a query; those who ask for the same at once wait for one read.
    pub(crate) async fn rows(
        &self,
        name: &'static str,
        filter: Filter,
        terms: Terms,
    ) -> Result<Found, Refusal> {
        if let Some(rows) = self.young(name, &filter, terms) {
            let (rows, position) = (rows.into(), None);
            return Ok(Found { rows, position });
        }
        let wanted = Wanted::new(statement(name, &filter), terms);
        let outcome = match self.flights.join(wanted, terms.age_max) {
            Joined::Full => return Err(BUSY),
            Joined::Waits(outcome) => outcome,
            Joined::Leads(ticket, outcome) => {
                self.ask(name, filter, (terms, ticket));
                outcome
            }
        };
        outcome.wait().await
    }

    /// Has a thread read; who waits is told if none can be had.
    fn ask(&self, name: &'static str, filter: Filter, (terms, ticket): (Terms, Ticket)) {
        let Some(place) = self.place() else {
            return ticket.tell(Err(BUSY));
        };
        let job = Job {
            name,
            filter,
            terms,
            ticket,
            place: Some(place),
        };
        if let Err(TrySendError::Full(job)) = self.jobs.try_send(job) {
            job.ticket.tell(Err(BUSY));
        }
    }
}

/// As many reads are taken on as may be.
const BUSY: Refusal = Refusal::TooMany(1_000);

fn gone() -> Refusal {
    Refusal::Unavailable("no thread reads the tables any more: restart wirecross-api".to_owned())
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
