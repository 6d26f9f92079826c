//! Changing a host by plan, and changing it back, one step at a time.

use crate::change::Change;
use crate::finding::{Finding, Verdict};
use crate::host::Host;
use crate::journal::{Entry, Journal, JournalError, State};
use crate::route;
use std::collections::{BTreeSet, VecDeque};

/// Which run of the kernel this is.
const BOOT_ID: &str = "/proc/sys/kernel/random/boot_id";

/// What findings would change, each path once, with the stage that wants it. Choices are in it
/// only `with_choices`: that is, when the operator named their stages.
#[must_use]
pub fn plan(findings: &[Finding], with_choices: bool) -> Vec<(&'static str, Change)> {
    let mut seen = BTreeSet::new();
    let mut changes = Vec::new();
    for finding in findings {
        if finding.verdict == Verdict::Choice && !with_choices {
            continue;
        }
        for change in &finding.changes {
            if seen.insert(change.path()) {
                changes.push((finding.stage, change.clone()));
            }
        }
    }
    changes
}

/// What became of one change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outcome {
    /// The stage.
    pub stage: String,
    /// The change as a command.
    pub command: String,
    /// A remark, or why not.
    pub result: Result<String, String>,
}

/// Changes on their way. Each step either records or changes, never both.
pub struct Applying<'a> {
    host: &'a Host,
    journal: &'a mut Journal,
    boot: String,
    plan: VecDeque<(&'static str, Change)>,
    at: At,
}

enum At {
    Next,
    Intended(u64),
    Made(u64, Result<(), String>),
}

impl<'a> Applying<'a> {
    /// Begins.
    pub fn new(
        host: &'a Host,
        journal: &'a mut Journal,
        plan: Vec<(&'static str, Change)>,
    ) -> Self {
        Self {
            host,
            journal,
            boot: boot_of(host),
            plan: plan.into(),
            at: At::Next,
        }
    }

    /// Takes one step; gives what became of a change when one is through, and `None` at the end.
    ///
    /// # Errors
    /// The journal cannot be written: then nothing more is changed.
    pub fn step(&mut self) -> Result<Option<Vec<Outcome>>, JournalError> {
        let Some((stage, change)) = self.plan.front() else {
            return Ok(None);
        };
        match std::mem::replace(&mut self.at, At::Next) {
            At::Next => {
                let before = now(self.host, change);
                let id = self.journal.intend(stage, &self.boot, change, before)?;
                self.at = At::Intended(id);
            }
            At::Intended(id) => {
                let made = make(self.host, change).map_err(|error| error.to_string());
                self.at = At::Made(id, made);
            }
            At::Made(id, made) => {
                let after = now(self.host, change);
                match &made {
                    Ok(()) => self.journal.done(id, after)?,
                    Err(_) => self.journal.refused(id)?,
                }
                let outcome = Outcome {
                    stage: (*stage).to_owned(),
                    command: change.command(),
                    result: made.map(|()| String::new()),
                };
                self.plan.pop_front();
                return Ok(Some(vec![outcome]));
            }
        }
        Ok(Some(Vec::new()))
    }
}

/// Changes on their way back, the latest first.
pub struct Undoing<'a> {
    host: &'a Host,
    journal: &'a mut Journal,
    boot: String,
    left: Vec<Entry>,
    is_forced: bool,
    made: Option<Result<String, String>>,
}

impl<'a> Undoing<'a> {
    /// Begins; without names of stages all of them are undone. Settings that somebody else changed
    /// meanwhile are left as they are unless it `is_forced`.
    pub fn new(
        host: &'a Host,
        journal: &'a mut Journal,
        stages: &[String],
        is_forced: bool,
    ) -> Self {
        let is_meant = |entry: &&Entry| {
            let is_named = stages.is_empty() || stages.contains(&entry.stage);
            is_named && entry.state != State::Undone
        };
        let left = journal.entries().iter().filter(is_meant).cloned().collect();
        Self {
            host,
            journal,
            boot: boot_of(host),
            left,
            is_forced,
            made: None,
        }
    }

