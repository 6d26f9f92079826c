//! Versions of a model: added, chosen, damaged; and alarms on rows that come later.

#![allow(clippy::unwrap_used)]

use std::fmt::Write as _;
use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use serde_json::Value;

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
    assert_eq!(output.status.code(), Some(1), "{words:?}: {output:?}");
    String::from_utf8(output.stderr).unwrap()
}

/// Rows with a known best rate, as a file.
fn generated(folder: &Path, name: &str, rate: &str, seed: &str) {
    let words = [
        "generate", name, "--count", "4000", "--rate", rate, "--seed", seed,
    ];
    json_of(folder, &words);
}

fn trained(folder: &Path, rows: &str) -> Value {
    let words = [
        "train",
        rows,
        "--model",
        "m.txt",
        "--versions",
        "btc",
        "--folds",
        "2",
    ];
    json_of(folder, &[&words[..], &["--rounds", "30"]].concat())
}

#[test]
fn versions_are_added_chosen_and_asked() {
    let home = tempfile::tempdir().unwrap();
    let folder = home.path();
    generated(folder, "a.csv", "0.8", "1");
    generated(folder, "b.csv", "0.75", "2");
    let first = trained(folder, "a.csv");
    let second = trained(folder, "b.csv");
    assert_eq!(
        (&first["version"], &second["version"]),
        (&1.into(), &2.into())
    );
    let told = json_of(folder, &["versions", "btc"]);
    assert_eq!(told["current"], 1);
    assert_eq!(told["versions"].as_array().unwrap().len(), 2);
    assert_eq!(
        told["versions"][1]["trained"]["accuracy"],
        second["all"]["accuracy"]
    );
    // The current one is asked, and after a choice the other.
    let text = fs::read_to_string(folder.join("a.csv")).unwrap();
    let bare: Vec<&str> = text
        .lines()
        .map(|line| line.rsplit_once(',').unwrap().0)
        .collect();
    fs::write(folder.join("bare.csv"), bare[..200].join("\n")).unwrap();
    let ask = |model: &str| json_of(folder, &["predict", model, "bare.csv"]);
    let of_first = ask("btc/0001/model.txt");
    assert_eq!(ask("btc"), of_first);
    let told = json_of(folder, &["versions", "btc", "--use", "2"]);
    assert_eq!(told["current"], 2);
    let of_second = ask("btc/0002/model.txt");
    assert_eq!(ask("btc"), of_second);
    assert_ne!(of_first, of_second);
    // A model that is not what was written is never asked.
    let model = folder.join("btc/0001/model.txt");
    let changed = fs::read_to_string(&model)
        .unwrap()
        .replace("leaf_value=", "leaf_value= ");
    fs::write(&model, changed).unwrap();
    let error = error_of(folder, &["versions", "btc", "--use", "1"]);
    assert!(
        error.contains("0001/model.txt: is not what its card was written for"),
        "{error}"
    );
    let told = json_of(folder, &["versions", "btc"]);
    assert!(
        told["versions"][0]["damaged"]
            .as_str()
            .unwrap()
            .contains("0001")
    );
    assert_eq!((&told["current"], ask("btc")), (&2.into(), of_second));
    for (words, wanted) in [
        (&["versions", "none"][..], "none: is no folder"),
        (
            &["versions", "btc", "--use", "7"],
            "btc: no version 7; there are: 1, 2",
        ),
        (&["check", "btc", "none.csv"], "none.csv: No such file"),
        (
            &["check", "btc", "bare.csv", "--label", "label"],
            "no column \"label\"",
        ),
        (
            &["check", "btc", "bare.csv", "--drift", "0"],
            "--drift: between 0 and 1000",
        ),
        (
            &["check", "btc", "a.csv", "--label", "label", "--fall", "0.9"],
            "fall: 0.9",
        ),
    ] {
        let error = error_of(folder, words);
        assert!(error.contains(wanted), "{words:?}: {error}");
    }
    fs::write(folder.join("btc/0002/card.json"), "{}").unwrap();
    let error = error_of(folder, &["predict", "btc", "bare.csv"]);
    assert!(
        error.contains("0002/model.txt: is not what its card"),
        "{error}"
    );
    fs::write(folder.join("btc/current"), "two").unwrap();
    let error = error_of(folder, &["predict", "btc", "bare.csv"]);
    assert!(error.contains("current: \"two\" is no version"), "{error}");
}

/// Rows of two numbers whose label says whether the first is greater, and lines behind them.
fn compared(folder: &Path, name: &str, [no, yes]: [&str; 2], more: &str) {
    let mut text = "a,b,label\n".to_owned();
    for at in 0..200 {
        let [a, b] = [at * 37 % 101, at * 53 % 103];
        let _ = writeln!(text, "{a},{b}.5,{}", if a > b { yes } else { no });
    }
    fs::write(folder.join(name), text + more).unwrap();
}

