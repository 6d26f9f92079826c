//! Days whose rows were moved out of the tables that are parted by days, into files.
//!
//! What is summed up over days stays: bars, positions, holdings, sessions, symbols, places. That a
//! day was moved is written where its places are, in the same transaction.

use crate::Error;
use crate::place::first_of;
use crate::tables::{BY_DAY, Tables, each};

/// What says so among the kinds of streams in `progress`.
const MOVED: i64 = 255;

/// The days that were moved, the oldest first: numbers and names.
pub fn list(tables: &dyn Tables) -> Result<Vec<(i64, String)>, Error> {
    let text = "SELECT day, name FROM progress JOIN days USING (day) WHERE kind = $1 ORDER BY day";
    let mut days = Vec::new();
    each(tables, text, &[MOVED.into()], &mut |row| {
        days.push((row[0].integer()?, row[1].text()?.to_owned()));
        Ok(())
    })?;
    Ok(days)
}

/// Takes a day's rows out, as a part of a transaction.
pub fn take_out(tables: &dyn Tables, day: i64) -> Result<(), Error> {
    tables.clear(day)?;
    let text = "INSERT INTO progress (day, kind, number, next, time_ns) VALUES ($1, $2, 0, 1, 0)";
    tables.run(text, &[day.into(), MOVED.into()])?;
    Ok(())
}

/// Removes a day's rows one by one.
pub fn delete(tables: &dyn Tables, day: i64) -> Result<(), Error> {
    let range = [first_of(day).into(), first_of(day + 1).into()];
    for table in BY_DAY {
        let text = format!("DELETE FROM {} WHERE id >= $1 AND id < $2", table.name);
        tables.run(&text, &range)?;
    }
    Ok(())
}
