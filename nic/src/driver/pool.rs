//! Receive buffers that all sockets of a ring share.
//!
//! The kernel takes a buffer when bytes come, not when a receive is armed, so a socket that is
//! silent holds none. Free buffers stand in a ring of descriptors that both sides map. Only the
//! thread that owns the io_uring touches it: with deferred work, the kernel selects buffers inside
//! that thread's own system calls. So no barrier is needed, and none would do with a kernel thread
//! beside it.

use std::io;
use std::ptr::{self, NonNull};

use io_uring::Submitter;
use io_uring::types::BufRingEntry;

use super::Buffer;

/// The group under which the kernel knows the buffers.
pub(super) const GROUP: u16 = 0;
/// Most buffers of a pool, and the least.
const BUFFERS_MAX: usize = 256;
const BUFFERS_MIN: usize = 16;
/// Bytes that the buffers should not exceed together.
const POOL_BYTES: usize = 16 << 20;

const _: () = assert!(BUFFERS_MAX.is_power_of_two() && BUFFERS_MIN.is_power_of_two());
const _: () = assert!(BUFFERS_MAX <= 1 << 15, "the kernel's bound");

/// The buffers and the ring of free ones.
pub(super) struct Pool {
    entries: NonNull<BufRingEntry>,
    bytes: Buffer,
    buffer_bytes: usize,
    count: u16,
    tail: u16,
}

// SAFETY: mapping and buffers are owned; nothing about them belongs to a thread.
unsafe impl Send for Pool {}

impl Pool {
    /// Takes the memory and tells the kernel of it.
    pub fn new(submitter: &Submitter<'_>, buffer_bytes: usize) -> io::Result<Pool> {
        let fitting = (POOL_BYTES / buffer_bytes).clamp(BUFFERS_MIN, BUFFERS_MAX);
        let count = 1 << fitting.ilog2();
        let entries = map(usize::from(count))?;
        let mut pool = Pool {
            entries,
            bytes: Buffer::new(buffer_bytes * usize::from(count)),
            buffer_bytes,
            count,
            tail: 0,
        };
        let at = pool.entries.as_ptr() as u64;
        // SAFETY: the mapping is page-aligned and holds `count` entries; it outlives the ring,
        // whose owner leaks the pool if the kernel will not let go.
        unsafe { submitter.register_buf_ring_with_flags(at, count, GROUP, 0) }?;
        (0..count).for_each(|id| pool.give(id));
        Ok(pool)
    }

    /// The first `length` bytes of a buffer that the kernel filled.
    pub fn bytes(&self, id: u16, length: usize) -> &[u8] {
        assert!(id < self.count && length <= self.buffer_bytes);
        self.bytes.part(usize::from(id) * self.buffer_bytes, length)
    }

    /// Lets the kernel use a buffer again.
    pub fn give(&mut self, id: u16) {
        assert!(id < self.count);
        let place = usize::from(self.tail & (self.count - 1));
        let start = self.bytes.at(usize::from(id) * self.buffer_bytes);
        // SAFETY: the place is below the number of entries that are mapped.
        let mut at = unsafe { self.entries.add(place) };
        // SAFETY: mapped, aligned, and the kernel reads it only inside this thread's calls.
        let entry = unsafe { at.as_mut() };
        entry.set_addr(start as u64);
        entry.set_len(self.buffer_bytes as u32);
        entry.set_bid(id);
        self.tail = self.tail.wrapping_add(1);
        // SAFETY: the ring's first entry holds the tail in a field that the setters leave alone.
        let tail = unsafe { BufRingEntry::tail(self.entries.as_ptr()) }.cast_mut();
        // SAFETY: mapped and writable; the kernel reads it only inside this thread's calls.
        unsafe { tail.write_volatile(self.tail) };
    }
}

impl Drop for Pool {
    fn drop(&mut self) {
        let length = usize::from(self.count) * size_of::<BufRingEntry>();
        // SAFETY: mapped by `map` with this length, and unmapped once. The kernel has its own hold
        // on the pages.
        unsafe { libc::munmap(self.entries.as_ptr().cast(), length) };
    }
}

/// Memory of its own for a ring of entries: page-aligned, as the kernel demands.
fn map(count: usize) -> io::Result<NonNull<BufRingEntry>> {
    let length = count * size_of::<BufRingEntry>();
    let access = libc::PROT_READ | libc::PROT_WRITE;
    let kind = libc::MAP_PRIVATE | libc::MAP_ANONYMOUS | libc::MAP_POPULATE;
    // SAFETY: asks for new memory and names no old one.
    let at = unsafe { libc::mmap(ptr::null_mut(), length, access, kind, -1, 0) };
    if at == libc::MAP_FAILED {
        return Err(io::Error::last_os_error());
    }
    NonNull::new(at.cast()).ok_or_else(io::Error::last_os_error)
}
