//! Mapped memory, unmapped when dropped.

use std::os::fd::{AsRawFd, BorrowedFd};
use std::ptr::{self, NonNull};

use crate::error::Error;

const HUGE_PAGE_BYTES: usize = 2 << 20;

/// A mapping that we own.
#[derive(Debug)]
pub(crate) struct Mapping {
    start: NonNull<u8>,
    bytes: usize,
}

// SAFETY: mapped memory belongs to the process, not to a thread.
unsafe impl Send for Mapping {}

impl Mapping {
    /// Fresh zeroed memory, on huge pages when there are any, touched so that no fault comes later.
    pub fn anonymous(bytes: usize) -> Result<Mapping, Error> {
        let step = "mapping memory for frames";
        let flags = libc::MAP_PRIVATE | libc::MAP_ANONYMOUS | libc::MAP_POPULATE;
        if bytes.is_multiple_of(HUGE_PAGE_BYTES) {
            let huge = Self::map(bytes, flags | libc::MAP_HUGETLB, -1, 0, step);
            if huge.is_ok() {
                return huge;
            }
        }
        Self::map(bytes, flags, -1, 0, step)
    }

    /// A part of the memory that the kernel offers behind `fd`.
    pub fn shared(bytes: usize, fd: BorrowedFd<'_>, offset: i64) -> Result<Mapping, Error> {
        let flags = libc::MAP_SHARED | libc::MAP_POPULATE;
        Self::map(bytes, flags, fd.as_raw_fd(), offset, "mapping a ring")
    }

    fn map(
        bytes: usize,
        flags: libc::c_int,
        fd: libc::c_int,
        offset: i64,
        step: &'static str,
    ) -> Result<Mapping, Error> {
        let access = libc::PROT_READ | libc::PROT_WRITE;
        // SAFETY: the kernel chooses the place; nothing of ours is replaced.
        let start = unsafe { libc::mmap(ptr::null_mut(), bytes, access, flags, fd, offset) };
        if start == libc::MAP_FAILED {
            return Err(Error::last(step));
        }
        NonNull::new(start.cast())
            .map(|start| Mapping { start, bytes })
            .ok_or(Error::last(step))
    }

    pub fn len(&self) -> usize {
        self.bytes
    }

    /// The place `offset` bytes in, with `bytes` behind it inside the mapping.
    pub fn at(&self, offset: usize, bytes: usize) -> NonNull<u8> {
        assert!(
            offset <= self.bytes && bytes <= self.bytes - offset,
            "outside the mapping"
        );
        // SAFETY: inside the mapping, as just checked.
        unsafe { self.start.add(offset) }
    }
}

impl Drop for Mapping {
    fn drop(&mut self) {
        // SAFETY: mapped by us with this size, and unmapped once.
        let _ = unsafe { libc::munmap(self.start.as_ptr().cast(), self.bytes) };
    }
}
