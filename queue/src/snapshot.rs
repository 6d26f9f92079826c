//! The latest value of something, for any number of readers that never hold the writer up.
//!
//! A seqlock: the writer makes the version odd, writes the value word by word, makes the version
//! even. A reader that finds the same even version before and after has read a whole value. A
//! writer that dies half way leaves an odd version, and its successor goes on from there.

use crate::error::Error;
use crate::layout::{expect, hash_of};
use crate::memory::{SnapshotMemory, Word};
use crate::region::Region;
use bytemuck::Pod;
use std::marker::PhantomData;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering, fence};

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

const fn value_fits<T>() {
    const {
        let bytes = size_of::<T>();
        assert!(
            bytes > 0 && bytes.is_multiple_of(8) && bytes <= VALUE_BYTES_MAX,
            "a multiple of 8 bytes"
        );
    }
}

const MAGIC: u64 = u64::from_le_bytes(*b"wxsnap01");
const WORD_MAGIC: usize = 0;
const WORD_LAYOUT: usize = 1;
/// The version stands on the line before the value: a small value costs one pair of lines.
const WORD_VERSION: usize = 31;
const WORD_VALUE: usize = 32;

/// The mapped memory of one snapshot. Copies name the same memory.
#[derive(Clone, Debug)]
pub struct SharedSnapshot {
    region: Arc<Region>,
    value_words: usize,
}

impl SharedSnapshot {
    /// Makes the memory of a snapshot of `T` in a file that other processes find by its path.
    ///
    /// # Errors
    /// When the file cannot be made.
    pub fn create<T: Pod>(path: &Path) -> Result<Self, Error> {
        value_fits::<T>();
        let bytes = WORD_VALUE * 8 + size_of::<T>();
        let region = Region::create_file(path, bytes, |region| {
            fill::<T>(region);
            Ok(())
        })?;
        Ok(Self::of::<T>(region))
    }

    /// Makes the memory of a snapshot of `T` that only this process uses.
    ///
    /// # Errors
    /// When there is no memory.
    pub fn anonymous<T: Pod>(name: &str) -> Result<Self, Error> {
        value_fits::<T>();
        let region = Region::new(WORD_VALUE * 8 + size_of::<T>(), name)?;
        fill::<T>(&region);
        Ok(Self::of::<T>(region))
    }

    /// The writing side; only one at a time.
    ///
    /// # Errors
    /// When the memory is attached read-only, or is not of `T`.
    pub fn writer<T: Pod>(&self) -> Result<SnapshotWriter<T>, Error> {
        self.region.writable()?;
        self.check::<T>()?;
        Ok(SnapshotWriter::open(self.clone()))
    }

    /// A reading side.
    ///
    /// # Errors
    /// When the memory is not of `T`.
    pub fn reader<T: Pod>(&self) -> Result<SnapshotReader<T>, Error> {
        self.check::<T>()?;
        Ok(SnapshotReader::open(self.clone()))
    }

    /// Attaches the snapshot of `T` at `path`, read-only.
    ///
    /// # Errors
    /// When the file cannot be mapped, or is not a snapshot of `T`: the error names the field.
    pub fn attach<T: Pod>(path: &Path) -> Result<Self, Error> {
        let snapshot = Self::of::<T>(Region::attach(path, false)?);
        snapshot.check::<T>()?;
        Ok(snapshot)
    }

    fn of<T>(region: Region) -> Self {
        Self {
            region: Arc::new(region),
            value_words: size_of::<T>() / 8,
        }
    }

    fn check<T>(&self) -> Result<(), Error> {
        let words = self.region.words();
        if words.len() < WORD_VALUE + size_of::<T>() / 8 {
            let expected = format!("room for a value of {} bytes", size_of::<T>());
            return Err(Error::bad(
                "size of the snapshot",
                self.region.bytes() as u64,
                expected,
            ));
        }
        // Acquire: pairs with the Release of the magic in `fill`.
        expect("magic", words[WORD_MAGIC].load(Ordering::Acquire), MAGIC)?;
        let layout = words[WORD_LAYOUT].load(Ordering::Relaxed);
        expect("layout hash", layout, layout_hash::<T>())?;
        // Of the same name and size: `self` may only have been made for another type of this file.
        expect(
            "words of the value",
            self.value_words as u64,
            (size_of::<T>() / 8) as u64,
        )
    }
}

impl SnapshotMemory for SharedSnapshot {
    type Word = AtomicU64;

    fn version(&self) -> &AtomicU64 {
        &self.region.words()[WORD_VERSION]
    }

    fn words(&self) -> &[AtomicU64] {
        &self.region.words()[WORD_VALUE..WORD_VALUE + self.value_words]
    }

    fn fence(order: Ordering) {
        fence(order);
    }
}

fn fill<T>(region: &Region) {
    let words = region.words();
    words[WORD_LAYOUT].store(layout_hash::<T>(), Ordering::Relaxed);
    // Release: pairs with the Acquire of the magic in `check`.
    words[WORD_MAGIC].store(MAGIC, Ordering::Release);
}

fn layout_hash<T>() -> u64 {
    hash_of(
        std::any::type_name::<T>(),
        &[WORD_VERSION, WORD_VALUE, size_of::<T>()],
    )
}
