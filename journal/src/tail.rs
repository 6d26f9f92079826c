//! What lies behind the last good record: nothing, a torn tail, or proof of damage.
//!
//! One write is in flight at a time, and every record says where its write began. So what stands
//! before that place was durable, and somebody may have been told about it. If a whole record
//! behind the break of the chain says so about the place of the break, the journal is damaged; if
//! none does, the break is inside the last write, which nobody was told about. A whole record that
//! does not stand where it says is damage too, for no crash moves one; and so is more than one
//! write can have left.

use crate::error::{Corrupt, Field};
use crate::judge::{Verdict, read_whole};
use crate::record::KIND_SEGMENT;
use crate::storage::{SegmentFile, Segments, StorageError};
use crate::window::Window;
use crate::{LINE_BYTES, WRITE_BYTES};

/// A line that nothing was written to.
const ZEROS: [u8; LINE_BYTES] = [0; LINE_BYTES];

/// A stretch of a segment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Stretch {
    pub segment: u32,
    pub from: u64,
    /// The byte behind the last.
    pub to: u64,
}

/// Where the chain of records breaks, or ends.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Break {
    pub segment: u32,
    pub offset: u64,
    /// The first input that was not found.
    pub next_sequence: u64,
}

/// What lies behind the last good record.
#[derive(Debug, Default)]
pub(crate) struct Tail {
    /// A whole record says that the place of the break was durable.
    pub proof: bool,
    /// Bytes that are not zero, by segment; not all of them where there is proof.
    pub dirty: Vec<Stretch>,
}

/// Looks at everything behind the break, which is in the first of `segments`.
pub(crate) fn inspect<S: Segments>(
    window: &mut Window<S>,
    segments: &[SegmentFile],
    broken: Break,
) -> Result<Tail, StorageError> {
    let mut tail = Tail::default();
    let mut from = broken.offset;
    for at in segments {
        let mut end = from;
        let mut line = from;
        while line < at.bytes {
            let skipped = zeros(window.show(*at, line, LINE_BYTES)?) as u64;
            if skipped == 0 {
                if proves(window, *at, line, broken)? {
                    tail.proof = true;
                    return Ok(tail);
                }
                line += LINE_BYTES as u64;
                end = line;
            }
            line += skipped;
        }
        if end > from {
            tail.dirty.push(Stretch {
                segment: at.number,
                from,
                to: end,
            });
        }
        from = 0;
    }
    tail.proof = !one_write(&tail.dirty);
    Ok(tail)
}

/// The first line behind the records of a segment that is written no more, if one is not zero.
pub(crate) fn dirty_line<S: Segments>(
    window: &mut Window<S>,
    at: SegmentFile,
    from: u64,
) -> Result<Option<Corrupt>, StorageError> {
    let mut offset = from;
    while offset < at.bytes {
        let shown = window.show(at, offset, LINE_BYTES)?;
        let skipped = zeros(shown);
        if skipped == 0 {
            let found = bytemuck::pod_read_unaligned::<u32>(&shown[..4]).into();
            return Ok(Some(Corrupt {
                file: window.file(at.number),
                offset,
                field: Field::Magic,
                found,
                expected: 0,
            }));
        }
        offset += skipped as u64;
    }
    Ok(None)
}

/// Whether one write can have left these bytes.
fn one_write(dirty: &[Stretch]) -> bool {
    match dirty {
        [] => true,
        [only] => only.to - only.from <= WRITE_BYTES as u64,
        _ => false,
    }
}

/// Bytes of whole lines of zeros at the beginning.
fn zeros(bytes: &[u8]) -> usize {
    let lines = bytes.chunks_exact(LINE_BYTES);
    lines.take_while(|line| *line == ZEROS).count() * LINE_BYTES
}

/// Whether a whole record begins here that was written after the place of the break was durable.
fn proves<S: Segments>(
    window: &mut Window<S>,
    at: SegmentFile,
    offset: u64,
    broken: Break,
) -> Result<bool, StorageError> {
    let Verdict::Whole(header) = read_whole(window, at, offset)? else {
        return Ok(false);
    };
    let line = offset / LINE_BYTES as u64;
    if header.segment != at.number || u64::from(header.line) != line {
        return Ok(true);
    }
    let write = line.saturating_sub(header.back.into()) * LINE_BYTES as u64;
    if at.number == broken.segment {
        return Ok(write > broken.offset);
    }
    // The break may be the end of its segment, and the first write of the next one torn: then the
    // opening record is not whole, no second write followed, and no input is missing before it.
    let opens = header.kind == KIND_SEGMENT;
    Ok(opens || write > 0 || header.durable >= broken.next_sequence)
}
