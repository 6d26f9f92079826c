//! Reads that are on their way: who asks for the same waits for the same answer.
//!
//! Viewers come in herds. The first of them takes a place in the queue of reads; those that ask
//! the same statement on the same terms wait for its answer and take none. Nobody gets an older
//! answer for that than by a read of his own: a read is joined only before a thread begins with
//! it, when it will look where the tables stand after all of them have asked; or, by who takes an
//! answer of some age, within that time after it began. A read that itself takes an answer of some
//! age is for those alone who take one that is as old.

use super::{Found, Terms, gone};
use crate::answer::Refusal;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};
use store::Position;
use tokio::sync::watch;

/// Those that wait for one read at most.
const WAITING_FOR_ONE_MAX: usize = 4_096;

/// What became of a read; nothing as yet.
type Told = Option<Result<Found, Refusal>>;

/// What is asked for, and on which terms.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Wanted {
    statement: String,
    after: Option<Position>,
    bytes_max: usize,
}

impl Wanted {
    pub(super) const fn new(statement: String, terms: Terms) -> Self {
        Self {
            statement,
            after: terms.after,
            bytes_max: terms.bytes_max,
        }
    }
}

/// A read, how old its answer may be when a thread begins with it, and when one did.
#[derive(Debug)]
struct Flight {
    tells: watch::Sender<Told>,
    age_max: Duration,
    began: Option<Instant>,
}

impl Flight {
    /// Whether its answer is young enough for who takes one of this age.
    fn is_young(&self, age_max: Duration) -> bool {
        match self.began {
            None => self.age_max <= age_max,
            Some(began) => began.elapsed() + self.age_max < age_max,
        }
    }
}

/// What somebody who wants something is to do.
#[derive(Debug)]
pub(super) enum Joined {
    /// Wait for what another one's read comes to.
    Waits(Outcome),
    /// Have it read: others wait with him.
    Leads(Ticket, Outcome),
    /// Come again.
    Full,
}

/// All reads that are on their way.
#[derive(Clone, Debug, Default)]
pub(super) struct Flights(Arc<Mutex<Inside>>);

#[derive(Debug, Default)]
struct Inside {
    /// Of each thing the last one.
    all: HashMap<Wanted, Flight>,
    shared: u64,
}

impl Flights {
    fn inside(&self) -> MutexGuard<'_, Inside> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Joins the read that there is, or begins another one.
    pub(super) fn join(&self, wanted: Wanted, age_max: Duration) -> Joined {
        let mut inside = self.inside();
        if let Some(flight) = inside.all.get(&wanted)
            && flight.is_young(age_max)
        {
            if flight.tells.receiver_count() >= WAITING_FOR_ONE_MAX {
                return Joined::Full;
            }
            let outcome = Outcome(flight.tells.subscribe());
            inside.shared += 1;
            return Joined::Waits(outcome);
        }
        let (tells, hears) = watch::channel(None);
        let flight = Flight {
            tells: tells.clone(),
            age_max,
            began: None,
        };
        inside.all.insert(wanted.clone(), flight);
        drop(inside);
        let ticket = Ticket {
            flights: self.clone(),
            wanted,
            tells,
            is_told: false,
        };
        Joined::Leads(ticket, Outcome(hears))
    }

    /// Requests that waited for another one's read.
    pub(super) fn shared(&self) -> u64 {
        self.inside().shared
    }
}

/// Who has it tells all that wait for a read; if it goes without a word, that nobody reads any
/// more.
#[derive(Debug)]
pub(super) struct Ticket {
    flights: Flights,
    wanted: Wanted,
    tells: watch::Sender<Told>,
    is_told: bool,
}

impl Ticket {
    /// A thread begins with the read: whoever wants the present comes too late for it. False where
    /// nobody waits for it any more.
    pub(super) fn begin(&self) -> bool {
        let mut inside = self.flights.inside();
        if self.tells.is_closed() {
            self.leave(&mut inside);
            return false;
        }
        if let Some(flight) = inside.all.get_mut(&self.wanted)
            && flight.tells.same_channel(&self.tells)
        {
            flight.began = Some(Instant::now());
        }
        true
    }

    /// The read is over.
    pub(super) fn tell(mut self, outcome: Result<Found, Refusal>) {
        self.end(outcome);
    }

    fn end(&mut self, outcome: Result<Found, Refusal>) {
        self.leave(&mut self.flights.inside());
        self.tells.send_replace(Some(outcome));
        self.is_told = true;
    }

    /// Nobody joins it any more; another one may be on its way since.
    fn leave(&self, inside: &mut Inside) {
        let flight = inside.all.get(&self.wanted);
        if flight.is_some_and(|it| it.tells.same_channel(&self.tells)) {
            inside.all.remove(&self.wanted);
        }
    }
}

