//! Rows of a recorded market, and what answers on them bring.

#![allow(clippy::unwrap_used)]

use std::fmt::Write as _;
use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use serde_json::{Value, json};
use tempfile::TempDir;

fn run(folder: &Path, words: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_wirecross-quant"));
    command.args(words).current_dir(folder).output().unwrap()
}

fn json_of(folder: &Path, words: &[&str]) -> Value {
    let output = run(folder, &[words, &["--json"]].concat());
    assert!(output.status.success(), "{words:?}: {output:?}");
    serde_json::from_slice(&output.stdout).unwrap()
}

fn error_of(folder: &Path, words: &[&str]) -> String {
    let output = run(folder, words);
    assert!(!output.status.success(), "{words:?}: {output:?}");
    String::from_utf8(output.stderr).unwrap()
}

/// A book of one lot a side whose prices move up a tick each second, and rest so long before the
/// fifth.
fn rising(folder: &TempDir, rest_ms: u64) {
    let mut text = "id,timestamp,exchange_timestamp,price,volume,action,direction\n".to_owned();
    for second in 0..10_u64 {
        let time = second * 1_000 + if second < 5 { 0 } else { rest_ms };
        let mut order = |id: u64, price: u64, action: &str, side: &str| {
            let _ = writeln!(text, "{id},{time},{time},{price},1.0,{action},{side}");
        };
        if second > 0 {
            order(2 * second - 2, 99 + second, "deleted", "bid");
            order(2 * second - 1, 101 + second, "deleted", "ask");
        }
        order(2 * second, 100 + second, "created", "bid");
        order(2 * second + 1, 102 + second, "created", "ask");
    }
    fs::write(folder.path().join("book.csv"), text).unwrap();
}

#[test]
fn rows_say_what_stood_before_and_what_came_after() {
    let folder = tempfile::tempdir().unwrap();
    rising(&folder, 0);
    let words = [
        "features", "book.csv", "rows.csv", "--tick", "1", "--ahead", "4",
    ];
    let told = json_of(folder.path(), &words);
    // Rows at 0.5 s, 1 s and so on to 9 s, of which the last four have no future.
    let labels = json!({ "SELL": 0, "HOLD": 0, "BUY": 14 });
    assert_eq!(
        told,
        json!({ "rows": 14, "ahead_ms": 2_000, "complete": true, "labels": labels })
    );
    let text = fs::read_to_string(folder.path().join("rows.csv")).unwrap();
    let mut lines = text.lines();
    assert_eq!(
        lines.next().unwrap(),
        "spread,microprice,imbalance,imbalance_levels,near,volatility,flow_1000ms,flow_5000ms,\
         flow_30000ms,moved_1000ms,moved_5000ms,moved_30000ms,future_buy,future_sell,label"
    );
    let rows: Vec<Vec<&str>> = lines.map(|line| line.split(',').collect()).collect();
    assert_eq!(rows.len(), 14);
    for (at, row) in rows.iter().enumerate() {
        // At a whole second it is not known yet what comes then.
        assert_eq!(row[..5], ["2", "0", "0", "0", "0"], "row {at}");
        let moved = |back: usize| if at < back { "" } else { ["1", "5"][back / 10] };
        assert_eq!(row[9..12], [moved(2), moved(10), ""], "row {at}");
        // Up by two in two seconds, a spread of two paid on the way; down is the loss of both.
        assert_eq!(row[12..], ["0", "-4", "BUY"], "row {at}");
    }
}

#[test]
fn no_label_looks_across_a_week_without_an_event() {
    let folder = tempfile::tempdir().unwrap();
    rising(&folder, 8 * 24 * 3_600_000);
    let words = [
        "features", "book.csv", "rows.csv", "--tick", "1", "--ahead", "4",
    ];
    let told = json_of(folder.path(), &words);
    // Rows at 0.5 s to 4 s, of which the last four have no future, and as many behind the week.
    assert_eq!(told["labels"], json!({ "SELL": 0, "HOLD": 0, "BUY": 8 }));
    let text = fs::read_to_string(folder.path().join("rows.csv")).unwrap();
    for (at, line) in text.lines().skip(1).enumerate() {
        let row: Vec<&str> = line.split(',').collect();
        // Nothing is known of a second before the first row of either part.
        let moved = if at % 4 < 2 { "" } else { "1" };
        assert_eq!(row[9..], [moved, "", "", "0", "-4", "BUY"], "row {at}");
    }
}

