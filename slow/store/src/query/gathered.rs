//! An answer that is held until others are there that it is merged with.

use super::{Reader, named, statement};
use crate::Error;
use crate::answer::Sheet;
use crate::query::Filter;
use crate::tables::Cell;
use std::cell::RefCell;
use std::io::Write;

/// A value that is kept.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Owned {
    Null,
    Integer(i64),
    Real(f64),
    Text(String),
    Bytes(Vec<u8>),
}

impl Owned {
    fn of(cell: Cell<'_>) -> Self {
        match cell {
            Cell::Null => Self::Null,
            Cell::Integer(number) => Self::Integer(number),
            Cell::Real(number) => Self::Real(number),
            Cell::Text(text) => Self::Text(text.to_owned()),
            Cell::Bytes(bytes) => Self::Bytes(bytes.to_vec()),
        }
    }

    fn cell(&self) -> Cell<'_> {
        match self {
            Self::Null => Cell::Null,
            Self::Integer(number) => Cell::Integer(*number),
            Self::Real(number) => Cell::Real(*number),
            Self::Text(text) => Cell::Text(text),
            Self::Bytes(bytes) => Cell::Bytes(bytes),
        }
    }
}

/// An answer, in the query's order.
#[derive(Clone, Debug, Default)]
pub(crate) struct Gathered {
    /// Columns that are told; rows may have one more, which is there for the order.
    columns: Vec<String>,
    /// The columns that it is ordered by.
    pub(crate) key: Vec<usize>,
    pub(crate) rows: Vec<Vec<Owned>>,
}

impl Reader {
    /// Asks a query for an answer that is to be merged with others.
    pub(crate) fn gather(&self, name: &str, filter: &Filter) -> Result<Gathered, Error> {
        let query = named(name)?;
        let (text, bound) = statement(query, filter)?;
        let order: Vec<&str> = query
            .order
            .split(", ")
            .map(|it| it.trim_start_matches("h."))
            .collect();
        let has_id = order.contains(&"id");
        let text = self.tables.worded(text);
        let text = match has_id {
            true => text.replacen(" FROM ", ", id FROM ", 1),
            false => text,
        };
        let values: Vec<Cell<'_>> = bound.iter().map(super::Bound::cell).collect();
        let gathered = RefCell::new(Gathered::default());
        let head = &mut |names: &[&str]| {
            let mut gathered = gathered.borrow_mut();
            let at = |column: &&str| names.iter().position(|it| it == column);
            gathered.key = order.iter().filter_map(at).collect();
            let told = names.len() - usize::from(has_id);
            gathered.columns = names[..told].iter().map(|it| (*it).to_owned()).collect();
            Ok(())
        };
        let row = &mut |row: &[Cell<'_>]| {
            let row = row.iter().map(|cell| Owned::of(*cell)).collect();
            gathered.borrow_mut().rows.push(row);
            Ok(())
        };
        self.tables.ask(&text, &values, head, row)?;
        let gathered = gathered.into_inner();
        assert_eq!(gathered.key.len(), order.len(), "the order of {name}");
        Ok(gathered)
    }
}

/// Writes an answer as [`Reader::query`] does.
pub(crate) fn write(gathered: &Gathered, is_json: bool, out: &mut dyn Write) -> Result<u64, Error> {
    let mut sheet = Sheet::new(is_json, out);
    let told: Vec<&str> = gathered.columns.iter().map(String::as_str).collect();
    sheet.head(&told)?;
    for row in &gathered.rows {
        let row: Vec<Cell<'_>> = row[..told.len()].iter().map(Owned::cell).collect();
        sheet.row(&row)?;
    }
    Ok(sheet.rows)
}
