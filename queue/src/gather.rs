//! Reading in a stream: wait until several messages are there, then take them together.
//!
//! A reader that asks for the next line as soon as it may be there takes it from the writer who is
//! filling it, and both wait for the line to come back. This one looks at a slot further on: if
//! that one is filled, so are those before it. How far it looks follows the stream.

use crate::memory::RingMemory;
use crate::ring::Reader;
use crate::slots::number_in_slot;
use std::hint::{select_unpredictable, spin_loop};

/// Messages that it waits for at most, and at most a quarter ring.
const AHEAD_MAX: u64 = 32;

/// Spin hints of a rest for each message that is waited for: such a rest is about as long as a busy
/// writer takes for them.
const HINTS: u64 = 2;

impl<B, M: RingMemory<B>> Reader<B, M> {
    /// Like [`Reader::take`], but lets messages gather: it may say 0 although some are there. How
    /// many it waits for doubles with each call that finds them, up to 32, and halves with each
    /// call that does not: after six calls in vain a single message is taken at once.
    ///
    /// For readers of streams whose messages may wait a microsecond or two; see [`Reader::rest`].
    #[inline]
    pub fn gather(&mut self, max: usize, mut on: impl FnMut(u64, &B)) -> usize {
        let end = self.taken + self.ahead.min(max as u64);
        if number_in_slot(&self.memory, end) != end {
            self.ahead = (self.ahead / 2).max(1);
            return 0;
        }
        let start = self.taken;
        while self.taken < end {
            // Never beyond the end, not even where the processor guesses that the loop goes on: a
            // load there would take the line from the writer.
            let next = self.taken + 1;
            let next = select_unpredictable(next < end, next, end);
            // The end may belong to a batch that is not published yet.
            let Some((stamp, body)) = self.look_at(next) else {
                break;
            };
            on(stamp, &body);
            self.advance();
        }
        if self.taken == end {
            let ahead_max = AHEAD_MAX.min(self.memory.depth() / 4);
            self.ahead = (self.ahead * 2).min(ahead_max).max(1);
        }
        (self.taken - start) as usize
    }

    /// Waits after a [`Reader::gather`] in vain: about as long as a busy writer takes for what it
    /// looks for, which is next to nothing when little has come lately.
    #[inline]
    pub fn rest(&self) {
        (0..self.ahead * HINTS).for_each(|_| spin_loop());
    }
}
