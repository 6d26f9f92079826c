//! What a database does for the projections: the seam between them and SQLite or PostgreSQL.
//!
//! Statements are the same text for both. Parameters are `$1`, `$2` in the order of their first
//! use, integers have 64 bits, and `"user"` is quoted, which PostgreSQL keeps for itself. What
//! comes often goes by [`Writer`]: a database may gather such rows and take many at once.

use crate::{Error, Position};
use std::fmt;
use std::time::Duration;

/// A value of a row.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Cell<'a> {
    Null,
    Integer(i64),
    Real(f64),
    Text(&'a str),
    Bytes(&'a [u8]),
}

impl<'a> Cell<'a> {
    /// A whole number of any width that fits.
    ///
    /// # Errors
    /// It is none, or does not fit: somebody else wrote the row.
    pub fn integer<T: TryFrom<i64>>(self) -> Result<T, Error> {
        match self {
            Cell::Integer(number) => T::try_from(number).map_err(|_| self.unfit()),
            _ => Err(self.unfit()),
        }
    }

    /// A time or another number of 64 bits that are all used.
    ///
    /// # Errors
    /// It is no number.
    pub fn bits(self) -> Result<u64, Error> {
        self.integer::<i64>().map(|number| number as u64)
    }

    /// The same, or nothing.
    ///
    /// # Errors
    /// As [`Cell::integer`].
    pub fn maybe(self) -> Result<Option<i64>, Error> {
        match self {
            Cell::Null => Ok(None),
            other => other.integer().map(Some),
        }
    }

    /// Text.
    ///
    /// # Errors
    /// It is none.
    pub fn text(self) -> Result<&'a str, Error> {
        match self {
            Cell::Text(text) => Ok(text),
            _ => Err(self.unfit()),
        }
    }

    fn unfit(self) -> Error {
        Error::Refused(format!(
            "a row holds {self:?} where that cannot be: it is damaged; rebuild"
        ))
    }
}

impl From<i64> for Cell<'_> {
    fn from(number: i64) -> Self {
        Cell::Integer(number)
    }
}

impl From<u64> for Cell<'_> {
    fn from(bits: u64) -> Self {
        Cell::Integer(bits as i64)
    }
}

impl From<u32> for Cell<'_> {
    fn from(number: u32) -> Self {
        Cell::Integer(number.into())
    }
}

impl From<u16> for Cell<'_> {
    fn from(number: u16) -> Self {
        Cell::Integer(number.into())
    }
}

impl<'a> From<&'a str> for Cell<'a> {
    fn from(text: &'a str) -> Self {
        Cell::Text(text)
    }
}

impl<'a> From<&'a [u8]> for Cell<'a> {
    fn from(bytes: &'a [u8]) -> Self {
        Cell::Bytes(bytes)
    }
}

impl<'a, T: Into<Cell<'a>>> From<Option<T>> for Cell<'a> {
    fn from(value: Option<T>) -> Self {
        value.map_or(Cell::Null, Into::into)
    }
}

/// A table as its writers know it.
#[derive(Debug)]
pub struct Table {
    /// Its place in [`ALL`].
    pub number: usize,
    pub name: &'static str,
    pub columns: &'static [&'static str],
    /// The columns of its primary key.
    pub key: &'static [&'static str],
    /// What becomes of a row that is merged with one (`excluded`) of the same key.
    pub merge: &'static str,
}

/// How a row comes into a table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum How {
    /// There is none of its key.
    Add,
    /// Instead of the one of its key, if there is one.
    Put,
    /// Together with the one of its key, as the table says.
    Merge,
    /// The row goes; only its key is given.
    Remove,
}

/// What somebody reads for: a server plans by it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reading {
    /// Some rows by an index: a documented query.
    Rows,
    /// All rows of a table, to sum them up.
    Whole,
}

