//! Referees: programs that others wrote, asked to read our bytes and to feed us theirs.
//!
//! Each is a script in `tools/referees`: `*.sh` runs under bash, `*.py` under the Python that
//! `cargo x setup` prepared. A referee succeeds when it ends with 0.

use crate::Outcome;
use crate::command::{command, root, run as run_command};
use crate::setup;
use std::path::{Path, PathBuf};

/// Runs every referee; all of them, even when one fails.
pub fn run() -> Outcome {
    let folder = root().join("tools/referees");
    let scripts = scripts_in(&folder)?;
    println!("{} referees in tools/referees", scripts.len());
    let failed: Vec<String> = scripts
        .iter()
        .filter_map(|script| run_command(&mut start(script)).err())
        .collect();
    if failed.is_empty() {
        return Ok(());
    }
    Err(failed.join("; "))
}

/// The scripts in a folder, in the order of their names; none if there is no such folder.
fn scripts_in(folder: &Path) -> Result<Vec<PathBuf>, String> {
    if !folder.is_dir() {
        return Ok(Vec::new());
    }
    let said = |error| format!("list {}: {error}", folder.display());
    let mut scripts = Vec::new();
    for entry in std::fs::read_dir(folder).map_err(said)? {
        let path = entry.map_err(said)?.path();
        if ["sh", "py"]
            .into_iter()
            .any(|ending| path.extension().is_some_and(|e| e == ending))
        {
            scripts.push(path);
        }
    }
    scripts.sort();
    Ok(scripts)
}

fn start(script: &Path) -> std::process::Command {
    let name = script.to_string_lossy();
    if script.extension().is_some_and(|ending| ending == "py") {
        return command(setup::python(), &[&name]);
    }
    command("bash", &[&name])
}
