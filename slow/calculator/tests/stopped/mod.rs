//! What Ctrl-C and SIGTERM do to each command.

use std::fs;
use std::os::unix::process::ExitStatusExt as _;
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::desk::Desk;

/// Nobody waits longer for what should have ended.
const PATIENCE: Duration = Duration::from_secs(60);
const INT: i32 = 2;
const TERM: i32 = 15;

fn started(desk: &Desk, words: &[&str]) -> Child {
    let mut command = desk.command(words);
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    command.spawn().unwrap()
}

/// What a process said that was sent a signal, and has to end by it.
fn ended(mut child: Child, signal: i32) -> Output {
    let process = child.id().to_string();
    let mut kill = Command::new("kill");
    let sent = kill.args([format!("-{signal}"), process]).status().unwrap();
    assert!(sent.success());
    let start = Instant::now();
    while child.try_wait().unwrap().is_none() {
        if start.elapsed() > PATIENCE {
            child.kill().unwrap();
            panic!("went on: {:?}", child.wait_with_output());
        }
        sleep(Duration::from_millis(5));
    }
    child.wait_with_output().unwrap()
}

/// Whether a process does something of its own when it is interrupted.
fn is_listening(process: u32) -> bool {
    let status = fs::read_to_string(format!("/proc/{process}/status")).unwrap();
    let caught = status.lines().find_map(|line| line.strip_prefix("SigCgt:"));
    let caught = u64::from_str_radix(caught.unwrap().trim(), 16).unwrap();
    // Signals count from 1.
    caught >> (INT - 1) & 1 == 1
}

/// What a command said that was stopped in its long work.
fn stopped(desk: &Desk, words: &[&str]) -> Value {
    let child = started(desk, &[words, &["--json"]].concat());
    while !is_listening(child.id()) {
        sleep(Duration::from_millis(2));
    }
    let output = ended(child, INT);
    assert_eq!(output.status.code(), Some(130), "{words:?}: {output:?}");
    let told = String::from_utf8_lossy(&output.stderr);
    assert!(told.contains("this is what was done so far"), "{told}");
    let found: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(found["complete"], false, "{found}");
    found
}

/// Opens a pipe for writing, which waits until a program reads from it.
fn read_from(pipe: &Path) -> fs::File {
    fs::File::options().write(true).open(pipe).unwrap()
}

#[test]
fn a_command_ends_at_once_before_its_long_work() {
    let desk = Desk::new();
    let pipe = desk.file("rows.csv", "AA,BB\n0.1,0.2\n0.2,0.1\n0.1,0.3\n");
    let pipe = pipe.with_file_name("pipe");
    let made = Command::new("mkfifo").arg(&pipe).status().unwrap();
    assert!(made.success());
    let commands: [&[&str]; 13] = [
        &["optimise", "pipe"],
        &["optimise", "rows.csv", "--held", "pipe", "--turnover", "1"],
        &["frontier", "pipe"],
        &["simulate", "--assets", "pipe"],
        &["risk", "pipe", "--simulate", "5000"],
        &["rebalance", "pipe", "--cash", "1"],
        &["train", "pipe", "--json"],
        &["features", "pipe", "rows.csv"],
        &["versions", "none", "--add", "pipe", "--rows", "rows.csv"],
        &["predict", "pipe", "rows.csv"],
        &["predict", "model", "pipe"],
        &["forecast", "pipe"],
        &["scale", "plan", "--trace", "pipe", "--capacity", "1"],
    ];
    let model = "tree\nversion=v4\nnum_class=1\nnum_tree_per_iteration=1\nmax_feature_idx=1\n\
                 objective=regression\n\nTree=0\nnum_leaves=2\nnum_cat=0\nsplit_feature=1\n\
                 threshold=0.5\ndecision_type=2\nleft_child=-1\nright_child=-2\n\
                 leaf_value=-3 7\n\nend of trees\n";
    desk.file("model", model);
    for (at, words) in commands.into_iter().enumerate() {
        let child = started(&desk, words);
        let _writes = read_from(&pipe);
        let signal = [INT, TERM][at % 2];
        let output = ended(child, signal);
        assert_eq!(output.status.signal(), Some(signal), "{words:?} {output:?}");
        assert!(output.stdout.is_empty(), "{words:?}: {output:?}");
    }
}

#[test]
fn who_is_interrupted_says_what_was_done_so_far() {
    let desk = Desk::new();
    let asked = 1_u64 << 39;
    let all = [
        ["european", "plain"],
        ["lookback", "plain"],
        ["lookback", "sobol"],
    ];
    for [option, sampling] in all {
        // Sobol's points have an end.
        let asked = if sampling == "sobol" {
            asked >> 5
        } else {
            asked
        };
        let paths = asked.to_string();
        let words = ["simulate", "--option", option, "--sampling", sampling];
        let more = ["--steps", "252", "--paths", &paths];
        let found = stopped(&desk, &[&words[..], &more].concat());
        let paths = found["paths"].as_u64().unwrap();
        assert!((2_048..asked).contains(&paths), "{found}");
        let value = found["value"].as_f64().unwrap();
        assert!(value > 1.0, "{found}");
        // Of one part of Sobol's points no error is known.
        let error = found["error"].as_f64();
        let is_told = error.is_some_and(|error| error > 0.0 && value > 5.0 * error);
        assert!(is_told || sampling == "sobol", "{found}");
    }
}

#[test]
fn rows_and_folds_that_were_done_are_kept() {
    let desk = Desk::new();
    let many = desk.file("many.csv", "");
    let words = ["generate", "many.csv", "--count", "16000000"];
    let found = stopped(&desk, &words);
    let rows = found["rows"].as_u64().unwrap();
    assert!(rows < 16_000_000, "{found}");
    let text = fs::read_to_string(many).unwrap();
    assert_eq!(text.lines().count() as u64, rows + 1);
    desk.json(&["generate", "rows.csv", "--count", "20000"]);
    let words = ["train", "rows.csv", "--rounds", "10000", "--rate", "1e-4"];
    let found = stopped(&desk, &words);
    assert_eq!(found["folds"].as_array().unwrap().len(), 0, "{found}");
    assert_eq!(found["model"], Value::Null);
    let again = desk.run(&["train", "rows.csv", "--rounds", "2", "--json", "--folds=1"]);
    let again: Value = serde_json::from_slice(&again.stdout).unwrap();
    assert_eq!(again["complete"], true, "{again}");
}
