//! A subscriber behind two bad lines: its book must be the publisher's after every message.

use crate::Outcome;
use crate::command::{cargo, run as run_command};
use clap::Args;

/// How much to hear.
#[derive(Args)]
pub struct FeedLines {
    /// Messages; 10,000,000 are what is promised.
    #[arg(long, default_value_t = FeedLines::CI.messages)]
    messages: u64,
    /// The same seed gives the same faults.
    #[arg(long, default_value_t = FeedLines::CI.seed)]
    seed: u64,
}

impl FeedLines {
    /// What CI hears.
    pub const CI: Self = Self {
        messages: 500_000,
        seed: 1,
    };
}

/// Runs it: 5 % loss, 2 % repeated, 10 % late on each line, servers that fail, silence.
pub fn run(what: &FeedLines) -> Outcome {
    let program = ["run", "--quiet", "--profile", "checked", "-p", "session"];
    let mut command = cargo(&program);
    command.args(["--example", "feed_lines", "--"]);
    command.args([what.messages.to_string(), what.seed.to_string()]);
    run_command(&mut command)
}
