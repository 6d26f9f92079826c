//! A database that is made anew beside the old one.

use crate::{Error, Projector, database, days};
use std::fs;
use std::path::{Path, PathBuf};

/// Makes a database anew beside the old one, which serves its readers meanwhile, and takes its
/// place.
///
/// # Errors
/// The venue's files or the database cannot be used, or the old database holds days that the data
/// directory no longer has: these would be lost, unless `forgets`.
pub fn rebuild(data_dir: &Path, database: &Path, forgets: bool) -> Result<u64, Error> {
    if !forgets && let Ok(old) = database::reader(database) {
        let known = days::list(data_dir)?;
        let mut statement = old.prepare("SELECT name FROM days ORDER BY day")?;
        for name in statement.query_map([], |row| row.get::<_, String>(0))? {
            let name = name?;
            if !known.contains(&name) {
                return Err(Error::Refused(format!(
                    "{}: it holds day {name}, which {} no longer has: rebuild into another file, \
                     or say --forget",
                    database.display(),
                    data_dir.display()
                )));
            }
        }
    }
    let mut name = database.as_os_str().to_owned();
    name.push(".new");
    let draft = PathBuf::from(name);
    remove(&draft)?;
    let mut projector = Projector::open(data_dir, &draft)?;
    let events = projector.catch_up()?;
    let connection = projector.connection();
    connection.execute_batch("PRAGMA wal_checkpoint(TRUNCATE); PRAGMA journal_mode = DELETE;")?;
    drop(projector);
    // Whoever writes the old one would go on writing a file without a name.
    let _writer = database::locked(database)?;
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
