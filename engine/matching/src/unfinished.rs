//! What an input that is not done yet still does, in words: for those who test whether all of it
//! happens.

use crate::Engine;
use crate::engine::Pending;
use crate::stops::Ticking;

/// Every word that [`Engine::unfinished`] says.
pub const WORKS: [&str; 13] = [
    "sweep", "share", "expire", "judge", "leave", "turn", "indicate", "look", "follow", "tick",
    "try", "refer", "reprice",
];

impl Engine<'_> {
    /// What the next [`resume`](Engine::resume) goes on with, one of [`WORKS`]; nothing between
    /// inputs.
    #[must_use]
    pub fn unfinished(&self) -> Option<&'static str> {
        match self.pending {
            Pending::Nothing => None,
            Pending::Sweep(_) => Some("sweep"),
            Pending::Share(_) => Some("share"),
            Pending::Expire(_) => Some("expire"),
            Pending::Judge(_) => Some("judge"),
            Pending::Leave(_) => Some("leave"),
            Pending::Turn(_) => Some("turn"),
            Pending::Indicate(..) => Some("indicate"),
            Pending::Look(_) => Some("look"),
            Pending::After => Some(self.work_after()),
        }
    }

    /// Which of the consequences is cut into two.
    fn work_after(&self) -> &'static str {
        let after = &self.after;
        if !matches!(after.ticking, Ticking::Fresh) {
            "tick"
        } else if after.judged.is_some() {
            "try"
        } else if after.looking.is_some() {
            "refer"
        } else if after.batch.is_some() {
            "reprice"
        } else {
            "follow"
        }
    }
}
