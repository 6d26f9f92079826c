//! The snapshot's memory in production: a header, the version, then the value.

use crate::error::Error;
use crate::layout::{expect, hash_of};
use crate::memory::SnapshotMemory;
use crate::region::Region;
use crate::snapshot::{SnapshotReader, SnapshotWriter, value_fits};
use bytemuck::Pod;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering, fence};

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
