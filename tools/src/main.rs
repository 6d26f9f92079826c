//! `cargo x`: the one command for builders: checks, tests, models, mutants, fuzzers, setup.

#![forbid(unsafe_code)]

mod ci;
mod command;
mod determinism;
mod drill;
mod feed;
mod forward;
mod fuzz;
mod mutants;
mod pg;
mod power_cut;
mod python;
mod redis;
mod referees;
mod roundtrip;
mod setup;
mod siege;
mod simulate;
mod steps;
mod tidy;

use clap::{Parser, Subcommand};
use std::path::PathBuf;
use std::process::ExitCode;

/// What every task returns; the message says where and what to do.
type Outcome = Result<(), String>;

#[derive(Parser)]
#[command(
    name = "x",
    bin_name = "cargo x",
    about = "The one command for builders of wirecross."
)]
struct Arguments {
    #[command(subcommand)]
    task: Task,
}

#[derive(Subcommand)]
enum Task {
    /// Installs what the tests need, then runs every check: what CI runs.
    TestAll,
    /// Runs every check, or one.
    Ci {
        /// Only this step: format, tidy, clippy, test, determinism, differential, feed, sim, loom,
        /// mutants, docs, referees, python, recovery, tune or fuzz.
        #[arg(long)]
        only: Option<String>,
    },
    /// Installs what the tests need (Debian and PyPI packages, cargo-fuzz); skips what is there.
    Setup {
        /// QuickFIX, too, the referee of FIX: five minutes of compiling C++.
        #[arg(long)]
        quickfix: bool,
    },
    /// Checks the house rules: dependencies, file openings, widths, unsafe, atomics.
    Tidy,
    /// Breaks rings, seqlocks, the market's rules and those that keep what was acknowledged in one
    /// place at a time, and demands that a model, a test or the simulator notices.
    Mutants {
        /// Only mutants whose name contains one of these, which commas part; or a whole suite:
        /// rings, rules or safety.
        #[arg(long)]
        only: Option<String>,
    },
    /// Runs the fuzz targets.
    Fuzz {
        /// Seconds for each target.
        #[arg(long, default_value_t = fuzz::SECONDS)]
        seconds: u32,
        /// Where each target begins to draw; 0 draws that, too.
        #[arg(long, default_value_t = 0)]
        seed: u32,
        /// Names of targets; none means all.
        targets: Vec<String>,
    },
    /// Asks programs that others wrote to read our bytes.
    Referees,
    /// Builds the module for Python as a wheel, installs it beside the build and tests it against
    /// NumPy and the reference answers.
    Python(python::Python),
    /// Runs a benchmark: name and options as the program `benches` takes them.
    Bench(forward::Bench),
    /// Writes seeded order flow to standard output.
    Generate(forward::Generate),
    /// Compares the states that the engine comes to in several builds, and all that is told.
    Determinism(determinism::Determinism),
    /// Damages a journal in memory, one case a recovery: bits, cuts, sectors lost, swapped and
    /// misplaced.
    Damage {
        /// Every bit of 1 MiB, where otherwise one in 64 is flipped, and more of the rest.
        #[arg(long)]
        full: bool,
    },
    /// Cuts the power under a venue that trades, kills it, fails its system calls and fills its
    /// disk; needs root.
    PowerCut(power_cut::PowerCut),
    /// Compares the engine with the naive reference, command by command.
    Differential(forward::Differential),
    /// Lets a subscriber hear a feed by two lines that lose, repeat and disorder packets, and
    /// compares its book with the publisher's after every message.
    FeedLines(feed::FeedLines),
    /// Besieges a venue as strangers may: connections cut at every byte, other accounts' orders,
    /// and more; without a name it lists what there is.
    Siege(siege::Siege),
    /// Starts and stops a real PostgreSQL on loopback, for trying things out.
    Pg {
        #[command(subcommand)]
        task: pg::Task,
    },
    /// Starts and stops a real Redis on loopback, for trying things out.
    Redis {
        #[command(subcommand)]
        task: redis::Task,
    },
    /// Measures how long a venue with many orders and a long journal takes to its first order.
    RecoveryDrill(drill::Drill),
    /// Applies what `wirecross tune` can and undoes it, and compares everything with before.
    TuneRoundtrip(roundtrip::Roundtrip),
    /// Runs seeds of the simulator: the whole appliance with simulated net, clock and disk.
    Sim(simulate::Simulate),
    /// Prints the graph of a topology file.
    Topology {
        /// The file.
        file: PathBuf,
    },
}

fn main() -> ExitCode {
    let outcome = match Arguments::parse().task {
        Task::TestAll => setup::run(false).and_then(|()| ci::run(None)),
        Task::Ci { only } => ci::run(only.as_deref()),
        Task::Setup { quickfix } => setup::run(quickfix),
        Task::Tidy => tidy::run(),
        Task::Mutants { only } => mutants::run(only.as_deref()),
        Task::Fuzz {
            seconds,
            seed,
            targets,
        } => fuzz::run(seconds, seed, &targets),
        Task::Referees => referees::run(),
        Task::Python(what) => python::run(&what),
        Task::Bench(what) => forward::bench(&what),
        Task::Generate(generate) => forward::generate(&generate),
        Task::Determinism(what) => determinism::run(&what),
        Task::Damage { full } => forward::damage(full),
        Task::PowerCut(what) => power_cut::run(&what),
        Task::Differential(differential) => forward::differential(&differential),
        Task::FeedLines(what) => feed::run(&what),
        Task::Siege(what) => siege::run(&what),
        Task::Pg { task } => pg::run(&task),
        Task::Redis { task } => redis::run(&task),
        Task::RecoveryDrill(drill) => drill::run(&drill),
        Task::TuneRoundtrip(what) => roundtrip::run(&what),
        Task::Sim(simulate) => simulate::run(&simulate),
        Task::Topology { file } => forward::topology(&file),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            eprintln!("cargo x: {message}");
            ExitCode::FAILURE
        }
    }
}
