//! What a look at a host gives: one line, and all that stands behind it.

use crate::change::Change;
use serde::Serialize;

/// What a finding comes to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Verdict {
    /// It is as wanted.
    Good,
    /// It is not.
    Poor,
    /// A choice with a price that only the operator can weigh.
    Choice,
    /// This host has no such thing, or does not show it; `found` says why.
    Absent,
}

impl Verdict {
    /// Its word.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Good => "good",
            Self::Poor => "poor",
            Self::Choice => "choice",
            Self::Absent => "absent",
        }
    }
}

/// What is true of a setting on every host.
#[derive(Clone, Copy, Debug)]
pub struct About {
    /// What it does to a pinned thread.
    pub why: &'static str,
    /// What else the change does.
    pub risk: &'static str,
}

/// One thing that a stage looked at.
#[derive(Clone, Debug, Serialize)]
pub struct Finding {
    /// Name of the stage.
    pub stage: &'static str,
    /// What was looked at.
    pub subject: String,
    /// What it comes to.
    pub verdict: Verdict,
    /// What is there now.
    pub found: String,
    /// What should be.
    pub wanted: String,
    /// Why that matters.
    pub why: &'static str,
    /// What the change may break.
    pub risk: &'static str,
    /// What would be changed, in order.
    pub changes: Vec<Change>,
    /// What to do by hand, where changes do not reach.
    pub by_hand: String,
}

impl Finding {
    /// A finding with a verdict of its own.
    pub fn new(about: About, subject: impl Into<String>, verdict: Verdict) -> Self {
        Self {
            stage: "",
            subject: subject.into(),
            verdict,
            found: String::new(),
            wanted: String::new(),
            why: about.why,
            risk: about.risk,
            changes: Vec::new(),
            by_hand: String::new(),
        }
    }

    /// A finding that is good or poor.
    pub fn judged(about: About, subject: impl Into<String>, is_good: bool) -> Self {
        let verdict = if is_good {
            Verdict::Good
        } else {
            Verdict::Poor
        };
        Self::new(about, subject, verdict)
    }

    /// This host has no such thing.
    pub fn absent(about: About, subject: impl Into<String>, reason: impl Into<String>) -> Self {
        Self::new(about, subject, Verdict::Absent).found(reason)
    }

    /// Says what is there.
    #[must_use]
    pub fn found(mut self, found: impl Into<String>) -> Self {
        self.found = found.into();
        self
    }

    /// Says what should be there.
    #[must_use]
    pub fn wanted(mut self, wanted: impl Into<String>) -> Self {
        self.wanted = wanted.into();
        self
    }

    /// Says what to change; a finding that is good or absent changes nothing.
    #[must_use]
    pub fn changes(mut self, changes: impl IntoIterator<Item = Change>) -> Self {
        if matches!(self.verdict, Verdict::Poor | Verdict::Choice) {
            self.changes.extend(changes);
        }
        self
    }

    /// Says what to do by hand.
    #[must_use]
    pub fn by_hand(mut self, advice: impl Into<String>) -> Self {
        if matches!(self.verdict, Verdict::Poor | Verdict::Choice) {
            self.by_hand = advice.into();
        }
        self
    }
}
