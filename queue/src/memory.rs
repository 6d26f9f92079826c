//! What the algorithms ask of memory, so that they are written once.
//!
//! Production memory is a mapping ([`crate::SharedRing`], [`crate::SharedSnapshot`]); the models
//! bring loom's atomics, because loom cannot model mapped memory.

use std::hint::black_box;
use std::sync::atomic::{AtomicU64, Ordering};

/// A 64-bit word that several threads see.
pub trait Word {
    /// Reads the word.
    fn load(&self, order: Ordering) -> u64;
    /// Writes the word.
    fn store(&self, value: u64, order: Ordering);
    /// Writes what the word holds, in one step: no store of another thread is lost.
    fn touch(&self);
}

impl Word for AtomicU64 {
    #[inline]
    fn load(&self, order: Ordering) -> u64 {
        Self::load(self, order)
    }

    #[inline]
    fn store(&self, value: u64, order: Ordering) {
        Self::store(self, value, order);
    }

    #[inline]
    fn touch(&self) {
        // Relaxed: changes nothing, so it says nothing; whoever reads the word still meets the
        // store that gave it its value. The zero is hidden, or the compiler makes a load of it.
        self.fetch_or(black_box(0), Ordering::Relaxed);
    }
}

/// The memory of one ring: slots with a sequence number each, and the reader's credit.
///
/// All words are zero in a new ring. Slot numbers are below [`RingMemory::depth`].
pub trait RingMemory<B> {
    /// The type of its words.
    type Word: Word;

    /// Slots: a power of two.
    fn depth(&self) -> u64;

    /// After how many messages the reader tells the writer that their slots are free again.
    fn credit_step(&self) -> u64 {
        (self.depth() / 4).max(1)
    }

    /// The word that says which message a slot holds; 0 for none. Written by the writer.
    fn sequence(&self, slot: usize) -> &Self::Word;

    /// The word that says how many messages the reader has given back. Written by the reader.
    fn credit(&self) -> &Self::Word;

    /// Fills a slot. The algorithm never does so while the reader may look at it.
    fn body_write(&self, slot: usize, stamp: u64, body: &B);

    /// Reads a slot. The algorithm never does so while the writer may fill it.
    fn body_read(&self, slot: usize) -> (u64, B);

    /// Asks for the right to write to a slot soon. A hint that changes nothing.
    fn ask(&self, slot: usize) {
        let _ = slot;
    }

    /// Writes to a slot what it holds. The algorithm never does so while the writer may fill it.
    fn take_over(&self, slot: usize);
}

/// The memory of one snapshot: a version and the value as words.
///
/// All words are zero in a new one.
pub trait SnapshotMemory {
    /// The type of its words.
    type Word: Word;

    /// The version: even when the value is whole, odd while it is being written.
    fn version(&self) -> &Self::Word;

    /// The words of the value.
    fn words(&self) -> &[Self::Word];

    /// A memory fence of the kind that goes with [`SnapshotMemory::Word`].
    fn fence(order: Ordering);
}
