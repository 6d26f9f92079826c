//! A day: its journal and streams from where its tables stand.

use crate::audit::Audit;
use crate::book::{self, Book};
use crate::inputs::{self, Until};
use crate::orders::{self, Orders};
use crate::place::{DAYS_MAX, first_of, moment};
use crate::projector::{Limits, Turn};
use crate::rows::Rows;
use crate::tables::{Cell, DAYS, How, PROGRESS, SHOWN, TOPS, Tables, Writer, each, first, number};
use crate::versions::Changed;
use crate::{Error, days};
use journal::stream::{self, Kind, Name};
use journal::{DirectoryFiles, Files as _, Mark};
use queue::CounterReader;
use std::collections::HashMap;
use std::path::PathBuf;

/// Kind of the journal among the streams' kinds.
const JOURNAL: u8 = 0;

/// What tells all sessions that the day begins or ends (OUCH).
const SYSTEM_EVENT: u8 = b'S';

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
    pub fn begin(tables: &dyn Tables, name: &str) -> Result<Self, Error> {
        let text = "INSERT INTO days SELECT 1 + coalesce(max(day), 0), $1, 0 FROM days \
                    RETURNING day";
        let number = number(tables, text, &[name.into()])?;
        if number > DAYS_MAX {
            let words = format!("there are {DAYS_MAX} days in it: begin another database");
            return Err(Error::Refused(words));
        }
        tables.agree(name, number)?;
        tables.make_room(number)?;
        book::forget_before(tables, number)?;
        Changed::of(&[&DAYS, &SHOWN, &TOPS]).note(tables)?;
        Self::open(tables, name)
    }

    /// Reads where a day's tables stand.
    ///
    /// # Errors
    /// The database fails, or what it says of the journal is no place.
    pub fn open(tables: &dyn Tables, name: &str) -> Result<Self, Error> {
        let text = "SELECT day, began_ns FROM days WHERE name = $1";
        let read = |row: &[Cell<'_>]| Ok((row[0].integer()?, row[1].bits()?));
        let found = first(tables, text, &[name.into()], read)?;
        let (number, began_ns) =
            found.ok_or_else(|| Error::Refused(format!("day {name} is not in the tables")))?;
        tables.agree(name, number)?;
        let mut day = Self {
            number,
            name: name.to_owned(),
            began_ns,
            mark: Mark::START,
            places: HashMap::new(),
            orders: Orders::load(tables, number)?,
            book: Book::load(tables, number)?,
            audit: Audit::load(tables, number)?,
        };
        let text = "SELECT kind, number, next, time_ns, mark FROM progress WHERE day = $1";
        each(tables, text, &[number.into()], &mut |row| {
            let place = Place {
                next: row[2].bits()?,
                time_ns: row[3].bits()?,
            };
            day.places
                .insert((row[0].integer()?, row[1].integer()?), place);
            if let Cell::Bytes(mark) = row[4] {
                let read = bytemuck::try_pod_read_unaligned(mark);
                day.mark = read.map_err(|_| {
                    Error::Refused(format!("day {name}: its place in the journal is damaged"))
                })?;
            }
            Ok(())
        })?;
        Ok(day)
    }

    /// Reads on in the journal, then in each stream, and writes what follows.
    ///
    /// # Errors
    /// The database fails. What is wrong with the venue's files is the turn's trouble.
    pub fn turn(&mut self, tables: &dyn Tables, source: &Source<'_>) -> Result<Turn, Error> {
        let mut turn = Turn::default();
        let mut rows = Rows::new(tables);
        match self.journal(&mut rows.writer, source) {
            Ok(inputs) => turn.events += inputs,
            Err(Error::Venue(trouble)) => turn.trouble = Some(Error::Venue(trouble)),
            Err(error) => return Err(error),
        }
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
                self.keep(&mut rows.writer, (name.kind as u8, name.number))?;
            }
        }
        if turn.events > 0 {
            self.orders.write(&mut rows)?;
            self.book.write(&mut rows.writer, self.number)?;
        }
        rows.writer.changed().note(rows.tables())?;
        Ok(turn)
    }

    /// Reads on in the journal; gives how many inputs came.
    fn journal(&mut self, writer: &mut dyn Writer, source: &Source<'_>) -> Result<u64, Error> {
        let end = source.end(&self.name, JOURNAL, 0);
        let until = Until {
            durable: source.durable(),
            is_over: source.is_over,
            inputs_max: source
                .batch
                .min(end.saturating_sub(self.mark.next_sequence)),
        };
        let (day, before) = (self.number, self.mark);
        let (audit, began_ns, name) = (&mut self.audit, &mut self.began_ns, &self.name);
        let mut mark = self.mark;
        let read = inputs::read(&source.folder, &mut mark, until, &mut |input| {
            if *began_ns == 0 {
                *began_ns = input.time_ns;
                let row = [day.into(), name.as_str().into(), input.time_ns.into()];
                writer.write(&DAYS, How::Put, &row)?;
            }
            audit.take(writer, day, input)
        });
        self.mark = mark;
        let place = Place {
            next: mark.next_sequence,
            time_ns: mark.time_ns,
        };
        if mark != before {
            self.places.insert((JOURNAL, 0), place);
            self.audit.write(writer, day)?;
            self.keep(writer, (JOURNAL, 0))?;
        }
        let (inputs, gap) = read?;
        if let Some(gap) = gap {
            Audit::missed(writer, day, gap)?;
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
            Kind::Replies => self.audit.account(name.number),
            _ => Some(0),
        };
        // The journal says when the day began and whose the session is.
        let (Some(account), true) = (account, self.began_ns > 0) else {
            return self.check_is_behind(rows.tables(), files, name);
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
                _ => self.book.take_kept(rows.tables(), &feed_at(&at), bytes),
            };
            if taken.is_ok() {
                (place.next, place.time_ns) = (message + 1, time_ns);
                *events += 1;
            }
            taken.is_ok() && place.next < end
        });
        self.places.insert((kind, name.number), place);
        self.orders.settle(rows, files, name)?;
        taken?;
        read?;
        Ok(())
    }

    /// A session that the journal did not define yet is waited for: it may be a place for who comes
    /// in the running day. Not so where inputs were removed unread and the session was answered.
    fn check_is_behind(
        &self,
        tables: &dyn Tables,
        files: &mut DirectoryFiles,
        name: Name,
    ) -> Result<(), Error> {
        let text = "SELECT count(*) FROM audit WHERE id >= $1 AND id < $2 AND act = 'Missed'";
        let range = [first_of(self.number), first_of(self.number + 1)].map(Into::into);
        if number(tables, text, &range)? == 0 {
            return Ok(());
        }
        let mut is_answered = false;
        stream::read(files, name, 1, &mut |_, bytes| {
            is_answered = bytes.first() != Some(&SYSTEM_EVENT);
            !is_answered
        })?;
        if !is_answered {
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
    fn keep(&self, writer: &mut dyn Writer, key: (u8, u16)) -> Result<(), Error> {
        let Some(place) = self.places.get(&key) else {
            return Ok(());
        };
        let mark = (key.0 == JOURNAL).then(|| bytemuck::bytes_of(&self.mark));
        let row = [
            self.number.into(),
            i64::from(key.0).into(),
            key.1.into(),
            place.next.into(),
            place.time_ns.into(),
            mark.into(),
        ];
        writer.write(&PROGRESS, How::Put, &row)
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
