//! SQLite as the database of the projections.

use crate::tables::{ALL, Cell, Hear, How, Table, Tables, Writer};
use crate::{Database, Error, moved};
use rusqlite::types::{ToSqlOutput, ValueRef};
use rusqlite::{CachedStatement, Connection, ToSql, params_from_iter};
use std::array::from_fn;

/// Columns of an answer at most.
const COLUMNS_MAX: usize = 32;

/// Ways of writing a row.
const WAYS: usize = 4;

impl ToSql for Cell<'_> {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::Borrowed(match *self {
            Cell::Null => ValueRef::Null,
            Cell::Integer(number) => ValueRef::Integer(number),
            Cell::Real(number) => ValueRef::Real(number),
            Cell::Text(text) => ValueRef::Text(text.as_bytes()),
            Cell::Bytes(bytes) => ValueRef::Blob(bytes),
        }))
    }
}

/// A value as the tables have it; text that is none is bytes.
fn cell(value: ValueRef<'_>) -> Cell<'_> {
    match value {
        ValueRef::Null => Cell::Null,
        ValueRef::Integer(number) => Cell::Integer(number),
        ValueRef::Real(number) => Cell::Real(number),
        ValueRef::Text(text) => std::str::from_utf8(text).map_or(Cell::Bytes(text), Cell::Text),
        ValueRef::Blob(bytes) => Cell::Bytes(bytes),
    }
}

impl Tables for Connection {
    fn begin(&self) -> Result<(), Error> {
        Ok(self.execute_batch("BEGIN IMMEDIATE")?)
    }

    fn commit(&self) -> Result<(), Error> {
        Ok(self.execute_batch("COMMIT")?)
    }

    fn freeze(&self) -> Result<(), Error> {
        Ok(self.execute_batch("BEGIN")?)
    }

    fn changes(&self) -> Result<Option<i64>, Error> {
        Ok(Some(self.pragma_query_value(
            None,
            "data_version",
            |row| row.get(0),
        )?))
    }

    fn ask(
        &self,
        text: &str,
        values: &[Cell<'_>],
        columns: &mut dyn FnMut(&[&str]) -> Result<(), Error>,
        on: Hear<'_>,
    ) -> Result<(), Error> {
        let mut statement = self.prepare_cached(text)?;
        let count = statement.column_count();
        assert!(count <= COLUMNS_MAX, "{count} columns of {text}");
        columns(&statement.column_names().collect::<Vec<_>>())?;
        let mut rows = statement.query(params_from_iter(values))?;
        while let Some(row) = rows.next()? {
            let mut cells = [Cell::Null; COLUMNS_MAX];
            for (at, into) in cells[..count].iter_mut().enumerate() {
                *into = cell(row.get_ref(at)?);
            }
            on(&cells[..count])?;
        }
        Ok(())
    }

    fn run(&self, text: &str, values: &[Cell<'_>]) -> Result<u64, Error> {
        let mut statement = self.prepare_cached(text)?;
        Ok(statement.execute(params_from_iter(values))? as u64)
    }

    fn clear(&self, day: i64) -> Result<(), Error> {
        moved::delete(self, day)
    }

    fn writer(&self) -> Box<dyn Writer + '_> {
        let statements = from_fn(|_| from_fn(|_| None));
        Box::new(Rows {
            connection: self,
            statements,
        })
    }
}

impl Tables for Database {
    fn begin(&self) -> Result<(), Error> {
        self.connection.begin()
    }

    fn commit(&self) -> Result<(), Error> {
        self.connection.commit()
    }

    fn freeze(&self) -> Result<(), Error> {
        self.connection.freeze()
    }

    fn ask(
        &self,
        text: &str,
        values: &[Cell<'_>],
        columns: &mut dyn FnMut(&[&str]) -> Result<(), Error>,
        on: Hear<'_>,
    ) -> Result<(), Error> {
        self.connection.ask(text, values, columns, on)
    }

    fn run(&self, text: &str, values: &[Cell<'_>]) -> Result<u64, Error> {
        self.connection.run(text, values)
    }

    fn clear(&self, day: i64) -> Result<(), Error> {
        self.connection.clear(day)
    }

    fn writer(&self) -> Box<dyn Writer + '_> {
        self.connection.writer()
    }
}

/// Writes each row at once, by statements that are prepared at their first use.
struct Rows<'c> {
    connection: &'c Connection,
    statements: [[Option<CachedStatement<'c>>; WAYS]; ALL.len()],
}

impl Writer for Rows<'_> {
    fn tables(&self) -> &dyn Tables {
        self.connection
    }

    fn write(&mut self, table: &'static Table, how: How, row: &[Cell<'_>]) -> Result<(), Error> {
        let place = &mut self.statements[table.number][how as usize];
        let statement = match place {
            Some(statement) => statement,
            None => place.insert(self.connection.prepare_cached(&text(table, how))?),
        };
        for (at, cell) in row.iter().enumerate() {
            statement.raw_bind_parameter(at + 1, cell)?;
        }
        statement.raw_execute()?;
        Ok(())
    }
}

fn text(table: &Table, how: How) -> String {
    match how {
        How::Add | How::Merge => table.insert(how),
        // Shorter than naming each column, and the same where no table refers to another.
        How::Put => table
            .insert(How::Add)
            .replacen("INSERT", "INSERT OR REPLACE", 1),
        How::Remove => {
            let pairs = table.key.iter().zip(1..);
            let pairs: Vec<String> = pairs.map(|(name, it)| format!("{name} = ${it}")).collect();
            format!("DELETE FROM {} WHERE {}", table.name, pairs.join(" AND "))
        }
    }
}