/// Hears the rows of an answer; what it does not like ends the answer.
pub type Hear<'h> = &'h mut dyn FnMut(&[Cell<'_>]) -> Result<(), Error>;

/// A database.
pub trait Tables: fmt::Debug + Send {
    /// Begins the transaction that the next rows belong to.
    ///
    /// # Errors
    /// The database fails.
    fn begin(&self) -> Result<(), Error>;

    /// Ends it: all of it is there, or nothing.
    ///
    /// # Errors
    /// The database fails: whether it is there is known when it is opened anew.
    fn commit(&self) -> Result<(), Error>;

    /// Begins a transaction that reads the tables as they stand now, until the end of this value.
    ///
    /// # Errors
    /// The database fails.
    fn freeze(&self) -> Result<(), Error>;

    /// Lets the database plan for this kind of reading until the end of the transaction, or until
    /// another one is said; [`Reading::Rows`] is what readers begin with.
    ///
    /// # Errors
    /// The database fails.
    fn read_for(&self, reading: Reading) -> Result<(), Error> {
        let _ = reading;
        Ok(())
    }

    /// A number that changes with every transaction of others; none where there is none.
    ///
    /// # Errors
    /// The database fails.
    fn changes(&self) -> Result<Option<i64>, Error> {
        Ok(None)
    }

    /// Asks: `columns` hears their names, `on` each row.
    ///
    /// # Errors
    /// The database fails, or somebody does not like what he hears.
    fn ask(
        &self,
        text: &str,
        values: &[Cell<'_>],
        columns: &mut dyn FnMut(&[&str]) -> Result<(), Error>,
        on: Hear<'_>,
    ) -> Result<(), Error>;

    /// Runs a statement; gives how many rows it was about.
    ///
    /// # Errors
    /// The database fails.
    fn run(&self, text: &str, values: &[Cell<'_>]) -> Result<u64, Error>;

    /// Who writes rows that come often.
    fn writer(&self) -> Box<dyn Writer + '_>;

    /// Whether the database makes the wider bars of the narrowest ones by itself.
    fn rolls_up(&self) -> bool {
        false
    }

    /// Lets the database make wider bars, where it does, or leave those that are given.
    ///
    /// # Errors
    /// The database fails.
    fn roll_up(&self, does: bool) -> Result<(), Error> {
        let _ = does;
        Ok(())
    }

    /// What stands before a statement of which one wants to know how it is gone about.
    fn explain(&self) -> &'static str {
        "EXPLAIN QUERY PLAN"
    }

    /// The text of a query as the database takes it best.
    fn worded(&self, text: String) -> String {
        text
    }

    /// How far the database's log is: who reads behind it reads all that was committed here. None
    /// where nobody else has that log.
    ///
    /// # Errors
    /// The database fails.
    fn position(&self) -> Result<Option<Position>, Error> {
        Ok(None)
    }

    /// An answer that takes longer is none from now on, where one waits for a server.
    fn wait_for(&self, longest: Duration) {
        let _ = longest;
    }

    /// Removes the rows of a day from the tables that are [parted by days](BY_DAY), as a part of a
    /// transaction.
    ///
    /// # Errors
    /// The database fails.
    fn clear(&self, day: i64) -> Result<(), Error>;

    /// Bytes that a day's rows take in these tables with their indexes; none where nobody knows.
    ///
    /// # Errors
    /// The database fails.
    #[cfg(feature = "history")]
    fn bytes(&self, day: i64) -> Result<Option<u64>, Error> {
        let _ = day;
        Ok(None)
    }

    /// Whether these are a part of all, one of several [shards](crate::shards).
    fn is_shard(&self) -> bool {
        false
    }

    /// Whether the rows of a symbol are here; those without one if it is empty.
    fn keeps(&self, symbol: &str) -> bool {
        let _ = symbol;
        true
    }

    /// Whether a row is here.
    ///
    /// # Errors
    /// It is none of the table.
    fn has(&self, table: &Table, row: &[Cell<'_>]) -> Result<bool, Error> {
        let _ = (table, row);
        Ok(true)
    }

    /// Sees to it that a day has the same number in all shards.
    ///
    /// # Errors
    /// It has another one.
    fn agree(&self, day: &str, number: i64) -> Result<(), Error> {
        let _ = (day, number);
        Ok(())
    }

    /// Makes room for the rows of a day, and of some days ahead.
    ///
    /// # Errors
    /// The database fails.
    fn make_room(&self, day: i64) -> Result<(), Error> {
        let _ = day;
        Ok(())
    }
}

/// Writes the rows of a transaction.
pub trait Writer {
    /// The database, which knows of all rows that were written before.
    fn tables(&self) -> &dyn Tables;

    /// Writes a row, all columns in their order.
    ///
    /// # Errors
    /// The database fails; it may do so later, at the commit at the latest.
    fn write(&mut self, table: &'static Table, how: How, row: &[Cell<'_>]) -> Result<(), Error>;
}

/// Asks for rows whose names do not matter.
pub fn each(
    tables: &dyn Tables,
    text: &str,
    values: &[Cell<'_>],
    on: Hear<'_>,
) -> Result<(), Error> {
    tables.ask(text, values, &mut |_| Ok(()), on)
}

/// How the database goes about a statement, a line a step.
pub fn explained(
    tables: &dyn Tables,
    text: &str,
    values: &[Cell<'_>],
) -> Result<Vec<String>, Error> {
    let mut lines = Vec::new();
    let text = format!("{} {text}", tables.explain());
    each(tables, &text, values, &mut |row| {
        let step = row.last().copied().unwrap_or(Cell::Null);
        lines.push(step.text()?.to_owned());
        Ok(())
    })?;
    Ok(lines)
}

/// Asks for one row at most.
pub fn first<T>(
    tables: &dyn Tables,
    text: &str,
    values: &[Cell<'_>],
    read: impl Fn(&[Cell<'_>]) -> Result<T, Error>,
) -> Result<Option<T>, Error> {
    let mut found = None;
    each(tables, text, values, &mut |row| {
        if found.is_none() {
            found = Some(read(row)?);
        }
        Ok(())
    })?;
    Ok(found)
}

/// Asks for the one number that a statement gives.
pub fn number(tables: &dyn Tables, text: &str, values: &[Cell<'_>]) -> Result<i64, Error> {
    let found = first(tables, text, values, |row| row[0].integer())?;
    found.ok_or_else(|| Error::Refused(format!("no answer to {text}")))
}

/// The tables that are compared with a projection from zero: all.
pub const ALL: [&Table; 15] = [
    &DAYS, &PROGRESS, &REMARKS, &SYMBOLS, &SESSIONS, &AUDIT, &TURNS, &ORDERS, &FILLS, &REFUSALS,
    &POSITIONS, &HOLDINGS, &BARS, &SHOWN, &TOPS,
];

/// Those whose ids have the day in their upper bits.
pub const BY_DAY: [&Table; 5] = [&AUDIT, &FILLS, &ORDERS, &REFUSALS, &TURNS];

macro_rules! tables {
    ($($table:ident $number:literal $name:literal $columns:tt $key:tt $merge:literal;)*) => {
        $(
            pub static $table: Table = Table {
                number: $number,
                name: $name,
                columns: &$columns,
                key: &$key,
                merge: $merge,
            };
        )*
    };
}

tables! {
    DAYS 0 "days" ["day", "name", "began_ns"] ["day"] "";
    PROGRESS 1 "progress" ["day", "kind", "number", "next", "time_ns", "mark"]
        ["day", "kind", "number"] "";
    REMARKS 2 "remarks" ["day", "\"user\"", "text", "is_whole"] ["day"] "";
    SYMBOLS 3 "symbols" ["day", "number", "name", "tick"] ["day", "number"] "";
    SESSIONS 4 "sessions" ["day", "session", "account", "firm"] ["day", "session"] "";
    AUDIT 5 "audit" ["id", "time_ns", "act", "\"user\"", "why", "session", "account", "symbol",
        "flags", "units", "price"] ["id"] "";
    TURNS 6 "turns" ["id", "time_ns", "symbol", "state"] ["id"] "";
    ORDERS 7 "orders" ["id", "session", "user_ref", "account", "symbol", "side", "units", "price",
        "time_in_force", "display", "order_ref", "replaces", "client_id", "entered_ns",
        "changed_ns", "open_units", "traded_units", "traded_value", "state", "reason"] ["id"] "";
    FILLS 8 "fills" ["id", "order_id", "session", "user_ref", "account", "symbol", "time_ns",
        "units", "price", "liquidity", "broken"] ["id"] "";
    REFUSALS 9 "refusals" ["id", "session", "user_ref", "time_ns", "what", "code", "client_id"]
        ["id"] "";
    POSITIONS 10 "positions" ["day", "account", "symbol", "bought_units", "bought_value",
        "sold_units", "sold_value"] ["account", "symbol", "day"]
        "bought_units = positions.bought_units + excluded.bought_units, \
         bought_value = positions.bought_value + excluded.bought_value, \
         sold_units = positions.sold_units + excluded.sold_units, \
         sold_value = positions.sold_value + excluded.sold_value";
    HOLDINGS 11 "holdings" ["account", "symbol", "bought_units", "bought_value", "sold_units",
        "sold_value"] ["account", "symbol"]
        "bought_units = holdings.bought_units + excluded.bought_units, \
         bought_value = holdings.bought_value + excluded.bought_value, \
         sold_units = holdings.sold_units + excluded.sold_units, \
         sold_value = holdings.sold_value + excluded.sold_value";
    BARS 12 "bars" ["symbol", "width_s", "start_ns", "open", "high", "low", "close", "units",
        "value", "trades", "first_id", "last_id"] ["symbol", "width_s", "start_ns"]
        "open = CASE WHEN excluded.first_id < bars.first_id THEN excluded.open ELSE bars.open END, \
         close = CASE WHEN excluded.last_id > bars.last_id THEN excluded.close \
            ELSE bars.close END, \
         high = CASE WHEN excluded.high > bars.high THEN excluded.high ELSE bars.high END, \
         low = CASE WHEN excluded.low < bars.low THEN excluded.low ELSE bars.low END, \
         first_id = CASE WHEN excluded.first_id < bars.first_id THEN excluded.first_id \
            ELSE bars.first_id END, \
         last_id = CASE WHEN excluded.last_id > bars.last_id THEN excluded.last_id \
            ELSE bars.last_id END, \
         units = bars.units + excluded.units, value = bars.value + excluded.value, \
         trades = bars.trades + excluded.trades";
    SHOWN 13 "shown" ["id", "symbol", "side", "price", "units"] ["id"] "";
    TOPS 14 "tops" ["symbol", "time_ns", "bid", "bid_units", "ask", "ask_units"] ["symbol"] "";
}

impl Table {
    /// The statement that brings a row in, its columns as parameters.
    pub fn insert(&self, how: How) -> String {
        let columns = self.columns.join(", ");
        let values: Vec<String> = (1..=self.columns.len())
            .map(|it| format!("${it}"))
            .collect();
        let text = format!(
            "INSERT INTO {} ({columns}) VALUES ({})",
            self.name,
            values.join(", ")
        );
        match how {
            How::Add => text,
            _ => format!("{text} {}", self.conflict(how)),
        }
    }

    /// What such a statement does with the row of the same key.
    pub fn conflict(&self, how: How) -> String {
        let key = self.key.join(", ");
        let set = match how {
            How::Merge => self.merge.to_owned(),
            _ => {
                let others = self.columns.iter().filter(|it| !self.key.contains(it));
                let set: Vec<String> = others.map(|it| format!("{it} = excluded.{it}")).collect();
                set.join(", ")
            }
        };
        format!("ON CONFLICT ({key}) DO UPDATE SET {set}")
    }
}
