//! Where in the journal a sequence number or a time is, without reading what lies before it.
//!
//! A mark for every mebibyte of every closed segment stands in a file of its own, which is written
//! anew under another name and renamed. It is a help and nothing more: each row has a checksum, a
//! segment whose rows are not all there counts as not indexed, and a reader compares the record at
//! a mark with the mark before it believes it. Whoever loses the file loses time.

use std::collections::BTreeMap;

use bytemuck::{Pod, Zeroable};

use crate::error::RecoveryError;
use crate::files::Files;
use crate::mark::Mark;
use crate::storage::StorageError;
use crate::walk::Walker;
use crate::{LINE_BYTES, Segments};

/// The index's file.
pub const INDEX_FILE: &str = "index";

/// What it is called while it is written.
const DRAFT_FILE: &str = "index.new";

/// Bytes of a segment between two marks, a record more or less.
pub const MARK_BYTES: u64 = 1 << 20;

/// Bytes of the file that are read at once.
const READ_BYTES: usize = 1 << 20;

const _: () = assert!(size_of::<Row>() == LINE_BYTES && READ_BYTES.is_multiple_of(LINE_BYTES));

/// One line of the file. All numbers are little-endian.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Pod, Zeroable)]
#[repr(C)]
pub struct Row {
    /// A place behind a record; the first of a segment is behind its opening record.
    pub mark: Mark,
    /// Rows of the mark's segment.
    pub rows: u32,
    /// CRC32C of the bytes before.
    pub checksum: u32,
}

impl Row {
    fn new(mark: Mark, rows: u32) -> Self {
        let mut row = Self {
            mark,
            rows,
            checksum: 0,
        };
        row.checksum = row.sum();
        row
    }

    fn sum(&self) -> u32 {
        crc32c::crc32c(&bytemuck::bytes_of(self)[..LINE_BYTES - size_of::<u32>()])
    }
}

/// Marks of closed segments, in order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Index {
    segments: BTreeMap<u32, Vec<Mark>>,
}

impl Index {
    /// Reads the file; what is missing or damaged in it is left out.
    ///
    /// # Errors
    /// The disk cannot be read.
    pub fn load(files: &mut dyn Files) -> Result<Self, StorageError> {
        let length = files.length(INDEX_FILE)?;
        let mut rows: BTreeMap<u32, (u32, Vec<Mark>)> = BTreeMap::new();
        let mut memory = vec![0; length.min(READ_BYTES as u64) as usize];
        let mut offset = 0;
        while offset + LINE_BYTES as u64 <= length {
            let bytes = (length - offset).min(READ_BYTES as u64) as usize;
            let bytes = bytes - bytes % LINE_BYTES;
            files.read(INDEX_FILE, offset, &mut memory[..bytes])?;
            for line in memory[..bytes].chunks_exact(LINE_BYTES) {
                let row: Row = bytemuck::pod_read_unaligned(line);
                if row.checksum == row.sum() {
                    let of = rows.entry(row.mark.segment).or_default();
                    of.0 = row.rows;
                    of.1.push(row.mark);
                }
            }
            offset += bytes as u64;
        }
        rows.retain(|_, (count, marks)| marks.len() == *count as usize && is_row(marks));
        let segments = rows.into_iter().map(|(number, (_, marks))| (number, marks));
        Ok(Self {
            segments: segments.collect(),
        })
    }

    /// Writes the file anew.
    ///
    /// # Errors
    /// The disk is full or failed; the file before stays.
    pub fn store(&self, files: &mut dyn Files) -> Result<(), StorageError> {
        let rows = self.segments.values().flat_map(|marks| {
            let count = marks.len() as u32;
            marks.iter().map(move |mark| Row::new(*mark, count))
        });
        let rows: Vec<Row> = rows.collect();
        files.remove(DRAFT_FILE)?;
        files.write(DRAFT_FILE, 0, bytemuck::cast_slice(&rows))?;
        files.flush(DRAFT_FILE)?;
        files.rename(DRAFT_FILE, INDEX_FILE)
    }

    /// Whether a segment is in it.
    #[must_use]
    pub fn has(&self, segment: u32) -> bool {
        self.segments.contains_key(&segment)
    }

    /// The marks of a segment, in order.
    #[must_use]
    pub fn marks(&self, segment: u32) -> &[Mark] {
        self.segments.get(&segment).map_or(&[], Vec::as_slice)
    }

    /// Forgets the segments before this one; whether there were any.
    pub(crate) fn forget_before(&mut self, segment: u32) -> bool {
        let before = self.segments.len();
        self.segments = self.segments.split_off(&segment);
        self.segments.len() < before
    }

    pub(crate) fn insert(&mut self, segment: u32, marks: Vec<Mark>) {
        self.segments.insert(segment, marks);
    }

    /// The last mark before input `sequence`; none when it is before all of them.
    #[must_use]
    pub fn before_sequence(&self, sequence: u64) -> Option<&Mark> {
        self.last(|mark| mark.next_sequence <= sequence)
    }

    /// The last mark before every input of `time_ns` or later.
    #[must_use]
    pub fn before_time(&self, time_ns: u64) -> Option<&Mark> {
        self.last(|mark| mark.time_ns < time_ns)
    }

    /// The last mark for which this holds; it holds for all before that one.
    fn last(&self, holds: impl Fn(&Mark) -> bool) -> Option<&Mark> {
        let mut segments = self.segments.values().rev();
        let marks = segments.find(|marks| marks.first().is_some_and(&holds))?;
        marks[..marks.partition_point(&holds)].last()
    }
}

/// Whether these are the marks of one segment from its beginning on.
fn is_row(marks: &[Mark]) -> bool {
    let opens = marks.first().is_some_and(|mark| mark.last == 0);
    opens && marks.windows(2).all(|two| two[0].offset < two[1].offset)
}

/// Reads the first segment that a walker walks to its end and notes its marks; `None` when no
/// other segment goes on behind it.
///
/// # Errors
/// As [`Walker::record`].
pub(crate) fn marks_of<S: Segments>(
    walker: &mut Walker<S>,
) -> Result<Option<Vec<Mark>>, RecoveryError> {
    let (mut marks, mut mark) = (Vec::<Mark>::new(), Mark::START);
    while let Some(record) = walker.record()? {
        if !mark.is_start() && record.at.number != mark.segment {
            return Ok(Some(marks));
        }
        mark.follow(&record.header, record.at, record.offset);
        let is_due = |last: &Mark| mark.offset >= last.offset + MARK_BYTES;
        if marks.last().is_none_or(is_due) {
            marks.push(mark);
        }
    }
    Ok(None)
}
