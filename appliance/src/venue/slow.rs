//! The slow path beside a venue: `wirecross-slow`, which makes tables of its files.

use super::StartError;
use super::beside::{Beside, Plan};
use crate::topology::{Slow, SlowDatabase, SlowServer, Topology};
use std::ffi::OsString;
use std::os::unix::fs::MetadataExt;
use std::path::PathBuf;
use std::time::Duration;

/// The program that makes the tables.
const SLOW_PROGRAM: &str = "wirecross-slow";

/// What to do where it is not there.
const HINT: &str = "slow.program: it is not there; `cargo build --release -p store` makes it, or \
                    leave the section [slow] out";

/// A password is not longer.
const PASSWORD_BYTES_MAX: u64 = 1_024;

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
    if let Some(SlowDatabase::Routes(path)) = slow.server.as_ref().map(|it| &it.database)
        && !path.is_file()
    {
        let told = format!("slow.routes: {}: no such file", path.display());
        return Err(StartError::new(told));
    }
    let (beside, name) = Beside::start(Plan {
        name: "slow path",
        section: "slow",
        user: slow.user.as_deref(),
        dir: &slow.dir,
        program: program.clone(),
        words: words(topology, slow, is_confined),
        handed: slow.server.as_ref().map_or(Ok(Vec::new()), password)?,
        end_max: END_MAX,
    })?;
    let tables = match &slow.server {
        Some(SlowServer {
            database: SlowDatabase::One(database),
            ..
        }) => format!("at {database}"),
        Some(SlowServer {
            database: SlowDatabase::Routes(path),
            ..
        }) => format!("in shards by {}", path.display()),
        None => format!("in {}", slow.dir.display()),
    };
    modes.push(format!(
        "slow path: {} as {name}, tables {tables}",
        program.display(),
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

/// The server's password, from a file that nobody else reads.
pub(super) fn password(server: &SlowServer) -> Result<Vec<u8>, StartError> {
    let Some(path) = &server.password_file else {
        return Ok(Vec::new());
    };
    let wrong = |what: &dyn std::fmt::Display| {
        StartError::new(format!("slow.password_file: {}: {what}", path.display()))
    };
    let about = std::fs::metadata(path).map_err(|e| wrong(&e))?;
    if about.mode() & 0o077 != 0 || about.len() > PASSWORD_BYTES_MAX {
        return Err(wrong(
            &"others may read it, or it is no password: chmod 600 it",
        ));
    }
    let text = std::fs::read_to_string(path).map_err(|e| wrong(&e))?;
    let line = text.strip_suffix('\n').unwrap_or(&text);
    if line.is_empty() || line.contains('\n') {
        return Err(wrong(&"it is to hold one line, the password"));
    }
    Ok(line.as_bytes().to_vec())
}

fn words(topology: &Topology, slow: &Slow, is_confined: bool) -> Vec<OsString> {
    let mut words: Vec<OsString> = vec!["serve".into()];
    for (name, path) in [("--data-dir", &topology.data_dir), ("--dir", &slow.dir)] {
        words.extend([name.into(), path.into()]);
    }
    if let Some(server) = &slow.server {
        words.extend(match &server.database {
            SlowDatabase::One(database) => ["--database".into(), database.clone().into()],
            SlowDatabase::Routes(path) => ["--routes".into(), path.clone().into()],
        });
        if server.password_file.is_some() {
            words.push("--password".into());
        }
    }
    let log = &slow.log;
    for (name, value) in [
        ("--core", slow.core.map(|it| it.to_string())),
        ("--log-format", log.format.clone()),
        ("--log-level", log.level.clone()),
        ("--slow-ms", log.slow_ms.map(|it| it.to_string())),
        ("--collector", slow.collector.map(|it| it.to_string())),
    ] {
        if let Some(value) = value {
            words.extend([name.into(), value.into()]);
        }
    }
    if !is_confined {
        words.push("--insecure-dev".into());
    }
    words
}
