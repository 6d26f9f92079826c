//! The replies of one member's day, in the form in which they go onto the wire.
//!
//! Each reply is stored as its whole SoupBinTCP packet, so that sending is copying from an offset
//! and a packet that a socket took half of needs nothing remembered but the offset. The memory is a
//! ring: the oldest replies give way to new ones. Whoever needs those has them kept elsewhere.

/// Length and type of a packet.
pub(crate) const PACKET_HEAD_BYTES: usize = 3;

/// The longest reply that is stored: one of a drop copy.
pub(crate) const REPLY_BYTES_MAX: usize = wire::ouch::outbound::Replaced::BYTES + ACCOUNT_BYTES;

/// The element that names an account: length, tag and value.
const ACCOUNT_BYTES: usize = 6;

const _: () = assert!(REPLY_BYTES_MAX >= wire::drop_copy::OrderEvent::BYTES);

const PACKET_BYTES_MAX: usize = PACKET_HEAD_BYTES + REPLY_BYTES_MAX;

/// Sequenced packets, numbered from 1 and never changed. Offsets count from the first byte ever.
pub(crate) struct Store {
    /// Replies so far.
    count: u64,
    /// Those of them, the first ones, that are not here any more or never were.
    gone: u64,
    /// Those that are kept elsewhere: it may be ahead of the count.
    covered: u64,
    bytes: Vec<u8>,
    bytes_max: usize,
    /// Offset of the first byte of `bytes`, as it was last written.
    lap: usize,
    /// Offset of the oldest packet here.
    first: usize,
    end: usize,
    /// Where each packet starts, modulo 2^32, in turn; the first place is that of reply `base + 1`.
    starts: Vec<u32>,
    base: u64,
    messages_max: usize,
}

impl Store {
    /// Takes the memory; `bytes_max` fits into 32 bits.
    pub(crate) fn new(bytes_max: usize, messages_max: usize) -> Self {
        debug_assert!(u32::try_from(bytes_max).is_ok());
        Self {
            count: 0,
            gone: 0,
            covered: 0,
            bytes: Vec::with_capacity(bytes_max),
            bytes_max,
            lap: 0,
            first: 0,
            end: 0,
            starts: Vec::with_capacity(messages_max),
            base: 0,
            messages_max,
        }
    }

    /// Whether the next reply may take the place of older ones.
    pub(crate) const fn is_full(&self) -> bool {
        self.end - self.first + PACKET_BYTES_MAX > self.bytes_max
            || self.count - self.gone >= self.messages_max as u64
    }

    /// Number of replies.
    pub(crate) const fn count(&self) -> u64 {
        self.count
    }

    /// How many of the first replies are kept elsewhere.
    pub(crate) const fn covered(&self) -> u64 {
        self.covered
    }

    /// The first `count` replies are kept elsewhere too: of those that are not there yet nothing
    /// but their number is taken.
    pub(crate) const fn cover(&mut self, count: u64) {
        if count > self.covered {
            self.covered = count;
        }
    }

    /// Goes on behind `count` replies that are kept elsewhere; before there are any here.
    pub(crate) fn begin_behind(&mut self, count: u64) {
        debug_assert!(self.first == self.end);
        self.count = count;
        self.empty_behind();
    }

    /// Counts a reply that is kept elsewhere and is not to be had here; `false` for one that must
    /// be pushed.
    pub(crate) fn skip(&mut self) -> bool {
        let skips = self.count < self.covered && self.gone == self.count;
        if skips {
            self.count += 1;
            self.empty_behind();
        }
        skips
    }

    /// Hands out all replies, without their packets' heads, and forgets them.
    pub(crate) fn drain(&mut self, on: &mut dyn FnMut(&[u8])) {
        let mut message = [0; REPLY_BYTES_MAX];
        while self.first < self.end {
            let end = self.packet_end(self.first);
            let from = self.first + PACKET_HEAD_BYTES;
            let message = &mut message[..end - from];
            for (at, byte) in (from..end).zip(message.iter_mut()) {
                *byte = self.byte(at);
            }
            on(message);
            self.first = end;
        }
        (self.lap, self.first, self.end) = (0, 0, 0);
        self.empty_behind();
    }

    /// None of the replies so far is here.
    fn empty_behind(&mut self) {
        (self.gone, self.base) = (self.count, self.count);
        self.starts.clear();
    }

