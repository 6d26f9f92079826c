//! `wirecross admin`: what an operator does beside trading.

use crate::venue::logins::hashed;
use std::io::Read;
use std::process::ExitCode;

/// The longest line on stdin that is looked at.
const LINE_BYTES_MAX: u64 = 256;

/// What `wirecross admin` takes.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(subcommand)]
    act: Act,
}

#[derive(Debug, clap::Subcommand)]
enum Act {
    /// Print the hash of the password on stdin, for `password_hash` of a topology.
    HashPassword,
}

/// Runs the command. Exit status 2 when it could not do what it is for.
#[must_use]
pub fn run(args: &Args) -> ExitCode {
    let done = match args.act {
        Act::HashPassword => hash_password(),
    };
    match done {
        Ok(said) => {
            super::say(&format!("{said}\n"));
            ExitCode::SUCCESS
        }
        Err(error) => super::failed("admin", error),
    }
}

/// The password comes by stdin: arguments stand in the list of processes.
fn hash_password() -> Result<String, String> {
    let mut line = String::new();
    let read = std::io::stdin()
        .take(LINE_BYTES_MAX)
        .read_to_string(&mut line);
    read.map_err(|error| format!("stdin: {error}"))?;
    hashed(line.trim_end_matches(['\n', '\r']))
}
