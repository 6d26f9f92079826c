//! Segments of a directory for one who only reads them, beside the process that writes.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use super::bytes::SegmentBytes;
use crate::storage::{
    Act, SegmentFile, Segments, StorageError, archive_name, archive_number, segment_name,
    segment_number,
};

/// How often a row with a gap is looked at: a segment's compressed form may take its place while
/// the directory is read, and be missed then.
const LOOKS_MAX: usize = 3;

/// A directory of segment files, as they were written or compressed; not locked: nothing is ever
/// written.
#[derive(Debug)]
pub struct FileSegments {
    directory: PathBuf,
    /// The segment that was read last.
    open: Option<(u32, SegmentBytes)>,
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

    /// The directory.
    pub(super) fn directory(&self) -> &Path {
        &self.directory
    }

    /// Where a segment is written.
    pub(super) fn path(&self, segment: u32) -> PathBuf {
        self.directory.join(segment_name(segment))
    }

    /// Where it is when it is compressed.
    pub(super) fn archive_path(&self, segment: u32) -> PathBuf {
        self.directory.join(archive_name(segment))
    }

    /// Where it is: as it was written if it is there in both forms.
    pub(super) fn existing(&self, segment: u32) -> PathBuf {
        let (raw, archive) = (self.path(segment), self.archive_path(segment));
        let is_archived = !raw.exists() && archive.exists();
        if is_archived { archive } else { raw }
    }

    fn open(&mut self, segment: u32) -> io::Result<&mut SegmentBytes> {
        let bytes = match self.open.take() {
            Some((number, bytes)) if number == segment => bytes,
            _ => match SegmentBytes::open(&self.path(segment)) {
                Err(error) if error.kind() == io::ErrorKind::NotFound => {
                    SegmentBytes::open(&self.archive_path(segment))?
                }
                opened => opened?,
            },
        };
        Ok(&mut self.open.insert((segment, bytes)).1)
    }
}

impl Segments for FileSegments {
    fn list(&mut self) -> Result<Vec<SegmentFile>, StorageError> {
        list(&self.directory)
    }

    fn read(&mut self, segment: u32, offset: u64, into: &mut [u8]) -> Result<(), StorageError> {
        let read = self
            .open(segment)
            .and_then(|bytes| bytes.read_exact_at(into, offset));
        read.map_err(|error| StorageError::new(Act::Read, self.file(segment), offset, &error))
    }

    fn file(&self, segment: u32) -> String {
        self.existing(segment).display().to_string()
    }
}

/// The segments of a directory. One that is there in both forms counts as it was written.
fn list(directory: &Path) -> Result<Vec<SegmentFile>, StorageError> {
    let mut segments = Vec::new();
    for _ in 0..LOOKS_MAX {
        segments = look(directory)?;
        let has_gap = segments
            .windows(2)
            .any(|two| two[1].number != two[0].number + 1);
        if !has_gap {
            break;
        }
    }
    Ok(segments)
}

fn look(directory: &Path) -> Result<Vec<SegmentFile>, StorageError> {
    let unlisted =
        |error: &io::Error| StorageError::new(Act::List, directory.display().to_string(), 0, error);
    let mut segments = BTreeMap::new();
    for entry in fs::read_dir(directory).map_err(|error| unlisted(&error))? {
        let path = entry.map_err(|error| unlisted(&error))?.path();
        let name = path.file_name().and_then(|name| name.to_str());
        let name = name.unwrap_or_default();
        let (number, is_archived) = match (segment_number(name), archive_number(name)) {
            (Some(number), _) => (number, false),
            (None, Some(number)) if !segments.contains_key(&number) => (number, true),
            _ => continue,
        };
        let bytes = match SegmentBytes::open(&path).and_then(|bytes| bytes.length()) {
            Ok(bytes) => bytes,
            // It was removed meanwhile: its other form is there.
            Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
            Err(error) => {
                let file = path.display().to_string();
                return Err(StorageError::new(Act::Read, file, 0, &error));
            }
        };
        let file = SegmentFile {
            number,
            bytes,
            is_archived,
        };
        segments.insert(number, file);
    }
    Ok(segments.into_values().collect())
}
