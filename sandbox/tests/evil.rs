//! A process that was taken over can do nothing, be it a gateway, a desk or the venue: as a
//! program, with a real journal-like file, ports and user, and once free, to see that the acts
//! would have worked.
#![allow(clippy::unwrap_used)]

use std::io::Write;
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::UnixListener;
use std::process::{Command, Output};

const ACTS_MIN: usize = 40;

/// Runs the example; `None` with a word when this is not root.
fn evil(rest: &[&str]) -> Option<(Output, Vec<String>)> {
    if !std::fs::read_to_string("/proc/self/status")
        .unwrap()
        .contains("\nUid:\t0\t")
    {
        eprintln!("skipped: only root can become somebody else");
        return None;
    }
    let dir = tempfile::tempdir().unwrap();
    let [journal, folder] = ["journal", "left"].map(|name| dir.path().join(name));
    std::fs::write(&journal, "inputs").unwrap();
    std::fs::create_dir_all(folder.join("day")).unwrap();
    // Whatever modes say: the sandbox alone must do it.
    for path in [dir.path(), &journal, &folder, &folder.join("day")] {
        std::fs::set_permissions(path, PermissionsExt::from_mode(0o777)).unwrap();
    }
    let elsewhere = TcpListener::bind("127.0.0.1:0").unwrap();
    let venue = TcpListener::bind("127.0.0.1:0").unwrap();
    let ports = [&elsewhere, &venue].map(|it| it.local_addr().unwrap().port().to_string());
    let socket = journal.with_extension("socket");
    let called = UnixListener::bind(&socket).unwrap();
    std::fs::set_permissions(&socket, PermissionsExt::from_mode(0o777)).unwrap();
    std::thread::spawn(move || {
        for stream in called.incoming() {
            // Who calls may be gone already.
            let _ = stream.unwrap().write_all(b"+");
        }
    });
    let program = std::env::current_exe().unwrap();
    let program = program
        .ancestors()
        .nth(2)
        .unwrap()
        .join("examples/evil_gateway");
    let output = Command::new(program)
        .args([&journal, &folder])
        .args(&ports)
        .arg("nobody")
        .args(rest)
        .output()
        .unwrap();
    let text = String::from_utf8(output.stdout.clone()).unwrap();
    assert!(std::fs::read(&journal).is_ok_and(|text| text == b"inputs") || rest == ["--free"]);
    drop((elsewhere, venue));
    Some((output, text.lines().map(str::to_owned).collect()))
}

/// All acts fail, and what it is for succeeds.
fn is_confined(rest: &[&str], honest: &str) {
    let Some((output, lines)) = evil(rest) else {
        return;
    };
    let said = format!("{lines:#?} {}", String::from_utf8_lossy(&output.stderr));
    assert_eq!(output.status.code(), Some(0), "{said}");
    let refused = lines
        .iter()
        .filter(|line| line.starts_with("refused"))
        .count();
    println!("{rest:?}: {refused} acts refused");
    assert!(refused >= ACTS_MIN, "{said}");
    let honest = format!("honest work: {honest}");
    assert!(lines.contains(&honest), "{said}");
}

#[test]
fn nothing_forbidden_succeeds_in_a_gateway_and_honest_work_does() {
    is_confined(&[], "write true, read true");
}

#[test]
fn nothing_forbidden_succeeds_in_a_gateways_usher_and_honest_work_does() {
    is_confined(&["--usher"], "call true");
}

#[test]
fn nothing_forbidden_succeeds_in_the_venue_and_honest_work_does() {
    is_confined(
        &["--venue"],
        "write true, rename true, list true, remove true",
    );
}

#[test]
fn nothing_forbidden_succeeds_in_a_desk_and_honest_work_does() {
    is_confined(&["--desk"], "write true, dial true");
}

#[test]
fn the_same_acts_succeed_outside() {
    let Some((_, lines)) = evil(&["--free"]) else {
        return;
    };
    let done = lines.iter().filter(|line| line.starts_with("DONE")).count();
    assert!(done >= ACTS_MIN, "{lines:#?}");
}
