//! Segments as files of one directory.
//!
//! The directory is locked for one process. Writing goes through io_uring and around the page cache
//! where the machine and the file system allow it; [`Mode`] says what was found. New segments are
//! made by a thread of their own, because zero-filling one takes far longer than a write.

mod archive;
mod bytes;
mod listed;
mod look;
mod mode;
mod plain;
mod prepare;
mod shelf;
mod transfer;
mod uring;

use std::collections::BTreeMap;
use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, Read as _, Seek as _, Write as _};
use std::os::unix::fs::{FileExt as _, OpenOptionsExt as _};
use std::path::Path;
use std::sync::Arc;

pub use listed::FileList;
pub use look::FileSegments;
pub use mode::{Mode, OpenError, Wanted};
pub use shelf::DirectoryShelf;

use crate::BLOCK_BYTES;
use crate::storage::{Act, Buffer, Completion, SegmentFile, Segments, Storage, StorageError};
use plain::Plain;
use prepare::Preparer;
use transfer::Transfer;
use uring::Uring;

/// Files kept open for writing: the one that is written and the one before.
const FILES_OPEN_MAX: usize = 2;

/// Who carries the writes out.
#[derive(Debug)]
enum Engine {
    Uring(Box<Uring>),
    Plain(Plain),
}

/// A directory of segment files, locked for this process.
#[derive(Debug)]
pub struct FileStorage {
    // Fields drop in this order: what is in flight ends before the lock is given up.
    engine: Engine,
    preparer: Preparer,
    files: BTreeMap<u32, Arc<File>>,
    /// The end of a write that could not even begin.
    refused: Option<Completion>,
    segments: FileSegments,
    mode: Mode,
    _lock: File,
}

impl FileStorage {
    /// Makes the directory where it is missing, locks it, and finds out how to write there.
    ///
    /// # Errors
    /// When another process holds the directory, or it cannot be made or written.
    pub fn open(directory: &Path) -> Result<Self, OpenError> {
        Self::open_as(directory, Wanted::default())
    }

    /// As [`Self::open`], without what is not wanted.
    ///
    /// # Errors
    /// As [`Self::open`].
    pub fn open_as(directory: &Path, wanted: Wanted) -> Result<Self, OpenError> {
        let failed = |error: &io::Error| {
            let file = directory.display().to_string();
            OpenError::Storage(StorageError::new(Act::List, file, 0, error))
        };
        make_directory(directory).map_err(|error| failed(&error))?;
        let lock = lock(directory)?;
        let (direct, direct_reason) = match wanted.direct {
            true => probe_direct(directory).map_err(|error| failed(&error))?,
            false => (false, "O_DIRECT is not wanted".to_owned()),
        };
        let (engine, uring_reason) = match wanted.uring.then(Uring::new) {
            Some(Ok(uring)) => (Engine::Uring(Box::new(uring)), String::new()),
            Some(Err(error)) => (
                Engine::Plain(Plain::default()),
                format!("io_uring: {error}"),
            ),
            None => (
                Engine::Plain(Plain::default()),
                "io_uring is not wanted".to_owned(),
            ),
        };
        let uring = matches!(engine, Engine::Uring(_));
        let reasons = [direct_reason, uring_reason];
        let told: Vec<&str> = reasons
            .iter()
            .map(String::as_str)
            .filter(|r| !r.is_empty())
            .collect();
        let mode = Mode {
            direct,
            uring,
            reason: told.join("; "),
        };
        let preparer = Preparer::start(directory.to_path_buf(), mode.direct);
        let preparer = preparer.map_err(|error| failed(&error))?;
        let segments = FileSegments::new(directory);
        let files = BTreeMap::new();
        Ok(Self {
            engine,
            preparer,
            files,
            refused: None,
            segments,
            mode,
            _lock: lock,
        })
    }

    /// How files are written here.
    #[must_use]
    pub fn mode(&self) -> &Mode {
        &self.mode
    }

    /// The file of a segment, opened for writing.
    fn target(&mut self, segment: u32) -> io::Result<Arc<File>> {
        if !self.files.contains_key(&segment) {
            let flags = if self.mode.direct { libc::O_DIRECT } else { 0 };
            let file = OpenOptions::new()
                .write(true)
                .custom_flags(flags)
                .open(self.segments.path(segment))?;
            while self.files.len() >= FILES_OPEN_MAX {
                self.files.pop_first();
            }
            self.files.insert(segment, Arc::new(file));
        }
        self.files
            .get(&segment)
            .cloned()
            .ok_or_else(|| io::Error::from_raw_os_error(libc::EBADF))
    }
}

