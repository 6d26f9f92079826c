//! Rows of a table as they stand in two databases, compared one by one.

use crate::Error;
use crate::query::json;
use crate::tables::{Cell, Table, Tables, each};
use serde_json::Value;

/// The column that is not compared: where the journal is read on. One that follows a venue stands
/// behind records without inputs, such as that of a clean stop, where a projection up to the last
/// input has not read them yet.
const MARK: &str = "mark";

/// Rows of a table that are held at once.
const PAGE_ROWS: usize = 10_000;

/// Compares a table with the one that was projected from zero, of which a shard has its own rows;
/// gives how many these are.
pub fn same(
    found: &dyn Tables,
    due: &dyn Tables,
    table: &Table,
) -> Result<Result<u64, String>, Error> {
    let mut due = Pages::of(due, table);
    due.kept_by = Some(found);
    let mut found = Pages::of(found, table);
    let mut rows = 0;
    loop {
        let (row, due_row) = (found.next()?, due.next()?);
        if row != due_row {
            return Ok(Err(format!(
                "table {}: {}; a projection from zero has {}",
                table.name,
                words(&found.columns, row.as_deref()),
                words(&found.columns, due_row.as_deref())
            )));
        }
        if row.is_none() {
            return Ok(Ok(rows));
        }
        rows += 1;
    }
}

fn words(columns: &[&str], row: Option<&[Value]>) -> String {
    let Some(values) = row else {
        return "no such row".to_owned();
    };
    let pairs = columns.iter().zip(values);
    let pairs: Vec<String> = pairs
        .map(|(name, it)| format!("{}={it}", name.trim_matches('"')))
        .collect();
    pairs.join(" ")
}

/// The rows of a table in the order of its key, some at a time.
struct Pages<'t> {
    tables: &'t dyn Tables,
    table: &'t Table,
    /// Those that are compared.
    columns: Vec<&'t str>,
    rows: std::vec::IntoIter<Vec<Value>>,
    /// The key of the last row that was read.
    last: Option<Vec<Value>>,
    is_over: bool,
    /// Whose rows are given; those of another shard are not.
    kept_by: Option<&'t dyn Tables>,
}

impl<'t> Pages<'t> {
    fn of(tables: &'t dyn Tables, table: &'t Table) -> Self {
        let columns = table.columns.iter().copied().filter(|name| *name != MARK);
        Self {
            tables,
            table,
            columns: columns.collect(),
            rows: Vec::new().into_iter(),
            last: None,
            is_over: false,
            kept_by: None,
        }
    }

    fn next(&mut self) -> Result<Option<Vec<Value>>, Error> {
        while self.rows.len() == 0 && !self.is_over {
            self.read()?;
        }
        Ok(self.rows.next())
    }

    fn read(&mut self) -> Result<(), Error> {
        let key = self.table.key.join(", ");
        let marks: Vec<String> = (1..=self.table.key.len())
            .map(|it| format!("${it}"))
            .collect();
        let behind = match self.last {
            Some(_) => format!("WHERE ({key}) > ({})", marks.join(", ")),
            None => String::new(),
        };
        let text = format!(
            "SELECT {} FROM {} {behind} ORDER BY {key} LIMIT {PAGE_ROWS}",
            self.columns.join(", "),
            self.table.name
        );
        let last = self.last.take().unwrap_or_default();
        let values: Vec<Cell<'_>> = last.iter().map(bound).collect();
        let (mut rows, mut count, mut last) = (Vec::new(), 0, None);
        each(self.tables, &text, &values, &mut |row| {
            let is_kept = self
                .kept_by
                .map_or(Ok(true), |it| it.has(self.table, row))?;
            let row: Vec<Value> = row.iter().map(|value| json(*value)).collect();
            count += 1;
            if count == PAGE_ROWS {
                last = Some(self.key_of(&row));
            }
            if is_kept {
                rows.push(row);
            }
            Ok(())
        })?;
        self.is_over = last.is_none();
        self.last = last;
        self.rows = rows.into_iter();
        Ok(())
    }

    fn key_of(&self, row: &[Value]) -> Vec<Value> {
        let at = |name: &&str| self.columns.iter().position(|it| it == name);
        let key = self.table.key.iter().filter_map(at);
        key.map(|at| row[at].clone()).collect()
    }
}

/// A part of a key as a parameter.
fn bound(value: &Value) -> Cell<'_> {
    match value {
        Value::String(text) => Cell::Text(text),
        other => other.as_i64().into(),
    }
}
