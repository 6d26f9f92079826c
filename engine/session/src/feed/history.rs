//! The last messages of a feed, in the form of MoldUDP64 blocks, in memory of fixed size.

use wire::mold::BLOCK_HEADER_BYTES;

/// A ring of blocks: a message pushed when there is no room takes that of the oldest.
pub(super) struct History {
    bytes: Vec<u8>,
    /// Where each message's block starts, by sequence number; offsets count from the first byte
    /// ever.
    starts: Vec<u64>,
    end: u64,
    /// Number of the oldest message kept.
    first: u64,
    /// Number of the next message.
    next: u64,
}

impl History {
    pub(super) fn new(bytes: usize, messages: usize) -> Self {
        Self {
            bytes: vec![0; bytes],
            starts: vec![0; messages],
            end: 0,
            first: 1,
            next: 1,
        }
    }

    /// Begins with message number `next`; before there are any.
    pub(super) const fn begin(&mut self, next: u64) {
        self.first = next;
        self.next = next;
    }

    pub(super) const fn first(&self) -> u64 {
        self.first
    }

    pub(super) const fn next(&self) -> u64 {
        self.next
    }

    /// Whether so many messages and so many bytes of blocks fit without a loss from `kept` on.
    pub(super) fn fits(&self, kept: u64, messages: usize, bytes: usize) -> bool {
        let messages_kept = (self.next - kept) as usize;
        let bytes_kept = (self.end - self.start(kept)) as usize;
        messages_kept + messages <= self.starts.len() && bytes_kept + bytes <= self.bytes.len()
    }

    /// Appends a message, which must be shorter than the ring.
    pub(super) fn push(&mut self, message: &[u8]) {
        let block = BLOCK_HEADER_BYTES + message.len();
        while self.first < self.next && !self.fits(self.first, 1, block) {
            self.first += 1;
        }
        let index = self.index(self.next);
        self.starts[index] = self.end;
        self.next += 1;
        self.write(&(message.len() as u16).to_be_bytes());
        self.write(message);
    }

    /// Copies the blocks from `sequence` on, as many whole ones as fit and are before `before`;
    /// gives their number and their bytes.
    pub(super) fn copy(&self, sequence: u64, before: u64, out: &mut [u8]) -> (u16, usize) {
        let begin = self.start(sequence);
        let mut bytes = 0;
        let mut count = 0;
        // The greatest count says end of session.
        while sequence + u64::from(count) < before && count < u16::MAX - 1 {
            let end = (self.start(sequence + u64::from(count) + 1) - begin) as usize;
            if end > out.len() {
                break;
            }
            bytes = end;
            count += 1;
        }
        let at = (begin % self.bytes.len() as u64) as usize;
        let straight = bytes.min(self.bytes.len() - at);
        out[..straight].copy_from_slice(&self.bytes[at..at + straight]);
        out[straight..bytes].copy_from_slice(&self.bytes[..bytes - straight]);
        (count, bytes)
    }

    fn start(&self, sequence: u64) -> u64 {
        if sequence >= self.next {
            self.end
        } else {
            self.starts[self.index(sequence)]
        }
    }

    fn index(&self, sequence: u64) -> usize {
        (sequence % self.starts.len() as u64) as usize
    }

    fn write(&mut self, bytes: &[u8]) {
        let at = (self.end % self.bytes.len() as u64) as usize;
        let straight = bytes.len().min(self.bytes.len() - at);
        let (front, rest) = bytes.split_at(straight);
        self.bytes[at..at + straight].copy_from_slice(front);
        self.bytes[..rest.len()].copy_from_slice(rest);
        self.end += bytes.len() as u64;
    }
}
