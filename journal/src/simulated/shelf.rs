//! Closed segments of a simulated disk that are kept. How they are compressed is not simulated:
//! their bytes stay, and nothing can be written to them any more.

use std::io;

use super::{Disk, DiskFiles, DiskStorage};
use crate::files::Files;
use crate::keeper::Shelf;
use crate::storage::{Act, SegmentFile, Segments, StorageError};

/// The shelf of a [`Disk`].
#[derive(Debug)]
pub struct DiskShelf {
    disk: Disk,
    storage: DiskStorage,
    files: DiskFiles,
}

impl DiskShelf {
    pub(super) fn of(disk: &Disk) -> Self {
        Self {
            disk: disk.clone(),
            storage: disk.storage(),
            files: disk.files(),
        }
    }

    fn missing(&self, act: Act, segment: u32) -> StorageError {
        let error = io::Error::from_raw_os_error(libc::ENOENT);
        StorageError::new(act, self.file(segment), 0, &error)
    }
}

impl Segments for DiskShelf {
    fn list(&mut self) -> Result<Vec<SegmentFile>, StorageError> {
        self.storage.list()
    }

    fn read(&mut self, segment: u32, offset: u64, into: &mut [u8]) -> Result<(), StorageError> {
        self.storage.read(segment, offset, into)
    }

    fn file(&self, segment: u32) -> String {
        self.storage.file(segment)
    }
}

impl Shelf for DiskShelf {
    fn files(&mut self) -> &mut dyn Files {
        &mut self.files
    }

    fn flush(&mut self, segment: u32) -> Result<(), StorageError> {
        let begun = self.files.segment_call(Act::Flush, &self.file(segment));
        let mut state = self.disk.state();
        let found = state.segments.get_mut(&segment);
        let found = found.ok_or_else(|| self.missing(Act::Flush, segment))?;
        begun.map(|()| found.flush())
    }

    /// Whole or not at all: that it is there in both forms cannot be told by reading it.
    fn archive(&mut self, at: SegmentFile) -> Result<u64, StorageError> {
        self.files
            .segment_call(Act::Rename, &self.file(at.number))?;
        let mut state = self.disk.state();
        let found = state.segments.get_mut(&at.number);
        let found = found.ok_or_else(|| self.missing(Act::Rename, at.number))?;
        found.flush();
        found.is_archived = true;
        state.counts.archived += 1;
        Ok(at.bytes)
    }

    fn remove(&mut self, segment: u32) -> Result<(), StorageError> {
        self.files.segment_call(Act::Remove, &self.file(segment))?;
        let mut state = self.disk.state();
        if let Some(gone) = state.segments.remove(&segment) {
            state.retired.insert(segment, gone);
            state.counts.retired += 1;
        }
        Ok(())
    }

    fn bytes(&mut self, segment: u32) -> Result<u64, StorageError> {
        let state = self.disk.state();
        let found = state.segments.get(&segment);
        Ok(found.map_or(0, |found| found.platter.len() as u64))
    }
}