impl Segments for FileStorage {
    /// Flushes the directory's entries first: a process killed between renaming and flushing must
    /// not leave a name that a power cut takes back.
    fn list(&mut self) -> Result<Vec<SegmentFile>, StorageError> {
        let directory = self.segments.directory();
        let flushed = File::open(directory).and_then(|directory| directory.sync_all());
        let file = directory.display().to_string();
        flushed.map_err(|error| StorageError::new(Act::List, file, 0, &error))?;
        self.segments.list()
    }

    fn read(&mut self, segment: u32, offset: u64, into: &mut [u8]) -> Result<(), StorageError> {
        self.segments.read(segment, offset, into)
    }

    fn file(&self, segment: u32) -> String {
        self.segments.file(segment)
    }
}

impl Storage for FileStorage {
    fn prepare(&mut self, segment: u32, bytes: u64) {
        self.preparer.begin(segment, bytes);
    }

    fn write(&mut self, segment: u32, offset: u64, buffer: Buffer) {
        let name = self.segments.path(segment).display().to_string();
        let opened = self.target(segment);
        match (opened, &mut self.engine) {
            (Ok(file), Engine::Uring(uring)) => {
                uring.begin(Transfer::new(name, offset, buffer), file)
            }
            (Ok(file), Engine::Plain(plain)) => {
                plain.carry_out(Transfer::new(name, offset, buffer), &file);
            }
            (Err(error), _) => {
                let result = Err(StorageError::new(Act::Write, name, offset, &error));
                self.refused = Some(Completion::Written { buffer, result });
            }
        }
    }

    fn poll(&mut self) -> Option<Completion> {
        let written = match &mut self.engine {
            Engine::Uring(uring) => uring.poll(),
            Engine::Plain(plain) => plain.poll(),
        };
        self.refused
            .take()
            .or(written)
            .or_else(|| self.preparer.poll())
    }
}

/// Makes the directory and sees to it that its name survives a power cut.
fn make_directory(directory: &Path) -> io::Result<()> {
    fs::create_dir_all(directory)?;
    File::open(directory.join(".."))?.sync_all()
}

/// Takes the directory's lock, which the kernel gives up when the process dies.
fn lock(directory: &Path) -> Result<File, OpenError> {
    let path = directory.join("lock");
    let failed = |error: &io::Error| {
        let file = path.display().to_string();
        OpenError::Storage(StorageError::new(Act::Lock, file, 0, error))
    };
    let opened = OpenOptions::new()
        .read(true)
        .write(true)
        .create(true)
        .truncate(false)
        .open(&path);
    let mut file = opened.map_err(|error| failed(&error))?;
    match file.try_lock() {
        Ok(()) => {}
        Err(TryLockError::WouldBlock) => {
            let mut text = String::new();
            let holder = file
                .read_to_string(&mut text)
                .ok()
                .and_then(|_| text.trim().parse().ok());
            return Err(OpenError::Locked {
                directory: directory.to_path_buf(),
                holder,
            });
        }
        Err(TryLockError::Error(error)) => return Err(failed(&error)),
    }
    let told = file.set_len(0).and_then(|()| file.rewind());
    let told = told.and_then(|()| writeln!(file, "{}", std::process::id()));
    told.map_err(|error| failed(&error))?;
    Ok(file)
}

/// Whether the file system takes O_DIRECT writes of one block; the reason where it does not.
///
/// A disk without room for one block gives no answer: then the page cache is the safe choice.
fn probe_direct(directory: &Path) -> io::Result<(bool, String)> {
    let path = directory.join("probe");
    let mut buffer = Buffer::new(BLOCK_BYTES);
    buffer.set_used(BLOCK_BYTES);
    let mut options = OpenOptions::new();
    options
        .write(true)
        .create(true)
        .truncate(true)
        .custom_flags(libc::O_DIRECT);
    let written = options
        .open(&path)
        .and_then(|file| file.write_all_at(buffer.bytes(), 0));
    match fs::remove_file(&path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    Ok(match written {
        Ok(()) => (true, String::new()),
        Err(error) => (false, format!("O_DIRECT: {error}")),
    })
}
