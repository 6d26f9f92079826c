//! What can go wrong, in words that name the place.

use journal::{DataError, RecoveryError};
use std::fmt;
use std::path::Path;

/// Why there are no tables, or no more of them.
#[derive(Debug)]
pub enum Error {
    /// The database does not do what it is asked to.
    Database(rusqlite::Error),
    /// The same of a server: which one, and what it says.
    Server(String),
    /// A file of the venue is damaged or cannot be read. What stands before it is in the tables.
    Venue(String),
    /// Something is not as it must be; the words say what to do.
    Refused(String),
}

impl Error {
    /// A file or directory that cannot be used.
    pub(crate) fn file(path: &Path, error: &dyn fmt::Display) -> Self {
        Self::Refused(format!("{}: {error}", path.display()))
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Database(error) => write!(f, "database: {error}"),
            Self::Server(text) | Self::Venue(text) | Self::Refused(text) => f.write_str(text),
        }
    }
}

impl std::error::Error for Error {}

impl From<rusqlite::Error> for Error {
    fn from(error: rusqlite::Error) -> Self {
        Self::Database(error)
    }
}

impl From<DataError> for Error {
    fn from(error: DataError) -> Self {
        Self::Venue(error.to_string())
    }
}

impl From<RecoveryError> for Error {
    fn from(error: RecoveryError) -> Self {
        Self::Venue(error.to_string())
    }
}

impl From<journal::StorageError> for Error {
    fn from(error: journal::StorageError) -> Self {
        Self::Venue(error.to_string())
    }
}
