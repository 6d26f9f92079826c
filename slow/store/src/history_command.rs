//! `wirecross-slow history`: days of the tables as Parquet files.

use clap::{Args, Subcommand};
use std::ffi::OsString;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Instant;
use store::history::{self, Note, Size, Which};
use store::{Error, Location};

/// Where the tables and the files are.
#[derive(Args)]
pub struct Places {
    /// The database, a file or a server's address.
    #[arg(long)]
    database: OsString,
    /// The folder of the files, which is made if there is none.
    #[arg(long)]
    dir: PathBuf,
}

#[derive(Subcommand)]
pub enum Command {
    /// Write the days that are over and not there yet.
    Write {
        #[command(flatten)]
        places: Places,
        /// The running day as it stands, too.
        #[arg(long)]
        running: bool,
        /// This day alone, also if it is there.
        #[arg(long, conflicts_with = "running")]
        day: Option<String>,
        /// Say how large each sheet is and how many rows a second were written.
        #[arg(long)]
        stat: bool,
    },
    /// Compare the files with the tables row by row; the first difference is named.
    Reconcile {
        #[command(flatten)]
        places: Places,
    },
}

/// Does it.
pub fn run(command: Command) -> Result<ExitCode, Error> {
    match command {
        Command::Write {
            places,
            running,
            day,
            stat,
        } => {
            let which = match (&day, running) {
                (Some(name), _) => Which::One(name),
                (None, true) => Which::Running,
                (None, false) => Which::Closed,
            };
            let begin = Instant::now();
            let notes = history::write(&Location::read(&places.database)?, &places.dir, which)?;
            told(&notes, stat.then(|| begin.elapsed().as_secs_f64()));
        }
        Command::Reconcile { places } => {
            let location = Location::read(&places.database)?;
            match history::compare(&location, &places.dir)? {
                Ok(same) => println!(
                    "agreed days={} files={} rows={} without_files={}",
                    same.days, same.files, same.rows, same.without
                ),
                Err(difference) => {
                    println!("differs: {difference}");
                    return Ok(ExitCode::FAILURE);
                }
            }
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn told(notes: &[Note], seconds: Option<f64>) {
    let mut all = Size::default();
    for note in notes {
        for (name, size) in &note.sheets {
            if seconds.is_some() {
                let a_row = size.bytes as f64 / size.rows.max(1) as f64;
                println!(
                    "{} {name} rows={} files={} bytes={} bytes_a_row={a_row:.2}",
                    note.day, size.rows, size.files, size.bytes
                );
            }
            all.rows += size.rows;
            all.files += size.files;
            all.bytes += size.bytes;
        }
    }
    print!(
        "written days={} rows={} files={} bytes={}",
        notes.len(),
        all.rows,
        all.files,
        all.bytes
    );
    match seconds {
        Some(seconds) => {
            let rate = all.rows as f64 / seconds;
            println!(" seconds={seconds:.3} rows_per_s={rate:.0}");
        }
        None => println!(),
    }
}
