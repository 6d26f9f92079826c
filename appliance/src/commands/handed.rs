//! Commands of programs beside this one, which alone know of what they do: it becomes them.

use std::ffi::OsString;
use std::os::unix::process::CommandExt;
use std::process::{Command, ExitCode};

/// Arguments: those of the other program.
#[derive(Debug, clap::Args)]
#[command(disable_help_flag = true)]
pub struct Args {
    /// See the command's `--help`, which is the other program's.
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    pub words: Vec<OsString>,
}

/// A program beside ours, and the package that has it.
type Program = (&'static str, &'static str);

const QUANT: Program = ("wirecross-quant", "calculator");
const SLOW: Program = ("wirecross-slow", "store");

/// Portfolios, options, risks, models and forecasts from tables.
#[must_use]
pub fn quant(args: &Args) -> ExitCode {
    over("wirecross quant", QUANT, &[], args)
}

/// How many shards a load needs.
#[must_use]
pub fn scale(args: &Args) -> ExitCode {
    over("wirecross scale", QUANT, &["scale"], args)
}

/// The configuration of a pool in front of the tables' servers.
#[must_use]
pub fn pgbouncer(args: &Args) -> ExitCode {
    over("wirecross pgbouncer", SLOW, &["pgbouncer"], args)
}

/// Becomes the program; where it cannot, this command says so.
fn over(command: &str, (program, package): Program, before: &[&str], args: &Args) -> ExitCode {
    let ours = match std::env::current_exe() {
        Ok(ours) => ours,
        Err(error) => return super::failed(command, error),
    };
    let program = ours.with_file_name(program);
    // It only comes back if it could not begin.
    let error = Command::new(&program).args(before).args(&args.words).exec();
    let program = program.display();
    let hint = format!("cargo build --release -p {package} makes it");
    super::failed(command, format!("{program}: {error}; {hint}"))
}
