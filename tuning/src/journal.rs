//! What a host said before it was changed: one line of JSON for each step, on disk before the step
//! is made.
//!
//! A change is recorded as *intended* with the text from before, then made, then recorded as
//! *done* with what the host says now. Whatever moment the program dies at, the file knows how to
//! get back: an intended change may or may not have happened, and undoing either is writing the
//! old text. A line cut off by the death belongs to a change that was never made.

use crate::change::Change;
use serde::{Deserialize, Serialize};
use std::fmt;
use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, Read, Seek, Write};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

/// Where the journal of a host is.
pub const STATE_FILE: &str = "/var/lib/wirecross/tune.journal";

/// Bytes of the longest journal that is read.
const BYTES_MAX: u64 = 16 << 20;

/// Why a journal cannot be used.
#[derive(Debug)]
pub struct JournalError(String);

impl fmt::Display for JournalError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for JournalError {}

/// How far a change went.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum State {
    /// It may have happened.
    Intended,
    /// It happened, and this is what the host said after.
    Done(Option<String>),
    /// The host refused it.
    Refused,
    /// It is undone, or was never made.
    Undone,
}

/// One change in the journal.
#[derive(Clone, Debug)]
pub struct Entry {
    /// Its number.
    pub id: u64,
    /// The stage that wanted it.
    pub stage: String,
    /// The run of the kernel that it was made in.
    pub boot: String,
    /// What was changed.
    pub change: Change,
    /// What was there before; none if nothing was.
    pub before: Option<String>,
    /// How far it went.
    pub state: State,
}

/// A line of the file.
#[derive(Serialize, Deserialize)]
#[serde(tag = "line", rename_all = "snake_case")]
enum Line {
    Intended {
        id: u64,
        stage: String,
        boot: String,
        before: Option<String>,
        change: Change,
    },
    Done {
        id: u64,
        after: Option<String>,
    },
    Refused {
        id: u64,
    },
    Undone {
        id: u64,
    },
}

/// The journal of one host, open for one process at a time.
#[derive(Debug)]
pub struct Journal {
    path: PathBuf,
    file: File,
    entries: Vec<Entry>,
}

impl Journal {
    /// Opens the journal, or makes it.
    ///
    /// # Errors
    /// Another process has it, it is damaged, or as of the system.
    pub fn open(path: &Path) -> Result<Self, JournalError> {
        let failed =
            |error: &dyn fmt::Display| JournalError(format!("{}: {error}", path.display()));
        if let Some(folder) = path.parent() {
            fs::create_dir_all(folder).map_err(|error| failed(&error))?;
        }
        let mut file = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .open(path)
            .map_err(|error| failed(&error))?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                return Err(failed(&"another `wirecross tune` is at work"));
            }
            Err(TryLockError::Error(error)) => return Err(failed(&error)),
        }
        let text = whole(&mut file).map_err(|error| failed(&error))?;
        let mut journal = Self {
            path: path.to_owned(),
            file,
            entries: Vec::new(),
        };
        for (number, line) in (1..).zip(text.lines()) {
            journal
                .take(line)
                .map_err(|error| failed(&format!("line {number}: {error}")))?;
        }
        Ok(journal)
    }

    /// All changes, the oldest first.
    #[must_use]
    pub fn entries(&self) -> &[Entry] {
        &self.entries
    }

    /// Says what is about to be changed.
    pub(crate) fn intend(
        &mut self,
        stage: &str,
        boot: &str,
        change: &Change,
        before: Option<String>,
    ) -> Result<u64, JournalError> {
        let id = self.entries.last().map_or(1, |entry| entry.id + 1);
        self.add(Line::Intended {
            id,
            stage: stage.to_owned(),
            boot: boot.to_owned(),
            before,
            change: change.clone(),
        })?;
        Ok(id)
    }

    /// Says that a change happened.
    pub(crate) fn done(&mut self, id: u64, after: Option<String>) -> Result<(), JournalError> {
        self.add(Line::Done { id, after })
    }

    /// Says that the host refused a change.
    pub(crate) fn refused(&mut self, id: u64) -> Result<(), JournalError> {
        self.add(Line::Refused { id })
    }

    /// Says that a change is no more.
    pub(crate) fn undone(&mut self, id: u64) -> Result<(), JournalError> {
        self.add(Line::Undone { id })
    }

    /// Takes the file away if nothing is left to undo, and its folder if nothing else is in it.
    ///
    /// # Errors
    /// As of the system.
    pub fn close(self) -> Result<(), JournalError> {
        if self
            .entries
            .iter()
            .any(|entry| entry.state != State::Undone)
        {
            return Ok(());
        }
        fs::remove_file(&self.path).map_err(|error| self.failed(&error))?;
        if let Some(folder) = self.path.parent() {
            // That something else is in there is fine.
            let _ = fs::remove_dir(folder);
        }
        Ok(())
    }

    fn add(&mut self, line: Line) -> Result<(), JournalError> {
        let text = serde_json::to_string(&line).map_err(|error| self.failed(&error))?;
        let written = self.file.write_all(format!("{text}\n").as_bytes());
        written
            .and_then(|()| self.file.sync_data())
            .map_err(|error| self.failed(&error))?;
        self.follow(line).map_err(|error| self.failed(&error))
    }

    fn take(&mut self, text: &str) -> Result<(), String> {
        let line = serde_json::from_str(text).map_err(|error| error.to_string())?;
        self.follow(line)
    }

    fn follow(&mut self, line: Line) -> Result<(), String> {
        let (id, state) = match line {
            Line::Intended {
                id,
                stage,
                boot,
                before,
                change,
            } => {
                self.entries.push(Entry {
                    id,
                    stage,
                    boot,
                    change,
                    before,
                    state: State::Intended,
                });
                return Ok(());
            }
            Line::Done { id, after } => (id, State::Done(after)),
            Line::Refused { id } => (id, State::Refused),
            Line::Undone { id } => (id, State::Undone),
        };
        let entry = self.entries.iter_mut().find(|entry| entry.id == id);
        entry.ok_or_else(|| format!("no change {id}"))?.state = state;
        Ok(())
    }

    fn failed(&self, error: &dyn fmt::Display) -> JournalError {
        JournalError(format!("{}: {error}", self.path.display()))
    }
}

/// The whole lines of the file; what follows the last of them is cut off.
fn whole(file: &mut File) -> io::Result<String> {
    if file.metadata()?.nlink() == 0 {
        return Err(io::Error::other("it was just taken away: try again"));
    }
    let mut text = String::new();
    file.take(BYTES_MAX).read_to_string(&mut text)?;
    let end = text.rfind('\n').map_or(0, |at| at + 1);
    text.truncate(end);
    file.set_len(end as u64)?;
    file.seek(io::SeekFrom::Start(end as u64))?;
    Ok(text)
}
