//! Days whose rows are in files alone: they are brought into tables in memory, of which the same
//! statements are asked, and their answers are put in order with those of the database.

use super::layout;
use super::note::Note;
use super::sheet::{self, Sheet};
use crate::answer::Sheet as Answer;
use crate::query::{Filter, Query, ROWS_MAX, of_days, statement};
use crate::tables::{BARS, BY_DAY, Cell, How, Table, Tables};
use crate::{Error, moved};
use history::{Reader, Value};
use rusqlite::Connection;
use serde_json::Value as Json;
use std::cmp::Reverse;
use std::path::Path;
use std::time::Instant;

/// Nanoseconds of the bars of which those of old days are in files.
const BAR_NS: i64 = 1_000_000_000;

/// A row of an answer with what it is ordered by: its moment, the symbol of a bar, its id.
struct Row {
    order: (i64, String, i64),
    is_of_files: bool,
    values: Vec<Json>,
}

/// Files of old days, and how much of them a query reads.
#[derive(Clone, Copy, Debug)]
pub struct Files<'d> {
    /// Their folder.
    pub dir: &'d Path,
    /// Rows that are brought into memory at most: of a query's time, and of its symbol where the
    /// files are parted by symbols.
    pub rows_max: u64,
    /// When it is too late to go on.
    pub until: Option<Instant>,
}

/// Rows between two looks at the clock.
const ROWS_A_LOOK: u64 = 4_096;

/// Answers a query whose rows are of days, from the database and from the files of those days that
/// are in files alone.
///
/// # Errors
/// The database or the files cannot be read, or the answer cannot be written.
pub fn answer(
    tables: &dyn Tables,
    files: &Files<'_>,
    (query, filter): (&Query, &Filter),
    answer: &mut Answer<'_>,
) -> Result<(), Error> {
    let rows_max = filter.rows_max.unwrap_or(ROWS_MAX) as usize;
    let table = of_days(query, filter);
    let mut found = Found {
        are_bars: table == BARS.name,
        is_newest_first: filter.is_newest_first,
        rows_max,
        ..Found::default()
    };
    let mut loading = Loading {
        files,
        query,
        filter,
        rows: 0,
        looked_at: 0,
    };
    // The tables have the newest days.
    if filter.is_newest_first {
        found.gather(tables, (query, filter), false)?;
    }
    for (times_ns, name) in days(tables, files.dir, filter, found.are_bars)? {
        if found.are_before(times_ns) {
            break;
        }
        let day = loading.day(table, &name)?;
        found.gather(&day, (query, filter), true)?;
    }
    if !filter.is_newest_first {
        found.gather(tables, (query, filter), false)?;
    }
    found.tell(answer)
}

/// What was found, from the oldest row on, as much of it as is given.
#[derive(Default)]
struct Found {
    are_bars: bool,
    is_newest_first: bool,
    rows_max: usize,
    columns: Vec<String>,
    rows: Vec<Row>,
}

impl Found {
    /// Whether all rows that are given come before those of a day, from its first to its last
    /// moment.
    fn are_before(&self, (first_ns, last_ns): (i64, i64)) -> bool {
        if self.rows.len() < self.rows_max {
            return false;
        }
        match (self.rows.first(), self.rows.last()) {
            (Some(oldest), _) if self.is_newest_first => oldest.order.0 > last_ns,
            (_, Some(newest)) => newest.order.0 < first_ns,
            _ => true,
        }
    }

    /// Writes the rows.
    fn tell(&self, answer: &mut Answer<'_>) -> Result<(), Error> {
        let names: Vec<&str> = self.columns.iter().map(String::as_str).collect();
        answer.head(&names)?;
        let tell = |row: &Row| {
            let cells: Vec<Cell<'_>> = row.values.iter().map(plain).collect();
            answer.row(&cells)
        };
        match self.is_newest_first {
            true => self.rows.iter().rev().try_for_each(tell),
            false => self.rows.iter().try_for_each(tell),
        }
    }

