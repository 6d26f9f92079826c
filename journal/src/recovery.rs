//! Reading the journal back after a stop.

use wire::ring::Input;

use crate::LINE_BYTES;
use crate::error::{Corrupt, Field, RecoveryError};
use crate::judge::{Verdict, accept, read_whole};
use crate::mark::Mark;
use crate::record::{Chain, Header, KIND_CLOSE, MAGIC};
use crate::row::{check_before, check_files};
use crate::storage::{SegmentFile, Segments, StorageError};
use crate::tail::{Break, Stretch, dirty_line, inspect};
use crate::window::Window;

/// A tail that was being written when the appliance stopped, and that was cut.
///
/// None of it was ever reported as durable, so nobody was told about it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Torn {
    /// The segment's file.
    pub file: String,
    /// Where the first record that is not whole begins.
    pub offset: u64,
    /// What told that it is not whole.
    pub field: Field,
}

/// What the journal held.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Recovered {
    /// Inputs that were handed out.
    pub inputs: u64,
    /// Sequence number of the next input: one more than the last one's, 1 for an empty journal.
    pub next_sequence: u64,
    /// Time of the last input; 0 for an empty journal.
    pub time_ns: u64,
    /// The last life that wrote; 0 for an empty journal.
    pub epoch: u64,
    /// The last life closed the journal; also true for an empty journal.
    pub clean: bool,
    /// The tail that was cut, for the operator.
    pub torn: Option<Torn>,
    /// Where a [`Writer`](crate::Writer) goes on.
    pub resume: Resume,
}

/// Where a writer goes on: the end of what was read, and what must be wiped behind it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Resume {
    pub(crate) chain: Chain,
    /// The segment that holds the last record; number 0 when there is none yet.
    pub(crate) at: SegmentFile,
    /// The byte behind the last record.
    pub(crate) offset: u64,
    /// The part of `offset`'s block that lies before it.
    pub(crate) block: Vec<u8>,
    /// Segments that exist, prepared, behind that one.
    pub(crate) prepared: Vec<SegmentFile>,
    /// What is left of a torn tail.
    pub(crate) dirty: Vec<Stretch>,
}

/// Reads every input in order and hands it to `on`.
///
/// The last inputs may have been written and not flushed when a process was killed: tell nobody of
/// them before [`Writer::open`](crate::Writer::open) returned, which flushes them.
///
/// # Errors
/// When the disk fails or the journal is damaged anywhere but in a tail that was never durable.
/// Inputs from before the damage were handed out already: throw away what was made of them.
pub fn recover<S: Segments>(
    storage: &mut S,
    on: &mut dyn FnMut(&Input),
) -> Result<Recovered, RecoveryError> {
    recover_from(storage, &Mark::START, on)
}

/// As [`recover`], of the inputs behind `mark`: what lies before it is taken to be in order, but
/// for the record that ends there, and for segments before its own that are missing or do not
/// begin as they should.
///
/// # Errors
/// As [`recover`]; or the journal does not hold what it held at the mark.
pub fn recover_from<S: Segments>(
    storage: &mut S,
    mark: &Mark,
    on: &mut dyn FnMut(&Input),
) -> Result<Recovered, RecoveryError> {
    let mut segments = storage.list()?;
    let first = mark.segment.max(1);
    let tail = segments.split_off(segments.partition_point(|at| at.number < first));
    check_before(storage, &segments, mark)?;
    let segments = tail;
    check_files(storage, &segments, first).map_err(RecoveryError::Corrupt)?;
    let mut reader = Reader {
        window: Window::new(storage),
        chain: mark.chain(),
        inputs: 0,
        clean: true,
    };
    if !mark.is_start() {
        reader.check_mark(mark, segments.first().copied())?;
    }
    let mut index = 0;
    let mut stop = Stop {
        offset: mark.offset,
        why: Verdict::Zero,
    };
    while let Some(at) = segments.get(index) {
        let from = if index == 0 { mark.offset } else { 0 };
        stop = reader.read_segment(*at, from, on)?;
        let next = segments.get(index + 1);
        match next {
            Some(next) if stop.is_zero() && reader.is_continued_by(*next)? => {
                if let Some(corrupt) = dirty_line(&mut reader.window, *at, stop.offset)? {
                    return Err(RecoveryError::Corrupt(corrupt));
                }
                index += 1;
            }
            _ => break,
        }
    }
    let rest = segments.get(index..).unwrap_or(&[]);
    let broken = Break {
        segment: rest.first().map_or(0, |at| at.number),
        offset: stop.offset,
        next_sequence: reader.chain.next_sequence,
    };
    let tail = inspect(&mut reader.window, rest, broken)?;
    if tail.proof {
        let damage = stop.damage(&mut reader.window, rest)?;
        return Err(RecoveryError::Corrupt(damage));
    }
    reader.finish(rest, &stop, tail.dirty)
}

/// Where reading a segment ended, and on what.
pub(crate) struct Stop {
    pub offset: u64,
    pub why: Verdict,
}

impl Stop {
    /// Nothing was written there, or the segment is full.
    pub fn is_zero(&self) -> bool {
        self.why == Verdict::Zero
    }

    pub fn field(&self) -> (Field, u64, u64) {
        match self.why {
            Verdict::Damaged(field, found, expected) => (field, found, expected),
            Verdict::Zero | Verdict::Whole(_) => (Field::Magic, 0, MAGIC.into()),
        }
    }

