//! Segments of a directory for one who only reads them, beside the process that writes.

use std::fs::File;
use std::os::unix::fs::FileExt as _;
use std::path::{Path, PathBuf};

use super::list;
use crate::storage::{Act, SegmentFile, Segments, StorageError, segment_name};

/// A directory of segment files, not locked: nothing is ever written.
#[derive(Debug)]
pub struct FileSegments {
    directory: PathBuf,
    /// The segment that was read last.
    open: Option<(u32, File)>,
}

impl FileSegments {
    /// Looks into a directory.
    #[must_use]
    pub fn new(directory: &Path) -> Self {
        Self {
            directory: directory.to_path_buf(),
            open: None,
        }
    }

    fn open(&mut self, segment: u32) -> std::io::Result<&File> {
        let file = match self.open.take() {
            Some((number, file)) if number == segment => file,
            _ => File::open(self.directory.join(segment_name(segment)))?,
        };
        Ok(&self.open.insert((segment, file)).1)
    }
}

impl Segments for FileSegments {
    fn list(&mut self) -> Result<Vec<SegmentFile>, StorageError> {
        let file = self.directory.display().to_string();
        list(&self.directory).map_err(|error| StorageError::new(Act::List, file, 0, &error))
    }

    fn read(&mut self, segment: u32, offset: u64, into: &mut [u8]) -> Result<(), StorageError> {
        let name = self.file(segment);
        let read = self.open(segment);
        let read = read.and_then(|file| file.read_exact_at(into, offset));
        read.map_err(|error| StorageError::new(Act::Read, name, offset, &error))
    }

    fn file(&self, segment: u32) -> String {
        let path = self.directory.join(segment_name(segment));
        path.display().to_string()
    }
}