    /// Asks a database, too.
    fn gather(
        &mut self,
        tables: &dyn Tables,
        (query, filter): (&Query, &Filter),
        is_of_files: bool,
    ) -> Result<(), Error> {
        let (text, bound) = statement(query, filter)?;
        let id = if self.are_bars { "first_id" } else { "id" };
        let text = text.replacen(" FROM ", &format!(", {id} AS row_id FROM "), 1);
        let text = tables.worded(text);
        let values: Vec<Cell<'_>> = bound.iter().map(crate::query::Bound::cell).collect();
        let Self {
            are_bars,
            columns,
            rows,
            ..
        } = self;
        let mut names = Vec::new();
        let head = &mut |all: &[&str]| {
            let shown = &all[..all.len() - 1];
            names = shown.iter().map(|name| (*name).to_owned()).collect();
            Ok(())
        };
        let mut heard: Vec<Vec<Json>> = Vec::new();
        let mut ids = Vec::new();
        tables.ask(&text, &values, head, &mut |row| {
            let Some((id, shown)) = row.split_last() else {
                return Ok(());
            };
            ids.push(id.integer::<i64>()?);
            heard.push(shown.iter().map(|cell| crate::query::json(*cell)).collect());
            Ok(())
        })?;
        let time_at = names.iter().position(|name| name == query.time);
        for (values, id) in heard.into_iter().zip(ids) {
            let time_ns = time_at.and_then(|at| values[at].as_i64()).unwrap_or(0);
            let symbol = values.first().filter(|_| *are_bars);
            let symbol = symbol.and_then(Json::as_str).unwrap_or_default().to_owned();
            rows.push(Row {
                order: (time_ns, symbol, id),
                is_of_files,
                values,
            });
        }
        rows.sort_by(|one, other| one.order.cmp(&other.order));
        if *are_bars {
            rows.dedup_by(|later, earlier| is_with(earlier, later));
        }
        let more = rows.len().saturating_sub(self.rows_max);
        match self.is_newest_first {
            true => drop(rows.drain(..more)),
            false => rows.truncate(self.rows_max),
        }
        *columns = names;
        Ok(())
    }
}

/// Puts bars of the same second together, if they are: files have of each day what its own trades
/// made, the tables what all did.
fn is_with(earlier: &mut Row, later: &mut Row) -> bool {
    let (start_ns, symbol, _) = &later.order;
    if (earlier.order.0, &earlier.order.1) != (*start_ns, symbol) {
        return false;
    }
    match (earlier.is_of_files, later.is_of_files) {
        (true, false) => std::mem::swap(earlier, later),
        (false, true) => {}
        _ => join(&mut earlier.values, &later.values),
    }
    true
}

/// Adds a later bar: columns as the query has them.
fn join(bar: &mut [Json], later: &[Json]) {
    const HIGH: usize = 4;
    const LOW: usize = 5;
    const CLOSE: usize = 6;
    const SUMS: std::ops::Range<usize> = 7..10;
    let of = |it: &Json| it.as_i64().unwrap_or(0);
    bar[HIGH] = of(&bar[HIGH]).max(of(&later[HIGH])).into();
    bar[LOW] = of(&bar[LOW]).min(of(&later[LOW])).into();
    bar[CLOSE] = later[CLOSE].clone();
    for at in SUMS {
        bar[at] = of(&bar[at]).saturating_add(of(&later[at])).into();
    }
}

/// A value that was kept.
fn plain(value: &Json) -> Cell<'_> {
    match value {
        Json::String(text) => Cell::Text(text),
        other => other.as_i64().into(),
    }
}

/// A day's first and last moment, and its name.
type OldDay = ((i64, i64), String);

/// The days that are in files alone and may have rows that a query gives, in the order in which
/// they are to be asked. Bars begin before their trades.
fn days(
    tables: &dyn Tables,
    dir: &Path,
    filter: &Filter,
    are_bars: bool,
) -> Result<Vec<OldDay>, Error> {
    let mut days = Vec::new();
    for (_, name) in moved::list(tables)? {
        let Some(mut note) = Note::read(dir, &name)? else {
            let words = "its rows were moved into files that are not here";
            return Err(Error::Refused(format!(
                "{}: day {name}: {words}",
                dir.display()
            )));
        };
        if let Some((first_ns, _)) = note.times_ns.as_mut().filter(|_| are_bars) {
            *first_ns -= first_ns.rem_euclid(BAR_NS);
        }
        if let Some(times_ns) = note.times_ns.filter(|_| note.may_have(filter)) {
            days.push((times_ns, name));
        }
    }
    match filter.is_newest_first {
        true => days.sort_by_key(|((_, last_ns), _)| Reverse(*last_ns)),
        false => days.sort(),
    }
    Ok(days)
}

/// What is brought into memory for a query.
struct Loading<'q> {
    files: &'q Files<'q>,
    query: &'q Query,
    filter: &'q Filter,
    /// Rows that were brought, of all days, and those that were looked at.
    rows: u64,
    looked_at: u64,
}

