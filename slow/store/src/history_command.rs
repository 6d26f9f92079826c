//! `wirecross-slow history`: days of the tables as Parquet files.

use clap::{Args, Subcommand};
use std::ffi::OsString;
use std::fmt::Display;
use std::fs;
use std::io::ErrorKind;
use std::num::NonZeroU32;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Instant;
use store::history::{self, Keeping, Kept, Note, Size, Which};
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

/// What one who follows a venue does with days that are over.
#[derive(Args)]
pub struct Asked {
    /// Write days that are over into files below this folder.
    #[arg(long, value_name = "DIR", requires = "follow")]
    history: Option<PathBuf>,
    /// Keep so many days in the tables, the running one included; the others are in files alone.
    #[arg(long, requires = "history")]
    keep_days: Option<NonZeroU32>,
}

impl Asked {
    /// The same as the library has it.
    pub fn read(self) -> Option<Keeping> {
        let days = self.keep_days.map(NonZeroU32::get);
        self.history.map(|dir| Keeping { dir, days })
    }
}

/// Settings of a service, in its folder: days are kept below `history` there if it has them.
const SETTINGS: &str = "history.toml";

/// Reads what a service in a folder does with days that are over, and makes the folder of their
/// files.
///
/// # Errors
/// The settings cannot be read or say what is not known; the words name the place.
pub fn settings(dir: &Path) -> Result<Option<Keeping>, Error> {
    let path = dir.join(SETTINGS);
    let told = |why: &dyn Display| Error::Refused(format!("{}: {why}", path.display()));
    let text = match fs::read_to_string(&path) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        text => text.map_err(|error| told(&error))?,
    };
    let days = keep_days(&text).map_err(|why| told(&why))?;
    let dir = dir.join("history");
    fs::create_dir_all(&dir).map_err(|error| told(&error))?;
    Ok(Some(Keeping { dir, days }))
}

/// How many days the tables keep.
fn keep_days(text: &str) -> Result<Option<u32>, String> {
    let table: toml::Table = text
        .parse()
        .map_err(|error: toml::de::Error| error.to_string())?;
    if let Some(name) = table.keys().find(|name| *name != "keep_days") {
        return Err(format!("there is no setting {name:?}; there is keep_days"));
    }
    let Some(value) = table.get("keep_days") else {
        return Ok(None);
    };
    let days = value.as_integer().and_then(|it| u32::try_from(it).ok());
    let days = days.filter(|days| *days > 0).map(Some);
    days.ok_or_else(|| format!("keep_days is {value}; it must be a number of days from 1 on"))
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
    /// Write the days that are over and not there yet, then take the rows of old ones out of the
    /// tables: of those whose files, read again, have the same.
    Move {
        #[command(flatten)]
        places: Places,
        /// The tables keep so many days, the running one included.
        #[arg(long)]
        keep_days: NonZeroU32,
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
        Command::Move { places, keep_days } => {
            let keeping = Keeping {
                dir: places.dir,
                days: Some(keep_days.get()),
            };
            let kept = history::keep(&Location::read(&places.database)?, &keeping)?;
            println!("{}", words(&kept));
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

/// Says what became of old days.
pub fn words(kept: &Kept) -> String {
    let mut words = format!("history written={} moved={}", kept.written, kept.moved);
    if kept.bytes > 0 {
        words += &format!(
            " bytes_in_tables={} bytes_in_files={}",
            kept.bytes, kept.file_bytes
        );
    }
    words
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

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn settings_say_what_is_wrong_with_them() {
        assert_eq!(keep_days(""), Ok(None));
        assert_eq!(keep_days("keep_days = 30"), Ok(Some(30)));
        for text in [
            "keep_days = 0",
            "keep_days = -1",
            "keep_days = '3'",
            "keep_days = 5000000000",
        ] {
            let why = keep_days(text).unwrap_err();
            assert!(why.contains("from 1 on"), "{why}");
        }
        assert!(
            keep_days("days = 3")
                .unwrap_err()
                .contains("no setting \"days\"")
        );
        assert!(keep_days("keep_days =").unwrap_err().contains("line 1"));
    }
}
