//! `wirecross quant`: portfolios, options, risks, models and forecasts from tables, by the program
//! `wirecross-quant` beside this one, which alone knows of them.

use std::ffi::OsString;
use std::os::unix::process::CommandExt;
use std::process::{Command, ExitCode};

/// The program beside ours.
const PROGRAM: &str = "wirecross-quant";

/// Arguments: those of the other program.
#[derive(Debug, clap::Args)]
#[command(disable_help_flag = true)]
pub struct Args {
    /// See `wirecross quant --help`.
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    pub words: Vec<OsString>,
}

/// Becomes the other program.
#[must_use]
pub fn run(args: &Args) -> ExitCode {
    handed_over("wirecross quant", &args.words)
}

/// Becomes the program; where it cannot, this command says so.
pub(super) fn handed_over(command: &str, words: &[OsString]) -> ExitCode {
    let ours = match std::env::current_exe() {
        Ok(ours) => ours,
        Err(error) => return super::failed(command, error),
    };
    let program = ours.with_file_name(PROGRAM);
    // It only comes back if it could not begin.
    let error = Command::new(&program).args(words).exec();
    let program = program.display();
    let hint = "cargo build --release -p calculator makes it";
    super::failed(command, format!("{program}: {error}; {hint}"))
}
