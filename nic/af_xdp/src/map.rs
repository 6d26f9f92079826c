//! Mapped memory, unmapped when dropped.

use std::os::fd::{AsRawFd, BorrowedFd};
use std::ptr::{self, NonNull};

use crate::error::Error;

/// A mapping that we own.
#[derive(Debug)]
pub(crate) struct Mapping {
    start: NonNull<u8>,
    bytes: usize,
}

// SAFETY: mapped memory belongs to the process, not to a thread.
unsafe impl Send for Mapping {}
// SAFETY: by itself it only gives out addresses; who reads or writes there answers for it.
unsafe impl Sync for Mapping {}

impl Mapping {
    /// Part of the memory that the kernel offers behind `fd`, touched so that no fault comes later.
    pub fn shared(
        bytes: usize,
        fd: BorrowedFd<'_>,
        offset: i64,
        step: &'static str,
    ) -> Result<Mapping, Error> {
        let access = libc::PROT_READ | libc::PROT_WRITE;
        Self::map(bytes, access, fd, offset, step)
    }

    /// All of a file, to read only.
    pub fn read_only(
        bytes: usize,
        fd: BorrowedFd<'_>,
        step: &'static str,
    ) -> Result<Mapping, Error> {
        Self::map(bytes, libc::PROT_READ, fd, 0, step)
    }

    fn map(
        bytes: usize,
        access: libc::c_int,
        fd: BorrowedFd<'_>,
        offset: i64,
        step: &'static str,
    ) -> Result<Mapping, Error> {
        let flags = libc::MAP_SHARED | libc::MAP_POPULATE;
        let (none, fd) = (ptr::null_mut(), fd.as_raw_fd());
        // SAFETY: the kernel chooses the place; nothing of ours is replaced.
        let start = unsafe { libc::mmap(none, bytes, access, flags, fd, offset) };
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
