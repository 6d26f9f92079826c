//! Private memory for big tables, on 2 MB pages where the kernel gives them.
//!
//! A look-up into a table of many megabytes on small pages misses the address cache as well as the
//! data caches. The kernel chooses a page when it is first touched, so it is asked for huge ones
//! before anything is written; then all of it is, so that no page is missing later.

use bytemuck::Pod;
use std::alloc::{Layout, alloc, dealloc};
use std::mem::MaybeUninit;
use std::ops::{Deref, DerefMut};
use std::ptr::NonNull;
use std::sync::atomic::{AtomicUsize, Ordering};

use crate::region::PageSize;

const HUGE_BYTES: usize = PageSize::Huge2M.bytes();

/// What a thread of its own is worth.
const SHARE_BYTES_MIN: usize = 16 << 20;

/// A part of new memory, which is to be cleared.
pub struct Share<'m> {
    memory: &'m mut [MaybeUninit<u8>],
    cleared: &'m AtomicUsize,
}

impl Share<'_> {
    /// Writes zeros.
    pub fn clear(self) {
        self.memory.fill(MaybeUninit::new(0));
        // Release: pairs with the Acquire in `Pages::zeroed_by`.
        self.cleared.fetch_add(1, Ordering::Release);
    }
}

/// A table of its owner's alone; every page is there from the start.
pub struct Pages<T> {
    start: NonNull<T>,
    count: usize,
    layout: Layout,
}

// SAFETY: it owns its memory, as a `Vec<T>` does.
unsafe impl<T: Send> Send for Pages<T> {}
// SAFETY: as above: shared use only reads.
unsafe impl<T: Sync> Sync for Pages<T> {}

impl<T: Pod> Pages<T> {
    /// So many entries of zeros, or none when there is no memory for them.
    #[must_use]
    pub fn zeroed(count: usize) -> Option<Self> {
        Self::zeroed_by(1, count, |shares| shares.into_iter().for_each(Share::clear))
    }

    /// The same in at most so many shares, which `clear` has cleared by whom it likes: the kernel
    /// clears each page when it is first touched, which takes long where much is wanted.
    #[must_use]
    pub fn zeroed_by(
        shares: usize,
        count: usize,
        clear: impl FnOnce(Vec<Share<'_>>),
    ) -> Option<Self> {
        let bytes = count.checked_mul(size_of::<T>())?;
        let bytes = bytes.max(1).checked_next_multiple_of(HUGE_BYTES)?;
        let layout = Layout::from_size_align(bytes, HUGE_BYTES.max(align_of::<T>())).ok()?;
        // SAFETY: the layout is not empty.
        let start = NonNull::new(unsafe { alloc(layout) })?;
        // SAFETY: the range was allocated above; the advice changes no contents. Its answer does
        // not matter: small pages work too.
        unsafe { libc::madvise(start.as_ptr().cast(), bytes, libc::MADV_HUGEPAGE) };
        // SAFETY: as above; nothing else knows of the range yet, and its bytes may be anything.
        let memory = unsafe { std::slice::from_raw_parts_mut(start.as_ptr().cast(), bytes) };
        let share_bytes = bytes.div_ceil(shares.max(1)).max(SHARE_BYTES_MIN);
        let cleared = AtomicUsize::new(0);
        let share = |memory| Share {
            memory,
            cleared: &cleared,
        };
        let parts = memory.chunks_mut(share_bytes.next_multiple_of(HUGE_BYTES));
        let wanted = parts.len();
        clear(parts.map(share).collect());
        // Acquire: pairs with the Release of each share.
        if cleared.load(Ordering::Acquire) != wanted {
            // SAFETY: all shares are gone; a forgotten one was not cleared.
            unsafe { start.write_bytes(0, bytes) };
        }
        Some(Self {
            start: start.cast(),
            count,
            layout,
        })
    }

    /// Bytes of the memory, and how many of them lie on huge pages now; none when the system does
    /// not tell.
    #[must_use]
    pub fn bytes_huge(&self) -> (usize, Option<usize>) {
        let start = self.start.as_ptr() as usize;
        let range = start..start + self.layout.size();
        let maps = std::fs::read_to_string("/proc/self/smaps");
        (range.len(), maps.ok().map(|maps| huge_in(&maps, &range)))
    }
}

/// Bytes of huge pages in the mappings that begin within a range, or hold its start. A mapping may
/// be larger than the range: then no more than the range is counted.
fn huge_in(maps: &str, range: &std::ops::Range<usize>) -> usize {
    let (mut within, mut bytes) = (false, 0);
    for line in maps.lines() {
        let word = line.split_whitespace().next().unwrap_or_default();
        let ends = word.split_once('-').map(|(from, to)| {
            let number = |text| usize::from_str_radix(text, 16).ok();
            (number(from), number(to))
        });
        if let Some((Some(from), Some(to))) = ends {
            within = from < range.end && to > range.start;
        } else if within && word == "AnonHugePages:" {
            let kilobytes = line.split_whitespace().nth(1);
            bytes += kilobytes.and_then(|text| text.parse().ok()).unwrap_or(0) * 1_024;
        }
    }
    bytes.min(range.len())
}

impl<T> Deref for Pages<T> {
    type Target = [T];

