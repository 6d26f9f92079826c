//! Records that gather in memory until the disk can take the next write.
//!
//! A write begins at a block, so it repeats the durable end of the last block. Records get their
//! checksums only when the write begins: only then it is known what is durable.

use wire::ring::Input;

use crate::record::{Chain, Header, KIND_GROUP, MAGIC, VERSION};
use crate::storage::Buffer;
use crate::{BLOCK_BYTES, LINE_BYTES, WRITE_BYTES};

/// The buffer of the next write.
#[derive(Debug)]
pub(crate) struct Staging {
    buffer: Buffer,
    segment: u32,
    /// Where in the segment the buffer begins: a multiple of the block.
    base: u64,
    /// Bytes of the buffer that are durable already.
    durable: usize,
    /// Bytes of the buffer that are filled.
    end: usize,
}

impl Staging {
    /// Takes memory for one write.
    pub fn new() -> Self {
        let buffer = Buffer::new(WRITE_BYTES);
        Self {
            buffer,
            segment: 0,
            base: 0,
            durable: 0,
            end: 0,
        }
    }

    /// Goes to `offset` of a segment; `block` is what stands before it in its block. What was
    /// gathered and not written is forgotten.
    pub fn place(&mut self, segment: u32, offset: u64, block: &[u8]) {
        self.segment = segment;
        self.base = offset - block.len() as u64;
        self.buffer.memory()[..block.len()].copy_from_slice(block);
        self.durable = block.len();
        self.end = block.len();
    }

    /// The byte of the segment behind what is filled.
    pub fn offset(&self) -> u64 {
        self.base + self.end as u64
    }

    /// Segment and first byte of the write to come.
    pub fn at(&self) -> (u32, u64) {
        (self.segment, self.base)
    }

    /// Whether there is something to write.
    pub fn is_dirty(&self) -> bool {
        self.end > self.durable
    }

    /// Whether a record of `bytes` fits.
    pub fn has_room(&self, bytes: usize) -> bool {
        self.end + bytes <= self.buffer.capacity()
    }

    /// Adds a record that fits. `count` is taken as it is where there are no inputs.
    pub fn put(&mut self, chain: &mut Chain, kind: u8, count: u32, inputs: &[Input]) {
        let bytes = Header::bytes_with(inputs.len());
        let count = if kind == KIND_GROUP {
            inputs.len() as u32
        } else {
            count
        };
        let header = Header {
            magic: MAGIC,
            kind,
            version: VERSION,
            back: ((self.end - self.durable) / LINE_BYTES) as u16,
            bytes: bytes as u32,
            count,
            epoch: chain.epoch,
            first_sequence: chain.next_sequence,
            time_ns: inputs.last().map_or(chain.time_ns, |input| input.time_ns),
            durable: 0,
            segment: self.segment,
            line: (self.offset() / LINE_BYTES as u64) as u32,
            previous: 0,
            checksum: 0,
        };
        chain.next_sequence = header.next_sequence();
        chain.time_ns = header.time_ns;
        let into = &mut self.buffer.memory()[self.end..self.end + bytes];
        into[..LINE_BYTES].copy_from_slice(bytemuck::bytes_of(&header));
        into[LINE_BYTES..].copy_from_slice(bytemuck::cast_slice(inputs));
        self.end += bytes;
    }

    /// Fills in what was left open, and changes buffers: the full one is returned, the records to
    /// come gather in `spare`.
    pub fn seal(&mut self, chain: &mut Chain, durable: u64, spare: Buffer) -> Buffer {
        let filled = self.end.next_multiple_of(BLOCK_BYTES);
        self.buffer.memory()[self.end..filled].fill(0);
        let mut at = self.durable;
        while at < self.end {
            let record = &mut self.buffer.memory()[at..self.end];
            at += seal_record(record, chain, durable);
        }
        self.buffer.set_used(filled);
        let inside = self.end % BLOCK_BYTES;
        let whole = self.end - inside;
        let mut sealed = std::mem::replace(&mut self.buffer, spare);
        let block = &sealed.memory()[whole..whole + inside];
        self.buffer.memory()[..inside].copy_from_slice(block);
        self.base += whole as u64;
        self.durable = inside;
        self.end = inside;
        sealed
    }
}

/// Completes the record at the beginning of `memory`; returns its length.
fn seal_record(memory: &mut [u8], chain: &mut Chain, durable: u64) -> usize {
    let (first, rest) = memory.split_at_mut(LINE_BYTES);
    let mut header: Header = bytemuck::pod_read_unaligned(first);
    header.durable = durable;
    header.previous = chain.previous;
    let bytes = header.bytes as usize;
    header.checksum = header.sum(&rest[..bytes - LINE_BYTES]);
    chain.previous = header.checksum;
    first.copy_from_slice(bytemuck::bytes_of(&header));
    bytes
}
