//! The replies of one member's day, in the form in which they go onto the wire.
//!
//! Each reply is stored as its whole SoupBinTCP packet, so that sending is copying from an offset
//! and a packet that a socket took half of needs nothing remembered but the offset.

/// Length and type of a packet.
pub(crate) const PACKET_HEAD_BYTES: usize = 3;

/// The longest reply that is stored: one of a drop copy.
pub(crate) const REPLY_BYTES_MAX: usize = wire::drop_copy::OrderEvent::BYTES;

const PACKET_BYTES_MAX: usize = PACKET_HEAD_BYTES + REPLY_BYTES_MAX;

/// Sequenced packets, numbered from 1 and never changed.
pub(crate) struct Store {
    /// Packets that were here once and are not any more.
    gone: u64,
    bytes: Vec<u8>,
    bytes_max: usize,
    /// Where each packet starts.
    starts: Vec<u32>,
    messages_max: usize,
}

impl Store {
    /// Takes the memory; `bytes_max` fits into 32 bits.
    pub(crate) fn new(bytes_max: usize, messages_max: usize) -> Self {
        debug_assert!(u32::try_from(bytes_max).is_ok());
        Self {
            gone: 0,
            bytes: Vec::with_capacity(bytes_max),
            bytes_max,
            starts: Vec::with_capacity(messages_max),
            messages_max,
        }
    }

    /// Replies that surely fit, whatever their length.
    pub(crate) fn room(&self) -> usize {
        let by_bytes = (self.bytes_max - self.bytes.len()) / PACKET_BYTES_MAX;
        by_bytes.min(self.messages_max - self.starts.len())
    }

    /// Number of replies.
    pub(crate) fn count(&self) -> u64 {
        self.gone + self.starts.len() as u64
    }

    /// Goes on behind `count` replies that are kept elsewhere; before there are any here.
    pub(crate) fn begin_behind(&mut self, count: u64) {
        debug_assert!(self.starts.is_empty());
        self.gone = count;
    }

    /// Hands out all replies, without their packets' heads, and forgets them.
    pub(crate) fn drain(&mut self, on: &mut dyn FnMut(&[u8])) {
        for (index, start) in self.starts.iter().enumerate() {
            let end = self
                .starts
                .get(index + 1)
                .map_or(self.bytes.len(), |it| *it as usize);
            on(&self.bytes[*start as usize + PACKET_HEAD_BYTES..end]);
        }
        self.gone += self.starts.len() as u64;
        self.bytes.clear();
        self.starts.clear();
    }

    /// Appends a reply of at most [`REPLY_BYTES_MAX`] bytes, or says that there is no room.
    pub(crate) fn push(&mut self, message: &[u8]) -> bool {
        debug_assert!(message.len() <= REPLY_BYTES_MAX);
        if self.room() == 0 || message.len() > REPLY_BYTES_MAX {
            return false;
        }
        self.starts.push(self.bytes.len() as u32);
        self.bytes
            .extend_from_slice(&(message.len() as u16 + 1).to_be_bytes());
        self.bytes.push(b'S');
        self.bytes.extend_from_slice(message);
        true
    }

    /// Offset of a packet; that of the one after the last is the end.
    pub(crate) fn start(&self, sequence: u64) -> Option<usize> {
        let index = sequence.checked_sub(1)?.checked_sub(self.gone)?;
        let index = usize::try_from(index).ok()?;
        match self.starts.get(index) {
            Some(start) => Some(*start as usize),
            None => (index == self.starts.len()).then_some(self.bytes.len()),
        }
    }

    /// The bytes from an offset to the end.
    pub(crate) fn from(&self, at: usize) -> &[u8] {
        self.bytes.get(at..).unwrap_or(&[])
    }

    /// Whether an offset is the end.
    pub(crate) fn is_end(&self, at: usize) -> bool {
        at >= self.bytes.len()
    }

    /// Where the packet that starts at an offset ends; the end of all ends at itself.
    pub(crate) fn packet_end(&self, start: usize) -> usize {
        match self.from(start) {
            [high, low, ..] => start + 2 + usize::from(u16::from_be_bytes([*high, *low])),
            _ => self.bytes.len(),
        }
    }
}
