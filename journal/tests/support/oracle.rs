//! What recovery must make of a damaged journal, told from the whole one.
//!
//! The first record that the damage touches decides. If a record behind it, which the damage left
//! alone, began its write behind it, the touched one was durable before that write, and somebody
//! may have been told about it: recovery must refuse and name it. If there is none, the touched
//! record may as well never have been written: everything before it must be handed out, and nothing
//! else.

use std::ops::Range;

use bytemuck::Zeroable as _;
use journal::record::{Header, KIND_SEGMENT};
use journal::storage::segment_name;
use journal::{
    Corrupt, Field, Input, LINE_BYTES, RecoveryError, SegmentFile, Segments, StorageError,
    WRITE_BYTES, recover,
};

/// Where a byte stands: the index of its segment, and its offset there.
pub type At = (usize, usize);

/// A record of a journal that is in order.
#[derive(Clone, Copy, Debug)]
pub struct Place {
    pub at: At,
    pub end: usize,
    pub inputs_before: usize,
    /// Where the write began that brought it.
    pub write: At,
    pub kind: u8,
    /// The greatest input that was durable when its write began.
    pub durable: u64,
}

/// A journal that is in order.
pub struct Whole {
    /// Segments from number 1 on.
    pub segments: Vec<Vec<u8>>,
    /// Its records.
    pub places: Vec<Place>,
    /// Its inputs.
    pub inputs: Vec<Input>,
}

impl Whole {
    pub fn new(segments: Vec<Vec<u8>>) -> Self {
        let (mut places, mut inputs) = (Vec::new(), Vec::new());
        for (index, bytes) in segments.iter().enumerate() {
            let mut offset = 0;
            while offset < bytes.len() {
                let header: Header =
                    bytemuck::pod_read_unaligned(&bytes[offset..offset + LINE_BYTES]);
                if header.bytes == 0 {
                    break;
                }
                let end = offset + header.bytes as usize;
                places.push(Place {
                    at: (index, offset),
                    end,
                    inputs_before: inputs.len(),
                    write: (index, offset - usize::from(header.back) * LINE_BYTES),
                    kind: header.kind,
                    durable: header.durable,
                });
                let body = bytes[offset + LINE_BYTES..end].chunks(LINE_BYTES);
                inputs.extend(body.map(bytemuck::pod_read_unaligned::<Input>));
                offset = end;
            }
        }
        Self {
            segments,
            places,
            inputs,
        }
    }

    /// The record that holds a byte.
    fn place(&self, at: At) -> Option<&Place> {
        let index = self.places.partition_point(|place| place.at <= at);
        let place = self.places[..index].last()?;
        (place.at.0 == at.0 && at.1 < place.end).then_some(place)
    }
}

/// One change of a journal's bytes.
#[derive(Clone, Debug)]
pub struct Edit {
    pub at: At,
    pub bytes: Vec<u8>,
}

/// A journal with some of its bytes changed: storage that recovery reads.
pub struct Damaged<'w> {
    pub whole: &'w Whole,
    pub edits: Vec<Edit>,
    /// Bytes that the last segment's file lacks.
    pub cut: usize,
}

impl<'w> Damaged<'w> {
    pub fn new(whole: &'w Whole, edits: Vec<Edit>) -> Self {
        Self {
            whole,
            edits,
            cut: 0,
        }
    }

    /// One flipped bit.
    pub fn flip(whole: &'w Whole, at: At, bit: u8) -> Self {
        let bytes = vec![whole.segments[at.0][at.1] ^ (1 << bit)];
        Self::new(whole, vec![Edit { at, bytes }])
    }

    /// Other bytes from one place on.
    pub fn put(whole: &'w Whole, at: At, bytes: &[u8]) -> Self {
        let bytes = bytes.to_vec();
        Self::new(whole, vec![Edit { at, bytes }])
    }

    /// Everything from a place on was never written.
    pub fn unwritten(whole: &'w Whole, at: At) -> Self {
        let segments = whole.segments.iter().enumerate().skip(at.0);
        let edits = segments.map(|(index, bytes)| {
            let from = if index == at.0 { at.1 } else { 0 };
            Edit {
                at: (index, from),
                bytes: vec![0; bytes.len() - from],
            }
        });
        Self::new(whole, edits.collect())
    }

