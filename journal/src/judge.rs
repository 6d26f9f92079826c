//! Whether bytes are a whole record, and whether it continues the chain.

use wire::ring::Input;

use crate::error::{Corrupt, Field, RecoveryError};
use crate::record::{Chain, Header, KIND_GROUP, KIND_SEGMENT, MAGIC, VERSION};
use crate::storage::{SegmentFile, Segments, StorageError};
use crate::window::Window;
use crate::{BLOCK_BYTES, GROUP_INPUTS_MAX, LINE_BYTES};

/// What stands at a place, looked at alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// A line of zeros: nothing was written here.
    Zero,
    /// Bytes as they were written.
    Whole(Header),
    /// Something else: the field that tells, what it is and what it should be.
    Damaged(Field, u64, u64),
}

/// Reads the record at `offset` and checks it against itself.
pub(crate) fn read_whole<S: Segments>(
    window: &mut Window<S>,
    at: SegmentFile,
    offset: u64,
) -> Result<Verdict, StorageError> {
    let line = window.line(at, offset)?;
    if line.iter().all(|byte| *byte == 0) {
        return Ok(Verdict::Zero);
    }
    let header: Header = bytemuck::pod_read_unaligned(line);
    if header.magic != MAGIC {
        return Ok(Verdict::Damaged(
            Field::Magic,
            header.magic.into(),
            MAGIC.into(),
        ));
    }
    let bytes = header.bytes as usize;
    let longest = Header::bytes_with(GROUP_INPUTS_MAX).min((at.bytes - offset) as usize);
    if bytes < LINE_BYTES || bytes > longest || !bytes.is_multiple_of(LINE_BYTES) {
        let due = Header::bytes_with(header.inputs().unwrap_or(0));
        return Ok(Verdict::Damaged(Field::Length, bytes as u64, due as u64));
    }
    let sum = header.sum(&window.show(at, offset, bytes)?[LINE_BYTES..bytes]);
    if sum != header.checksum {
        return Ok(Verdict::Damaged(
            Field::Checksum,
            header.checksum.into(),
            sum.into(),
        ));
    }
    Ok(Verdict::Whole(header))
}

/// Checks a whole record against the chain, and only then hands out its inputs; gives how many.
pub(crate) fn accept<S: Segments>(
    window: &mut Window<S>,
    chain: &Chain,
    header: &Header,
    place: (SegmentFile, u64),
    on: &mut dyn FnMut(&Input),
) -> Result<usize, RecoveryError> {
    let record = examine(window, chain, header, place)?;
    record.inputs.iter().for_each(on);
    Ok(record.inputs.len())
}

/// Checks a whole record against the chain, and only then shows it.
pub(crate) fn examine<'w, S: Segments>(
    window: &'w mut Window<S>,
    chain: &Chain,
    header: &Header,
    (at, offset): (SegmentFile, u64),
) -> Result<Record<'w>, RecoveryError> {
    if header.version > VERSION {
        return Err(RecoveryError::Newer {
            file: window.file(at.number),
            offset,
            version: header.version,
        });
    }
    if let Some((field, found, expected)) = show(window, header, at, offset)?.wrong(chain) {
        return Err(RecoveryError::Corrupt(Corrupt {
            file: window.file(at.number),
            offset,
            field,
            found,
            expected,
        }));
    }
    Ok(show(window, header, at, offset)?)
}

fn show<'w, S: Segments>(
    window: &'w mut Window<S>,
    header: &Header,
    at: SegmentFile,
    offset: u64,
) -> Result<Record<'w>, StorageError> {
    let bytes = header.bytes as usize;
    let body = &window.show(at, offset, bytes)?[LINE_BYTES..bytes];
    Ok(Record {
        header: *header,
        inputs: bytemuck::cast_slice(body),
        at,
        offset,
    })
}

/// A whole record at its place.
#[derive(Clone, Copy, Debug)]
pub struct Record<'a> {
    /// Its first line.
    pub header: Header,
    /// What a group holds; empty in other records.
    pub inputs: &'a [Input],
    /// The segment it stands in.
    pub at: SegmentFile,
    /// The byte of the segment where it begins.
    pub offset: u64,
}

impl Record<'_> {
    /// What keeps the record from being the next one of `chain`: field, found, expected.
    ///
    /// No crash makes a whole record that is not: this is damage or another journal's file.
    fn wrong(&self, chain: &Chain) -> Option<(Field, u64, u64)> {
        self.wrong_shape()
            .or_else(|| self.wrong_place(chain))
            .or_else(|| self.wrong_inputs(chain))
    }

    fn wrong_shape(&self) -> Option<(Field, u64, u64)> {
        let header = &self.header;
        if header.version != VERSION {
            return Some((Field::Version, header.version.into(), VERSION.into()));
        }
        let opening = if self.offset == 0 {
            KIND_SEGMENT
        } else {
            KIND_GROUP
        };
        if (header.kind == KIND_SEGMENT) != (self.offset == 0) {
            return Some((Field::Kind, header.kind.into(), opening.into()));
        }
        let lines = u64::from(header.bytes) / LINE_BYTES as u64 - 1;
        let Some(inputs) = header.inputs() else {
            let unknown = (Field::Kind, header.kind.into(), opening.into());
            let uncounted = (Field::Count, header.count.into(), lines);
            return Some(if header.is_kind_known() {
                uncounted
            } else {
                unknown
            });
        };
        let bytes = Header::bytes_with(inputs);
        if header.bytes as usize != bytes {
            return Some((Field::Length, header.bytes.into(), bytes as u64));
        }
        let blocks = self.at.bytes / BLOCK_BYTES as u64;
        if header.kind == KIND_SEGMENT && u64::from(header.count) != blocks {
            return Some((Field::FileLength, blocks, header.count.into()));
        }
        None
    }

    fn wrong_place(&self, chain: &Chain) -> Option<(Field, u64, u64)> {
        let header = &self.header;
        let line = self.offset / LINE_BYTES as u64;
        let durable_max = chain.next_sequence - 1;
        if header.segment != self.at.number {
            Some((Field::Segment, header.segment.into(), self.at.number.into()))
        } else if u64::from(header.line) != line {
            Some((Field::Offset, header.line.into(), line))
        } else if header.epoch < chain.epoch.max(1) {
            Some((Field::Epoch, header.epoch, chain.epoch.max(1)))
        } else if header.first_sequence != chain.next_sequence {
            Some((Field::Sequence, header.first_sequence, chain.next_sequence))
        } else if header.previous != chain.previous {
            Some((
                Field::Previous,
                header.previous.into(),
                chain.previous.into(),
            ))
        } else if header.durable > durable_max {
            Some((Field::Durable, header.durable, durable_max))
        } else {
            None
        }
    }

    fn wrong_inputs(&self, chain: &Chain) -> Option<(Field, u64, u64)> {
        let mut time_ns = chain.time_ns;
        for (input, sequence) in self.inputs.iter().zip(chain.next_sequence..) {
            if input.sequence != sequence {
                return Some((Field::Sequence, input.sequence, sequence));
            }
            if input.time_ns < time_ns {
                return Some((Field::Time, input.time_ns, time_ns));
            }
            time_ns = input.time_ns;
        }
        let header = self.header.time_ns;
        (header != time_ns).then_some((Field::Time, header, time_ns))
    }
}
