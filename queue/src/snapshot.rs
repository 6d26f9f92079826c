//! The latest value of something, for any number of readers that never hold the writer up.
//!
//! A seqlock: the writer makes the version odd, writes the value word by word, makes the version
//! even. A reader that finds the same even version before and after has read a whole value. A
//! writer that dies half way leaves an odd version, and its successor goes on from there.

use crate::memory::{SnapshotMemory, Word};
use crate::shared_snapshot::SharedSnapshot;
use bytemuck::Pod;
use std::marker::PhantomData;
use std::sync::atomic::Ordering;

/// Bytes of the greatest value: a reader copies it whole.
const VALUE_BYTES_MAX: usize = 4096;

/// Tries of [`SnapshotReader::read`] before it says that it got nothing.
const TRIES_MAX: usize = 1000;

/// The writing side. One thread owns it.
#[derive(Debug)]
pub struct SnapshotWriter<T, M: SnapshotMemory = SharedSnapshot> {
    memory: M,
    version: u64,
    value: PhantomData<fn(T)>,
}

impl<T: Pod, M: SnapshotMemory> SnapshotWriter<T, M> {
    /// Opens the writing side of new memory, or of memory whose writer died.
    ///
    /// # Panics
    /// When the memory has not the size of a `T`: the caller has a bug.
    #[must_use]
    pub fn open(memory: M) -> Self {
        value_fits::<T>();
        assert_eq!(
            memory.words().len() * 8,
            size_of::<T>(),
            "the memory is of another value"
        );
        // Relaxed: this side owns the word; the death of the former owner ordered its last store.
        let left = memory.version().load(Ordering::Relaxed);
        // An odd version stays in memory until the next whole value is written.
        let version = left.wrapping_add(left & 1);
        Self {
            memory,
            version,
            value: PhantomData,
        }
    }

    /// Shows a new value.
    pub fn write(&mut self, value: &T) {
        let version_odd = self.version.wrapping_add(1);
        self.memory.version().store(version_odd, Ordering::Relaxed);
        // Release: pairs with the reader's Acquire fence: who saw a new word sees the odd version.
        M::fence(Ordering::Release);
        let (chunks, _) = bytemuck::bytes_of(value).as_chunks::<8>();
        for (word, chunk) in self.memory.words().iter().zip(chunks) {
            word.store(u64::from_ne_bytes(*chunk), Ordering::Relaxed);
        }
        self.version = version_odd.wrapping_add(1);
        // Release: pairs with the reader's first Acquire: who sees the version sees the value.
        self.memory.version().store(self.version, Ordering::Release);
    }
}

/// A reading side. There may be many, also in other processes.
#[derive(Debug)]
pub struct SnapshotReader<T, M: SnapshotMemory = SharedSnapshot> {
    memory: M,
    value: PhantomData<fn() -> T>,
}

impl<T: Pod, M: SnapshotMemory> SnapshotReader<T, M> {
    /// Opens a reading side.
    ///
    /// # Panics
    /// When the memory has not the size of a `T`: the caller has a bug.
    #[must_use]
    pub fn open(memory: M) -> Self {
        value_fits::<T>();
        Self {
            memory,
            value: PhantomData,
        }
    }

    /// The value if it could be read whole at the first try.
    ///
    /// Nothing has been written yet: the value whose bytes are all zero.
    #[must_use]
    pub fn try_read(&self) -> Option<T> {
        // Acquire: pairs with the writer's Release of the even version.
        let before = self.memory.version().load(Ordering::Acquire);
        if before & 1 == 1 {
            return None;
        }
        let mut value = T::zeroed();
        let (chunks, _) = bytemuck::bytes_of_mut(&mut value).as_chunks_mut::<8>();
        for (word, chunk) in self.memory.words().iter().zip(chunks) {
            *chunk = word.load(Ordering::Relaxed).to_ne_bytes();
        }
        // Acquire: pairs with the writer's Release fence.
        M::fence(Ordering::Acquire);
        let after = self.memory.version().load(Ordering::Relaxed);
        (before == after).then_some(value)
    }

    /// The value, after as many tries as a live writer may make necessary.
    ///
    /// `None` means that the writer died half way or was interrupted for long: keep the last value.
    #[must_use]
    pub fn read(&self) -> Option<T> {
        for _ in 0..TRIES_MAX {
            if let Some(value) = self.try_read() {
                return Some(value);
            }
            std::hint::spin_loop();
        }
        None
    }
}

/// Fails the build of a snapshot of a type that is not whole words, or too large.
pub(crate) const fn value_fits<T>() {
    const {
        let bytes = size_of::<T>();
        assert!(
            bytes > 0 && bytes.is_multiple_of(8) && bytes <= VALUE_BYTES_MAX,
            "a multiple of 8 bytes"
        );
    }
}
