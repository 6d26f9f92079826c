//! A disk in memory that fails as it is told: for the simulator and for tests.
//!
//! The disk keeps what is flushed apart from what is only written. [`Disk::crash`] cuts the power:
//! flushed bytes stay, and of every write that was not flushed something is lost, by the seed:
//! sectors or pages each for itself, the end from some byte on, the inside of a sector, or all of
//! it. Dropping a [`DiskStorage`] and opening another one is a killed process: what was written
//! stays readable, flushed or not.

mod faults;
mod files;
mod segment;
mod shelf;

use std::collections::BTreeMap;
use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

pub use faults::{Counts, Faults, Losses};
pub use files::DiskFiles;
pub use shelf::DiskShelf;

use crate::storage::{
    Act, Buffer, Completion, SegmentFile, Segments, Storage, StorageError, segment_name,
};
use segment::{Loss, Segment};

/// What a disk writes whole or not at all.
pub const SECTOR_BYTES: usize = 512;

/// An operation in flight.
#[derive(Debug)]
struct Pending {
    polls_left: u64,
    completion: Completion,
}

#[derive(Debug, Default)]
struct State {
    random: u64,
    faults: Faults,
    counts: Counts,
    segments: BTreeMap<u32, Segment>,
    /// Segments that were let go of.
    retired: BTreeMap<u32, Segment>,
    files: files::Kept,
}

impl State {
    /// The next number of a splitmix64 sequence.
    fn random(&mut self) -> u64 {
        self.random = self.random.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.random;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    fn delay(&mut self) -> u64 {
        let polls = self.random() % (u64::from(self.faults.delay_polls_max) + 1);
        self.counts.slow += u64::from(polls > 0);
        polls
    }

    /// Counts a read; whether it is the one that fails.
    fn is_read_failing(&mut self) -> bool {
        self.counts.reads += 1;
        let is_failing = self.faults.read_fails == Some(self.counts.reads);
        self.counts.reads_failed += u64::from(is_failing);
        is_failing
    }

    /// Loses of a segment what a power cut can lose.
    fn tear(&mut self, number: u32) {
        let Some(mut segment) = self.segments.remove(&number) else {
            return;
        };
        if !segment.unflushed.is_empty() {
            let loss = Loss::EACH[self.random() as usize % Loss::EACH.len()];
            let writes = segment.unflushed.len() as u64;
            self.counts.segments.note(loss, writes);
            segment.tear(loss, &mut || self.random());
        }
        self.segments.insert(number, segment);
    }
}

fn error(act: Act, segment: u32, offset: u64, errno: i32) -> StorageError {
    let file = format!("simulated/{}", segment_name(segment));
    StorageError::new(act, file, offset, &io::Error::from_raw_os_error(errno))
}

/// The disk itself: it outlives the storage that is open on it, as a disk outlives a process.
#[derive(Clone, Debug)]
pub struct Disk(Arc<Mutex<State>>);

impl Disk {
    /// An empty disk; `seed` decides delays and what a crash keeps.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        Self(Arc::new(Mutex::new(State {
            random: seed,
            ..State::default()
        })))
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Opens it. What an earlier life still had in flight is never reported to this one.
    #[must_use]
    pub fn storage(&self) -> DiskStorage {
        DiskStorage {
            disk: self.clone(),
            writing: None,
            preparing: None,
        }
    }

    /// The other files on it.
    #[must_use]
    pub fn files(&self) -> DiskFiles {
        DiskFiles::of(self.clone())
    }

    /// A second disk with the same bytes, flushed and not, that goes its own way by `seed`.
    #[must_use]
    pub fn fork(&self, seed: u64) -> Self {
        let state = self.state();
        Self(Arc::new(Mutex::new(State {
            random: seed,
            faults: state.faults,
            counts: state.counts,
            segments: state.segments.clone(),
            retired: state.retired.clone(),
            files: state.files.clone(),
        })))
    }

    /// The disk as if no segment had ever been let go of: itself where none was, else a fork.
    #[must_use]
    pub fn whole(&self) -> Self {
        if self.state().retired.is_empty() {
            return self.clone();
        }
        let whole = self.fork(0);
        let mut state = whole.state();
        let retired = std::mem::take(&mut state.retired);
        state.segments.extend(retired);
        drop(state);
        whole
    }

    /// Closed segments that are kept.
    #[must_use]
    pub fn shelf(&self) -> DiskShelf {
        DiskShelf::of(self)
    }

    /// Changes the faults to come.
    pub fn set_faults(&self, faults: Faults) {
        self.state().faults = faults;
    }

    /// The faults to come.
    #[must_use]
    pub fn faults(&self) -> Faults {
        self.state().faults
    }

    /// Whether something was written and is not flushed: a power cut may lose of it.
    #[must_use]
    pub fn is_writing(&self) -> bool {
        let state = self.state();
        state.segments.values().any(|it| !it.unflushed.is_empty())
    }

    /// Whether a segment behind another one was begun and nothing of it is flushed: a power cut may
    /// open the one before it again. Segments that are made ahead come behind it.
    #[must_use]
    pub fn is_opening(&self) -> bool {
        let state = self.state();
        let mut later = state.segments.values().skip(1);
        later.any(|it| !it.unflushed.is_empty() && it.platter.iter().all(|it| *it == 0))
    }

    /// Whether the power went at a call: what is left to be done is [`Self::crash`].
    #[must_use]
    pub fn is_off(&self) -> bool {
        self.state().files.is_off()
    }

    /// Cuts the power: of everything that is not flushed something is lost, by the seed.
    pub fn crash(&self) {
        let mut state = self.state();
        let numbers: Vec<u32> = state.segments.keys().copied().collect();
        for number in numbers {
            state.tear(number);
        }
        files::tear(&mut state);
    }

    /// Writes that were begun over the disk's life.
    #[must_use]
    pub fn writes(&self) -> u64 {
        self.state().counts.writes
    }

    /// What happened over the disk's life.
    #[must_use]
    pub fn counts(&self) -> Counts {
        self.state().counts
    }

    /// What a reader sees of a segment; `None` when there is none.
    #[must_use]
    pub fn bytes(&self, segment: u32) -> Option<Vec<u8>> {
        self.state().segments.get(&segment).map(Segment::view)
    }

    /// Whether there is such a segment.
    #[must_use]
    pub fn has_segment(&self, segment: u32) -> bool {
        self.state().segments.contains_key(&segment)
    }

    /// Puts these bytes, flushed, in the place of a segment: damage, or another disk's copy.
    pub fn set_bytes(&self, segment: u32, bytes: Vec<u8>) {
        self.state()
            .segments
            .insert(segment, Segment::flushed(bytes));
    }

    /// Loses a segment.
    pub fn remove(&self, segment: u32) {
        self.state().segments.remove(&segment);
    }
}

