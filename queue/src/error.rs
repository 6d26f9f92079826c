//! What can go wrong when memory is made or attached, and when a ring is full.

use std::fmt;
use std::io;

/// Why shared memory could not be made or attached.
#[derive(Debug)]
pub enum Error {
    /// The system refused something.
    Os {
        /// The call that failed, and on what.
        what: String,
        /// What the system answered.
        source: io::Error,
    },
    /// Shared memory holds a value that cannot be right: another program, another build, or damage.
    Bad {
        /// The name of the field.
        field: &'static str,
        /// What it holds.
        found: u64,
        /// What it should hold, in words.
        expected: String,
    },
    /// The caller asked for something that cannot be made.
    Request {
        /// Which argument is wrong and what it may be.
        what: String,
    },
}

impl Error {
    pub(crate) fn os(what: impl Into<String>, source: io::Error) -> Self {
        Self::Os {
            what: what.into(),
            source,
        }
    }

    /// The error of the system call that just failed.
    pub(crate) fn last_os(what: impl Into<String>) -> Self {
        Self::os(what, io::Error::last_os_error())
    }

    pub(crate) fn bad(field: &'static str, found: u64, expected: impl Into<String>) -> Self {
        Self::Bad {
            field,
            found,
            expected: expected.into(),
        }
    }

    pub(crate) fn request(what: impl Into<String>) -> Self {
        Self::Request { what: what.into() }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Os { what, source } => write!(f, "{what}: {source}"),
            Self::Bad {
                field,
                found,
                expected,
            } => write!(
                f,
                "shared memory: {field} is {found:#x}, expected {expected}; \
                 was it written by this build, and is its owner alive?"
            ),
            Self::Request { what } => f.write_str(what),
        }
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Os { source, .. } => Some(source),
            Self::Bad { .. } | Self::Request { .. } => None,
        }
    }
}

impl From<Error> for io::Error {
    fn from(error: Error) -> Self {
        Self::other(error)
    }
}

/// The ring has no room: nothing was written, the caller still has its message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Full;

impl fmt::Display for Full {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the ring is full")
    }
}

impl std::error::Error for Full {}

/// Another handle took over this side of the ring: this one must stop using it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Replaced;

impl fmt::Display for Replaced {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("another handle took over this side of the ring")
    }
}

impl std::error::Error for Replaced {}
