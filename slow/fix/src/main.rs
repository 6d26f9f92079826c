//! `wirecross-fix`: FIX 4.4 order entry before a venue.
#![forbid(unsafe_code)]

use clap::Parser;
use fix::config::Config;
use fix::gateway::Gateway;
use std::error::Error;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

/// FIX 4.4 order entry before a venue. Members log on with their name and password at the venue.
#[derive(Parser)]
#[command(version)]
struct Arguments {
    /// The settings, as docs/fix.md lists them.
    config: PathBuf,
}

fn main() -> ExitCode {
    match run(&Arguments::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("wirecross-fix: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run(arguments: &Arguments) -> Result<(), Box<dyn Error>> {
    let config = Config::load(&arguments.config)?;
    let is_stopped = Arc::new(AtomicBool::new(false));
    for signal in [signal_hook::consts::SIGTERM, signal_hook::consts::SIGINT] {
        signal_hook::flag::register(signal, Arc::clone(&is_stopped))?;
    }
    let listen = config.listen;
    let mut gateway = Gateway::open(config).map_err(|error| format!("{listen}: {error}"))?;
    println!("FIX 4.4 at {}", gateway.address()?);
    gateway.run(&is_stopped)?;
    println!("stopped");
    Ok(())
}
