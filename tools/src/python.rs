//! The module for Python: built as a wheel, installed beside the build, and tested.

use crate::Outcome;
use crate::command::{command, run as run_command, target_dir};
use crate::setup;
use clap::Args;
use std::path::{Path, PathBuf};

/// How it is built.
#[derive(Args)]
pub struct Python {
    /// The cargo profile of the wheel.
    #[arg(long, default_value = "wheel")]
    profile: String,
}

/// As CI builds it: with what the tests have built already, and with their assertions.
pub fn checked() -> Outcome {
    let profile = "checked".into();
    run(&Python { profile })
}

/// Builds the wheel, installs it and runs its tests.
pub fn run(how: &Python) -> Outcome {
    let wheels = target_dir().join("wheels");
    let installed = target_dir().join("python");
    for folder in [&wheels, &installed] {
        empty(folder)?;
    }
    let manifest = "slow/python/Cargo.toml";
    let build = ["build", "--quiet", "--locked", "--manifest-path", manifest];
    run_command(
        command(setup::python().with_file_name("maturin"), &build)
            .args(["--profile", &how.profile, "--out"])
            .arg(&wheels),
    )
    .map_err(|error| format!("{error}; `cargo x setup` installs what it needs"))?;
    let wheel = only_file(&wheels)?;
    // Into a folder of its own: the referees' packages stay as they are.
    let install = ["--quiet", "--no-index", "--no-deps", "--target"];
    run_command(setup::pip().args(install).arg(&installed).arg(&wheel))?;
    let tests = [
        "-B",
        "-m",
        "unittest",
        "discover",
        "--start-directory",
        "slow/python/tests",
    ];
    run_command(command(setup::python(), &tests).env("PYTHONPATH", &installed))?;
    println!("python: {}", wheel.display());
    Ok(())
}

fn empty(folder: &Path) -> Outcome {
    let told = |error| format!("empty {}: {error}", folder.display());
    if folder.is_dir() {
        std::fs::remove_dir_all(folder).map_err(told)?;
    }
    std::fs::create_dir_all(folder).map_err(told)
}

/// The wheel that was built.
fn only_file(folder: &Path) -> Result<PathBuf, String> {
    let told = |error| format!("list {}: {error}", folder.display());
    let mut files = std::fs::read_dir(folder).map_err(told)?;
    let first = files
        .next()
        .ok_or_else(|| format!("{}: no wheel was built", folder.display()))?;
    Ok(first.map_err(told)?.path())
}
