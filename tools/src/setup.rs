//! Installs what the tests need beyond the Rust toolchain; skips what is there.
//!
//! Made for Debian as root. Elsewhere it says what is missing, by name.

#[allow(dead_code, reason = "a part is for tests")]
mod venv;

use crate::Outcome;
use crate::command::{cargo, command, program_exists, run as run_command, succeeds, target_dir};
use crate::{pg, redis};
use std::path::PathBuf;

/// Programs that tests start, and the Debian packages they come from.
const PROGRAMS: &[(&str, &str)] = &[
    ("c++", "g++"),
    ("chromium", "chromium"),
    ("git", "git"),
    ("ip", "iproute2"),
    ("mkfs.ext4", "e2fsprogs"),
    ("nft", "nftables"),
    ("node", "nodejs"),
    ("npm", "npm"),
    ("ping", "iputils-ping"),
    ("promtool", "prometheus"),
    ("python3", "python3"),
    (redis::PROGRAM, redis::PACKAGE),
    ("strace", "strace"),
    ("tshark", "tshark"),
];

/// Referees from PyPI, what builds the module for Python and what that is compared with, and the
/// library that models in ONNX take, pinned.
const PYTHON_PACKAGES: &[&str] = &[
    "nasdaq-protocols==1.3.0",
    "kosoku==0.1.0",
    "duckdb==2.0.0",
    "polars==2.1.0",
    "pandas==3.1.1",
    "pyarrow==26.0.1",
    "grpcio-tools==1.85.1",
    "grpcio-reflection==1.85.1",
    "grpcio-health-checking==1.85.1",
    "maturin==1.16.0",
    "numpy==2.4.6",
    "onnxruntime==1.32.0",
];

/// Data that referees read, pinned; what it comes with is not run, so nothing else is needed.
const PYTHON_DATA: &[&str] = &["ob-analytics==0.1.0"];

/// What drives Chromium, pinned.
const NODE_PACKAGES: &[&str] = &["playwright-core@1.65.1"];

/// The referee of FIX, which PyPI has as C++ to be compiled.
const QUICKFIX: &str = "quickfix==1.16.0";

/// Installs everything that is missing; QuickFIX only if asked.
pub fn run(with_quickfix: bool) -> Outcome {
    debian(with_quickfix)?;
    python_packages()?;
    node_packages()?;
    if with_quickfix {
        quickfix()?;
    }
    cargo_fuzz()
}

/// The Python that has the referees' packages.
pub fn python() -> PathBuf {
    venv::python(&target_dir())
}

fn venv() -> PathBuf {
    venv::folder(&target_dir())
}

fn debian(with_quickfix: bool) -> Outcome {
    let mut missing: Vec<&str> = PROGRAMS
        .iter()
        .filter(|(program, _)| !program_exists(program))
        .map(|(_, package)| *package)
        .collect();
    if !succeeds(&mut command("python3", &["-c", "import ensurepip, venv"])) {
        missing.push("python3-venv");
    }
    let headers = "import os, sysconfig; os.stat(sysconfig.get_paths()['include'] + '/Python.h')";
    if with_quickfix && !succeeds(&mut command("python3", &["-c", headers])) {
        missing.push("python3-dev");
    }
    if !pg::is_installed() {
        missing.push(pg::PACKAGE);
    }
    if !pg::has_pool() {
        missing.push(pg::POOL_PACKAGE);
    }
    if missing.is_empty() {
        println!("setup: all programs are there");
        return Ok(());
    }
    let list = missing.join(" ");
    if !program_exists("apt-get") {
        return Err(format!(
            "setup: this is not Debian; install what these hold: {list}"
        ));
    }
    let apt = |arguments: &[&str]| {
        let mut apt = command("apt-get", arguments);
        apt.env("DEBIAN_FRONTEND", "noninteractive");
        apt
    };
    let hint = |error| format!("setup: {error}; as root, install by hand: {list}");
    run_command(&mut apt(&["update", "-q"])).map_err(hint)?;
    let install = ["install", "-q", "-y", "--no-install-recommends"];
    run_command(apt(&install).args(&missing)).map_err(hint)
}

fn python_packages() -> Outcome {
    let wanted = [PYTHON_PACKAGES, PYTHON_DATA].concat().join("\n");
    let mark = venv().join("installed");
    if std::fs::read_to_string(&mark).is_ok_and(|found| found == wanted) {
        println!("setup: the Python packages are there");
        return Ok(());
    }
    run_command(command("python3", &["-m", "venv", "--clear"]).arg(venv()))?;
    run_command(pip().args(PYTHON_PACKAGES))?;
    run_command(pip().arg("--no-deps").args(PYTHON_DATA))?;
    std::fs::write(&mark, wanted).map_err(|e| format!("write {}: {e}", mark.display()))
}

/// What drives Chromium, beside the build.
fn node_packages() -> Outcome {
    let folder = target_dir().join("npm");
    let mark = folder.join("installed");
    let wanted = NODE_PACKAGES.join("\n");
    if std::fs::read_to_string(&mark).is_ok_and(|found| found == wanted) {
        println!("setup: the Node packages are there");
        return Ok(());
    }
    let told = |e| format!("write {}: {e}", mark.display());
    std::fs::create_dir_all(&folder).map_err(told)?;
    let install = ["install", "--silent", "--no-audit", "--no-fund", "--prefix"];
    run_command(command("npm", &install).arg(&folder).args(NODE_PACKAGES))?;
    std::fs::write(&mark, wanted).map_err(told)
}

/// Compiles QuickFIX, quickly rather than well.
fn quickfix() -> Outcome {
    if succeeds(&mut command(python(), &["-c", "import quickfix"])) {
        println!("setup: QuickFIX is there");
        return Ok(());
    }
    let mut install = pip();
    install.env("CFLAGS", "-O0 -w").arg(QUICKFIX);
    run_command(&mut install)
}

/// `pip install` for that Python.
pub fn pip() -> std::process::Command {
    let install = [
        "-m",
        "pip",
        "install",
        "--quiet",
        "--disable-pip-version-check",
    ];
    command(python(), &install)
}

fn cargo_fuzz() -> Outcome {
    if succeeds(&mut cargo(&["fuzz", "--version"])) {
        println!("setup: cargo-fuzz is there");
        return Ok(());
    }
    run_command(&mut cargo(&[
        "install",
        "--locked",
        "--quiet",
        "cargo-fuzz",
    ]))
}
