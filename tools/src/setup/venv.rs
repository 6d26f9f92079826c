//! The Python that `cargo x setup` makes beside a build. The tests that want it find it by this
//! file, too.

use std::path::{Path, PathBuf};
use std::process::Command;

/// Where it stands beside the build of a folder.
pub fn folder(build: &Path) -> PathBuf {
    build.join("venv")
}

/// The interpreter in it.
pub fn python(build: &Path) -> PathBuf {
    folder(build).join("bin/python")
}

/// The same beside the build of a program, `target/PROFILE/PROGRAM`, if it has these packages;
/// `None` with a word where it has not, which CI does not pass over.
pub fn python_with(program: &str, packages: &[&str]) -> Option<PathBuf> {
    let python = python(Path::new(program).parent()?.parent()?);
    let packages = packages.join(", ");
    let import = format!("import {packages}");
    let has = Command::new(&python).args(["-c", &import]).output();
    if has.is_ok_and(|it| it.status.success()) {
        return Some(python);
    }
    let is_ci = std::env::var_os("CI").is_some();
    assert!(!is_ci, "no {packages}: cargo x setup");
    eprintln!("skipped: no {packages}, which `cargo x setup` installs");
    None
}
