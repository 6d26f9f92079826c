//! The venue over HTTP: `[api]` in the file. What it offers is in docs/api.md.

use super::{Error, Slow};
use serde::Deserialize;
use std::path::PathBuf;

/// The program beside a venue that offers its tables and figures.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Api {
    /// Where it listens, and who may ask: a file that the slow path's user can read.
    pub settings: PathBuf,
    /// The program, if it is not beside ours.
    pub program: Option<PathBuf>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Raw {
    settings: PathBuf,
    program: Option<PathBuf>,
}

/// Checks the section; an absent one asks for nothing.
pub(super) fn api(raw: Option<Raw>, slow: Option<&Slow>) -> Result<Option<Api>, Error> {
    let Some(raw) = raw else { return Ok(None) };
    if slow.is_none() {
        return Err(Error::value(
            "api",
            "has no tables to offer",
            "add a section [slow], which makes them",
        ));
    }
    if raw.settings.as_os_str().is_empty() {
        return Err(Error::value(
            "api.settings",
            "is empty",
            "name the file that docs/api.md describes",
        ));
    }
    Ok(Some(Api {
        settings: raw.settings,
        program: raw.program,
    }))
}
