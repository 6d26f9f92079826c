//! The memory that an engine lives in: on 2 MB pages where the kernel gives them.

use std::alloc::{Layout, alloc_zeroed, dealloc};
use std::ptr::NonNull;

use matching::Line;

/// The huge page of x86-64 and of most others.
const HUGE_PAGE_BYTES: usize = 2 << 20;

/// Lines of zeros, aligned to a huge page; the kernel is asked for huge pages, and may refuse.
pub struct Lines {
    start: NonNull<Line>,
    count: usize,
    layout: Layout,
}

// SAFETY: it owns plain memory, as a `Vec<Line>` does.
unsafe impl Send for Lines {}

impl Lines {
    /// So many lines, or none when there is no memory for them.
    #[must_use]
    pub fn new(count: usize) -> Option<Self> {
        let bytes = count.checked_mul(size_of::<Line>())?;
        if bytes == 0 {
            return None;
        }
        let layout = Layout::from_size_align(bytes, HUGE_PAGE_BYTES).ok()?;
        // SAFETY: the layout is not empty.
        let start = unsafe { alloc_zeroed(layout) };
        let start = NonNull::new(start.cast::<Line>())?;
        // SAFETY: the range was allocated above; the advice changes no contents. Its answer does
        // not matter: small pages work too.
        unsafe { libc::madvise(start.as_ptr().cast(), bytes, libc::MADV_HUGEPAGE) };
        Some(Self {
            start,
            count,
            layout,
        })
    }

    /// The lines.
    pub fn as_mut_slice(&mut self) -> &mut [Line] {
        // SAFETY: `count` lines were allocated zeroed, any bytes make a line, and they are borrowed
        // through `self` alone.
        unsafe { std::slice::from_raw_parts_mut(self.start.as_ptr(), self.count) }
    }

    /// The lines for as long as anyone likes.
    ///
    /// # Safety
    /// Nothing may use the slice after `self` is dropped, and nothing else may borrow the lines.
    pub(crate) unsafe fn as_static(&mut self) -> &'static mut [Line] {
        // SAFETY: as in `as_mut_slice`; the lifetime is the caller's promise.
        unsafe { std::slice::from_raw_parts_mut(self.start.as_ptr(), self.count) }
    }
}

impl Drop for Lines {
    fn drop(&mut self) {
        // SAFETY: allocated in `new` with this layout, and dropped once.
        unsafe { dealloc(self.start.as_ptr().cast(), self.layout) };
    }
}
