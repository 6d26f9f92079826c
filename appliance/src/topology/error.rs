//! What can be wrong with a topology file.

use std::fmt;
use std::path::{Path, PathBuf};

/// Why a topology cannot be used: which key, what is wrong with it, what to do.
#[derive(Debug)]
pub enum Error {
    /// The file could not be read.
    Read {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// The text is no TOML, or a key is unknown, missing or of another type.
    Syntax {
        /// What the parser said, with the line.
        message: String,
    },
    /// A value cannot be.
    Value {
        /// Its line, where the file has one for it.
        line: Option<usize>,
        /// The key, with its table.
        key: String,
        /// What is wrong with it.
        problem: String,
        /// What to write instead.
        remedy: String,
    },
    /// One of the others, in this file.
    File {
        /// The file.
        path: PathBuf,
        /// What is wrong in it.
        error: Box<Error>,
    },
}

impl Error {
    /// A value that cannot be.
    pub(crate) fn value(
        key: impl Into<String>,
        problem: impl Into<String>,
        remedy: impl Into<String>,
    ) -> Self {
        Self::Value {
            line: None,
            key: key.into(),
            problem: problem.into(),
            remedy: remedy.into(),
        }
    }

    /// The same error, with its line in this text.
    pub(super) fn in_text(mut self, text: &str) -> Self {
        if let Self::Value { line, key, .. } = &mut self {
            *line = super::place::line_of(text, key);
        }
        self
    }

    /// The same error, of this file.
    pub(super) fn of_file(self, path: &Path) -> Self {
        Self::File {
            path: path.to_path_buf(),
            error: Box::new(self),
        }
    }

    /// What is wrong and where, without the file.
    fn place(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Syntax { message } => f.write_str(message.trim_end()),
            Self::Value {
                line,
                key,
                problem,
                remedy,
            } => {
                if let Some(line) = line {
                    write!(f, "line {line}: ")?;
                }
                write!(f, "`{key}` {problem}; {remedy}")
            }
            Self::Read { .. } | Self::File { .. } => write!(f, "{self}"),
        }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Read { path, source } => write!(
                f,
                "topology {}: {source}; give the path of a topology file, \
                 such as appliance/topologies/dev-2core.toml",
                path.display()
            ),
            Self::Syntax { .. } | Self::Value { .. } => {
                f.write_str("topology: ")?;
                self.place(f)
            }
            Self::File { path, error } => {
                write!(f, "topology {}: ", path.display())?;
                error.place(f)
            }
        }
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Read { source, .. } => Some(source),
            Self::Syntax { .. } | Self::Value { .. } | Self::File { .. } => None,
        }
    }
}