    /// Two stretches of the same length, each where the other one was.
    pub fn swapped(whole: &'w Whole, one: At, other: At, length: usize) -> Self {
        let of = |at: At| whole.segments[at.0][at.1..at.1 + length].to_vec();
        let (first, second) = (of(one), of(other));
        let edits = [(one, second), (other, first)];
        Self::new(whole, edits.map(|(at, bytes)| Edit { at, bytes }).into())
    }

    /// The first byte that is not what it was.
    fn first_changed(&self) -> Option<At> {
        let changed = self.edits.iter().filter_map(|Edit { at, bytes }| {
            let whole = &self.whole.segments[at.0][at.1..];
            let same = whole
                .iter()
                .zip(bytes)
                .position(|(one, other)| one != other);
            same.map(|index| (at.0, at.1 + index))
        });
        changed.min()
    }

    /// Whether a stretch is as it was.
    fn is_left_alone(&self, segment: usize, range: Range<usize>) -> bool {
        let whole = &self.whole.segments[segment];
        self.edits
            .iter()
            .filter(|edit| edit.at.0 == segment)
            .all(|edit| {
                let from = range.start.max(edit.at.1);
                let to = range.end.min(edit.at.1 + edit.bytes.len());
                from >= to || whole[from..to] == edit.bytes[from - edit.at.1..to - edit.at.1]
            })
    }

    /// Bytes that are not zero, behind a place.
    fn is_dirty_behind(&mut self, at: At) -> bool {
        (at.0..self.whole.segments.len()).any(|index| {
            let from = if index == at.0 { at.1 } else { 0 };
            let mut bytes = self.whole.segments[index][from..].to_vec();
            self.overlay(index, from, &mut bytes);
            bytes.iter().any(|byte| *byte != 0)
        })
    }

    fn overlay(&self, segment: usize, offset: usize, into: &mut [u8]) {
        let end = offset + into.len();
        for edit in self.edits.iter().filter(|edit| edit.at.0 == segment) {
            let from = offset.max(edit.at.1);
            let to = end.min(edit.at.1 + edit.bytes.len());
            if from < to {
                let changed = &edit.bytes[from - edit.at.1..to - edit.at.1];
                into[from - offset..to - offset].copy_from_slice(changed);
            }
        }
    }

    fn length(&self, segment: usize) -> usize {
        let is_last = segment + 1 == self.whole.segments.len();
        self.whole.segments[segment].len() - if is_last { self.cut } else { 0 }
    }
}

impl Segments for Damaged<'_> {
    fn list(&mut self) -> Result<Vec<SegmentFile>, StorageError> {
        let file = |index: usize| SegmentFile {
            number: index as u32 + 1,
            bytes: self.length(index) as u64,
            is_archived: false,
        };
        Ok((0..self.whole.segments.len()).map(file).collect())
    }

    fn read(&mut self, segment: u32, offset: u64, into: &mut [u8]) -> Result<(), StorageError> {
        let (index, from) = (segment as usize - 1, offset as usize);
        into.copy_from_slice(&self.whole.segments[index][from..from + into.len()]);
        self.overlay(index, from, into);
        Ok(())
    }

    fn file(&self, segment: u32) -> String {
        segment_name(segment)
    }
}

/// What recovery did, when it did right.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Nothing was changed, and everything was read.
    Unharmed,
    /// It refused, and named the damage.
    Refused,
    /// What was touched was never known to be durable: the rest was cut, and reported.
    Cut,
    /// As `Cut`, and nothing is left of it: as if it had never been written.
    Unwritten,
}

