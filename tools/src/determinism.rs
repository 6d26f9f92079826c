//! The engine comes to the same states in every build: without and with optimisation, and with all
//! instructions that this processor has.

use crate::Outcome;
use crate::command::{cargo, output, root, target_dir};

/// What every build must print.
const TABLE: &str = "engine/matching/tests/state_hashes.txt";

/// A build: its name, its profile, and flags for the compiler.
const BUILDS: [(&str, &str, &str); 3] = [
    ("debug", "dev", ""),
    ("release", "release", ""),
    ("release, native", "release", "-C target-cpu=native"),
];

/// Runs every build and compares what it prints with the recorded table.
pub fn run() -> Outcome {
    let recorded =
        std::fs::read_to_string(root().join(TABLE)).map_err(|e| format!("{TABLE}: {e}"))?;
    for (name, profile, flags) in BUILDS {
        let found = printed(profile, flags).map_err(|error| format!("{name}: {error}"))?;
        if let Some(difference) = difference(&recorded, &found) {
            return Err(format!("{name}: {difference}"));
        }
        println!("{name}: {} states as recorded", recorded.lines().count());
    }
    Ok(())
}

fn printed(profile: &str, flags: &str) -> Result<String, String> {
    let mut command = cargo(&["run", "--quiet", "--profile", profile, "-p", "matching"]);
    command.args(["--example", "state_hashes"]);
    if !flags.is_empty() {
        // In a folder of its own, so that nothing else is built anew.
        command.env("RUSTFLAGS", flags);
        command.env("CARGO_TARGET_DIR", target_dir().join("determinism"));
    }
    let output = output(&mut command)?;
    if !output.status.success() {
        return Err(String::from_utf8_lossy(&output.stderr).into_owned());
    }
    String::from_utf8(output.stdout).map_err(|error| error.to_string())
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
