//! The database file: who it belongs to, which schema it has, and that one process writes it.

use crate::{Error, query};
use rusqlite::{Connection, ErrorCode, OpenFlags};
use std::fs::{File, TryLockError};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// `application_id` of our databases: `WXDB`.
const APPLICATION: i32 = i32::from_be_bytes(*b"WXDB");

/// The schema that this program writes; `user_version` of the database.
pub const SCHEMA_VERSION: i32 = 5;

/// Statements that are kept prepared.
const STATEMENTS_MAX: usize = 64;

/// How long a reader waits for another connection.
const BUSY: Duration = Duration::from_secs(10);

/// Pages of the write-ahead log before they are moved into the file: 64 MiB.
const LOG_PAGES: u32 = 16_384;

/// Memory for pages, in KiB.
const CACHE_KIB: u32 = 65_536;

/// Bytes of the file that a reader looks at where the kernel keeps them: no copy, no call a page.
const MAPPED_BYTES: i64 = 64 << 30;

/// A database that this process alone writes.
#[derive(Debug)]
pub struct Database {
    /// Its connection.
    pub connection: Connection,
    /// Held until this value is dropped.
    _lock: File,
}

impl Database {
    /// Opens a database for writing; makes it if there is none.
    ///
    /// # Errors
    /// It is another program's, of a newer schema, damaged, or written by another process.
    pub fn open(path: &Path) -> Result<Self, Error> {
        let lock = locked(path)?;
        let connection = Connection::open(path).map_err(|error| named(path, &error))?;
        connection.busy_timeout(BUSY)?;
        connection.set_prepared_statement_cache_capacity(STATEMENTS_MAX);
        if is_new(path, &connection)? {
            let begin = format!(
                "PRAGMA page_size = 4096; PRAGMA journal_mode = WAL; BEGIN IMMEDIATE; {} {} \
                 PRAGMA application_id = {APPLICATION}; PRAGMA user_version = {SCHEMA_VERSION}; \
                 COMMIT;",
                include_str!("schema.sql"),
                query::profits_view("round")
            );
            connection.execute_batch(&begin)?;
        }
        // The journal is the truth: what a power cut takes of the log is projected again. A process
        // that is confined has no folder for what SQLite would put aside in files.
        let settings = format!(
            "PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; \
             PRAGMA wal_autocheckpoint = {LOG_PAGES}; PRAGMA cache_size = -{CACHE_KIB}; \
             PRAGMA temp_store = MEMORY;"
        );
        connection.execute_batch(&settings)?;
        Ok(Self {
            connection,
            _lock: lock,
        })
    }
}

/// Opens a database that exists for reading.
///
/// # Errors
/// There is none, or it is not ours.
pub fn reader(path: &Path) -> Result<Connection, Error> {
    let connection = open_to_read(path).map_err(|error| named(path, &error))?;
    connection.pragma_update(None, "mmap_size", MAPPED_BYTES)?;
    connection.pragma_update(None, "temp_store", "MEMORY")?;
    if is_new(path, &connection)? {
        let words = format!("{}: there are no tables in it yet", path.display());
        return Err(Error::Refused(words));
    }
    Ok(connection)
}

/// The file whose lock says that a database is being written.
fn lock_path(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push("-writer");
    name.into()
}

/// Holds a database against other writers.
///
/// # Errors
/// One has it.
pub fn locked(path: &Path) -> Result<File, Error> {
    let lock = lock_path(path);
    let mut options = File::options();
    let opened = options.write(true).create(true).truncate(false).open(&lock);
    let file = opened.map_err(|error| Error::file(&lock, &error))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(Error::Refused(format!(
            "{}: another process writes this database; stop it, or name another file",
            path.display()
        ))),
        Err(TryLockError::Error(error)) => Err(Error::file(&lock, &error)),
    }
}

/// Whose a database is.
enum Whose {
    /// It is empty.
    Nobodys,
    /// Ours, of some schema.
    Ours(i32),
    Others,
}