    /// Takes one step, as [`Applying::step`].
    ///
    /// # Errors
    /// The journal cannot be written.
    pub fn step(&mut self) -> Result<Option<Vec<Outcome>>, JournalError> {
        let Some(entry) = self.left.last() else {
            return Ok(None);
        };
        let Some(made) = self.made.take() else {
            self.made = Some(self.restore(entry));
            return Ok(Some(Vec::new()));
        };
        if made.is_ok() {
            self.journal.undone(entry.id)?;
        }
        let outcome = Outcome {
            stage: entry.stage.clone(),
            command: entry.change.undo_command(),
            result: made,
        };
        self.left.pop();
        Ok(Some(vec![outcome]))
    }

    fn restore(&self, entry: &Entry) -> Result<String, String> {
        let path = entry.change.path();
        let is_lasting = path.starts_with("/etc/");
        if !is_lasting && entry.boot != self.boot {
            return Ok("gone with the restart".to_owned());
        }
        if self.is_inside_made(entry) {
            return Ok("goes with its folder".to_owned());
        }
        let is_setting = entry.change.is_setting();
        if entry.state == State::Refused && entry.before.is_none() && is_setting {
            return Ok("was never made".to_owned());
        }
        let current = now(self.host, &entry.change);
        if current == entry.before && route::is_back(self.host, &entry.change) {
            if let Change::Create { path, .. } = &entry.change {
                let cleared = self.host.clear(path);
                cleared.map_err(|error| error.to_string())?;
            }
            return Ok("is as before".to_owned());
        }
        if current.is_none() && is_setting && self.is_forced {
            return Ok("the setting itself is gone".to_owned());
        }
        let is_ours = matches!(entry.change, Change::Keep { .. }) || self.is_forced;
        if let (State::Done(after), false) = (&entry.state, is_ours)
            && *after != current
        {
            let current = current.unwrap_or_else(|| "gone".to_owned());
            return Err(format!(
                "somebody changed it since: {current}; --force undoes it"
            ));
        }
        put_back(self.host, entry).map_err(|error| error.to_string())?;
        let (found, before) = (now(self.host, &entry.change), &entry.before);
        if found == *before {
            return Ok(route::remark(self.host, &entry.change));
        }
        let text = |value: &Option<String>| value.clone().unwrap_or_else(|| "nothing".to_owned());
        Err(format!("says {} now, not {}", text(&found), text(before)))
    }

    /// Whether the change was made in a folder that is also ours and goes away as a whole.
    fn is_inside_made(&self, entry: &Entry) -> bool {
        let is_around = |other: &&Entry| {
            let path = other.change.path();
            matches!(other.change, Change::MakeFolder { .. })
                && other.before.is_none()
                && path.starts_with("/sys/fs/cgroup/")
                && entry.change.path().starts_with(&format!("{path}/"))
        };
        self.left.iter().any(|other| is_around(&other))
    }
}

fn boot_of(host: &Host) -> String {
    host.read(BOOT_ID).unwrap_or_default()
}

/// What is there where a change is to be made.
fn now(host: &Host, change: &Change) -> Option<String> {
    match change {
        Change::Write { path, .. } | Change::Route { path, .. } | Change::Keep { path, .. } => {
            host.read(path).ok()
        }
        Change::Create { path, .. } => host.text(path).ok(),
        Change::MakeFolder { path } => host.has(path).then(|| "a folder".to_owned()),
    }
}

fn make(host: &Host, change: &Change) -> std::io::Result<()> {
    match change {
        Change::Write { path, value, .. } | Change::Route { path, value, .. } => {
            host.write(path, value)
        }
        Change::Keep { .. } => Ok(()),
        Change::Create { path, text } => host.create(path, text),
        Change::MakeFolder { path } => host.make_folder(path),
    }
}

fn put_back(host: &Host, entry: &Entry) -> std::io::Result<()> {
    match (&entry.change, &entry.before) {
        (Change::Route { .. }, _) => route::put_back(host, &entry.change),
        (Change::Write { path, restore, .. } | Change::Keep { path, restore }, _) => {
            host.write(path, restore)
        }
        (Change::Create { path, .. }, Some(text)) => host.create(path, text),
        (Change::Create { path, .. }, None) => host.remove(path),
        (Change::MakeFolder { .. }, Some(_)) => Ok(()),
        (Change::MakeFolder { path }, None) => host.remove_folder(path),
    }
}
