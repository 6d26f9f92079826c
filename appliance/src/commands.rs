//! The program's commands, one file each: `Args` is what it takes, `run` does it.

pub mod admin;
pub mod backtest;
pub mod beside;
pub mod bisect;
pub mod book;
mod bust;
pub mod control;
mod crossings;
pub mod demo;
pub mod desk;
pub mod doctor;
pub mod feed;
pub mod handed;
pub mod host;
pub mod jitter;
pub mod journal;
mod lines;
pub mod load;
pub mod profile;
pub mod recorded;
pub mod replay;
pub mod rerun;
pub mod run;
mod show;
mod today;
pub mod top;
pub mod topology;
pub mod tune;
pub mod watch;

use crate::client::top::Reading;
use crate::venue::INSECURE;
use std::path::Path;
use std::process::ExitCode;

/// The cores that the system lets this process use.
#[must_use]
pub fn cores_usable() -> Vec<usize> {
    core_affinity::get_core_ids()
        .unwrap_or_default()
        .iter()
        .map(|core| core.id)
        .collect()
}

/// Exit code of a command that could not do what it is for.
const EXIT_FAILED: u8 = 2;

/// Tells why a command could not do what it is for.
fn failed(command: &str, error: impl std::fmt::Display) -> ExitCode {
    eprintln!("{command}: {error}");
    ExitCode::from(EXIT_FAILED)
}

/// Says loudly that the running venue of a data directory gave up none of its rights, if so.
fn insecure_warn(data_dir: &Path) {
    let reading = Reading::take(data_dir, 0).ok();
    if reading.is_some_and(|reading| reading.is_insecure()) {
        eprintln!("wirecross: {INSECURE}");
    }
}

/// Prints JSON.
fn say_json(value: &impl serde::Serialize) -> Result<(), String> {
    let text = serde_json::to_string_pretty(value).map_err(|error| error.to_string())?;
    say(&format!("{text}\n"));
    Ok(())
}

/// Writes a file that the operator named.
fn store(file: &Path, text: impl AsRef<[u8]>) -> Result<(), String> {
    std::fs::write(file, text).map_err(|error| format!("{}: {error}", file.display()))
}

/// Prints to stdout; that nobody reads any more is the reader's choice.
fn say(text: &str) {
    use std::io::Write;
    let mut out = std::io::stdout();
    let _ = out.write_all(text.as_bytes()).and_then(|()| out.flush());
}
