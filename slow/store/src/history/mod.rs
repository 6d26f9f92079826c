//! Days of the tables as Parquet files, which DuckDB, pandas and polars read as they are.
//!
//! `DIR/trades/day=2026-11-23/symbol=ABC/2026112301.parquet`: a folder for each sheet, parted by
//! date and symbol as Hive does, and in it a file for each of the venue's days. `DIR/days` has a
//! word for each day that is there: its number in the tables, whether it was over, how many rows
//! each sheet has. It is written last, so what it says is on disk.

mod ask;
mod compare;
mod keep;
mod layout;
mod note;
mod sheet;
mod write;

pub use ask::Files;
pub(crate) use ask::answer;
pub use compare::{Agreed, compare};
pub use keep::{Keeping, Kept, keep};
pub use note::{Note, Size};
pub use write::write;

use crate::tables::{Tables, each};
use crate::{Error, days, moved};

/// Which days are to be written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Which<'n> {
    /// Those that are over and not there yet.
    Closed,
    /// Those, and the running one as it stands.
    Running,
    /// The one of that name, again if it is there.
    One(&'n str),
}

/// A day of the tables.
#[derive(Clone, Debug)]
struct Day {
    number: i64,
    name: String,
    /// A later one was begun: no row of it will come or change.
    is_over: bool,
    /// Its rows are in files alone.
    is_moved: bool,
}

/// The days of the tables, the oldest first.
fn held(tables: &dyn Tables) -> Result<Vec<Day>, Error> {
    let moved = moved::list(tables)?;
    let mut all: Vec<Day> = Vec::new();
    let text = "SELECT day, name FROM days ORDER BY day";
    each(tables, text, &[], &mut |row| {
        let name = row[1].text()?.to_owned();
        if !days::is_name(&name) {
            let words = format!("a day is called {name:?}: it is damaged; rebuild");
            return Err(Error::Refused(words));
        }
        if let Some(before) = all.last_mut() {
            before.is_over = true;
        }
        let number = row[0].integer()?;
        all.push(Day {
            number,
            name,
            is_over: false,
            is_moved: moved.iter().any(|(moved, _)| *moved == number),
        });
        Ok(())
    })?;
    Ok(all)
}

impl From<history::Error> for Error {
    fn from(error: history::Error) -> Self {
        Self::Refused(format!("history: {error}"))
    }
}
