//! How long a venue takes from its start to its first order, with many orders on its books and a
//! long tail of the journal behind the last snapshot.
//!
//! It makes a data directory with such a day, starts the program on it, enters an order as a member
//! does, kills the program, and does so again. The state that the venue comes to is compared with
//! the one that the day was made with.

mod day;
mod start;

use clap::Parser;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::{Duration, Instant};

/// What to drill.
#[derive(Parser)]
struct Arguments {
    /// Orders on the books.
    #[arg(long, default_value_t = 1_000_000)]
    live: u32,
    /// Inputs behind the snapshot.
    #[arg(long, default_value_t = 10_000_000)]
    tail: u64,
    /// Starts that are measured.
    #[arg(long, default_value_t = 5)]
    starts: u32,
    /// An empty directory on the disk to be measured; it is removed in the end.
    #[arg(long, default_value = "target/recovery-drill")]
    dir: PathBuf,
    /// The program.
    #[arg(long)]
    wirecross: PathBuf,
    /// The streams end with the snapshot, as if the power had been cut: all behind it is made anew.
    #[arg(long)]
    streams_lost: bool,
    /// Leave the directory: others want to read such a day, too.
    #[arg(long)]
    keep: bool,
    /// Fails if the slowest start takes longer.
    #[arg(long)]
    within_ms: Option<u64>,
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let outcome = std::path::absolute(&arguments.dir)
        .map_err(|error| error.to_string())
        .and_then(|dir| {
            let outcome = drill(&arguments, &dir);
            if !arguments.keep {
                let _ = std::fs::remove_dir_all(dir);
            }
            outcome
        });
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("recovery drill: {error}");
            ExitCode::FAILURE
        }
    }
}

fn drill(arguments: &Arguments, dir: &Path) -> Result<(), String> {
    let failed = |error: std::io::Error| error.to_string();
    std::fs::create_dir_all(dir).map_err(failed)?;
    let program = std::fs::canonicalize(&arguments.wirecross).map_err(failed)?;
    // The venue becomes somebody else, who need not be able to come here by the whole path.
    std::env::set_current_dir(dir).map_err(failed)?;
    let begun = Instant::now();
    let streams_whole = !arguments.streams_lost;
    let day = day::make(
        Path::new("."),
        arguments.live,
        arguments.tail,
        streams_whole,
    )?;
    println!(
        "made: {} inputs, snapshot behind {} with {} orders ({} MiB, {:.2} s to make), {:.1} s in \
         all",
        day.inputs,
        day.snapshot,
        day.live_orders,
        day.snapshot_bytes >> 20,
        day.snapshot_made.as_secs_f64(),
        begun.elapsed().as_secs_f64()
    );
    for round in 1..=2 {
        let (inputs, taken) = day.read()?;
        println!(
            "read {round}: {inputs} inputs checked in {:.3} s, {:.1} M/s on one core",
            taken.as_secs_f64(),
            inputs as f64 / taken.as_secs_f64() / 1e6
        );
    }
    println!("start     ready s   first order s   what the venue says");
    let mut slowest = Duration::ZERO;
    for round in 1..=arguments.starts {
        let start = start::start(&program, &day)?;
        println!(
            "{round:>5} {:>11.3} {:>15.3}   {}",
            start.ready.as_secs_f64(),
            start.first.as_secs_f64(),
            start.told
        );
        slowest = slowest.max(start.first);
    }
    println!("slowest first order: {:.3} s", slowest.as_secs_f64());
    let limit = arguments.within_ms.map(Duration::from_millis);
    match limit {
        Some(limit) if slowest > limit => Err(format!("slower than {} ms", limit.as_millis())),
        _ => Ok(()),
    }
}