/// Recovers a damaged journal and judges what came of it.
///
/// # Errors
/// Recovery did wrong: what, in words.
pub fn judge(damaged: &mut Damaged<'_>) -> Result<Verdict, String> {
    let mut seen = Comparison::new(&damaged.whole.inputs);
    let found = recover(damaged, &mut |input| seen.take(input));
    if let Some(at) = seen.differs {
        return Err(format!(
            "input {at} was handed out, and it is not what was written"
        ));
    }
    let read = seen.count;
    if damaged.cut > 0 {
        return match found {
            Err(RecoveryError::Corrupt(Corrupt {
                field: Field::FileLength,
                ..
            })) => Ok(Verdict::Refused),
            other => Err(format!("a cut file became {other:?}")),
        };
    }
    let Some(first) = damaged.first_changed() else {
        let is_all = found.is_ok_and(|it| it.torn.is_none()) && read == damaged.whole.inputs.len();
        let lost = || "nothing was changed, and not everything was read".to_owned();
        return is_all.then_some(Verdict::Unharmed).ok_or_else(lost);
    };
    let Some(place) = damaged.whole.place(first).copied() else {
        return judge_behind(damaged, found, first, read);
    };
    match found {
        Err(RecoveryError::Corrupt(corrupt)) if is_proved(damaged, &place) => {
            named(damaged, &corrupt, &place)
        }
        Err(RecoveryError::Corrupt(_)) if is_more_than_torn(damaged, &place) => {
            Ok(Verdict::Refused)
        }
        Ok(recovered) if !is_proved(damaged, &place) => {
            if read != place.inputs_before {
                let due = place.inputs_before;
                return Err(format!("{read} inputs were handed out where {due} are due"));
            }
            let is_dirty = damaged.is_dirty_behind(place.at);
            match (recovered.torn.is_some(), is_dirty) {
                (true, true) => Ok(Verdict::Cut),
                (false, false) => Ok(Verdict::Unwritten),
                (told, _) => Err(format!("torn was told: {told}; bytes are left: {is_dirty}")),
            }
        }
        other => Err(format!("damage to {place:?} became {other:?}")),
    }
}

/// Damage behind the end of a segment's records.
fn judge_behind(
    damaged: &Damaged<'_>,
    found: Result<journal::Recovered, RecoveryError>,
    first: At,
    read: usize,
) -> Result<Verdict, String> {
    match found {
        Err(RecoveryError::Corrupt(_)) => Ok(Verdict::Refused),
        Ok(recovered) if recovered.torn.is_some() && read == damaged.whole.inputs.len() => {
            Ok(Verdict::Cut)
        }
        other => Err(format!(
            "damage behind the end, at {first:?}, became {other:?}"
        )),
    }
}

/// Whether a record that the damage left alone says that a place before it was durable.
fn is_proved(damaged: &Damaged<'_>, touched: &Place) -> bool {
    let behind = damaged.whole.places.iter().rev();
    let mut behind = behind.take_while(|place| place.at > touched.at);
    behind.any(|place| {
        let says = if place.at.0 == touched.at.0 {
            place.write > touched.at
        } else {
            place.kind == KIND_SEGMENT
                || place.write.1 > 0
                || place.durable > touched.inputs_before as u64
        };
        says && damaged.is_left_alone(place.at.0, place.at.1..place.end)
    })
}

/// Whether what is left cannot be a torn write for other reasons than a record's word: whole
/// records stand where they were not written, or more is left than one write brings.
fn is_more_than_torn(damaged: &Damaged<'_>, touched: &Place) -> bool {
    let is_moved = damaged
        .edits
        .iter()
        .any(|edit| edit.bytes.iter().any(|byte| *byte != 0) && edit.bytes.len() > 1);
    let last = damaged
        .whole
        .places
        .last()
        .map_or((0, 0), |place| (place.at.0, place.end));
    is_moved || last.0 > touched.at.0 || last.1 > touched.at.1 + WRITE_BYTES
}

/// Whether the error names the touched record.
fn named(damaged: &Damaged<'_>, corrupt: &Corrupt, place: &Place) -> Result<Verdict, String> {
    let file = |index: usize| segment_name(index as u32 + 1);
    let is_it = corrupt.file == file(place.at.0) && corrupt.offset == place.at.1 as u64;
    // Of an opening record that is gone without a trace the end of the segment before tells.
    let before = damaged
        .whole
        .places
        .iter()
        .rev()
        .find(|it| it.at < place.at);
    let is_before = place.at.1 == 0
        && before
            .is_some_and(|it| corrupt.file == file(it.at.0) && corrupt.offset == it.end as u64);
    if is_it || is_before {
        return Ok(Verdict::Refused);
    }
    Err(format!("damage to {place:?} was told as {corrupt}"))
}

/// Compares inputs with those that were written, one by one.
struct Comparison<'i> {
    due: &'i [Input],
    count: usize,
    /// The first that differs.
    differs: Option<usize>,
}

impl<'i> Comparison<'i> {
    fn new(due: &'i [Input]) -> Self {
        Self {
            due,
            count: 0,
            differs: None,
        }
    }

    fn take(&mut self, input: &Input) {
        let due = self.due.get(self.count).copied().unwrap_or(Input::zeroed());
        if due != *input {
            self.differs.get_or_insert(self.count);
        }
        self.count += 1;
    }
}
