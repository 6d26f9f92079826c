//! The demo as people run it: its exit code and its own verdict.
#![allow(clippy::unwrap_used)]

use std::path::PathBuf;
use std::process::{Command, Output};
use std::sync::{Mutex, PoisonError};

/// A demo keeps three threads busy: two at once on two cores only slow each other down.
static TURN: Mutex<()> = Mutex::new(());

/// Runs the demo and gives what it printed, with everything it said when it failed.
fn demo(arguments: &[&str]) -> String {
    let output = run(arguments);
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(
        output.status.success(),
        "{}\n{text}\n{errors}",
        output.status
    );
    // What a newcomer sees first is no warning.
    assert!(!errors.contains("WARNING"), "{errors}");
    text
}

fn run(arguments: &[&str]) -> Output {
    let _turn = TURN.lock().unwrap_or_else(PoisonError::into_inner);
    Command::new(env!("CARGO_BIN_EXE_wirecross"))
        .arg("demo")
        .args(arguments)
        .output()
        .unwrap()
}

/// The recorded flow, or `None` where it is missing and that may be.
fn recorded_flow() -> Option<String> {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR"))
        .join("../../shared/data/itch50/AAPL_20191230_0935_first20k.replay.csv");
    if path.exists() {
        return Some(path.display().to_string());
    }
    assert!(
        std::env::var_os("CI").is_none(),
        "{} is missing: lay shared/data beside the checkout",
        path.display()
    );
    println!("skipped: {} is not there", path.display());
    None
}

const AGREE: &str = "the feed's books, the journal's books and the venue's state hash agree";

fn assert_recorded(text: &str) {
    assert!(
        text.contains("replies: 656 aggressors, 803 fills, 0 different"),
        "{text}"
    );
    assert!(
        text.contains("feed: 803 trades, 0 different from the replies"),
        "{text}"
    );
    assert!(text.contains("251 orders rest"), "{text}");
    assert!(text.contains(AGREE), "{text}");
}

#[test]
fn generated_flow_is_answered_and_the_books_agree() {
    let flow = ["--seconds", "1", "--rate", "2000", "--standing", "200"];
    let text = demo(&[&flow[..], &["--desk-seconds", "1"]].concat());
    assert!(text.contains("2000 commands, 2000 answered"), "{text}");
    assert!(text.contains("0 lost"), "{text}");
    assert!(text.contains(AGREE), "{text}");
    // How the desk fared is the market's to say; that its day was the same again is not.
    for strategy in ["maker: ", "spread: ", "around: "] {
        assert!(text.contains(&format!("\n  {strategy}")), "{text}");
    }
    assert!(text.contains("0 orders open"), "{text}");
    assert!(text.contains("the same when run again"), "{text}");
}

#[test]
fn without_namespaces_the_same_runs_on_loopback() {
    let seconds = [
        "--seconds",
        "1",
        "--rate",
        "1000",
        "--standing",
        "100",
        "--memory",
        "--desk-seconds",
        "0",
    ];
    let text = demo(&[&["--loopback"], &seconds[..]].concat());
    assert!(text.starts_with("venue and members: loopback"), "{text}");
    assert!(text.contains("1000 commands, 1000 answered"), "{text}");
    assert!(text.contains(AGREE), "{text}");
}

#[test]
fn every_recorded_fill_happens_again() {
    let Some(flow) = recorded_flow() else { return };
    assert_recorded(&demo(&["--flow", &flow]));
}

#[test]
fn every_recorded_fill_happens_through_a_crash() {
    let Some(flow) = recorded_flow() else { return };
    let text = demo(&["--loopback", "--flow", &flow, "--kill-after", "9000"]);
    assert!(text.contains("and started again"), "{text}");
    assert_recorded(&text);
}

#[test]
fn a_flow_that_is_none_is_refused_by_line_and_field() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("wrong.csv");
    std::fs::write(&path, "N,1,B,100,2900000\nN,2,Q,100,2900000\n").unwrap();
    let output = run(&["--loopback", "--flow", &path.display().to_string()]);
    let errors = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(2), "{errors}");
    assert!(
        errors.contains("wrong.csv") && errors.contains("line 2"),
        "{errors}"
    );
}
