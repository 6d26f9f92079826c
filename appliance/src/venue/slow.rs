//! The slow path beside a venue: `wirecross-slow`, which makes tables of its files.

use super::StartError;
use super::beside::{Beside, Plan};
use crate::topology::{Slow, Topology};
use std::ffi::OsString;
use std::path::PathBuf;
use std::time::Duration;

/// The program that makes the tables.
const SLOW_PROGRAM: &str = "wirecross-slow";

/// What to do where it is not there.
const HINT: &str = "slow.program: it is not there; `cargo build --release -p store` makes it, or \
                    leave the section [slow] out";

/// How long it may take for what is left of the day.
const END_MAX: Duration = Duration::from_secs(50);

/// Starts it, if the topology has a slow path. What is told of it goes to `modes`.
pub(super) fn start(
    topology: &Topology,
    is_confined: bool,
    modes: &mut Vec<String>,
) -> Result<Option<Beside>, StartError> {
    let Some(slow) = &topology.slow else {
        return Ok(None);
    };
    let program = match &slow.program {
        Some(program) => present(program.clone(), HINT)?,
        None => slow_program()?,
    };
    let (beside, name) = Beside::start(Plan {
        name: "slow path",
        section: "slow",
        user: slow.user.as_deref(),
        dir: &slow.dir,
        program: program.clone(),
        words: words(topology, slow, is_confined),
        handed: Vec::new(),
        end_max: END_MAX,
    })?;
    modes.push(format!(
        "slow path: {} as {name}, tables in {}",
        program.display(),
        slow.dir.display()
    ));
    Ok(Some(beside))
}

/// The program beside ours.
///
/// # Errors
/// It is not there.
pub fn slow_program() -> Result<PathBuf, StartError> {
    beside_us(SLOW_PROGRAM, HINT)
}

/// A program beside ours.
pub(super) fn beside_us(name: &str, hint: &str) -> Result<PathBuf, StartError> {
    let ours = std::env::current_exe().map_err(|e| StartError::of("our program", &e))?;
    present(ours.with_file_name(name), hint)
}

/// A program that is there.
pub(super) fn present(program: PathBuf, hint: &str) -> Result<PathBuf, StartError> {
    if program.is_file() {
        return Ok(program);
    }
    let told = format!("{hint} ({})", program.display());
    Err(StartError::new(told))
}

fn words(topology: &Topology, slow: &Slow, is_confined: bool) -> Vec<OsString> {
    let mut words: Vec<OsString> = vec!["serve".into()];
    for (name, path) in [("--data-dir", &topology.data_dir), ("--dir", &slow.dir)] {
        words.extend([name.into(), path.into()]);
    }
    if let Some(core) = slow.core {
        words.extend(["--core".into(), core.to_string().into()]);
    }
    if !is_confined {
        words.push("--insecure-dev".into());
    }
    words
}
