//! Power cuts, kills and failing calls under the real program, which must lose nothing that it
//! acknowledged.

use crate::Outcome;
use crate::command::{cargo, command, run as run_command, target_dir};
use clap::Args;

/// How much of it.
#[derive(Args)]
pub struct PowerCut {
    /// Power cuts: two thirds as a venue runs usually, one third without io_uring.
    #[arg(long, default_value_t = PowerCut::CI.cuts)]
    cuts: u64,
    /// Power cuts of a venue whose flushes do nothing, half of which must lose something.
    #[arg(long, default_value_t = PowerCut::CI.flushless)]
    flushless: u64,
    /// Lives ended by SIGKILL.
    #[arg(long, default_value_t = PowerCut::CI.kills)]
    kills: u64,
    /// Decides when what happens.
    #[arg(long, default_value_t = PowerCut::CI.seed)]
    seed: u64,
}

impl PowerCut {
    /// What CI does.
    pub const CI: Self = Self {
        cuts: 500,
        flushless: 30,
        kills: 50,
        seed: 1,
    };
}

/// Builds the program and cuts its power.
pub fn run(what: &PowerCut) -> Outcome {
    let build = [
        "build",
        "--quiet",
        "--profile",
        "checked",
        "-p",
        "appliance",
    ];
    let parts = ["--bin", "wirecross", "--example", "power_cut"];
    run_command(cargo(&build).args(parts))?;
    let folder = target_dir().join("checked");
    let mut cuts = command(folder.join("examples/power_cut"), &["--program"]);
    cuts.arg(folder.join("wirecross"));
    for (name, number) in [
        ("--cuts", what.cuts),
        ("--flushless", what.flushless),
        ("--kills", what.kills),
        ("--seed", what.seed),
    ] {
        cuts.args([name, &number.to_string()]);
    }
    run_command(&mut cuts)
}
