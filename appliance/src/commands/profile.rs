//! `wirecross profile`: where the time of each tile of a running venue goes.

use crate::client::profile::{shares, shares_text};
use crate::client::top::Reading;
use crate::venue::runner::COUNTERS_FILE;
use nic::{Clock, RealClock};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

/// Exit code when there is nothing to show.
const EXIT_USAGE: u8 = 2;

/// Arguments.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The venue's data directory: `data_dir` in its topology.
    #[arg(long, value_name = "DIR")]
    data: PathBuf,
    /// How long to look, in milliseconds.
    #[arg(long, default_value_t = 1_000)]
    #[arg(value_parser = clap::value_parser!(u64).range(1..=3_600_000))]
    time_ms: u64,
    /// Prints JSON.
    #[arg(long)]
    json: bool,
}

/// Looks twice and prints the difference.
#[must_use]
pub fn run(args: &Args) -> ExitCode {
    match look(args) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("profile: {error}");
            ExitCode::from(EXIT_USAGE)
        }
    }
}

fn look(args: &Args) -> Result<(), String> {
    let clock = RealClock::new();
    let first = read(&args.data, &clock)?;
    std::thread::sleep(Duration::from_millis(args.time_ms));
    let second = read(&args.data, &clock)?;
    let shares = shares(&first, &second).ok_or("the venue was started again meanwhile")?;
    if args.json {
        let text = serde_json::to_string_pretty(&shares).map_err(|e| e.to_string())?;
        super::say(&format!("{text}\n"));
        return Ok(());
    }
    let seconds = (second.time_ns - first.time_ns) as f64 / 1e9;
    super::say(&shares_text(&shares, seconds));
    Ok(())
}

fn read(data_dir: &Path, clock: &RealClock) -> Result<Reading, String> {
    let path = data_dir.join(COUNTERS_FILE);
    let reading = Reading::take(data_dir, clock.now_ns())
        .map_err(|error| format!("{}: {error}", path.display()))?;
    if reading.is_running {
        return Ok(reading);
    }
    Err(format!(
        "{}: the venue that wrote it has ended",
        path.display()
    ))
}