    #[inline]
    fn deref(&self) -> &[T] {
        // SAFETY: `count` entries were allocated and written with zeros, and any bytes make an
        // entry.
        unsafe { std::slice::from_raw_parts(self.start.as_ptr(), self.count) }
    }
}

impl<T> DerefMut for Pages<T> {
    #[inline]
    fn deref_mut(&mut self) -> &mut [T] {
        // SAFETY: as in `deref`, and they are borrowed through `self` alone.
        unsafe { std::slice::from_raw_parts_mut(self.start.as_ptr(), self.count) }
    }
}

impl<T> Drop for Pages<T> {
    fn drop(&mut self) {
        // SAFETY: allocated in `zeroed` with this layout, and dropped once.
        unsafe { dealloc(self.start.as_ptr().cast(), self.layout) };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_is_whole_zero_and_aligned() {
        for count in [0, 1, HUGE_BYTES / 8, HUGE_BYTES / 8 + 1] {
            let mut table = Pages::<u64>::zeroed(count).expect("memory");
            assert_eq!(table.len(), count);
            assert!(table.iter().all(|word| *word == 0));
            assert!((table.as_ptr() as usize).is_multiple_of(HUGE_BYTES));
            table.iter_mut().for_each(|word| *word = u64::MAX);
            let (bytes, huge) = table.bytes_huge();
            assert!(bytes >= count * 8 && bytes.is_multiple_of(HUGE_BYTES));
            assert!(huge.is_none_or(|huge| huge <= bytes && huge.is_multiple_of(HUGE_BYTES)));
        }
    }

    #[test]
    fn several_threads_leave_no_byte_out() {
        let count = (3 * SHARE_BYTES_MIN + 5 * HUGE_BYTES) / 8 - 1;
        let apart = |shares: Vec<Share<'_>>| {
            std::thread::scope(|scope| {
                for share in shares {
                    scope.spawn(|| share.clear());
                }
            });
        };
        let forgetful = |shares: Vec<Share<'_>>| shares.into_iter().skip(1).for_each(Share::clear);
        for threads in [0, 1, 2, 3, 100] {
            let mut table = Pages::<u64>::zeroed_by(threads, count, apart).expect("memory");
            assert!(table.iter().all(|word| *word == 0), "{threads} threads");
            table.iter_mut().for_each(|word| *word = u64::MAX);
            drop(table);
            let table = Pages::<u64>::zeroed_by(threads, count, forgetful).expect("memory");
            assert!(table.iter().all(|word| *word == 0), "{threads} threads");
        }
    }

    #[test]
    fn no_table_is_larger_than_memory() {
        assert!(Pages::<u64>::zeroed(usize::MAX).is_none());
        assert!(Pages::<u64>::zeroed(usize::MAX / 8 - 1).is_none());
    }

    #[test]
    fn huge_pages_are_counted_where_the_range_is() {
        let maps = "\
00200000-00400000 rw-p 00000000 00:00 0 \nAnonHugePages:      2048 kB
00400000-00a00000 rw-p 00000000 00:00 0 \nRss:  4096 kB\nAnonHugePages:      4096 kB
00a00000-00c00000 rw-p 00000000 00:00 0 [heap]\nAnonHugePages:      2048 kB\n";
        assert_eq!(huge_in(maps, &(0x40_0000..0xa0_0000)), 4 << 20);
        assert_eq!(huge_in(maps, &(0x20_0000..0x40_0000)), 2 << 20);
        assert_eq!(huge_in(maps, &(0x20_0000..0xc0_0000)), 8 << 20);
        assert_eq!(
            huge_in(maps, &(0x40_0000..0x60_0000)),
            2 << 20,
            "no more than the range"
        );
        assert_eq!(huge_in(maps, &(0xc0_0000..0xe0_0000)), 0);
    }
}
