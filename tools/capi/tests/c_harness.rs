//! A small C program drives a book through the header and the static library.

use std::path::{Path, PathBuf};
use std::process::Command;

/// The static library that this test was built with: beside the test, or one folder up.
fn library() -> PathBuf {
    let test = std::env::current_exe().expect("the path of this test");
    let folders = test.ancestors().skip(1).take(2);
    let candidates: Vec<PathBuf> = folders
        .map(|folder| folder.join("libwirecross_capi.a"))
        .collect();
    let newest = candidates.iter().filter(|path| path.exists());
    let newest = newest.max_by_key(|path| path.metadata().and_then(|m| m.modified()).ok());
    newest
        .unwrap_or_else(|| panic!("none of {candidates:?} is there: build the whole crate"))
        .clone()
}

#[test]
fn a_c_program_gets_every_report() {
    if Command::new("cc").arg("--version").output().is_err() {
        println!("skipped: there is no cc");
        return;
    }
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    let folder = tempfile::tempdir().expect("a directory");
    let program = folder.path().join("harness");
    let output = Command::new("cc")
        .args(["-std=c99", "-Wall", "-Wextra", "-Werror", "-pedantic", "-I"])
        .arg(here.join("include"))
        .arg(here.join("tests/harness.c"))
        .arg(library())
        .args(["-lpthread", "-ldl", "-lm", "-o"])
        .arg(&program)
        .output()
        .expect("cc runs");
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "cc: {said}");
    let output = Command::new(&program).output().expect("the program runs");
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{}: {said}", output.status);
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(said.contains("all checks passed"), "{said}");
}
