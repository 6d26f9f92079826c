//! Files by their names: what streams and snapshots ask of a disk.
//!
//! Every call waits for the disk: none of them is for a thread that matches.

use std::fs::{self, File, OpenOptions};
use std::io;
use std::os::unix::fs::FileExt as _;
use std::path::{Path, PathBuf};

use crate::storage::{Act, StorageError};

/// A directory of files.
pub trait Files: Send {
    /// The names of all files, in no order.
    ///
    /// # Errors
    /// The disk cannot be read.
    fn names(&mut self) -> Result<Vec<String>, StorageError>;

    /// Bytes of a file, 0 of one that there is not.
    ///
    /// # Errors
    /// The disk cannot be read.
    fn length(&mut self, name: &str) -> Result<u64, StorageError>;

    /// Fills `into` from byte `offset` of a file.
    ///
    /// # Errors
    /// The file ends before that, or cannot be read.
    fn read(&mut self, name: &str, offset: u64, into: &mut [u8]) -> Result<(), StorageError>;

    /// Writes bytes at `offset` of a file, which is made if there is none. Nothing is flushed.
    ///
    /// # Errors
    /// The disk is full or failed; part of the bytes may be there.
    fn write(&mut self, name: &str, offset: u64, bytes: &[u8]) -> Result<(), StorageError>;

    /// Shortens a file to `bytes`; one that is shorter, or that there is not, stays as it is.
    ///
    /// # Errors
    /// The disk failed.
    fn cut(&mut self, name: &str, bytes: u64) -> Result<(), StorageError>;

    /// Sees to it that a file survives a power cut as it is now, its name included.
    ///
    /// # Errors
    /// The disk failed: nobody knows what it holds.
    fn flush(&mut self, name: &str) -> Result<(), StorageError>;

    /// Gives a flushed file another name, in place of any file of that name, and flushes the names.
    ///
    /// # Errors
    /// The disk failed: the file has the one name or the other.
    fn rename(&mut self, from: &str, to: &str) -> Result<(), StorageError>;

    /// Removes a file. That there is none is no error.
    ///
    /// # Errors
    /// The disk failed.
    fn remove(&mut self, name: &str) -> Result<(), StorageError>;

    /// The full name of a file, for messages.
    fn path(&self, name: &str) -> String;
}

/// A directory of the file system.
#[derive(Debug)]
pub struct DirectoryFiles {
    directory: PathBuf,
}

impl DirectoryFiles {
    /// The files of a directory that exists.
    #[must_use]
    pub fn new(directory: &Path) -> Self {
        Self {
            directory: directory.to_path_buf(),
        }
    }

    fn at(&self, name: &str) -> PathBuf {
        self.directory.join(name)
    }

    fn error(&self, act: Act, name: &str, offset: u64, error: &io::Error) -> StorageError {
        StorageError::new(act, self.path(name), offset, error)
    }

    fn flush_names(&self) -> io::Result<()> {
        File::open(&self.directory)?.sync_all()
    }
}

/// What a file that is not there is taken for.
fn or_nothing<T>(result: io::Result<T>, nothing: T) -> io::Result<T> {
    match result {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(nothing),
        other => other,
    }
}

impl Files for DirectoryFiles {
    fn names(&mut self) -> Result<Vec<String>, StorageError> {
        let listed = || -> io::Result<Vec<String>> {
            let entries = fs::read_dir(&self.directory)?;
            let names = entries.map(|entry| Ok(entry?.file_name().into_string().ok()));
            let names: io::Result<Vec<_>> = names.collect();
            Ok(names?.into_iter().flatten().collect())
        };
        listed().map_err(|error| self.error(Act::List, "", 0, &error))
    }

    fn length(&mut self, name: &str) -> Result<u64, StorageError> {
        let length = fs::metadata(self.at(name)).map(|metadata| metadata.len());
        or_nothing(length, 0).map_err(|error| self.error(Act::Read, name, 0, &error))
    }

    fn read(&mut self, name: &str, offset: u64, into: &mut [u8]) -> Result<(), StorageError> {
        let read = File::open(self.at(name)).and_then(|file| file.read_exact_at(into, offset));
        read.map_err(|error| self.error(Act::Read, name, offset, &error))
    }

    fn write(&mut self, name: &str, offset: u64, bytes: &[u8]) -> Result<(), StorageError> {
        let mut options = OpenOptions::new();
        options.write(true).create(true).truncate(false);
        let opened = options.open(self.at(name));
        let written = opened.and_then(|file| file.write_all_at(bytes, offset));
        written.map_err(|error| self.error(Act::Write, name, offset, &error))
    }

    fn cut(&mut self, name: &str, bytes: u64) -> Result<(), StorageError> {
        let cut = || -> io::Result<()> {
            let file = OpenOptions::new().write(true).open(self.at(name))?;
            if file.metadata()?.len() > bytes {
                file.set_len(bytes)?;
            }
            Ok(())
        };
        or_nothing(cut(), ()).map_err(|error| self.error(Act::Cut, name, bytes, &error))
    }

    fn flush(&mut self, name: &str) -> Result<(), StorageError> {
        let flushed = File::open(self.at(name)).and_then(|file| file.sync_all());
        let flushed = flushed.and_then(|()| self.flush_names());
        flushed.map_err(|error| self.error(Act::Flush, name, 0, &error))
    }

    fn rename(&mut self, from: &str, to: &str) -> Result<(), StorageError> {
        let renamed = fs::rename(self.at(from), self.at(to));
        let renamed = renamed.and_then(|()| self.flush_names());
        renamed.map_err(|error| self.error(Act::Rename, from, 0, &error))
    }

    fn remove(&mut self, name: &str) -> Result<(), StorageError> {
        let removed = or_nothing(fs::remove_file(self.at(name)), ());
        removed.map_err(|error| self.error(Act::Remove, name, 0, &error))
    }

    fn path(&self, name: &str) -> String {
        self.at(name).display().to_string()
    }
}
