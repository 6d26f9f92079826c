//! The journal's inputs from a mark on, as far as they are durable.

use crate::Error;
use journal::{FileSegments, Mark, Record, Walker};
use std::collections::VecDeque;
use std::path::Path;
use wire::ring::Input;

/// How far one may read.
#[derive(Clone, Copy, Debug)]
pub struct Until {
    /// What the venue says to be durable, 0 if there is none to ask.
    pub durable: u64,
    /// A later day was begun: nothing more is written.
    pub is_over: bool,
    /// The most inputs.
    pub inputs_max: u64,
}

/// A record that waits for a later one to say that it was durable.
struct Waiting {
    mark: Mark,
    inputs: Vec<Input>,
}

/// Inputs that the journal no longer has: retention removed them before they were read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Gap {
    /// The first of them.
    pub first: u64,
    /// The one behind the last.
    pub next: u64,
}

/// Hands out the inputs behind `mark` and moves it; gives how many, and what is missing.
///
/// A record counts when the venue, a later record, a clean stop or a later day says that it was
/// durable: what a power cut may take back is nobody's history.
///
/// # Errors
/// The journal is damaged or cannot be read, or `on` has had enough of it.
pub fn read(
    directory: &Path,
    mark: &mut Mark,
    until: Until,
    on: &mut dyn FnMut(&Input) -> Result<(), Error>,
) -> Result<(u64, Option<Gap>), Error> {
    let mut walker = Walker::new(FileSegments::new(directory))?;
    let mut gap = mark.is_start().then_some(mark.next_sequence);
    if !mark.is_start() && !walker.skip_to(mark)? {
        let first = walker.segments().first().map_or(0, |at| at.number);
        if first <= mark.segment {
            let file = walker.file(mark.segment);
            let words = format!(
                "{file}: byte {}: the record that was read before is not there: this is another \
                 journal; rebuild",
                mark.last
            );
            return Err(Error::Venue(words));
        }
        gap = Some(mark.next_sequence);
    }
    let mut waiting = VecDeque::new();
    let (mut durable, mut count, mut missing) = (until.durable, 0, None);
    while count < until.inputs_max {
        let Some(record) = walker.record()? else {
            break;
        };
        if let Some(first) = gap.take() {
            let next = record.header.first_sequence;
            missing = (next > first).then_some(Gap { first, next });
        }
        durable = durable.max(record.header.durable);
        waiting.push_back(Waiting {
            mark: behind(&record),
            inputs: record.inputs.to_vec(),
        });
        count += take(&mut waiting, durable, mark, on)?;
    }
    if until.is_over || walker.end().is_some_and(|end| end.clean) {
        count += take(&mut waiting, u64::MAX, mark, on)?;
    }
    Ok((count, missing))
}

/// Hands out what is durable of the records that wait.
fn take(
    waiting: &mut VecDeque<Waiting>,
    durable: u64,
    mark: &mut Mark,
    on: &mut dyn FnMut(&Input) -> Result<(), Error>,
) -> Result<u64, Error> {
    let mut count = 0;
    while let Some(record) =
        waiting.pop_front_if(|it| it.mark.next_sequence <= durable.saturating_add(1))
    {
        record.inputs.iter().try_for_each(&mut *on)?;
        count += record.inputs.len() as u64;
        *mark = record.mark;
    }
    Ok(count)
}

/// The place behind a record.
fn behind(record: &Record<'_>) -> Mark {
    let header = &record.header;
    Mark {
        next_sequence: header.next_sequence(),
        time_ns: header.time_ns,
        epoch: header.epoch,
        durable: header.durable,
        offset: record.offset + u64::from(header.bytes),
        last: record.offset,
        segment: record.at.number,
        previous: header.checksum,
    }
}
