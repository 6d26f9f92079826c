//! Days whose rows are in files alone: they are brought into tables in memory, of which the same
//! statements are asked, and their answers are put in order with those of the database.

use super::layout;
use super::note::Note;
use super::sheet::{self, Sheet};
use crate::answer::Sheet as Answer;
use crate::query::{Filter, Query, ROWS_MAX, statement};
use crate::tables::{BY_DAY, Cell, How, Table, Tables};
use crate::{Error, moved};
use history::{Reader, Value};
use rusqlite::Connection;
use serde_json::Value as Json;
use std::path::Path;

/// A row of an answer with what it is ordered by.
struct Row {
    time_ns: i64,
    id: i64,
    values: Vec<Json>,
}

/// Answers a query whose rows are of days, from the database and from the files of those days that
/// are in files alone.
///
/// # Errors
/// The database or the files cannot be read, or the answer cannot be written.
pub fn answer(
    tables: &dyn Tables,
    dir: &Path,
    (query, filter): (&Query, &Filter),
    answer: &mut Answer<'_>,
) -> Result<(), Error> {
    let rows_max = filter.rows_max.unwrap_or(ROWS_MAX) as usize;
    let mut found = Found::default();
    for (first_ns, name) in days(tables, dir, filter)? {
        // What comes later than the last row that is given has none of them.
        let is_enough = rows_max
            .checked_sub(1)
            .and_then(|last| found.rows.get(last));
        if is_enough.is_some_and(|row| row.time_ns < first_ns) {
            break;
        }
        let day = loaded(dir, (query.of_days, &name), filter.symbol.as_deref())?;
        found.gather(&day, (query, filter))?;
        found.rows.truncate(rows_max);
    }
    found.gather(tables, (query, filter))?;
    let names: Vec<&str> = found.columns.iter().map(String::as_str).collect();
    answer.head(&names)?;
    for row in found.rows.iter().take(rows_max) {
        let cells: Vec<Cell<'_>> = row.values.iter().map(plain).collect();
        answer.row(&cells)?;
    }
    Ok(())
}

/// What was found, in its order.
#[derive(Default)]
struct Found {
    columns: Vec<String>,
    rows: Vec<Row>,
}

impl Found {
    /// Asks a database, too.
    fn gather(
        &mut self,
        tables: &dyn Tables,
        (query, filter): (&Query, &Filter),
    ) -> Result<(), Error> {
        let (text, bound) = statement(query, filter)?;
        let text = text.replacen(" FROM ", ", id AS row_id FROM ", 1);
        let text = tables.worded(text);
        let values: Vec<Cell<'_>> = bound.iter().map(crate::query::Bound::cell).collect();
        let Self { columns, rows } = self;
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
            rows.push(Row {
                time_ns,
                id,
                values,
            });
        }
        rows.sort_by_key(|row| (row.time_ns, row.id));
        *columns = names;
        Ok(())
    }
}

/// A value that was kept.
fn plain(value: &Json) -> Cell<'_> {
    match value {
        Json::String(text) => Cell::Text(text),
        other => other.as_i64().into(),
    }
}

/// The days that are in files alone and may have rows that a filter leaves, those first that begin
/// first.
fn days(tables: &dyn Tables, dir: &Path, filter: &Filter) -> Result<Vec<(i64, String)>, Error> {
    let mut days = Vec::new();
    for (_, name) in moved::list(tables)? {
        let Some(note) = Note::read(dir, &name)? else {
            let words = "its rows were moved into files that are not here";
            return Err(Error::Refused(format!(
                "{}: day {name}: {words}",
                dir.display()
            )));
        };
        if let Some((first_ns, _)) = note.times_ns.filter(|_| note.may_have(filter)) {
            days.push((first_ns, name));
        }
    }
    days.sort();
    Ok(days)
}

/// The tables of a day with the rows of one of them, of one symbol if they are parted by symbols.
fn loaded(
    dir: &Path,
    (table, day): (&str, &str),
    symbol: Option<&str>,
) -> Result<Connection, Error> {
    let into = Connection::open_in_memory()?;
    into.execute_batch(include_str!("../schema.sql"))?;
    let sheets = sheet::all();
    let sheet = sheets.iter().find(|sheet| sheet.name == table);
    let table = BY_DAY.into_iter().find(|it| it.name == table);
    if let (Some(sheet), Some(table)) = (sheet, table) {
        load(&into, dir, (sheet, table, day), symbol)?;
    }
    Ok(into)
}

/// Brings the rows of a sheet and a day into tables, of one symbol if they are parted by symbols.
fn load(
    into: &Connection,
    dir: &Path,
    (sheet, table, day): (&Sheet, &'static Table, &str),
    symbol: Option<&str>,
) -> Result<(), Error> {
    let folder = layout::folder(dir, sheet.name, day);
    into.begin()?;
    for (name, path) in layout::files(&folder, sheet.is_parted, day)? {
        if name.is_none() || symbol.is_none() || name.as_deref() == symbol {
            fill(into, table, &path, name.as_deref())?;
        }
    }
    into.commit()
}

/// Brings the rows of a file into a table.
fn fill(
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
    let mut writer = into.writer();
    while let Some(row) = file.row()? {
        let cells = places.iter().map(|place| match place {
            Some(at) => cell(row[*at]),
            None => symbol.into(),
        });
        let cells: Vec<Cell<'_>> = cells.collect();
        writer.write(table, How::Add, &cells)?;
    }
    Ok(())
}

const fn cell(value: Value<'_>) -> Cell<'_> {
    match value {
        Value::Null => Cell::Null,
        Value::Integer(number) => Cell::Integer(number),
        Value::Double(number) => Cell::Real(number),
        Value::Text(text) => Cell::Text(text),
    }
}
