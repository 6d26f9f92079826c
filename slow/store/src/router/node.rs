//! One server of a router's: connections to it that rest, and whether it is worth asking.

use super::Bounds;
use crate::query::Reader;
use crate::{Error, Location, Position, Server};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// One that failed is left alone for at least so long.
const PAUSE_MIN: Duration = Duration::from_millis(200);

/// And for so many times as long as its failure took: one that says nothing costs a sixth of the
/// time at most.
const PAUSE_TIMES: u32 = 5;

/// How a server says where it is.
const STANDS: &str = "SELECT pg_is_in_recovery(), CAST(CASE WHEN pg_is_in_recovery() \
                      THEN coalesce(pg_last_wal_replay_lsn(), '0/0') \
                      ELSE pg_current_wal_insert_lsn() END - '0/0' AS BIGINT), \
                      (SELECT system_identifier FROM pg_control_system())";

/// What a server says of itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stand {
    pub is_replica: bool,
    pub position: Position,
    /// The same for a primary and all that follow it.
    pub system: i64,
}

/// It failed, with these words, and is left alone until then.
#[derive(Debug)]
struct Trouble {
    until: Instant,
    words: String,
    /// It said where it is, and then no answer came: only one that comes ends this.
    is_of_answers: bool,
}

impl Trouble {
    fn after(began: Instant, words: String, is_of_answers: bool) -> Self {
        let pause = PAUSE_MIN.max(began.elapsed() * PAUSE_TIMES);
        let until = Instant::now() + pause;
        Self {
            until,
            words,
            is_of_answers,
        }
    }
}

/// What is known of it.
#[derive(Debug, Default)]
struct State {
    /// Connections that nobody uses now.
    idle: Vec<Reader>,
    trouble: Option<Trouble>,
    reads: u64,
    failures: u64,
    /// Reads that it was not fresh enough for.
    behind: u64,
    /// Where it was when it was last asked.
    position: Position,
}

/// What a server did, for whoever counts.
#[derive(Clone, Debug)]
pub struct Counted {
    /// Host, port and database.
    pub server: String,
    /// It is the one that is written.
    pub is_primary: bool,
    /// Whether it was there when it was last asked.
    pub is_up: bool,
    /// Reads that it answered.
    pub reads: u64,
    /// Times that it could not be asked or failed.
    pub failures: u64,
    /// Reads that it was not fresh enough for.
    pub behind: u64,
    /// Where it was when it was last asked.
    pub position: Position,
}

/// A server.
#[derive(Debug)]
pub struct Node {
    location: Location,
    bounds: Bounds,
    state: Mutex<State>,
}

impl Node {
    pub fn new(server: Server, bounds: Bounds) -> Self {
        Self {
            location: Location::Server(server.within(bounds.look_max)),
            bounds,
            state: Mutex::default(),
        }
    }

    pub fn words(&self) -> String {
        self.location.to_string()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub fn counted(&self, is_primary: bool) -> Counted {
        let state = self.state();
        Counted {
            server: self.words(),
            is_primary,
            is_up: state.trouble.is_none(),
            reads: state.reads,
            failures: state.failures,
            behind: state.behind,
            position: state.position,
        }
    }

    /// Gives a connection that works, and where the server was when it was asked a moment ago.
    ///
    /// # Errors
    /// The server failed, now or a moment ago: the words say how.
    pub fn open(&self) -> Result<(Reader, Stand), String> {
        let began = Instant::now();
        {
            let mut state = self.state();
            if let Some(trouble) = &mut state.trouble {
                if began < trouble.until {
                    return Err(trouble.words.clone());
                }
                // One tries; the others go elsewhere meanwhile.
                trouble.until = began + self.longest(trouble.is_of_answers);
            }
        }
        let opened = self.connect();
        let mut state = self.state();
        match opened {
            Ok(opened) => {
                state.trouble.take_if(|trouble| !trouble.is_of_answers);
                state.position = opened.1.position;
                Ok(opened)
            }
            Err(error) => {
                let words = error.to_string();
                state.trouble = Some(Trouble::after(began, words.clone(), false));
                state.failures += 1;
                state.idle.clear();
                Err(words)
            }
        }
    }

    /// How long one who tries may be at it.
    fn longest(&self, does_answer: bool) -> Duration {
        let look = self.bounds.look_max * PAUSE_TIMES;
        match does_answer {
            true => look + self.bounds.answer_max,
            false => look,
        }
    }

    fn connect(&self) -> Result<(Reader, Stand), Error> {
        // One that rests may be of a server that is gone; that there is a new one is tried.
        let rested = self.state().idle.pop();
        if let Some(reader) = rested {
            let began = Instant::now();
            reader.wait_for(self.bounds.look_max);
            match stand(&reader) {
                Ok(stand) => return Ok((reader, stand)),
                Err(error) if began.elapsed() >= self.bounds.look_max => return Err(error),
                Err(_) => self.state().idle.clear(),
            }
        }
        let reader = Reader::at(&self.location)?;
        let stand = stand(&reader)?;
        Ok((reader, stand))
    }

    /// Does something with a connection, which then rests. A replica that fails at it is left alone
    /// for a while; not so a primary, which one query that is too much would close to all.
    ///
    /// # Errors
    /// It failed; the connection is closed.
    pub fn use_it<T>(
        &self,
        (reader, is_replica): (Reader, bool),
        work: &mut dyn FnMut(&Reader) -> Result<T, Error>,
    ) -> Result<T, Error> {
        let began = Instant::now();
        reader.wait_for(self.bounds.answer_max);
        let done = work(&reader);
        let mut state = self.state();
        match &done {
            Ok(_) => {
                state.trouble = None;
                state.reads += 1;
                state.idle.push(reader);
            }
            // Its connection is within a transaction, and closed. But the server is well.
            Err(Error::Refused(_)) => {
                state.trouble = None;
                state.reads += 1;
            }
            Err(error) => {
                state.failures += 1;
                if is_replica {
                    state.trouble = Some(Trouble::after(began, error.to_string(), true));
                    state.idle.clear();
                }
            }
        }
        done
    }

    /// Takes a connection back that nothing was asked by.
    pub fn rest(&self, reader: Reader) {
        self.state().idle.push(reader);
    }

    /// It was not fresh enough.
    pub fn was_behind(&self, reader: Reader) {
        let mut state = self.state();
        state.behind += 1;
        state.idle.push(reader);
    }
}

/// Asks a server where it is.
pub fn stand(reader: &Reader) -> Result<Stand, Error> {
    let found = reader.first(STANDS, |row| {
        Ok(Stand {
            is_replica: row[0].integer::<i64>()? != 0,
            position: Position::of(row[1].bits()?),
            system: row[2].integer()?,
        })
    })?;
    found.ok_or_else(|| Error::Server("a server does not say where it is".to_owned()))
}