impl Drop for Ticket {
    fn drop(&mut self) {
        if !self.is_told {
            self.end(Err(gone()));
        }
    }
}

/// What a read will have come to.
#[derive(Debug)]
pub(super) struct Outcome(watch::Receiver<Told>);

impl Outcome {
    /// Waits for it.
    pub(super) async fn wait(mut self) -> Result<Found, Refusal> {
        match self.0.wait_for(Option::is_some).await {
            Ok(told) => told.clone().unwrap_or_else(|| Err(gone())),
            Err(_) => Err(gone()),
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use axum::body::Bytes;

    const MINUTE: Duration = Duration::from_secs(60);

    fn tops() -> Wanted {
        Wanted::new("tops".to_owned(), Terms::present(1_000))
    }

    fn lead(flights: &Flights) -> (Ticket, Outcome) {
        match flights.join(tops(), Duration::ZERO) {
            Joined::Leads(ticket, outcome) => (ticket, outcome),
            other => panic!("{other:?}"),
        }
    }

    fn waits(flights: &Flights, age_max: Duration) -> Option<Outcome> {
        match flights.join(tops(), age_max) {
            Joined::Waits(outcome) => Some(outcome),
            _ => None,
        }
    }

    fn rows(outcome: Outcome) -> Result<Vec<u8>, Refusal> {
        let runtime = tokio::runtime::Builder::new_current_thread().build();
        let found = runtime.unwrap().block_on(outcome.wait());
        found.map(|found| found.rows.to_vec())
    }

    fn found(rows: &'static [u8]) -> Result<Found, Refusal> {
        Ok(Found {
            rows: Bytes::from_static(rows),
            position: None,
        })
    }

    #[test]
    fn who_asks_before_a_read_begins_waits_for_it() {
        let flights = Flights::default();
        let (ticket, first) = lead(&flights);
        let second = waits(&flights, Duration::ZERO).unwrap();
        assert!(ticket.begin());
        // The present is later than this read; a minute ago is not.
        let (later, third) = lead(&flights);
        let young = waits(&flights, Duration::ZERO).unwrap();
        ticket.tell(found(b"1"));
        for outcome in [first, second] {
            assert_eq!(rows(outcome).unwrap(), b"1");
        }
        assert!(later.begin());
        let aged = waits(&flights, MINUTE).unwrap();
        later.tell(found(b"2"));
        for outcome in [third, young, aged] {
            assert_eq!(rows(outcome).unwrap(), b"2");
        }
        assert_eq!(flights.shared(), 3);
        assert!(flights.inside().all.is_empty());
    }

    #[test]
    fn the_present_is_not_what_another_one_takes_of_before() {
        let flights = Flights::default();
        let second = Duration::from_secs(1);
        let Joined::Leads(aged, _outcome) = flights.join(tops(), second) else {
            panic!("there is another one");
        };
        assert!(waits(&flights, second).is_some());
        assert!(waits(&flights, MINUTE).is_some());
        assert!(aged.begin());
        assert!(waits(&flights, MINUTE).is_some());
        // It may be a second old already.
        let Joined::Leads(other, _outcome) = flights.join(tops(), second) else {
            panic!("it is too old");
        };
        let (present, _outcome) = lead(&flights);
        assert!(waits(&flights, second).is_some());
        drop((aged, other, present));
        assert!(flights.inside().all.is_empty());
    }

    #[test]
    fn a_read_that_nobody_waits_for_is_none() {
        let flights = Flights::default();
        let (ticket, first) = lead(&flights);
        let second = waits(&flights, Duration::ZERO).unwrap();
        // Who began it may go: others wait.
        drop(first);
        assert!(ticket.begin());
        drop(second);
        assert!(!ticket.begin());
        let (other, outcome) = lead(&flights);
        drop(ticket);
        assert!(waits(&flights, Duration::ZERO).is_some());
        // Nor does anybody wait for a thread that ended.
        drop(other);
        assert_eq!(rows(outcome), Err(gone()));
        assert!(flights.inside().all.is_empty());
    }

    #[test]
    fn a_herd_has_an_end() {
        let flights = Flights::default();
        let (_ticket, _first) = lead(&flights);
        let herd: Vec<Outcome> = (1..WAITING_FOR_ONE_MAX)
            .map(|_| waits(&flights, Duration::ZERO).unwrap())
            .collect();
        assert_eq!(herd.len() + 1, WAITING_FOR_ONE_MAX);
        assert!(matches!(flights.join(tops(), Duration::ZERO), Joined::Full));
        // Other terms are another read.
        let other = Wanted::new("tops".to_owned(), Terms::present(999));
        assert!(matches!(
            flights.join(other, Duration::ZERO),
            Joined::Leads(..)
        ));
    }
}