    /// Appends a reply; `false` for one of more than [`REPLY_BYTES_MAX`] bytes.
    pub(crate) fn push(&mut self, message: &[u8]) -> bool {
        debug_assert!(message.len() <= REPLY_BYTES_MAX);
        if message.len() > REPLY_BYTES_MAX {
            return false;
        }
        let bytes = PACKET_HEAD_BYTES + message.len();
        while self.end + bytes - self.first > self.bytes_max
            || self.count - self.gone >= self.messages_max as u64
        {
            self.first = self.packet_end(self.first);
            self.gone += 1;
        }
        let index = self.index(self.count);
        match self.starts.get_mut(index) {
            Some(start) => *start = self.end as u32,
            None => self.starts.push(self.end as u32),
        }
        self.count += 1;
        let [high, low] = (message.len() as u16 + 1).to_be_bytes();
        self.put(&[high, low, b'S']);
        self.put(message);
        true
    }

    /// Copies a reply, without its packet's head, and gives its bytes; none of one that is not
    /// here.
    pub(crate) fn message(&self, sequence: u64, out: &mut [u8; REPLY_BYTES_MAX]) -> Option<usize> {
        let start = self.start(sequence).filter(|start| !self.is_end(*start))?;
        let from = start + PACKET_HEAD_BYTES;
        let bytes = self.packet_end(start) - from;
        let places = out.get_mut(..bytes)?.iter_mut();
        places
            .zip(from..)
            .for_each(|(place, at)| *place = self.byte(at));
        Some(bytes)
    }

    /// Offset of a packet; that of the one after the last is the end. None of one that is not here.
    pub(crate) fn start(&self, sequence: u64) -> Option<usize> {
        let index = sequence.checked_sub(1)?;
        if index < self.gone || index > self.count {
            return None;
        }
        if index == self.count {
            return Some(self.end);
        }
        let start = self.starts.get(self.index(index))?;
        let behind = (self.end as u32).wrapping_sub(*start);
        Some(self.end - behind as usize)
    }

    /// Whether what is at an offset gave way.
    pub(crate) const fn is_gone(&self, at: usize) -> bool {
        at < self.first
    }

    /// Bytes from an offset on, as many as lie in one piece.
    pub(crate) fn from(&self, at: usize) -> &[u8] {
        let here = self.place(at);
        let bytes = self.end.saturating_sub(at).min(self.bytes_max - here);
        self.bytes.get(here..here + bytes).unwrap_or(&[])
    }

    /// Whether an offset is the end.
    pub(crate) const fn is_end(&self, at: usize) -> bool {
        at >= self.end
    }

    /// Where the packet that starts at an offset ends; the end of all ends at itself.
    pub(crate) fn packet_end(&self, start: usize) -> usize {
        if self.is_end(start) {
            return self.end;
        }
        let length = u16::from_be_bytes([self.byte(start), self.byte(start + 1)]);
        start + 2 + usize::from(length)
    }

    const fn index(&self, index: u64) -> usize {
        ((index - self.base) % self.messages_max as u64) as usize
    }

    /// Where the byte of an offset lies, which is in this lap or the one before.
    const fn place(&self, at: usize) -> usize {
        if at >= self.lap {
            at - self.lap
        } else {
            at + self.bytes_max - self.lap
        }
    }

    fn byte(&self, at: usize) -> u8 {
        self.bytes.get(self.place(at)).copied().unwrap_or(0)
    }

    /// Writes bytes at the end; what lay there may be overwritten.
    fn put(&mut self, bytes: &[u8]) {
        let mut rest = bytes;
        while !rest.is_empty() {
            if self.end - self.lap == self.bytes_max {
                self.lap = self.end;
            }
            let here = self.end - self.lap;
            let (piece, later) = rest.split_at(rest.len().min(self.bytes_max - here));
            match self.bytes.get_mut(here..here + piece.len()) {
                Some(place) => place.copy_from_slice(piece),
                // The first lap: memory is touched as it is used.
                None => {
                    self.bytes.truncate(here);
                    self.bytes.extend_from_slice(piece);
                }
            }
            self.end += piece.len();
            rest = later;
        }
    }
}

/// Packs a message as [`Store`] keeps it.
pub(crate) fn pack(message: &[u8], out: &mut Vec<u8>) {
    out.extend_from_slice(&(message.len() as u16 + 1).to_be_bytes());
    out.push(b'S');
    out.extend_from_slice(message);
}
