//! Reading by a pool that gives a connection to a transaction: nothing outlives one, no settings
//! and no names of statements, so each of them says all again and asks without names.

use super::{Postgres, names_of, planning};
use crate::Error;
use crate::tables::{Cell, Hear, Reading};
use tokio_postgres::SimpleQueryMessage;
use tokio_postgres::types::Type;

impl Postgres {
    /// Begins a transaction that reads as those of a connection of our own do.
    pub(super) fn enter(&self, begin: &str) -> Result<(), Error> {
        let settings = planning::text("SET LOCAL", Reading::Rows);
        let schema = self.server.schema;
        self.script(&format!(
            "{begin}; SET LOCAL search_path = {schema}; {settings}"
        ))?;
        self.is_within.set(true);
        Ok(())
    }

    /// Asks within the transaction that is open, or in one of its own.
    pub(super) fn ask_unnamed(
        &self,
        text: &str,
        values: &[Cell<'_>],
        columns: &mut dyn FnMut(&[&str]) -> Result<(), Error>,
        on: Hear<'_>,
    ) -> Result<(), Error> {
        if self.is_within.get() {
            return self.ask_within(text, values, columns, on);
        }
        self.enter("BEGIN READ ONLY")?;
        let asked = self.ask_within(text, values, columns, on);
        self.is_within.set(false);
        let ended = self.script("ROLLBACK");
        asked.and(ended)
    }

    fn ask_within(
        &self,
        text: &str,
        values: &[Cell<'_>],
        columns: &mut dyn FnMut(&[&str]) -> Result<(), Error>,
        on: Hear<'_>,
    ) -> Result<(), Error> {
        let typed = values.iter().map(|value| (value, kind(value)));
        let rows = self.wait(self.client.query_typed_raw(text, typed))?;
        let mut is_told = false;
        let first = &mut |told: &[tokio_postgres::Column]| {
            is_told = true;
            columns(&names_of(told))
        };
        self.hear(rows, first, on)?;
        if is_told {
            return Ok(());
        }
        // An answer without rows has names all the same: those of one that cannot have any.
        let none = (1..=values.len()).rev().fold(text.to_owned(), |text, it| {
            text.replace(&format!("${it}"), "NULL")
        });
        let told = self.wait(self.client.simple_query(&none))?;
        let names = told.iter().find_map(|message| match message {
            SimpleQueryMessage::RowDescription(columns) => {
                Some(columns.iter().map(|it| it.name()).collect::<Vec<_>>())
            }
            _ => None,
        });
        columns(&names.unwrap_or_default())
    }
}

/// What a value is, for a statement that nobody prepares.
const fn kind(value: &Cell<'_>) -> Type {
    match value {
        Cell::Null | Cell::Integer(_) => Type::INT8,
        Cell::Real(_) => Type::FLOAT8,
        Cell::Text(_) => Type::TEXT,
        Cell::Bytes(_) => Type::BYTEA,
    }
}
