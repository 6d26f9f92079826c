//! What happens to segments that are full: they are indexed, compressed, and let go of in the end.
//!
//! None of it is for the thread that writes the journal, nor does that one hear of it. The keeper
//! looks at the directory and does one thing at a time; killed at any point, it goes on from what
//! it finds.

use std::fs::{self, File, OpenOptions};
use std::os::fd::AsRawFd as _;
use std::os::unix::fs::FileExt as _;
use std::path::Path;

use super::archive::{self, Archive, FRAME_BYTES};
use super::listed::FileList;
use super::look::FileSegments;
use crate::LINE_BYTES;
use crate::error::RecoveryError;
use crate::files::{DirectoryFiles, Files as _};
use crate::index::{Index, marks_of};
use crate::record::{Header, KIND_SEGMENT, MAGIC};
use crate::storage::{Act, SegmentFile, Segments, StorageError, archive_name, segment_name};
use crate::walk::Walker;

/// What an operator may choose. The default keeps everything as it was written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Keep {
    /// Closed segments are compressed.
    pub archives: bool,
    /// The oldest closed segments go when all of them take more than this on the disk.
    pub bytes_max: Option<u64>,
    /// A closed segment goes when all its inputs are older than this.
    pub age_ns_max: Option<u64>,
}

/// What one turn did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kept {
    /// There is nothing to do.
    Nothing,
    /// A segment's marks were added to the index.
    Indexed {
        /// Its number.
        segment: u32,
    },
    /// A segment was compressed, read back and compared; its first form is gone.
    Archived {
        /// Its number.
        segment: u32,
        /// Bytes it took.
        from: u64,
        /// Bytes it takes.
        to: u64,
    },
    /// A segment is gone.
    Removed {
        /// Its number.
        segment: u32,
    },
}

/// A segment behind which another one goes on.
#[derive(Clone, Copy, Debug)]
struct Closed {
    at: SegmentFile,
    /// Number of the first input behind it.
    next_sequence: u64,
    /// Time of the last input in it, or before it.
    time_ns: u64,
}

/// The one who keeps a day's closed segments, of which there is one at a time.
#[derive(Debug)]
pub struct Keeper {
    pub(super) segments: FileSegments,
    pub(super) files: DirectoryFiles,
    index: Index,
    pub(super) keep: Keep,
}

impl Keeper {
    /// Looks into the directory of a journal that a [`Writer`](crate::Writer) of this process has
    /// opened: what a torn tail left was wiped by then.
    ///
    /// # Errors
    /// The index cannot be read.
    pub fn open(directory: &Path, keep: Keep) -> Result<Self, StorageError> {
        let mut files = DirectoryFiles::new(directory);
        Ok(Self {
            segments: FileSegments::new(directory),
            index: Index::load(&mut files)?,
            files,
            keep,
        })
    }

    /// Does the next thing that is due. `needed_from` is the oldest sequence number that recovery
    /// needs: 1 unless there are snapshots, else the number behind the oldest snapshot that is to
    /// be usable. Nothing from there on is ever removed.
    ///
    /// # Errors
    /// The disk fails or is full, or a closed segment is damaged. It may be tried again.
    pub fn turn(&mut self, now_ns: u64, needed_from: u64) -> Result<Kept, RecoveryError> {
        let closed = self.closed()?;
        let unindexed = closed.iter().find(|one| !self.index.has(one.at.number));
        if let Some(one) = unindexed {
            return self.add_to_index(one.at);
        }
        let unpacked = closed.iter().find(|one| !one.at.is_archived);
        if let (true, Some(one)) = (self.keep.archives, unpacked) {
            return Ok(self.archive(one.at)?);
        }
        Ok(self.retire(&closed, now_ns, needed_from)?)
    }

    /// The closed segments, from the oldest on.
    fn closed(&mut self) -> Result<Vec<Closed>, StorageError> {
        let mut closed = Vec::new();
        for two in self.segments.list()?.windows(2) {
            let Some((next_sequence, time_ns)) = self.opening(two[1].number)? else {
                break;
            };
            closed.push(Closed {
                at: two[0],
                next_sequence,
                time_ns,
            });
        }
        Ok(closed)
    }

