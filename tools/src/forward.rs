//! Tasks that another program of the house does: benches and topologies.

use crate::Outcome;
use crate::command::{cargo, run as run_command};
use clap::Args;
use std::path::Path;

/// What flow to generate.
#[derive(Args)]
pub struct Generate {
    /// The same seed gives the same flow.
    #[arg(long)]
    seed: u64,
    /// How many commands.
    #[arg(long)]
    commands: u64,
    /// How many symbols.
    #[arg(long, default_value_t = 16)]
    symbols: u16,
}

/// Runs a benchmark.
pub fn bench(name: &str, quick: bool, json: Option<&Path>) -> Outcome {
    let mut command = cargo(&[
        "run",
        "--quiet",
        "--profile",
        "bench",
        "-p",
        "benches",
        "--",
        name,
    ]);
    if quick {
        command.arg("--quick");
    }
    if let Some(json) = json {
        command.arg("--json").arg(json);
    }
    run_command(&mut command)
}

/// Prints the graph of a topology file.
pub fn topology(file: &Path) -> Outcome {
    let appliance = [
        "run",
        "--quiet",
        "-p",
        "appliance",
        "--bin",
        "wirecross",
        "--",
        "topology",
    ];
    let file = std::path::absolute(file).map_err(|e| format!("{}: {e}", file.display()))?;
    run_command(cargo(&appliance).arg(file))
}

/// Writes flow to standard output.
pub fn generate(_what: &Generate) -> Outcome {
    Err("not wired".into())
}
