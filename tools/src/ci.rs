//! The checks that a change must pass, in the order in which they are cheapest to fail.

use crate::command::{cargo, run as run_command, succeeds};
use crate::steps::{Step, run as run_steps};
use crate::{Outcome, determinism, drill, feed, forward, fuzz, mutants, power_cut, python};
use crate::{referees, roundtrip, simulate, tidy};
use std::process::Command;

const STEPS: &[Step] = &[
    Step {
        name: "format",
        run: format,
    },
    Step {
        name: "tidy",
        run: tidy::run,
    },
    Step {
        name: "clippy",
        run: clippy,
    },
    Step {
        name: "test",
        run: test,
    },
    Step {
        name: "soak",
        run: soak,
    },
    Step {
        name: "determinism",
        run: || determinism::run(&determinism::Determinism::CI),
    },
    Step {
        name: "differential",
        run: || forward::differential(&forward::Differential::CI),
    },
    Step {
        name: "feed",
        run: || feed::run(&feed::FeedLines::CI),
    },
    Step {
        name: "sim",
        run: || simulate::run(&simulate::Simulate::CI),
    },
    Step {
        name: "damage",
        run: || forward::damage(false),
    },
    Step {
        name: "power-cut",
        run: || power_cut::run(&power_cut::PowerCut::CI),
    },
    Step {
        name: "loom",
        run: loom,
    },
    Step {
        name: "mutants",
        run: || mutants::run(None),
    },
    Step {
        name: "docs",
        run: docs,
    },
    Step {
        name: "referees",
        run: referees::run,
    },
    Step {
        name: "python",
        run: python::checked,
    },
    Step {
        name: "recovery",
        run: || drill::run(&drill::Drill::ci()),
    },
    Step {
        name: "tune",
        run: || roundtrip::run(&roundtrip::Roundtrip::CI),
    },
    Step {
        name: "fuzz",
        run: || fuzz::run(fuzz::SECONDS, fuzz::SEED, &[]),
    },
];

/// Runs every check, or the one called `only`.
pub fn run(only: Option<&str>) -> Outcome {
    run_steps(STEPS, only)
}

/// What is off unless it is asked for, and is tested all the same.
const FEATURES: &str = "api/otel,store/otel";

fn format() -> Outcome {
    run_command(&mut cargo(&["fmt", "--all", "--check"]))
}

/// In the profile of the tests, as the docs: macros and what is built from C are the same then.
fn clippy() -> Outcome {
    let arguments = [
        "clippy",
        "--quiet",
        "--profile",
        "checked",
        "--workspace",
        "--all-targets",
        "--features",
        FEATURES,
        "--",
        "-D",
        "warnings",
    ];
    run_command(&mut cargo(&arguments))
}

/// All tests but the loom models, which are a step of their own; then the examples in the docs.
fn test() -> Outcome {
    let chosen = ["--workspace", "--exclude", "loom-tests", "--no-fail-fast"];
    let chosen = |command: &mut Command| {
        let command = command.args(chosen);
        run_command(command.args(["--features", FEATURES]))
    };
    let tests = if succeeds(&mut cargo(&["nextest", "--version"])) {
        // It ends a test that hangs, and names it.
        let nextest = ["nextest", "run", "--config-file", "tools/nextest.toml"];
        let profile = ["--cargo-profile", "checked", "--status-level", "slow"];
        chosen(cargo(&nextest).args(profile))
    } else {
        chosen(&mut cargo(&[
            "test",
            "--profile",
            "checked",
            "--all-targets",
        ]))
    };
    let examples = ["test", "--profile", "checked", "--doc", "--quiet"];
    let examples = chosen(&mut cargo(&examples));
    tests.and(examples)
}

/// AF_XDP on a bad day, in both modes at once; the tests have only a second of it.
fn soak() -> Outcome {
    let chosen = ["-p", "af_xdp", "--test", "soak"];
    run_command(
        cargo(&["test", "--profile", "checked"])
            .args(chosen)
            .args(["--", "--nocapture"])
            .env("AF_XDP_SOAK_SECONDS", "60"),
    )
}

fn loom() -> Outcome {
    let arguments = [
        "test",
        "--profile",
        "checked",
        "-p",
        "loom-tests",
        "--tests",
    ];
    run_command(cargo(&arguments).args(["--no-fail-fast", "--", "--nocapture"]))
}

fn docs() -> Outcome {
    let arguments = [
        "doc",
        "--quiet",
        "--profile",
        "checked",
        "--workspace",
        "--no-deps",
        "--document-private-items",
    ];
    run_command(cargo(&arguments).env("RUSTDOCFLAGS", "-D warnings"))
}
