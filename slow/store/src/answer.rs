//! Answers to queries, as tables or JSON lines.

use crate::Error;
use crate::query::json;
use crate::tables::Cell;
use serde_json::{Map, Value};
use std::io::Write;

fn failed(error: &std::io::Error) -> Error {
    Error::Refused(format!("output: {error}"))
}

/// Writes rows as a table or as JSON objects, one a line.
pub struct Sheet<'o> {
    is_json: bool,
    out: &'o mut dyn Write,
    columns: Vec<String>,
    pub rows: u64,
}

impl<'o> Sheet<'o> {
    pub fn new(is_json: bool, out: &'o mut dyn Write) -> Self {
        Self {
            is_json,
            out,
            columns: Vec::new(),
            rows: 0,
        }
    }

    /// Hears the columns; again, if further rows are to come behind those that are there.
    pub fn head(&mut self, names: &[&str]) -> Result<(), Error> {
        if !self.columns.is_empty() {
            return Ok(());
        }
        self.columns = names.iter().map(|name| (*name).to_owned()).collect();
        if !self.is_json {
            writeln!(self.out, "{}", names.join("\t")).map_err(|error| failed(&error))?;
        }
        Ok(())
    }

    /// Hears a row.
    pub fn row(&mut self, row: &[Cell<'_>]) -> Result<(), Error> {
        self.rows += 1;
        if !self.is_json {
            return plain(row, self.out).map_err(|error| failed(&error));
        }
        let values = row.iter().map(|value| json(*value));
        let object: Map<String, Value> = self.columns.iter().cloned().zip(values).collect();
        writeln!(self.out, "{}", Value::Object(object)).map_err(|error| failed(&error))
    }
}

/// Writes a row of a table: an operator's words must not break its lines.
pub fn plain(row: &[Cell<'_>], out: &mut dyn Write) -> std::io::Result<()> {
    for (column, value) in row.iter().enumerate() {
        let end = if column + 1 < row.len() { '\t' } else { '\n' };
        match value {
            Cell::Null => write!(out, "-{end}"),
            Cell::Integer(number) => write!(out, "{number}{end}"),
            Cell::Text(text) => write!(out, "{}{end}", text.escape_debug()),
            other => write!(out, "{}{end}", json(*other)),
        }?;
    }
    Ok(())
}
