//! `wirecross control`: says a word to a running venue.

use crate::topology::Topology;
use crate::venue::say;
use std::path::PathBuf;
use std::process::ExitCode;

/// What `wirecross control` takes.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The venue's topology file.
    #[arg(long)]
    topology: PathBuf,
    /// `state SYMBOL STATE [REFERENCE]`, `indicate SYMBOL`, `kill` or `revive` with `all`,
    /// `account NUMBER`, `user NAME` or `symbol SYMBOL`, `mass-cancel` with any of `user NAME`,
    /// `account NUMBER`, `symbol SYMBOL`, `side buy|sell`, `prices FROM TO`. Prices are in
    /// 1/10,000.
    #[arg(required = true)]
    words: Vec<String>,
}

/// Runs the command. That the venue took the word says that it will be in the journal, not what
/// the engine made of it.
#[must_use]
pub fn run(args: &Args) -> ExitCode {
    let said = Topology::load(&args.topology)
        .map_err(|error| error.to_string())
        .and_then(|topology| say(&topology.data_dir, &args.words.join(" ")));
    match said {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("control: {error}");
            ExitCode::FAILURE
        }
    }
}
