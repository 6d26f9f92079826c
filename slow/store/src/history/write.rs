//! Days that are written.

use super::layout;
use super::note::{Note, Size, make};
use super::sheet::{self, Sheet, value};
use super::{Day, Which, held};
use crate::tables::{Cell, Tables};
use crate::{Error, Location};
use history::{Rows, Value, Writer};
use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

/// Rows of a sheet that are held at once; what is beyond makes further row groups.
const ROWS_HELD_MAX: usize = 4 << 20;

/// Columns of a row's moment, by which queries are narrowed.
const TIMES: [&str; 2] = ["time_ns", "entered_ns"];

/// Writes days of a database, as they stand at one moment, into a folder; gives what was written.
///
/// A day that is over is written once. Files are whole or not there: each is written under another
/// name, flushed and renamed.
///
/// # Errors
/// The database cannot be read, there is no such day, or the folder cannot be written.
pub fn write(location: &Location, dir: &Path, which: Which<'_>) -> Result<Vec<Note>, Error> {
    let tables = location.reader()?;
    tables.freeze()?;
    let days = held(&*tables)?;
    if let Which::One(name) = which {
        let why = match days.iter().find(|day| day.name == name) {
            None => format!("there is no day {name:?} in it"),
            Some(day) if day.is_moved => format!("the rows of day {name} are in files alone"),
            Some(_) => String::new(),
        };
        if !why.is_empty() {
            return Err(Error::Refused(format!("{location}: {why}")));
        }
    }
    let mut notes = Vec::new();
    for day in days.iter().filter(|day| !day.is_moved) {
        let is_due = match which {
            Which::One(name) => day.name == name,
            Which::Closed if !day.is_over => false,
            _ => Note::read(dir, &day.name)?.is_none_or(|note| !note.is_over || !note.is_whole()),
        };
        if is_due {
            notes.push(write_day(&*tables, dir, day)?);
        }
    }
    Ok(notes)
}

fn write_day(tables: &dyn Tables, dir: &Path, day: &Day) -> Result<Note, Error> {
    let (mut sheets, mut times_ns) = (Vec::new(), None);
    for sheet in sheet::all() {
        let mut writing = Writing::new(dir, &sheet, day);
        writing.run(tables)?;
        sheets.push((sheet.name.to_owned(), writing.size));
        times_ns = both(times_ns, writing.times_ns);
    }
    let note = Note {
        day: day.name.clone(),
        number: day.number,
        is_over: day.is_over,
        times_ns,
        sheets,
    };
    note.write(dir)?;
    Ok(note)
}

/// The files of a sheet and a day. Where symbols are not parted, all is under the empty one.
struct Writing<'w> {
    sheet: &'w Sheet,
    day: &'w Day,
    folder: std::path::PathBuf,
    files: BTreeMap<String, (Rows, Option<Writer>)>,
    rows_held: usize,
    size: Size,
    times_ns: Option<(i64, i64)>,
    /// Which column has the moment of a row.
    time_at: Option<usize>,
}

/// The least and the greatest moment of two times.
fn both(one: Option<(i64, i64)>, other: Option<(i64, i64)>) -> Option<(i64, i64)> {
    match (one, other) {
        (Some(one), Some(other)) => Some((one.0.min(other.0), one.1.max(other.1))),
        _ => one.or(other),
    }
}

impl<'w> Writing<'w> {
    fn new(dir: &Path, sheet: &'w Sheet, day: &'w Day) -> Self {
        let place = |names: &[&str]| {
            let mut columns = sheet.columns.iter();
            columns.position(|it| names.contains(&&*it.name))
        };
        Self {
            sheet,
            day,
            folder: layout::folder(dir, sheet.name, &day.name),
            files: BTreeMap::new(),
            rows_held: 0,
            size: Size::default(),
            times_ns: None,
            time_at: place(&TIMES),
        }
    }

    fn run(&mut self, tables: &dyn Tables) -> Result<(), Error> {
        let (sheet, day) = (self.sheet, self.day.number);
        sheet.each(tables, day, &mut |row| self.take(row))?;
        make(&self.folder)?;
        self.leave()?;
        for (symbol, (rows, file)) in std::mem::take(&mut self.files) {
            let mut file = match file {
                Some(file) => file,
                None => self.open(&symbol)?,
            };
            if !rows.is_empty() {
                file.write(&rows)?;
            }
            self.size.bytes += file.finish()?;
            self.size.files += 1;
        }
        Ok(())
    }

    fn take(&mut self, row: &[Cell<'_>]) -> Result<(), Error> {
        let (symbol, row) = match (self.sheet.is_parted, row) {
            (true, [row @ .., symbol]) => (symbol.text()?, row),
            _ => ("", row),
        };
        if !self.files.contains_key(symbol) {
            let rows = Rows::new(&self.sheet.columns);
            self.files.insert(symbol.to_owned(), (rows, None));
        }
        let Some((rows, _)) = self.files.get_mut(symbol) else {
            return Ok(());
        };
        let values = row.iter().map(value).collect::<Result<Vec<_>, _>>()?;
        if let Some(Value::Integer(time)) = self.time_at.and_then(|at| values.get(at)) {
            self.times_ns = both(self.times_ns, Some((*time, *time)));
        }
        rows.push(values.into_iter())?;
        self.size.rows += 1;
        self.rows_held += 1;
        if self.rows_held == ROWS_HELD_MAX {
            self.flush()?;
        }
        Ok(())
    }

    /// Writes what is held.
    fn flush(&mut self) -> Result<(), Error> {
        let mut files = std::mem::take(&mut self.files);
        for (symbol, (rows, file)) in &mut files {
            if rows.is_empty() {
                continue;
            }
            let file = match file {
                Some(file) => file,
                None => file.insert(self.open(symbol)?),
            };
            file.write(rows)?;
            *rows = Rows::new(&self.sheet.columns);
        }
        self.files = files;
        self.rows_held = 0;
        Ok(())
    }

    fn open(&self, symbol: &str) -> Result<Writer, Error> {
        let part = self.sheet.is_parted.then_some(symbol);
        let path = layout::file(&self.folder, part, &self.day.name);
        if let Some(folder) = path.parent() {
            make(folder)?;
        }
        let state = if self.day.is_over { "over" } else { "running" };
        let mut notes = vec![("day", &*self.day.name), ("state", state)];
        notes.extend(part.map(|symbol| ("symbol", symbol)));
        Ok(Writer::new(&path, &self.sheet.columns, &notes)?)
    }

    /// Removes files of symbols that have no rows any more: of tables that were made anew.
    fn leave(&self) -> Result<(), Error> {
        for symbol in layout::symbols(&self.folder, &self.day.name)? {
            if !self.files.contains_key(&symbol) {
                let path = layout::file(&self.folder, Some(&symbol), &self.day.name);
                fs::remove_file(&path).map_err(|error| Error::file(&path, &error))?;
            }
        }
        Ok(())
    }
}
