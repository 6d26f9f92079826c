//! Training as its users run it.

#![allow(clippy::unwrap_used)]

use std::fs;
use std::process::{Command, Output};

use serde_json::Value;
use tempfile::TempDir;

/// A folder with rows.
struct Desk {
    folder: TempDir,
}

impl Desk {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        Self { folder }
    }

    fn file(&self, name: &str, text: &str) {
        fs::write(self.folder.path().join(name), text).unwrap();
    }

    fn run(&self, words: &[&str]) -> Output {
        let mut command = Command::new(env!("CARGO_BIN_EXE_wirecross-quant"));
        command
            .args(words)
            .current_dir(self.folder.path())
            .output()
            .unwrap()
    }

    fn json(&self, words: &[&str]) -> Value {
        let output = self.run(&[words, &["--json"]].concat());
        assert!(output.status.success(), "{words:?}: {output:?}");
        serde_json::from_slice(&output.stdout).unwrap()
    }
}

#[test]
fn what_is_trained_on_generated_rows_is_nearly_as_good_as_can_be_and_is_read_back() {
    let desk = Desk::new();
    let made = desk.json(&["generate", "rows.csv", "--count", "12000", "--rate", "0.78"]);
    assert!(
        (made["reached"].as_f64().unwrap() - 0.78).abs() < 0.02,
        "{made}"
    );
    let train = ["train", "rows.csv", "--model", "model.txt", "--gap", "5"];
    let found = desk.json(&[&train[..], &["--folds", "2", "--rounds", "80"]].concat());
    assert_eq!(found["classes"], serde_json::json!(["BUY", "HOLD", "SELL"]));
    assert_eq!(found["folds"].as_array().unwrap().len(), 2);
    let rate = |of: &Value, name: &str| of[name].as_f64().unwrap();
    for name in ["accuracy", "balanced_accuracy", "macro_f1"] {
        let reached = rate(&found["all"], name);
        assert!((0.90 * 0.78..0.79).contains(&reached), "{name}: {reached}");
    }
    assert!(rate(&found["majority"], "accuracy") < 0.5);
    // The model is asked about what it was trained on, without the labels.
    let text = fs::read_to_string(desk.folder.path().join("rows.csv")).unwrap();
    let rows = text.lines().take(500);
    let bare: Vec<&str> = rows
        .clone()
        .map(|line| line.rsplit_once(',').unwrap().0)
        .collect();
    desk.file("bare.csv", &bare.join("\n"));
    let asked = desk.json(&["predict", "model.txt", "bare.csv"]);
    let answers = asked["rows"].as_array().unwrap();
    let right = answers.iter().zip(rows.skip(1)).filter(|(answer, line)| {
        let shares = answer["results"].as_array().unwrap().iter();
        let shares: Vec<f64> = shares.map(|share| share.as_f64().unwrap()).collect();
        let best = (0..3)
            .max_by(|a, b| shares[*a].total_cmp(&shares[*b]))
            .unwrap();
        line.ends_with(["BUY", "HOLD", "SELL"][best])
    });
    let right = right.count() as f64 / answers.len() as f64;
    assert!((0.70..0.95).contains(&right), "{right}");
}

#[test]
fn what_cannot_be_trained_on_is_refused_with_its_place() {
    let desk = Desk::new();
    desk.file("few.csv", "x,label\n1,A\n2,B\n");
    desk.file("word.csv", "x,label\n1,A\nmuch,B\n");
    desk.file("none.csv", "x,label\n1,A\n2,\n");
    desk.file("great.csv", "x,label\n1,A\n1e60,B\n");
    desk.file("same.csv", &format!("x,label\n{}", "1,A\n".repeat(900)));
    desk.file(
        "many.csv",
        &format!("x,label\n{}", "1,A\n2,B\n".repeat(900)),
    );
    for (rows, more, wanted) in [
        (
            "few.csv",
            "--folds=1",
            "few.csv: examples: 2 numbers, at least 200 are needed",
        ),
        (
            "word.csv",
            "--folds=1",
            "word.csv, line 3, column 1 (x): \"much\" is no number",
        ),
        (
            "none.csv",
            "--folds=1",
            "none.csv, line 3, column 2 (label): there is no label",
        ),
        (
            "great.csv",
            "--folds=1",
            "great.csv, line 3, column 1 (x): is too great",
        ),
        (
            "same.csv",
            "--folds=1",
            "same.csv: classes: 1 is not between 2 and 64",
        ),
        (
            "many.csv",
            "--label=side",
            "no column \"side\"; there are: x, label",
        ),
        ("many.csv", "--folds=0", "folds: 0 is not between 1 and 100"),
        (
            "many.csv",
            "--leaves=1",
            "leaves: 1 is not between 2 and 4096",
        ),
        ("many.csv", "--model=no/model.txt", "no/model.txt: "),
    ] {
        let output = desk.run(&["train", rows, "--rounds", "2", "--model", "m.txt", more]);
        let output = if more.starts_with("--model") {
            desk.run(&["train", rows, "--rounds", "2", more])
        } else {
            output
        };
        let error = String::from_utf8(output.stderr).unwrap();
        assert!(
            !output.status.success() && error.contains(wanted),
            "{rows} {more}: {error}"
        );
    }
    assert!(!desk.folder.path().join("m.txt").exists());
}
