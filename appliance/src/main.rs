//! The program `wirecross`.

use appliance::commands;
use clap::{Parser, Subcommand};
use std::process::ExitCode;

/// A trading venue in one program.
#[derive(Debug, Parser)]
#[command(name = "wirecross", version)]
struct Program {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Check a topology file and draw it.
    Topology(commands::topology::Args),
}

fn main() -> ExitCode {
    match &Program::parse().command {
        Command::Topology(args) => commands::topology::run(args),
    }
}
