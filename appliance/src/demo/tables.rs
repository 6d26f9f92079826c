//! The tables beside the demo's venue, compared with its journal and its feed.

use crate::topology::{Slow, Topology};
use crate::venue::slow_program;
use std::process::Command;

/// The file that the slow path's service keeps in its folder.
const DATABASE: &str = "tables.db";

/// What the comparison of the tables came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Tables {
    /// There are none: the venue has no slow path.
    Absent,
    /// They agree, row by row; what was compared, in words.
    Agreed(String),
    /// They do not; the first difference.
    Different(String),
}

/// Compares the tables of a venue that has ended, as an operator does.
///
/// # Errors
/// They cannot be read.
pub fn compare(topology: &Topology) -> Result<Tables, String> {
    let Some(Slow { dir, .. }) = &topology.slow else {
        return Ok(Tables::Absent);
    };
    let program = slow_program().map_err(|error| error.to_string())?;
    let mut command = Command::new(&program);
    command.arg("reconcile");
    command.arg("--data-dir").arg(&topology.data_dir);
    command.arg("--database").arg(dir.join(DATABASE));
    let told = |what: &dyn std::fmt::Display| format!("{}: {what}", program.display());
    let output = command.output().map_err(|error| told(&error))?;
    let text = String::from_utf8_lossy(&output.stdout).trim().to_owned();
    if output.status.success() {
        return Ok(Tables::Agreed(text));
    }
    if text.is_empty() {
        return Err(told(&String::from_utf8_lossy(&output.stderr).trim()));
    }
    Ok(Tables::Different(text))
}
