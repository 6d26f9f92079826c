//! What a new life does to the end of the journal before it writes: wipe and flush.
//!
//! The end of what was read is written once more, because a killed process may have left it
//! unflushed; what a torn write left behind it becomes zero again, so that no later recovery finds
//! records of an abandoned tail.

use std::collections::VecDeque;

use crate::BLOCK_BYTES;
use crate::recovery::Resume;
use crate::storage::Buffer;
use crate::tail::Stretch;

/// The writes to come.
#[derive(Debug)]
pub(crate) struct Wipe {
    stretches: VecDeque<Stretch>,
    /// The durable beginning of the first stretch's first block.
    block: Vec<u8>,
    /// What the journal continues with: everything before is durable when all is done.
    pub next_sequence: u64,
}

impl Wipe {
    pub fn new(resume: &Resume) -> Self {
        let mut stretches: VecDeque<Stretch> = resume.dirty.iter().copied().collect();
        let (segment, end) = (resume.at.number, resume.offset);
        if segment > 0
            && stretches
                .front()
                .is_none_or(|first| first.segment != segment)
        {
            stretches.push_front(Stretch {
                segment,
                from: end,
                to: end,
            });
        }
        let next_sequence = resume.chain.next_sequence;
        Self {
            stretches,
            block: resume.block.clone(),
            next_sequence,
        }
    }

    /// Whether every write was begun.
    pub fn is_done(&self) -> bool {
        self.stretches.is_empty()
    }

    /// Fills the buffer with the next write and says where it goes.
    ///
    /// The first stretch of the segment that is written on begins inside a block: its durable part
    /// is repeated. A write of no bytes is still a flush.
    pub fn next(&mut self, buffer: &mut Buffer) -> Option<(u32, u64)> {
        let mut stretch = self.stretches.pop_front()?;
        let block = std::mem::take(&mut self.block);
        let offset = stretch.from - block.len() as u64;
        let wanted = stretch.to.next_multiple_of(BLOCK_BYTES as u64) - offset;
        let bytes = wanted.min(buffer.capacity() as u64) as usize;
        let memory = &mut buffer.memory()[..bytes];
        memory.fill(0);
        memory[..block.len()].copy_from_slice(&block);
        buffer.set_used(bytes);
        stretch.from = offset + bytes as u64;
        if stretch.from < stretch.to {
            self.stretches.push_front(stretch);
        }
        Some((stretch.segment, offset))
    }
}