#[test]
fn gains_are_those_of_the_answers() {
    let folder = tempfile::tempdir().unwrap();
    let mut text = "x,up,down,label\n".to_owned();
    for at in 0..2_000 {
        let (x, label) = [(1, "BUY"), (2, "SELL"), (3, "HOLD")][at % 3];
        let _ = writeln!(text, "{x},{},-7,{label}", if x == 1 { "2.5" } else { "-1" });
    }
    fs::write(folder.path().join("rows.csv"), text).unwrap();
    let words = [
        "train", "rows.csv", "--model", "m.txt", "--rounds", "20", "--folds", "2",
    ];
    let more = ["--earns", "BUY=up", "--earns", "SELL=down"];
    let found = json_of(folder.path(), &[&words[..], &more[..]].concat());
    assert_eq!(found["all"]["accuracy"], 1.0);
    for name in ["accuracy", "balanced_accuracy", "macro_f1"] {
        let beat = &found["beats_majority"][name];
        assert_eq!(
            (&beat["beats"], &beat["folds_above"]),
            (&json!(true), &json!(2))
        );
    }
    let judged = 666..2_000_usize;
    let of = |which: usize| judged.clone().filter(|at| at % 3 == which).count() as f64;
    let (bought, sold) = (of(0), of(1));
    let earned = &found["earned"];
    assert_eq!(earned["rows"], judged.len());
    assert_eq!(earned["trades"], bought + sold);
    assert_eq!(earned["won"], bought);
    assert_eq!(earned["total"], 2.5 * bought - 7.0 * sold);
    // The columns are no features.
    let model = fs::read_to_string(folder.path().join("m.txt")).unwrap();
    assert!(model.contains("feature_names=x\n"), "{model}");
    let text = run(folder.path(), &[&words[..], &more[..]].concat()).stdout;
    let text = String::from_utf8(text).unwrap();
    assert!(text.contains("less than not to trade"), "{text}");
    assert!(text.contains("accuracy: beats the majority: +"), "{text}");
    for (earns, wanted) in [
        ("WAIT=up", "no such label; there are: BUY, HOLD, SELL"),
        ("BUY=gain", "no column \"gain\"; there are: x, up, down"),
        ("BUY", "is not LABEL=COLUMN"),
    ] {
        let error = error_of(folder.path(), &[&words[..], &["--earns", earns]].concat());
        assert!(error.contains(wanted), "{earns}: {error}");
    }
    let only = [
        "--earns",
        "BUY=up",
        "--earns",
        "SELL=down",
        "--earns",
        "HOLD=x",
    ];
    let error = error_of(folder.path(), &[&words[..], &only[..]].concat());
    assert!(error.contains("no column is left"), "{error}");
    fs::write(
        folder.path().join("hole.csv"),
        "x,up,label\n1,2,BUY\n1,,HOLD\n",
    )
    .unwrap();
    let words = ["train", "hole.csv", "--model", "m.txt", "--earns", "BUY=up"];
    let error = error_of(folder.path(), &words);
    assert!(
        error.contains("hole.csv, line 3, column 2 (up): there is no number"),
        "{error}"
    );
}

#[test]
fn refused() {
    let folder = tempfile::tempdir().unwrap();
    rising(&folder, 0);
    fs::write(folder.path().join("other.csv"), "a,b\n1,2\n").unwrap();
    let words = |file: &'static str, more: &'static str| ["features", file, "rows.csv", more];
    for (file, more, wanted) in [
        ("none.csv", "--ahead=1", "none.csv: cannot be read"),
        (
            "other.csv",
            "--ahead=1",
            "other.csv: is no recording that is known",
        ),
        (
            "book.csv",
            "--every-ms=0",
            "--every-ms: 0 ms: from 1 to 3600000 ms",
        ),
        ("book.csv", "--move=0", "--move: between 0 and 1e9"),
        ("book.csv", "--tick=x", "is no decimal number"),
        ("book.csv", "--ahead=1000", "book.csv: no row"),
        ("book.csv", "--ahead=0", "--ahead: between 1 and 16777216"),
        ("book.csv", "--instrument=1", "book.csv: no row"),
        (
            "book.csv",
            "--tick=5",
            "line 3: field price is 102, which is no multiple",
        ),
    ] {
        let error = error_of(folder.path(), &words(file, more));
        assert!(error.contains(wanted), "{file} {more}: {error}");
    }
    assert!(!folder.path().join("rows.csv").exists());
}
