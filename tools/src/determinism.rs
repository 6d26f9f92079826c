//! The engine comes to the same states, tells the same events and the feed the same bytes in every
//! build: without and with optimisation and assertions, without vectors and with AVX2; and from
//! snapshots too.

use crate::Outcome;
use crate::command::{cargo, output, root, target_dir};
use clap::Args;
use std::path::PathBuf;
use std::time::Instant;

/// What every build must print.
const TABLE: &str = "engine/matching/tests/state_hashes.txt";

/// A build: its name, its profile, and flags for the compiler.
struct Build {
    name: &'static str,
    profile: &'static str,
    flags: &'static str,
}

const BUILDS: [Build; 5] = [
    Build {
        name: "debug",
        profile: "dev",
        flags: "",
    },
    Build {
        name: "checked",
        profile: "checked",
        flags: "",
    },
    Build {
        name: "release",
        profile: "release",
        flags: "",
    },
    Build {
        name: "scalar",
        profile: "release",
        flags: "-C no-vectorize-loops -C no-vectorize-slp",
    },
    Build {
        name: "avx2",
        profile: "release",
        flags: "-C target-cpu=x86-64-v3",
    },
];

/// How much to compare beside the recorded table.
#[derive(Args)]
pub struct Determinism {
    /// Commands in hostile days.
    #[arg(long, default_value_t = Determinism::CI.commands)]
    commands: u64,
    /// Days that are gone on with from a snapshot too.
    #[arg(long, default_value_t = Determinism::CI.snapshots)]
    snapshots: u64,
}

impl Determinism {
    /// What CI compares.
    pub const CI: Self = Self {
        commands: 1_000_000,
        snapshots: 10,
    };
}

/// Runs every build; compares what it prints with the recorded table and with the first build.
pub fn run(what: &Determinism) -> Outcome {
    let recorded =
        std::fs::read_to_string(root().join(TABLE)).map_err(|e| format!("{TABLE}: {e}"))?;
    let numbers = [what.commands, what.snapshots].map(|number| number.to_string());
    let mut first: Option<String> = None;
    for build in &BUILDS {
        let name = build.name;
        if name == "avx2" && !is_avx2_here() {
            println!("{name}: skipped: this processor has no AVX2");
            continue;
        }
        let failed = |error: String| format!("{name}: {error}");
        let found = build.printed("state_hashes", &[]).map_err(failed)?;
        let start = Instant::now();
        let days = build.printed("determinism", &numbers).map_err(failed)?;
        let seconds = start.elapsed().as_secs_f64();
        let days_due = first.get_or_insert_with(|| days.clone());
        for (due, found) in [(&recorded, &found), (&*days_due, &days)] {
            if let Some(difference) = difference(due, found) {
                return Err(failed(difference));
            }
        }
        println!(
            "{name}: {} states as recorded; {} days of 50,000 commands and {} snapshots as in {}, \
             {seconds:.1} s with the build",
            recorded.lines().count(),
            days.lines().count(),
            what.snapshots,
            BUILDS[0].name
        );
    }
    Ok(())
}

fn is_avx2_here() -> bool {
    #[cfg(target_arch = "x86_64")]
    return std::arch::is_x86_feature_detected!("avx2");
    #[cfg(not(target_arch = "x86_64"))]
    return false;
}

impl Build {
    /// What an example of the engine prints in this build.
    fn printed(&self, example: &str, words: &[String]) -> Result<String, String> {
        let package = ["-p", "matching", "--example", example, "--"];
        let mut command = cargo(&["run", "--quiet", "--profile", self.profile]);
        command.args(package).args(words);
        if !self.flags.is_empty() {
            // In a folder of its own, so that nothing else is built anew.
            command.env("RUSTFLAGS", self.flags);
            command.env("CARGO_TARGET_DIR", self.folder());
        }
        let output = output(&mut command)?;
        if !output.status.success() {
            return Err(String::from_utf8_lossy(&output.stderr).into_owned());
        }
        String::from_utf8(output.stdout).map_err(|error| error.to_string())
    }

    fn folder(&self) -> PathBuf {
        target_dir().join("determinism").join(self.name)
    }
}

/// The first line that differs.
fn difference(recorded: &str, found: &str) -> Option<String> {
    let [mut recorded, mut found] = [recorded, found].map(str::lines);
    loop {
        match (recorded.next(), found.next()) {
            (None, None) => return None,
            (one, other) if one == other => {}
            (one, other) => {
                let [one, other] = [one, other].map(|line| line.unwrap_or("nothing"));
                return Some(format!(
                    "`{other}` instead of `{one}` (seed, inputs, state, events)"
                ));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_line_that_differs_is_told() {
        assert_eq!(difference("1 a\n2 b\n", "1 a\n2 b\n"), None);
        for (found, told) in [
            ("1 a\n2 c\n", "`2 c` instead of `2 b`"),
            ("1 a\n", "`nothing` instead of `2 b`"),
            ("1 a\n2 b\n3 c\n", "`3 c` instead of `nothing`"),
        ] {
            let difference = difference("1 a\n2 b\n", found).unwrap();
            assert!(difference.starts_with(told), "{difference}");
        }
    }
}
