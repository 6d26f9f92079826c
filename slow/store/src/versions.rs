//! How far the tables were when each of them last changed: what was read of it holds until then.
//!
//! A table's version says how many inputs, messages, days and moved days all tables were made of,
//! and since when their writer is at it: where a power cut took the last transactions of a server,
//! what is projected again, in others, has other versions.

use crate::Error;
use crate::tables::{ALL, Cell, How, Table, Tables, Writer, each};
use std::fmt;
use std::time::{SystemTime, UNIX_EPOCH};

/// What stands among the tables' names for the writer's beginning.
const OPENED: &str = "opened";

/// The versions of all tables.
#[derive(Clone, Copy, Debug, Default)]
pub struct Versions {
    opened: u64,
    /// By their numbers.
    of: [u64; ALL.len()],
}

/// How far some tables were when one of them last changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Version {
    opened: u64,
    stand: u64,
}

impl Version {
    /// How many inputs, messages and days the tables were made of: never less than before.
    #[must_use]
    pub const fn stand(self) -> u64 {
        self.stand
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:x}.{}", self.opened, self.stand)
    }
}

impl Versions {
    /// Those of a database.
    ///
    /// # Errors
    /// The database fails.
    pub fn read(tables: &dyn Tables) -> Result<Self, Error> {
        let mut versions = Self::default();
        let text = "SELECT name, version FROM versions";
        each(tables, text, &[], &mut |row| {
            let (name, version) = (row[0].text()?, row[1].bits()?);
            if name == OPENED {
                versions.opened = version;
            } else if let Some(table) = ALL.iter().find(|table| table.name == name) {
                versions.of[table.number] = version;
            }
            Ok(())
        })?;
        Ok(versions)
    }

    /// That of some tables together.
    pub fn of(&self, tables: &[&Table]) -> Version {
        let of_each = tables.iter().map(|table| self.of[table.number]);
        Version {
            opened: self.opened,
            stand: of_each.max().unwrap_or(0),
        }
    }
}

/// Whoever writes begins: from now on all tables have other versions.
///
/// # Errors
/// The database fails.
pub fn begin(tables: &dyn Tables) -> Result<(), Error> {
    let now = SystemTime::now().duration_since(UNIX_EPOCH);
    let now = now.unwrap_or_default().as_nanos() as u64;
    let text = "UPDATE versions SET version = $1 WHERE name = $2";
    tables.run(text, &[now.into(), OPENED.into()])?;
    Ok(())
}

/// Tables that changed, by their numbers.
#[derive(Clone, Copy, Debug, Default)]
pub struct Changed([bool; ALL.len()]);

impl Changed {
    /// These.
    pub fn of(tables: &[&Table]) -> Self {
        let mut changed = Self::default();
        tables.iter().for_each(|table| changed.add(table));
        changed
    }

    fn add(&mut self, table: &Table) {
        self.0[table.number] = true;
    }

    /// Writes down that they did, at the end of the transaction in which it was: all its places
    /// are written.
    ///
    /// # Errors
    /// The database fails.
    pub fn note(self, tables: &dyn Tables) -> Result<(), Error> {
        let changed = ALL.iter().filter(|table| self.0[table.number]);
        let names: Vec<&str> = changed.map(|table| table.name).collect();
        if names.is_empty() {
            return Ok(());
        }
        let text = "UPDATE versions SET version = (SELECT count(*) FROM days) \
                    + (SELECT CAST(coalesce(sum(next), 0) AS BIGINT) FROM progress) \
                    WHERE $1 LIKE '%,' || name || ',%'";
        let names = format!(",{},", names.join(","));
        tables.run(text, &[names.as_str().into()])?;
        Ok(())
    }
}

/// Writes rows, and remembers of which tables they are.
pub struct Noting<'c> {
    writer: Box<dyn Writer + 'c>,
    changed: Changed,
}

impl<'c> Noting<'c> {
    /// Nothing is written as yet.
    pub fn new(tables: &'c dyn Tables) -> Self {
        Self {
            writer: tables.writer(),
            changed: Changed::default(),
        }
    }

    /// What was written.
    pub const fn changed(&self) -> Changed {
        self.changed
    }
}

impl Writer for Noting<'_> {
    fn tables(&self) -> &dyn Tables {
        self.writer.tables()
    }

    fn write(&mut self, table: &'static Table, how: How, row: &[Cell<'_>]) -> Result<(), Error> {
        self.changed.add(table);
        self.writer.write(table, how, row)
    }
}
