//! Segment files that somebody named one by one, wherever they lie and whatever they are called.

use std::io;
use std::path::{Path, PathBuf};

use super::bytes::SegmentBytes;
use crate::LINE_BYTES;
use crate::record::{Header, MAGIC};
use crate::storage::{Act, SegmentFile, Segments, StorageError, archive_number, segment_number};

/// Named files, read only, in the order of their segments' numbers.
#[derive(Debug)]
pub struct FileList(Vec<(SegmentFile, PathBuf, SegmentBytes)>);

impl FileList {
    /// Opens the files. The number of a segment is that of its name, or that of its first record
    /// where the name tells none, or 1.
    ///
    /// # Errors
    /// A file cannot be read, or two are the same segment.
    pub fn open(paths: &[PathBuf]) -> Result<Self, StorageError> {
        let mut files = Vec::new();
        for path in paths {
            let failed = |error: &io::Error| {
                StorageError::new(Act::Read, path.display().to_string(), 0, error)
            };
            let (mut file, bytes) = opened(path).map_err(|error| failed(&error))?;
            let number = named(path).unwrap_or_else(|| inscribed(&mut file).unwrap_or(1));
            let is_archived = file.is_archived();
            let at = SegmentFile {
                number,
                bytes,
                is_archived,
            };
            files.push((at, path.clone(), file));
        }
        files.sort_by_key(|(at, ..)| at.number);
        let twice = files
            .windows(2)
            .find(|two| two[0].0.number == two[1].0.number);
        if let Some([_, (_, path, _)]) = twice {
            let exists = io::Error::from_raw_os_error(libc::EEXIST);
            let file = path.display().to_string();
            return Err(StorageError::new(Act::List, file, 0, &exists));
        }
        Ok(Self(files))
    }

    fn of(&self, segment: u32) -> Option<&(SegmentFile, PathBuf, SegmentBytes)> {
        self.0.iter().find(|(at, ..)| at.number == segment)
    }
}

impl Segments for FileList {
    fn list(&mut self) -> Result<Vec<SegmentFile>, StorageError> {
        Ok(self.0.iter().map(|(at, ..)| *at).collect())
    }

    fn read(&mut self, segment: u32, offset: u64, into: &mut [u8]) -> Result<(), StorageError> {
        let missing = || io::Error::from_raw_os_error(libc::ENOENT);
        let file = self.0.iter_mut().find(|(at, ..)| at.number == segment);
        let read = file.ok_or_else(missing);
        let read = read.and_then(|(_, _, file)| file.read_exact_at(into, offset));
        read.map_err(|error| StorageError::new(Act::Read, self.file(segment), offset, &error))
    }

    fn file(&self, segment: u32) -> String {
        match self.of(segment) {
            Some((_, path, _)) => path.display().to_string(),
            None => crate::storage::segment_name(segment),
        }
    }
}

fn opened(path: &Path) -> io::Result<(SegmentBytes, u64)> {
    if path.is_dir() {
        return Err(io::Error::from_raw_os_error(libc::EISDIR));
    }
    let file = SegmentBytes::open(path)?;
    let bytes = file.length()?;
    Ok((file, bytes))
}

fn named(path: &Path) -> Option<u32> {
    let name = path.file_name()?.to_str()?;
    segment_number(name).or_else(|| archive_number(name))
}

/// The number that the first record tells, if one begins there.
fn inscribed(file: &mut SegmentBytes) -> Option<u32> {
    let mut line = [0; LINE_BYTES];
    file.read_exact_at(&mut line, 0).ok()?;
    let header: Header = bytemuck::pod_read_unaligned(&line);
    (header.magic == MAGIC && header.segment > 0).then_some(header.segment)
}