impl Loading<'_> {
    /// The tables of a day with the rows of one of them that the filter's time leaves, of one
    /// symbol if they are parted by symbols.
    fn day(&mut self, table: &str, day: &str) -> Result<Connection, Error> {
        let into = Connection::open_in_memory()?;
        into.execute_batch(include_str!("../schema.sql"))?;
        let sheets = sheet::all();
        let sheet = sheets.iter().find(|sheet| sheet.name == table);
        let mut tables = BY_DAY.into_iter().chain([&BARS]);
        let table = tables.find(|it| it.name == table);
        if let (Some(sheet), Some(table)) = (sheet, table) {
            self.load(&into, (sheet, table, day))?;
        }
        Ok(into)
    }

    /// Brings the rows of a sheet and a day into tables.
    fn load(
        &mut self,
        into: &Connection,
        (sheet, table, day): (&Sheet, &'static Table, &str),
    ) -> Result<(), Error> {
        let folder = layout::folder(self.files.dir, sheet.name, day);
        let symbol = self.filter.symbol.as_deref();
        into.begin()?;
        for (name, path) in layout::files(&folder, sheet.is_parted, day)? {
            if name.is_none() || symbol.is_none() || name.as_deref() == symbol {
                self.fill(into, table, &path, name.as_deref())?;
            }
        }
        into.commit()
    }

    /// Brings the rows of a file into a table.
    fn fill(
        &mut self,
        into: &Connection,
        table: &'static Table,
        path: &Path,
        symbol: Option<&str>,
    ) -> Result<(), Error> {
        let mut file = Reader::open(path)?;
        let of_file = |name: &str| {
            let name = name.trim_matches('"');
            file.columns().iter().position(|column| column.name == name)
        };
        let places: Vec<Option<usize>> = table.columns.iter().map(|name| of_file(name)).collect();
        let is_whole = |(name, place): (&&str, &Option<usize>)| {
            place.is_some() || (*name == sheet::SYMBOL && symbol.is_some())
        };
        if !table.columns.iter().zip(&places).all(is_whole) {
            return Err(Error::file(
                path,
                &"it has not all columns of its table: write it again",
            ));
        }
        let query = self.query;
        let [time_at, account_at] = [query.time, query.account].map(of_file);
        let account = self.filter.account.zip(account_at);
        let is_asked_for = |row: &[Value<'_>]| {
            account.is_none_or(|(due, at)| row[at] == Value::Integer(due.into()))
        };
        let mut writer = into.writer();
        while let Some(row) = file.row()? {
            if !self.is_in_time(time_at.map(|at| row[at]))? || !is_asked_for(&row) {
                continue;
            }
            self.takes_one()?;
            let cells = places.iter().map(|place| match place {
                Some(at) => cell(row[*at]),
                None => symbol.into(),
            });
            let cells: Vec<Cell<'_>> = cells.collect();
            writer.write(table, How::Add, &cells)?;
        }
        Ok(())
    }

    /// Whether a row is of this moment; an error where it is too late to look at more.
    fn is_in_time(&mut self, time: Option<Value<'_>>) -> Result<bool, Error> {
        self.looked_at += 1;
        let is_late = |until: &Instant| Instant::now() > *until;
        if self.looked_at.is_multiple_of(ROWS_A_LOOK)
            && self.files.until.as_ref().is_some_and(is_late)
        {
            return Err(too_much("they take too long to read"));
        }
        if let Some(Value::Integer(time_ns)) = time {
            let is_before = self.filter.from_ns.is_some_and(|from| time_ns < from);
            if is_before || self.filter.to_ns.is_some_and(|to| time_ns >= to) {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Counts a row that is brought; an error where there are too many.
    fn takes_one(&mut self) -> Result<(), Error> {
        self.rows += 1;
        if self.rows > self.files.rows_max {
            let words = format!(
                "more than {} rows of them are asked for",
                self.files.rows_max
            );
            return Err(too_much(&words));
        }
        Ok(())
    }
}

fn too_much(words: &str) -> Error {
    Error::Refused(format!(
        "days that are in files alone: {words}: ask for one symbol, or for a shorter time"
    ))
}

const fn cell(value: Value<'_>) -> Cell<'_> {
    match value {
        Value::Null => Cell::Null,
        Value::Integer(number) => Cell::Integer(number),
        Value::Double(number) => Cell::Real(number),
        Value::Text(text) => Cell::Text(text),
    }
}
