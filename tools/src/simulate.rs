//! Seeds of the simulator, many or one.

use crate::Outcome;
use crate::command::{cargo, run as run_command};
use clap::Args;

/// Which seeds to run.
#[derive(Args)]
pub struct Simulate {
    /// How many seeds.
    #[arg(long, default_value_t = Simulate::CI.seeds)]
    seeds: u64,
    /// The first one.
    #[arg(long, default_value_t = 1)]
    first: u64,
    /// Threads.
    #[arg(long, default_value_t = Simulate::CI.jobs)]
    jobs: usize,
    /// Runs this seed alone, twice, and shows what it makes happen.
    #[arg(long)]
    seed: Option<u64>,
    /// Ends at the first seed that breaks a promise.
    #[arg(long)]
    fail_fast: bool,
}

impl Simulate {
    /// What CI runs.
    pub const CI: Self = Self {
        seeds: 30_000,
        first: 1,
        jobs: 2,
        seed: None,
        fail_fast: false,
    };
}

/// Runs the seeds, with all assertions on.
pub fn run(what: &Simulate) -> Outcome {
    let program = ["run", "--quiet", "--profile", "simulated", "-p", "sim"];
    let mut command = cargo(&program);
    command.args(["--bin", "seeds", "--"]);
    if let Some(seed) = what.seed {
        command.args(["--seed", &seed.to_string()]);
        return run_command(&mut command);
    }
    command.args(["--seeds", &what.seeds.to_string()]);
    command.args(["--first", &what.first.to_string()]);
    command.args(["--jobs", &what.jobs.to_string()]);
    if what.fail_fast {
        command.arg("--fail-fast");
    }
    run_command(&mut command)
}
