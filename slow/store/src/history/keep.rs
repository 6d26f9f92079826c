//! Old days, whose rows are moved out of the tables when their files have them.

use super::{Note, Which, compare, held, write};
use crate::tables::Tables;
use crate::{Error, Location, moved, versions};
use std::path::{Path, PathBuf};

/// What becomes of days that are over.
#[derive(Clone, Debug)]
pub struct Keeping {
    /// The folder of their files.
    pub dir: PathBuf,
    /// The tables keep so many days, the running one included; all if it is not said.
    pub days: Option<u32>,
}

/// What was done.
#[derive(Clone, Debug, Default)]
pub struct Kept {
    /// Days that were written.
    pub written: u64,
    /// Days whose rows were moved.
    pub moved: u64,
    /// Bytes that their rows took with their indexes, where the database says so.
    pub bytes: u64,
    /// Bytes that all files of these days take.
    pub file_bytes: u64,
}

/// Writes the days that are over and moves the oldest, for a database that nobody writes.
///
/// # Errors
/// Another process writes it, its days cannot be read, or the files cannot be written.
pub fn keep(location: &Location, keeping: &Keeping) -> Result<Kept, Error> {
    let tables = location.writer()?;
    versions::begin(&*tables)?;
    keeping.apply(&*tables, location)
}

impl Keeping {
    /// The same, of a database that `tables` is the writer of. The rows of a day are taken out
    /// when its files were read again and agree with them.
    ///
    /// # Errors
    /// The database or the folder fails, or the files of a day are not what its rows are: these
    /// stay.
    pub(crate) fn apply(&self, tables: &dyn Tables, location: &Location) -> Result<Kept, Error> {
        let mut kept = Kept {
            written: write(location, &self.dir, Which::Closed)?.len() as u64,
            ..Kept::default()
        };
        let Some(days) = self.days else {
            return Ok(kept);
        };
        let all = held(tables)?;
        let old = all.len().saturating_sub(days.max(1) as usize);
        for day in all[..old].iter().filter(|day| !day.is_moved) {
            check(tables, &self.dir, day)?;
            kept.file_bytes += Note::read(&self.dir, &day.name)?.map_or(0, |note| note.bytes());
            kept.bytes += tables.bytes(day.number)?.unwrap_or(0);
            let until_ns = moved::last_minute(tables, day.number)?;
            tables.begin()?;
            moved::take_out(tables, day.number, until_ns)?;
            tables.commit()?;
            kept.moved += 1;
        }
        Ok(kept)
    }
}

fn check(tables: &dyn Tables, dir: &Path, day: &super::Day) -> Result<(), Error> {
    let difference = match compare::day(tables, dir, day, &mut compare::Agreed::default())? {
        Ok(true) => return Ok(()),
        Ok(false) => format!("day {}: there are no files of it", day.name),
        Err(difference) => difference,
    };
    Err(Error::Refused(format!(
        "history: {difference}: its rows stay in the tables; write it again by `history write \
         --day {}`",
        day.name
    )))
}
