//! Days whose rows were moved out of the tables that are parted by days, into files.
//!
//! So are its bars of a second. What is summed up over days stays: wider bars, positions, holdings,
//! sessions, symbols, places. That a day was moved is written where its places are, in the same
//! transaction, with the moment up to which the tables have no bars of a second any more.

use crate::Error;
use crate::place::first_of;
use crate::tables::{BARS, BY_DAY, Tables, each, number};
use crate::versions::Changed;

/// What says so among the kinds of streams in `progress`.
const MOVED: i64 = 255;

/// Nanoseconds of a minute.
const MINUTE_NS: i64 = 60_000_000_000;

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

/// The same days, each with the moment before which its bars of a second went; 0 where none did.
pub fn seconds(tables: &dyn Tables) -> Result<Vec<(i64, i64)>, Error> {
    let text = "SELECT day, time_ns FROM progress WHERE kind = $1 ORDER BY day";
    let mut days = Vec::new();
    each(tables, text, &[MOVED.into()], &mut |row| {
        days.push((row[0].integer()?, row[1].integer()?));
        Ok(())
    })?;
    Ok(days)
}

/// From where on the tables have bars of a second of all trades.
pub fn seconds_from(tables: &dyn Tables) -> Result<i64, Error> {
    let ends = seconds(tables)?.into_iter().map(|(_, until_ns)| until_ns);
    Ok(ends.max().unwrap_or(0))
}

/// The minute of a day's last trade: the next day may have trades in it, too, and a minute whose
/// seconds went can be made of them no more. 0 if there is no trade.
#[cfg(feature = "history")]
pub fn last_minute(tables: &dyn Tables, day: i64) -> Result<i64, Error> {
    let text = "SELECT coalesce(max(time_ns), 0) FROM fills WHERE id >= $1 AND id < $2";
    let range = [first_of(day), first_of(day + 1)].map(Into::into);
    number(tables, text, &range).map(minute)
}

const fn minute(moment_ns: i64) -> i64 {
    moment_ns - moment_ns.rem_euclid(MINUTE_NS)
}

/// Takes a day's rows out, as a part of a transaction, and bars of a second that begin before
/// `until_ns`, down to those that went with days before.
pub fn take_out(tables: &dyn Tables, day: i64, until_ns: i64) -> Result<(), Error> {
    tables.clear(day)?;
    if until_ns > 0 {
        let from_ns = match seconds_from(tables)? {
            0 => {
                let text = "SELECT began_ns FROM days WHERE day = $1";
                minute(number(tables, text, &[day.into()])?)
            }
            from_ns => from_ns,
        };
        // Wider bars stay as they are.
        tables.roll_up(false)?;
        let text = "DELETE FROM bars WHERE width_s = 1 AND start_ns >= $1 AND start_ns < $2";
        tables.run(text, &[from_ns.into(), until_ns.into()])?;
        tables.roll_up(true)?;
    }
    let text = "INSERT INTO progress (day, kind, number, next, time_ns) VALUES ($1, $2, 0, 1, $3)";
    tables.run(text, &[day.into(), MOVED.into(), until_ns.into()])?;
    Changed::of(&BY_DAY).note(tables)?;
    Changed::of(&[&BARS]).note(tables)
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
