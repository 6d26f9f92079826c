//! What a data directory allows, and why one cannot be used.

use std::fmt;
use std::path::PathBuf;

use crate::storage::StorageError;

/// What to use where the machine has it. The default wants everything.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Wanted {
    /// Write around the page cache.
    pub direct: bool,
    /// Write through io_uring.
    pub uring: bool,
}

impl Default for Wanted {
    fn default() -> Self {
        Self {
            direct: true,
            uring: true,
        }
    }
}

/// How files are written on this machine: to be printed at start, so that nothing falls back
/// silently.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mode {
    /// Writes go around the page cache (O_DIRECT).
    pub direct: bool,
    /// Write and flush are begun through io_uring; without it the writing thread waits for them.
    pub uring: bool,
    /// Why something of it is missing; empty when nothing is.
    pub reason: String,
}

impl fmt::Display for Mode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let path = if self.direct {
            "O_DIRECT"
        } else {
            "through the page cache"
        };
        let calls = if self.uring { "io_uring" } else { "pwrite" };
        write!(f, "{calls} + fdatasync, {path}")?;
        if self.reason.is_empty() {
            Ok(())
        } else {
            write!(f, " ({})", self.reason)
        }
    }
}

/// Why a data directory cannot be used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum OpenError {
    /// Another process, or another part of this one, holds it.
    Locked {
        /// The directory.
        directory: PathBuf,
        /// The holder's process id, as it wrote it.
        holder: Option<u32>,
    },
    /// The directory cannot be made, read or locked.
    Storage(StorageError),
}

impl fmt::Display for OpenError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Locked { directory, holder } => {
                write!(f, "the data directory {} is in use", directory.display())?;
                if let Some(pid) = holder {
                    write!(f, " by process {pid}")?;
                }
                write!(f, ": stop that one, or name another directory")
            }
            Self::Storage(error) => write!(f, "the data directory cannot be used: {error}"),
        }
    }
}

impl std::error::Error for OpenError {}
