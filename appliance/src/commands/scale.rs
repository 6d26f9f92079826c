//! `wirecross scale`: how many shards a load needs, by the program `wirecross-quant` beside this
//! one, which alone knows of it.

use std::ffi::OsString;
use std::process::ExitCode;

/// Arguments: those of the other program's command.
#[derive(Debug, clap::Args)]
#[command(disable_help_flag = true)]
pub struct Args {
    /// See `wirecross scale --help`.
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    pub words: Vec<OsString>,
}

/// Becomes the other program.
#[must_use]
pub fn run(args: &Args) -> ExitCode {
    let words = std::iter::once("scale".into()).chain(args.words.iter().cloned());
    super::quant::handed_over("wirecross scale", &words.collect::<Vec<OsString>>())
}
