//! Bytes of a connection that came and were not read.
//!
//! What was read stays in front until there is as much of it as may wait: a backlog that is read a
//! message at a time, as the engine has room, is not moved to the front for each of them.

/// A bounded buffer; of twice the bytes that may wait.
#[derive(Default)]
pub(super) struct Unread {
    bytes: Vec<u8>,
    /// Bytes in front that were read.
    read: usize,
    bytes_max: usize,
}

impl Unread {
    pub(super) fn new(bytes_max: usize) -> Self {
        Self {
            bytes: Vec::with_capacity(2 * bytes_max),
            read: 0,
            bytes_max,
        }
    }

    pub(super) fn bytes(&self) -> &[u8] {
        &self.bytes[self.read..]
    }

    /// Bytes that fit.
    pub(super) const fn room(&self) -> usize {
        self.bytes_max - (self.bytes.len() - self.read)
    }

    /// Appends bytes that fit. A byte is moved once at most for each one that was read.
    pub(super) fn push(&mut self, more: &[u8]) {
        debug_assert!(more.len() <= self.room());
        if self.bytes.len() + more.len() > 2 * self.bytes_max {
            self.bytes.drain(..self.read);
            self.read = 0;
        }
        self.bytes.extend_from_slice(more);
    }

    /// So many bytes were read.
    pub(super) fn advance(&mut self, bytes: usize) {
        self.read += bytes;
        if self.read == self.bytes.len() {
            self.clear();
        }
    }

    /// Forgets all.
    pub(super) fn clear(&mut self) {
        self.bytes.clear();
        self.read = 0;
    }
}

#[cfg(test)]
mod tests {
    use super::Unread;
    use proptest::prelude::proptest;

    proptest! {
        #[test]
        fn bytes_come_out_as_they_went_in(
            steps in proptest::collection::vec((0..12_usize, 0..12_usize), 1..300),
        ) {
            let (mut unread, mut plain) = (Unread::new(10), Vec::new());
            let mut next = 0_u8;
            for (more, fewer) in steps {
                assert_eq!(unread.room(), 10 - plain.len());
                for _ in 0..more.min(unread.room()) {
                    next = next.wrapping_add(1);
                    plain.push(next);
                    unread.push(&[next]);
                }
                assert_eq!(unread.bytes(), plain);
                let fewer = fewer.min(plain.len());
                plain.drain(..fewer);
                unread.advance(fewer);
                assert!(unread.bytes.capacity() == 20, "memory is taken once");
            }
        }
    }
}
