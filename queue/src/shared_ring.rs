//! The ring's memory in production: a header, then slots of 64 or 128 bytes.
//!
//! ```text
//! byte     0  magic, layout hash, depth, slot bytes
//! byte   128  the writer's epoch and heartbeat
//! byte   256  the reader's epoch and heartbeat
//! byte   384  credit: how many messages the reader gave back
//! byte  4096  slot 0: stamp (8) | body (48 or 112) | sequence (8), slot 1, ...
//! ```
//! Message `n` is in the slot that `slot_at` says. A slot's stamp and body are the writer's until
//! it is published and the reader's until it is given back.
//!
//! Words that different threads write are 128 bytes apart, because the processor fetches lines in
//! pairs.

use crate::error::Error;
use crate::layout::{expect, hash_of};
use crate::memory::RingMemory;
use crate::region::{Home, Region};
use crate::ring::{Reader, Writer};
use crate::slots::{NUMBER_MAX, slot_at};
use bytemuck::Pod;
use std::fs::File;
use std::marker::PhantomData;
use std::path::Path;
use std::ptr::NonNull;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// The deepest ring.
pub const DEPTH_MAX: usize = 1 << 24;

const MAGIC: u64 = u64::from_le_bytes(*b"wxring02");

const WORD_MAGIC: usize = 0;
const WORD_LAYOUT: usize = 1;
const WORD_DEPTH: usize = 2;
const WORD_SLOT_BYTES: usize = 3;
/// The writer's epoch; its heartbeat follows.
pub(crate) const WORD_WRITER: usize = 16;
/// The same of the reader.
pub(crate) const WORD_READER: usize = 32;
const WORD_CREDIT: usize = 48;
const WORD_SLOTS: usize = 512;

const _: () = assert!(WORD_READER - WORD_WRITER >= 16 && WORD_CREDIT - WORD_READER >= 16);
const _: () = assert!(WORD_SLOTS * 8 == 4096, "slots begin on a page");

/// Makes a ring of `depth` slots (a power of two) on its own region.
///
/// # Errors
/// When `depth` is not a power of two up to [`DEPTH_MAX`], or there is no memory.
pub fn ring<B: Pod>(depth: usize) -> Result<(Writer<B>, Reader<B>), Error> {
    ring_named("wirecross-ring", depth)
}

/// Like [`ring()`], with a name that shows in `/proc/<pid>/maps`.
///
/// # Errors
/// As [`ring()`].
pub fn ring_named<B: Pod>(name: &str, depth: usize) -> Result<(Writer<B>, Reader<B>), Error> {
    ring_at(Home::Mapped, name, depth)
}

/// Like [`ring_named()`], with its memory there.
///
/// # Errors
/// As [`ring()`].
pub fn ring_at<B: Pod>(
    home: Home,
    name: &str,
    depth: usize,
) -> Result<(Writer<B>, Reader<B>), Error> {
    let memory = SharedRing::at(home, name, depth)?;
    Ok((memory.writer(), memory.reader()))
}

/// The mapped memory of one ring. Copies name the same memory.
#[derive(Debug)]
pub struct SharedRing<B> {
    pub(crate) region: Arc<Region>,
    /// Where slot 0 begins in the region: kept here, because every message needs it.
    slots: NonNull<AtomicU64>,
    depth: u64,
    /// The epoch of the side that this handle serves, when it took it over.
    pub(crate) epoch: u64,
    body: PhantomData<fn(B) -> B>,
}

// SAFETY: `slots` points into `region`, which is memory of atomic words, kept mapped by this
// handle.
unsafe impl<B> Send for SharedRing<B> {}
// SAFETY: as above: shared use goes through atomic words alone.
unsafe impl<B> Sync for SharedRing<B> {}

impl<B> Clone for SharedRing<B> {
    fn clone(&self) -> Self {
        let region = Arc::clone(&self.region);
        Self {
            region,
            slots: self.slots,
            depth: self.depth,
            epoch: self.epoch,
            body: PhantomData,
        }
    }
}

impl<B: Pod> SharedRing<B> {
    /// Words of a slot: stamp, body, sequence.
    const SLOT_WORDS: usize = {
        let bytes = size_of::<B>();
        assert!(
            bytes == 48 || bytes == 112,
            "a ring body has 48 or 112 bytes"
        );
        bytes / 8 + 2
    };

    /// Makes the memory of a new, empty ring.
    ///
    /// # Errors
    /// As [`ring()`].
    pub fn create(name: &str, depth: usize) -> Result<Self, Error> {
        Self::fill(Region::new(Self::bytes_of(depth)?, name)?, depth)
    }

