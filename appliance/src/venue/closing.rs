//! What a venue says about its day when it ends cleanly: a file beside the journal, with which a
//! run of the journal compares itself later.

use super::runner::Summary;
use std::fs::{self, File};
use std::io::{self, Write as _};
use std::path::Path;

/// Name of the file.
const NAME: &str = "closing";

/// Where a day stood.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Closing {
    /// The last input.
    pub inputs: u64,
    /// Hash of the state behind it.
    pub state_hash: u64,
    /// Messages of the feed up to it.
    pub messages: u64,
}

impl Closing {
    /// Of a run's end.
    #[must_use]
    pub const fn of(summary: &Summary) -> Self {
        Self {
            inputs: summary.inputs,
            state_hash: summary.state_hash,
            messages: summary.messages,
        }
    }

    /// Writes the file, whole or not at all.
    ///
    /// # Errors
    /// The disk says no.
    pub fn write(&self, day: &Path) -> io::Result<()> {
        let draft = day.join("closing.draft");
        let mut file = File::create(&draft)?;
        let Self {
            inputs,
            state_hash,
            messages,
        } = self;
        writeln!(
            file,
            "inputs={inputs} state_hash={state_hash:016x} messages={messages}"
        )?;
        file.sync_all()?;
        fs::rename(&draft, day.join(NAME))
    }

    /// Reads the file; none when the day never ended cleanly.
    ///
    /// # Errors
    /// It cannot be read, or says something else.
    pub fn read(day: &Path) -> Result<Option<Self>, String> {
        let path = day.join(NAME);
        let text = match fs::read_to_string(&path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            read => read.map_err(|error| format!("{}: {error}", path.display()))?,
        };
        let parsed = Self::parse(&text);
        let wrong = || format!("{}: it does not say how the day ended", path.display());
        parsed.map(Some).ok_or_else(wrong)
    }

    fn parse(text: &str) -> Option<Self> {
        let mut words = text.split_whitespace();
        let mut value = |name| words.next()?.strip_prefix(name)?.strip_prefix('=');
        Some(Self {
            inputs: value("inputs")?.parse().ok()?,
            state_hash: u64::from_str_radix(value("state_hash")?, 16).ok()?,
            messages: value("messages")?.parse().ok()?,
        })
    }
}
