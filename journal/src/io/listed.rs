//! Segment files that somebody named one by one, wherever they lie and whatever they are called.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt as _;
use std::path::{Path, PathBuf};

use crate::LINE_BYTES;
use crate::record::{Header, MAGIC};
use crate::storage::{Act, SegmentFile, Segments, StorageError, segment_number};

/// Named files, read only, in the order of their segments' numbers.
#[derive(Debug)]
pub struct FileList(Vec<(SegmentFile, PathBuf, File)>);

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
            let (file, bytes) = opened(path).map_err(|error| failed(&error))?;
            let number = named(path).unwrap_or_else(|| inscribed(&file).unwrap_or(1));
            files.push((SegmentFile { number, bytes }, path.clone(), file));
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

    fn of(&self, segment: u32) -> Option<&(SegmentFile, PathBuf, File)> {
        self.0.iter().find(|(at, ..)| at.number == segment)
    }
}

impl Segments for FileList {
    fn list(&mut self) -> Result<Vec<SegmentFile>, StorageError> {
        Ok(self.0.iter().map(|(at, ..)| *at).collect())
    }

    fn read(&mut self, segment: u32, offset: u64, into: &mut [u8]) -> Result<(), StorageError> {
        let missing = || io::Error::from_raw_os_error(libc::ENOENT);
        let read = self.of(segment).ok_or_else(missing);
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

fn opened(path: &Path) -> io::Result<(File, u64)> {
    let file = File::open(path)?;
    let meta = file.metadata()?;
    if meta.is_dir() {
        return Err(io::Error::from_raw_os_error(libc::EISDIR));
    }
    Ok((file, meta.len()))
}

fn named(path: &Path) -> Option<u32> {
    segment_number(path.file_name()?.to_str()?)
}

/// The number that the first record tells, if one begins there.
fn inscribed(file: &File) -> Option<u32> {
    let mut line = [0; LINE_BYTES];
    file.read_exact_at(&mut line, 0).ok()?;
    let header: Header = bytemuck::pod_read_unaligned(&line);
    (header.magic == MAGIC && header.segment > 0).then_some(header.segment)
}
