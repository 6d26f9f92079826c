//! Tables that move from one database into another, with days that no data directory has any more.

use crate::tables::{ALL, How, each, number};
use crate::{Error, Location};

/// Copies all tables into a database that has none yet; gives how many rows there are. What comes
/// to the first one meanwhile is not in the second one: a projection goes on from where it stands.
///
/// # Errors
/// A database cannot be used, the second one has rows, or both are servers.
pub fn copy(from: &Location, to: &Location) -> Result<u64, Error> {
    if !matches!((from, to), (Location::File(_), _) | (_, Location::File(_))) {
        let words = "both are servers: pg_dump and pg_restore do that better";
        return Err(Error::Refused(words.to_owned()));
    }
    let source = from.reader()?;
    source.freeze()?;
    let target = to.writer()?;
    if number(&*target, "SELECT count(*) FROM days", &[])? > 0 {
        let words = format!("{to}: there are days in it already; name an empty database");
        return Err(Error::Refused(words));
    }
    let mut days = Vec::new();
    each(&*source, "SELECT day FROM days", &[], &mut |row| {
        days.push(row[0].integer()?);
        Ok(())
    })?;
    target.begin()?;
    days.iter().try_for_each(|day| target.make_room(*day))?;
    target.roll_up(false)?;
    let mut rows = 0;
    let mut writer = target.writer();
    for table in ALL {
        let (columns, key) = (table.columns.join(", "), table.key.join(", "));
        let text = format!("SELECT {columns} FROM {} ORDER BY {key}", table.name);
        each(&*source, &text, &[], &mut |row| {
            rows += 1;
            writer.write(table, How::Add, row)
        })?;
    }
    drop(writer);
    target.roll_up(true)?;
    target.commit()?;
    Ok(rows)
}
