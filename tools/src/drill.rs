//! How long a venue takes from its start to its first order.

use crate::Outcome;
use crate::command::{cargo, command, run as run_command, target_dir};
use clap::Args;

/// How large a day to start from.
#[derive(Args)]
pub struct Drill {
    /// Orders on the books.
    #[arg(long, default_value_t = 1_000_000)]
    live: u32,
    /// Inputs behind the last snapshot.
    #[arg(long, default_value_t = 10_000_000)]
    tail: u64,
    /// Starts that are measured.
    #[arg(long, default_value_t = 5)]
    starts: u32,
    /// The streams end with the snapshot, as if the power had been cut.
    #[arg(long)]
    streams_lost: bool,
    /// The profile of the program: a bound only means something for `release`.
    #[arg(long, default_value = "release")]
    profile: String,
}

impl Drill {
    /// What CI does: that it works, not how fast.
    pub fn ci() -> Self {
        Self {
            live: 20_000,
            tail: 200_000,
            starts: 2,
            streams_lost: false,
            profile: "checked".to_owned(),
        }
    }
}

/// Makes a day, starts the program on it again and again, and prints where the time goes.
pub fn run(drill: &Drill) -> Outcome {
    let build = ["build", "--quiet", "-p", "appliance", "--bin", "wirecross"];
    let example = ["--example", "recovery_drill", "--profile", &drill.profile];
    run_command(cargo(&build).args(example))?;
    let built = target_dir().join(&drill.profile);
    let program = built.join("examples").join("recovery_drill");
    let mut started = command(program, &[]);
    started.arg("--wirecross").arg(built.join("wirecross"));
    started
        .arg("--dir")
        .arg(target_dir().join("recovery-drill"));
    for (name, number) in [
        ("--live", u64::from(drill.live)),
        ("--tail", drill.tail),
        ("--starts", drill.starts.into()),
    ] {
        started.arg(name).arg(number.to_string());
    }
    if drill.streams_lost {
        started.arg("--streams-lost");
    }
    run_command(&mut started)
}