    /// As [`Self::create`], for a process that is not trusted: on small pages, of which the system
    /// finds others where that one gives some away.
    ///
    /// # Errors
    /// As [`ring()`].
    pub fn create_small(name: &str, depth: usize) -> Result<Self, Error> {
        Self::fill(Region::small(Self::bytes_of(depth)?, name)?, depth)
    }

    /// As [`Self::create`], with its memory there.
    ///
    /// # Errors
    /// As [`ring()`].
    pub fn at(home: Home, name: &str, depth: usize) -> Result<Self, Error> {
        match home {
            Home::Mapped => Self::create(name, depth),
            Home::Heap => Self::fill(Region::heap(Self::bytes_of(depth)?)?, depth),
        }
    }

    fn bytes_of(depth: usize) -> Result<usize, Error> {
        if !depth.is_power_of_two() || depth > DEPTH_MAX {
            let what = format!("a ring of {depth} slots: a power of two up to {DEPTH_MAX}");
            return Err(Error::request(what));
        }
        Ok((WORD_SLOTS + depth * Self::SLOT_WORDS) * 8)
    }

    /// Makes new memory an empty ring.
    fn fill(region: Region, depth: usize) -> Result<Self, Error> {
        let words = region.words();
        words[WORD_LAYOUT].store(layout_hash::<B>(), Ordering::Relaxed);
        words[WORD_DEPTH].store(depth as u64, Ordering::Relaxed);
        words[WORD_SLOT_BYTES].store((Self::SLOT_WORDS * 8) as u64, Ordering::Relaxed);
        // Release: whoever reads the magic by Acquire in `check` finds the header whole.
        words[WORD_MAGIC].store(MAGIC, Ordering::Release);
        Ok(Self::over(region, depth as u64))
    }

    /// Attaches the ring that lives in the region at `path`: see [`Region::path`].
    ///
    /// # Errors
    /// When the region cannot be mapped for writing, or a field of the ring is not what this
    /// build would have written: the error names the field.
    pub fn attach(path: &Path) -> Result<Self, Error> {
        Self::check(Region::attach(path, true)?)
    }

    /// Attaches the ring that lives in a file, which another process handed over.
    ///
    /// # Errors
    /// As [`Self::attach`].
    pub fn attach_file(file: File) -> Result<Self, Error> {
        Self::check(Region::of_file(file, true)?)
    }

    /// The region that the ring lives in.
    #[must_use]
    pub fn region(&self) -> &Region {
        &self.region
    }

    /// Opens the writing side: of a new ring, or in place of a writer that died.
    #[must_use]
    pub fn writer(&self) -> Writer<B> {
        Writer::open(self.side_taken(WORD_WRITER))
    }

    /// Opens the reading side: of a new ring, or in place of a reader that died.
    #[must_use]
    pub fn reader(&self) -> Reader<B> {
        Reader::open(self.side_taken(WORD_READER))
    }

    /// A handle over a region that is known to hold a ring of `depth` slots.
    fn over(region: Region, depth: u64) -> Self {
        let slots = NonNull::from(&region.words()[WORD_SLOTS..]).cast();
        let (region, epoch, body) = (Arc::new(region), 0, PhantomData);
        Self {
            region,
            slots,
            depth,
            epoch,
            body,
        }
    }

    fn check(region: Region) -> Result<Self, Error> {
        region.writable()?;
        let words = region.words();
        if words.len() < WORD_SLOTS {
            return Err(Error::bad(
                "size of the ring",
                region.bytes() as u64,
                "a header",
            ));
        }
        // Acquire: pairs with the Release of the magic in `create`.
        expect("magic", words[WORD_MAGIC].load(Ordering::Acquire), MAGIC)?;
        let field = |index: usize| words[index].load(Ordering::Relaxed);
        expect("layout hash", field(WORD_LAYOUT), layout_hash::<B>())?;
        expect(
            "slot bytes",
            field(WORD_SLOT_BYTES),
            (Self::SLOT_WORDS * 8) as u64,
        )?;
        let depth = field(WORD_DEPTH);
        if !depth.is_power_of_two() || depth > DEPTH_MAX as u64 {
            return Err(Error::bad(
                "depth",
                depth,
                format!("a power of two up to {DEPTH_MAX}"),
            ));
        }
        let words_needed = WORD_SLOTS + depth as usize * Self::SLOT_WORDS;
        if words.len() < words_needed {
            let found = region.bytes() as u64;
            let expected = format!("{} bytes for {depth} slots", words_needed * 8);
            return Err(Error::bad("size of the ring", found, expected));
        }
        let ring = Self::over(region, depth);
        ring.check_positions()?;
        Ok(ring)
    }

