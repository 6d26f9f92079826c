//! A day: its journal and streams from where its tables stand.

use crate::audit::Audit;
use crate::book::{self, Book};
use crate::inputs::{self, Until};
use crate::orders::{self, Orders};
use crate::place::{DAYS_MAX, first_of, moment};
use crate::projector::{Limits, Turn};
use crate::rows::Rows;
use crate::{Error, days};
use journal::stream::{self, Kind, Name};
use journal::{DirectoryFiles, Files as _, Mark};
use queue::CounterReader;
use rusqlite::{Connection, OptionalExtension as _, params};
use std::collections::HashMap;
use std::path::PathBuf;

/// Kind of the journal among the streams' kinds.
const JOURNAL: u8 = 0;

/// Where a reader of a stream stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Place {
    /// Number of the next message, or input.
    next: u64,
    /// Time of the last one.
    time_ns: u64,
}

/// A day of which more may come.
#[derive(Debug)]
pub struct Day {
    number: i64,
    pub name: String,
    began_ns: u64,
    mark: Mark,
    places: HashMap<(u8, u16), Place>,
    orders: Orders,
    book: Book,
    audit: Audit,
}

/// Where a day is read from.
pub struct Source<'a> {
    pub folder: PathBuf,
    /// The venue's counters.
    pub counters: PathBuf,
    /// A later day was begun.
    pub is_over: bool,
    /// Inputs at most, and messages of each stream.
    pub batch: u64,
    /// Where to end, if not where the streams do.
    pub limits: Option<&'a Limits>,
}

impl Source<'_> {
    /// The last input that the venue says to be durable; 0 if it says nothing.
    fn durable(&self) -> u64 {
        if self.is_over {
            return 0;
        }
        let read = CounterReader::attach(&self.counters).ok();
        read.and_then(|counters| counters.get("journal.durable"))
            .unwrap_or(0)
    }

    /// The message before which a projection ends.
    fn end(&self, day: &str, kind: u8, number: u16) -> u64 {
        self.limits.map_or(u64::MAX, |limits| {
            let key = (day.to_owned(), kind, number);
            limits.places.get(&key).copied().unwrap_or(1)
        })
    }
}

impl Day {
    /// Gives a day its number.
    ///
    /// # Errors
    /// The database fails, or holds as many days as it can.
    pub fn begin(connection: &Connection, name: &str) -> Result<Self, Error> {
        let text = "INSERT INTO days SELECT 1 + ifnull(max(day), 0), ?, 0 FROM days RETURNING day";
        let number: i64 = connection.query_row(text, [name], |row| row.get(0))?;
        if number > DAYS_MAX {
            let words = format!("there are {DAYS_MAX} days in it: begin another database");
            return Err(Error::Refused(words));
        }
        book::forget_before(connection, number)?;
        Self::open(connection, name)
    }

    /// Reads where a day's tables stand.
    ///
    /// # Errors
    /// The database fails, or what it says of the journal is no place.
    pub fn open(connection: &Connection, name: &str) -> Result<Self, Error> {
        let text = "SELECT day, began_ns FROM days WHERE name = ?";
        let read = |row: &rusqlite::Row<'_>| Ok((row.get(0)?, row.get(1)?));
        let (number, began_ns): (i64, i64) = connection.query_row(text, [name], read)?;
        let mut day = Self {
            number,
            name: name.to_owned(),
            began_ns: began_ns as u64,
            mark: Mark::START,
            places: HashMap::new(),
            orders: Orders::load(connection, number)?,
            book: Book::load(connection, number)?,
            audit: Audit::load(connection, number)?,
        };
        let text = "SELECT kind, number, next, time_ns, mark FROM progress WHERE day = ?";
        let mut statement = connection.prepare_cached(text)?;
        let mut rows = statement.query([number])?;
        while let Some(row) = rows.next()? {
            let (next, time_ns): (i64, i64) = (row.get(2)?, row.get(3)?);
            let place = Place {
                next: next as u64,
                time_ns: time_ns as u64,
            };
            day.places.insert((row.get(0)?, row.get(1)?), place);
            if let Some(mark) = row.get::<_, Option<Vec<u8>>>(4)? {
                let read = bytemuck::try_pod_read_unaligned(&mark);
                day.mark = read.map_err(|_| {
                    Error::Refused(format!("day {name}: its place in the journal is damaged"))
                })?;
            }
        }
        Ok(day)
    }

    /// Reads on in the journal, then in each stream, and writes what follows.
    ///
    /// # Errors
    /// The database fails. What is wrong with the venue's files is the turn's trouble.
    pub fn turn(&mut self, connection: &Connection, source: &Source<'_>) -> Result<Turn, Error> {
        let mut turn = Turn::default();
        match self.journal(connection, source) {
            Ok(inputs) => turn.events += inputs,
            Err(Error::Venue(trouble)) => turn.trouble = Some(Error::Venue(trouble)),
            Err(error) => return Err(error),
        }
        let mut rows = Rows::new(connection)?;
        let mut files = DirectoryFiles::new(&source.folder);
        for name in days::streams(&files.names()?) {
            let before = turn.events;
            let read = self.stream(&mut rows, &mut files, (name, source), &mut turn.events);
            match read {
                Ok(()) => {}
                Err(Error::Venue(trouble)) => turn.trouble = Some(Error::Venue(trouble)),
                Err(error) => return Err(error),
            }
            if turn.events > before {
                self.keep(connection, (name.kind as u8, name.number))?;
            }
        }
        if turn.events > 0 {
            self.orders.write(&mut rows)?;
            self.book.write(connection, self.number)?;
        }
        Ok(turn)
    }

