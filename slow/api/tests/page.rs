//! The page in a real Chromium: its values are the venue's, and it outlives its service.
#![allow(clippy::unwrap_used)]

mod service;

use service::Service;
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// Where `cargo x setup` puts what drives Chromium; `None` with a word where it is not.
fn driver() -> Option<PathBuf> {
    // target/PROFILE/wirecross-api
    let program = Path::new(env!("CARGO_BIN_EXE_wirecross-api"));
    let folder = program.parent()?.parent()?.join("npm");
    let is_there = folder.join("node_modules/playwright-core").is_dir();
    if is_there && Path::new("/usr/bin/chromium").exists() {
        return Some(folder);
    }
    assert!(
        std::env::var_os("CI").is_none(),
        "no Chromium: cargo x setup"
    );
    eprintln!("skipped: no Chromium, which `cargo x setup` installs");
    None
}

#[test]
fn the_page_shows_what_is_and_goes_on_when_the_service_does() {
    let Some(folder) = driver() else { return };
    let mut service = Service::start();
    let mut inputs = service.counters.counter("engine.inputs").unwrap();
    let mut hop = service.counters.histogram("hop.engine_reply_ns").unwrap();
    inputs.set(7_654_321);
    for value in [100, 300, 1_000_000, 20_000_000_000] {
        hop.record(value);
    }
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/page.mjs");
    let mut command = Command::new("node");
    command
        .arg(script)
        .arg(format!("http://{}", service.address))
        .arg(folder);
    // A folder for pictures of what was looked at.
    command.args(std::env::var_os("SHOTS"));
    let mut child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::inherit())
        .spawn()
        .unwrap();
    let mut said = child.stdin.take().unwrap();
    let mut last = String::new();
    for line in BufReader::new(child.stdout.take().unwrap()).lines() {
        last = line.unwrap();
        match &*last {
            "restart" => service.stop(),
            "back" => {
                service.again();
                said.write_all(b"\n").unwrap();
            }
            _ => {}
        }
    }
    let end = child.wait().unwrap();
    assert!(end.success() && last == "good", "{end}: {last}");
}
