//! `wirecross profile`: where the time of each tile of a running venue goes.

use crate::client::flame::{Node, flame_svg};
use crate::client::profile::{shares, shares_text};
use crate::client::top::Reading;
use crate::client::words;
use crate::topology::Tile;
use crate::venue::runner::COUNTERS_FILE;
use clap::ValueEnum;
use nic::{Clock, RealClock};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};
use std::time::Duration;

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
    /// Samples meanwhile what the venue does, and draws it.
    #[arg(long, value_name = "FILE")]
    flame: Option<PathBuf>,
    /// Draws one tile only: gate, engine, journal or publish [default: all of the venue].
    #[arg(long, value_parser = tile, requires = "flame")]
    tile: Option<Tile>,
    /// How to sample.
    #[arg(long, value_enum, default_value = "auto", requires = "flame")]
    sampler: Sampler,
}

/// How to learn what a venue does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Sampler {
    /// Stacks; where `perf` cannot give them, words.
    Auto,
    /// Stacks of functions, by `perf`.
    Perf,
    /// The words by which tiles say what part of a turn they are in.
    Words,
}

fn tile(name: &str) -> Result<Tile, String> {
    let found = Tile::ALL.into_iter().find(|tile| tile.name() == name);
    found.ok_or_else(|| format!("write one of {}", Tile::ALL.map(Tile::name).join(", ")))
}

/// Looks twice and prints the difference.
#[must_use]
pub fn run(args: &Args) -> ExitCode {
    match look(args) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => super::failed("profile", error),
    }
}

fn look(args: &Args) -> Result<(), String> {
    let clock = RealClock::new();
    let first = read(&args.data, &clock)?;
    let time = Duration::from_millis(args.time_ms);
    let taken = match &args.flame {
        Some(file) => Some((file, take(args, &stacks_of(file), first.process)?)),
        None => {
            std::thread::sleep(time);
            None
        }
    };
    let second = read(&args.data, &clock)?;
    if let Some((file, taken)) = taken {
        draw(file, taken, args.tile)?;
    }
    let shares = shares(&first, &second).ok_or("the venue was started again meanwhile")?;
    if args.json {
        return super::say_json(&shares);
    }
    let seconds = (second.time_ns - first.time_ns) as f64 / 1e9;
    super::say(&shares_text(&shares, seconds));
    Ok(())
}

/// What was sampled.
enum Taken {
    /// Stacks, in this file.
    Stacks(PathBuf),
    /// Words, added up.
    Words(Node),
}

/// Where stacks are while the picture is not drawn.
fn stacks_of(file: &Path) -> PathBuf {
    file.with_extension("perf-data")
}

/// Samples as the operator wants.
fn take(args: &Args, stacks: &Path, process: u64) -> Result<Taken, String> {
    let time = Duration::from_millis(args.time_ms);
    let words = || {
        let root = words::sample(&args.data, time, args.tile);
        let root = root.map_err(|error| format!("{}: {error}", args.data.display()));
        root.map(Taken::Words)
    };
    let recorded = || record(stacks, process, time).map(|()| Taken::Stacks(stacks.to_owned()));
    match args.sampler {
        Sampler::Perf => recorded(),
        Sampler::Words => words(),
        Sampler::Auto => recorded().or_else(|why| {
            eprintln!("profile: {why}; looking at the tiles' words instead");
            words()
        }),
    }
}

/// Draws what was sampled.
fn draw(file: &Path, taken: Taken, tile: Option<Tile>) -> Result<(), String> {
    let root = match taken {
        Taken::Words(root) => root,
        Taken::Stacks(stacks) => {
            let fields = ["script", "--no-inline", "-F", "comm,ip,sym", "-i"];
            let script = perf(Command::new("perf").args(fields).arg(&stacks));
            // What is left over when this fails is only a file too many.
            let _ = std::fs::remove_file(&stacks);
            Node::of_script(&script?, tile)
        }
    };
    if root.samples == 0 {
        return Err("perf took no sample: did the venue rest all the time?".to_owned());
    }
    super::store(file, flame_svg(&root))
}

/// Samples a second: a prime, so that no timer of the venue keeps step with it.
const SAMPLES: &str = "997";
/// Bytes of a stack that are kept with a sample, to find its callers.
const STACK: &str = "dwarf,16384";

/// Samples a process for so long. Where the processor's counters are not to be had, `perf` takes
/// the kernel's clock instead.
fn record(stacks: &Path, process: u64, time: Duration) -> Result<(), String> {
    let time = time.as_secs_f64().to_string();
    let process = process.to_string();
    let mut record = Command::new("perf");
    record.args([
        "record",
        "-q",
        "-F",
        SAMPLES,
        "--call-graph",
        STACK,
        "-p",
        &process,
    ]);
    record.arg("-o").arg(stacks).args(["--", "sleep", &time]);
    let recorded = perf(&mut record).map(drop);
    if recorded.is_err() {
        // What it began to write is no use, if there is any.
        let _ = std::fs::remove_file(stacks);
    }
    recorded
}

/// Runs `perf` to its end and gives what it printed.
fn perf(command: &mut Command) -> Result<String, String> {
    let output = command.stdin(Stdio::null()).output();
    let output = output.map_err(|error| format!("perf: {error}: is it installed?"))?;
    if output.status.success() {
        return Ok(String::from_utf8_lossy(&output.stdout).into_owned());
    }
    let told = String::from_utf8_lossy(&output.stderr);
    Err(format!(
        "perf: {}",
        told.trim().lines().next().unwrap_or("failed")
    ))
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
