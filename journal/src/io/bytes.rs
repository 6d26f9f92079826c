//! The bytes of one segment's file, as it was written or compressed.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt as _;
use std::path::Path;

use super::archive::Archive;

/// A segment's file, open for reading.
#[derive(Debug)]
pub(crate) enum SegmentBytes {
    Raw(File),
    Archived(Box<Archive>),
}

impl SegmentBytes {
    /// Opens a file; its name says which of the two it is.
    pub fn open(path: &Path) -> io::Result<Self> {
        let file = File::open(path)?;
        if path.extension().is_some_and(|suffix| suffix == "zst") {
            return Ok(Self::Archived(Box::new(Archive::open(file)?)));
        }
        Ok(Self::Raw(file))
    }

    /// Length of the segment.
    pub fn length(&self) -> io::Result<u64> {
        match self {
            Self::Raw(file) => Ok(file.metadata()?.len()),
            Self::Archived(archive) => Ok(archive.bytes()),
        }
    }

    /// Fills `into` from byte `offset` of the segment.
    pub fn read_exact_at(&mut self, into: &mut [u8], offset: u64) -> io::Result<()> {
        match self {
            Self::Raw(file) => file.read_exact_at(into, offset),
            Self::Archived(archive) => archive.read_exact_at(into, offset),
        }
    }

    /// Whether it is compressed.
    pub fn is_archived(&self) -> bool {
        matches!(self, Self::Archived(_))
    }
}