    /// Reads on in the journal; gives how many inputs came.
    fn journal(&mut self, connection: &Connection, source: &Source<'_>) -> Result<u64, Error> {
        let end = source.end(&self.name, JOURNAL, 0);
        let until = Until {
            durable: source.durable(),
            is_over: source.is_over,
            inputs_max: source
                .batch
                .min(end.saturating_sub(self.mark.next_sequence)),
        };
        let (day, before) = (self.number, self.mark);
        let (audit, began_ns) = (&mut self.audit, &mut self.began_ns);
        let mut mark = self.mark;
        let read = inputs::read(&source.folder, &mut mark, until, &mut |input| {
            if *began_ns == 0 {
                *began_ns = input.time_ns;
                let text = "UPDATE days SET began_ns = ? WHERE day = ?";
                connection.execute(text, params![input.time_ns as i64, day])?;
            }
            audit.take(connection, day, input)
        });
        self.mark = mark;
        let place = Place {
            next: mark.next_sequence,
            time_ns: mark.time_ns,
        };
        if mark != before {
            self.places.insert((JOURNAL, 0), place);
            self.audit.write(connection, day)?;
            self.keep(connection, (JOURNAL, 0))?;
        }
        let (inputs, gap) = read?;
        if let Some(gap) = gap {
            Audit::missed(connection, day, gap)?;
        }
        Ok(inputs)
    }

    /// Reads on in a stream.
    fn stream(
        &mut self,
        rows: &mut Rows<'_>,
        files: &mut DirectoryFiles,
        (name, source): (Name, &Source<'_>),
        events: &mut u64,
    ) -> Result<(), Error> {
        let kind = name.kind as u8;
        let account = match name.kind {
            Kind::Replies => account_of(rows.connection, self.number, name.number)?,
            _ => Some(0),
        };
        // The journal says when the day began and whose the session is.
        let (Some(account), true) = (account, self.began_ns > 0) else {
            return self.check_is_behind(rows.connection, name);
        };
        let begin = Place {
            next: 1,
            time_ns: self.began_ns,
        };
        let mut place = *self.places.get(&(kind, name.number)).unwrap_or(&begin);
        let most = place.next.saturating_add(source.batch);
        let end = source.end(&self.name, kind, name.number).min(most);
        if place.next >= end {
            return Ok(());
        }
        let mut taken = Ok(());
        let read = stream::read(files, name, place.next, &mut |message, bytes| {
            let time_ns = moment(place.time_ns, of_day(name.kind, bytes));
            let at = orders::At {
                day: self.number,
                session: name.number,
                account,
                message,
                time_ns,
            };
            taken = match name.kind {
                Kind::Replies => self.orders.take(rows, &at, bytes),
                _ => self.book.take(&feed_at(&at), bytes).map(|_| ()),
            };
            if taken.is_ok() {
                (place.next, place.time_ns) = (message + 1, time_ns);
                *events += 1;
            }
            taken.is_ok() && place.next < end
        });
        self.places.insert((kind, name.number), place);
        taken?;
        read?;
        Ok(())
    }

    /// A session that the journal did not define yet is waited for, unless its day has begun.
    fn check_is_behind(&self, connection: &Connection, name: Name) -> Result<(), Error> {
        let text = "SELECT count(*) FROM audit WHERE id >= ? AND id < ? \
                    AND act IN ('OpenDay', 'Missed')";
        let range = [first_of(self.number), first_of(self.number + 1)];
        let has_begun: bool = connection
            .prepare_cached(text)?
            .query_row(range, |row| row.get(0))?;
        if !has_begun {
            return Ok(());
        }
        Err(Error::Venue(format!(
            "day {}: {}: the journal defines no session {}: what defined it was removed unread",
            self.name,
            name.file(),
            name.number
        )))
    }

    /// Writes a place down.
    fn keep(&self, connection: &Connection, key: (u8, u16)) -> Result<(), Error> {
        let Some(place) = self.places.get(&key) else {
            return Ok(());
        };
        let mark = (key.0 == JOURNAL).then(|| bytemuck::bytes_of(&self.mark));
        let text = "INSERT OR REPLACE INTO progress VALUES (?, ?, ?, ?, ?, ?)";
        connection.prepare_cached(text)?.execute(params![
            self.number,
            key.0,
            key.1,
            place.next as i64,
            place.time_ns as i64,
            mark,
        ])?;
        Ok(())
    }
}

const fn feed_at(at: &orders::At) -> book::At {
    book::At {
        message: at.message,
        time_ns: at.time_ns,
    }
}

/// Nanoseconds since midnight that a message says; what is too short for one is told when parsed.
pub fn of_day(kind: Kind, message: &[u8]) -> u64 {
    let field = match kind {
        Kind::Replies => message.get(1..9),
        _ => message.get(5..11),
    };
    let digits = field.unwrap_or_default().iter();
    digits.fold(0, |all, byte| all << 8 | u64::from(*byte))
}

/// The account that a session is bound to.
fn account_of(connection: &Connection, day: i64, session: u16) -> Result<Option<u32>, Error> {
    let text = "SELECT account FROM sessions WHERE day = ? AND session = ?";
    let mut statement = connection.prepare_cached(text)?;
    let read = statement.query_row(params![day, session], |row| row.get(0));
    Ok(read.optional()?)
}
