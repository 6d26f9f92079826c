//! What happens to segments that are full: they are indexed, compressed, and let go of in the end.
//!
//! None of it is for the thread that writes the journal, nor does that one hear of it. The keeper
//! looks at the directory and does one thing at a time; killed at any point, it goes on from what
//! it finds.

use std::ops::RangeInclusive;

use crate::LINE_BYTES;
use crate::error::RecoveryError;
use crate::files::Files;
use crate::index::{Index, marks_of};
use crate::io::DirectoryShelf;
use crate::record::{Header, KIND_SEGMENT, MAGIC};
use crate::storage::{SegmentFile, Segments, StorageError};
use crate::walk::Walker;

/// Where closed segments stand, for the one who keeps them. What each call does survives a power
/// cut when it returns without error.
pub trait Shelf: Segments {
    /// The files beside the segments.
    fn files(&mut self) -> &mut dyn Files;

    /// Flushes a segment that somebody else writes.
    ///
    /// # Errors
    /// The disk failed.
    fn flush(&mut self, segment: u32) -> Result<(), StorageError>;

    /// Puts a compressed form, which was read back and compared, in the place of a segment; gives
    /// its bytes.
    ///
    /// # Errors
    /// The disk is full or failed: the segment is there in one form or in both.
    fn archive(&mut self, at: SegmentFile) -> Result<u64, StorageError>;

    /// Removes a segment in whatever form.
    ///
    /// # Errors
    /// The disk failed.
    fn remove(&mut self, segment: u32) -> Result<(), StorageError>;

    /// What a segment takes on the disk, in all its forms.
    ///
    /// # Errors
    /// The disk cannot be read.
    fn bytes(&mut self, segment: u32) -> Result<u64, StorageError>;
}

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
pub struct Keeper<D = DirectoryShelf> {
    pub(crate) shelf: D,
    index: Index,
    pub(crate) keep: Keep,
}

impl<D: Shelf> Keeper<D> {
    /// Looks at the segments of a journal that a [`Writer`](crate::Writer) of this process has
    /// opened: what a torn tail left was wiped by then.
    ///
    /// # Errors
    /// The index cannot be read.
    pub fn of(mut shelf: D, keep: Keep) -> Result<Self, StorageError> {
        let index = Index::load(shelf.files())?;
        Ok(Self { shelf, index, keep })
    }

    /// The files beside the segments.
    pub fn files(&mut self) -> &mut dyn Files {
        self.shelf.files()
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
        for two in self.shelf.list()?.windows(2) {
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
    pub(crate) fn opening(&mut self, segment: u32) -> Result<Option<(u64, u64)>, StorageError> {
        if let Some(mark) = self.index.marks(segment).first() {
            return Ok(Some((mark.next_sequence, mark.time_ns)));
        }
        let mut line = [0; LINE_BYTES];
        self.shelf.read(segment, 0, &mut line)?;
        let header: Header = bytemuck::pod_read_unaligned(&line);
        let is_whole = header.magic == MAGIC && header.checksum == header.sum(&[]);
        let opens = is_whole && header.kind == KIND_SEGMENT;
        Ok(opens.then_some((header.first_sequence, header.time_ns)))
    }

    /// Reads a segment through and adds its marks. So whatever is compressed or removed later has
    /// been found to be in order, and to go on in the next one, which is flushed.
    fn add_to_index(&mut self, at: SegmentFile) -> Result<Kept, RecoveryError> {
        let next = at.number + 1;
        let mut walker = Walker::new(Part {
            shelf: &mut self.shelf,
            numbers: at.number..=next,
        })?;
        let Some(marks) = marks_of(&mut walker)? else {
            return Ok(Kept::Nothing);
        };
        // What opens the next segment may not be on the disk yet, and then a power cut opens this
        // one again.
        self.shelf.flush(next)?;
        self.index.insert(at.number, marks);
        self.index.store(self.shelf.files())?;
        Ok(Kept::Indexed { segment: at.number })
    }

    /// Puts a compressed file in the place of a segment's.
    pub(crate) fn archive(&mut self, at: SegmentFile) -> Result<Kept, StorageError> {
        let (segment, from) = (at.number, at.bytes);
        let to = self.shelf.archive(at)?;
        Ok(Kept::Archived { segment, from, to })
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
        self.shelf.remove(segment)?;
        if self.index.forget_before(segment + 1) {
            self.index.store(self.shelf.files())?;
        }
        Ok(Kept::Removed { segment })
    }

    /// What closed segments take on the disk.
    fn bytes_of(&mut self, closed: &[Closed]) -> Result<u64, StorageError> {
        let mut bytes = 0;
        for one in closed {
            bytes += self.shelf.bytes(one.at.number)?;
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

/// A shelf of which only some segments are looked at.
pub(crate) struct Part<'d, D> {
    pub shelf: &'d mut D,
    pub numbers: RangeInclusive<u32>,
}

impl<D: Shelf> Segments for Part<'_, D> {
    fn list(&mut self) -> Result<Vec<SegmentFile>, StorageError> {
        let mut all = self.shelf.list()?;
        all.retain(|at| self.numbers.contains(&at.number));
        Ok(all)
    }

    fn read(&mut self, segment: u32, offset: u64, into: &mut [u8]) -> Result<(), StorageError> {
        self.shelf.read(segment, offset, into)
    }

    fn file(&self, segment: u32) -> String {
        self.shelf.file(segment)
    }
}
