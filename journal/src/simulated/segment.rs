//! A segment on the simulated platter, and what a power cut leaves of what was not flushed.

use super::SECTOR_BYTES;
use crate::BLOCK_BYTES;

/// A segment on the disk.
#[derive(Clone, Debug, Default)]
pub(super) struct Segment {
    /// What survives a power cut.
    pub platter: Vec<u8>,
    /// What was written and not flushed, in order: offset and bytes.
    pub unflushed: Vec<(usize, Vec<u8>)>,
    /// It is compressed: nothing can be written to it.
    pub is_archived: bool,
}

/// What is lost of a write that is not flushed when the power goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Loss {
    /// Each sector for itself.
    Sectors,
    /// Each page for itself.
    Pages,
    /// All from some byte on: a partial write.
    Tail,
    /// Each sector for itself, and one of them breaks off inside.
    Torn,
    /// Everything.
    All,
}

impl Loss {
    pub const EACH: [Self; 5] = [
        Self::Sectors,
        Self::Pages,
        Self::Tail,
        Self::Torn,
        Self::All,
    ];
}

impl Segment {
    /// A segment of zeros, or of these bytes, all flushed.
    pub fn flushed(platter: Vec<u8>) -> Self {
        Self {
            platter,
            ..Self::default()
        }
    }

    /// Copies what a reader sees from `start` on; `false` when the segment is shorter.
    pub fn read(&self, start: usize, into: &mut [u8]) -> bool {
        let end = start + into.len();
        let Some(found) = self.platter.get(start..end) else {
            return false;
        };
        into.copy_from_slice(found);
        for (offset, written) in &self.unflushed {
            let (from, to) = (start.max(*offset), end.min(offset + written.len()));
            if from < to {
                into[from - start..to - start]
                    .copy_from_slice(&written[from - offset..to - offset]);
            }
        }
        true
    }

    /// What a reader sees while the power is on.
    pub fn view(&self) -> Vec<u8> {
        let mut bytes = vec![0; self.platter.len()];
        self.read(0, &mut bytes);
        bytes
    }

    /// A flush: everything that was written is on the platter.
    pub fn flush(&mut self) {
        for (offset, written) in self.unflushed.drain(..) {
            self.platter[offset..offset + written.len()].copy_from_slice(&written);
        }
    }

    /// The power goes: of each write that is not flushed something is lost, by `random`.
    pub fn tear(&mut self, loss: Loss, random: &mut dyn FnMut() -> u64) {
        for (offset, written) in std::mem::take(&mut self.unflushed) {
            land(&mut self.platter, loss, (offset, &written), random);
        }
    }
}

/// Where a write changes what is there: the first byte and the one behind the last.
fn changed(there: &[u8], written: &[u8]) -> (usize, usize) {
    let differs = |(old, new): (&u8, &u8)| old != new;
    let first = there.iter().zip(written).position(differs).unwrap_or(0);
    let last = there
        .iter()
        .zip(written)
        .rposition(differs)
        .unwrap_or(first);
    (first, last + 1)
}

/// Brings to a platter what is not lost of a write; gives the end of what came, 0 for nothing.
pub(super) fn land(
    platter: &mut [u8],
    loss: Loss,
    (offset, written): (usize, &[u8]),
    random: &mut dyn FnMut() -> u64,
) -> usize {
    let whole = written.len();
    let step = match loss {
        Loss::All => return 0,
        Loss::Pages => BLOCK_BYTES,
        Loss::Tail => whole.max(1),
        Loss::Sectors | Loss::Torn => SECTOR_BYTES,
    };
    let (first, end) = changed(&platter[offset..offset + whole], written);
    let broken = first + random() as usize % (end - first).max(1);
    let mut landed = 0;
    for (index, piece) in written.chunks(step).enumerate() {
        let kept = match loss {
            Loss::Tail => broken,
            Loss::Torn if index == broken / SECTOR_BYTES => broken % SECTOR_BYTES,
            _ if random() & 1 == 0 => piece.len(),
            _ => 0,
        };
        let (start, kept) = (offset + index * step, kept.min(piece.len()));
        platter[start..start + kept].copy_from_slice(&piece[..kept]);
        if kept > 0 {
            landed = start + kept;
        }
    }
    landed
}