    /// The damage, which something behind proves; `rest` begins with the segment of the stop. Where
    /// that one ends in order, it is the next one's opening record.
    pub fn damage<S: Segments>(
        &self,
        window: &mut Window<S>,
        rest: &[SegmentFile],
    ) -> Result<Corrupt, StorageError> {
        if let (true, Some(next)) = (self.is_zero(), rest.get(1)) {
            let why = read_whole(window, *next, 0)?;
            if matches!(why, Verdict::Damaged(..)) {
                return Ok(Self { offset: 0, why }.corrupt(&window.file(next.number)));
            }
        }
        let file = rest.first().map(|at| window.file(at.number));
        Ok(self.corrupt(&file.unwrap_or_default()))
    }

    fn corrupt(&self, file: &str) -> Corrupt {
        let (field, found, expected) = self.field();
        Corrupt {
            file: file.to_owned(),
            offset: self.offset,
            field,
            found,
            expected,
        }
    }
}

struct Reader<S: Segments> {
    window: Window<S>,
    chain: Chain,
    inputs: u64,
    clean: bool,
}

impl<S: Segments> Reader<S> {
    /// Refuses a journal that does not hold the record that ends at the mark: it was durable.
    fn check_mark(&mut self, mark: &Mark, at: Option<SegmentFile>) -> Result<(), RecoveryError> {
        let due = SegmentFile {
            number: mark.segment,
            ..SegmentFile::NONE
        };
        let at = at.unwrap_or(due);
        let fits = mark.last < mark.offset && mark.offset <= at.bytes;
        let is_placed = fits && mark.last.is_multiple_of(LINE_BYTES as u64);
        let verdict = match is_placed {
            true => read_whole(&mut self.window, at, mark.last)?,
            false => Verdict::Damaged(Field::FileLength, at.bytes, mark.offset),
        };
        let (field, found, expected) = match verdict {
            Verdict::Whole(header) => {
                let end = mark.last + u64::from(header.bytes);
                if header.checksum == mark.previous && end == mark.offset {
                    self.clean = header.kind == KIND_CLOSE;
                    return Ok(());
                }
                (
                    Field::Checksum,
                    header.checksum.into(),
                    mark.previous.into(),
                )
            }
            Verdict::Damaged(field, found, expected) => (field, found, expected),
            Verdict::Zero => (Field::Magic, 0, MAGIC.into()),
        };
        Err(RecoveryError::Corrupt(Corrupt {
            file: self.window.file(at.number),
            offset: mark.last,
            field,
            found,
            expected,
        }))
    }

    /// Hands out a segment's inputs up to the first place that holds no whole record.
    fn read_segment(
        &mut self,
        at: SegmentFile,
        from: u64,
        on: &mut dyn FnMut(&Input),
    ) -> Result<Stop, RecoveryError> {
        let mut offset = from;
        while offset < at.bytes {
            let why = read_whole(&mut self.window, at, offset)?;
            let Verdict::Whole(header) = why else {
                return Ok(Stop { offset, why });
            };
            self.take(&header, at, offset, on)?;
            offset += u64::from(header.bytes);
        }
        Ok(Stop {
            offset,
            why: Verdict::Zero,
        })
    }

    /// Checks a whole record against the chain, and only then hands out its inputs.
    fn take(
        &mut self,
        header: &Header,
        at: SegmentFile,
        offset: u64,
        on: &mut dyn FnMut(&Input),
    ) -> Result<(), RecoveryError> {
        let inputs = accept(&mut self.window, &self.chain, header, (at, offset), on)?;
        self.inputs += inputs as u64;
        self.chain.follow(header);
        self.clean = header.kind == KIND_CLOSE;
        Ok(())
    }

    /// Whether a segment opens as the continuation of what was read.
    fn is_continued_by(&mut self, next: SegmentFile) -> Result<bool, StorageError> {
        let verdict = read_whole(&mut self.window, next, 0)?;
        Ok(matches!(verdict, Verdict::Whole(header) if header.previous == self.chain.previous))
    }

    fn file(&self, rest: &[SegmentFile]) -> String {
        rest.first()
            .map_or_else(String::new, |at| self.window.file(at.number))
    }

    /// Sums up; `rest` begins with the segment in which reading stopped.
    fn finish(
        mut self,
        rest: &[SegmentFile],
        stop: &Stop,
        dirty: Vec<Stretch>,
    ) -> Result<Recovered, RecoveryError> {
        let torn = (!dirty.is_empty()).then(|| {
            let (file, field) = (self.file(rest), stop.field().0);
            Torn {
                file,
                offset: stop.offset,
                field,
            }
        });
        let (at, prepared) = match rest {
            [at, prepared @ ..] if stop.offset > 0 => (*at, prepared),
            prepared => (SegmentFile::NONE, prepared),
        };
        if at.is_archived {
            // Whoever compresses the end of a day removes first what was made ahead of use.
            if self.clean && torn.is_none() && prepared.is_empty() {
                let file = self.window.file(at.number);
                return Err(RecoveryError::Over { file });
            }
            // Only what another segment continues, or what ends a day, is ever compressed: that
            // one is missing, or its beginning is.
            let next = at.number.saturating_add(1);
            return Err(RecoveryError::Corrupt(Corrupt {
                file: self.window.file(next),
                offset: 0,
                field: Field::File,
                found: 0,
                expected: next.into(),
            }));
        }
        let block = self.window.block_before(at, stop.offset)?;
        let resume = Resume {
            chain: self.chain,
            at,
            offset: stop.offset,
            block,
            prepared: prepared.to_vec(),
            dirty,
        };
        Ok(Recovered {
            inputs: self.inputs,
            next_sequence: self.chain.next_sequence,
            time_ns: self.chain.time_ns,
            epoch: self.chain.epoch,
            clean: self.clean && torn.is_none(),
            torn,
            resume,
        })
    }
}
