//! Fills a database with many rows, asks each documented query many times, narrowed in each way,
//! and says how long the answers took. Some answers of each kind are compared, row by row, with
//! what the rows' rule says: it knows no table and no index. With `--beside` the same is asked of a
//! second database in turns.

mod beside;
mod due;
mod made;
mod ways;

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::{Duration, Instant};

use clap::Parser;
use made::{Made, mixed};
use store::query::Reader;
use store::{Database, Error, Location};
use ways::{WAYS, compare, narrowed};

/// Answers of each kind that are compared.
const COMPARED: u64 = 4;

/// What a query may take, at p99.
const GOAL: Duration = Duration::from_millis(5);

/// A 99th percentile of fewer is a maximum, which fails nothing.
const TOLD_FROM: u64 = 100;

/// Queries of a large database, timed and compared.
#[derive(Parser)]
struct Arguments {
    /// Rows of all tables, about.
    #[arg(long, default_value_t = 20_000_000)]
    rows: u64,
    /// Times that each query is asked in each way.
    #[arg(long, default_value_t = 1_000)]
    times: u64,
    /// The database; a file is made if there is none, a server has a copy of one (`wirecross-slow
    /// copy`).
    #[arg(long)]
    database: OsString,
    /// A second database with the same rows, asked in turns with the first one.
    #[arg(long)]
    beside: Option<OsString>,
    /// A file that both are made of where they have no tables yet; it is made if there is none.
    #[arg(long, requires = "beside")]
    from: Option<PathBuf>,
}

fn main() -> ExitCode {
    match run(&Arguments::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("queries: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run(arguments: &Arguments) -> Result<(), Error> {
    let made = Made::of(arguments.rows);
    let location = Location::read(&arguments.database)?;
    if let Some(beside) = &arguments.beside {
        let both = [location, Location::read(beside)?];
        if let Some(from) = &arguments.from {
            fill(&made, from)?;
            beside::copied(from, &both)?;
        }
        return beside::asked(&made, arguments.times, &both);
    }
    if let Location::File(path) = &location {
        fill(&made, path)?;
    }
    println!(
        "{:<12} {:<24} {:>9} {:>9} {:>9} {:>6}",
        "query", "narrowed by", "p50 us", "p99 us", "max us", "rows"
    );
    let reader = Reader::at(&location)?;
    let mut over = 0;
    for (name, ways) in WAYS {
        for way in ways {
            over += u32::from(asked((&reader, arguments.times), &made, name, way)? > GOAL);
        }
    }
    println!("{over} of these have a p99 above {} ms", GOAL.as_millis());
    if over > 0 && arguments.times >= TOLD_FROM {
        std::process::exit(1);
    }
    Ok(())
}

/// Makes a database, if there is none.
fn fill(made: &Made, path: &Path) -> Result<(), Error> {
    if !path.exists() {
        let start = Instant::now();
        made.fill(&mut Database::open(path)?.connection)?;
        println!("filled in {:.1} s", start.elapsed().as_secs_f64());
    }
    let rows = counted(path)?;
    let bytes = std::fs::metadata(path).map_or(0, |file| file.len());
    println!("{rows} rows, {} MiB", bytes >> 20);
    if rows != made.rows() {
        let words = format!("{} has {rows} rows, not {}", path.display(), made.rows());
        return Err(Error::Refused(words));
    }
    Ok(())
}

/// Asks a query often, narrowed in one way by chance's choice; gives its p99.
fn asked(
    (reader, times): (&Reader, u64),
    made: &Made,
    name: &str,
    way: &'static str,
) -> Result<Duration, Error> {
    let mut took = Vec::new();
    let mut most = 0;
    for time in 0..times.max(1) {
        let filter = narrowed(made, way, mixed(time ^ mixed(name.len() as u64)));
        let mut answer = Vec::new();
        let start = Instant::now();
        let rows = reader.query(name, &filter, (false, &mut answer))?;
        took.push(start.elapsed());
        most = most.max(rows);
        if time < COMPARED {
            compare(made, (name, &filter), &String::from_utf8_lossy(&answer))?;
        }
    }
    took.sort_unstable();
    let at = |part: usize| took[(took.len() * part / 100).min(took.len() - 1)];
    let us = |time: Duration| time.as_micros();
    println!(
        "{name:<12} {:<24} {:>9} {:>9} {:>9} {most:>6}",
        words_of(way),
        us(at(50)),
        us(at(99)),
        us(at(100))
    );
    Ok(at(99))
}

fn words_of(way: &str) -> String {
    let word = |letter| match letter {
        'a' => "account",
        's' => "symbol",
        'n' => "newest first",
        _ => "time",
    };
    let words: Vec<&str> = way.chars().map(word).collect();
    words.join(", ")
}

fn counted(path: &Path) -> Result<u64, Error> {
    let tables = "SELECT (SELECT count(*) FROM orders) + (SELECT count(*) FROM fills) \
                  + (SELECT count(*) FROM bars) + (SELECT count(*) FROM positions) \
                  + (SELECT count(*) FROM holdings) \
                  + (SELECT count(*) FROM audit) + (SELECT count(*) FROM turns) \
                  + (SELECT count(*) FROM tops)";
    let connection = Database::open(path)?.connection;
    Ok(connection.query_row(tables, [], |row| row.get::<_, i64>(0))? as u64)
}