/// One life's view of a [`Disk`].
#[derive(Debug)]
pub struct DiskStorage {
    disk: Disk,
    writing: Option<(Pending, u32)>,
    preparing: Option<Pending>,
}

impl DiskStorage {
    /// Takes the bytes in and decides how the write will end.
    fn begin(&self, segment: u32, offset: u64, buffer: &Buffer) -> Result<(), StorageError> {
        let mut state = self.disk.state();
        state.counts.writes += 1;
        let number = state.counts.writes;
        let bytes = buffer.bytes().to_vec();
        let start = offset as usize;
        let Some(target) = state.segments.get_mut(&segment) else {
            return Err(error(Act::Write, segment, offset, libc::ENOENT));
        };
        if target.is_archived {
            return Err(error(Act::Write, segment, offset, libc::EROFS));
        }
        if start + bytes.len() > target.platter.len() {
            return Err(error(Act::Write, segment, offset, libc::EFBIG));
        }
        target.unflushed.push((start, bytes));
        if state.faults.write_fails == Some(number) {
            state.counts.writes_failed += 1;
            state.tear(segment);
            return Err(error(Act::Write, segment, offset, libc::EIO));
        }
        if state.faults.flush_fails == Some(number) {
            state.counts.flushes_failed += 1;
            state.tear(segment);
            return Err(error(Act::Flush, segment, offset, libc::EIO));
        }
        Ok(())
    }

    fn poll_write(&mut self) -> Option<Completion> {
        let (pending, segment) = self.writing.as_mut()?;
        if pending.polls_left > 0 {
            pending.polls_left -= 1;
            return None;
        }
        let segment = *segment;
        let (pending, _) = self.writing.take()?;
        let landed = matches!(
            pending.completion,
            Completion::Written { result: Ok(()), .. }
        );
        if let (true, Some(target)) = (landed, self.disk.state().segments.get_mut(&segment)) {
            target.flush();
        }
        Some(pending.completion)
    }

    fn poll_prepare(&mut self) -> Option<Completion> {
        let pending = self.preparing.as_mut()?;
        if pending.polls_left > 0 {
            pending.polls_left -= 1;
            return None;
        }
        self.preparing.take().map(|pending| pending.completion)
    }
}

impl Segments for DiskStorage {
    fn list(&mut self) -> Result<Vec<SegmentFile>, StorageError> {
        let state = self.disk.state();
        let file = |(number, segment): (&u32, &Segment)| SegmentFile {
            number: *number,
            is_archived: segment.is_archived,
            bytes: segment.platter.len() as u64,
        };
        Ok(state.segments.iter().map(file).collect())
    }

    fn read(&mut self, segment: u32, offset: u64, into: &mut [u8]) -> Result<(), StorageError> {
        let mut state = self.disk.state();
        if state.is_read_failing() {
            return Err(error(Act::Read, segment, offset, libc::EIO));
        }
        let found = state.segments.get(&segment);
        if found.is_some_and(|segment| segment.read(offset as usize, into)) {
            Ok(())
        } else {
            Err(error(Act::Read, segment, offset, libc::ENODATA))
        }
    }

    fn file(&self, segment: u32) -> String {
        format!("simulated/{}", segment_name(segment))
    }
}

impl Storage for DiskStorage {
    fn prepare(&mut self, segment: u32, bytes: u64) {
        let mut state = self.disk.state();
        let full = state
            .faults
            .segments_max
            .is_some_and(|max| state.segments.len() >= max);
        let result = if full {
            state.counts.full += 1;
            Err(error(Act::Prepare, segment, 0, libc::ENOSPC))
        } else if state.faults.prepare_fails == Some(segment) {
            state.counts.prepares_failed += 1;
            Err(error(Act::Prepare, segment, 0, libc::EIO))
        } else {
            let zeros = Segment::flushed(vec![0; bytes as usize]);
            state.segments.insert(segment, zeros);
            Ok(())
        };
        let polls_left = state.delay();
        drop(state);
        let completion = Completion::Prepared { segment, result };
        self.preparing = Some(Pending {
            polls_left,
            completion,
        });
    }

    fn write(&mut self, segment: u32, offset: u64, buffer: Buffer) {
        let result = self.begin(segment, offset, &buffer);
        let polls_left = self.disk.state().delay();
        let completion = Completion::Written { buffer, result };
        self.writing = Some((
            Pending {
                polls_left,
                completion,
            },
            segment,
        ));
    }

    fn poll(&mut self) -> Option<Completion> {
        if self.disk.state().faults.is_stalled {
            return None;
        }
        self.poll_write().or_else(|| self.poll_prepare())
    }
}
