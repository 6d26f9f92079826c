//! `wirecross topology FILE`: checks a topology and draws it.

use crate::topology::Topology;
use std::path::PathBuf;
use std::process::ExitCode;

/// Arguments.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The topology file.
    pub file: PathBuf,
}

/// Prints the graph; what this machine lacks is a note, because a file may be drawn anywhere.
#[must_use]
pub fn run(args: &Args) -> ExitCode {
    let topology = match Topology::load(&args.file) {
        Ok(topology) => topology,
        Err(error) => {
            eprintln!("{error}");
            return ExitCode::FAILURE;
        }
    };
    print!("{}", topology.graph());
    if let Err(error) = topology.check_machine(&super::cores_usable()) {
        println!("\nnot on this machine: {error}");
    }
    ExitCode::SUCCESS
}
