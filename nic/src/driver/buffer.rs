//! Bytes shared with the kernel: reached through a raw pointer only, so that no Rust reference
//! claims them while an operation reads or writes them.

use std::ptr;

/// A fixed block of zeroed bytes. Callers keep the parts in use by an operation apart from the
/// parts they read or write.
#[derive(Debug)]
pub(crate) struct Buffer {
    start: *mut u8,
    length: usize,
}

// SAFETY: the block is owned; nothing about it belongs to a thread.
unsafe impl Send for Buffer {}

impl Buffer {
    pub fn new(length: usize) -> Buffer {
        let block = vec![0u8; length].into_boxed_slice();
        Buffer {
            start: Box::into_raw(block).cast(),
            length,
        }
    }

    pub fn len(&self) -> usize {
        self.length
    }

    /// Pointer to the byte at `offset`, which is at most the length.
    pub fn at(&self, offset: usize) -> *mut u8 {
        assert!(offset <= self.length);
        // SAFETY: within the block or one past its end.
        unsafe { self.start.add(offset) }
    }

    /// Copies `bytes` in at `offset`; they must fit.
    pub fn write(&mut self, offset: usize, bytes: &[u8]) {
        assert!(offset + bytes.len() <= self.length);
        let to = self.at(offset);
        // SAFETY: the range was checked, and a caller's slice cannot overlap an owned block.
        unsafe { ptr::copy_nonoverlapping(bytes.as_ptr(), to, bytes.len()) };
    }

    /// The first `length` bytes, which no operation may be writing.
    pub fn first(&self, length: usize) -> &[u8] {
        self.part(0, length)
    }

    /// `length` bytes at `offset`, which no operation may be writing.
    pub fn part(&self, offset: usize, length: usize) -> &[u8] {
        assert!(offset + length <= self.length);
        // SAFETY: the range was checked and every byte was initialised at start.
        unsafe { std::slice::from_raw_parts(self.at(offset), length) }
    }
}

impl Drop for Buffer {
    fn drop(&mut self) {
        let block = ptr::slice_from_raw_parts_mut(self.start, self.length);
        // SAFETY: the block came from `Box::into_raw` with this length and is freed once.
        drop(unsafe { Box::from_raw(block) });
    }
}
