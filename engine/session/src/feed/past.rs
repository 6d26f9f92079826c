//! Messages of a stream that its history does not hold: they are kept elsewhere.

use wire::mold::{DATAGRAM_BYTES_MAX, HEADER_BYTES, Request};

use super::stream::{Answer, Stream};

impl<S> Stream<S> {
    /// The first `count` messages are kept elsewhere and were sent: those of them that come yet are
    /// counted, and not to be had here.
    pub fn cover(&mut self, count: u64) {
        self.covered = self.covered.max(count);
    }

    /// Answers a request whose messages were [`Answer::Gone`] with blocks from elsewhere, which
    /// begin with message `sequence`: as many of them as there are, and fit a packet.
    pub fn recalled(
        &mut self,
        (sequence, count): (u64, u16),
        blocks: &[u8],
        send: &mut dyn FnMut(&[u8]) -> bool,
    ) -> Answer {
        let mut packet = [0; DATAGRAM_BYTES_MAX];
        let header = Request {
            session: self.config.session,
            sequence,
            count,
        };
        // The header has its length: it cannot fail.
        let head_bytes = header.encode(&mut packet).unwrap_or(0);
        let bytes = head_bytes + blocks.len();
        if count == 0 || bytes > self.config.payload_bytes_max {
            return Answer::Gone;
        }
        packet[head_bytes..bytes].copy_from_slice(blocks);
        if !send(&packet[..bytes]) {
            return Answer::NotTaken;
        }
        self.counters.requests_refused -= 1;
        self.counters.requests_answered += 1;
        Answer::Sent(count)
    }

    /// Bytes of blocks that fit a packet.
    #[must_use]
    pub const fn blocks_bytes_max(&self) -> usize {
        self.config.payload_bytes_max - HEADER_BYTES
    }
}
