//! Whether the files of days have the rows of the tables.

use super::note::Note;
use super::sheet::{self, Sheet, value};
use super::{Day, held, layout};
use crate::tables::Tables;
use crate::{Error, Location};
use history::{Reader, Value};
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

/// What was compared and is the same.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Agreed {
    /// Days whose files are there.
    pub days: u64,
    /// Days of the tables that are over and have no files.
    pub without: u64,
    /// Files.
    pub files: u64,
    /// Their rows.
    pub rows: u64,
}

/// Compares the files of all days that are there with the tables, row by row, as they stand at one
/// moment. The first difference is given in words. A day that went on since it was written differs;
/// of one whose rows are in files alone these must be whole.
///
/// # Errors
/// The database or a file cannot be read.
pub fn compare(location: &Location, dir: &Path) -> Result<Result<Agreed, String>, Error> {
    let tables = location.reader()?;
    tables.freeze()?;
    let mut agreed = Agreed::default();
    for day in held(&*tables)? {
        let compared = match day.is_moved {
            true => alone(dir, &day, &mut agreed)?,
            false => self::day(&*tables, dir, &day, &mut agreed)?,
        };
        match compared {
            Err(difference) => return Ok(Err(difference)),
            Ok(false) => agreed.without += u64::from(day.is_over),
            Ok(true) => agreed.days += 1,
        }
    }
    Ok(Ok(agreed))
}

/// Compares the files of a day with the tables; false if there are none.
pub(super) fn day(
    tables: &dyn Tables,
    dir: &Path,
    day: &Day,
    agreed: &mut Agreed,
) -> Result<Result<bool, String>, Error> {
    let Some(note) = Note::read(dir, &day.name)? else {
        return Ok(Ok(false));
    };
    if note.number != day.number {
        return Ok(Err(format!(
            "day {}: it was day {} when its files were written and is day {}: write it again, by \
             `history write --day {}`",
            day.name, note.number, day.number, day.name
        )));
    }
    for sheet in sheet::all() {
        if let Err(difference) = same(tables, dir, (&sheet, day), agreed)? {
            return Ok(Err(difference));
        }
    }
    Ok(Ok(true))
}

/// Reads all rows of a day that is in files alone: there must be as many as were written.
fn alone(dir: &Path, day: &Day, agreed: &mut Agreed) -> Result<Result<bool, String>, Error> {
    let Some(note) = Note::read(dir, &day.name)? else {
        let words = format!(
            "day {}: its rows were moved into files that are not here",
            day.name
        );
        return Ok(Err(words));
    };
    for sheet in sheet::all() {
        let folder = layout::folder(dir, sheet.name, &day.name);
        let due = note.sheets.iter().find(|(name, _)| name == sheet.name);
        let due = due.map_or(0, |(_, size)| size.rows);
        let paths = layout::files(&folder, sheet.is_parted, &day.name)?;
        let mut rows = 0;
        for (_, path) in &paths {
            let mut file = Reader::open(path)?;
            while file.row()?.is_some() {
                rows += 1;
            }
        }
        if rows != due {
            return Ok(Err(format!(
                "{} of day {}, which is in files alone: they have {rows} rows; {due} were written",
                sheet.name, day.name
            )));
        }
        agreed.rows += rows;
        agreed.files += paths.len() as u64;
    }
    Ok(Ok(true))
}

/// Compares the files of a sheet and a day.
fn same(
    tables: &dyn Tables,
    dir: &Path,
    (sheet, day): (&Sheet, &Day),
    agreed: &mut Agreed,
) -> Result<Result<(), String>, Error> {
    let folder = layout::folder(dir, sheet.name, &day.name);
    let mut files: BTreeMap<String, Reader> = BTreeMap::new();
    let symbols = match sheet.is_parted {
        true => layout::symbols(&folder, &day.name)?,
        false => Vec::new(),
    };
    let mut unseen: BTreeSet<String> = symbols.into_iter().collect();
    let mut outcome = Ok(());
    sheet.each(tables, day.number, &mut |row| {
        if outcome.is_err() {
            return Ok(());
        }
        let (symbol, row) = match (sheet.is_parted, row) {
            (true, [row @ .., symbol]) => (symbol.text()?, row),
            _ => ("", row),
        };
        if !files.contains_key(symbol) {
            let path = layout::file(&folder, sheet.is_parted.then_some(symbol), &day.name);
            let file = Reader::open(&path)?;
            if file.columns() != &sheet.columns {
                outcome = Err(format!(
                    "{}: it has other columns: write it again",
                    path.display()
                ));
                return Ok(());
            }
            unseen.remove(symbol);
            files.insert(symbol.to_owned(), file);
        }
        let Some(file) = files.get_mut(symbol) else {
            return Ok(());
        };
        let due = row.iter().map(value).collect::<Result<Vec<_>, _>>()?;
        let found = file.row()?;
        if found.as_ref() != Some(&due) {
            outcome = Err(difference(
                (sheet, day, symbol),
                found.as_deref(),
                Some(&due),
            ));
        }
        agreed.rows += 1;
        Ok(())
    })?;
    if let Some(symbol) = unseen.first() {
        let more = layout::file(&folder, Some(symbol), &day.name);
        let words = format!("{}: the tables have no row of it", more.display());
        return Ok(outcome.and(Err(words)));
    }
    for (symbol, file) in &mut files {
        agreed.files += 1;
        if let (Ok(()), Some(row)) = (&outcome, file.row()?) {
            outcome = Err(difference((sheet, day, symbol), Some(&row), None));
        }
    }
    Ok(outcome)
}

/// Says how a row of a file differs from that of the tables.
fn difference(
    (sheet, day, symbol): (&Sheet, &Day, &str),
    found: Option<&[Value<'_>]>,
    due: Option<&[Value<'_>]>,
) -> String {
    let words = |row: Option<&[Value<'_>]>| {
        let Some(row) = row else {
            return "no such row".to_owned();
        };
        let pairs = sheet.columns.iter().zip(row);
        let pairs: Vec<String> = pairs
            .map(|(column, value)| pair(&column.name, value))
            .collect();
        pairs.join(" ")
    };
    let state = if day.is_over { "" } else { ", which goes on" };
    format!(
        "{} of day {}{state}, {symbol}: the file has {}; the tables have {}",
        sheet.name,
        day.name,
        words(found),
        words(due)
    )
}

fn pair(name: &str, value: &Value<'_>) -> String {
    match value {
        Value::Null => format!("{name}=-"),
        Value::Integer(number) => format!("{name}={number}"),
        Value::Double(number) => format!("{name}={number}"),
        Value::Text(text) => format!("{name}={}", text.escape_debug()),
    }
}
