//! The rings shared with the kernel: one writes, the other reads, 32-bit indices that wrap.
//!
//! Each side stores only its own index, which it keeps in the handle and never loads back; the
//! other side's index is loaded only when the cached one says that the ring is full or empty.

use std::ptr::NonNull;
use std::sync::atomic::{AtomicU32, Ordering};

use crate::map::Mapping;

/// Set by the kernel in a ring's flags when it wants a system call to go on.
const NEED_WAKEUP: u32 = 1;

/// Where the parts of a ring lie, as offsets into its mapping.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Layout {
    pub producer: usize,
    pub consumer: usize,
    pub flags: usize,
    pub entries: usize,
    /// A power of two.
    pub depth: u32,
}

/// The memory of a ring of `T`.
#[derive(Debug)]
struct Memory<T> {
    producer: NonNull<AtomicU32>,
    consumer: NonNull<AtomicU32>,
    flags: NonNull<AtomicU32>,
    entries: NonNull<T>,
    mask: u32,
    _map: Mapping,
}

// SAFETY: the memory is shared with the kernel only; the handles take `&mut self`.
unsafe impl<T: Send> Send for Memory<T> {}

impl<T: Copy> Memory<T> {
    fn new(map: Mapping, layout: Layout) -> Memory<T> {
        assert!(layout.depth.is_power_of_two());
        let index = |offset: usize| {
            assert!(offset.is_multiple_of(align_of::<AtomicU32>()));
            map.at(offset, size_of::<AtomicU32>()).cast()
        };
        let entries = map
            .at(layout.entries, layout.depth as usize * size_of::<T>())
            .cast::<T>();
        assert!(entries.is_aligned());
        Memory {
            producer: index(layout.producer),
            consumer: index(layout.consumer),
            flags: index(layout.flags),
            entries,
            mask: layout.depth - 1,
            _map: map,
        }
    }

    fn producer(&self) -> &AtomicU32 {
        // SAFETY: inside the live mapping and aligned; both sides access it atomically.
        unsafe { self.producer.as_ref() }
    }

    fn consumer(&self) -> &AtomicU32 {
        // SAFETY: as for `producer`.
        unsafe { self.consumer.as_ref() }
    }

    fn needs_wakeup(&self) -> bool {
        // SAFETY: as for `producer`.
        let flags = unsafe { self.flags.as_ref() };
        // Relaxed: a hint; a missed one is seen in the next turn.
        flags.load(Ordering::Relaxed) & NEED_WAKEUP != 0
    }

    fn entry(&self, index: u32) -> NonNull<T> {
        // SAFETY: masked, so inside the entries.
        unsafe { self.entries.add((index & self.mask) as usize) }
    }
}

/// Our writing end: the fill and the TX ring.
#[derive(Debug)]
pub(crate) struct Producer<T> {
    memory: Memory<T>,
    written: u32,
    consumed: u32,
}

impl<T: Copy> Producer<T> {
    pub fn new(map: Mapping, layout: Layout) -> Producer<T> {
        let memory = Memory::new(map, layout);
        let written = memory.producer().load(Ordering::Acquire);
        Producer {
            consumed: written,
            written,
            memory,
        }
    }

    /// Entries that can be pushed now.
    pub fn room(&mut self) -> u32 {
        let depth = self.memory.mask + 1;
        if self.written.wrapping_sub(self.consumed) >= depth {
            self.refresh();
        }
        depth.saturating_sub(self.written.wrapping_sub(self.consumed))
    }

    /// Writes an entry that the kernel sees with the next `publish`; gives it back when full.
    pub fn push(&mut self, value: T) -> Result<(), T> {
        if self.room() == 0 {
            return Err(value);
        }
        let entry = self.memory.entry(self.written);
        // SAFETY: the kernel has consumed this entry, so it is ours until published.
        unsafe { entry.write(value) };
        self.written = self.written.wrapping_add(1);
        Ok(())
    }

    /// Hands all entries pushed so far to the kernel.
    pub fn publish(&mut self) {
        // Release: pairs with the kernel's acquire of the producer index; entries come first.
        self.memory
            .producer()
            .store(self.written, Ordering::Release);
    }

    /// Whether the kernel has taken everything that was pushed.
    pub fn drained(&mut self) -> bool {
        self.refresh();
        self.consumed == self.written
    }

    /// How far the kernel was when last looked at.
    pub fn consumed(&self) -> u32 {
        self.consumed
    }

