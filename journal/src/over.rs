//! A day that is over: nothing is ever written behind its stop, so its last segment is compressed
//! as the others were, and the one made ahead of use goes.

use crate::error::RecoveryError;
use crate::keeper::{Keeper, Kept, Part, Shelf};
use crate::storage::SegmentFile;
use crate::walk::Walker;

impl<D: Shelf> Keeper<D> {
    /// Does the next thing that is due for a journal that nobody writes any more, behind
    /// [`Keeper::turn`]. One that was not closed is left alone: what its last life left is for the
    /// next one to judge.
    ///
    /// # Errors
    /// As [`Keeper::turn`].
    pub fn finish(&mut self) -> Result<Kept, RecoveryError> {
        let all = self.shelf.list()?;
        let Some((last, ahead)) = self.last_written(&all)? else {
            return Ok(Kept::Nothing);
        };
        // What stands behind a compressed end was written once, and is lost: it is for a reader to
        // say so.
        if last.is_archived {
            return Ok(Kept::Nothing);
        }
        if let Some(ahead) = ahead.first() {
            self.shelf.remove(ahead.number)?;
            return Ok(Kept::Removed {
                segment: ahead.number,
            });
        }
        if !self.keep.archives {
            return Ok(Kept::Nothing);
        }
        Ok(self.archive(last)?)
    }

    /// The segment that ends in the journal's stop, and those behind it, which are all zeros; none
    /// where the journal does not end in one.
    fn last_written<'s>(
        &mut self,
        all: &'s [SegmentFile],
    ) -> Result<Option<(SegmentFile, &'s [SegmentFile])>, RecoveryError> {
        let mut begin = all.len();
        let mut is_begun = false;
        while begin > 0 && !is_begun {
            begin -= 1;
            is_begun = self.opening(all[begin].number)?.is_some();
        }
        let rest = &all[begin..];
        let (Some(first), true) = (rest.first(), is_begun) else {
            return Ok(None);
        };
        let numbers = first.number..=u32::MAX;
        let mut walker = Walker::new(Part {
            shelf: &mut self.shelf,
            numbers,
        })?;
        while walker.record()?.is_some() {}
        let is_closed = walker.end().is_some_and(|end| end.clean);
        let (last, ahead) = match rest {
            [last, ahead @ ..] if is_closed => (*last, ahead),
            _ => return Ok(None),
        };
        Ok(Some((last, ahead)))
    }
}
