//! `wirecross admin`: the operator's acts, each in the journal with who and why.

use super::control::WORDS;
use super::show::{Standing, sessions_told};
use crate::client::top::Reading;
use crate::topology::Topology;
use crate::venue::logins::{hashed, key_random, key_write};
use crate::venue::remark::Remarks;
use crate::venue::say;
use journal::{FileSegments, Walker};
use std::fmt::Write as _;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// The longest line on stdin that is looked at.
const LINE_BYTES_MAX: u64 = 256;

/// What `wirecross admin` takes.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(subcommand)]
    task: Task,
}

#[derive(Debug, clap::Subcommand)]
enum Task {
    /// Print the hash of the password on stdin, for `password_hash` of a topology.
    HashPassword,
    /// Make a file with a new key, for `key_file` of a topology and for its user.
    MakeKey {
        /// The file, which is not there yet.
        file: PathBuf,
    },
    /// Say a word to a running venue, and why: both stand in the journal, with the user who said
    /// it.
    #[command(after_help = WORDS)]
    Act {
        /// The venue's topology file.
        #[arg(long)]
        topology: PathBuf,
        /// The reason.
        #[arg(long)]
        why: String,
        /// A word and what it is about, as below.
        #[arg(required = true, allow_negative_numbers = true)]
        words: Vec<String>,
    },
    /// List who may log in, for which accounts and as what, who is connected, and who is locked.
    /// Runs the day again from its journal.
    Sessions {
        /// The venue's topology file.
        #[arg(long)]
        topology: PathBuf,
    },
    /// Show how things stand: markets, accounts with limits, positions and credit, users, kill
    /// switches, what waits in the rings. Runs the day again from its journal.
    Show {
        /// The venue's topology file.
        #[arg(long)]
        topology: PathBuf,
        /// JSON instead of tables.
        #[arg(long)]
        json: bool,
    },
    /// List what operators did today: when, the number of the user of the system, what and why.
    Log {
        /// The venue's topology file.
        #[arg(long)]
        topology: PathBuf,
    },
}

/// Runs the command. Exit status 2 when it could not do what it is for.
#[must_use]
pub fn run(args: &Args) -> ExitCode {
    let done = match &args.task {
        Task::HashPassword => hash_password(),
        Task::MakeKey { file } => make_key(file),
        Task::Act {
            topology,
            why,
            words,
        } => load(topology).and_then(|it| {
            let line = super::bust::completed(&it, &words.join(" "))?;
            say(&it.data_dir, &line, Some(why))
        }),
        Task::Sessions { topology } => load(topology).and_then(|it| sessions(&it)),
        Task::Show { topology, json } => load(topology).and_then(|it| show(&it, *json)),
        Task::Log { topology } => load(topology).and_then(|it| log(&it.data_dir)),
    };
    match done {
        Ok(said) => {
            super::say(&format!("{}\n", said.trim_end()));
            ExitCode::SUCCESS
        }
        Err(error) => super::failed("admin", error),
    }
}

fn load(path: &Path) -> Result<Topology, String> {
    let topology = Topology::load(path).map_err(|error| error.to_string())?;
    super::insecure_warn(&topology.data_dir);
    Ok(topology)
}

/// The password comes by stdin: arguments stand in the list of processes.
fn hash_password() -> Result<String, String> {
    let mut line = String::new();
    let read = io::stdin().take(LINE_BYTES_MAX).read_to_string(&mut line);
    read.map_err(|error| format!("stdin: {error}"))?;
    hashed(line.trim_end_matches(['\n', '\r']))
}

/// Nobody but the caller can read it.
fn make_key(file: &Path) -> Result<String, String> {
    let failed = |error: io::Error| format!("{}: {error}", file.display());
    let key = key_random().map_err(failed)?;
    key_write(file, &key).map_err(failed)?;
    Ok(format!("{}: a new key", file.display()))
}

fn sessions(topology: &Topology) -> Result<String, String> {
    let reading = Reading::take(&topology.data_dir, 0).map_err(|error| error.to_string())?;
    if !reading.is_running {
        return Err("the venue is not running".to_owned());
    }
    Ok(sessions_told(topology, &reading))
}

fn show(topology: &Topology, is_json: bool) -> Result<String, String> {
    let standing = Standing::of(topology)?;
    if is_json {
        return serde_json::to_string_pretty(&standing).map_err(|error| error.to_string());
    }
    Ok(standing.text())
}

/// The acts of the newest day.
fn log(data_dir: &Path) -> Result<String, String> {
    let day = super::journal::day_of(data_dir)?;
    let mut journal = Walker::new(FileSegments::new(&day)).map_err(|error| error.to_string())?;
    let (mut remarks, mut text) = (Remarks::default(), String::new());
    while let Some(record) = journal.record().map_err(|error| error.to_string())? {
        for input in record.inputs {
            if let Some((user, act)) = remarks.take(input) {
                let time = super::journal::time_told(input.time_ns);
                // Writing to a String cannot fail.
                let _ = writeln!(text, "{time} input {} user {user}: {act}", input.sequence);
            }
        }
    }
    Ok(text)
}
