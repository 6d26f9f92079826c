//! A database that is made anew beside the old one.

use crate::{Error, Location, Projector, database, days};
use std::fs;
use std::path::{Path, PathBuf};

/// Makes a database anew beside the old one, which serves its readers meanwhile, and takes its
/// place.
///
/// # Errors
/// The venue's files or the database cannot be used; the old database is another program's or of a
/// newer schema; or it holds days that the data directory no longer has, or is damaged, so that
/// nobody knows which: these would be lost, unless `forgets`.
pub fn rebuild(data_dir: &Path, location: &Location, forgets: bool) -> Result<u64, Error> {
    let held = location.held(!forgets)?;
    let known = days::list(data_dir)?;
    if let Some(lost) = held.iter().find(|name| !known.contains(name)) {
        return Err(Error::Refused(format!(
            "{location}: it holds day {lost}, which {} no longer has: rebuild into another one, \
             or say --forget",
            data_dir.display()
        )));
    }
    match location {
        Location::File(path) => file(data_dir, path),
        #[cfg(feature = "postgres")]
        Location::Server(server) => crate::postgres::rebuild(data_dir, server),
    }
}

/// Makes a file anew.
fn file(data_dir: &Path, database: &Path) -> Result<u64, Error> {
    // Whoever writes the old one would go on writing a file without a name; and two who make it
    // anew would write the same draft.
    let _writer = database::locked(database)?;
    let draft = with_suffix(database, ".new");
    remove(&draft)?;
    let mut projector = Projector::open(data_dir, &Location::File(draft.clone()))?;
    let events = projector.catch_up()?;
    drop(projector);
    let connection = database::Database::open(&draft)?.connection;
    connection.execute_batch("PRAGMA wal_checkpoint(TRUNCATE); PRAGMA journal_mode = DELETE;")?;
    drop(connection);
    for suffix in ["-wal", "-shm"] {
        remove_one(&with_suffix(database, suffix))?;
    }
    fs::rename(&draft, database).map_err(|error| Error::file(&draft, &error))?;
    remove(&draft)?;
    Ok(events)
}

fn with_suffix(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    name.into()
}

/// Removes a database and what belongs to it.
pub fn remove(path: &Path) -> Result<(), Error> {
    for suffix in ["", "-wal", "-shm", "-journal", "-writer"] {
        remove_one(&with_suffix(path, suffix))?;
    }
    Ok(())
}

fn remove_one(path: &Path) -> Result<(), Error> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            Err(Error::file(path, &error))
        }
        _ => Ok(()),
    }
}