    pub fn needs_wakeup(&self) -> bool {
        self.memory.needs_wakeup()
    }

    fn refresh(&mut self) {
        // Acquire: pairs with the kernel's release of the consumer index; its reads come first.
        self.consumed = self.memory.consumer().load(Ordering::Acquire);
    }
}

/// Our reading end: the RX and the completion ring.
#[derive(Debug)]
pub(crate) struct Consumer<T> {
    memory: Memory<T>,
    read: u32,
    available: u32,
}

impl<T: Copy> Consumer<T> {
    pub fn new(map: Mapping, layout: Layout) -> Consumer<T> {
        let memory = Memory::new(map, layout);
        let read = memory.consumer().load(Ordering::Acquire);
        Consumer {
            available: read,
            read,
            memory,
        }
    }

    /// The next entry; its place stays taken until `release`.
    pub fn pop(&mut self) -> Option<T> {
        if self.read == self.available {
            // Acquire: pairs with the kernel's release of the producer index; entries come first.
            self.available = self.memory.producer().load(Ordering::Acquire);
            if self.read == self.available {
                return None;
            }
        }
        let entry = self.memory.entry(self.read);
        // SAFETY: the kernel has published this entry and leaves it until released.
        let value = unsafe { entry.read() };
        self.read = self.read.wrapping_add(1);
        Some(value)
    }

    /// Gives the places of all entries popped so far back to the kernel.
    pub fn release(&mut self) {
        // Release: pairs with the kernel's acquire of the consumer index; our reads come first.
        self.memory.consumer().store(self.read, Ordering::Release);
    }
}

#[cfg(test)]
mod tests {
    use std::os::fd::{AsFd, AsRawFd, FromRawFd, OwnedFd};

    use super::*;

    const LAYOUT: Layout = Layout {
        producer: 0,
        consumer: 64,
        flags: 128,
        entries: 192,
        depth: 8,
    };

    /// Both ends of one ring, through two mappings of one file, both indices at `start`.
    fn pair(start: u32) -> (Producer<u64>, Consumer<u64>) {
        // SAFETY: the name is a string; the descriptor is new.
        let file = unsafe { libc::memfd_create(c"ring".as_ptr(), 0) };
        assert!(file >= 0);
        // SAFETY: owned by nobody else.
        let file = unsafe { OwnedFd::from_raw_fd(file) };
        // SAFETY: takes no pointers.
        let sized = unsafe { libc::ftruncate(file.as_raw_fd(), 4096) };
        assert_eq!(sized, 0);
        let map = || Mapping::shared(4096, file.as_fd(), 0, "test").unwrap();
        for offset in [LAYOUT.producer, LAYOUT.consumer] {
            let index = map();
            // SAFETY: inside the page and aligned; nobody else is looking yet.
            unsafe { index.at(offset, 4).cast::<u32>().write(start) };
        }
        (Producer::new(map(), LAYOUT), Consumer::new(map(), LAYOUT))
    }

    #[test]
    fn order_fullness_and_emptiness_hold_while_the_indices_wrap() {
        for start in [0, 5, u32::MAX - 20, u32::MAX] {
            let (mut producer, mut consumer) = pair(start);
            let (mut pushed, mut popped) = (0u64, 0u64);
            for turn in 0..50 {
                let want = turn % 9 + 1;
                for _ in 0..want {
                    let full = pushed - popped == 8;
                    assert_eq!(
                        producer.push(pushed),
                        if full { Err(pushed) } else { Ok(()) }
                    );
                    pushed += u64::from(!full);
                }
                assert_eq!(producer.room(), 8 - (pushed - popped) as u32);
                producer.publish();
                for _ in 0..turn % 7 {
                    let expected = (popped < pushed).then_some(popped);
                    assert_eq!(consumer.pop(), expected);
                    popped += u64::from(expected.is_some());
                }
                consumer.release();
                assert_eq!(producer.drained(), pushed == popped);
            }
            assert!(pushed > 100);
        }
    }

    #[test]
    fn nothing_is_seen_before_publish_nor_freed_before_release() {
        let (mut producer, mut consumer) = pair(u32::MAX);
        (0..8).for_each(|n| producer.push(n).unwrap());
        assert_eq!(consumer.pop(), None);
        producer.publish();
        assert_eq!(consumer.pop(), Some(0));
        assert_eq!(producer.push(8), Err(8));
        consumer.release();
        assert_eq!(producer.push(8), Ok(()));
        assert!(!producer.needs_wakeup());
    }
}