    /// Whether credit and every slot's number can stand together.
    fn check_positions(&self) -> Result<(), Error> {
        let credit = self.credit().load(Ordering::Relaxed);
        if credit > NUMBER_MAX {
            return Err(Error::bad("credit", credit, "a count of messages"));
        }
        if credit > 0 {
            let slot = slot_at(self.depth, credit);
            let held = self.sequence(slot).load(Ordering::Relaxed);
            if held < credit {
                let expected = format!("no more than slot {slot} says: {held}");
                return Err(Error::bad("credit", credit, expected));
            }
        }
        for slot in 0..self.depth {
            let held = self.sequence(slot as usize).load(Ordering::Relaxed);
            let belongs = held == 0 || slot_at(self.depth, held) as u64 == slot;
            // A live peer may move on meanwhile, by at most one ring.
            if !belongs || held > credit + 2 * self.depth {
                let expected = format!("a number of slot {slot} of {}", self.depth);
                return Err(Error::bad("sequence", held, expected));
            }
        }
        Ok(())
    }

    /// The same memory with one side's epoch raised: a former owner learns that it was replaced,
    /// and its last heartbeat is not taken for one of the new owner.
    fn side_taken(&self, side: usize) -> Self {
        let words = self.region.words();
        let epoch = words[side].load(Ordering::Relaxed).wrapping_add(1);
        words[side].store(epoch, Ordering::Relaxed);
        words[side + 1].store(0, Ordering::Relaxed);
        Self {
            epoch,
            ..self.clone()
        }
    }

    #[inline]
    fn slot(&self, slot: usize) -> &[AtomicU64] {
        debug_assert!((slot as u64) < self.depth);
        // SAFETY: `create` and `check` made sure that the region holds `depth` slots, and the
        // algorithm masks slot numbers by the depth kept in this handle, not in shared memory.
        let start = unsafe { self.slots.add(slot * Self::SLOT_WORDS) };
        // SAFETY: as above; the region stays mapped while `self` holds it.
        unsafe { std::slice::from_raw_parts(start.as_ptr(), Self::SLOT_WORDS) }
    }
}

impl<B: Pod> RingMemory<B> for SharedRing<B> {
    type Word = AtomicU64;

    #[inline]
    fn depth(&self) -> u64 {
        self.depth
    }

    #[inline]
    fn sequence(&self, slot: usize) -> &AtomicU64 {
        &self.slot(slot)[Self::SLOT_WORDS - 1]
    }

    #[inline]
    fn credit(&self) -> &AtomicU64 {
        &self.region.words()[WORD_CREDIT]
    }

    #[inline]
    fn body_write(&self, slot: usize, stamp: u64, body: &B) {
        let words = self.slot(slot);
        words[0].store(stamp, Ordering::Relaxed);
        let (chunks, _) = bytemuck::bytes_of(body).as_chunks::<8>();
        for (word, chunk) in words[1..].iter().zip(chunks) {
            word.store(u64::from_ne_bytes(*chunk), Ordering::Relaxed);
        }
    }

    #[inline]
    fn body_read(&self, slot: usize) -> (u64, B) {
        let words = self.slot(slot);
        let mut body = B::zeroed();
        let (chunks, _) = bytemuck::bytes_of_mut(&mut body).as_chunks_mut::<8>();
        for (word, chunk) in words[1..].iter().zip(chunks) {
            *chunk = word.load(Ordering::Relaxed).to_ne_bytes();
        }
        (words[0].load(Ordering::Relaxed), body)
    }

    #[inline]
    fn ask(&self, slot: usize) {
        #[cfg(target_arch = "x86_64")]
        {
            let line = self.slot(slot).as_ptr();
            // SAFETY: it reads and writes nothing that a program can see, and cannot fault. Every
            // x86-64 processor of the last 15 years takes it, some as nothing.
            unsafe {
                std::arch::asm!("prefetchw [{}]", in(reg) line, options(nostack, preserves_flags));
            }
        }
        #[cfg(not(target_arch = "x86_64"))]
        let _ = slot;
    }

    #[inline]
    fn take_over(&self, slot: usize) {
        let stamp = &self.slot(slot)[0];
        stamp.store(stamp.load(Ordering::Relaxed), Ordering::Relaxed);
    }
}

/// Differs when the layout or the body's type differs. The type's name may change with the
/// compiler: then two builds refuse each other, which is the safe side.
fn layout_hash<B>() -> u64 {
    let sizes = [
        WORD_WRITER,
        WORD_READER,
        WORD_CREDIT,
        WORD_SLOTS,
        size_of::<B>(),
    ];
    hash_of(std::any::type_name::<B>(), &sizes)
}
