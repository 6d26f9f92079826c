//! One transaction after the other: messages in, rows and places out.

use crate::day::{Day, Source};
use crate::tables::{Tables, first};
use crate::{Error, Location, Position, days, versions};
use std::collections::{HashMap, HashSet};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Inputs that a transaction takes at most, and messages of each stream, unless told otherwise.
pub const BATCH: u64 = 250_000;

/// How often what cannot be read is read again, and how long one waits before.
const ATTEMPTS: u32 = 5;
const AGAIN: Duration = Duration::from_millis(20);

/// The venue's counters, in its data directory.
const COUNTERS_FILE: &str = "counters";

/// What a transaction brought.
#[derive(Debug, Default)]
pub struct Turn {
    /// Inputs and messages.
    pub events: u64,
    /// What keeps a stream from being read further; all before it is in the tables.
    pub trouble: Option<Error>,
}

/// Brings the tables of a database up to what a data directory holds.
#[derive(Debug)]
pub struct Projector {
    data_dir: PathBuf,
    tables: Box<dyn Tables>,
    day: Option<Day>,
    /// A transaction was rolled back: what is in memory is not what the tables say.
    is_spent: bool,
    /// Inputs that a transaction takes at most, and messages of each stream.
    batch: u64,
    /// Days that a transaction may go beyond: none in a projection up to given places.
    pub(crate) until: Option<Limits>,
}

/// Where a projection ends that is to be compared with another one: its days, and the next message
/// of each stream that something came of.
#[derive(Clone, Debug, Default)]
pub(crate) struct Limits {
    pub days: HashSet<String>,
    pub places: HashMap<(String, u8, u16), u64>,
}

impl Projector {
    /// Opens a database, or makes it, and reads where it stands.
    ///
    /// # Errors
    /// The database cannot be used: the words say why.
    pub fn open(data_dir: &Path, location: &Location) -> Result<Self, Error> {
        let tables = location.writer()?;
        versions::begin(&*tables)?;
        let text = "SELECT name FROM days ORDER BY day DESC LIMIT 1";
        let last = first(&*tables, text, &[], |row| row[0].text().map(str::to_owned))?;
        let day = match last {
            Some(name) => Some(Day::open(&*tables, &name)?),
            None => None,
        };
        Ok(Self {
            data_dir: data_dir.to_path_buf(),
            tables,
            day,
            is_spent: false,
            batch: BATCH,
            until: None,
        })
    }

    /// The same with other transactions: of so many inputs, and messages of each stream.
    #[must_use]
    pub const fn with_batch(mut self, batch: u64) -> Self {
        self.batch = if batch == 0 { 1 } else { batch };
        self
    }

    /// What a reader must be behind to read all that was projected; none where nobody copies the
    /// database.
    ///
    /// # Errors
    /// The database fails.
    pub fn position(&self) -> Result<Option<Position>, Error> {
        self.tables.position()
    }

    /// The day that is read.
    #[cfg(feature = "history")]
    pub(crate) fn day(&self) -> Option<&str> {
        self.day.as_ref().map(|day| &*day.name)
    }

    /// The database.
    pub(crate) fn tables(&self) -> &dyn Tables {
        &*self.tables
    }

    /// One transaction.
    ///
    /// # Errors
    /// The database failed: nothing of this turn is in the tables, and the projector must be
    /// opened anew.
    pub fn turn(&mut self) -> Result<Turn, Error> {
        if self.is_spent {
            let words = "the projector is spent by a database that failed; open it anew";
            return Err(Error::Refused(words.to_owned()));
        }
        let known = days::list(&self.data_dir)?;
        self.is_spent = true;
        self.tables.begin()?;
        let turn = self.advance(&known)?;
        self.tables.commit()?;
        self.is_spent = false;
        Ok(turn)
    }

    /// Turns until nothing more comes; gives how many events came.
    ///
    /// # Errors
    /// As [`Projector::turn`], or a stream cannot be read to its end.
    pub fn catch_up(&mut self) -> Result<u64, Error> {
        let (mut events, mut attempts) = (0, 0);
        loop {
            let turn = self.turn()?;
            events += turn.events;
            match turn.trouble {
                // A page may be half written while its writer is held up.
                Some(_) if turn.events > 0 || attempts < ATTEMPTS => {
                    attempts += 1;
                    std::thread::sleep(AGAIN);
                }
                Some(trouble) => return Err(trouble),
                None if turn.events == 0 => return Ok(events),
                None => attempts = 0,
            }
        }
    }

    /// Reads on in the present day, or in the one after it when there is nothing left of it.
    fn advance(&mut self, known: &[String]) -> Result<Turn, Error> {
        loop {
            let next = match &self.day {
                None => known.first(),
                Some(day) => known.iter().find(|name| **name > day.name),
            };
            let is_over = next.is_some();
            if let Some(day) = &mut self.day {
                let folder = self.data_dir.join(&day.name);
                if folder.is_dir() {
                    let source = Source {
                        folder,
                        counters: self.data_dir.join(COUNTERS_FILE),
                        is_over,
                        batch: self.batch,
                        limits: self.until.as_ref(),
                    };
                    // Asked first: what becomes whole meanwhile is read by the next turn.
                    let behind = days::behind(&source.folder)?;
                    let mut turn = day.turn(&*self.tables, &source)?;
                    if turn.events > 0 || turn.trouble.is_some() || !is_over {
                        return Ok(turn);
                    }
                    // Up to given places what is missing is missing in both projections.
                    if let (Some(why), None) = (behind, &self.until) {
                        turn.trouble = Some(Error::Venue(why));
                        return Ok(turn);
                    }
                }
            }
            let Some(name) = next else {
                return Ok(Turn::default());
            };
            if let Some(limits) = &self.until
                && !limits.days.contains(name)
            {
                return Ok(Turn::default());
            }
            self.day = Some(Day::begin(&*self.tables, name)?);
        }
    }
}
