//! What the fuzzers of state machines share: an input read as a script of acts and times.

use session::SECOND_NS;

/// Noon of some day.
pub const START_NS: u64 = 1_700_000_000 * SECOND_NS;

/// An input, read from its front; behind its end everything is 0.
pub struct Script<'a>(&'a [u8]);

impl<'a> Script<'a> {
    #[must_use]
    pub const fn new(bytes: &'a [u8]) -> Self {
        Self(bytes)
    }

    #[must_use]
    pub const fn is_over(&self) -> bool {
        self.0.is_empty()
    }

    pub fn byte(&mut self) -> u8 {
        let (first, rest) = self.0.split_first().unwrap_or((&0, &[]));
        self.0 = rest;
        *first
    }

    pub fn number<const BYTES: usize>(&mut self) -> u64 {
        (0..BYTES).fold(0, |all, _| all << 8 | u64::from(self.byte()))
    }

    /// A number below `of`, which is at most 256.
    pub fn below(&mut self, of: usize) -> usize {
        usize::from(self.byte()) % of
    }

    pub fn is(&mut self) -> bool {
        self.byte() & 1 == 1
    }

    /// Bytes as they are: up to 255 of them.
    pub fn bytes(&mut self) -> &'a [u8] {
        let length = usize::from(self.byte()).min(self.0.len());
        let (bytes, rest) = self.0.split_at(length);
        self.0 = rest;
        bytes
    }

    /// A stretch of time, from 128 ns to 73 minutes.
    pub fn stretch_ns(&mut self) -> u64 {
        let size = self.byte();
        (u64::from(size >> 5) + 1) << (u32::from(size & 31) + 7)
    }
}