#[test]
fn a_model_that_says_yes_or_no_is_judged_by_two_labels() {
    let home = tempfile::tempdir().unwrap();
    let folder = home.path();
    let model = r#"{"coef": [1.0, -1.0], "intercept": 0.0}"#;
    fs::write(folder.join("m.json"), model).unwrap();
    let add = |rows: &'static str| ["versions", "pairs", "--add", "m.json", "--rows", rows];
    for (labels, more, wanted) in [
        (["1", "1"], "", "rows.csv: all labels are the same"),
        (
            ["0", "1"],
            "1,2,2\n",
            "rows.csv: 3 labels, the model has 1 results",
        ),
        (
            ["0", "1"],
            "1,-1e39,1\n",
            "rows.csv, line 202, column 2 (b): is too great for 32 bits",
        ),
        (
            ["0", "1"],
            "1,,1\n",
            "rows.csv: row 201: the model says what is no number",
        ),
    ] {
        compared(folder, "rows.csv", labels, more);
        let error = error_of(folder, &add("rows.csv"));
        assert!(error.contains(wanted), "{error}");
        assert!(!folder.join("pairs").exists());
    }
    compared(folder, "rows.csv", ["0", "1"], "");
    let listed = json_of(folder, &add("rows.csv"));
    assert_eq!(listed["versions"][0]["trained"]["accuracy"], 1.0);
    // What is no number is not right, and told.
    compared(folder, "later.csv", ["0", "1"], "1,,0\n2,,0\n");
    let words = ["check", "pairs", "later.csv", "--label", "label"];
    let told = json_of(folder, &words);
    assert_eq!(
        (&told["answers"]["unanswered"], &told["answers"]["accuracy"]),
        (&2.into(), &(200.0 / 202.0).into())
    );
    let text = String::from_utf8(run(folder, &words).stdout).unwrap();
    assert!(text.contains("no number, so not right"), "{text}");
}

#[test]
fn a_pruned_model_is_smaller_and_nearly_the_same() {
    let home = tempfile::tempdir().unwrap();
    let folder = home.path();
    generated(folder, "a.csv", "0.8", "1");
    let words = [
        "train", "a.csv", "--model", "m.txt", "--folds", "1", "--rounds", "40",
    ];
    let whole = json_of(folder, &words);
    let size = || fs::metadata(folder.join("m.txt")).unwrap().len();
    let before = size();
    let mut found = json_of(folder, &[&words[..], &["--prune", "0.02"]].concat());
    let pruned = found["pruned"].take();
    assert!(size() < before);
    let number = |name: &str| pruned[name].as_f64().unwrap();
    assert!(number("leaves") < number("leaves_before"), "{pruned}");
    assert!(
        (1e-6..=40.0 * 0.02 + 1e-9).contains(&number("off")),
        "{pruned}"
    );
    assert!(number("changed") <= 0.2 * number("rows"), "{pruned}");
    assert!(
        number("row_ns") > 0.0 && number("row_ns_before") > 0.0,
        "{pruned}"
    );
    // What is judged are the whole trees.
    assert_eq!(found["all"], whole["all"]);
    let error = error_of(folder, &[&words[..], &["--prune", "2000"]].concat());
    assert!(
        error.contains("off at most: 2000 is not between 0 and 1000"),
        "{error}"
    );
}

#[test]
fn alarms_are_raised_where_the_world_has_changed() {
    let home = tempfile::tempdir().unwrap();
    let folder = home.path();
    generated(folder, "then.csv", "0.8", "1");
    generated(folder, "now.csv", "0.8", "2");
    generated(folder, "worse.csv", "0.55", "3");
    trained(folder, "then.csv");
    let check = |rows: &str| {
        let words = ["check", "btc", rows, "--label", "label", "--json"];
        let output = run(folder, &words);
        let told: Value = serde_json::from_slice(&output.stdout).unwrap();
        assert_eq!(
            output.status.code(),
            Some(if told["alarm"] == true { 3 } else { 0 })
        );
        told
    };
    let now = check("now.csv");
    assert_eq!(
        (&now["alarm"], &now["answers"]["raised_at"]),
        (&false.into(), &Value::Null)
    );
    assert!(
        now["drift"]
            .as_object()
            .unwrap()
            .values()
            .all(|x| x.as_f64().unwrap() < 0.1)
    );
    assert_eq!(now["answers"]["rows"], 4_000);
    // Labels follow what is best less often: features are as they were.
    let worse = check("worse.csv");
    assert_eq!(worse["alarm"], true);
    assert!(
        worse["answers"]["raised_at"].as_u64().unwrap() < 1_000,
        "{worse}"
    );
    assert!(
        worse["drift"]
            .as_object()
            .unwrap()
            .values()
            .all(|x| x.as_f64().unwrap() < 0.1)
    );
    // A feature is told in other units; its name says so, and nobody else's does.
    let text = fs::read_to_string(folder.join("now.csv")).unwrap();
    let mut lines = text.lines().map(str::to_owned);
    let head = lines.next().unwrap();
    let name = head.split(',').next().unwrap().to_owned();
    let scaled = lines.map(|line| {
        let (first, rest) = line.split_once(',').unwrap();
        format!("{},{rest}", first.parse::<f64>().unwrap() * 100.0)
    });
    let moved: Vec<String> = [head].into_iter().chain(scaled).collect();
    fs::write(folder.join("moved.csv"), moved.join("\n")).unwrap();
    let moved = check("moved.csv");
    assert_eq!(moved["alarm"], true);
    for (feature, index) in moved["drift"].as_object().unwrap() {
        assert_eq!(*feature == name, index.as_f64().unwrap() >= 0.25, "{moved}");
    }
    let text = run(folder, &["check", "btc", "moved.csv", "--label", "label"]).stdout;
    let text = String::from_utf8(text).unwrap();
    assert!(
        text.starts_with("version 1: ALARM") && text.contains("drifted"),
        "{text}"
    );
    // Rows without labels tell of drift alone.
    let bare = fs::read_to_string(folder.join("now.csv")).unwrap();
    let bare: Vec<&str> = bare
        .lines()
        .map(|line| line.rsplit_once(',').unwrap().0)
        .collect();
    fs::write(folder.join("bare.csv"), bare.join("\n")).unwrap();
    let told = json_of(folder, &["check", "btc", "bare.csv"]);
    assert_eq!(
        (&told["alarm"], &told["answers"]),
        (&false.into(), &Value::Null)
    );
}
