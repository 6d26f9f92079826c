//! `wirecross journal`: looks into a journal's files, which it only reads, and makes what follows
//! from them whole.

mod complete;
mod count;
mod directory;
mod filter;
mod print;
mod time;
mod verify;

use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use journal::{FileList, FileSegments, RecoveryError, Walker};

pub use directory::day_of;
pub use filter::Wanted;
pub(super) use time::told as time_told;

/// Exit code when a journal is damaged.
pub const EXIT_DAMAGED: u8 = 1;
/// Exit code when there is nothing that could be read: no such file, a newer format, wrong words.
pub const EXIT_UNREADABLE: u8 = super::EXIT_FAILED;

const WORDS: &str = "\
A FILE is a segment, journal-0000000001 for example, a trading day's directory, or a data
directory with its days. Segments that are named one by one must follow one another; the first
need not be number 1. A venue that runs may be looked at.

  wirecross journal verify data/my-venue
  wirecross journal show --symbol AAPL --account 7 data/my-venue/2026013001
  wirecross journal export --sequence 1000..2000 data/my-venue | head

Exit codes: 0 in order, 1 damaged, 2 not readable.";

/// What `wirecross journal` takes.
#[derive(Debug, clap::Args)]
#[command(after_help = WORDS)]
pub struct Args {
    #[command(subcommand)]
    act: Act,
}

#[derive(Debug, clap::Subcommand)]
enum Act {
    /// Checks every record; names the first bad byte.
    Verify(Files),
    /// Prints the inputs, a line each.
    Show(Printed),
    /// Counts what the files hold.
    Stat(Files),
    /// Prints the inputs as JSON, a line each.
    Export(Printed),
    /// Brings the streams of a day that is over to the end of its journal.
    Complete(complete::Asked),
}

#[derive(Debug, clap::Args)]
struct Files {
    /// Segments, or a directory.
    #[arg(value_name = "FILE", required = true)]
    files: Vec<PathBuf>,
}

#[derive(Debug, clap::Args)]
struct Printed {
    #[command(flatten)]
    files: Files,
    /// JSON lines instead of text.
    #[arg(long)]
    json: bool,
    /// The records that hold the inputs too.
    #[arg(long)]
    records: bool,
    #[command(flatten)]
    wanted: Wanted,
}

/// Why a command over the log ends before its end.
#[derive(Debug)]
pub enum Stopped {
    /// The journal says no.
    Journal(RecoveryError),
    /// There is damage that no record tells.
    Damaged(String),
    /// What was asked cannot be answered.
    Asked(String),
    /// Nobody reads what is printed any more, or it cannot be written.
    Output(io::Error),
}

impl From<RecoveryError> for Stopped {
    fn from(error: RecoveryError) -> Self {
        Self::Journal(error)
    }
}

impl From<io::Error> for Stopped {
    fn from(error: io::Error) -> Self {
        Self::Output(error)
    }
}

/// Runs the command.
#[must_use]
pub fn run(args: &Args) -> ExitCode {
    let mut out = BufWriter::new(io::stdout().lock());
    let done = match &args.act {
        Act::Verify(files) => journals(files, &mut |it| verify::verify(it, &mut out)),
        Act::Stat(files) => journals(files, &mut |it| count::count(it, &mut out)),
        Act::Show(what) => printed(what, what.json, &mut out),
        Act::Export(what) => printed(what, true, &mut out),
        Act::Complete(asked) => complete::complete(asked, &mut out),
    };
    ended(done.and_then(|()| Ok(out.flush()?)))
}

fn printed(what: &Printed, json: bool, out: &mut dyn Write) -> Result<(), Stopped> {
    let style = print::Style {
        json,
        records: what.records,
    };
    journals(&what.files, &mut |it| {
        print::print(it, style, &what.wanted, out)
    })
}

/// A journal's files, opened.
pub type Journal = Walker<FileList>;

/// Does something with each of the journals that were named.
fn journals(
    files: &Files,
    act: &mut dyn FnMut(Journal) -> Result<(), Stopped>,
) -> Result<(), Stopped> {
    for paths in directory::journals(&files.files).map_err(Stopped::Asked)? {
        let list = FileList::open(&paths).map_err(RecoveryError::Storage)?;
        act(Walker::new(list)?)?;
    }
    Ok(())
}

/// One input of a day, as `wirecross journal show` prints it.
///
/// # Errors
/// The journal cannot be read.
pub fn show(day: &Path, sequence: u64) -> Result<String, String> {
    let mut journal = Walker::new(FileSegments::new(day)).map_err(|error| error.to_string())?;
    print::one(&mut journal, sequence).map_err(|error| error.to_string())
}

/// Says why, and gives the exit code. Whoever reads only the head of what is printed is content.
fn ended(done: Result<(), Stopped>) -> ExitCode {
    let (text, code) = match done {
        Ok(()) => return ExitCode::SUCCESS,
        Err(Stopped::Output(error)) if error.kind() == io::ErrorKind::BrokenPipe => {
            return ExitCode::SUCCESS;
        }
        Err(Stopped::Output(error)) => (format!("output: {error}"), EXIT_UNREADABLE),
        Err(Stopped::Damaged(text)) => (text, EXIT_DAMAGED),
        Err(Stopped::Asked(text)) => (text, EXIT_UNREADABLE),
        Err(Stopped::Journal(RecoveryError::Corrupt(corrupt))) => {
            (verify::told(&corrupt), EXIT_DAMAGED)
        }
        Err(Stopped::Journal(error)) => (error.to_string(), EXIT_UNREADABLE),
    };
    eprintln!("journal: {text}");
    ExitCode::from(code)
}
