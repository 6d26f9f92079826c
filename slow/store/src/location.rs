//! Where a database is: a file, or a server's address.

use crate::tables::Tables;
use crate::{Database, Error, database};
use std::ffi::OsStr;
use std::fmt;
use std::io::Read as _;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

/// How the address of a server begins.
const SCHEMES: [&str; 2] = ["postgres://", "postgresql://"];

/// A password is not longer.
const PASSWORD_BYTES_MAX: u64 = 1_024;

/// The password of a server, as whoever starts the process says it on its standard input.
///
/// # Errors
/// The input cannot be read, or is no text.
pub fn handed_password() -> Result<String, Error> {
    let mut password = String::new();
    let mut handed = std::io::stdin().take(PASSWORD_BYTES_MAX);
    let read = handed.read_to_string(&mut password);
    read.map_err(|error| Error::Refused(format!("the password: {error}")))?;
    Ok(password)
}

/// Where a database is.
#[derive(Clone, Debug)]
pub enum Location {
    /// A file of SQLite's.
    File(PathBuf),
    /// A server of PostgreSQL's.
    #[cfg(feature = "postgres")]
    Server(crate::Server),
}

impl Location {
    /// Reads a file's name or a server's address.
    ///
    /// # Errors
    /// The address is none that can be used; the words say why.
    pub fn read(text: &OsStr) -> Result<Self, Error> {
        let address = text.to_str().unwrap_or_default();
        if !SCHEMES.iter().any(|scheme| address.starts_with(scheme)) {
            return Ok(Self::File(text.into()));
        }
        #[cfg(feature = "postgres")]
        return crate::Server::read(address).map(Self::Server);
        #[cfg(not(feature = "postgres"))]
        Err(Error::Refused(
            "this program was built without PostgreSQL: build it with `--features postgres`, or \
             name a file"
                .to_owned(),
        ))
    }

    /// The same, with a flag that ends waiting for a server.
    #[must_use]
    pub fn until(self, stop: &Arc<AtomicBool>) -> Self {
        match self {
            #[cfg(feature = "postgres")]
            Self::Server(server) => Self::Server(server.until(Arc::clone(stop))),
            Self::File(path) => Self::File(path),
        }
    }

    /// The same, with a server's password.
    #[must_use]
    pub fn with_password(self, password: &str) -> Self {
        match self {
            #[cfg(feature = "postgres")]
            Self::Server(server) => Self::Server(server.with_password(password)),
            Self::File(path) => Self::File(path),
        }
    }

    /// The TCP port by which a confined process reaches it; none for a file.
    ///
    /// # Errors
    /// It is a server that such a process does not reach.
    pub fn port(&self) -> Result<Option<u16>, Error> {
        match self {
            #[cfg(feature = "postgres")]
            Self::Server(server) => server.port().map(Some),
            Self::File(_) => Ok(None),
        }
    }

    /// Opens the database for writing; makes it if there is none.
    pub(crate) fn writer(&self) -> Result<Box<dyn Tables>, Error> {
        match self {
            Self::File(path) => Ok(Box::new(Database::open(path)?)),
            #[cfg(feature = "postgres")]
            Self::Server(server) => Ok(Box::new(crate::postgres::Postgres::writer(server)?)),
        }
    }

    /// Opens a database that exists for reading.
    pub(crate) fn reader(&self) -> Result<Box<dyn Tables>, Error> {
        match self {
            Self::File(path) => Ok(Box::new(database::reader(path)?)),
            #[cfg(feature = "postgres")]
            Self::Server(server) => Ok(Box::new(crate::postgres::Postgres::reader(server)?)),
        }
    }

    /// The names of the days of a database that is to be made anew, which may be of an older
    /// schema; none if there is no database, or if they do not matter.
    pub(crate) fn held(&self, do_matter: bool) -> Result<Vec<String>, Error> {
        match self {
            Self::File(path) => database::held(path, do_matter),
            #[cfg(feature = "postgres")]
            Self::Server(server) => crate::postgres::held(server, do_matter),
        }
    }
}

impl fmt::Display for Location {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(path) => write!(f, "{}", path.display()),
            #[cfg(feature = "postgres")]
            Self::Server(server) => write!(f, "{server}"),
        }
    }
}
