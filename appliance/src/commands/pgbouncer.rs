//! `wirecross pgbouncer`: the configuration of a pool in front of the tables' servers, by the
//! program `wirecross-slow` beside this one, which alone knows of them.

use std::ffi::OsString;
use std::os::unix::process::CommandExt;
use std::process::{Command, ExitCode};

/// The program beside ours.
const PROGRAM: &str = "wirecross-slow";

/// Arguments: those of the other program's command.
#[derive(Debug, clap::Args)]
#[command(disable_help_flag = true)]
pub struct Args {
    /// See `wirecross pgbouncer config --help`.
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    pub words: Vec<OsString>,
}

/// Becomes the other program.
#[must_use]
pub fn run(args: &Args) -> ExitCode {
    let ours = match std::env::current_exe() {
        Ok(ours) => ours,
        Err(error) => return super::failed("wirecross pgbouncer", error),
    };
    let program = ours.with_file_name(PROGRAM);
    // It only comes back if it could not begin.
    let error = Command::new(&program)
        .arg("pgbouncer")
        .args(&args.words)
        .exec();
    let program = program.display();
    let hint = "cargo build --release -p store makes it";
    super::failed("wirecross pgbouncer", format!("{program}: {error}; {hint}"))
}
