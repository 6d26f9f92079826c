//! Reading a journal, or some of its segments, record by record: for those who look into one.

use crate::LINE_BYTES;
use crate::error::RecoveryError;
use crate::judge::{Record, Verdict, examine, read_whole};
use crate::mark::Mark;
use crate::record::{Chain, KIND_CLOSE};
use crate::recovery::{Stop, Torn};
use crate::row::check_files;
use crate::storage::{SegmentFile, Segments, StorageError};
use crate::tail::{Break, dirty_line, inspect};
use crate::window::Window;

/// How the records end, as far as they were written when somebody looked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct End {
    /// The last record closes the journal; also true where there is no record.
    pub clean: bool,
    /// What is left of a write behind the last record.
    pub torn: Option<Torn>,
}

/// Gives the records in order, each checked as recovery checks it.
///
/// The first segment need not be number 1: what lies before it is taken to be as its opening
/// record says.
pub struct Walker<S: Segments> {
    window: Window<S>,
    segments: Vec<SegmentFile>,
    index: usize,
    offset: u64,
    chain: Chain,
    last_kind: u8,
    end: Option<End>,
}

impl<S: Segments> Walker<S> {
    /// Stands before the first record.
    ///
    /// # Errors
    /// The files cannot be read, one is missing between others, or has a length that no segment
    /// has.
    pub fn new(mut segments: S) -> Result<Self, RecoveryError> {
        let files = segments.list()?;
        let first = files.first().map_or(1, |at| at.number);
        check_files(&segments, &files, first).map_err(RecoveryError::Corrupt)?;
        let mut walker = Self {
            window: Window::new(segments),
            segments: files,
            index: 0,
            offset: 0,
            chain: Mark::START.chain(),
            last_kind: KIND_CLOSE,
            end: None,
        };
        if first > 1 {
            walker.chain = walker.chain_before_first()?;
        }
        Ok(walker)
    }

    /// The next record; none behind the last.
    ///
    /// # Errors
    /// The journal is damaged here, a newer program wrote it, or the disk fails.
    pub fn record(&mut self) -> Result<Option<Record<'_>>, RecoveryError> {
        if self.end.is_some() {
            return Ok(None);
        }
        let Some(mut at) = self.segments.get(self.index).copied() else {
            self.end = Some(End {
                clean: true,
                torn: None,
            });
            return Ok(None);
        };
        let mut why = self.verdict(at)?;
        if why == Verdict::Zero
            && let Some(next) = self.next_that_continues()?
        {
            if let Some(corrupt) = dirty_line(&mut self.window, at, self.offset)? {
                return Err(RecoveryError::Corrupt(corrupt));
            }
            (self.index, self.offset, at) = (self.index + 1, 0, next);
            why = self.verdict(at)?;
        }
        let Verdict::Whole(header) = why else {
            self.end = Some(self.ended(why)?);
            return Ok(None);
        };
        let place = (at, self.offset);
        let record = examine(&mut self.window, &self.chain, &header, place)?;
        self.chain.follow(&header);
        self.last_kind = header.kind;
        self.offset += u64::from(header.bytes);
        Ok(Some(record))
    }

    /// Goes on behind a mark; whether the record before it is what the mark says. If not, or if the
    /// mark is of no segment here, it stays where it is.
    ///
    /// # Errors
    /// The disk fails.
    pub fn skip_to(&mut self, mark: &Mark) -> Result<bool, StorageError> {
        let segments = self.segments.iter();
        let index = segments.take_while(|at| at.number != mark.segment).count();
        let Some(at) = self.segments.get(index).copied() else {
            return Ok(false);
        };
        let is_placed = mark.last.is_multiple_of(LINE_BYTES as u64) && mark.last < at.bytes;
        if !is_placed {
            return Ok(false);
        }
        let Verdict::Whole(header) = read_whole(&mut self.window, at, mark.last)? else {
            return Ok(false);
        };
        let end = mark.last + u64::from(header.bytes);
        if (header.checksum, end) != (mark.previous, mark.offset) {
            return Ok(false);
        }
        (self.index, self.offset, self.chain) = (index, mark.offset, mark.chain());
        (self.last_kind, self.end) = (header.kind, None);
        Ok(true)
    }

    /// How the records end, once [`Walker::record`] gave the last one.
    #[must_use]
    pub fn end(&self) -> Option<&End> {
        self.end.as_ref()
    }

    /// The segments that are read.
    #[must_use]
    pub fn segments(&self) -> &[SegmentFile] {
        &self.segments
    }

    /// The full name of a segment, for messages.
    #[must_use]
    pub fn file(&self, segment: u32) -> String {
        self.window.file(segment)
    }

    /// What the opening record of the first segment says about what came before it.
    fn chain_before_first(&mut self) -> Result<Chain, StorageError> {
        let opening = match self.segments.first() {
            Some(at) => read_whole(&mut self.window, *at, 0)?,
            None => Verdict::Zero,
        };
        Ok(match opening {
            Verdict::Whole(header) => Chain {
                next_sequence: header.first_sequence,
                time_ns: header.time_ns,
                epoch: header.epoch,
                previous: header.previous,
                durable: header.durable,
            },
            _ => Mark::START.chain(),
        })
    }

    fn verdict(&mut self, at: SegmentFile) -> Result<Verdict, StorageError> {
        if self.offset < at.bytes {
            read_whole(&mut self.window, at, self.offset)
        } else {
            Ok(Verdict::Zero)
        }
    }

    fn next_that_continues(&mut self) -> Result<Option<SegmentFile>, StorageError> {
        let Some(next) = self.segments.get(self.index + 1).copied() else {
            return Ok(None);
        };
        let opening = read_whole(&mut self.window, next, 0)?;
        let continues =
            matches!(opening, Verdict::Whole(header) if header.previous == self.chain.previous);
        Ok(continues.then_some(next))
    }

    /// Looks at what lies behind the last record.
    fn ended(&mut self, why: Verdict) -> Result<End, RecoveryError> {
        let stop = Stop {
            offset: self.offset,
            why,
        };
        let rest = &self.segments[self.index..];
        let segment = rest.first().map_or(0, |at| at.number);
        let broken = Break {
            segment,
            offset: stop.offset,
            next_sequence: self.chain.next_sequence,
        };
        let tail = inspect(&mut self.window, rest, broken)?;
        if tail.proof {
            // A journal that is being written may have come on while we looked behind its end.
            if let Some(at) = rest.first().copied().filter(|at| stop.offset < at.bytes) {
                self.window.forget();
                if read_whole(&mut self.window, at, stop.offset)? != stop.why {
                    return Ok(End {
                        clean: false,
                        torn: None,
                    });
                }
            }
            let damage = stop.damage(&mut self.window, rest)?;
            return Err(RecoveryError::Corrupt(damage));
        }
        let file = self.window.file(segment);
        let torn = (!tail.dirty.is_empty()).then(|| Torn {
            file,
            offset: stop.offset,
            field: stop.field().0,
        });
        Ok(End {
            clean: self.last_kind == KIND_CLOSE && torn.is_none(),
            torn,
        })
    }
}
