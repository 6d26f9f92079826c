//! Tasks that another part of the house does: benches, topologies, order flow.

use crate::Outcome;
use crate::command::{cargo, run as run_command};
use clap::Args;
use flow::Shape;
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};

/// What flow to generate: one symbol and one member, which is what recorded flow knows.
#[derive(Args)]
pub struct Generate {
    /// The same seed gives the same flow.
    #[arg(long)]
    seed: u64,
    /// How many commands, after those that fill the book.
    #[arg(long)]
    commands: u64,
    /// How many orders stand on the book.
    #[arg(long, default_value_t = 1_000)]
    standing: u32,
    /// Mean nanoseconds between two commands.
    #[arg(long, default_value_t = 10_000)]
    gap_mean_ns: u64,
}

/// How much to compare.
#[derive(Args)]
pub struct Differential {
    /// Commands in all; a night's work is 100,000,000.
    #[arg(long, default_value_t = Differential::CI.commands)]
    commands: u64,
    /// Seed of the first day; each next day takes the next.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Days at a time; as many as there are cores unless said.
    #[arg(long)]
    threads: Option<u64>,
    /// Shows a saved difference again instead.
    #[arg(long)]
    replay: Option<PathBuf>,
}

impl Differential {
    /// What CI compares.
    pub const CI: Self = Self {
        commands: 10_000_000,
        seed: 1,
        threads: None,
        replay: None,
    };
}

/// Compares the engine with the naive reference.
pub fn differential(what: &Differential) -> Outcome {
    let example = [
        "run",
        "--quiet",
        "--profile",
        "checked",
        "-p",
        "matching",
        "--example",
    ];
    let mut command = cargo(&example);
    command.args(["differential", "--"]);
    match &what.replay {
        Some(file) => command.arg("--replay").arg(file),
        None => {
            let numbers = [
                ("--commands", Some(what.commands)),
                ("--seed", Some(what.seed)),
                ("--threads", what.threads),
            ];
            let words = numbers.iter().filter_map(|(name, number)| {
                number.map(|number| [(*name).to_owned(), number.to_string()])
            });
            command.args(words.flatten())
        }
    };
    run_command(&mut command)
}

/// Damages a journal and judges what recovery makes of it.
pub fn damage(is_full: bool) -> Outcome {
    let example = ["run", "--quiet", "--profile", "checked", "-p", "journal"];
    let mut command = cargo(&example);
    command.args(["--example", "damage", "--"]);
    if is_full {
        command.arg("--full");
    }
    run_command(&mut command)
}

/// A benchmark to run.
#[derive(Args)]
pub struct Bench {
    /// The benchmark.
    name: String,
    /// Less work: seconds instead of minutes.
    #[arg(long)]
    quick: bool,
    /// Writes the figures to this file too.
    #[arg(long)]
    json: Option<PathBuf>,
    /// Appends the figures to those of this machine and day under benches/record.
    #[arg(long)]
    record: bool,
    /// Peers that take long to compile: `orderbook-rs` for `regimes`, `databases` for `durable`.
    #[arg(long)]
    features: Option<String>,
}

/// Runs a benchmark.
pub fn bench(what: &Bench) -> Outcome {
    let mut command = cargo(&["run", "--quiet", "--profile", "bench", "-p", "benches"]);
    if let Some(features) = &what.features {
        command.arg("--features").arg(features);
    }
    command.arg("--").arg(&what.name);
    if what.quick {
        command.arg("--quick");
    }
    if what.record {
        command.arg("--record");
    }
    if let Some(json) = &what.json {
        command.arg("--json").arg(json);
    }
    run_command(&mut command)
}

/// Prints the graph of a topology file.
pub fn topology(file: &Path) -> Outcome {
    let appliance = [
        "run",
        "--quiet",
        "-p",
        "appliance",
        "--bin",
        "wirecross",
        "--",
        "topology",
    ];
    let file = std::path::absolute(file).map_err(|e| format!("{}: {e}", file.display()))?;
    run_command(cargo(&appliance).arg(file))
}

/// Writes flow to standard output.
pub fn generate(what: &Generate) -> Outcome {
    let shape = Shape {
        seed: what.seed,
        symbols: 1,
        sessions: 1,
        standing: what.standing,
        gap_mean_ns: what.gap_mean_ns,
        ..Shape::default()
    };
    let mut out = BufWriter::new(std::io::stdout().lock());
    flow::recorded::write(&shape, what.commands, &mut out)
        .and_then(|()| out.flush())
        .map_err(|error| format!("generate: {error}"))
}
