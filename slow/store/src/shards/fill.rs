//! Shards that are filled from one database.

use super::Routes;
use crate::tables::{ALL, How, Tables, each, number};
use crate::{Error, Location};
use std::sync::Arc;

/// Copies all tables into shards that have none yet; gives how many rows each has. What comes to
/// the first database meanwhile is not in them.
///
/// # Errors
/// A database cannot be used, or a shard has rows. All are committed at the end, one after the
/// other: those that were before one failed have rows, and are to be emptied.
pub fn fill(from: &Location, routes: &Arc<Routes>) -> Result<Vec<(String, u64)>, Error> {
    let source = from.reader()?;
    source.freeze()?;
    let mut days = Vec::new();
    each(&*source, "SELECT day FROM days", &[], &mut |row| {
        days.push(row[0].integer()?);
        Ok(())
    })?;
    let mut targets = Vec::new();
    for (_, location) in routes.locations() {
        let target = location.writer()?;
        if number(&*target, "SELECT count(*) FROM days", &[])? > 0 {
            let words = format!("{location}: there are days in it already; name empty databases");
            return Err(Error::Refused(words));
        }
        targets.push((location.to_string(), target));
    }
    for (_, target) in &targets {
        target.begin()?;
        days.iter().try_for_each(|day| target.make_room(*day))?;
        target.roll_up(false)?;
    }
    let tables: Vec<&dyn Tables> = targets.iter().map(|(_, target)| &**target).collect();
    let rows = write(&*source, &tables, routes)?;
    for target in tables {
        target.roll_up(true)?;
        target.commit()?;
    }
    let names = targets.into_iter().map(|(name, _)| name);
    Ok(names.zip(rows).collect())
}

/// Writes each row where it belongs.
fn write(source: &dyn Tables, targets: &[&dyn Tables], routes: &Routes) -> Result<Vec<u64>, Error> {
    let mut rows = vec![0; targets.len()];
    let mut writers: Vec<_> = targets.iter().map(|target| target.writer()).collect();
    // Where a range's shards begin among all.
    let counts = routes.ranges.iter().map(|it| it.shards.len());
    let firsts: Vec<usize> = counts
        .scan(0, |next, count| {
            Some(std::mem::replace(next, *next + count))
        })
        .collect();
    for table in ALL {
        let (columns, key) = (table.columns.join(", "), table.key.join(", "));
        let text = format!("SELECT {columns} FROM {} ORDER BY {key}", table.name);
        each(source, &text, &[], &mut |row| {
            let mut to = |at: usize| {
                rows[at] += 1;
                writers[at].write(table, How::Add, row)
            };
            match routes.of(table, row)? {
                Some((range, shard)) => to(firsts[range] + shard),
                None => (0..targets.len()).try_for_each(to),
            }
        })?;
    }
    Ok(rows)
}