    /// What the record that opens a segment says of what came before; `None` while there is none.
    pub(super) fn opening(&mut self, segment: u32) -> Result<Option<(u64, u64)>, StorageError> {
        if let Some(mark) = self.index.marks(segment).first() {
            return Ok(Some((mark.next_sequence, mark.time_ns)));
        }
        let mut line = [0; LINE_BYTES];
        self.segments.read(segment, 0, &mut line)?;
        let header: Header = bytemuck::pod_read_unaligned(&line);
        let is_whole = header.magic == MAGIC && header.checksum == header.sum(&[]);
        let opens = is_whole && header.kind == KIND_SEGMENT;
        Ok(opens.then_some((header.first_sequence, header.time_ns)))
    }

    /// Reads a segment through and adds its marks. So whatever is compressed or removed later has
    /// been found to be in order, and to go on in the next one, which is flushed.
    fn add_to_index(&mut self, at: SegmentFile) -> Result<Kept, RecoveryError> {
        let two = [at.number, at.number + 1].map(|number| self.segments.existing(number));
        let mut walker = Walker::new(FileList::open(&two)?)?;
        let Some(marks) = marks_of(&mut walker)? else {
            return Ok(Kept::Nothing);
        };
        // What opens the next segment may not be on the disk yet, and then a power cut opens this
        // one again.
        let [_, next] = two;
        File::open(&next)
            .and_then(|file| file.sync_data())
            .map_err(|error| {
                StorageError::new(Act::Flush, next.display().to_string(), 0, &error)
            })?;
        self.index.insert(at.number, marks);
        self.index.store(&mut self.files)?;
        Ok(Kept::Indexed { segment: at.number })
    }

    /// Puts a compressed file in the place of a segment's.
    pub(super) fn archive(&mut self, at: SegmentFile) -> Result<Kept, StorageError> {
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
        Ok(Kept::Archived {
            segment: at.number,
            from: at.bytes,
            to,
        })
    }

    /// Removes the oldest segment if it may go and has to.
    fn retire(
        &mut self,
        closed: &[Closed],
        now_ns: u64,
        needed_from: u64,
    ) -> Result<Kept, StorageError> {
        let Some(oldest) = closed.first().filter(|one| one.is_free(needed_from)) else {
            return Ok(Kept::Nothing);
        };
        let age_ns = now_ns.saturating_sub(oldest.time_ns);
        let is_old = self.keep.age_ns_max.is_some_and(|max| age_ns > max);
        let is_much = match self.keep.bytes_max {
            Some(max) => self.bytes_of(closed)? > max,
            None => false,
        };
        if !is_old && !is_much {
            return Ok(Kept::Nothing);
        }
        let segment = oldest.at.number;
        self.files.remove(&segment_name(segment))?;
        self.files.remove(&archive_name(segment))?;
        sync(self.segments.directory())?;
        if self.index.forget_before(segment + 1) {
            self.index.store(&mut self.files)?;
        }
        Ok(Kept::Removed { segment })
    }

    /// What closed segments take on the disk.
    fn bytes_of(&mut self, closed: &[Closed]) -> Result<u64, StorageError> {
        let names = |number| [segment_name(number), archive_name(number)];
        let mut bytes = 0;
        for name in closed.iter().flat_map(|one| names(one.at.number)) {
            bytes += self.files.length(&name)?;
        }
        Ok(bytes)
    }
}

impl Closed {
    /// Whether recovery from the number `needed_from` needs nothing of it. The last record before
    /// that number is read too, so an input of a later segment must be before it.
    const fn is_free(&self, needed_from: u64) -> bool {
        self.next_sequence < needed_from
    }
}

/// Flushes a directory's names.
pub(super) fn sync(directory: &Path) -> Result<(), StorageError> {
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
