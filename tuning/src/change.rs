//! One thing to change on a host: a text in a file, or a folder.

use crate::host::choice_of;
use serde::{Deserialize, Serialize};

/// A change. Whoever plans it knows how to write the old value back; whether that is needed is the
/// journal's business.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "act", rename_all = "snake_case")]
pub enum Change {
    /// Write `value` into a file that is there; `restore` written to it brings back what it said.
    Write {
        /// The file.
        path: String,
        /// What is written.
        value: String,
        /// What undoes it.
        restore: String,
    },
    /// Send an interrupt elsewhere. Its file says where it may go; where it does go is the
    /// kernel's choice among these, and undoing brings back that too.
    Route {
        /// The file.
        path: String,
        /// Where it is to go.
        value: String,
        /// Where it might go before.
        restore: String,
        /// Where it did go.
        arrived: String,
    },
    /// Nothing, now: the kernel moves this setting along with another one, and undoing puts it back
    /// if it is not as it was.
    Keep {
        /// The file.
        path: String,
        /// What it says.
        restore: String,
    },
    /// Make or replace a file of settings.
    Create {
        /// The file.
        path: String,
        /// All of its text.
        text: String,
    },
    /// Make a folder; in a control group the kernel fills it.
    MakeFolder {
        /// The folder.
        path: String,
    },
}

impl Change {
    /// A change of a setting that says `before` now.
    #[must_use]
    pub fn write(path: &str, value: &str, before: &str) -> Self {
        Self::Write {
            path: path.to_owned(),
            value: value.to_owned(),
            restore: choice_of(before).to_owned(),
        }
    }

    /// A setting that says `before` now and that other changes move.
    #[must_use]
    pub fn keep(path: &str, before: &str) -> Self {
        Self::Keep {
            path: path.to_owned(),
            restore: choice_of(before).to_owned(),
        }
    }

    /// Whether it is text in a file that the kernel has.
    pub(crate) const fn is_setting(&self) -> bool {
        matches!(
            self,
            Self::Write { .. } | Self::Route { .. } | Self::Keep { .. }
        )
    }

    /// What it changes.
    #[must_use]
    pub fn path(&self) -> &str {
        match self {
            Self::Write { path, .. }
            | Self::Route { path, .. }
            | Self::Keep { path, .. }
            | Self::Create { path, .. }
            | Self::MakeFolder { path } => path,
        }
    }

    /// The same as a shell command.
    #[must_use]
    pub fn command(&self) -> String {
        match self {
            Self::Write { path, value, .. } | Self::Route { path, value, .. } => {
                write_command(path, value)
            }
            Self::Keep { path, .. } => format!("cat {path}"),
            Self::Create { path, text } => {
                format!("printf '%s' {} > {path}", quoted(text))
            }
            Self::MakeFolder { path } => format!("mkdir {path}"),
        }
    }

    /// What undoes it, as shell commands; of files that replace others only the journal knows.
    #[must_use]
    pub fn undo_command(&self) -> String {
        match self {
            Self::Write { path, restore, .. } | Self::Keep { path, restore } => {
                write_command(path, restore)
            }
            Self::Route {
                path,
                restore,
                arrived,
                ..
            } => {
                let [back, wide] = [arrived, restore].map(|cpus| write_command(path, cpus));
                format!("{back}; sleep 1; {wide}")
            }
            Self::Create { path, .. } => format!("rm {path}"),
            Self::MakeFolder { path } => format!("rmdir {path}"),
        }
    }
}

fn write_command(path: &str, value: &str) -> String {
    if let Some(rest) = path.strip_prefix("/ethtool/") {
        return crate::host::ethtool_command(rest, value);
    }
    format!("echo {} > {path}", quoted(value))
}

/// A word for a shell.
fn quoted(text: &str) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "-_./,:+=".contains(c);
    if !text.is_empty() && text.chars().all(is_plain) {
        return text.to_owned();
    }
    format!("'{}'", text.replace('\'', r"'\''"))
}
