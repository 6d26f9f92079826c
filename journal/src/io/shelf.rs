//! A directory whose closed segments are kept: compressed beside what is still written.

use std::fs::{self, File, OpenOptions};
use std::os::fd::AsRawFd as _;
use std::os::unix::fs::FileExt as _;
use std::path::Path;

use super::archive::{self, Archive, FRAME_BYTES};
use super::look::FileSegments;
use crate::files::{DirectoryFiles, Files};
use crate::keeper::{Keep, Keeper, Shelf};
use crate::storage::{Act, SegmentFile, Segments, StorageError, archive_name, segment_name};

/// A journal's directory.
#[derive(Debug)]
pub struct DirectoryShelf {
    segments: FileSegments,
    files: DirectoryFiles,
}

impl DirectoryShelf {
    /// Looks into a directory.
    #[must_use]
    pub fn new(directory: &Path) -> Self {
        Self {
            segments: FileSegments::new(directory),
            files: DirectoryFiles::new(directory),
        }
    }
}

impl Keeper {
    /// Looks into the directory of a journal.
    ///
    /// # Errors
    /// As [`Self::of`].
    pub fn open(directory: &Path, keep: Keep) -> Result<Self, StorageError> {
        Self::of(DirectoryShelf::new(directory), keep)
    }
}

impl Segments for DirectoryShelf {
    fn list(&mut self) -> Result<Vec<SegmentFile>, StorageError> {
        self.segments.list()
    }

    fn read(&mut self, segment: u32, offset: u64, into: &mut [u8]) -> Result<(), StorageError> {
        self.segments.read(segment, offset, into)
    }

    fn file(&self, segment: u32) -> String {
        self.segments.file(segment)
    }
}

impl Shelf for DirectoryShelf {
    fn files(&mut self) -> &mut dyn Files {
        &mut self.files
    }

    fn flush(&mut self, segment: u32) -> Result<(), StorageError> {
        let path = self.segments.existing(segment);
        let flushed = File::open(&path).and_then(|file| file.sync_data());
        flushed
            .map_err(|error| StorageError::new(Act::Flush, path.display().to_string(), 0, &error))
    }

    fn archive(&mut self, at: SegmentFile) -> Result<u64, StorageError> {
        let name = archive_name(at.number);
        let draft = format!("{name}.new");
        let path = self.segments.directory().join(&draft);
        let failed = |act| {
            let file = path.display().to_string();
            move |error: std::io::Error| StorageError::new(act, file, 0, &error)
        };
        let raw = File::open(self.segments.path(at.number)).map_err(failed(Act::Read))?;
        let packed = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(true)
            .open(&path)
            .map_err(failed(Act::Write))?;
        let written = archive::compress(&raw, at.bytes, &packed);
        let to = written.map_err(|error| {
            // What is half written must not keep the room that is missing.
            let _ = fs::remove_file(&path);
            failed(Act::Write)(error)
        })?;
        self.files.flush(&draft)?;
        self.files.rename(&draft, &name)?;
        // Read back from the disk and not from memory, by the name that will be looked for.
        forget_cached(&packed);
        let compared = File::open(self.segments.archive_path(at.number))
            .and_then(Archive::open)
            .and_then(|mut archive| compare(&raw, at.bytes, &mut archive));
        compared.map_err(|error| {
            let file = self.segments.archive_path(at.number).display().to_string();
            let _ = fs::remove_file(&file);
            StorageError::new(Act::Read, file, 0, &error)
        })?;
        forget_cached(&raw);
        self.files.remove(&segment_name(at.number))?;
        sync(self.segments.directory())?;
        Ok(to)
    }

    fn remove(&mut self, segment: u32) -> Result<(), StorageError> {
        self.files.remove(&segment_name(segment))?;
        self.files.remove(&archive_name(segment))?;
        sync(self.segments.directory())
    }

    fn bytes(&mut self, segment: u32) -> Result<u64, StorageError> {
        let raw = self.files.length(&segment_name(segment))?;
        Ok(raw + self.files.length(&archive_name(segment))?)
    }
}

/// Flushes a directory's names.
fn sync(directory: &Path) -> Result<(), StorageError> {
    let synced = File::open(directory).and_then(|directory| directory.sync_all());
    synced
        .map_err(|error| StorageError::new(Act::Flush, directory.display().to_string(), 0, &error))
}

/// Compares an archive with the segment that it is to replace.
fn compare(segment: &File, bytes: u64, archive: &mut Archive) -> std::io::Result<()> {
    let differs = || std::io::Error::from_raw_os_error(libc::EBADMSG);
    if archive.bytes() != bytes {
        return Err(differs());
    }
    let (mut due, mut found) = (vec![0; FRAME_BYTES], vec![0; FRAME_BYTES]);
    let mut offset = 0;
    while offset < bytes {
        let length = (bytes - offset).min(FRAME_BYTES as u64) as usize;
        segment.read_exact_at(&mut due[..length], offset)?;
        archive.read_exact_at(&mut found[..length], offset)?;
        if due[..length] != found[..length] {
            return Err(differs());
        }
        offset += length as u64;
    }
    Ok(())
}

/// Asks the system to forget what it holds of a file in memory.
#[allow(unsafe_code)]
fn forget_cached(file: &File) {
    // SAFETY: the descriptor is open for the duration of the call, which touches no memory of ours.
    // It is advice: that it was not followed changes nothing but what a later read proves.
    let _ = unsafe { libc::posix_fadvise(file.as_raw_fd(), 0, 0, libc::POSIX_FADV_DONTNEED) };
}
