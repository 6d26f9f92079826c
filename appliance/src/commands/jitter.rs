//! `wirecross jitter`: how quiet this host's cores are.

use super::host::cpus;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;
use tuning::{Cpus, Jitter, jitter_text, svg};

/// Arguments.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Cores, all at the same time, as 2-5,8 [default: all that this process may use].
    #[arg(long, value_name = "LIST", value_parser = cpus)]
    cores: Option<Cpus>,
    /// How long, in milliseconds.
    #[arg(long, default_value_t = 5_000)]
    #[arg(value_parser = clap::value_parser!(u64).range(1..=86_400_000))]
    time_ms: u64,
    /// The shortest gap that counts.
    #[arg(long, default_value_t = 1_000)]
    #[arg(value_parser = clap::value_parser!(u64).range(1..=1_000_000_000))]
    threshold_ns: u64,
    /// Prints JSON.
    #[arg(long)]
    json: bool,
    /// Also stores a picture.
    #[arg(long, value_name = "FILE")]
    svg: Option<PathBuf>,
}

/// Measures and prints.
#[must_use]
pub fn run(args: &Args) -> ExitCode {
    match measure(args) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => super::failed("jitter", error),
    }
}

fn measure(args: &Args) -> Result<(), String> {
    let usable: Cpus = super::cores_usable().into_iter().collect();
    let cores = args.cores.clone().unwrap_or_else(|| usable.clone());
    let strange = cores.without(&usable);
    if !strange.is_empty() {
        return Err(format!("cores {strange}: this process may use {usable}"));
    }
    let jitter = Jitter {
        cores,
        time: Duration::from_millis(args.time_ms),
        threshold_ns: args.threshold_ns,
    };
    let reports = jitter.run()?;
    if args.json {
        super::say_json(&reports)?;
    } else {
        super::say(&jitter_text(&reports));
    }
    if let Some(file) = &args.svg {
        super::store(file, svg(&reports)?)?;
    }
    Ok(())
}
