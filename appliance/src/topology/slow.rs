//! The slow path: `[slow]` in the file. What it makes is in docs/store.md.

use super::{Error, sandbox};
use serde::Deserialize;
use std::path::{Path, PathBuf};

/// The program beside a venue that makes tables of its journal and streams.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Slow {
    /// Where it keeps its database: a folder of its own.
    pub dir: PathBuf,
    /// Whom it is run as, if the venue is started as root and it is not to be the default one.
    pub user: Option<String>,
    /// The program, if it is not beside ours.
    pub program: Option<PathBuf>,
    /// The core it runs on, if it is to have one.
    pub core: Option<usize>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Raw {
    dir: PathBuf,
    user: Option<String>,
    program: Option<PathBuf>,
    core: Option<usize>,
}

/// Checks the section; an absent one asks for no slow path.
pub(super) fn slow(
    raw: Option<Raw>,
    data_dir: &Path,
    has_shadow: bool,
) -> Result<Option<Slow>, Error> {
    let Some(raw) = raw else { return Ok(None) };
    if !has_shadow {
        return Err(Error::value(
            "slow",
            "has no streams to read",
            "add a section [shadow], which writes them",
        ));
    }
    if raw.dir.as_os_str().is_empty() || raw.dir.starts_with(data_dir) {
        return Err(Error::value(
            "slow.dir",
            "is no folder of its own",
            "name one outside of data_dir, which belongs to the venue alone",
        ));
    }
    let user = sandbox::user("slow.user", raw.user)?;
    Ok(Some(Slow {
        dir: raw.dir,
        user,
        program: raw.program,
        core: raw.core,
    }))
}