/// The names of the days of a database that is to be made anew, of an older schema, too; none if
/// there is no database, or if they do not matter.
///
/// # Errors
/// It is another program's, of a newer schema, cannot be read, or is damaged and its days matter.
pub fn held(path: &Path, do_matter: bool) -> Result<Vec<String>, Error> {
    let is_there = path.try_exists();
    if !is_there.map_err(|error| Error::file(path, &error))? {
        return Ok(Vec::new());
    }
    let looked = open_to_read(path).and_then(|connection| {
        let whose = whose(&connection)?;
        let Whose::Ours(version) = whose else {
            return Ok((whose, Vec::new()));
        };
        let mut days = Vec::new();
        if do_matter && version <= SCHEMA_VERSION {
            let mut statement = connection.prepare("SELECT name FROM days ORDER BY day")?;
            let rows = statement.query_map([], |row| row.get(0))?;
            days = rows.collect::<Result<_, _>>()?;
        }
        Ok((whose, days))
    });
    let refused = |why: String| Err(Error::Refused(format!("{}: {why}", path.display())));
    match looked {
        Ok((Whose::Others, _)) => refused(OTHERS.to_owned()),
        Ok((Whose::Ours(version), _)) if version > SCHEMA_VERSION => refused(newer(version)),
        Ok((_, days)) => Ok(days),
        Err(error) if !do_matter && is_damage(&error) => Ok(Vec::new()),
        Err(error) => Err(named(path, &error)),
    }
}

fn open_to_read(path: &Path) -> rusqlite::Result<Connection> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags)?;
    connection.busy_timeout(BUSY)?;
    Ok(connection)
}

fn whose(connection: &Connection) -> rusqlite::Result<Whose> {
    let number = |pragma| connection.pragma_query_value(None, pragma, |row| row.get::<_, i32>(0));
    let (application, version) = (number("application_id")?, number("user_version")?);
    let tables = "SELECT count(*) FROM sqlite_schema";
    let tables: i64 = connection.query_row(tables, [], |row| row.get(0))?;
    Ok(match (application, version, tables) {
        (0, 0, 0) => Whose::Nobodys,
        (APPLICATION, ..) => Whose::Ours(version),
        _ => Whose::Others,
    })
}

/// Whether the database is empty; otherwise it is ours and of this schema.
fn is_new(path: &Path, connection: &Connection) -> Result<bool, Error> {
    let refused = |why: String| Err(Error::Refused(format!("{}: {why}", path.display())));
    match whose(connection).map_err(|error| named(path, &error))? {
        Whose::Nobodys => Ok(true),
        Whose::Others => refused(OTHERS.to_owned()),
        Whose::Ours(version) if version > SCHEMA_VERSION => refused(newer(version)),
        Whose::Ours(version) if version < SCHEMA_VERSION => refused(format!(
            "its schema is {version} and this program writes {SCHEMA_VERSION}: run \
             `wirecross-slow rebuild`"
        )),
        Whose::Ours(_) => Ok(false),
    }
}

const OTHERS: &str = "this database is another program's; name another file";

fn newer(version: i32) -> String {
    format!(
        "a newer program wrote it: its schema is {version} and this program knows \
         {SCHEMA_VERSION}; use that program, or rebuild into another file"
    )
}

/// Whether what fails are the bytes of the file.
fn is_damage(error: &rusqlite::Error) -> bool {
    let code = error.sqlite_error_code();
    matches!(
        code,
        Some(ErrorCode::NotADatabase | ErrorCode::DatabaseCorrupt)
    )
}

fn named(path: &Path, error: &rusqlite::Error) -> Error {
    let why = match is_damage(error) {
        false => "",
        true => {
            "; it is no database of ours, or damaged: `wirecross-slow rebuild --forget` makes it \
             anew from the days that the data directory has"
        }
    };
    Error::Refused(format!("{}: {error}{why}", path.display()))
}
