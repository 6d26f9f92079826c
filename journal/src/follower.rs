//! Reading the journal while it is written.

use wire::ring::Input;

use crate::error::{Corrupt, Field, RecoveryError};
use crate::judge::{Verdict, accept, read_whole};
use crate::mark::Mark;
use crate::storage::{SegmentFile, Segments};
use crate::window::Window;

/// Records that one call reads at most.
const RECORDS_MAX: usize = 256;

/// Follows the journal's writer at a distance: it reads what is durable, and nothing else.
///
/// It shares no memory with the writer and can neither hold it up nor be overtaken: how far it lags
/// behind is nobody's concern but its own.
pub struct Follower<S: Segments> {
    window: Window<S>,
    mark: Mark,
    /// The mark's segment, once it was looked for.
    at: Option<SegmentFile>,
}

impl<S: Segments> Follower<S> {
    /// Goes on behind `mark`.
    #[must_use]
    pub fn new(segments: S, mark: Mark) -> Self {
        Self {
            window: Window::new(segments),
            mark,
            at: None,
        }
    }

    /// Where it stands: between two records.
    #[must_use]
    pub const fn mark(&self) -> &Mark {
        &self.mark
    }

    /// Hands out the inputs of the next records, none beyond `durable`, which the writer said to
    /// be durable; gives how many, 0 when there are none. Stops between two records.
    ///
    /// # Errors
    /// The disk fails, or the journal is damaged where it was durable.
    pub fn poll(
        &mut self,
        durable: u64,
        on: &mut dyn FnMut(&Input),
    ) -> Result<usize, RecoveryError> {
        // What was read earlier may lack what was written since.
        self.window.forget();
        let mut inputs = 0;
        for _ in 0..RECORDS_MAX {
            if self.mark.next_sequence > durable {
                break;
            }
            inputs += self.record(on)?;
        }
        Ok(inputs)
    }

    /// Takes the next record, which is there.
    fn record(&mut self, on: &mut dyn FnMut(&Input)) -> Result<usize, RecoveryError> {
        let (mut at, mut offset) = (self.segment(self.mark.segment.max(1))?, self.mark.offset);
        let mut verdict = Verdict::Zero;
        if offset < at.bytes {
            verdict = read_whole(&mut self.window, at, offset)?;
        }
        if verdict == Verdict::Zero && offset > 0 {
            (at, offset) = (self.segment(at.number + 1)?, 0);
            verdict = read_whole(&mut self.window, at, offset)?;
        }
        let (field, found, expected) = match verdict {
            Verdict::Whole(header) => {
                let chain = self.mark.chain();
                let inputs = accept(&mut self.window, &chain, &header, (at, offset), on)?;
                self.mark.follow(&header, at, offset);
                return Ok(inputs);
            }
            Verdict::Damaged(field, found, expected) => (field, found, expected),
            Verdict::Zero => (Field::Magic, 0, crate::record::MAGIC.into()),
        };
        Err(RecoveryError::Corrupt(Corrupt {
            file: self.window.file(at.number),
            offset,
            field,
            found,
            expected,
        }))
    }

    /// Looks a segment up, once.
    fn segment(&mut self, number: u32) -> Result<SegmentFile, RecoveryError> {
        if let Some(at) = self.at.filter(|at| at.number == number) {
            return Ok(at);
        }
        let found = self.window.list()?.into_iter();
        let at = found.into_iter().find(|at| at.number == number);
        self.at = at;
        at.ok_or_else(|| {
            RecoveryError::Corrupt(Corrupt {
                file: self.window.file(number),
                offset: 0,
                field: Field::File,
                found: 0,
                expected: number.into(),
            })
        })
    }
}
