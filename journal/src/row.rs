//! The row of a journal's files, looked at before any of them is read; and what a start looks at of
//! those that a snapshot stands for, which it does not read.

use crate::error::{Corrupt, Field, RecoveryError};
use crate::mark::Mark;
use crate::record::{Header, KIND_SEGMENT, MAGIC, VERSION};
use crate::storage::{SegmentFile, Segments, StorageError};
use crate::{BLOCK_BYTES, LINE_BYTES, SEGMENT_BYTES_MAX, SEGMENT_BYTES_MIN};

/// Refuses a row of files with a gap, or with a length no segment has.
pub(crate) fn check_files<S: Segments>(
    storage: &S,
    segments: &[SegmentFile],
    first: u32,
) -> Result<(), Corrupt> {
    for (at, due) in segments.iter().zip(first..) {
        if at.number != due {
            let (found, expected) = (at.number.into(), due.into());
            let file = storage.file(due);
            return Err(Corrupt {
                file,
                offset: 0,
                field: Field::File,
                found,
                expected,
            });
        }
        let fits = (SEGMENT_BYTES_MIN..=SEGMENT_BYTES_MAX).contains(&at.bytes);
        if !fits || !at.bytes.is_multiple_of(BLOCK_BYTES as u64) {
            let whole = at.bytes.next_multiple_of(BLOCK_BYTES as u64);
            let expected = whole.clamp(SEGMENT_BYTES_MIN, SEGMENT_BYTES_MAX);
            let (file, field) = (storage.file(at.number), Field::FileLength);
            return Err(Corrupt {
                file,
                offset: at.bytes,
                field,
                found: at.bytes,
                expected,
            });
        }
    }
    Ok(())
}

/// Looks whether the segments before a mark's are all there from the first one on that is, have
/// the length of one, and begin as segments of this journal, in their order. Compressed ones said
/// their length by their table already. Costs one small read a segment.
///
/// # Errors
/// The first that is not as it should be, or the disk's word.
pub(crate) fn check_before<S: Segments>(
    storage: &mut S,
    before: &[SegmentFile],
    mark: &Mark,
) -> Result<(), RecoveryError> {
    let Some(first) = before.first() else {
        return Ok(());
    };
    check_files(storage, before, first.number).map_err(RecoveryError::Corrupt)?;
    let missing = first.number + before.len() as u32;
    if missing != mark.segment {
        let (found, expected) = (0, missing.into());
        return Err(RecoveryError::Corrupt(Corrupt {
            file: storage.file(missing),
            offset: 0,
            field: Field::File,
            found,
            expected,
        }));
    }
    let mut last = (0, 0, 0);
    for at in before.iter().filter(|at| !at.is_archived) {
        let opening = opening(storage, *at)?;
        if opening.magic == MAGIC && opening.version > VERSION {
            return Err(RecoveryError::Newer {
                file: storage.file(at.number),
                offset: 0,
                version: opening.version,
            });
        }
        if let Some((field, found, expected)) = wrong(&opening, *at, last, mark) {
            return Err(RecoveryError::Corrupt(Corrupt {
                file: storage.file(at.number),
                offset: 0,
                field,
                found,
                expected,
            }));
        }
        last = (opening.first_sequence, opening.epoch, opening.time_ns);
    }
    Ok(())
}

fn opening<S: Segments>(storage: &mut S, at: SegmentFile) -> Result<Header, StorageError> {
    let mut line = [0; LINE_BYTES];
    storage.read(at.number, 0, &mut line)?;
    Ok(bytemuck::pod_read_unaligned(&line))
}

/// What an opening record behind `last` (sequence, epoch, time) and before the mark cannot say.
fn wrong(
    opening: &Header,
    at: SegmentFile,
    (sequence, epoch, time_ns): (u64, u64, u64),
    mark: &Mark,
) -> Option<(Field, u64, u64)> {
    let sum = opening.sum(&[]);
    let between = |field, found: u64, least: u64, most: u64| {
        let is_wrong = !(least..=most).contains(&found);
        is_wrong.then_some((field, found, if found < least { least } else { most }))
    };
    let is = |field, found: u64, due: u64| between(field, found, due, due);
    is(Field::Magic, opening.magic.into(), MAGIC.into())
        .or_else(|| is(Field::Checksum, opening.checksum.into(), sum.into()))
        .or_else(|| is(Field::Kind, opening.kind.into(), KIND_SEGMENT.into()))
        .or_else(|| is(Field::Segment, opening.segment.into(), at.number.into()))
        .or_else(|| {
            let (found, most) = (opening.first_sequence, mark.next_sequence);
            between(Field::Sequence, found, sequence, most)
        })
        .or_else(|| between(Field::Epoch, opening.epoch, epoch, mark.epoch))
        .or_else(|| between(Field::Time, opening.time_ns, time_ns, mark.time_ns))
}
